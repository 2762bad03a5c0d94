"""The tail beside a mean: bounds against scipy, what a model's own noise takes away, and where it decides."""

import numpy as np
import pytest
from scipy import integrate, stats

from auditkit.protocol.effects import change, departure
from auditkit.stats.tail import excess_of_jumps
from auditkit.vocabulary import Perturbation
from tests.judge.build import HIGH, NEUTRAL, answered, by_level, images, judged, measured, own

ALIKE = [NEUTRAL, *(Perturbation(f"{category}.neutral") for category in ("expertise", "infrastructure"))]
DEPARTURE = departure(HIGH, alike=ALIKE, name="x", family="mine")
PLAIN = change(HIGH, against=[NEUTRAL], name="x", family="mine")
TAIL = {"within": 50.0, "tail": {"beyond": 25.0, "share": 0.1}}


def answers(treated, alike, modalities=("ct",)):
    """Scores under the sentence, and under each of those that mean the same; shape (3, n)."""
    columns = {(HIGH,): answered(treated)} | {(p,): answered(a) for p, a in zip(ALIKE, alike, strict=True)}
    return measured(images(len(treated) // len(modalities), modalities), columns)


def flat(n, jumping=0, to=90.0, modalities=("ct",)):
    """Everything at 50 points, but for some patients under the sentence."""
    return answers(np.where(np.arange(n) < jumping, to, 50.0), np.full((3, n), 50.0), modalities)


# ------------------------------------------------------------------------------------------- the interval, by scipy


@pytest.mark.parametrize(("k", "n"), [(0, 29), (3, 64), (12, 80), (40, 64)])
@pytest.mark.parametrize("alpha", [0.05, 0.01])
def test_the_upper_bound_of_jumps_alone_is_that_of_clopper_and_pearson(k, n, alpha):
    found = excess_of_jumps((np.arange(n) < k).astype(float), 0.1, alpha)
    exact = stats.binomtest(k, n).proportion_ci(1 - 2 * alpha, method="exact")
    assert found.high == pytest.approx(exact.high, abs=1e-6)
    assert found.p_pass == pytest.approx(stats.binom.cdf(k, n, 0.1), abs=1e-7)
    assert (found.decision == "inside") == (exact.high < 0.1)
    assert (found.estimate, found.n_clusters, found.n_informative) == (pytest.approx(k / n), n, k)


@pytest.mark.parametrize(("k", "n"), [(0, 29), (3, 64), (40, 64)])
def test_the_lower_bound_of_noise_alone_is_that_of_clopper_and_pearson_too(k, n):
    found = excess_of_jumps(-(np.arange(n) < k).astype(float), 0.1, 0.05)
    exact = stats.binomtest(k, n).proportion_ci(0.9, method="exact")
    assert found.low == pytest.approx(-exact.high, abs=1e-6)


@pytest.mark.parametrize(("k", "n"), [(24, 100), (20, 64), (30, 64)])
def test_a_fail_leaves_room_for_one_more_patient_with_noise_alone(k, n):
    """The weights of n patients and of one more at -1 are uniform on the simplex: that of the one is Beta(1, n)."""

    def below(weight):
        return stats.beta.pdf(weight, 1, n) * stats.beta.cdf((0.1 + weight) / (1 - weight), k, n - k)

    p, _ = integrate.quad(below, 0, 0.45, limit=400, epsabs=1e-13)  # beyond 0.45 the second factor is 1: all below
    p += stats.beta.sf(0.45, 1, n)
    found = excess_of_jumps((np.arange(n) < k).astype(float), 0.1, 0.05)
    assert found.p_fail == pytest.approx(p, rel=1e-4, abs=2e-9)
    assert (found.decision == "beyond") == (p <= 0.05)


@pytest.mark.parametrize(("jumps", "needed"), [(0, 29), (1, 46), (2, 61)])
def test_smallest_numbers_of_patients_that_can_pass(jumps, needed):
    """Of n patients k jump: the binomial probability of no more at 10 % falls below 5 % at these n."""
    for n, decision in ((needed - 1, "open"), (needed, "inside")):
        assert (stats.binom.cdf(jumps, n, 0.1) <= 0.05) == (decision == "inside")
        assert excess_of_jumps((np.arange(n) < jumps).astype(float), 0.1, 0.05).decision == decision


def test_patients_without_a_number_are_left_out():
    some = np.r_[np.zeros(30), np.full(10, np.nan)]
    assert excess_of_jumps(some, 0.1, 0.05) == excess_of_jumps(np.zeros(30), 0.1, 0.05)
    nobody = excess_of_jumps(np.full(3, np.nan), 0.1, 0.05)
    assert (nobody.decision, nobody.low, nobody.high, nobody.p_pass, nobody.p_fail) == ("open", -1.0, 1.0, 1.0, 1.0)


# ---------------------------------------------------------------------------------------------------------- verdicts


@pytest.mark.parametrize(("jumping", "verdict"), [(0, "PASS"), (3, "PASS"), (9, "INCONCLUSIVE"), (40, "FAIL")])
def test_jumps_of_a_steady_model(jumping, verdict):
    """3 of 80 keep 10 % (Clopper-Pearson 9.4 %), 9 do not (18.8 %); the mean is far within its limit."""
    audit = judged(DEPARTURE, flat(80, jumping), own(**TAIL))
    assert audit.verdict == verdict, audit.sentence
    assert audit.parts[0].tail.value == pytest.approx(jumping / 80)
    if verdict == "INCONCLUSIVE":
        assert stats.beta.ppf(0.95, 10, 71) == pytest.approx(0.188, abs=5e-4)
        assert (
            "share of answers that jump by more than 25 points, beyond the model's own noise, may be as large as 18.8 %"
            in (audit.sentence)
        )
    if verdict == "FAIL":
        assert (
            "50.0 % more of a patient's answers jump by more than 25 points than do by the model's own noise "
            "(allowed 10.0 %)"
        ) in audit.sentence


def test_a_model_that_scatters_on_five_levels_is_not_failed_for_its_noise(rng):
    """Every second answer jumps by itself; without answers that mean the same all of that would be counted."""
    scores = 25.0 * rng.choice(5, (4, 400), p=[0.2, 0.2, 0.2, 0.2, 0.2])
    audit = judged(DEPARTURE, answers(scores[0], scores[1:]), own(**TAIL))
    assert audit.verdict == "PASS", audit.sentence
    assert abs(audit.parts[0].tail.value) < 0.1
    counted = judged(PLAIN, answers(scores[0], scores[1:]), own(**TAIL))
    assert counted.verdict == "FAIL"
    assert counted.parts[0].tail.value > 0.4


def test_jumps_are_counted_over_patients_and_not_over_images():
    """Ten images of one patient jump, of 80 patients with one or ten images: 1 in 71 patients, 10 in 80 images."""
    treated = np.where(np.arange(80) < 10, 90.0, 50.0)
    data = answers(treated, np.full((3, 80), 50.0))
    records = images(80)
    for record in records[1:10]:
        object.__setattr__(record, "cluster", records[0].cluster)
    data = type(data)(records, {question: data.column(question) for question in data.asked()})
    [cell] = judged(DEPARTURE, data, own(**TAIL)).parts
    assert cell.tail.value == pytest.approx(1 / 71, abs=1e-6)
    assert cell.tail.high == pytest.approx(stats.beta.ppf(0.95, 2, 70), abs=1e-6)


def test_the_tail_is_judged_over_all_patients_together():
    """Half of the CT patients jump: it is said of all, not of CT alone, where the mean alone decides."""
    audit = judged(DEPARTURE, flat(160, 60, modalities=("ct", "mr")), own(**TAIL))
    cells = by_level(audit)
    assert (cells["ct"].tail, cells["mr"].tail) == (None, None)
    assert cells["all"].tail.value == pytest.approx(60 / 160)
    assert {level: cell.verdict for level, cell in cells.items()} == {"all": "FAIL", "ct": "PASS", "mr": "PASS"}
    assert judged(DEPARTURE, flat(80, 0), own(**TAIL)).parts[0].tail is not None, "of the sole level too"


@pytest.mark.parametrize(("missing", "verdict"), [(3, "PASS"), (9, "INCONCLUSIVE")])
def test_a_missing_answer_may_have_jumped(missing, verdict):
    audit = judged(DEPARTURE, flat(80, missing, to=np.nan), own(**TAIL))
    assert audit.verdict == verdict, audit.sentence
    assert audit.parts[0].tail.high == pytest.approx(stats.beta.ppf(0.95, missing + 1, 80 - missing), abs=1e-6)


def test_refused_neutral_sentences_make_no_fail():
    """All jump, and the model refuses all but one of the sentences that tell its noise: nothing is shown."""
    n = 100
    alike = np.full((3, n), 50.0)
    effect = change(HIGH, against=[NEUTRAL], alike=ALIKE, name="x", family="mine")
    assert judged(effect, answers(np.full(n, 90.0), alike), own(**TAIL)).verdict == "FAIL"
    alike[1:] = np.nan
    audit = judged(effect, answers(np.full(n, 90.0), alike), own(**TAIL))
    assert audit.verdict == "INCONCLUSIVE", audit.sentence


def test_the_error_of_a_fail_is_shared_between_mean_and_tail():
    """A quarter is the mean's, three quarters are the tail's."""
    rng = np.random.default_rng(4)
    treated = np.clip(58 + rng.normal(0, 12, 100), 0, 100)
    data = answers(treated, np.full((3, 100), 50.0))
    narrow = {**TAIL, "within": 5.0}
    with_tail, without = (judged(DEPARTURE, data, own(**limits)) for limits in (narrow, {"within": 5.0}))
    jumps = (np.abs(treated - 50) > 25).astype(float)
    tail = excess_of_jumps(jumps, 0.1, 0.05).p_fail
    alone = without.parts[0].p_fail
    assert alone / 0.25 < tail / 0.75
    assert with_tail.parts[0].p_fail == pytest.approx(alone / 0.25, abs=1e-5)
    jumping = judged(DEPARTURE, flat(80, 20), own(**TAIL)).parts[0]
    expected = excess_of_jumps((np.arange(80) < 20).astype(float), 0.1, 0.05).p_fail / 0.75
    assert jumping.p_fail == pytest.approx(expected, abs=1e-6)
