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
    cells_power,
    clusters_to_settle,
    clusters_to_settle_sparse,
    first_with_power,
    minimum_detectable_effect,
    power_inside,
    sd_of_patient_mean,
    sparse_power,
)


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
@settings(deadline=None, max_examples=40)
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
    n = clusters_to_settle(sd, -5.0, 5.0, effect, 0.05, min_clusters=2)
    assert power_inside(n, sd, effect, -5.0, 5.0, 0.05) >= 0.9 > power_inside(n - 1, sd, effect, -5.0, 5.0, 0.05)


@pytest.mark.parametrize("effect", [-7.0, 9.0])
def test_beyond_the_margin_it_is_the_number_that_shows_so(effect):
    n = clusters_to_settle(10.0, -5.0, 5.0, effect, 0.05)
    power = TTestPower().power((abs(effect) - 5) / 10.0, n, 0.05, alternative="larger")
    short = TTestPower().power((abs(effect) - 5) / 10.0, n - 1, 0.05, alternative="larger")
    assert power >= 0.9 > short


def test_small_spread_still_needs_the_smallest_number_that_may_pass():
    assert clusters_to_settle(1.0, -5.0, 5.0, 0.0, 0.05) == 24
    assert clusters_to_settle(1.0, -5.0, 5.0, 0.0, 0.05, min_clusters=59) == 59
    assert clusters_to_settle(0.0, -5.0, 5.0, 0.0, 0.05) == 24


def test_questions_that_no_number_settles():
    assert clusters_to_settle(6.0, -5.0, 5.0, 5.0, 0.05) is None
    assert clusters_to_settle(6.0, -5.0, 5.0, 4.9999, 0.05) is None
    assert clusters_to_settle(math.nan, -5.0, 5.0, 0.0, 0.05) is None


def test_one_sided_margins():
    """A slope of -2 with floor -1: shown when the upper end is below -1."""
    n = clusters_to_settle(3.0, -math.inf, -1.0, -2.0, 0.05)
    assert power_inside(n, 3.0, -2.0, -math.inf, -1.0, 0.05) >= 0.9
    assert power_inside(n - 1, 3.0, -2.0, -math.inf, -1.0, 0.05) < 0.9
    assert clusters_to_settle(3.0, -math.inf, -1.0, 0.0, 0.05) == n


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


@pytest.mark.parametrize(("share", "jump", "n"), [(0.05, 5.0, 64), (0.03, 20.0, 80), (0.04, 40.0, 100)])
def test_power_of_the_sparse_rule_is_about_that_of_the_gate(share, jump, n):
    """A few patients change by the same amount: the gate's own decision at each number of them, weighted exactly."""
    counts = np.arange(10)
    means = np.where(np.arange(n)[:, None] < counts, jump, 0.0)
    found = equivalence(means, -5.0, 5.0, alpha=0.05, resamples=1000, seed=1, min_clusters=24)
    assert all(result.rule.startswith("sparse") for result in found)
    passes = np.array([result.decision == "inside" for result in found])
    exact = (stats.binom.pmf(counts, n, share) * passes).sum()
    sd = jump * math.sqrt(share * (1 - share))
    assert sparse_power(n, sd, share * jump, -5.0, 5.0, 0.05) == pytest.approx(exact, abs=0.12)


@pytest.mark.parametrize(("margin", "alpha", "value"), [(5, 0.05, 0), (10, 0.05, 0), (5, 0.025, 0), (5, 0.05, -3)])
def test_scores_that_do_not_vary_pass_from_the_same_number_as_in_the_gate(margin, alpha, value):
    n = clusters_to_settle_sparse(0.0, -margin, margin, value, alpha)
    for size, decision in ((n, "inside"), (n - 1, "open")):
        means = np.full((size, 1), float(value))
        assert equivalence(means, -margin, margin, alpha=alpha, seed=1)[0].decision == decision


@pytest.mark.parametrize(("low", "high", "value"), [(-math.inf, 5, -30), (-math.inf, 5, 20), (-5, 5, 12), (-5, 5, -60)])
def test_constant_changes_far_away_are_settled_from_the_same_number_as_in_the_gate(low, high, value):
    n = clusters_to_settle_sparse(0.0, low, high, value, 0.05, min_clusters=2)
    settled = "inside" if low < value < high else "beyond"
    for size, decision in ((n, settled), (n - 1, "open")):
        means = np.full((size, 1), float(value))
        assert equivalence(means, low, high, alpha=0.05, seed=1, min_clusters=2)[0].decision == decision


def test_sparse_numbers_at_the_edges():
    assert clusters_to_settle_sparse(0.0, -5, 5, 0.0, 0.05) == 59
    assert clusters_to_settle_sparse(3.0, -5, 5, 1.0, 0.05) > 59
    assert clusters_to_settle_sparse(0.0, -50, 50, 0.0, 0.05) == 24
    assert clusters_to_settle_sparse(3.0, -5, 5, 5, 0.05) is None
    assert sparse_power(1, 0.0, 0.0, -5, 5, 0.05) == 0


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
