"""Power against the gates' own decisions, summed over every possible count; sizes against their definition."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.proportion import binom_test_reject_interval

from auditkit.stats.planning_shares import (
    clusters_to_settle_rate_difference,
    clusters_to_settle_share,
    jump_share,
    rate_difference_power,
    share_power,
)
from auditkit.stats.rates import rate_difference
from auditkit.stats.tail import tail_share


def decisions(n, cap, alpha):
    """The gate's decision at every number of events."""
    return np.array([tail_share(np.arange(n) < k, cap, alpha).decision for k in range(n + 1)])


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
@settings(deadline=None, max_examples=60)
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


@pytest.mark.parametrize(("n", "cap", "alpha"), [(12, 0.1, 0.05), (30, 0.1, 0.05), (30, 0.25, 0.025), (24, -0.1, 0.05)])
@pytest.mark.parametrize(("up", "down"), [(0, 0), (0.03, 0.03), (0.3, 0.05), (0.05, 0.4), (0.6, 0.4), (1, 0), (0, 1)])
def test_power_of_a_difference_sums_the_gates_decisions(n, cap, alpha, up, down):
    """Every pair of discordant counts through `rates.rate_difference` itself, weighted by the multinomial."""
    inside = beyond = 0.0
    for ups in range(n + 1):
        for downs in range(n + 1 - ups):
            weight = stats.multinomial.pmf([ups, downs, n - ups - downs], n, [up, down, max(1 - up - down, 0)])
            if weight < 1e-14:
                continue
            treated, control = np.arange(n) < ups, np.arange(n) >= n - downs
            found = rate_difference(treated, control, np.arange(n), alpha)
            inside += weight * (found.high < cap)
            beyond += weight * (found.low > cap)
    assert rate_difference_power(n, up, down, cap, alpha) == pytest.approx(inside, abs=1e-9)
    assert rate_difference_power(n, up, down, cap, alpha, beyond=True) == pytest.approx(beyond, abs=1e-9)


def test_power_of_a_difference_equals_the_normal_one_in_large_samples():
    up, down, cap, n = 0.1, 0.08, 0.05, 3000
    z = (cap - (up - down)) * np.sqrt(n / (up + down - (up - down) ** 2))
    expected = stats.norm.cdf(z - stats.norm.isf(0.05))
    assert rate_difference_power(n, up, down, cap, 0.05) == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize(("up", "down", "power"), [(0, 0, 0.9), (0.02, 0.02, 0.9), (0.02, 0.01, 0.99), (0.3, 0, 0.8)])
def test_from_that_number_on_a_difference_has_the_power(up, down, power):
    n = clusters_to_settle_rate_difference(up, down, 0.1, 0.05, power)
    beyond = up - down > 0.1
    powers = np.array([rate_difference_power(k, up, down, 0.1, 0.05, beyond=beyond) for k in range(1, 3 * n)])
    assert n == np.flatnonzero(powers < power)[-1] + 2


def test_differences_that_nothing_settles():
    assert clusters_to_settle_rate_difference(0.1, 0.0, 0.1, 0.05) is None
    assert clusters_to_settle_rate_difference(0.0, 0.0, 0.0, 0.05) is None
    assert rate_difference_power(1, 0.0, 0.0, 0.1, 0.05) == 0
    assert share_power(0, 0.0, 0.1, 0.05) == 0


@pytest.mark.parametrize(("images", "correlation"), [(1, 0.3), (2, 0.3), (4, 0.9), (5, 0.0), (3, 1.0)])
@pytest.mark.parametrize(("sd", "effect"), [(12.0, 0.0), (17.5, -4.0)])
def test_share_of_patients_that_jump_equals_simulated_ones(sd, effect, images, correlation):
    """100,000 patients; standard error at most 0.0016."""
    rng = np.random.default_rng(2)
    shared, own = rng.standard_normal((100_000, 1)), rng.standard_normal((100_000, images))
    changes = effect + sd * (np.sqrt(correlation) * shared + np.sqrt(1 - correlation) * own)
    simulated = (np.abs(changes) > 25).any(axis=1).mean()
    assert jump_share(sd, effect, 25.0, images, correlation) == pytest.approx(simulated, abs=0.006)


def test_share_of_patients_that_jump_without_spread():
    assert jump_share(0.0, 3.0, 25.0, 2, 0.5) == 0
    assert jump_share(0.0, -30.0, 25.0, 1, 0.5) == 1
    assert jump_share(10.0, 0.0, 25.0, 1, 0.9) == pytest.approx(2 * stats.norm.sf(2.5), abs=1e-12)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: share_power(10, 1.5, 0.1, 0.05), "share lies between"),
        (lambda: share_power(10, 0.5, 0.0, 0.05), "cap is a share"),
        (lambda: clusters_to_settle_share(0.0, 0.1, 0.05, 1.0), "power lies between"),
        (lambda: rate_difference_power(10, 0.6, 0.6, 0.1, 0.05), "shares of the same images"),
        (lambda: rate_difference_power(10, -0.1, 0.6, 0.1, 0.05), "up lies between"),
        (lambda: rate_difference_power(10, 0.1, 0.6, 1.0, 0.05), "difference of rates"),
        (lambda: rate_difference_power(10, 0.1, 0.6, 0.1, 0.7), "error per side"),
    ],
)
def test_unusable_input_is_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()
