"""Reports, answers and salt are made where the audits are, or it is said where else."""

import pytest

WANTED = (
    "audits",
    "--model=stub_models:base",
    "-k",
    "asked-twice",
    "-p",
    "no:cacheprovider",
    "-p",
    "no:hypothesispytest",
)


@pytest.fixture
def project(bench, monkeypatch):
    """A project without settings of pytest, and pictures that lie outside of it."""
    monkeypatch.delenv("AUDITKIT_SALT")
    (bench.path / "tox.ini").unlink()
    (bench.path / "project").mkdir()
    (bench.path / "audits").rename(bench.path / "project/audits")
    return bench.path / "project"


def made_in(folder):
    return {path.name for path in folder.iterdir()} & {"reports", ".auditkit"}


def test_a_path_behind_an_equals_sign_moves_nothing(project, forked):
    result = forked.pytest(*WANTED, "--audit-data=../pictures", cwd=project)
    assert result.ret == 0
    result.stdout.no_fnmatch_line("*root folder*")
    assert made_in(project) == {"reports", ".auditkit"}
    assert not made_in(project.parent)


@pytest.mark.parametrize("workers", [(), ("-n", "1")], ids=["one-process", "worker"])
def test_where_a_path_after_a_space_moves_the_root_it_is_said(project, forked, workers):
    result = forked.pytest(*WANTED, *workers, "--audit-data", "../pictures", cwd=project)
    assert result.ret == 0
    said = [line for line in result.outlines if "root folder" in line]
    assert len(said) == 1
    assert f"root folder is {project.parent}, not {project}: reports/ and .auditkit/" in said[0]
    assert made_in(project.parent) == {"reports", ".auditkit"}


@pytest.mark.parametrize("name", ["pytest.ini", "pyproject.toml"])
def test_with_settings_beside_the_audits_a_space_moves_nothing(project, forked, name):
    (project / name).write_text("[pytest]\n" if name == "pytest.ini" else "[tool.pytest.ini_options]\n")
    result = forked.pytest(*WANTED, "--audit-data", "../pictures", cwd=project)
    assert result.ret == 0
    result.stdout.no_fnmatch_line("*root folder*")
    assert made_in(project) == {"reports", ".auditkit"}


def test_settings_of_somebody_else_do_not_go_unsaid(project, forked):
    (project.parent / "pictures/pytest.ini").write_text("[pytest]\n")
    result = forked.pytest(*WANTED, "--audit-data", "../pictures", cwd=project)
    result.stdout.fnmatch_lines([f"*root folder is {project.parent / 'pictures'}, not {project}*"])


def test_a_root_that_was_chosen_is_not_remarked_on(project, forked):
    result = forked.pytest(*WANTED, "--audit-data=../pictures", f"--rootdir={project.parent}", cwd=project)
    assert result.ret == 0
    result.stdout.no_fnmatch_line("*root folder*")


def test_settings_above_the_current_folder_are_where_they_should_be(project, forked):
    (project / "pytest.ini").write_text("[pytest]\n")
    result = forked.pytest(".", *WANTED[1:], "--audit-data=../../pictures", cwd=project / "audits")
    assert result.ret == 0
    result.stdout.no_fnmatch_line("*root folder*")
    assert made_in(project) == {"reports", ".auditkit"}
