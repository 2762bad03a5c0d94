"""Differences of shares and jumps beyond noise: against the gates' own decisions, over every count and simulated."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from auditkit.stats.equivalence import equivalence
from auditkit.stats.planning_excess import clusters_to_settle_excess, excess_power, spread_of_excess, three_valued
from auditkit.stats.planning_shares import share_power
from auditkit.stats.tail import excess_of_jumps


def values(ups: int, downs: int, n: int) -> np.ndarray:
    return np.concatenate([np.ones(ups), -np.ones(downs), np.zeros(n - ups - downs)])


@pytest.mark.parametrize(("n", "cap"), [(30, 0.1), (46, 0.1), (30, 0.25), (24, -0.1)])
@pytest.mark.parametrize(("up", "down"), [(0, 0), (0.03, 0.03), (0.3, 0.05), (0.05, 0.4), (0.6, 0.4), (1, 0), (0, 1)])
def test_power_sums_the_gates_decisions_over_every_count(n, cap, up, down):
    """Against the bounded mean itself, weighted by the multinomial."""
    inside = beyond = 0.0
    for ups in range(n + 1):
        for downs in range(n + 1 - ups):
            weight = stats.multinomial.pmf([ups, downs, n - ups - downs], n, [up, down, max(1 - up - down, 0)])
            if weight < 1e-5:
                continue
            x = values(ups, downs, n)
            found = equivalence(x[:, None], -np.inf, cap, alpha=0.05, seed=1, value_range=1.0, min_informative=n + 2)
            inside += weight * (found[0].decision == "inside")
            beyond += weight * (found[0].decision == "beyond")
    # A count whose p-value is 0.05 within a hundredth may be decided otherwise.
    assert excess_power(n, up, down, cap, 0.05) == pytest.approx(inside, abs=0.035)
    assert excess_power(n, up, down, cap, 0.05, beyond=True) == pytest.approx(beyond, abs=0.035)


@pytest.mark.parametrize("share", [0.0, 0.01, 0.05, 0.3])
def test_without_any_to_the_other_side_it_is_a_share(share):
    """Clopper and Pearson's, exactly."""
    for n in (29, 46, 61, 200):
        assert excess_power(n, share, 0.0, 0.1, 0.05) == pytest.approx(share_power(n, share, 0.1, 0.05), abs=1e-7)


def test_in_large_samples_it_is_the_normal_power():
    up, down, cap, n = 0.1, 0.08, 0.05, 3000
    z = (cap - (up - down)) * np.sqrt(n / (up + down - (up - down) ** 2))
    expected = stats.norm.cdf(z - stats.norm.isf(0.05))
    assert excess_power(n, up, down, cap, 0.05) == pytest.approx(expected, abs=0.01)
    n = 1900
    z = (cap - (up - down)) * np.sqrt(n / (up + down - (up - down) ** 2))
    assert excess_power(n, up, down, cap, 0.05) == pytest.approx(stats.norm.cdf(z - stats.norm.isf(0.05)), abs=0.02)


@pytest.mark.parametrize(
    ("up", "down", "cap"), [(0.01, 0.01, 0.1), (0.03, 0.03, 0.1), (0.1, 0.1, 0.1), (0.3, 0.05, 0.1), (0.02, 0.02, 0.05)]
)
def test_as_many_patients_as_planned_settle_a_difference_as_often_as_planned(up, down, cap):
    """600 runs through the gate, which joins the bootstrap where 10 patients differ; standard error 0.012."""
    sd = math.sqrt(up + down - (up - down) ** 2)
    n = clusters_to_settle_excess(up - down, sd, cap, 0.05, min_informative=10)
    u = np.random.default_rng(n).random((n, 600))
    changes = np.where(u < up, 1.0, np.where(u < up + down, -1.0, 0.0))
    found = equivalence(changes, -np.inf, cap, alpha=0.05, resamples=1000, seed=1, value_range=1.0)
    promised = excess_power(n, up, down, cap, 0.05, beyond=up - down > cap, min_informative=10)
    assert promised >= 0.9
    assert np.mean([one.decision != "open" for one in found]) == pytest.approx(promised, abs=0.045)


