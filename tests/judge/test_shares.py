"""Shares of answers, their differences, answers that differ: what is counted, and by which limits."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from auditkit.measure.columns import MAIN, NOT_ASKED, Column, Measurements
from auditkit.protocol.effects import differs, mean, share
from auditkit.tasks import OUTCOMES
from auditkit.vocabulary import Perturbation, Question
from tests.judge.build import AGAIN, HIGH, SCORED, answered, by_level, images, judged, measured, own, protocol
from tests.measure.axes import TASKS

REFUSED = share("refused", family="answers")
UNUSABLE = share("unusable", family="answers")
LOST = share("lost")


def refused(n, k, outcome="refused"):
    scores = np.full(n, 70.0)
    scores[:k] = np.nan
    return answered(scores, outcome)


def more_lost(*treated, family="differential", name="x"):
    return LOST.under(*treated).minus(LOST).named(name, family)


# ------------------------------------------------------------------------------------------------------------- shares


@pytest.mark.parametrize(("k", "verdict"), [(0, "PASS"), (3, "INCONCLUSIVE"), (20, "FAIL")])
def test_rate_of_refusals(k, verdict):
    audit = judged(REFUSED, measured(images(40), {(): refused(40, k)}))
    assert audit.verdict == verdict
    assert audit.parts[0].estimate.value == pytest.approx(k / 40)
    assert (audit.quantity, audit.unit, audit.change) == ("refused", "share", False)


def test_unusable_answers_and_refusals_are_counted_apart():
    unparsed = measured(images(40), {(): refused(40, 20, "unparsed")})
    assert judged(REFUSED, unparsed).verdict == "PASS"
    assert judged(UNUSABLE, unparsed).verdict == "FAIL"
    lost = share("lost", family="answers")
    for outcome in ("refused", "unparsed", "out_of_range", "truncated"):
        assert judged(lost, measured(images(40), {(): refused(40, 20, outcome)})).verdict == "FAIL"


def test_errors_are_neither_refused_nor_unusable():
    for effect in (REFUSED, UNUSABLE):
        audit = judged(effect, measured(images(40), {(): refused(40, 4, "error")}))
        assert audit.verdict == "ERROR"
        assert audit.parts[0].estimate.value == 0


@pytest.mark.parametrize("name", ["declines", "refusals", "quality.direct", "x-unusable", "score-refused"])
def test_an_own_audit_of_refusals_counts_them_whatever_its_name(name):
    """An own audit of refusals once passed a model that refused 60 of 60, because its name did not end in -refused."""
    audit = judged(
        share("refused", name=name, family="mine"), measured(images(60), {(): refused(60, 60)}), own(at_most=0.1)
    )
    assert audit.verdict == "FAIL"
    assert audit.estimate.value == 1.0
    assert audit.quantity == "refused"


def test_a_name_that_ends_in_refused_does_not_make_unusable_answers_refusals():
    effect = share("unusable", name="sharp-refused", family="mine")
    rules = own(at_most=0.1)
    assert judged(effect, measured(images(60), {(): refused(60, 60)}), rules).verdict == "PASS"
    assert judged(effect, measured(images(60), {(): refused(60, 60, "unparsed")}), rules).verdict == "FAIL"


@pytest.mark.parametrize(("k", "verdict"), [(60, "PASS"), (57, "INCONCLUSIVE"), (30, "FAIL"), (0, "FAIL")])
def test_what_must_be_frequent_is_judged_by_its_complement(k, verdict):
    """At least 90 % refused is at most 10 % not refused: the same interval, turned round."""
    scores = measured(images(60), {(): refused(60, k)})
    audit = judged(share("refused", family="mine"), scores, own(at_least=0.9))
    cell = audit.parts[0]
    assert audit.verdict == verdict, audit.sentence
    answers = np.where(np.isnan(refused(60, k).scores), 70.0, np.nan)
    turned = judged(share("refused", family="mine"), measured(images(60), {(): answered(answers)}), own(at_most=0.1))
    other = turned.parts[0]
    assert cell.estimate.value == pytest.approx(k / 60, abs=1e-6)
    assert (cell.estimate.low, cell.estimate.high) == pytest.approx(
        (1 - other.estimate.high, 1 - other.estimate.low), abs=2e-6
    )
    assert (cell.p_pass, cell.p_fail) == pytest.approx((other.p_pass, other.p_fail))
    assert (cell.margin_low, cell.margin_high) == (0.9, None)
    assert "must be above 90" in cell.sentence


def test_two_limits_for_a_share():
    """All patients together keep 10 %; one modality alone goes beyond its own 20 %."""
    records = images(60, ("ct", "mr", "oct"))
    lost = np.full(180, 70.0)
    lost[:24] = np.nan  # 40 % of ct, 13 % of all
    data = measured(records, {(): answered(lost)})
    audit = judged(share("refused", family="mine"), data, own(at_most=0.2, in_each=0.25))
    assert {level: c.verdict for level, c in by_level(audit).items()} == {
        "all": "PASS", "ct": "FAIL", "mr": "PASS", "oct": "PASS",
    }  # fmt: skip
    assert by_level(audit)["ct"].margin_high == 0.25
    assert audit.limit == {"at_most": 0.2, "in_each": 0.25}


def several(n, more):
    """Images of n patients: the first has ``more`` of them, the others one each."""
    records = images(n - 1 + more)
    return [replace(record, cluster="ct-0") if i < more else record for i, record in enumerate(records)]


def test_a_patient_counts_once_however_many_images_it_has():
    """All 40 images of one patient are refused and none of 59 others: 1 of 60 patients, and 40 of 99 images."""
    data = measured(several(60, 40), {(): refused(99, 40)})
    [cell] = judged(REFUSED, data).parts
    assert (cell.verdict, cell.n_clusters, cell.n_images) == ("PASS", 60, 99)
    assert cell.estimate.value == pytest.approx(1 / 60, abs=1e-6)
    exact = stats.binomtest(1, 60).proportion_ci(0.9, method="exact")
    assert (cell.estimate.low, cell.estimate.high) == pytest.approx((exact.low, exact.high), abs=1e-6)
    assert cell.p_pass == pytest.approx(stats.binom.cdf(1, 60, 0.1), abs=1e-6)


def test_a_difference_and_a_disagreement_count_patients_too():
    """Under the sentence a quarter of one patient's 40 images is lost, and half of them are answered otherwise."""
    records = several(60, 40)
    data = measured(records, {(): refused(99, 0), (HIGH,): refused(99, 10)})
    assert judged(more_lost(HIGH), data).parts[0].estimate.value == pytest.approx(0.25 / 60, abs=1e-6)
    again = answered(np.where(np.arange(99) < 20, 71.0, 70.0))
    twice = measured(records, {(): refused(99, 0), (AGAIN,): again})
    cell = judged(differs(AGAIN, family="repeatability"), twice).parts[0]
    assert cell.estimate.value == pytest.approx(0.5 / 60, abs=1e-6)


