from __future__ import annotations

import json
from pathlib import Path

from auditkit.evidence import Evidence
from auditkit.report.ci.findings import Place, findings
from auditkit.report.ci.gitlab import code_quality

PROJECT = Path("/project")


def entries(evidence: Evidence, *, allow: bool = False, places: dict[str, Place] | None = None, model: str = "m"):
    excused = [a.id for a in evidence.audits if allow and a.verdict == "INCONCLUSIVE"]
    return json.loads(code_quality(findings(evidence, places or {}, excused=excused), model, PROJECT))


def test_every_finding_has_what_gitlab_requires(lean: Evidence) -> None:
    found = entries(lean, allow=True)
    verdicts = {a.id: a.verdict for a in lean.deciding if a.verdict != "PASS"}
    assert [e["check_name"] for e in found] == sorted(verdicts)
    severities = {"FAIL": "critical", "ERROR": "major", "INCONCLUSIVE": "minor"}
    for entry in found:
        verdict = verdicts[entry["check_name"]]
        assert set(entry) == {"description", "check_name", "fingerprint", "severity", "location"}
        assert entry["description"].startswith(f"{verdict}: ")
        assert entry["severity"] == severities[verdict]
        assert entry["location"]["lines"]["begin"] >= 1
        assert not entry["location"]["path"].startswith(("/", "."))
    blocked = {e["severity"] for e in entries(lean) if verdicts[e["check_name"]] == "INCONCLUSIVE"}
    assert blocked == {"major"}, "an INCONCLUSIVE that fails the job is no minor matter"


def test_fingerprints_are_unique_and_stay_when_numbers_lines_and_order_change(lean: Evidence) -> None:
    before = {e["check_name"]: e["fingerprint"] for e in entries(lean)}
    assert len(set(before.values())) == len(before)
    moved = [a.model_copy(update={"sentence": "other numbers", "n_images": 1}) for a in reversed(lean.audits)]
    places = {a.id: Place(PROJECT / "audits/test_a.py", 99) for a in moved}
    after = entries(lean.model_copy(update={"audits": moved}), places=places)
    assert {e["check_name"]: e["fingerprint"] for e in after} == before
    assert {(e["location"]["path"], e["location"]["lines"]["begin"]) for e in after} == {("audits/test_a.py", 99)}


def test_another_verdict_or_model_is_another_finding(lean: Evidence) -> None:
    fail = next(a for a in lean.audits if a.verdict == "FAIL")
    one = entries(lean.model_copy(update={"audits": [fail]}))
    worse = entries(lean.model_copy(update={"audits": [fail.model_copy(update={"verdict": "ERROR"})]}))
    other = entries(lean.model_copy(update={"audits": [fail]}), model="n")
    assert len({e["fingerprint"] for e in (*one, *worse, *other)}) == 3


def test_nothing_found_is_an_empty_list(lean: Evidence) -> None:
    assert entries(lean.model_copy(update={"audits": [a for a in lean.audits if a.verdict == "PASS"]})) == []


def test_text_that_cannot_be_written_does_not_stop_the_report(lean: Evidence, tmp_path: Path) -> None:
    fail = next(a for a in lean.audits if a.verdict == "FAIL")
    odd = fail.model_copy(update={"id": "metadata/\ud800", "sentence": "\ud800\x1b[31m"})
    found = findings(lean.model_copy(update={"audits": [odd]}), {})
    (tmp_path / "q.json").write_text(code_quality(found, "\udcff", PROJECT), encoding="utf-8")
    (entry,) = json.loads((tmp_path / "q.json").read_text())
    assert "⟨U+D800⟩⟨U+001B⟩" in entry["description"]
