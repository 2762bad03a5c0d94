"""Overconfidence, Brier score, what is kept and what is referred: by hand, and by way of the record."""

import math
from dataclasses import replace

import numpy as np
import pytest

from auditkit.ask.store import StoredAnswer
from auditkit.errors import AuditkitError
from auditkit.judge.judge import Judge
from auditkit.judge.procedures import check_limits
from auditkit.judge.referral import choosers
from auditkit.judge.titles import Titles
from auditkit.measure.columns import Measurements
from auditkit.measure.reader import AnswerTable
from auditkit.measure.recorded import chances_needed, columns_needed, define, from_answers, to_answers
from auditkit.protocol import confidence
from auditkit.protocol.right_answers import separation
from auditkit.vocabulary import Perturbation, Question
from tests.judge.build import by_part, images, judged, own

TASKS = {
    "chest": {
        "scorer": {"choice": {"A": "normal", "B": "pneumonia"}},
        "truth": "label",
        "wordings": {"direct": "Which?\n{options}\nOne letter."},
    }
}
CHEST, ANSWERS = Question("chest", "direct"), ("normal", "pneumonia")
DONE = Perturbation("jpeg", 3)
OVER = confidence.overconfidence("chest", family="mine")
SHOWN = own(shown=True, size=None).model_copy(update={"tasks": TASKS})


def rules(**family):
    return own(**family).model_copy(update={"tasks": TASKS})


def measured(answers: dict[Question, list[tuple[str, float] | str]], truths: list[str], per_patient: int = 1):
    """Answers with the confidence that they are given with, or texts without probabilities."""
    records = [
        replace(record, attributes={"truth.chest": truth}, columns={"truth.chest": truth})
        for record, truth in zip(images(len(truths), per_patient=per_patient), truths, strict=True)
    ]
    table = AnswerTable(len(records), SHOWN.catalogue)
    for question, given in answers.items():
        for i, one in enumerate(given):
            if isinstance(one, str):
                table.put(i, question, StoredAnswer(one, "stop"), records[i].columns)
                continue
            letter, sure = one
            other = "B" if letter == "A" else "A"
            chances = {
                letter: math.log(sure) if sure else -math.inf,
                other: math.log1p(-sure) if sure < 1 else -math.inf,
            }
            table.put(i, question, StoredAnswer(letter, "stop", chances), records[i].columns)
    return Measurements(records, table.columns)


def half(n: int = 40) -> list[str]:
    return ["normal" if i % 2 else "pneumonia" for i in range(n)]


def right(truth: str) -> str:
    return "B" if truth == "pneumonia" else "A"


def wrong(truth: str) -> str:
    return "A" if truth == "pneumonia" else "B"


def test_overconfidence_is_confidence_less_right_answers():
    """Confidences of 0.8, of which 24 of 40 are right: 20 points too sure."""
    truths = half()
    data = measured({CHEST: [(right(t) if i < 24 else wrong(t), 0.8) for i, t in enumerate(truths)]}, truths)
    [cell] = judged(OVER, data, rules(at_most=0.1)).parts
    assert cell.estimate.value == pytest.approx(0.8 - 24 / 40)
    assert "overconfidence +20.0" in cell.sentence


def test_what_grows_under_a_corruption_is_the_difference_of_the_two():
    truths = half(80)
    clean = [(right(t) if i < 64 else wrong(t), 0.8) for i, t in enumerate(truths)]
    corrupted = [(right(t) if i < 40 else wrong(t), 0.9) for i, t in enumerate(truths)]
    data = measured({CHEST: clean, CHEST.under(DONE): corrupted}, truths)
    audit = judged(confidence.grows(OVER, DONE, family="mine"), data, rules(at_most=0.1))
    assert audit.parts[0].estimate.value == pytest.approx((0.9 - 0.5) - (0.8 - 0.8))
    assert audit.verdict == "FAIL"
    assert "change in overconfidence +40.0" in audit.parts[0].sentence
    score = confidence.brier("chest", family="mine")
    grown = judged(confidence.grows(score, DONE, family="mine"), data, rules(at_most=0.1)).parts[0]
    # Right at 0.8: 0.04, wrong 0.64; right at 0.9: 0.01, wrong 0.81.
    assert grown.estimate.value == pytest.approx((0.5 * 0.01 + 0.5 * 0.81) - (0.8 * 0.04 + 0.2 * 0.64))
    assert "change" not in grown.estimate.unit
    assert grown.estimate.unit == "Brier"