# -------------------------------------------------------------------------------------------------------- differences


@pytest.mark.parametrize(("k", "verdict"), [(0, "PASS"), (3, "INCONCLUSIVE"), (25, "FAIL")])
def test_rate_difference(k, verdict):
    data = measured(images(40), {(): refused(40, 0), (HIGH,): refused(40, k)})
    audit = judged(more_lost(HIGH), data)
    assert audit.verdict == verdict
    assert len(audit.parts[0].outcomes.model_dump()) == 7
    assert audit.parts[0].estimate.value == pytest.approx(k / 40)
    assert audit.change


@pytest.mark.parametrize(
    ("before", "after", "limits", "verdict"),
    [
        (0, 0, {"within": 0.1}, "PASS"),
        (30, 0, {"within": 0.1}, "FAIL"),
        (0, 30, {"within": 0.1}, "FAIL"),
        (30, 0, {"at_most": 0.1}, "PASS"),
        (0, 30, {"at_most": 0.1}, "FAIL"),
        (0, 30, {"at_least": 0.1}, "PASS"),
        (0, 0, {"at_least": 0.1}, "FAIL"),
        (30, 0, {"at_least": 0.1}, "FAIL"),
        (0, 6, {"within": 0.1}, "INCONCLUSIVE"),
    ],
)
def test_a_difference_of_shares_to_either_side(before, after, limits, verdict):
    data = measured(images(60), {(): refused(60, before), (HIGH,): refused(60, after)})
    audit = judged(more_lost(HIGH, family="mine"), data, own(**limits))
    assert audit.verdict == verdict, audit.sentence
    cell = audit.parts[0]
    assert cell.estimate.value == pytest.approx((after - before) / 60, abs=1e-6)
    assert cell.estimate.low <= cell.estimate.value <= cell.estimate.high
    assert (cell.margin_low is not None, cell.margin_high is not None) == (
        "at_most" not in limits, "at_least" not in limits,
    )  # fmt: skip


# ------------------------------------------------------------------------------------------------ answers that differ


@pytest.mark.parametrize(("k", "verdict"), [(0, "PASS"), (3, "INCONCLUSIVE"), (20, "FAIL")])
def test_agreement(k, verdict):
    first = np.full(40, 70.0)
    second = first.copy()
    second[:k] = 71
    data = measured(images(40), {(): answered(first), (AGAIN,): answered(second)})
    audit = judged(differs(AGAIN, family="repeatability"), data)
    assert audit.verdict == verdict
    assert audit.parts[0].estimate.value == pytest.approx(k / 40)
    assert (audit.statistic, audit.unit, audit.change) == ("differs", "share", False)


def test_a_changed_outcome_is_a_changed_answer():
    data = measured(images(40), {(): refused(40, 20), (AGAIN,): refused(40, 20, "unparsed")})
    assert judged(differs(AGAIN, family="repeatability"), data).parts[0].estimate.value == 0.5