@pytest.mark.parametrize(("up", "down"), [(0.0, 0.0), (0.04, 0.04), (0.12, 0.1), (0.4, 0.05)])
def test_as_many_patients_as_planned_settle_jumps_as_often_as_planned(up, down):
    n = clusters_to_settle_excess(up - down, math.sqrt(up + down - (up - down) ** 2), 0.1, 0.05)
    u = np.random.default_rng(n).random((400, n))
    found = [excess_of_jumps(x, 0.1, 0.05).decision for x in (u < up) * 1.0 - (u > 1 - down)]
    promised = excess_power(n, up, down, 0.1, 0.05, beyond=up - down > 0.1)
    assert promised >= 0.9
    assert np.mean([one != "open" for one in found]) == pytest.approx(promised, abs=0.05)


@pytest.mark.parametrize(
    ("mean", "sd", "power"), [(0.0, 0.0, 0.9), (0.0, 0.25, 0.8), (0.02, 0.2, 0.9), (0.3, 0.5, 0.9)]
)
def test_from_that_number_on_every_number_has_the_power(mean, sd, power):
    """Brute force over all numbers up to three times as many."""
    n = clusters_to_settle_excess(mean, sd, 0.1, 0.05, power)
    shares = three_valued(mean, sd)
    powers = np.array([excess_power(k, *shares, 0.1, 0.05, beyond=mean > 0.1) for k in range(1, 3 * n)])
    assert n == np.flatnonzero(powers < power)[-1] + 2  # the power of k units is at k - 1


def test_without_any_jump_it_is_the_number_of_the_gate():
    assert clusters_to_settle_excess(0.0, 0.0, 0.1, 0.05) == 29
    assert clusters_to_settle_excess(0.0, 0.0, 0.1, 0.025) == 36
    assert [excess_of_jumps(np.zeros(n), 0.1, 0.05).decision for n in (28, 29)] == ["open", "inside"]


@given(st.floats(-0.9, 0.9), st.floats(0, 0.9))
def test_three_values_have_the_mean_and_at_least_the_spread(mean, sd):
    up, down = three_valued(mean, sd)
    assert up >= -1e-12
    assert down >= -1e-12
    assert up + down <= 1 + 1e-12
    assert up - down == pytest.approx(mean)
    if mean**2 + sd**2 <= 1:
        assert up + down - mean**2 >= sd**2 - 1e-9


@given(st.integers(0, 20), st.integers(0, 10), st.integers(10, 90))
@settings(max_examples=40)
def test_the_spread_is_read_off_the_end_of_the_interval(ups, downs, rest):
    x = values(ups, downs, ups + downs + rest)
    found = excess_of_jumps(x, 0.1, 0.05)
    assert spread_of_excess(found.estimate, found.high, x.size, 0.05) == pytest.approx(x.std(), abs=0.025)


def test_what_nothing_settles():
    assert clusters_to_settle_excess(0.1, 0.3, 0.1, 0.05) is None
    assert clusters_to_settle_excess(0.0, math.inf, 0.1, 0.05) is None
    assert clusters_to_settle_excess(math.nan, 0.1, 0.1, 0.05) is None
    assert clusters_to_settle_excess(0.09999, 0.5, 0.1, 0.05) is None
    assert excess_power(0, 0.0, 0.0, 0.1, 0.05) == 0
    assert spread_of_excess(0.0, 1.0, 2, 0.05) == 1


def test_a_corrected_fail_of_a_difference_leaves_out_who_was_not_seen_at_alpha():
    """All of 20 have lost their answer: -1 for a share of 0.35 would make it 0.3; at 0.05 / 300 that cannot be told."""
    loose, strict = (
        excess_power(20, 0.97, 0.0, 0.5, 0.05 / 300, beyond=True, min_informative=2, unseen_alpha=level)
        for level in (0.05, None)
    )
    assert loose > 0.4 > 0.01 > strict


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: excess_power(10, 0.6, 0.6, 0.1, 0.05), "shares of the same units"),
        (lambda: excess_power(10, -0.1, 0.6, 0.1, 0.05), "shares of the same units"),
        (lambda: excess_power(10, 0.1, 0.6, 1.0, 0.05), "mean of values from -1 to 1"),
        (lambda: excess_power(10, 0.1, 0.6, 0.1, 0.7), "error per side"),
        (lambda: clusters_to_settle_excess(0.0, 0.1, 0.1, 0.05, 1.0), "power lies between"),
    ],
)
def test_unusable_input_is_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()
