"""What effects on right answers are called, and what is said before and after their numbers."""

import numpy as np
import pytest

from auditkit import (
    Perturbation,
    accuracy,
    balanced_accuracy,
    behind,
    differs,
    loses,
    loss,
    mean,
    recall,
    share,
    skill,
    versus,
    wordings,
)
from auditkit.judge.right import counted, named
from auditkit.judge.titles import Titles
from auditkit.measure.columns import MAIN, SCORED, Column
from auditkit.protocol import diagnosis
from auditkit.protocol.model import Family
from tests.judge.build import images, judged, measured, own, protocol

RULES = protocol()
TITLES = Titles(RULES.catalogue)
PRESENT, ABSENT, KIND = "pneumonia.present", "pneumonia.absent", "pneumonia.kind"
TURNED = Perturbation("options_reversed")


@pytest.mark.parametrize(
    ("effect", "title", "before", "after"),
    [
        (accuracy(PRESENT), "Pneumonia, present: right answers", "", "of the answers right"),
        (balanced_accuracy(KIND), "Pneumonia, kind: balanced accuracy", "balanced accuracy", ""),
        (skill(PRESENT), "Pneumonia, present: above guessing", "", "of the way from guessing to always right"),
        (recall(PRESENT, "yes"), "Pneumonia, present: sensitivity", "sensitivity", ""),
        (recall(PRESENT, "no"), "Pneumonia, present: specificity", "specificity", ""),
        # The question turned round: to say no to "free of pneumonia" is to find it.
        (recall(ABSENT, "no"), "Pneumonia, absent: sensitivity", "sensitivity", ""),
        (recall(KIND, "viral"), "Pneumonia, kind: recall of viral", "recall of viral", ""),
        (
            loss(Perturbation("jpeg", 3), task=PRESENT),
            "Pneumonia, present: JPEG compression, severity 3",
            "loss of right answers",
            "",
        ),
        (
            loses("jpeg", (3, 5), task=PRESENT, answer="yes"),
            "Pneumonia, present, sensitivity: JPEG compression, severity 3 and 5",
            "loss of sensitivity",
            "",
        ),
        (
            wordings(PRESENT, ("named", "open"), "correct"),
            "Pneumonia, present, 2 wordings: right answers",
            "difference in right answers",
            "",
        ),
        (wordings(PRESENT, ("named", "open"), "lost"), "Pneumonia, present, 2 wordings: lost answers", "", ""),
        (
            accuracy(ABSENT).minus(accuracy(PRESENT)),
            "Pneumonia, absent vs present: right answers",
            "difference in right answers",
            "",
        ),
        (share("refused", PRESENT, wording="open"), "Pneumonia, present, open: refused", "", ""),
    ],
    ids=str,
)
def test_titles_and_words(effect, title, before, after):
    assert TITLES.title(effect) == title
    found = RULES.resolved(effect)
    change = any(weight < 0 for weight, _ in found.parts[0].terms)
    assert named(found.parts[0], change=change, catalogue=RULES.catalogue) == before
    assert counted(found.parts[0], change=change) == after


@pytest.mark.parametrize(
    ("effect", "before", "after"),
    [
        (behind(accuracy(KIND)), "difference in right answers", ""),
        (versus(recall(PRESENT, "yes")), "difference in sensitivity", ""),
        (versus(loss(Perturbation("jpeg", 3), task=PRESENT)), "difference in the loss of right answers", ""),
        (behind(skill(KIND)), "", "of the way from guessing to always right"),
        (versus(share("lost", KIND)), "", ""),
    ],
    ids=str,
)
def test_what_one_model_has_more_than_another(effect, before, after):
    found = RULES.resolved(effect)
    assert named(found.parts[0], change=True, catalogue=RULES.catalogue) == before
    assert counted(found.parts[0], change=True) == after


JUDGED = {
    "answered": {"scorer": "text", "wordings": {"direct": "Describe."}},
    "judged": {
        "scorer": {"axes": {"names": ["completeness", "quality_accuracy"], "low": 0, "high": 2}},
        "of": "answered",
        "wordings": {"direct": "Judge: {answer}"},
    },
}


