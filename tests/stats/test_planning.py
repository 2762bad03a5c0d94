"""Power against simulation and the noncentral t of statsmodels; sizes against their definition."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.power import TTestPower

from auditkit.stats.equivalence import equivalence
from auditkit.stats.planning import (
    ANYWHERE,
    cells_power,
    clusters_to_settle,
    first_with_power,
    minimum_detectable_effect,
    power_inside,
    sd_of_patient_mean,
)
from auditkit.stats.unseen import least_clusters


@pytest.mark.parametrize(("n", "sd", "effect"), [(6, 6.0, 0.0), (16, 6.3, 0.0), (32, 10.0, 2.5), (128, 17.5, -2.5)])
def test_power_equals_simulated_student_intervals(n, sd, effect):
    """100,000 data sets of normal means; standard error at most 0.0016."""
    rng = np.random.default_rng(n)
    mean = effect + sd / math.sqrt(n) * rng.standard_normal(100_000)
    reach = stats.t.ppf(0.95, n - 1) * sd * np.sqrt(rng.chisquare(n - 1, 100_000) / (n - 1) / n)
    simulated = ((mean - reach > -5) & (mean + reach < 5)).mean()
    assert power_inside(n, sd, effect, -5.0, 5.0, 0.05) == pytest.approx(simulated, abs=0.007)


@pytest.mark.parametrize("n", [5, 24, 100, 3000])
def test_one_sided_power_is_that_of_statsmodels(n):
    for effect in (0.0, 1.0, 4.0):
        theirs = TTestPower().power((5 - effect) / 8.0, n, 0.05, alternative="larger")
        assert power_inside(n, 8.0, effect, -math.inf, 5.0, 0.05) == pytest.approx(theirs, abs=1e-6)


def test_power_at_the_margin_is_alpha_and_without_spread_certain():
    assert power_inside(400, 6, 5.0, -5.0, 5.0, 0.05) == pytest.approx(0.05, abs=1e-6)
    assert (power_inside(10, 0, 4.9, -5, 5, 0.05), power_inside(10, 0, 5.1, -5, 5, 0.05)) == (1, 0)
    assert power_inside(1, 6, 0, -5, 5, 0.05) == 0


@given(st.integers(2, 500), st.floats(0.1, 40), st.floats(0, 10), st.floats(0.1, 10), st.sampled_from([0.025, 0.05]))
@settings(max_examples=40)
def test_power_is_a_probability_symmetric_and_grows_with_margin(n, sd, effect, margin, alpha):
    power = power_inside(n, sd, effect, -margin, margin, alpha)
    assert 0 <= power <= 1
    assert power_inside(n, sd, -effect, -margin, margin, alpha) == pytest.approx(power, abs=1e-9)
    assert power_inside(n, sd, effect, -1.2 * margin, 1.2 * margin, alpha) >= power - 1e-9


@pytest.mark.parametrize("n", [2, 3, 24, 64, 256, 5000])
def test_the_detectable_effect_is_passed_with_just_the_power(n):
    margin = minimum_detectable_effect(6.0, n, 0.05)
    assert power_inside(n, 6.0, 0.0, -margin, margin, 0.05) == pytest.approx(0.9, abs=1e-6)
    assert minimum_detectable_effect(60.0, n, 0.05) == pytest.approx(10 * margin, rel=1e-6)


def test_detectable_effect_at_the_edges():
    assert minimum_detectable_effect(0.0, 30, 0.05) == 0
    assert minimum_detectable_effect(5.0, 1, 0.05) == math.inf
    assert minimum_detectable_effect(math.nan, 1, 0.05) == math.inf
    assert math.isnan(minimum_detectable_effect(math.nan, 5, 0.05))


@pytest.mark.parametrize(("sd", "effect"), [(6.0, 0.0), (10.0, -2.5), (17.5, 0.0), (12.0, 4.0)])
def test_clusters_needed_is_the_smallest_number_with_the_power(sd, effect):
    n = clusters_to_settle(sd, -5.0, 5.0, effect, 0.05)
    powers = [power_inside(k, sd, effect, -5.0, 5.0, 0.05, (-100.0, 100.0)) for k in (n - 1, n)]
    assert powers[0] < 0.9 <= powers[1]


@pytest.mark.parametrize("effect", [-7.0, 9.0])
def test_beyond_the_margin_it_is_the_number_that_shows_so(effect):
    n = clusters_to_settle(10.0, -5.0, 5.0, effect, 0.05, ends=ANYWHERE)
    power = TTestPower().power((abs(effect) - 5) / 10.0, n, 0.05, alternative="larger")
    short = TTestPower().power((abs(effect) - 5) / 10.0, n - 1, 0.05, alternative="larger")
    assert power >= 0.9 > short


@pytest.mark.parametrize(("n", "sd", "effect"), [(60, 2.0, 0.0), (80, 6.0, 0.5), (30, 1.0, -9.0), (120, 17.5, 0.0)])
def test_power_with_patients_not_seen_equals_simulated_rules(n, sd, effect):
    """Both rules written out on 100,000 data sets of normal means; standard error at most 0.0016."""
    rng = np.random.default_rng(n)
    mean = effect + sd / math.sqrt(n) * rng.standard_normal(100_000)
    reach = stats.t.ppf(0.95, n - 1) * sd * np.sqrt(rng.chisquare(n - 1, 100_000) / (n - 1) / n)
    unseen = 1 - 0.05 ** (1 / n)
    low = np.minimum(mean - reach, mean - unseen * (mean + 100))
    high = np.maximum(mean + reach, mean + unseen * (100 - mean))
    simulated = ((low > -5) & (high < 5)).mean()
    power = power_inside(n, sd, effect, -5.0, 5.0, 0.05, (-100.0, 100.0))
    assert power == pytest.approx(simulated, abs=0.007)
    assert power_inside(n, sd, effect, -5.0, 5.0, 0.05) >= power


def through_the_gate(n, sd, effect, low, high, alpha=0.05, replicates=600):
    """Share of simulated runs of normal patients that are settled."""
    changes = np.clip(np.random.default_rng(n).normal(effect, sd, (n, replicates)), -100, 100)
    results = equivalence(changes, low, high, alpha=alpha, resamples=1000, seed=1)
    return np.mean([result.decision != "open" for result in results])


@pytest.mark.parametrize(
    ("sd", "effect", "low", "high"),
    [
        (2.0, 0.0, -5.0, 5.0), (6.0, 0.0, -5.0, 5.0), (12.0, 0.0, -5.0, 5.0), (6.0, 1.5, -math.inf, 5.0),
        (9.0, -15.0, -5.0, 5.0), (9.0, 20.0, -5.0, 5.0),
    ],
)  # fmt: skip
def test_as_many_patients_as_planned_are_settled_as_often_as_planned(sd, effect, low, high):
    """600 runs through `equivalence`: standard error 0.012 and less."""
    n = clusters_to_settle(sd, low, high, effect, 0.05)
    limits = (low, high) if low < effect < high else (high, math.inf) if effect > high else (-math.inf, low)
    for k in (n, n - n // 6):
        promised = power_inside(k, sd, effect, *limits, 0.05, (-100.0, 100.0))
        error = 3.5 * math.sqrt(max(promised * (1 - promised), 0.01) / 600)
        # The bootstrap, which is joined, makes it a little less.
        assert promised - error - 0.015 <= through_the_gate(k, sd, effect, low, high) <= promised + error


@pytest.mark.parametrize(
    ("effect", "low", "high"), [(0, -5, 5), (0, -10, 10), (-3, -5, 5), (2, -math.inf, 5), (20, -5, 5), (-60, -5, 5)]
)
@pytest.mark.parametrize("alpha", [0.025, 0.05])
def test_scores_that_do_not_vary_are_settled_from_the_same_number_as_in_the_gate(effect, low, high, alpha):
    n = clusters_to_settle(0.0, low, high, effect, alpha)
    settled = "inside" if low < effect < high else "beyond"
    for size, decision in ((n, settled), (n - 1, "open")):
        means = np.full((size, 1), float(effect))
        assert equivalence(means, low, high, alpha=alpha, seed=1)[0].decision == decision


def test_a_small_spread_needs_as_many_as_none():
    for margin in (5.0, 10.0):
        for sd in (0.0, 0.5):
            n = clusters_to_settle(sd, -margin, margin, 0.0, 0.05)
            assert 0 <= n - least_clusters(margin, 100.0, 0.05) <= (sd > 0) * 2
    assert clusters_to_settle(0.0, -0.05, 0.05, 0.0, 0.05, ends=(-1.0, 1.0)) == 59


def test_a_corrected_fail_leaves_out_who_was_not_seen_at_alpha():
    """-20 and -5 of a range to 100: 23 patients at alpha. Holm over 300 asks more of the spread, not of them."""
    alpha = 0.05 / 300
    n = clusters_to_settle(5.0, -5.0, 5.0, -20.0, alpha, unseen_alpha=0.05)
    strict = clusters_to_settle(5.0, -5.0, 5.0, -20.0, alpha)
    assert strict > 2 * n

    def named(size):
        changes = np.random.default_rng(2).normal(-20, 5, (size, 400))
        found = equivalence(changes, -5, 5, alpha=0.05, resamples=1000, seed=1)
        return np.mean([result.p_fail <= alpha for result in found])

    assert named(n) >= 0.86
    assert named(n - 3) < 0.9


def test_questions_that_no_number_settles():
    assert clusters_to_settle(6.0, -5.0, 5.0, 5.0, 0.05) is None
    assert clusters_to_settle(6.0, -5.0, 5.0, 4.9999, 0.05) is None
    assert clusters_to_settle(math.nan, -5.0, 5.0, 0.0, 0.05) is None


def test_one_sided_margins():
    """A slope of -2 with floor -1: shown when the upper end is below -1."""
    n = clusters_to_settle(3.0, -math.inf, -1.0, -2.0, 0.05, ends=(-20.0, 20.0))
    powers = [power_inside(k, 3.0, -2.0, -math.inf, -1.0, 0.05, (-20.0, 20.0)) for k in (n - 1, n)]
    assert powers[0] < 0.9 <= powers[1]
    # As far above the floor, and the end of the range as far below.
    assert clusters_to_settle(3.0, -math.inf, -1.0, 0.0, 0.05, ends=(-22.0, 20.0)) == n


@given(st.integers(1, 12), st.floats(0, 1))
def test_spread_of_a_patients_mean_is_that_of_its_covariance_matrix(images, correlation):
    covariance = 9.0 * (np.eye(images) * (1 - correlation) + correlation)
    expected = math.sqrt(covariance.sum()) / images
    assert sd_of_patient_mean(3.0, images, correlation) == pytest.approx(expected)


@given(st.floats(0.5, 0.99), st.integers(1, 5000))
def test_all_cells_together_have_the_power(power, cells):
    each = cells_power(power, cells)
    assert cells * (1 - each) == pytest.approx(1 - power)
    assert each**cells >= power - 1e-12  # independent cells do at least as well


def test_first_number_that_reaches_a_power():
    for target in (1, 2, 3, 17, 1000):
        assert first_with_power(lambda n, target=target: float(n >= target), 0.9, 1) == target
        assert first_with_power(lambda n, target=target: float(n >= target), 0.9, 20) == max(20, target)
    assert first_with_power(lambda n: 0.0, 0.9, 2) is None


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: power_inside(10, -1, 0, -5, 5, 0.05), "sd must not be negative"),
        (lambda: power_inside(10, 1, 0, -5, 5, 0.5), "error per side"),
        (lambda: clusters_to_settle(1, -5, 5, 0, 0.05, power=1.0), "power lies between"),
        (lambda: clusters_to_settle(1, 5, -5, 0, 0.05), "low < high"),
        (lambda: sd_of_patient_mean(1, 0, 0.5), "one image or more"),
        (lambda: sd_of_patient_mean(1, 2, 1.5), "between 0 and 1"),
        (lambda: cells_power(1.2, 3), "power lies between"),
        (lambda: cells_power(0.9, 0), "at least one"),
    ],
)
def test_unusable_input_is_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()
