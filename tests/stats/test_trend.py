"""Slopes against numpy's polynomial fit, rank correlations against scipy, and how the two become a verdict."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from auditkit.stats.equivalence import equivalence
from auditkit.stats.reduce import cluster_means
from auditkit.stats.trend import rank_correlations, rank_trend, slope_range, slopes

SEVERITIES = np.arange(6)
SCORES = arrays(
    np.float64, (4, 6), elements=st.one_of(st.integers(0, 20).map(lambda k: 5.0 * k), st.just(float("nan")))
)


@given(SCORES)
@settings(deadline=None, max_examples=40)
def test_slopes_equal_numpys_polynomial_fit(scores):
    for row, slope in zip(scores, slopes(scores, SEVERITIES), strict=True):
        present = ~np.isnan(row)
        if present[0] and present.sum() >= 3:
            assert slope == pytest.approx(np.polyfit(SEVERITIES[present], row[present], 1)[0], abs=1e-9)
        else:
            assert np.isnan(slope)


@given(SCORES, st.floats(-50, 50))
@settings(deadline=None, max_examples=40)
def test_slopes_ignore_the_level_and_stay_in_their_range(scores, level):
    slope = slopes(scores, SEVERITIES)
    np.testing.assert_allclose(slopes(scores + level, SEVERITIES), slope, atol=1e-9)
    np.testing.assert_allclose(slopes(-scores, SEVERITIES), -slope, atol=1e-12)
    assert (np.abs(slope[~np.isnan(slope)]) <= slope_range(SEVERITIES)).all()


def test_largest_slope_is_reached():
    """Clean and two mild severities: 0, 100, 100 has slope 50."""
    assert slope_range(SEVERITIES) == pytest.approx(50.0)
    assert slopes([[0.0, 50.0, 100.0, np.nan, np.nan, np.nan]], SEVERITIES)[0] == pytest.approx(50.0)
    assert slope_range([0, 1, 3, 5], score_range=4.0) == pytest.approx(4 * 5 / 14)
    assert slopes([[0.0, 0.0, 4.0, np.nan]], [0, 1, 3, 5])[0] == pytest.approx(4 * 5 / 14)


@given(SCORES)
@settings(deadline=None, max_examples=40)
def test_rank_correlations_equal_scipys_spearman(scores):
    for row, rho in zip(scores, rank_correlations(scores), strict=True):
        seen = row[~np.isnan(row)]
        if seen.size < 3:
            assert np.isnan(rho)
        elif np.ptp(seen) == 0:
            assert rho == 0
        else:
            assert rho == pytest.approx(stats.spearmanr(np.arange(seen.size), seen).statistic, abs=1e-9)


def test_a_score_that_never_moves_counts_as_not_following():
    scores = np.array([[90.0, 80, 70, 60, 50, 40], [50.0] * 6])
    assert rank_trend(scores) == pytest.approx(-0.5)
    assert slopes(scores, SEVERITIES).tolist() == pytest.approx([-10, 0])


def test_nothing_to_rank_gives_nan():
    assert np.isnan(rank_trend(np.full((3, 6), np.nan)))
    assert np.isnan(rank_trend(np.empty((0, 6))))
    assert slopes(np.empty((0, 6)), SEVERITIES).shape == (0,)


@pytest.mark.parametrize(("true_slope", "decision"), [(-4.0, "inside"), (0.0, "beyond")])
def test_sensitivity_is_a_one_sided_equivalence_of_the_slopes(true_slope, decision):
    rng = np.random.default_rng(8)
    scores = np.clip(70 + true_slope * SEVERITIES + rng.normal(0, 4, (60, 6)), 0, 100)
    per_patient = cluster_means(slopes(scores, SEVERITIES)[:, None], np.arange(60) // 2)
    result = equivalence(
        per_patient, -np.inf, -1.0, alpha=0.05, seed=0, value_range=slope_range(SEVERITIES), resamples=999
    )[0]
    assert result.decision == decision


@pytest.mark.parametrize(
    ("scores", "severities", "words"),
    [
        (np.zeros((2, 3)), [1, 2, 3], "0 .the clean image"),
        (np.zeros((2, 3)), [0, 1, 1], "distinct"),
        (np.zeros((2, 4)), [0, 1, 2], "one column per severity"),
    ],
)
def test_unusable_input_is_named(scores, severities, words):
    with pytest.raises(ValueError, match=words):
        slopes(scores, severities)


def test_scores_must_be_a_table():
    with pytest.raises(ValueError, match="shape"):
        rank_correlations(np.zeros(5))
