"""Hazard -> audits -> verdict: nothing is lost on the way."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from auditkit.evidence import VERDICTS, overall
from auditkit.report.clauses import hazard_trace
from tests.report.clauses.build import audit, complete, empty


def _trace(*audits):
    return hazard_trace(complete(audits=list(audits)))


def test_an_audit_stands_under_each_of_its_ids_and_not_under_its_text():
    both = audit("metadata", "FAIL", hazard_ids=["HAZ-10", "HAZ-2", "HAZ-10"], hazard="Prestige decides.")
    one = audit("placebo", "PASS", hazard_ids=["HAZ-2"], hazard="Words decide.")
    trace = _trace(both, one)
    assert [(h.id, h.verdict, [a.id for a in h.audits]) for h in trace] == [
        ("HAZ-2", "FAIL", ["metadata/one", "placebo/one"]),
        ("HAZ-10", "FAIL", ["metadata/one"]),
    ]
    assert trace[0].text == "Prestige decides. Words decide."


def test_audits_without_ids_are_grouped_by_what_harm_they_look_for_and_the_nameless_stand_last():
    trace = _trace(
        audit("answers", "ERROR", hazard_ids=[], hazard=""),
        audit("metadata", "PASS", "a", hazard_ids=[], hazard="Words decide."),
        audit("placebo", "INCONCLUSIVE", "b", hazard_ids=[], hazard="Words decide."),
        audit("sensitivity", "PASS", hazard_ids=["H1"]),
    )
    assert [(h.id, h.text, h.verdict, len(h.audits)) for h in trace] == [
        ("H1", "Harm.", "PASS", 1),
        ("", "Words decide.", "INCONCLUSIVE", 2),
        ("", "", "ERROR", 1),
    ]


def test_a_hazard_of_many_wordings_shows_some_and_counts_the_rest():
    trace = _trace(*(audit("metadata", name=str(n), hazard=f"Harm {n}.") for n in range(5)))
    assert trace[0].text == "Harm 0. Harm 1. Harm 2. … and 2 more"


def test_no_audits_make_no_hazards():
    assert hazard_trace(empty()) == ()


@given(
    st.lists(
        st.tuples(
            st.sampled_from(VERDICTS),
            st.lists(st.sampled_from(["H-1", "H-2", "", "٣", "1e5", "²"]), max_size=3),
            st.sampled_from(["", "A.", "B."]),
        ),
        max_size=8,
    )
)
def test_every_audit_is_traced_and_every_verdict_is_that_of_all_its_audits(drawn):
    audits = [audit("metadata", v, str(n), hazard_ids=ids, hazard=text) for n, (v, ids, text) in enumerate(drawn)]
    trace = _trace(*audits)
    assert {a.id for h in trace for a in h.audits} == {a.id for a in audits}
    assert all(h.verdict == overall(a.verdict for a in h.audits) for h in trace)
    assert len({(h.id, h.text) for h in trace if not h.id}) == sum(not h.id for h in trace)
