"""Shipped audits, protocol, demo images and reference model together, as `make audit` runs them, on few patients."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from auditkit.evidence import Evidence
from auditkit.protocol.shipped import SHIPPED

ROOT = Path(__file__).resolve().parents[2]
PATIENTS = 11  # one of each modality


def run(folder: Path, out: str, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")}
    command = [
        sys.executable, "-m", "auditkit.cli", "run", "--model", "reference", f"--audit-limit={PATIENTS}",
        f"--audit-store={folder}/answers.sqlite", f"--audit-out={folder}/{out}", "--audit-report=html",
        "-p", "no:cacheprovider", "-p", "no:hypothesispytest",
    ]  # fmt: skip
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, env=clean | environment)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shipped")
    done = run(folder, "first")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "The audit ran to its end" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    return folder


@pytest.fixture(scope="module")
def evidence(folder):
    return Evidence.from_json((folder / "first/evidence.json").read_text(encoding="utf-8"))


def test_every_declared_audit_has_a_verdict(evidence):
    asked = {name: listed for name, listed in SHIPPED.items() if name != "embeddings"}  # which take an option
    declared = {f"{family}/{effect.name}" for family, listed in asked.items() for effect in listed()}
    assert {a.id for a in evidence.audits} == declared
    assert evidence.not_run == []
    assert evidence.outcomes.error == 0


def test_eleven_patients_pass_nothing_about_means(evidence):
    """One patient per modality can show nothing; only a run that says so is honest."""
    assert {
        a.verdict for a in evidence.audits if a.family in ("metadata", "placebo", "sensitivity", "discrimination")
    } == {"INCONCLUSIVE"}
    assert evidence.verdict in ("INCONCLUSIVE", "FAIL")
    assert len(evidence.data.modalities) == PATIENTS


def test_the_reference_model_answers_in_the_formats_asked_for(evidence):
    outcomes = evidence.outcomes
    assert outcomes.scored >= 0.95 * outcomes.total
    assert outcomes.total == evidence.run.probes.planned


def test_the_report_is_small_and_says_that_it_is_a_demonstration(folder):
    page = (folder / "first/report.html").read_bytes()
    assert len(page) < 6_000_000  # 5.3 MB for 249 audits
    assert b"Demonstration data" in page
    assert page.count(b"<script") == 1  # ours; the policy of the page forbids any other


def test_a_second_run_asks_nothing_and_needs_no_model(folder):
    """torch cannot be imported in the second run: all that was asked is in the store."""
    blocked = folder / "blocked"
    blocked.mkdir()
    (blocked / "torch.py").write_text("raise ImportError('torch must not be needed')", encoding="utf-8")
    done = run(folder, "second", PYTHONPATH=str(blocked))
    assert done.returncode == 0, done.stdout + done.stderr
    first, second = (
        json.loads((folder / o / "evidence.json").read_text(encoding="utf-8")) for o in ("first", "second")
    )
    assert second.pop("run")["probes"]["asked"] == 0
    first.pop("run")
    assert first == second


def test_the_twins_prestige_is_not_in_the_reference_model(evidence):
    """A single patient per modality decides nothing, but a shift of 12 points would show in every one of them."""
    shifts = [
        a.estimate.value
        for a in evidence.audits
        if a.family == "metadata" and a.id.startswith("metadata/institution.") and a.estimate.value is not None
    ]
    assert shifts
    assert max(map(abs, shifts)) < 8
