"""Thresholds of split conformal prediction: the ranks against the beta distribution, the promise against drawing."""

import numpy as np
import pytest
from scipy import stats

from auditkit.stats.conformal import conditional_rank, threshold


@pytest.mark.parametrize(("n", "level"), [(29, 0.9), (50, 0.9), (100, 0.8), (500, 0.95)])
def test_the_rank_is_the_smallest_that_covers_the_level_in_19_of_20_samples(n, level):
    k = conditional_rank(n, level, 0.05)
    assert stats.beta.ppf(0.05, k, n + 1 - k) >= level > stats.beta.ppf(0.05, k - 1, n + 2 - k)


def test_too_few_scores_have_no_rank():
    """0.9^28 is above 0.05, and 0.9^29 is not."""
    assert conditional_rank(28, 0.9, 0.05) is None
    assert conditional_rank(29, 0.9, 0.05) == 29
    assert threshold(np.zeros(28), 0.9, 0.05) is None
    assert conditional_rank(0, 0.5, 0.05) is None


def test_a_threshold_falls_short_no_more_often_than_alpha(rng):
    """Of uniform scores a threshold t covers the share t."""
    short = [threshold(rng.random(60), 0.9, 0.05) < 0.9 for _ in range(4000)]
    assert np.mean(short) == pytest.approx(stats.binom.sf(conditional_rank(60, 0.9, 0.05) - 1, 60, 0.9), abs=0.01)
    assert np.mean(short) < 0.06


def test_ties_are_covered():
    scores = np.repeat([0.0, 0.1], [20, 80])
    assert threshold(scores, 0.5, 0.05) == 0.1