def test_of_declined_answers_anything_may_be_true():
    """All right at 1.0, but for one of ten that is declined: at the worst these are sure and wrong."""
    truths = half(100)
    data = measured({CHEST: ["I cannot say." if i < 10 else (right(t), 1.0) for i, t in enumerate(truths)]}, truths)
    [cell] = judged(OVER, data, rules(at_most=0.1)).parts
    assert cell.verdict == "INCONCLUSIVE"
    assert cell.worst_case.value == pytest.approx(0.1)


def test_the_most_confident_are_kept_and_what_is_declined_comes_last():
    """Of 100: 60 right at 0.9, 20 wrong at 0.7, 10 right at 0.6, and 10 declined."""
    truths = half(100)
    given = [(right(t), 0.9) for t in truths[:60]] + [(wrong(t), 0.7) for t in truths[60:80]]
    given += [(right(t), 0.6) for t in truths[80:90]] + ["I cannot say."] * 10
    data = measured({CHEST: given}, truths)
    for share, found in ((0.6, 1.0), (0.7, 6 / 7), (0.8, 0.75), (0.9, 70 / 90), (1.0, 0.7)):
        audit = judged(confidence.kept("chest", share, family="mine"), data, rules(at_least=0.5))
        assert audit.parts[0].estimate.value == pytest.approx(found)
        assert f"right of the most confident {100 * share:g} %" in audit.parts[0].sentence
    tie = judged(confidence.kept("chest", 0.3, family="mine"), data, rules(at_least=0.5)).parts[0]
    assert tie.estimate.value == 1.0
    assert tie.estimate.low == pytest.approx(1.0, abs=0.1)


def test_the_curve_has_a_point_for_every_share_and_its_mean():
    truths = half(100)
    given = [(right(t) if i < 80 else wrong(t), 0.99 - 0.004 * i) for i, t in enumerate(truths)]
    audit = judged(confidence.risk("chest", family="mine"), measured({CHEST: given}, truths), SHOWN)
    wanted = [1.0] * 8 + [8 / 9, 0.8]
    assert [p.observed.value for p in audit.series] == pytest.approx(wanted)
    assert [p.score.value for p in audit.series] == pytest.approx(range(10, 101, 10))
    assert audit.estimate.value == pytest.approx(np.mean(wanted))
    assert all(p.observed.low <= p.observed.value <= p.observed.high <= 1.0 for p in audit.series)


def test_a_loss_of_what_is_kept_keeps_the_most_confident_on_either_side():
    truths = half(100)
    clean = [(right(t) if i < 90 else wrong(t), 0.99 - 0.004 * i) for i, t in enumerate(truths)]
    done = [(right(t) if i >= 40 else wrong(t), 0.99 - 0.004 * i) for i, t in enumerate(truths)]
    data = measured({CHEST: clean, CHEST.under(DONE): done}, truths)
    effect = confidence.kept_loss(DONE, task="chest", share=0.8, family="mine")
    audit = judged(effect, data, rules(at_most=0.1))
    assert audit.parts[0].estimate.value == pytest.approx(1.0 - 0.5)
    assert audit.change
    assert audit.verdict == "FAIL"


def test_reliability_by_condition_is_the_share_right_in_every_band():
    truths = half()
    clean = [(right(t) if i % 4 else wrong(t), 0.75) for i, t in enumerate(truths)]
    done = [(right(t) if i % 2 else wrong(t), 0.95) for i, t in enumerate(truths)]
    data = measured({CHEST: clean, CHEST.under(DONE): done}, truths)
    audit = judged(confidence.reliability("chest", ((), (DONE,)), family="mine"), data, SHOWN)
    assert {c.part: c.estimate.value for c in audit.parts} == pytest.approx({"clean": 0.0, "jpeg-s3": 0.45})
    assert [(p.part, p.condition, p.observed.value) for p in audit.series] == [
        ("clean", "70 to 80 %", 0.75),
        ("jpeg-s3", "90 to 100 %", 0.5),
    ]


