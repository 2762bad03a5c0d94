"""Power of shares against the gate's own decisions at every possible count; sizes against their definition."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.proportion import binom_test_reject_interval

from auditkit.stats.equivalence import equivalence
from auditkit.stats.planning_shares import (
    clusters_to_settle_share,
    jump_excess,
    share_power,
)


def decisions(n, cap, alpha):
    """The gate's decision at every number of events; by the bounded mean, as where fewer than 10 patients differ."""
    events = (np.arange(n)[:, None] < np.arange(n + 1)) - 0.5
    found = equivalence(events, -np.inf, cap - 0.5, alpha=alpha, seed=1, value_range=0.5, min_informative=n + 1)
    return np.array([one.decision for one in found])


@pytest.mark.parametrize(("n", "cap", "alpha"), [(28, 0.1, 0.05), (29, 0.1, 0.05), (64, 0.1, 0.025), (90, 0.02, 0.05)])
@pytest.mark.parametrize("share", [0.0, 0.01, 0.1, 0.4, 1.0])
def test_power_of_a_share_sums_the_gates_decisions(n, cap, alpha, share):
    probability = stats.binom.pmf(np.arange(n + 1), n, share)
    found = decisions(n, cap, alpha)
    assert share_power(n, share, cap, alpha) == pytest.approx(probability[found == "inside"].sum(), abs=1e-12)
    above = probability[found == "beyond"].sum()
    assert share_power(n, share, cap, alpha, beyond=True) == pytest.approx(above, abs=1e-12)


@pytest.mark.parametrize("n", [20, 50, 200, 1000])
@pytest.mark.parametrize("cap", [0.05, 0.1, 0.3])
def test_power_of_a_share_has_statsmodels_rejection_region(n, cap):
    low, _ = binom_test_reject_interval(cap, n, alpha=0.05, alternative="smaller")  # rejects up to `low` events
    assert share_power(n, 0.02, cap, 0.05) == pytest.approx(stats.binom.cdf(low, n, 0.02), abs=1e-12)


@given(st.integers(1, 400), st.floats(0.01, 0.5), st.sampled_from([0.025, 0.05]))
@settings(max_examples=60)
def test_a_share_at_the_cap_is_claimed_with_alpha_at_most(n, cap, alpha):
    assert share_power(n, cap, cap, alpha) <= alpha * (1 + 1e-9)
    assert share_power(n, cap, cap, alpha, beyond=True) <= alpha * (1 + 1e-9)
    assert share_power(n, cap / 2, cap, alpha) >= share_power(n, cap, cap, alpha)


@pytest.mark.parametrize("share", [0.0, 0.01, 0.03, 0.2, 0.3])
@pytest.mark.parametrize("power", [0.8, 0.99])
def test_from_that_number_on_every_number_has_the_power(share, power):
    """Brute force over all numbers up to four times as many."""
    n = clusters_to_settle_share(share, 0.1, 0.05, power)
    powers = np.array([share_power(k, share, 0.1, 0.05, beyond=share > 0.1) for k in range(1, 4 * n)])
    short = np.flatnonzero(powers < power)
    assert n == short[-1] + 2  # the power of k units is at k - 1


def test_the_numbers_of_the_tail_gate():
    """No event passes from 29 patients, one from 46, two from 61 (cap 10 %, alpha 0.05)."""
    assert clusters_to_settle_share(0.0, 0.1, 0.05) == 29
    assert [share_power(n, 1e-12, 0.1, 0.05) > 0.5 for n in (28, 29)] == [False, True]
    largest = {n: int((decisions(n, 0.1, 0.05) == "inside").sum()) - 1 for n in (45, 46, 60, 61)}
    assert largest == {45: 0, 46: 1, 60: 1, 61: 2}
    for n, k in largest.items():
        assert share_power(n, 0.03, 0.1, 0.05) == pytest.approx(stats.binom.cdf(k, n, 0.03))


def test_shares_that_nothing_settles():
    assert clusters_to_settle_share(0.1, 0.1, 0.05) is None
    assert clusters_to_settle_share(0.0999999, 0.1, 0.05) is None
    assert clusters_to_settle_share(0.0, 0.1, 0.05, min_clusters=64) == 64


@pytest.mark.parametrize(("share", "cap"), [(0.01, 0.1), (0.05, 0.1), (0.2, 0.1), (0.3, 0.1), (0.02, 0.05)])
def test_as_many_patients_as_planned_are_settled_as_often_as_planned(share, cap):
    """600 runs through the gate, by Student's interval and the bootstrap's where 10 patients differ (0.012)."""
    n = clusters_to_settle_share(share, cap, 0.05)
    events = (np.random.default_rng(n).random((n, 600)) < share) - 0.5
    found = equivalence(events, -np.inf, cap - 0.5, alpha=0.05, resamples=1000, seed=1, value_range=0.5)
    promised = share_power(n, share, cap, 0.05, beyond=share > cap)
    assert np.mean([one.decision != "open" for one in found]) == pytest.approx(promised, abs=0.045)


@pytest.mark.parametrize(("sd", "effect"), [(12.0, 0.0), (17.5, -4.0), (25.0, 30.0)])
def test_jumps_beyond_noise_equal_simulated_ones(sd, effect):
    """100,000 images; standard errors at most 0.003."""
    rng = np.random.default_rng(2)
    changes, noise = effect + sd * rng.standard_normal(100_000), sd * rng.standard_normal(100_000)
    excess = (np.abs(changes) > 25).astype(float) - (np.abs(noise) > 25)
    assert jump_excess(sd, effect, 25.0) == pytest.approx((excess.mean(), excess.std()), abs=0.008)


def test_jumps_without_spread_or_without_effect():
    assert jump_excess(0.0, 3.0, 25.0) == (0, 0)
    assert jump_excess(0.0, -30.0, 25.0) == (1, 0)
    jumps = 2 * stats.norm.sf(2.5)
    assert jump_excess(10.0, 0.0, 25.0) == pytest.approx((0.0, np.sqrt(2 * jumps * (1 - jumps))), abs=1e-12)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: share_power(10, 1.5, 0.1, 0.05), "share lies between"),
        (lambda: share_power(10, 0.5, 0.0, 0.05), "cap is a share"),
        (lambda: clusters_to_settle_share(0.0, 0.1, 0.05, 1.0), "power lies between"),
    ],
)
def test_unusable_input_is_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()
