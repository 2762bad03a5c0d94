"""Power against simulation and the noncentral t of statsmodels; sizes against their definition."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.power import TTestPower

from auditkit.stats.planning import (
    clusters_needed,
    clusters_to_settle,
    minimum_detectable_effect,
    power_inside,
    tost_power,
)


@pytest.mark.parametrize(("n", "sd", "effect"), [(6, 6.0, 0.0), (16, 6.3, 0.0), (32, 10.0, 2.5), (128, 17.5, -2.5)])
def test_power_equals_simulated_student_intervals(n, sd, effect):
    """100,000 data sets of normal means; standard error at most 0.0016."""
    rng = np.random.default_rng(n)
    mean = effect + sd / math.sqrt(n) * rng.standard_normal(100_000)
    reach = stats.t.ppf(0.95, n - 1) * sd * np.sqrt(rng.chisquare(n - 1, 100_000) / (n - 1) / n)
    simulated = ((mean - reach > -5) & (mean + reach < 5)).mean()
    assert tost_power(n, sd, effect, 5.0, 0.05) == pytest.approx(simulated, abs=0.007)


@pytest.mark.parametrize("n", [5, 24, 100, 3000])
def test_one_sided_power_is_that_of_statsmodels(n):
    for effect in (0.0, 1.0, 4.0):
        theirs = TTestPower().power((5 - effect) / 8.0, n, 0.05, alternative="larger")
        assert power_inside(n, 8.0, effect, -math.inf, 5.0, 0.05) == pytest.approx(theirs, abs=1e-6)


def test_power_at_the_margin_is_alpha_and_without_spread_certain():
    assert tost_power(400, 6, 5.0, 5.0, 0.05) == pytest.approx(0.05, abs=1e-6)
    assert (tost_power(10, 0, 4.9, 5, 0.05), tost_power(10, 0, 5.1, 5, 0.05)) == (1, 0)
    assert tost_power(1, 6, 0, 5, 0.05) == 0


@given(st.integers(2, 500), st.floats(0.1, 40), st.floats(0, 10), st.floats(0.1, 10), st.sampled_from([0.025, 0.05]))
@settings(deadline=None, max_examples=40)
def test_power_is_a_probability_symmetric_and_grows_with_margin(n, sd, effect, margin, alpha):
    power = tost_power(n, sd, effect, margin, alpha)
    assert 0 <= power <= 1
    assert tost_power(n, sd, -effect, margin, alpha) == pytest.approx(power, abs=1e-9)
    assert tost_power(n, sd, effect, margin * 1.2, alpha) >= power - 1e-9


@pytest.mark.parametrize("n", [2, 3, 24, 64, 256, 5000])
def test_the_detectable_effect_is_passed_with_just_the_power(n):
    margin = minimum_detectable_effect(6.0, n, 0.05)
    assert tost_power(n, 6.0, 0.0, margin, 0.05) == pytest.approx(0.9, abs=1e-6)
    assert minimum_detectable_effect(60.0, n, 0.05) == pytest.approx(10 * margin, rel=1e-6)


def test_detectable_effect_at_the_edges():
    assert minimum_detectable_effect(0.0, 30, 0.05) == 0
    assert minimum_detectable_effect(5.0, 1, 0.05) == math.inf
    assert minimum_detectable_effect(math.nan, 1, 0.05) == math.inf
    assert math.isnan(minimum_detectable_effect(math.nan, 5, 0.05))


@pytest.mark.parametrize(("sd", "effect"), [(6.0, 0.0), (10.0, -2.5), (17.5, 0.0), (12.0, 4.0)])
def test_clusters_needed_is_the_smallest_number_with_the_power(sd, effect):
    n = clusters_needed(sd, 5.0, effect, 0.05, min_clusters=2)
    assert tost_power(n, sd, effect, 5.0, 0.05) >= 0.9 > tost_power(n - 1, sd, effect, 5.0, 0.05)


@pytest.mark.parametrize("effect", [-7.0, 9.0])
def test_beyond_the_margin_it_is_the_number_that_shows_so(effect):
    n = clusters_needed(10.0, 5.0, effect, 0.05)
    power = TTestPower().power((abs(effect) - 5) / 10.0, n, 0.05, alternative="larger")
    short = TTestPower().power((abs(effect) - 5) / 10.0, n - 1, 0.05, alternative="larger")
    assert power >= 0.9 > short


def test_small_spread_still_needs_the_smallest_number_that_may_pass():
    assert clusters_needed(1.0, 5.0, 0.0, 0.05) == 24
    assert clusters_needed(1.0, 5.0, 0.0, 0.05, min_clusters=59) == 59
    assert clusters_needed(0.0, 5.0, 0.0, 0.05) == 24


def test_questions_that_no_number_settles():
    assert clusters_needed(6.0, 5.0, 5.0, 0.05) is None
    assert clusters_needed(6.0, 5.0, 4.9999, 0.05) is None
    assert clusters_needed(math.nan, 5.0, 0.0, 0.05) is None


def test_one_sided_margins():
    """A slope of -2 with floor -1: shown when the upper end is below -1."""
    n = clusters_to_settle(3.0, -math.inf, -1.0, -2.0, 0.05)
    assert power_inside(n, 3.0, -2.0, -math.inf, -1.0, 0.05) >= 0.9
    assert power_inside(n - 1, 3.0, -2.0, -math.inf, -1.0, 0.05) < 0.9
    assert clusters_to_settle(3.0, -math.inf, -1.0, 0.0, 0.05) == n


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: tost_power(10, -1, 0, 5, 0.05), "sd must not be negative"),
        (lambda: tost_power(10, 1, 0, 5, 0.5), "error per side"),
        (lambda: clusters_needed(1, 5, 0, 0.05, power=1.0), "power lies between"),
        (lambda: clusters_to_settle(1, 5, -5, 0, 0.05), "low < high"),
    ],
)
def test_unusable_input_is_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()