def referral(n: int = 120):
    """Clean all right at 0.5; under a corruption a third is sure and wrong, and a third undecided."""
    truths = half(n)
    clean = [(right(t), 0.5) for t in truths]
    done = [((wrong(t), 0.99), (right(t), 0.5), (right(t), 0.99))[i % 3] for i, t in enumerate(truths)]
    return measured({CHEST: clean, CHEST.under(DONE): done}, truths)


def test_a_threshold_is_chosen_on_half_of_the_patients_and_used_on_the_others():
    data = referral()
    chose = choosers(data, SHOWN.seed)
    assert 29 <= chose.sum() <= 91
    others = ~chose
    kinds = np.arange(120) % 3
    made = {
        "covered": confidence.covered("chest", ANSWERS, DONE, family="mine"),
        "referred": confidence.referred("chest", ANSWERS, DONE, family="mine"),
    }
    found = {name: judged(effect, data, SHOWN) for name, effect in made.items()}
    # Every answer with 50 % or more is left: sure and wrong loses the right one, the undecided keep both.
    assert by_part(found["covered"])[""].estimate.value == pytest.approx(np.mean(kinds[others] != 0))
    cells = by_part(found["referred"])
    assert cells["all"].estimate.value == pytest.approx(np.mean(kinds[others] == 1))
    ill = np.arange(120) % 2 == 0
    assert cells["pneumonia"].estimate.value == pytest.approx(np.mean(kinds[others & ill] == 1))
    assert cells["all"].n_clusters == others.sum()
    assert "referred at the threshold that" in found["referred"].sentence


def test_the_half_of_a_patient_does_not_depend_on_who_else_is_there():
    data = referral()
    some = Measurements(data.records[::3], {})
    np.testing.assert_array_equal(choosers(some, SHOWN.seed), choosers(data, SHOWN.seed)[::3])


def test_few_patients_choose_no_threshold():
    audit = judged(confidence.covered("chest", ANSWERS, family="mine"), referral(30), SHOWN)
    assert audit.estimate.value is None
    assert "too few to choose a threshold that covers 90 %" in audit.sentence


def test_an_item_without_usable_probabilities_is_referred_and_covered():
    truths = half(120)
    clean = [(right(t), 0.9) for t in truths]
    data = measured({CHEST: clean, CHEST.under(DONE): ["I cannot say."] * 119 + [("A", 0.9)]}, truths)
    covered = judged(confidence.covered("chest", ANSWERS, DONE, family="mine"), data, SHOWN)
    referred = judged(confidence.referred("chest", ANSWERS, DONE, family="mine"), data, SHOWN)
    assert covered.estimate.value == 1.0
    assert by_part(referred)["all"].estimate.value > 0.97


def test_what_is_declined_is_referred_whatever_its_probabilities():
    """The class whose images are declined is that which goes to people."""
    truths = half(120)
    data = measured({CHEST: [(right(t), 0.9) for t in truths]}, truths)
    table, ill = AnswerTable(120, SHOWN.catalogue), np.arange(120) % 2 == 0
    for i, truth in enumerate(truths):
        text = "I cannot say." if ill[i] else "A"
        sure = {right(truth): math.log(0.9), wrong(truth): math.log(0.1)}
        table.put(i, CHEST, StoredAnswer(text, "stop", sure), data.records[i].columns)
    audit = judged(
        confidence.referred("chest", ANSWERS, family="mine"), Measurements(data.records, table.columns), SHOWN
    )
    cells = by_part(audit)
    assert (cells["pneumonia"].estimate.value, cells["normal"].estimate.value) == (1.0, 0.0)


