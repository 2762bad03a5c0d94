"""Statuses are computed from the record at hand, and move with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from auditkit.evidence import EarlierProtocol, Evidence, ModalityCount, Outcomes, Verdict
from auditkit.report.clauses import DISCLAIMER, Row, clause_map
from auditkit.report.clauses.sections import SECTIONS
from auditkit.report.clauses.texts import ClauseEntry, texts
from tests.report.clauses.build import audit, complete, empty, group, groups, strata
from tests.report.sample import lean


def _rows(evidence: Evidence) -> list[tuple[ClauseEntry, Row]]:
    entries = [entry for text in texts() for entry in text.rows]
    return list(zip(entries, (row for text in clause_map(evidence) for row in text.rows), strict=True))


def _needing(evidence: Evidence, need: str) -> list[Row]:
    return [row for entry, row in _rows(evidence) if need in (*entry.families, *entry.sections, *entry.fields)]


def test_an_empty_record_covers_nothing_and_every_row_says_why():
    for _, row in _rows(empty()):
        assert row.status == "not covered", row
        assert row.evidence == ()
        assert row.why


def test_a_record_with_everything_supports_what_records_can_and_nothing_beyond():
    for entry, row in _rows(complete()):
        conditions = (*entry.families, *entry.sections, *entry.fields)
        expected = "not covered" if not conditions else "partial" if entry.beyond else "supported"
        assert row.status == expected, row
        assert row.why == entry.beyond  # no gap is left
        assert bool(row.evidence) == bool(conditions)


def test_a_fail_covers_as_a_pass_does():
    passed = complete()
    failed = complete(audits=[a.model_copy(update={"verdict": "FAIL"}) for a in passed.audits])
    assert [row.status for _, row in _rows(failed)] == [row.status for _, row in _rows(passed)]
    assert any("1 FAIL" in item for _, row in _rows(failed) for item in row.evidence)
    assert "a FAIL is evidence" in DISCLAIMER
    assert "Supports, does not establish, conformity" in DISCLAIMER


@pytest.mark.parametrize(
    ("verdict", "says"), [("INCONCLUSIVE", "metadata: 1 undecided"), ("ERROR", "metadata: 1 ended in an error")]
)
def test_an_audit_without_an_answer_leaves_a_gap_in_every_clause_that_needs_its_family(verdict: Verdict, says: str):
    whole = complete()
    evidence = complete(audits=[*whole.audits, audit("metadata", verdict, "two")])
    rows = _needing(evidence, "metadata")
    assert len(rows) > 10
    assert {row.status for row in rows} == {"partial"}
    assert all(says in row.why for row in rows)
    assert all("metadata: 1 PASS" in item for row in rows for item in row.evidence if item.startswith("metadata"))


def test_a_family_that_only_raised_is_no_evidence():
    others = [a for a in complete().audits if a.family != "repeatability"]
    evidence = complete(audits=[*others, audit("repeatability", "ERROR")])
    stochasticity = next(row for row in _needing(evidence, "repeatability") if row.clause == "2 Stochasticity")
    assert stochasticity.status == "not covered"
    assert "ended in an error" in stochasticity.why


def test_repeatability_counts_only_when_it_ran():
    without = complete(audits=[a for a in complete().audits if a.family != "repeatability"])
    for row in _needing(without, "repeatability"):
        assert row.status != "supported"
        assert "no such audit was run" in row.why
    left = without.model_copy(update={"not_run": ["repeatability/asked-twice"]})
    assert all("repeatability: 1 not run" in row.why for row in _needing(left, "repeatability"))


def _without_reference(evidence: Evidence) -> dict[str, Any]:
    return {"references": []}


def _incomparable(evidence: Evidence) -> dict[str, Any]:
    return {"references": [evidence.references[0].model_copy(update={"problem": "Other images."})]}


def _anchor_incomparable(evidence: Evidence) -> dict[str, Any]:
    anchor = evidence.references[0].model_copy(update={"role": "anchor", "problem": "Other images."})
    return {"references": [*evidence.references, anchor]}


def _undecided_against_baseline(evidence: Evidence) -> dict[str, Any]:
    return {"audits": [*evidence.audits, audit("baseline", "INCONCLUSIVE", "two")]}


@pytest.mark.parametrize(
    ("change", "level", "says"),
    [
        (_without_reference, "none", "no baseline was given"),
        (_incomparable, "none", "cannot be compared"),
        (_anchor_incomparable, "part", "anchor run r0 cannot be compared"),
        (_undecided_against_baseline, "part", "baseline: 1 undecided"),
    ],
)
def test_predetermined_changes_need_a_baseline_and_all_of_it_comparable(
    change: Callable[[Evidence], dict[str, Any]], level: str, says: str
):
    evidence = complete()
    evidence = evidence.model_copy(update=change(evidence))
    assert SECTIONS["baseline"](evidence).level == level
    rows = _needing(evidence, "baseline")
    assert {"Art. 13(3)(c)", "Modification protocol: performance evaluation", "24"} <= {row.clause for row in rows}
    assert "supported" not in {row.status for row in rows}
    assert all(says in row.why for row in rows)


@pytest.mark.parametrize(("unknown", "level"), [(0, "all"), (20, "all"), (21, "part"), (99, "part"), (100, "none")])
def test_strata_count_as_known_for_four_images_in_five(unknown: int, level: str):
    data = complete().data.model_copy(update={"strata": {"sex": strata(unknown), "age": strata(unknown)}})
    evidence = complete(data=data)
    assert SECTIONS["demographics"](evidence).level == level
    assert SECTIONS["equipment"](evidence).level == "none"


def test_subgroup_clauses_need_known_levels_large_enough_to_compare():
    small = [group(g.between, "a", "b", gap=None) for g in groups()]
    unknown = [group(g.between, "unknown", gap=None) for g in groups()]
    own, clause = complete().deciding, "Art. 13(3)(b)(v)"
    status = {
        name: next(row for _, row in _rows(complete(audits=[*own, *given])) if row.clause == clause)
        for name, given in (("known", groups()), ("small", small), ("unknown", unknown), ("none", []))
    }
    assert status["known"].status == "supported"
    assert status["small"].status == "partial"
    assert "too few patients to compare levels of sex" in status["small"].why
    for name in ("unknown", "none"):
        assert "no results by sex; no results by age" in status[name].why
        assert not any("results by sex" in item for item in status[name].evidence)


def test_minors_are_found_by_their_age_bands():
    def minors(*bands: str) -> Any:
        return SECTIONS["minors"](complete(audits=[group("age", *bands)]))

    assert minors("0-9", "40-49").level == "all"
    assert minors("10-19", "40-49").level == "part"
    assert "holds minors and adults" in minors("10-19").gap
    assert minors("20-29", "90+", "unknown").level == "none"


@pytest.mark.parametrize(("phantoms", "level"), [(0, "all"), (50, "part"), (51, "none"), (100, "none")])
def test_results_on_phantoms_never_support_a_clause_about_performance(phantoms: int, level: str):
    data = complete().data
    counts = ModalityCount(modality="ct", n_images=100, n_clusters=90, n_synthetic=phantoms)
    evidence = complete(data=data.model_copy(update={"modalities": [counts]}))
    assert SECTIONS["patients"](evidence).level == level
    rows = _needing(evidence, "sensitivity")
    robustness = next(row for row in rows if row.clause == "X.A Robustness")
    assert robustness.status == ("supported" if level == "all" else "partial")
    assert (level == "all") != ("phantoms" in robustness.why or "no images of patients" in robustness.why)


def test_a_demonstration_notice_is_a_gap():
    evidence = complete(data=complete().data.model_copy(update={"notice": "For demonstration."}))
    assert SECTIONS["patients"](evidence).level == "part"
    assert "supported" not in {row.status for row in _needing(evidence, "metadata")}


@pytest.mark.parametrize(
    ("run", "says"),
    [
        ({"protocol_first_seen": ""}, "when the protocol was first seen is not recorded"),
        ({"earlier_protocols": [EarlierProtocol(sha256="x", first_seen="", first_judged="")]}, "was changed after"),
    ],
)
def test_criteria_that_were_not_fixed_before_the_data_are_a_gap(run: dict[str, Any], says: str):
    found = SECTIONS["protocol"](complete(run=complete().run.model_copy(update=run)))
    assert found.level == "part"
    assert says in found.gap


@pytest.mark.parametrize(
    ("section", "change", "level"),
    [
        ("provenance", lambda e: {"run": e.run.model_copy(update={"git": {"commit": "a", "dirty": True}})}, "part"),
        ("provenance", lambda e: {"run": e.run.model_copy(update={"git": {}, "packages": {}})}, "part"),
        ("outcomes", lambda e: {"outcomes": Outcomes(scored=3, error=1)}, "part"),
        ("audits", lambda e: {"not_run": ["metadata/x"]}, "part"),
        ("audits", lambda e: {"audits": [audit("metadata", "INCONCLUSIVE")]}, "none"),
        ("intended_use", lambda e: {"protocol": e.protocol.model_copy(update={"criteria": {}})}, "none"),
        ("intended_use", lambda e: {"protocol": _use(e, {"purpose": "P.", "users": "  "})}, "part"),
        ("hazards", lambda e: {"audits": [audit("metadata", hazard_ids=[])]}, "part"),
        ("hazards", lambda e: {"audits": [audit("metadata", hazard_ids=[], hazard="")]}, "none"),
        ("cases", lambda e: {"audits": [audit("metadata"), audit("placebo", "FAIL", cases=[])]}, "part"),
        ("level_95", lambda e: {"audits": [_at_level(0.9)]}, "none"),
        ("intervals", lambda e: {"audits": [_at_level(0.9)]}, "all"),
        ("power", lambda e: {"audits": [audit("metadata"), audit("answers", mde=None)]}, "part"),
        ("data", lambda e: {"data": e.data.model_copy(update={"limited_to": 5})}, "part"),
        ("model", lambda e: {"model": e.model.model_copy(update={"fingerprint": ""})}, "part"),
        ("severities", lambda e: {"audits": [audit("sensitivity", series=[])]}, "none"),
        ("calibration", lambda e: {"audits": e.deciding}, "none"),
        ("answers", lambda e: {"answers": e.answers.model_copy(update={"columns": []})}, "none"),
    ],
)
def test_each_part_of_the_record_is_looked_at(section: str, change: Callable[[Evidence], dict[str, Any]], level: str):
    evidence = complete()
    assert SECTIONS[section](evidence).level == "all"
    found = SECTIONS[section](evidence.model_copy(update=change(evidence)))
    assert found.level == level
    assert bool(found.gap) == (level != "all")


def _use(evidence: Evidence, stated: dict[str, str]) -> Any:
    return evidence.protocol.model_copy(update={"criteria": {"intended_use": stated}})


def _at_level(level: float) -> Any:
    made = audit("metadata")
    return made.model_copy(update={"estimate": made.estimate.model_copy(update={"level": level})})


def test_the_simulated_run_with_everything_that_goes_wrong_is_mapped_row_by_row():
    rows = _rows(lean())
    assert {row.status for _, row in rows} == {"supported", "partial", "not covered"}
    assert not any(row.status == "supported" and entry.beyond for entry, row in rows)
    # One that raised: nothing about words around the image may read as covered.
    assert all("metadata: " in row.why for row in _needing(lean(), "metadata"))
    assert all(len(row.evidence) <= 9 for _, row in rows)


def test_a_gap_that_several_conditions_share_is_said_once():
    data = complete().data.model_copy(update={"notice": "For demonstration."})
    evidence = complete(data=data, audits=[*complete().audits, audit("metadata", "INCONCLUSIVE", "two")])
    bias = next(row for row in _needing(evidence, "metadata") if row.clause == "Art. 10(2)(f), (g)")
    assert bias.why.count("notice that restricts") == 1
