"""Worst cases and tipping points of missing scores."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditkit.stats.equivalence import EMPTY, equivalence
from auditkit.stats.missing import worst_case
from auditkit.stats.reduce import cluster_means

RNG = np.random.default_rng(9)
FLOATS = ("estimate", "low", "high", "se", "p_pass", "p_fail")
CODES = np.arange(120) // 2


def with_gaps(share: float, mean: float = 0.0, sd: float = 6.0) -> np.ndarray:
    d = np.clip(RNG.normal(mean, sd, 120), -100, 100)
    d[: int(share * 120)] = np.nan
    return RNG.permutation(d)


def decided(d, imputed, **options):
    filled = np.where(np.isnan(d), imputed, d)[:, None]
    return equivalence(cluster_means(filled, CODES), -5, 5, alpha=0.05, seed=1, resamples=499, **options)[0]


def judge(d, **options):
    return worst_case(d, CODES, -5, 5, **({"alpha": 0.05, "seed": 1, "resamples": 499} | options))


def assert_same(a, b):
    """Sums over a table with more columns round differently: 1e-15."""
    assert dataclasses.replace(a, **dict.fromkeys(FLOATS, 0.0)) == dataclasses.replace(b, **dict.fromkeys(FLOATS, 0.0))
    assert [getattr(a, name) for name in FLOATS] == pytest.approx([getattr(b, name) for name in FLOATS], abs=1e-9)


def test_the_three_intervals_are_those_of_the_imputed_data():
    d = with_gaps(0.1)
    result = judge(d)
    assert_same(result.lowest, decided(d, -100.0))
    assert_same(result.highest, decided(d, 100.0))
    assert_same(result.complete, decided(d, np.nan))
    assert (result.n_missing, result.n) == (12, 120)
    assert result.lowest.estimate < result.complete.estimate < result.highest.estimate


def test_a_pass_that_hangs_on_the_missing_scores_is_seen():
    result = judge(with_gaps(0.1))
    assert result.complete.decision == "inside"
    assert not result.holds
    assert result.tipping_point is not None


def test_the_tipping_point_separates_the_decisions():
    d = with_gaps(0.15, mean=-1.0)
    result = judge(d)
    step = np.copysign(0.1, result.tipping_point)
    assert decided(d, result.tipping_point).decision != result.complete.decision
    assert decided(d, result.tipping_point - step).decision == result.complete.decision
    # From a mean of -1 the lower margin is nearer.
    assert result.tipping_point < 0


def test_a_fail_that_no_imputation_can_undo_holds():
    result = judge(with_gaps(0.05, mean=-40.0, sd=3.0))
    assert result.complete.decision == "beyond"
    assert result.holds
    assert result.tipping_point is None


def test_nothing_missing_changes_nothing():
    result = judge(with_gaps(0.0))
    assert result.complete == result.lowest == result.highest
    assert (result.holds, result.n_missing, result.tipping_point) == (True, 0, None)


def test_known_controls_narrow_the_ends():
    """A control score of 30 cannot fall by more than 30 nor rise by more than 70."""
    d, control = with_gaps(0.1), np.full(120, 30.0)
    result = judge(d, lowest=-control, highest=100 - control)
    assert_same(result.lowest, decided(d, -30.0))
    assert_same(result.highest, decided(d, 70.0))
    assert result.tipping_point is None or -30 <= result.tipping_point <= 70


def test_all_missing():
    result = judge(np.full(120, np.nan))
    assert result.complete.rule == EMPTY
    assert (result.lowest.decision, result.highest.decision) == ("beyond", "beyond")
    # All imputed as 0 would be 60 patients without any difference, which passes.
    assert result.tipping_point == 0


@given(st.integers(0, 1000), st.floats(0, 0.3))
@settings(max_examples=8, deadline=None)
def test_bounds_enclose_the_mean_whatever_the_missing_values_are(seed, share):
    rng = np.random.default_rng(seed)
    full = rng.uniform(-100, 100, 120)
    d = np.where(rng.random(120) < share, np.nan, full)
    result = judge(d)
    truth = cluster_means(full[:, None], CODES).mean()
    assert result.lowest.estimate - 1e-9 <= truth <= result.highest.estimate + 1e-9


def test_unusable_input_is_named():
    with pytest.raises(ValueError, match="must not exceed"):
        judge(with_gaps(0.1), lowest=50, highest=-50)
    with pytest.raises(ValueError, match="shape"):
        worst_case(np.zeros((2, 2)), CODES[:2], -5, 5, alpha=0.05, seed=0)
