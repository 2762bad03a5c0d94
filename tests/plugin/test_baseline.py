"""Runs held against earlier ones, as real pytest processes: the same, worse in one place, and not comparable."""

import json
import xml.etree.ElementTree as ElementTree

import pytest

from tests.plugin.conftest import evidence_of
from tests.plugin.stubs import FORGETFUL, MODELS

TWICE = "baseline/repeatability/asked-twice"


def verdicts(record):
    return {audit.id: audit.verdict for audit in record.audits}


_FIRST: dict[str, str] = {}


@pytest.fixture
def earlier(bench, audit_run):
    """The folder of a first run of all audits; made once, because its images, salt and answers are always the same."""
    (bench.path / "stub_models.py").write_text(MODELS + FORGETFUL)
    if not _FIRST:
        audit_run("--audit-out=first", "--audit-report=html", "--audit-no-store")
        _FIRST["evidence.json"] = (bench.path / "first/evidence.json").read_text()
    (bench.path / "earlier").mkdir()
    (bench.path / "earlier/evidence.json").write_text(_FIRST["evidence.json"])
    return "earlier"


def held(audit_run, *arguments, out="out", **more):
    return audit_run(f"--audit-out={out}", "--audit-report=html", *arguments, **more)


def test_the_same_answers_pass_and_are_said_to_be_the_same(bench, audit_run, earlier):
    held(audit_run, "--audit-baseline=earlier", "--audit-anchor=earlier/evidence.json", "--junitxml=junit.xml")
    record, before = evidence_of(bench, "out"), evidence_of(bench, earlier)
    audits = {f"{role}/{audit.id}" for role in ("baseline", "anchor") for audit in before.audits}
    assert {a.id for a in record.audits} == audits | set(verdicts(before))
    for audit in (a for a in record.audits if a.statistic == "worsening"):
        assert audit.verdict == "PASS", audit.sentence
        assert all("every answer the same" in cell.sentence for cell in audit.parts)
        assert audit.estimate.value == 0
    # What the audits themselves say is not touched by it.
    assert {k: v for k, v in verdicts(record).items() if k in verdicts(before)} == verdicts(before)
    first, second = record.references
    assert (first.role, second.role) == ("baseline", "anchor")
    assert first.run == before.run.id
    assert first.n_same == first.n_answers == sum(len(c.values[""].split()) for c in before.answers.columns)
    assert first.evidence_sha256 == second.evidence_sha256
    assert not first.problem
    cases = {case.get("name"): case for case in ElementTree.parse(bench.path / "junit.xml").iter("testcase")}
    case = cases["test_repeat[asked-twice@baseline]"]
    properties = {p.get("name"): p.get("value") for p in case.iter("property")}
    assert (properties["audit"], properties["verdict"]) == (TWICE, "PASS")


def test_one_defect_more_fails_at_one_place(bench, audit_run, earlier):
    result = held(audit_run, "--audit-baseline=earlier", "-p", "no:xdist", model="stub_models:forgetful")
    assert result.ret == 1
    record = evidence_of(bench, "out")
    failed = {k for k, v in verdicts(record).items() if v == "FAIL" and k.startswith("baseline/")}
    assert failed == {TWICE}
    audit = next(a for a in record.audits if a.id == TWICE)
    assert "worse by" in audit.sentence
    assert "before 0.0 %" in audit.sentence
    assert 0.15 < audit.estimate.value < 0.4
    result.stdout.fnmatch_lines(["*asked-twice@baseline*"])
    others = [a for a in record.audits if a.statistic == "worsening" and a.id != TWICE]
    assert others
    assert all("every answer the same" in a.sentence for a in others)
    assert record.references[0].n_same < record.references[0].n_answers


def test_another_protocol_is_refused_and_said_before_anything_is_asked(bench, audit_run, earlier):
    path = bench.path / "audits/protocol.toml"
    path.write_text(path.read_text().replace("at_most = 0.1\n[families.answers]", "at_most = 0.2\n[families.answers]"))
    result = held(audit_run, "--audit-baseline=earlier", "-v")
    text = result.stdout.str()
    line = "auditkit: the baseline, run"
    assert text.count(line) == 1
    assert text.index(line) < text.index("test_metadata[")
    assert "families.repeatability.at_most: 0.1, now 0.2" in text
    record = evidence_of(bench, "out")
    compared = {k: v for k, v in verdicts(record).items() if k.startswith("baseline/")}
    assert set(compared.values()) == {"ERROR"}
    assert len(compared) == len(record.audits) / 2
    assert record.verdict in ("ERROR", "FAIL")
    assert "its criteria are other ones" in record.references[0].problem
    assert record.references[0].n_answers == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "environment", "words"),
    [
        (["--audit-limit=30"], {}, "it took all patients, this run takes 30 patients"),
        (["--audit-batch-size=7"], {}, "Add --audit-batch-size=128"),
        ([], {"AUDITKIT_SALT": "another salt of tests"}, "Set AUDITKIT_SALT"),
    ],
)
def test_what_else_is_refused(bench, audit_run, earlier, monkeypatch, arguments, environment, words):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    result = held(audit_run, "--audit-baseline=earlier", "-k", "asked-twice", *arguments)
    assert result.ret == 1
    assert verdicts(evidence_of(bench, "out"))[TWICE] == "ERROR"
    assert words in evidence_of(bench, "out").references[0].problem
    assert words in result.stdout.str()


