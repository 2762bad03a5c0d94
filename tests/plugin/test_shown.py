"""What is only shown fails no run: what could not be measured is said, skipped by pytest, and stands in the record."""

import csv
import subprocess
import sys

import pytest

from auditkit.report.pdf.document import document
from tests.plugin.conftest import N_IMAGES, evidence_of

MODEL = """
import numpy as np
import stub_models
from auditkit.models.base import Response


class Sees(stub_models.Base):
    name, embeddings, fingerprint = "sees", ("vision", "language"), "sees-1"

    def embed(self, requests, kind="vision"):
        if kind == "language":
            raise ValueError("no <last> hidden state")
        pixels = [np.asarray(request.images[0].convert("L"), np.float32) for request in requests]
        return np.stack([corner[:12, :12].ravel() + 1 for corner in pixels])


class Loses(stub_models.Base):
    name, fingerprint = "loses", "loses-1"

    def generate(self, requests):
        lost = Response(error="HTTP 400: no such archive", finish_reason="error")
        return [lost if "archive" in r.prompt else Response(self.answer(r)) for r in requests]


sees, loses = Sees(), Loses()
"""
INSIDE = '''
import pytest
from auditkit import displacement, follows

EFFECTS = [
    made(kind, "pixelate", family="embeddings") for kind in ("vision", "language") for made in (displacement, follows)
]


@pytest.mark.parametrize("effect", EFFECTS, ids=str)
def test_inside(effect, audit):
    """Does it see it?"""
    audit.shows(effect)
'''
SHOWN = '''
import pytest
from auditkit import mean

EFFECTS = [mean(family="seen"), mean("quality", wording="acceptance", family="seen", name="accepted")]


@pytest.mark.parametrize("effect", EFFECTS, ids=str)
def test_means(effect, audit):
    """Which scores does it give?"""
    audit.shows(effect)
'''
FAMILIES = """
[families.embeddings]
shown = true
[families.seen]
shown = true
by = "site"
"""


@pytest.fixture
def shown(bench):
    """Pictures of two modalities and two sites, of which one has an odd name."""
    (bench.path / "own_models.py").write_text(MODEL)
    (bench.path / "audits" / "test_shown.py").write_text(SHOWN)
    with (bench.path / "audits" / "protocol.toml").open("a") as protocol:
        protocol.write(FAMILIES)
    with (bench.path / "pictures" / "images.csv").open("w", newline="") as stream:
        table = csv.writer(stream)
        table.writerow(["file_name", "modality", "patient_id", "site"])
        for i in range(N_IMAGES):
            table.writerow([f"p{i:03d}.png", ("ct", "mr")[i % 2], f"q{i}", ("all", "north")[i % 3 > 0]])
    return bench


DATA = "pictures/images.csv"
LANGUAGE = (
    "360 language embeddings could not be had: the model raised ValueError: no <last> hidden state. The same request "
    "gets the same error: change what it names first (docs/troubleshooting.md)."
)


def test_a_kind_without_any_embedding_is_skipped_and_listed_with_its_reason(shown, audit_run):
    (shown.path / "audits" / "test_shown.py").write_text(INSIDE)
    result = audit_run(
        "-k", "inside", "--audit-embeddings", "--audit-out=out", "-rs", model="own_models:sees", data=DATA
    )
    result.assert_outcomes(passed=2, skipped=2)
    assert result.ret == 0
    result.stdout.fnmatch_lines(["*SKIPPED*60 of 60 embeddings or answers could not be had: see why under*"])
    record = evidence_of(shown, "out")
    [lost] = record.not_embedded
    # 60 images, each clean and at 5 severities.
    assert (lost.question, lost.n) == ("language", 60 * 6)
    assert LANGUAGE in record.limits
    audit = next(a for a in record.audits if a.id == "embeddings/language-pixelate")
    assert (audit.shown, audit.verdict, audit.estimate.value) == (True, "ERROR", None)
    page = (shown.path / "out" / "report.html").read_text()
    section = page.partition('id="inside"')[2].partition("</section>")[0]
    assert "Language features, similarity" in section
    assert LANGUAGE.replace("<", "&lt;").replace(">", "&gt;") in section
    pdf = document(record, record.to_json().encode())
    assert pdf.count(LANGUAGE.replace("<", "&lt;").replace(">", "&gt;")) == 2  # the section and the limits