@pytest.mark.parametrize(
    ("effect", "title", "before"),
    [
        (mean("judged"), "Judged: completeness", "completeness"),
        (mean("judged", "quality_accuracy"), "Judged: quality accuracy", "quality accuracy"),
        (
            mean("judged", "quality_accuracy").minus(mean("judged", "quality_accuracy").under(Perturbation("jpeg", 5))),
            "Judged, quality accuracy: JPEG compression, severity 5",
            "difference in quality accuracy",
        ),
        (share("lost", "judged"), "Judged: lost", ""),
    ],
    ids=str,
)
def test_every_axis_is_named(effect, title, before):
    rules = own(at_least=1.0).model_copy(update={"tasks": JUDGED})
    assert Titles(rules.catalogue).title(effect) == title
    [part] = rules.resolved(effect).parts
    change = any(weight < 0 for weight, _ in part.terms)
    assert named(part, change=change, catalogue=rules.catalogue) == before
    if before:
        assert rules.catalogue.quantity(part.terms[0][1]).unit == "on 0–2"


def test_the_order_of_options_is_named_with_its_task():
    assert TITLES.title(differs(TURNED, task=KIND)).startswith("Pneumonia, kind: ")
    # Asking again is named with its task too.
    assert TITLES.title(differs(Perturbation("again", 1))) == "Quality: asked a second time"


def test_every_audit_of_the_pack_has_a_title_of_its_own():
    for make in diagnosis.FAMILIES.values():
        titles = [TITLES.title(effect) for effect in make()]
        assert len(set(titles)) == len(titles)


def test_what_is_only_shown_begins_a_sentence():
    records = images(40, column=lambda i: {"truth.pneumonia.kind": ("normal", "viral")[i % 2]})
    effect = recall(KIND, "viral", family="shown")
    rules = RULES.model_copy(update={"families": RULES.families | {"shown": Family(shown=True)}})
    [(_, value)] = rules.resolved(effect).parts[0].terms
    column = Column({MAIN: np.zeros(40), "correct": np.ones(40)}, np.full(40, SCORED, np.int8))
    audit = judged(effect, measured(records, {(): column}, value.question), rules)
    assert audit.sentence.startswith("For information. Recall of viral 100.0 % [")
    assert audit.sentence.endswith("over 20 patients.")


def lost_at_five(effect):
    """Forty images of two classes: all right clean, at severity 3 too, at 5 those with the disease only."""
    ill = np.arange(40) % 2 == 0
    records = images(40, column=lambda i: {f"truth.{PRESENT}": ("yes", "no")[i % 2]})
    rules = own(at_most=0.1, size=2)
    question = next(q for q in (rules.resolved(effect).compared()) if not q.condition)
    right = {(): np.ones(40), (Perturbation("jpeg", 3),): np.ones(40), (Perturbation("jpeg", 5),): ill.astype(float)}
    columns = {
        condition: Column(
            {MAIN: values, "correct": values, "above_chance": 2 * values - 1}, np.full(40, SCORED, np.int8)
        )
        for condition, values in right.items()
    }
    return judged(effect, measured(records, columns, question), rules)


def shares(audit):
    return {p.level: p.score.value for p in audit.series if p.stratum.level == "all"}


def test_losses_have_the_share_of_right_answers_at_every_level():
    audit = lost_at_five(loses("jpeg", (3, 5), task=PRESENT, family="mine"))
    assert shares(audit) == pytest.approx({0: 1.0, 3: 1.0, 5: 0.5})
    assert {p.score.unit for p in audit.series} == {"share"}
    assert [p.change.value for p in audit.series if p.level == 5] == pytest.approx([-0.5, -0.5])  # all, and CT
    assert all(p.auroc is None and p.expected is None for p in audit.series)


def test_the_loss_of_one_class_is_drawn_over_that_class():
    assert shares(lost_at_five(loses("jpeg", (3, 5), task=PRESENT, answer="yes", family="mine")))[5] == pytest.approx(
        1.0
    )
    audit = lost_at_five(loses("jpeg", (3, 5), task=PRESENT, answer="no", family="mine"))
    assert shares(audit)[5] == pytest.approx(0.0)
    assert {p.n_images for p in audit.series} == {20}


def test_a_loss_at_one_level_has_two_points():
    assert shares(lost_at_five(loss(Perturbation("jpeg", 5), task=PRESENT, family="mine"))) == pytest.approx(
        {0: 1.0, 5: 0.5}
    )


def test_right_answers_that_do_not_climb_have_no_points():
    assert lost_at_five(accuracy(PRESENT, family="mine")).series == []