def test_a_great_change_may_be_asked_for():
    """At least half of the answers must change when the image does."""
    first, second = np.full(40, 70.0), np.full(40, 20.0)
    pixelate = Perturbation("pixelate", 5)
    effect, rules = differs(pixelate, family="mine"), own(at_least=0.5)
    seen = measured(images(40), {(): answered(first), (pixelate,): answered(second)})
    blind = measured(images(40), {(): answered(first), (pixelate,): answered(first)})
    assert judged(effect, seen, rules).verdict == "PASS"
    assert judged(effect, blind, rules).verdict == "FAIL"


def labelled(said) -> Column:
    """Answers of a task with labels and no numbers; an empty text was not read."""
    n = len(said)
    codes = [SCORED if text else OUTCOMES.index("unparsed") for text in said]
    return Column({MAIN: np.full(n, np.nan)}, np.array(codes, dtype=np.int8), np.array(said, dtype=object))


@pytest.mark.parametrize(("k", "verdict"), [(0, "PASS"), (20, "FAIL")])
def test_labels_that_change_are_seen(k, verdict):
    """Answers without a number once all counted as equal."""
    task = Question("options.degradation", "direct")
    first = ["noise"] * 38 + ["", ""]
    second = ["blur"] * k + first[k:]
    data = measured(images(40), {(): labelled(first), (AGAIN,): labelled(second)}, task)
    audit = judged(differs(AGAIN, task="options.degradation", family="repeatability"), data)
    assert audit.verdict == verdict
    assert audit.parts[0].estimate.value == pytest.approx(k / 40)


def test_only_items_answered_both_times_count():
    first, second = answered(np.full(40, 70.0)), answered(np.full(40, 70.0))
    second.outcomes[:10] = NOT_ASKED
    second.scores[:10] = np.nan
    audit = judged(differs(AGAIN, family="repeatability"), measured(images(40), {(): first, (AGAIN,): second}))
    assert (audit.parts[0].n_clusters, audit.parts[0].estimate.value) == (30, 0.0)


def test_shares_of_some_items_only():
    """Eight of the ten images of women are refused, and no image of men."""
    records = images(20, column=lambda i: {"sex": "F" if i < 10 else "M"})
    data = Measurements(records, {Question("quality", "direct"): refused(20, 8)})
    women = judged(share("refused").where("sex", "F").named("women", "mine"), data, own(at_most=0.1)).parts[0]
    men = judged(share("refused").where("sex", "M").named("men", "mine"), data, own(at_most=0.1)).parts[0]
    assert (women.estimate.value, women.n_clusters, women.outcomes.total) == (0.8, 10, 10)
    assert (men.estimate.value, men.n_clusters, men.outcomes.total) == (0.0, 10, 10)


# ------------------------------------------------------------------------------ shares that a scorer of one's own gives

TRUTH = Question("truth", "direct")


def held_to(**limits):
    return protocol(tasks=TASKS, families={"mine": {"size": 1, **limits}})


def test_accuracy_must_survive_all_refusals_counted_as_wrong():
    """Forty of sixty right, twenty refused: between two thirds and all, and 100 % of what was answered."""
    right = Measurements(images(60), {TRUTH: answered(np.where(np.arange(60) < 20, np.nan, 1.0))})
    accuracy = mean("truth", name="x", family="mine")
    cell = judged(accuracy, right, held_to(at_least=0.7)).parts[0]
    assert (cell.estimate.value, cell.verdict) == (1.0, "INCONCLUSIVE")
    assert cell.worst_case.value == pytest.approx(2 / 3, abs=1e-6)
    assert "with the missing answers at the worst they can be, the limit is no longer met" in cell.sentence
    assert judged(accuracy, right, held_to(at_least=0.5)).verdict == "PASS"


def test_a_difference_of_accuracies_must_survive_refusals():
    """Thirty of eighty refused under the sentence, and only there: they may all have been wrong."""
    clean, treated = np.ones(80), np.where(np.arange(80) < 30, np.nan, 1.0)
    data = Measurements(images(80), {TRUTH: answered(clean), TRUTH.under(HIGH): answered(treated)})
    effect = mean("truth").under(HIGH).minus(mean("truth")).named("x", "mine")
    audit = judged(effect, data, held_to(within=0.1))
    assert audit.verdict == "INCONCLUSIVE", audit.sentence
    assert audit.parts[0].estimate.value == 0.0
    full = Measurements(images(80), {TRUTH: answered(clean), TRUTH.under(HIGH): answered(clean)})
    assert judged(effect, full, held_to(within=0.1)).verdict == "PASS"


def test_shares_that_are_not_zero_or_one_are_means():
    """A mean confidence of 0.4 was once taken for 0 %, because no single one was above a half."""
    rng = np.random.default_rng(8)
    column = answered(np.ones(60))
    column.values["confidence"] = 0.4 + rng.uniform(-0.05, 0.05, 60)
    audit = judged(
        mean("truth", "confidence", name="x", family="mine"),
        Measurements(images(60), {TRUTH: column}),
        held_to(at_least=0.3),
    )
    assert audit.parts[0].estimate.value == pytest.approx(0.4, abs=0.02)
    assert audit.verdict == "PASS"
