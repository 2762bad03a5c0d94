"""The shipped audits as files of one's own, and who changed what since."""

import configparser
import json

import pytest

from auditkit.cli import main, starter
from auditkit.cli.starter import NOTE, copy, shipped, shipped_folder
from auditkit.cli.starter.changes import compare
from auditkit.errors import AuditkitError


@pytest.fixture
def newer(tmp_path, monkeypatch):
    """An installation whose shipped files can be changed, as a later version would."""
    folder = tmp_path / "installed"
    folder.mkdir()
    for name, text in shipped().items():
        (folder / name).write_text(text)
    monkeypatch.setattr(starter, "shipped_folder", lambda pack="": folder)
    return folder


@pytest.fixture
def own(tmp_path, newer):
    copy(tmp_path / "own")
    return tmp_path / "own"


def edit(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_the_checkout_ships_its_own_audits(pytestconfig):
    assert shipped_folder() == pytestconfig.rootpath / "audits"
    assert set(shipped()) == {
        p.name for p in (pytestconfig.rootpath / "audits").iterdir() if p.suffix in (".py", ".toml")
    }


def test_init_writes_the_shipped_files_once(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["init"]) == 0
    assert {p.name for p in (tmp_path / "audits").iterdir()} == {*shipped(), NOTE}
    assert {name: (tmp_path / "audits" / name).read_text() for name in shipped()} == shipped()
    assert "pytest audits --model=NAME" in capsys.readouterr().out
    assert main(["init"]) == 4
    error = capsys.readouterr().err
    assert "audits already has protocol.toml, test_answers.py" in error
    assert "auditkit init audits --diff" in error


def test_a_pack_is_copied_and_compared_with_itself(tmp_path, monkeypatch, capsys, pytestconfig):
    monkeypatch.chdir(tmp_path)
    assert main(["init", "--pack", "diagnosis"]) == 0
    pack = pytestconfig.rootpath / "packs/diagnosis"
    files = {p.name: p.read_text() for p in pack.iterdir() if p.suffix in (".py", ".toml")}
    assert {p.name: p.read_text() for p in (tmp_path / "diagnosis").iterdir() if p.name != NOTE} == files
    assert set(files) > {"protocol.toml"}
    assert "pytest diagnosis --model=NAME" in capsys.readouterr().out
    assert main(["init", "diagnosis", "--diff"]) == 0
    (tmp_path / "diagnosis/protocol.toml").write_text(files["protocol.toml"].replace("0.70", "0.80"))
    assert main(["init", "diagnosis", "--reviewed"]) == 0
    assert [change.verdict for change in compare(tmp_path / "diagnosis").changes] == ["you changed it"]
    assert main(["init", "--pack", "diagnoses"]) == 4
    assert "diagnosis" in capsys.readouterr().err


def test_one_file_that_is_there_is_enough_to_write_nothing(tmp_path, capsys):
    (tmp_path / "test_metadata.py").write_text("mine")
    assert main(["init", str(tmp_path)]) == 4
    assert "already has test_metadata.py;" in capsys.readouterr().err
    assert [p.name for p in tmp_path.iterdir()] == ["test_metadata.py"]
    assert (tmp_path / "test_metadata.py").read_text() == "mine"


def test_other_files_of_the_folder_are_left_alone(tmp_path):
    (tmp_path / "test_own.py").write_text("mine")
    assert main(["init", str(tmp_path)]) == 0
    assert (tmp_path / "test_own.py").read_text() == "mine"
    assert compare(tmp_path).changes == []


def test_a_file_in_the_folders_place(tmp_path, capsys):
    (tmp_path / "audits").write_text("a file")
    assert main(["init", str(tmp_path / "audits")]) == 4
    assert "cannot be written" in capsys.readouterr().err


def test_nothing_changed(own, capsys):
    assert main(["init", str(own), "--diff"]) == 0
    assert "ships nothing that is not here" in capsys.readouterr().out


def test_other_line_ends_are_no_edit(own):
    for name in shipped():
        path = own / name
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert compare(own).changes == []


def test_only_you_changed(own, capsys):
    edit(own / "protocol.toml", "at_most = 0.10", "at_most = 0.05")
    (own / "test_templates.py").unlink()
    assert main(["init", str(own), "--diff"]) == 0
    out = capsys.readouterr().out
    assert "protocol.toml: you changed it" in out
    assert "+++ protocol.toml (yours)" in out
    assert "-at_most = 0.10" in out
    assert "+at_most = 0.05" in out
    assert "test_templates.py: you removed it" in out


def test_only_auditkit_changed(own, newer, capsys):
    edit(newer / "test_answers.py", "without declining", "and not decline")
    (newer / "test_new.py").write_text("NEW = 1\n")
    (newer / "test_direction.py").unlink()
    assert main(["init", str(own), "--diff"]) == 1
    out = capsys.readouterr().out
    assert "test_answers.py: auditkit changed it" in out
    assert "+++ test_answers.py (as shipped now)" in out
    assert "test_new.py: auditkit added it" in out
    assert "+NEW = 1" in out
    assert "test_direction.py: auditkit removed it" in out
    assert "(yours)" not in out


def test_both_changed_and_each_change_is_shown_against_the_copy(own, newer, capsys):
    edit(newer / "protocol.toml", "at_least = 0.70", "at_least = 0.75")
    edit(own / "protocol.toml", "seed = 20261122", "seed = 5")
    assert main(["init", str(own), "--diff"]) == 1
    out = capsys.readouterr().out
    assert "protocol.toml: both changed it" in out
    theirs, _, yours = out.partition("+++ protocol.toml (yours)")
    assert "+at_least = 0.75" in theirs
    assert "seed = 5" not in theirs
    assert "+seed = 5" in yours
    assert "at_least = 0.75" not in yours


def test_what_was_taken_over_is_no_news(own, newer, capsys):
    edit(newer / "protocol.toml", "at_least = 0.70", "at_least = 0.75")
    (own / "protocol.toml").write_text((newer / "protocol.toml").read_text())
    assert main(["init", str(own), "--diff"]) == 0
    assert "protocol.toml: taken over from the installed auditkit" in capsys.readouterr().out


def test_reviewed_makes_what_differs_yours(own, newer, capsys):
    edit(newer / "protocol.toml", "at_least = 0.70", "at_least = 0.75")
    assert main(["init", str(own), "--reviewed"]) == 0
    assert main(["init", str(own), "--diff"]) == 0
    out = capsys.readouterr().out
    assert "protocol.toml: you changed it" in out
    assert "-at_least = 0.75" in out
    assert (own / "protocol.toml").read_text().count("at_least = 0.75") == 0, "reviewing writes no audit"


@pytest.mark.parametrize("option", ["--diff", "--reviewed"])
def test_a_folder_that_was_not_copied(tmp_path, capsys, option):
    assert main(["init", str(tmp_path), option]) == 4
    assert f"has no {NOTE}" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_note_that_was_edited(own):
    note = json.loads((own / NOTE).read_text())
    note["files"]["protocol.toml"]["text"] += "# more\n"
    (own / NOTE).write_text(json.dumps(note))
    with pytest.raises(AuditkitError, match="was edited"):
        compare(own)


@pytest.mark.parametrize("text", ["no json", "[]", '{"files": {"a.py": {}}}', '{"files": []}'])
def test_a_note_that_is_none(own, text):
    (own / NOTE).write_text(text)
    with pytest.raises(AuditkitError, match="is not a note of"):
        compare(own)


def test_a_file_that_is_no_text(own, capsys):
    (own / "protocol.toml").write_bytes(b"\xff\xfe\x00")
    assert main(["init", str(own), "--diff"]) == 4
    assert "is not UTF-8" in capsys.readouterr().err


def test_init_writes_settings_of_pytest_where_there_are_none(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["init"]) == 0
    assert "pytest.ini\n" in capsys.readouterr().out
    settings = configparser.ConfigParser()
    settings.read(tmp_path / "pytest.ini")
    assert settings["pytest"]["norecursedirs"].split()[0] == "audits"


def test_the_list_of_folders_that_pytest_leaves_out_is_kept(pytestconfig, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    main(["init"])
    settings = configparser.ConfigParser(interpolation=None)
    settings.read(tmp_path / "pytest.ini")
    assert set(settings["pytest"]["norecursedirs"].split()) == {"audits", *pytestconfig.getini("norecursedirs")}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pytest.ini", ""),
        ("pyproject.toml", "[tool.pytest.ini_options]\n"),
        ("tox.ini", "[pytest]\n"),
        ("setup.cfg", "[tool:pytest]\n"),
    ],
)
def test_settings_that_are_there_are_left_alone_and_it_is_said_what_to_add(tmp_path, monkeypatch, capsys, name, text):
    (tmp_path / "sub").mkdir()
    monkeypatch.chdir(tmp_path / "sub")
    (tmp_path / name).write_text(text)
    assert main(["init"]) == 0
    assert (tmp_path / name).read_text() == text
    assert not (tmp_path / "sub/pytest.ini").exists()
    said = capsys.readouterr().out
    assert f"{name} has pytest's settings" in said
    assert "norecursedirs = audits *.egg" in said


@pytest.mark.parametrize(("name", "text"), [("pyproject.toml", "[tool.ruff]\n"), ("setup.cfg", "[metadata]\n")])
def test_files_without_settings_of_pytest_are_none(tmp_path, monkeypatch, name, text):
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).write_text(text)
    assert main(["init"]) == 0
    assert (tmp_path / "pytest.ini").is_file()


def test_audits_at_the_root_itself_are_not_kept_from_pytest(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["init", "."]) == 0
    assert "norecursedirs" not in (tmp_path / "pytest.ini").read_text()


def test_nothing_is_written_outside_the_current_folder_but_the_audits(tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert main(["init", str(tmp_path / "there/audits")]) == 0
    assert not list((tmp_path / "here").iterdir())
    assert [path.name for path in (tmp_path / "there").iterdir()] == ["audits"]
