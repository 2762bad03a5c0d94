"""What the map says of right answers follows what the record holds them against."""

import pytest

from auditkit.evidence import Estimate, Evidence
from auditkit.report.clauses import Row, clause_map
from auditkit.report.clauses.texts import texts
from auditkit.report.right_answers import shows_what
from tests.report.clauses.build import audit, complete, right, right_by_sex
from tests.report.sample import lean

UNMEASURED = "no answer was held against a label, so accuracy was not measured"


def rows(evidence: Evidence, section: str = "right_answers") -> list[Row]:
    entries = [entry for text in texts() for entry in text.rows]
    found = [row for text in clause_map(evidence) for row in text.rows]
    return [row for entry, row in zip(entries, found, strict=True) if section in entry.sections]


def with_audits(*added) -> Evidence:
    whole = complete()
    return complete(audits=[*(a for a in whole.audits if a.family not in ("skill", "recall")), *added])


def test_clauses_about_accuracy_are_open_without_labels():
    found = rows(with_audits())
    assert len(found) >= 8
    assert all(UNMEASURED in row.why for row in found)
    assert all(row.status != "supported" for row in found)


def test_the_kind_of_image_is_no_label():
    found = rows(with_audits(right("recognition", "modality", value="above_chance")))
    assert all(f"{UNMEASURED}; only what kind of image it is was asked" in row.why for row in found)


def test_a_task_of_ones_own_that_asks_for_the_modality_is_none_either():
    tasks = {"mine": {"truth": {"column": "modality", "levels": {"yes": ["ct"]}}}}
    evidence = with_audits(right("own", "mine"))
    assert all(UNMEASURED not in row.why for row in rows(evidence))
    criteria = {**evidence.protocol.criteria, "tasks": tasks}
    changed = evidence.model_copy(update={"protocol": evidence.protocol.model_copy(update={"criteria": criteria})})
    assert all(UNMEASURED in row.why for row in rows(changed))


@pytest.mark.parametrize("value", ["correct", "above_chance", "likeliest_correct", "chance of malignant"])
def test_labelled_answers_are_named_with_their_verdicts(value):
    found = rows(with_audits(right("skill", verdict="FAIL", value=value)))
    assert all(any("answers held against labels: skill: 1 FAIL" in item for item in row.evidence) for row in found)
    assert all("accuracy was not measured" not in row.why for row in found)


def test_what_another_model_answers_is_not_the_model_s_accuracy():
    assert all(UNMEASURED in row.why for row in rows(with_audits(right("decider", role="decider"))))


def test_an_audit_that_is_undecided_or_ended_in_an_error_is_said():
    found = rows(with_audits(right("skill"), right("skill", name="two", verdict="INCONCLUSIVE")))
    assert all("skill: 1 undecided" in row.why for row in found)
    failed = audit("skill", "ERROR", quantity="correct", words="pneumonia.present.direct", estimate=Estimate())
    assert all("skill: 1 ended in an error" in row.why for row in rows(with_audits(failed)))


def test_groups_need_right_answers_that_are_compared():
    [row] = rows(with_audits(right("skill")), "right_by_group")
    assert "right answers were not compared between groups" in row.why
    [row] = rows(with_audits(right("skill"), right_by_sex()), "right_by_group")
    assert "right answers compared by sex" in row.evidence
    assert row.status == "supported"


def test_what_cannot_be_shown_is_said_of_what_was_asked():
    assert shows_what(lean()).startswith("The audits show how scores behave. They do not show that a diagnosis")
    assert "what kind of image it is shown. They do not" in shows_what(with_audits(right("recognition", "modality")))
    assert "right when it is the one that its label names" in shows_what(complete())
