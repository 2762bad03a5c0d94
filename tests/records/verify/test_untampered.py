"""What nobody touched is said to match, and what cannot be looked at is never said to."""

import json
import shutil
from pathlib import Path

import pytest

from auditkit.ask.store import Store
from auditkit.cli import main
from auditkit.errors import AuditkitError
from auditkit.protocol.shipped import SHIPPED
from auditkit.records.verify import verify
from tests.records.verify.conftest import IDS, Impressed, Made, run_once


def open_words(checks) -> str:
    assert {check.state for check in checks} == {"ok", "not checked"}, [
        c for c in checks if c.state == "DOES NOT MATCH"
    ]
    return " ".join(check.words for check in checks if check.state == "not checked")


def test_every_check_holds(made: Made):
    checks = made.verify()
    assert [check for check in checks if check.state != "ok"] == []
    assert {check.part for check in checks} == {"record", "copies", "protocol", "images", "run", "answers", "verdicts"}


@pytest.mark.parametrize("name", ["report.html", "."])
def test_page_named_is_rendered_again(made: Made, name):
    checks = made.verify(name)
    assert [check for check in checks if check.state != "ok"] == []
    assert any(check.part == "pages" and "to the letter" in check.words for check in checks)


def test_page_alone_is_enough(made: Made, tmp_path):
    alone = tmp_path / "elsewhere" / "sent by mail.html"
    alone.parent.mkdir()
    shutil.copy(made.folder / "report.html", alone)
    assert {check.state for check in verify(alone, store=str(made.store), data=str(made.images))} == {"ok"}


def test_report_rendered_again_holds(made: Made, capsys):
    (made.folder / "report.html").unlink()
    assert main(["report", str(made.record), f"--html={made.folder / 'report.html'}"]) == 0
    assert made.code(".") == 0


def test_warm_store_and_second_run_hold(original: Made, tmp_path, pictures):
    """A run that found every answer in the store leaves a record as good as the first."""
    shutil.copytree(original.store.parent, tmp_path / ".auditkit")
    again = run_once(tmp_path, pictures, uid="again")
    assert again.evidence.run.probes.asked == 0
    assert again.code() == 0


def test_without_store_answers_are_not_checked(made: Made, tmp_path):
    store = tmp_path / "none.sqlite"
    assert f"no store at {store}" in open_words(made.verify(store=str(store)))
    assert not store.exists(), "looking for a store must not make one"
    assert made.code(store=str(store)) == 3


def test_empty_store_answers_are_not_checked(made: Made, tmp_path):
    Store(str(tmp_path / "empty.sqlite")).close()
    words = open_words(made.verify(store=str(tmp_path / "empty.sqlite"), data=None))
    assert "the store knows no run on images with the SHA-256" in words
    assert "of images that this store does not know" in words
    assert "the attributes of the images: only their source tells" in words


def test_store_alone_tells_all_but_the_attributes(made: Made):
    checks = made.verify(data=None)
    assert open_words(checks).startswith("the attributes of the images: only their source tells")
    assert any("are those that the store noted" in check.words for check in checks)


def test_pictures_of_other_library_versions_are_not_found(made: Made, monkeypatch):
    monkeypatch.setattr("auditkit.ask.render.LIBRARIES", "numpy 0.1 scipy 0.1 pillow 0.1")
    words = open_words(made.verify())
    assert "to pictures that this store did not render" in words


def test_other_wording_is_said_and_is_not_a_mismatch(made: Made, monkeypatch):
    monkeypatch.setattr("auditkit.protocol.entries.entry_digest", lambda catalogue, name: "0" * 64)
    words = open_words(made.verify())
    assert "has other entries than the record was made with" in words


def test_other_salt_is_told_from_other_images(made: Made, monkeypatch):
    monkeypatch.setenv("AUDITKIT_SALT", "another salt of tests")
    assert "the salt or the data are others" in open_words(made.verify())
    monkeypatch.delenv("AUDITKIT_SALT")
    monkeypatch.chdir(made.folder)
    assert "set AUDITKIT_SALT" in open_words(made.verify())
    assert not (made.folder / ".auditkit").exists(), "looking for a salt must not make one"


