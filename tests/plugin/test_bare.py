"""`pytest` in a project that has tests and audits runs the tests and skips the audits; a gate never does."""

import pytest

from auditkit import shipped
from auditkit.cli import main

TESTS = "def test_one(): pass\ndef test_two(): pass\n"
# As the bench's audits are parametrized: the institution's sentences, a repetition and a corruption.
N_AUDITS = sum(effect.name.startswith("institution.") for effect in shipped.metadata()) + 2
WORKERS = pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["one-process", "workers"])


@pytest.fixture
def project(bench):
    """The bench with two unit tests beside its three audits."""
    (bench.path / "tests").mkdir()
    (bench.path / "tests/test_units.py").write_text(TESTS)
    return bench


@WORKERS
@pytest.mark.parametrize("typed", [(), (".",), ("tests", ".")], ids=["bare", "folder", "folders"])
def test_without_a_model_the_tests_run_and_the_audits_are_skipped(project, forked, typed, workers):
    result = forked.pytest(*typed, *workers, "-rs", cwd=project.path)
    assert result.ret == 0
    outcomes = result.parseoutcomes()
    assert (outcomes["passed"], outcomes["skipped"]) == (2, N_AUDITS)
    result.stdout.fnmatch_lines([f"*auditkit: {N_AUDITS} audits skipped: no model was named*--model=NAME*"])
    assert not (project.path / ".auditkit").exists()
    assert not (project.path / "reports").exists()


def test_testpaths_may_name_both(project, forked):
    project.makeini("[pytest]\ntestpaths = tests audits\naddopts = -p no:cacheprovider -p no:hypothesispytest\n")
    result = forked.pytest(cwd=project.path)
    assert result.ret == 0
    assert result.parseoutcomes()["passed"] == 2


@pytest.mark.parametrize(
    "typed",
    [
        ("audits",),
        ("tests", "audits/"),
        ("tests", "audits/test_audits.py"),
        ("--audit-out=out",),
        ("-k", "falls or twice"),
    ],
    ids=["folder", "both", "file", "option", "only audits"],
)
def test_where_the_audits_are_meant_the_session_does_not_begin(project, forked, typed):
    result = forked.pytest(*typed, cwd=project.path)
    assert result.ret == 4
    result.stderr.fnmatch_lines(["*audits were collected, but no model was named*--model=NAME*"])


def test_where_they_are_meant_workers_fail(project, forked):
    result = forked.pytest("tests", "audits", "-n", "1", cwd=project.path)
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*no model was named*"])


def test_failing_tests_still_fail(project, forked):
    (project.path / "tests/test_units.py").write_text(TESTS + "def test_three(): assert 0\n")
    assert forked.pytest(cwd=project.path).ret == 1


@WORKERS
def test_what_init_writes_keeps_them_apart(project, forked, monkeypatch, workers):
    monkeypatch.chdir(project.path)
    (project.path / "tox.ini").unlink()
    assert main(["init", "checks"]) == 0
    quiet = ("-p", "no:cacheprovider", "-p", "no:hypothesispytest", *workers)
    (project.path / "audits/test_audits.py").unlink()
    result = forked.pytest(*quiet, cwd=project.path)
    assert result.ret == 0
    assert result.parseoutcomes() == {"passed": 2}
    result = forked.pytest(*quiet, "checks", "--collect-only", "-q", cwd=project.path)
    assert "checks/test_metadata.py" in result.stdout.str()
