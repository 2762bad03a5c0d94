"""The joint studentised bootstrap against a plain loop over the same resamples, and against scipy."""

import numpy as np
import pytest
from scipy import stats

from auditkit.stats import bootstrap
from auditkit.stats.bootstrap import bootstrap_t, multiplicities, seed_number

RNG = np.random.default_rng(20)
SCORES = np.round(RNG.normal(-2, 6, (40, 5)) / 2.5) * 2.5
HOLES = np.where(RNG.random(SCORES.shape) < 0.1, np.nan, SCORES)


def looped(x: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The t statistic of every resample, the resamples written out one by one."""
    out = []
    for row in weights.astype(int):
        sample = np.repeat(x, row)
        sample = sample[~np.isnan(sample)]
        se = sample.std(ddof=1) / np.sqrt(len(sample))
        out.append((sample.mean() - np.nanmean(x)) / se)
    return np.sort(out)


@pytest.mark.parametrize("means", [SCORES, HOLES], ids=["complete", "missing values"])
def test_interval_and_p_values_equal_those_of_a_plain_loop(means):
    B, alpha, limits = 399, 0.05, np.array([-4.0, 1.0])
    result = bootstrap_t(means, limits[:, None], alpha=alpha, resamples=B, seed=5)
    weights = multiplicities(5, B, len(means))
    for c in range(means.shape[1]):
        t, x = looped(means[:, c], weights), means[~np.isnan(means[:, c]), c]
        se = stats.sem(x)
        assert result.mean[c] == pytest.approx(x.mean(), abs=1e-12)
        assert result.se[c] == pytest.approx(se, abs=1e-12)
        assert result.low[c] == pytest.approx(x.mean() - t[379] * se, abs=1e-9)
        assert result.high[c] == pytest.approx(x.mean() - t[19] * se, abs=1e-9)
        for k, limit in enumerate(limits):
            observed = (x.mean() - limit) / se
            assert result.p_above[k, c] == pytest.approx((1 + (t >= observed).sum()) / 400)
            assert result.p_below[k, c] == pytest.approx((1 + (t <= observed).sum()) / 400)


def test_p_values_and_interval_draw_the_same_line():
    """A threshold is excluded by the interval exactly when its p-value is at most alpha."""
    thresholds = np.linspace(-6, 3, 181)[:, None]
    result = bootstrap_t(HOLES, thresholds, alpha=0.05, resamples=999, seed=1)
    np.testing.assert_array_equal(result.p_above <= 0.05, thresholds < result.low)
    np.testing.assert_array_equal(result.p_below <= 0.05, thresholds > result.high)


def test_large_normal_samples_give_the_interval_of_student_and_of_scipys_bootstrap():
    x = np.random.default_rng(3).normal(2, 5, 400)
    ours = bootstrap_t(x[:, None], [[0.0]], alpha=0.05, resamples=10_000, seed=1)
    student = stats.ttest_1samp(x, 0).confidence_interval(0.9)
    basic = stats.bootstrap((x,), np.mean, confidence_level=0.9, method="BCa", n_resamples=10_000, rng=1)
    for other in (student, basic.confidence_interval):
        assert ours.low[0] == pytest.approx(other.low, abs=0.03)
        assert ours.high[0] == pytest.approx(other.high, abs=0.03)


def test_a_column_does_not_depend_on_its_company():
    wide = np.tile(HOLES, (1, 40))
    together = bootstrap_t(wide, [[-5.0], [5.0]], alpha=0.05, resamples=500, seed=9)
    for c in (0, 3, 129, 199):
        alone = bootstrap_t(wide[:, [c]], [[-5.0], [5.0]], alpha=0.05, resamples=500, seed=9)
        np.testing.assert_allclose([alone.low[0], alone.high[0]], [together.low[c], together.high[c]], atol=1e-9)
        np.testing.assert_array_equal(alone.p_above[:, 0], together.p_above[:, c])


def test_resamples_that_are_not_kept_in_memory_are_the_same(monkeypatch):
    kept = bootstrap_t(HOLES, [[0.0]], alpha=0.05, resamples=2500, seed=4)
    monkeypatch.setattr(bootstrap, "CACHED_CELLS", 10)
    drawn = bootstrap_t(HOLES, [[0.0]], alpha=0.05, resamples=2500, seed=4)
    np.testing.assert_array_equal(kept.low, drawn.low)
    np.testing.assert_array_equal(kept.p_above, drawn.p_above)


def test_multiplicities_are_multinomial_and_repeatable():
    W = multiplicities(b"audit id", 3000, 12)
    assert W.shape == (3000, 12)
    assert (W.sum(axis=1) == 12).all()
    assert W.mean(axis=0) == pytest.approx(np.ones(12), abs=0.1)
    assert W.var() == pytest.approx(11 / 12, abs=0.05)
    np.testing.assert_array_equal(W, multiplicities(int.from_bytes(b"audit id", "big"), 3000, 12))
    assert (multiplicities(1, 3000, 12) != W).any()
    with pytest.raises(ValueError, match="read-only"):
        W[0, 0] = 1


def test_columns_without_spread_have_no_interval_and_no_significance():
    means = np.column_stack([np.full(30, 3.3), np.full(30, np.nan), np.append(1.0, np.full(29, np.nan))])
    result = bootstrap_t(means, [[0.0]], alpha=0.05, resamples=199, seed=0)
    assert result.n_clusters.tolist() == [30, 0, 1]
    assert np.isnan(result.low).all()
    assert (result.p_above == 1).all()
    assert (result.p_below == 1).all()
    assert result.se[0] == 0


def test_rare_events_widen_the_interval_and_leave_no_nan():
    """With 3 of 30 different, about 4 % of the resamples have no spread."""
    result = bootstrap_t(np.append(np.zeros(27), [-20, -40, -60])[:, None], [[0.0]], alpha=0.05, resamples=999, seed=0)
    student = result.mean[0] - stats.t.ppf(0.95, 29) * result.se[0]
    assert result.low[0] < student


def test_no_conditions_and_no_clusters():
    assert bootstrap_t(np.empty((5, 0)), np.empty((2, 1)), alpha=0.05, seed=0).low.shape == (0,)
    assert np.isnan(bootstrap_t(np.empty((0, 2)), [[0.0]], alpha=0.05, seed=0).mean).all()


def test_too_few_resamples_and_bad_seeds_are_refused():
    with pytest.raises(ValueError, match="resamples = 10"):
        bootstrap_t(SCORES, [[0.0]], alpha=0.05, resamples=10, seed=0)
    with pytest.raises(ValueError, match="negative"):
        seed_number(-1)
    with pytest.raises(ValueError, match="at least 1"):
        multiplicities(0, 0, 5)