@pytest.mark.usefixtures("salt")
def test_errors_that_were_answered_since_are_no_mismatch(tmp_path, pictures):
    """The record of a run with errors stays true after a later run has asked again."""
    first = run_once(tmp_path, pictures, model=Impressed(breaks=True))
    errors = first.evidence.outcomes.error
    assert errors
    second = run_once(tmp_path, pictures, uid="second")
    assert second.evidence.outcomes.error == 0
    checks = first.verify()
    assert [check for check in checks if check.state != "ok"] == []
    assert any(f"read as recorded, {errors} as errors" in check.words for check in checks)


@pytest.mark.usefixtures("salt")
def test_looks_are_made_again(tmp_path, pictures):
    run = run_once(tmp_path, pictures, looks=2)
    checks = run.verify()
    assert [check for check in checks if check.state != "ok"] == []
    assert any("the 2 looks at the data were made as recorded" in check.words for check in checks)


@pytest.mark.usefixtures("salt")
def test_looks_with_an_image_left_out_are_not_made_again(tmp_path, pictures):
    """Which patients a look adds depends on the images that could not be read, too."""
    run = run_once(tmp_path, pictures, looks=2)
    run.change(lambda record: record["data"].update(n_left_out=1))
    assert any(
        "its looks cannot be made again" in check.words for check in run.verify() if check.state == "not checked"
    )


@pytest.mark.usefixtures("salt")
def test_run_that_was_stopped_is_corrected_for_what_it_planned(tmp_path, pictures):
    """Holm takes the p-values of all audits planned, of which a run ended by -x records the first ones only."""
    run = run_once(tmp_path, pictures, judged=IDS[1:])
    checks = run.verify()
    assert [check.details[0] for check in checks if check.state != "ok"] == [IDS[0]]
    assert "the questions that only they need were asked" in open_words(checks)


@pytest.mark.usefixtures("salt")
def test_audits_of_third_parties_are_not_judged_again(made: Made, monkeypatch):
    """An audit whose effect is not at hand takes its family with it, and never counts as verified."""
    others = {name: listed for name, listed in SHIPPED.items() if name != "sensitivity"}
    for module in ("auditkit.records.verify.verdicts", "auditkit.protocol.declared"):
        monkeypatch.setattr(f"{module}.SHIPPED", others)
    monkeypatch.setattr("auditkit.records.verify.verdicts.effect_from", lambda audit: None)
    words = open_words(made.verify())
    assert "1 of sensitivity" in words


@pytest.mark.usefixtures("salt")
def test_audits_of_ones_own_are_judged_again_by_what_the_record_defines(made: Made, monkeypatch):
    others = {name: listed for name, listed in SHIPPED.items() if name != "sensitivity"}
    for module in ("auditkit.records.verify.verdicts", "auditkit.protocol.declared"):
        monkeypatch.setattr(f"{module}.SHIPPED", others)
    assert {check.state for check in made.verify()} == {"ok"}


def test_text_ends_with_what_it_comes_to_and_programs_get_json(made: Made, capsys):
    arguments = ["verify", str(made.record), f"--store={made.store}", f"--audit-data={made.images}"]
    assert main(arguments) == 0
    assert "What was checked holds: record" in capsys.readouterr().out
    assert main([*arguments, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["exit_code"] == 0


@pytest.mark.parametrize("name", ["nothing.json", "notes.txt", "bad.json", "."])
def test_what_is_not_a_report_is_a_usage_error(tmp_path: Path, name, capsys):
    (tmp_path / "notes.txt").write_text("hello")
    (tmp_path / "bad.json").write_text("{")
    target = tmp_path / name if name != "." else tmp_path / "empty"
    (tmp_path / "empty").mkdir()
    with pytest.raises(AuditkitError):
        verify(target)
    assert main(["verify", str(target)]) == 4
    assert "auditkit: " in capsys.readouterr().err
