"""The bounded-mean bound against Clopper-Pearson (0/1 data), closed forms, and Monte-Carlo draws of its definition."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from auditkit.stats.bounded import interval_and_p, mean_lower, mean_upper, p_mean_above, p_mean_below, tail_by_integral

SPARSE = np.append(np.zeros(60), [-30.0, -80.0, 25.0, 10.0])


@pytest.mark.parametrize(("k", "n"), [(0, 20), (1, 20), (5, 64), (9, 256), (20, 20)])
def test_zero_one_data_give_clopper_pearson(k, n):
    x = np.repeat([0.0, 1.0], [n - k, k])
    exact = stats.binomtest(k, n).proportion_ci(0.9, "exact")
    assert mean_lower(x, 0.0, 0.05) == pytest.approx(exact.low, abs=1e-9)
    assert mean_upper(x, 1.0, 0.05) == pytest.approx(exact.high, abs=1e-9)
    assert p_mean_below(x, 1.0, 0.6) == pytest.approx(stats.binomtest(k, n, 0.6, "less").pvalue, abs=2e-9)
    assert p_mean_above(x, 0.0, 0.1) == pytest.approx(stats.binomtest(k, n, 0.1, "greater").pvalue, abs=2e-9)


@pytest.mark.parametrize("n", [2, 5, 24, 257, 2001, 20_001])
def test_integral_equals_the_beta_distribution_for_two_atoms(n):
    for k in {1, min(5, n - 1), n // 2, n - 1}:
        for share in (1e-3, 0.02, 0.3, 0.7, 0.97):
            tail = tail_by_integral(np.array([0.0, 1.0]), np.array([n - k, k], dtype=float), share)
            assert tail == pytest.approx(stats.beta.sf(share, k, n - k), abs=1e-12)


@given(st.lists(st.integers(-100, 100), min_size=3, max_size=8, unique=True), st.floats(0.01, 0.99))
@settings(max_examples=60)
def test_integral_equals_the_closed_form_for_distinct_values(atoms, share):
    """Of uniform spacings D, sum(D a) >= t with probability sum over a_i > t of prod (a_i - t) / (a_i - a_j)."""
    threshold = min(atoms) + share * (max(atoms) - min(atoms))
    exact = sum(
        math.prod(Fraction(a) - Fraction(threshold) for _ in atoms[1:]) / math.prod(a - b for b in atoms if b != a)
        for a in atoms
        if a > threshold
    )
    tail = tail_by_integral(np.array(atoms, dtype=float), np.ones(len(atoms)), threshold)
    assert tail == pytest.approx(float(exact), abs=1e-11)


@pytest.mark.parametrize("alpha", [0.4999, 0.2, 0.05, 0.001, 1e-6])
@pytest.mark.parametrize("x", [SPARSE, SPARSE[60:], np.array([-3.0]), np.array([0.0, 99.0, 99.0])], ids=len)
def test_the_bound_lies_where_the_p_value_is_alpha(x, alpha):
    upper = mean_upper(x, 100.0, alpha)
    assert p_mean_below(x, 100.0, upper) == pytest.approx(alpha, rel=1e-6)
    assert p_mean_below(x, 100.0, upper + 1e-7) < alpha < p_mean_below(x, 100.0, upper - 1e-7)


def test_many_atoms_equal_draws_of_the_definition():
    """200,000 draws: standard error of a share below 0.0012, of the quantile about 0.02 points."""
    spacing = np.random.default_rng(7).dirichlet(np.ones(65), 200_000)
    drawn = spacing @ np.append(SPARSE, 100.0)
    assert mean_upper(SPARSE, 100.0, 0.05) == pytest.approx(np.quantile(drawn, 0.95), abs=0.08)
    for threshold in (-3.0, 0.0, 2.0, 5.0):
        assert p_mean_below(SPARSE, 100.0, threshold) == pytest.approx((drawn >= threshold).mean(), abs=0.004)


def test_all_zero_has_the_closed_form_and_needs_59_clusters_for_a_margin_of_5():
    for n in (29, 58, 59, 300):
        assert mean_upper(np.zeros(n), 100.0, 0.05) == pytest.approx(100 * (1 - 0.05 ** (1 / n)), abs=1e-7)
        assert (mean_upper(np.zeros(n), 100.0, 0.05) < 5) == (n >= 59)
        assert (mean_upper(np.zeros(n), 100.0, 0.05) < 10) == (n >= 29)


values = st.lists(st.sampled_from([0.0, 0.0, -80.0, -25.0, 3.3, 40.0, 100.0]), min_size=1, max_size=40).map(np.array)


@given(values, st.sampled_from([0.01, 0.025, 0.05, 0.2]), st.floats(-60, 60))
@settings(max_examples=40)
def test_p_value_is_the_alpha_at_which_the_bound_excludes(x, alpha, threshold):
    upper = mean_upper(x, 100.0, alpha)
    if abs(upper - threshold) > 1e-6:
        assert (upper < threshold) == (p_mean_below(x, 100.0, threshold) < alpha)


@given(values)
@settings(max_examples=40)
def test_bounds_enclose_the_mean_mirror_and_widen_with_confidence(x):
    low, high = mean_lower(x, -100.0, 0.05), mean_upper(x, 100.0, 0.05)
    assert -100 <= low < x.mean() or x.mean() == -100
    assert x.mean() < high <= 100 or x.mean() == 100
    assert mean_upper(-x, 100.0, 0.05) == pytest.approx(-low, abs=1e-7)
    assert mean_upper(x, 100.0, 0.01) >= high - 1e-7


def test_more_extreme_data_never_tighten_the_bound():
    uppers = [mean_upper(np.append(SPARSE, v), 100.0, 0.05) for v in (-50.0, 0.0, 10.0, 99.0)]
    assert uppers == sorted(uppers)


@pytest.mark.parametrize("alpha", [0.025, 0.05, 0.4999])
def test_values_that_differ_by_rounding_alone_have_a_bound(alpha):
    near = 100 - np.arange(1, 6) * np.spacing(100.0)
    assert mean_upper(near, 100.0, alpha) == pytest.approx(100, abs=1e-9)
    assert mean_lower(near, -100.0, alpha) == pytest.approx(mean_lower(np.full(5, 100.0), -100.0, alpha), abs=1e-8)


def test_data_at_the_very_end_and_data_beyond_it():
    assert mean_upper(np.full(5, 100.0), 100.0, 0.05) == 100
    assert p_mean_below(np.full(5, 100.0), 100.0, 100.0) == 1
    with pytest.raises(ValueError, match="beyond the stated range"):
        mean_upper(np.array([120.0]), 100.0, 0.05)


@pytest.mark.parametrize("values", [[0.0, 0.0, 0.0], [0.0, -3.0, 0.0, 5.0, 5.0], [100.0, -100.0, 7.5]])
def test_all_at_once_is_the_same_as_one_by_one(values):
    x, limits = np.array(values), np.array([-np.inf, -5.0, 0.0, 5.0, np.inf])
    ends, above, below = interval_and_p(x, 100.0, 0.05, limits)
    assert ends == (mean_lower(x, -100.0, 0.05), mean_upper(x, 100.0, 0.05))
    assert above == [p_mean_above(x, -100.0, limit) for limit in limits]
    assert below == [p_mean_below(x, 100.0, limit) for limit in limits]
