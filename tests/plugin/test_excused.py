"""What was excused is said beside the exit code that does not show it."""

import json
import re
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from auditkit.images.sources import load_images
from tests.plugin.conftest import evidence_of
from tests.plugin.stubs import MODELS, PROTOCOL

FAILS = """
import pytest
from auditkit import shipped

@pytest.mark.xfail({mark})
@pytest.mark.parametrize("effect", shipped.sensitivity()[:1], ids=str)
def test_falls(effect, audit):
    audit.at_least(effect)
"""
LEVEL = """
import pytest
from auditkit import mean

@pytest.mark.parametrize("effect", [mean(name="mean", family="level")], ids=str)
def test_level(effect, audit):
    audit.at_most(effect)
"""
JUMPED = """
class Jumped(Base):
    name, fingerprint = "jumped", "stub-2"

    def score(self, request):
        return str(int(super().score(request)) + 20)

jumped = Jumped()
"""


def said(result):
    """The lines from the verdict of the whole run on, as one text."""
    text = result.stdout.str().partition("Report:")[2]
    return " ".join(text.split())


@pytest.mark.parametrize("workers", [(), ("-n", "1")], ids=["one-process", "worker"])
def test_a_failing_audit_that_was_expected_to_fail(bench, audit_run, workers):
    (bench.path / "audits/test_audits.py").write_text(FAILS.format(mark="reason='known since May'"))
    result = audit_run("--audit-out=out", *workers)
    assert result.ret == 0
    audit = evidence_of(bench, "out").audits[0]
    assert audit.verdict == "FAIL"
    assert "The exit code leaves out 1 audit that does not pass: 1 FAIL." in said(result)
    assert f"- FAIL sensitivity/gaussian_noise (xfail known since May): {audit.sentence[:60]}" in said(result)


def test_what_fails_the_session_is_not_called_excused(bench, audit_run):
    (bench.path / "audits/test_audits.py").write_text(FAILS.format(mark="False, reason='not now'"))
    result = audit_run("--audit-out=out")
    assert result.ret == 1
    assert "leaves out" not in said(result)


def test_a_failure_that_the_test_catches(bench, audit_run):
    body = "    try:\n        audit.at_least(effect)\n    except pytest.fail.Exception:\n        pass\n"
    text = FAILS.format(mark="False, reason=''").replace("    audit.at_least(effect)\n", body)
    (bench.path / "audits/test_audits.py").write_text(text)
    result = audit_run("--audit-out=out")
    assert result.ret == 0
    assert "- FAIL sensitivity/gaussian_noise (the test caught it)" in said(result)


def test_a_jump_that_few_patients_leave_open_is_shown_where_it_was_let_through(bench, audit_run):
    (bench.path / "stub_models.py").write_text(MODELS + JUMPED)
    (bench.path / "audits/test_audits.py").write_text(LEVEL)
    (bench.path / "audits/protocol.toml").write_text(PROTOCOL + "[families.level]\nat_most = 99.0\nsize = 1\n")
    few = ("--audit-limit=8", "--audit-allow-inconclusive")
    assert audit_run("--audit-out=one", *few).ret == 0
    result = audit_run("--audit-out=two", "--audit-baseline=one", *few, model="stub_models:jumped")
    assert result.ret == 0
    held = {audit.id: audit for audit in evidence_of(bench, "two").audits}["baseline/level/mean"]
    assert held.verdict == "INCONCLUSIVE"
    assert held.estimate.value == pytest.approx(20)
    assert "- INCONCLUSIVE baseline/level/mean (--audit-allow-inconclusive): " in said(result)
    assert re.search(r"Now \+8\d\.\d, before \+6\d\.\d: worse by \+20\.0", said(result))


def test_auditkit_run_does_not_call_it_passed(bench):
    (bench.path / "audits/test_audits.py").write_text(FAILS.format(mark="reason='known'"))
    done = subprocess.run(
        [sys.executable, "-m", "auditkit.cli", "run", "--model=stub_models:base", "--audit-data=pictures"],
        cwd=bench.path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0
    assert "1 audit does not pass and was excused" in done.stdout
    assert "the model passed" not in done.stdout


def test_an_expected_failure_does_not_block_in_ci(bench, audit_run, monkeypatch):
    monkeypatch.setenv("GITLAB_CI", "true")
    monkeypatch.setenv("CI_PROJECT_DIR", str(bench.path))
    (bench.path / "audits/test_audits.py").write_text(FAILS.format(mark="reason='known'"))
    audit_run("--audit-out=out")
    (entry,) = json.loads((bench.path / "out/gl-code-quality.json").read_text())
    assert entry["severity"] == "minor"


def test_pictures_that_changed_are_named(bench, audit_run):
    """By id in the record, which holds no file names, and by file in the terminal."""
    audit_run("-k", "asked-twice", "--audit-out=one")
    rng = np.random.default_rng(2)
    for name in ("p007.png", "p031.png"):
        Image.fromarray(rng.integers(0, 256, (24, 24), dtype=np.uint8)).save(bench.path / "pictures" / name)
    result = audit_run("-k", "asked-twice", "--audit-out=two", "--audit-baseline=one")
    assert result.ret == 1
    records = load_images(str(bench.path / "pictures"), salt="salt of the tests", max_side=64).records
    ids = {record.name: record.id for record in records}
    problem = evidence_of(bench, "two").references[0].problem
    assert "the pixels of 2 of its 60 images are other ones now" in problem
    assert ids["p007.png"] in problem
    assert ids["p031.png"] in problem
    assert "p007" not in (bench.path / "two/evidence.json").read_text()
    files = result.stdout.str().partition("Files: ")[2].splitlines()[0].rstrip(".")
    assert set(files.split(", ")) == {"p007.png", "p031.png"}