def test_an_error_in_what_is_shown_skips_and_fails_nothing(shown, audit_run):
    result = audit_run("-k", "means", "--audit-out=out", "-rs", model="own_models:loses", data=DATA)
    result.assert_outcomes(passed=1, skipped=1)
    assert result.ret == 0
    result.stdout.fnmatch_lines(["*SKIPPED*For information*questions got no answer*"])
    record = evidence_of(shown, "out")
    assert {a.id: a.verdict for a in record.audits} == {"seen/score": "INCONCLUSIVE", "seen/accepted": "ERROR"}
    assert record.verdict == "INCONCLUSIVE"
    assert record.sentence == "No audit that decides was run: 2 audits only show what was measured."
    assert (
        "HTTP 400: no such archive. The same request gets the same error"
        in (shown.path / "out" / "report.html").read_text()
    )


def test_a_shown_audit_that_cannot_be_judged_is_skipped_with_the_reason(shown, audit_run):
    (shown.path / "audits" / "test_shown.py").write_text(SHOWN.replace("audit.shows(", "audit.within("))
    protocol = shown.path / "audits" / "protocol.toml"
    protocol.write_text(protocol.read_text().replace('by = "site"', 'by = "site"\nat_most = 50.0'))
    result = audit_run("-k", "means", "--audit-out=out", "-rs", data=DATA)
    result.assert_outcomes(skipped=2)
    result.stdout.fnmatch_lines(["*It could not be judged: the audit holds score to within*at_most*"])
    assert all(audit.shown for audit in evidence_of(shown, "out").audits)


def test_a_level_called_all_is_shown_like_any_other(shown, audit_run):
    result = audit_run("-k", "means", "--audit-out=out", data=DATA)
    result.assert_outcomes(passed=2)
    record = evidence_of(shown, "out")
    for audit in record.audits:
        levels = {cell.stratum.level: cell.n_images for cell in audit.parts}
        assert levels == {"all": 60, "all (a level)": 20, "north": 40}
    assert {level.name: level.n_images for level in record.data.strata["site"]} == {"all (a level)": 20, "north": 40}


def test_nothing_that_is_shown_stands_beside_an_earlier_run(shown, audit_run):
    audit_run("--audit-out=first", "-k", "means or repeat", data=DATA)
    again = audit_run("--audit-out=out", "--audit-baseline=first/evidence.json", "-k", "means or repeat", data=DATA)
    again.assert_outcomes(passed=4)
    assert {a.id for a in evidence_of(shown, "out").audits} == {
        "seen/score", "seen/accepted", "repeatability/asked-twice", "baseline/repeatability/asked-twice",
    }  # fmt: skip
    parallel = audit_run(
        "--audit-out=two", "--audit-baseline=first/evidence.json", "-k", "means or repeat", "-n2", data=DATA
    )
    parallel.assert_outcomes(passed=4)


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        ("means", "no audit that decides was run, so nothing is said about whether the model passes"),
        ("repeat", "the model passed every audit that was run, and"),
        ("falls", "the model did not pass every audit"),
    ],
)
def test_the_command_says_what_was_decided(shown, chosen, said):
    options = ["--model=stub_models:base", f"--audit-data={DATA}", "-k", chosen, "--audit-no-store"]
    found = subprocess.run(
        [sys.executable, "-m", "auditkit.cli", "run", *options],
        cwd=shown.path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert found.returncode == 0, found.stdout + found.stderr
    assert f"The audit ran to its end; {said}" in found.stdout


def test_a_dry_run_says_nothing_about_the_model(shown):
    options = ["--model=stub_models:base", f"--audit-data={DATA}", "--audit-dry-run"]
    found = subprocess.run(
        [sys.executable, "-m", "auditkit.cli", "run", *options],
        cwd=shown.path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "No record was written, so nothing is said about the model" in found.stdout
    assert "passed" not in found.stdout


def test_a_selection_without_any_audit_is_named(shown):
    done = subprocess.run(
        [sys.executable, "-m", "auditkit.cli", "run", "--model", "stub_models:base", "-k", "no_such_audit"],
        cwd=shown.path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 5
    assert "no audit in audits was selected: see -k" in done.stderr


def test_auditkit_run_is_not_green_where_every_worker_refused(bench):
    """Under `-n` a refusal shows as failed tests, exit code 1, which is also that of a run that failed an audit."""
    found = subprocess.run(
        [sys.executable, "-m", "auditkit.cli", "run", "--model=stub_models:none", "--audit-data=pictures", "-n", "1"],
        cwd=bench.path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert found.returncode == 1
    assert "No record was written" in found.stdout