@pytest.mark.slow
def test_other_images_are_refused(bench, audit_run, earlier):
    (bench.path / "pictures/p000.png").unlink()
    result = held(audit_run, "--audit-baseline=earlier", "-k", "asked-twice")
    assert verdicts(evidence_of(bench, "out"))[TWICE] == "ERROR"
    assert "1 of its 60 are not among these, 0 of these 59 are new" in result.stdout.str()


@pytest.mark.slow
def test_a_picture_that_broke_since_is_found_when_it_is_read(bench, audit_run, earlier):
    """Nothing can be said before it is decoded, and nothing may be compared without it."""
    whole = (bench.path / "pictures/p000.png").read_bytes()
    (bench.path / "pictures/p000.png").write_bytes(whole[: len(whole) // 2])
    held(audit_run, "--audit-baseline=earlier", "-k", "asked-twice")
    record = evidence_of(bench, "out")
    assert record.data.n_images == 59
    assert verdicts(record)[TWICE] == "ERROR"
    assert record.references[0].problem


@pytest.mark.slow
def test_questions_that_the_earlier_run_did_not_ask(bench, audit_run):
    audit_run("--audit-out=part", "--audit-report=html", "-k", "asked-twice")
    held(audit_run, "--audit-baseline=part")
    record = evidence_of(bench, "out")
    compared = {k: v for k, v in verdicts(record).items() if k.startswith("baseline/")}
    assert compared.pop(TWICE) == "PASS"
    assert set(compared.values()) == {"ERROR"}
    assert not record.references[0].problem


@pytest.mark.slow
def test_only_the_comparisons_can_be_run(bench, audit_run, earlier):
    result = held(audit_run, "--audit-baseline=earlier", "-k", "baseline")
    assert result.ret == 0
    record = evidence_of(bench, "out")
    assert {a.family for a in record.audits} == {"baseline"}
    assert record.verdict == "INCONCLUSIVE"  # the audits themselves were not run
    assert set(verdicts(evidence_of(bench, "earlier"))) & {i.partition("/")[2] for i in verdicts(record)}
    one = bench.runpytest_subprocess(
        "audits/test_audits.py::test_repeat[asked-twice@baseline]",
        "--model=stub_models:base", "--audit-data=pictures", "--audit-baseline=earlier", "--audit-out=one",
    )  # fmt: skip
    assert one.ret == 0
    assert list(verdicts(evidence_of(bench, "one"))) == [TWICE]


@pytest.mark.slow
def test_a_comparison_left_out_is_no_pass(bench, audit_run, earlier):
    held(audit_run, "--audit-baseline=earlier", "-k", "not baseline")
    assert TWICE in evidence_of(bench, "out").not_run


@pytest.mark.slow
def test_workers_agree_with_one_process(bench, audit_run, earlier):
    held(audit_run, "--audit-baseline=earlier", out="one")
    held(audit_run, "--audit-baseline=earlier", "-n", "2", out="two")
    one, two = (evidence_of(bench, out) for out in ("one", "two"))
    assert one.audits == two.audits
    assert one.references == two.references


def test_what_was_expected_of_the_audits_excuses_no_comparison(bench, audit_run, earlier):
    """An xfail of the whole module is about the audits; a model that became worse must still end the job."""
    path = bench.path / "audits/test_audits.py"
    path.write_text(path.read_text() + "\npytestmark = pytest.mark.xfail\n")
    result = held(audit_run, "--audit-baseline=earlier", "-k", "asked-twice", model="stub_models:forgetful")
    assert result.ret == 1
    assert verdicts(evidence_of(bench, "out"))[TWICE] == "FAIL"


@pytest.mark.slow
def test_files_that_are_no_evidence_end_the_run_before_it_begins(bench, audit_run, earlier):
    (bench.path / "broken.json").write_text("{}")
    damaged = json.loads((bench.path / "earlier/evidence.json").read_text())
    damaged["answers"]["columns"][0]["values"][""] += " 50"
    (bench.path / "damaged.json").write_text(json.dumps(damaged))
    for name, words in (
        ("none.json", "--audit-baseline=none.json cannot be read"),
        ("broken.json", "is not evidence of this auditkit"),
        ("damaged.json", "its answers are damaged"),
    ):
        result = held(audit_run, f"--audit-baseline={name}", "-k", "asked-twice")
        text = result.stdout.str() + result.stderr.str()
        assert result.ret == 4, text
        assert words in text
        assert "Traceback" not in text
    assert not (bench.path / "out").exists() or not list((bench.path / "out").iterdir())


@pytest.mark.slow
def test_early_looks_are_refused(audit_run, earlier):
    result = held(audit_run, "--audit-baseline=earlier", "--audit-looks=2")
    assert result.ret == 4
    assert "--audit-looks=1" in result.stdout.str() + result.stderr.str()


@pytest.mark.slow
def test_marks_of_the_audit_hold_for_its_comparison(bench, audit_run, earlier):
    path = bench.path / "audits/test_audits.py"
    text = path.read_text()
    for above, mark in (
        ('"effect", shipped.repeatability', 'hazard("H-7")'),
        ('"effect", shipped.sensitivity', "skip"),
    ):
        text = text.replace(
            f"@pytest.mark.parametrize({above}", f"@pytest.mark.{mark}\n@pytest.mark.parametrize({above}"
        )
    path.write_text(text)
    result = held(audit_run, "--audit-baseline=earlier", "-k", "repeat or falls")
    result.assert_outcomes(passed=2, skipped=2)
    assert [a.hazard_ids for a in evidence_of(bench, "out").audits] == [["H-7"], ["H-7"]]
