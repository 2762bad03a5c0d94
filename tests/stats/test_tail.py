"""Exact share of patients with a large change."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from auditkit.stats.tail import tail_share


def share(k: int, n: int, cap: float = 0.10, alpha: float = 0.05):
    return tail_share(np.arange(n) < k, cap, alpha)


@pytest.mark.parametrize(("k", "n"), [(0, 64), (3, 64), (40, 64), (64, 64)])
def test_interval_is_that_of_statsmodels(k, n):
    result = share(k, n)
    assert (result.low, result.high) == pytest.approx(proportion_confint(k, n, 0.10, method="beta"), abs=1e-9)
    assert (result.estimate, result.n_events, result.n_clusters) == (k / n, k, n)


@pytest.mark.parametrize(("events", "needed"), [(0, 29), (1, 46), (2, 61)])
def test_smallest_numbers_of_patients_that_can_pass(events, needed):
    assert share(events, needed).decision == "inside"
    assert share(events, needed - 1).decision == "open"


@given(st.integers(0, 60), st.integers(1, 60), st.floats(0.02, 0.9), st.sampled_from([0.01, 0.025, 0.05]))
def test_decision_and_exact_p_values_agree(k, n, cap, alpha):
    k = min(k, n)
    result = share(k, n, cap, alpha)
    assert result.p_pass == pytest.approx(stats.binom.cdf(k, n, cap))
    assert result.p_fail == pytest.approx(stats.binom.sf(k - 1, n, cap))
    if min(abs(result.p_pass - alpha), abs(result.p_fail - alpha)) > 1e-9:
        assert (result.decision == "inside") == (result.p_pass < alpha)
        assert (result.decision == "beyond") == (result.p_fail < alpha)


def test_no_patients_settle_nothing():
    result = tail_share(np.empty(0, dtype=bool), 0.1, 0.05)
    assert (result.decision, result.low, result.high, result.rule) == ("open", 0.0, 1.0, "no data")
    assert (result.p_pass, result.p_fail) == (1, 1)


@pytest.mark.parametrize(
    ("hit", "cap", "alpha", "words"),
    [
        (np.array([0.0, 1.0]), 0.1, 0.05, "one bool per cluster"),
        (np.array([[True]]), 0.1, 0.05, "one bool per cluster"),
        (np.array([True]), 10.0, 0.05, "share between 0 and 1"),
        (np.array([True]), 0.1, 0.9, "error per side"),
    ],
)
def test_unusable_input_is_named(hit, cap, alpha, words):
    with pytest.raises(ValueError, match=words):
        tail_share(hit, cap, alpha)
