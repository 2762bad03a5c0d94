"""Patients who were not seen: against the chance of missing them, drawn and counted; ends and p-values are one rule."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats

from auditkit.stats import bounded
from auditkit.stats.auroc import auroc, auroc_test
from auditkit.stats.auroc_difference import auroc_difference, auroc_difference_test
from auditkit.stats.equivalence import equivalence
from auditkit.stats.unseen import least_clusters, mean_ends, p_mean_above, p_mean_below, seen_share

ALPHAS = st.sampled_from([0.001, 0.01, 0.025, 0.05, 0.2])


@given(ALPHAS, st.integers(1, 5000))
def test_a_larger_share_would_have_been_seen(alpha, n):
    """The binomial probability that none of n patients is one of them."""
    unseen = 1 - float(seen_share(alpha, n))
    assert stats.binom.pmf(0, n, unseen) == pytest.approx(alpha, rel=1e-9)
    # The exact upper bound of a share without any event is the same statement.
    assert unseen == pytest.approx(stats.beta.ppf(1 - alpha, 1, n), rel=1e-9)


def test_without_patients_nothing_was_seen():
    assert seen_share(0.05, [0, 1]).tolist() == pytest.approx([0.0, 0.05])
    assert np.array(mean_ends(3.0, 0, 10.0, 0.05)).tolist() == [-10.0, 10.0]


@pytest.mark.parametrize("share", [0.02, 0.05, 0.09])
def test_patients_who_were_missed_are_left_out_with_alpha_at_most(share):
    """All that is wrong sits in a share of patients: 20,000 draws of who is at hand (standard error 0.0015)."""
    rng = np.random.default_rng(3)
    for n in (24, 48, 96):
        hit = rng.binomial(n, share, 20_000)
        mean, truth = -100.0 * hit / n, -100.0 * share
        left_out = mean_ends(mean, n, 100.0, 0.05)[0] > truth
        assert (left_out & (hit == 0)).mean() <= 0.05 + 0.005
        assert np.array_equal(left_out, p_mean_above(mean, n, 100.0, truth) < 0.05)


MARGINS = st.floats(0.5, 80)


@given(MARGINS, ALPHAS)
def test_fewest_patients_are_found_by_trying_them(margin, alpha):
    n = least_clusters(margin, 100.0, alpha)
    ends = np.array([mean_ends(0.0, k, 100.0, alpha)[1] for k in range(1, n + 2)])
    assert (ends[n - 1 :] <= margin * (1 + 1e-9)).all()
    assert (ends[: n - 1] >= margin * (1 - 1e-9)).all()


@given(st.floats(0.02, 0.45), ALPHAS)
def test_fewest_patients_of_an_area_take_two_of_each_pair(margin, alpha):
    n = least_clusters(margin, 1.0, alpha, power=2)
    assert float(seen_share(alpha, n)) ** 2 >= 1 - margin - 1e-9
    assert n == 1 or float(seen_share(alpha, n - 1)) ** 2 <= 1 - margin + 1e-9


@pytest.mark.parametrize(
    ("margin", "alpha", "n"),
    [(5, 0.05, 59), (10, 0.05, 29), (12, 0.05, 24), (5, 0.025, 72), (10, 0.025, 36), (2, 0.05, 149), (25, 0.025, 13)],
)
def test_fewest_patients_for_the_margins_in_use(margin, alpha, n):
    """0.95^59 = 0.0485 < 0.05 < 0.0510 = 0.95^58 and so on; and the gate itself agrees."""
    assert (1 - margin / 100) ** n < alpha < (1 - margin / 100) ** (n - 1)
    assert least_clusters(margin, 100.0, alpha) == n
    for G in (n - 1, n):
        jitter = np.random.default_rng(G).standard_normal(G)
        means = np.stack([np.zeros(G), 0.05 * (jitter - jitter.mean())], axis=1)
        for one in equivalence(means, -margin, margin, alpha=alpha, resamples=199, seed=1):
            assert (one.decision == "inside") == (n <= G)


def test_one_unit_in_the_last_place_asks_for_no_patient_more():
    """0.5^10 is alpha exactly."""
    assert least_clusters(50.0, 100.0, 0.5**10) == 10
    assert least_clusters(0.1 + 0.2, 0.6, 0.5**10) == 10


@pytest.mark.parametrize(("margin", "reach"), [(0.0, 100.0), (-5.0, 100.0), (100.0, 100.0), (101.0, 100.0)])
def test_margins_that_no_patients_are_needed_for_are_refused(margin, reach):
    with pytest.raises(ValueError, match="above 0 and below the reach"):
        least_clusters(margin, reach, 0.05)


@given(st.floats(-90, 90), st.integers(1, 300), ALPHAS, st.floats(-90, 90))
def test_ends_and_p_values_are_one_statement(mean, n, alpha, threshold):
    low, high = (float(end) for end in mean_ends(mean, n, 100.0, alpha))
    assert -100 <= low <= mean <= high <= 100
    above, below = (float(test(mean, n, 100.0, threshold)) for test in (p_mean_above, p_mean_below))
    if abs(low - threshold) > 1e-9:
        assert (above < alpha) == (low > threshold)
    if abs(high - threshold) > 1e-9:
        assert (below < alpha) == (high < threshold)
    assert above == 1 or below == 1
    assert float(p_mean_below(-mean, n, 100.0, -threshold)) == above


@given(st.floats(-60, 60), st.integers(1, 80), st.floats(-95, 95))
@settings(max_examples=60)
def test_the_p_value_is_the_smallest_alpha_whose_interval_excludes(mean, n, threshold):
    """Found by bisection over alpha."""
    p = float(p_mean_above(mean, n, 100.0, threshold))
    if p < 1e-8 or mean < threshold + 1e-6:
        return

    def beyond(log_alpha):
        return float(mean_ends(mean, n, 100.0, math.exp(log_alpha))[0]) - threshold

    assert math.exp(optimize.brentq(beyond, -60, -1e-12, xtol=1e-13)) == pytest.approx(p, rel=1e-6)


@given(st.floats(-60, 60), st.integers(2, 80), ALPHAS)
@settings(max_examples=40)
def test_values_that_do_not_vary_have_the_bound_of_values_of_known_range(mean, n, alpha):
    """The two rules of the gate meet where nothing varies: the bounded mean counts those not seen already."""
    x = np.full(n, mean)
    ends = bounded.mean_lower(x, -100.0, alpha), bounded.mean_upper(x, 100.0, alpha)
    assert ends == pytest.approx([float(end) for end in mean_ends(mean, n, 100.0, alpha)], abs=1e-6)
    threshold = mean - 12.0
    expected = max(float(p_mean_above(mean, n, 100.0, threshold)), bounded.RESOLUTION)
    assert bounded.p_mean_above(x, -100.0, threshold) == pytest.approx(expected, rel=1e-6, abs=2e-9)


@given(
    st.integers(2, 120), st.floats(-40, 40), st.sampled_from([0.0, 0.3, 3.0, 30.0]), st.floats(0.5, 60),
    st.sampled_from([0.025, 0.05]), st.integers(0, 9999), st.sampled_from([1.0, 100.0, 200.0]),
)  # fmt: skip
@settings(max_examples=80)
def test_means_never_disagree_with_themselves_nor_leave_out_who_was_not_seen(G, mean, sd, margin, alpha, seed, reach):
    x = np.clip(np.random.default_rng(seed).normal(mean, sd, G), -100, 100) * reach / 100
    limit = margin * reach / 100
    one = equivalence(x[:, None], -limit, limit, alpha=alpha, resamples=399, seed=seed, value_range=reach)[0]
    low, high = (float(end) for end in mean_ends(x.mean(), G, reach, alpha))
    assert one.low <= low + 1e-6 * reach
    assert one.high >= high - 1e-6 * reach
    assert (one.decision == "inside") == (-limit < one.low and one.high < limit) == (one.p_pass <= alpha)
    assert (one.decision == "beyond") == (one.high < -limit or one.low > limit) == (one.p_fail <= alpha)


def noise(G: int, seed: int):
    """Scores of clean and treated images of G patients, told apart more or less, some on few levels."""
    rng = np.random.default_rng(seed)
    step = rng.choice([1.0, 20.0, 50.0])
    clean, treated = rng.normal([[70.0], [rng.choice([10.0, 55.0, 70.0])]], rng.choice([0.5, 10.0]), (2, G))
    return np.round(clean / step) * step, np.round(treated / step) * step


@given(st.integers(2, 90), st.integers(0, 9999), st.floats(0.03, 0.97), st.sampled_from([0.025, 0.05]))
@settings(max_examples=80)
def test_areas_never_disagree_with_themselves_nor_leave_out_who_was_not_seen(G, seed, floor, alpha):
    clean, treated = noise(G, seed)
    one = auroc(clean, treated, np.arange(G), np.arange(G), alpha)
    q = alpha ** (1 / G)
    assert one.low <= one.estimate * q * q + 1e-12
    assert one.high >= 1 - (1 - one.estimate) * q * q - 1e-12
    p_pass, p_fail = auroc_test(one, floor)
    if min(abs(one.low - floor), abs(one.high - floor)) > 1e-9:
        assert (p_pass < alpha) == (one.low > floor)
        assert (p_fail < alpha) == (one.high < floor)


@given(st.integers(2, 90), st.integers(0, 9999), st.floats(0.02, 0.6), st.sampled_from([0.025, 0.05]))
@settings(max_examples=80)
def test_differences_of_areas_never_disagree_with_themselves_either(G, seed, margin, alpha):
    new, old = noise(G, seed), noise(G, seed + 1)
    one = auroc_difference(new, old, np.arange(G), alpha)
    q = alpha ** (1 / G)
    assert one.low <= one.estimate * q * q - (1 - q * q) + 1e-12
    assert one.high >= one.estimate * q * q + (1 - q * q) - 1e-12
    p_pass, p_fail = auroc_difference_test(one, margin)
    if min(abs(one.low + margin), abs(one.high + margin)) > 1e-9:
        assert (p_pass < alpha) == (one.low > -margin)
        assert (p_fail < alpha) == (one.high < -margin)


def test_pairs_with_unseen_patients_are_counted():
    """A tenth of the patients are placed the other way round: the area among all is that of the pairs, counted."""
    n, few = 200, 20
    clean, treated = np.full(n, 80.0), np.full(n, 20.0)
    clean[:few], treated[:few] = 10.0, 90.0
    seen = auroc(clean[few:], treated[few:], np.arange(n - few), np.arange(n - few), 0.05)
    everyone = auroc(clean, treated, np.arange(n), np.arange(n), 0.05)
    q = 1 - few / n
    assert seen.estimate == 1
    assert everyone.estimate == pytest.approx(q**2)  # every pair with one of them is lost