EFFECTS = [
    OVER,
    confidence.grows(OVER, DONE, family="mine"),
    confidence.brier("chest", family="mine"),
    confidence.kept("chest", 0.8, family="mine"),
    confidence.kept_loss(DONE, task="chest", share=0.8, family="mine"),
    confidence.risk("chest", family="mine"),
    confidence.reliability("chest", ((), (DONE,)), family="mine"),
    confidence.covered("chest", ANSWERS, DONE, family="mine"),
    confidence.referred("chest", ANSWERS, family="mine"),
    separation("chest", "pneumonia", family="mine"),
]


@pytest.mark.parametrize("effect", EFFECTS, ids=str)
def test_the_record_gives_the_same_again(effect, rng):
    truths = half(90)
    sure = rng.random((2, 90))
    said = [[right(t) if p < 0.7 else wrong(t) for t, p in zip(truths, rng.random(90), strict=True)] for _ in "ab"]
    given = [[*map(tuple, zip(some, row, strict=True))] for some, row in zip(said, sure.tolist(), strict=True)]
    given[0][3], given[1][5] = "I cannot say.", "Something else."
    data = measured({CHEST: given[0], CHEST.under(DONE): given[1]}, truths)
    some = [SHOWN.resolved(effect)]
    answers = to_answers(data, 1, columns_needed(SHOWN, some), chances=chances_needed(SHOWN, some))
    again = from_answers(answers)
    assert Judge(SHOWN, again, some).audit(effect, "?") == Judge(SHOWN, data, some).audit(effect, "?")
    assert define(effect).statistic == effect.statistic


def test_only_chances_that_an_audit_rests_on_are_recorded():
    data = referral()
    plain = to_answers(data, 1).columns[0].values
    assert set(plain) == {"", "correct", "above_chance", "likeliest_correct", "confidence", "brier"}
    [value, *_] = chances_needed(SHOWN, [separation("chest", "pneumonia", family="mine")])
    assert "chance of pneumonia" in to_answers(data, 1, chances=[value]).columns[0].values


@pytest.mark.parametrize("effect", EFFECTS, ids=str)
def test_without_probabilities_nothing_is_measured(effect):
    truths = half()
    data = measured({CHEST: list(map(right, truths)), CHEST.under(DONE): list(map(right, truths))}, truths)
    audit = judged(effect, data, SHOWN)
    assert audit.estimate.value is None
    assert all("The model gave no probabilities" in cell.sentence for cell in audit.parts)


def test_limits_that_can_be_held_to():
    for effect, family in ((OVER, {"at_most": 0.1}), (EFFECTS[3], {"at_least": 0.8}), (EFFECTS[7], {"at_least": 0.8})):
        check_limits([effect], rules(**family))
    for effect in (EFFECTS[5], EFFECTS[6]):
        with pytest.raises(AuditkitError, match="as a gate are not measured"):
            check_limits([effect], rules(at_least=0.5, size=2))
    with pytest.raises(AuditkitError, match="cannot be reached"):
        check_limits([EFFECTS[3]], rules(at_least=80))


def test_shares_beyond_their_range_are_refused():
    for share in (0.0, 80):
        with pytest.raises(ValueError, match=r"write 80 % as 0\.8"):
            confidence.kept("chest", share)
    with pytest.raises(ValueError, match=r"write 80 % as 0\.8"):
        confidence.covered("chest", ANSWERS, share=90)


@pytest.mark.parametrize(
    ("effect", "title"),
    [
        (EFFECTS[0], "Chest: overconfidence"),
        (EFFECTS[1], "Chest, overconfidence: JPEG compression, severity 3"),
        (EFFECTS[2], "Chest: Brier score"),
        (EFFECTS[3], "Chest: right of the surest 80 %"),
        (EFFECTS[4], "Chest: right of the surest 80 %, JPEG compression, severity 3"),
        (EFFECTS[5], "Chest: risk against coverage"),
        (EFFECTS[8], "Chest: referred to a person"),
    ],
)
def test_titles(effect, title):
    assert Titles(SHOWN.catalogue).title(effect) == title
