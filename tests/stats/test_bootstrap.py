"""The joint studentised bootstrap against a plain loop over the same resamples, and against scipy."""

from fractions import Fraction

import numpy as np
import pytest
from scipy import stats

from auditkit.stats import bootstrap
from auditkit.stats.bootstrap import bootstrap_t, multiplicities, resampled_t, seed_number


def kinds_of_scores() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(20)
    scores = np.round(rng.normal(-2, 6, (40, 5)) / 2.5) * 2.5
    return {
        "complete": scores,
        "missing values": np.where(rng.random(scores.shape) < 0.1, np.nan, scores),
        "half missing": np.where(rng.random(scores.shape) < 0.5, np.nan, scores),
        "thirds": scores + 5 / 3 * rng.integers(0, 3, scores.shape),
        "no grid": rng.normal(-2, 6, scores.shape),
        "no grid, missing values": np.where(rng.random(scores.shape) < 0.03, np.nan, rng.normal(-2, 6, scores.shape)),
    }


KINDS = kinds_of_scores()
SCORES, HOLES = KINDS["complete"], KINDS["missing values"]


def looped(x: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The t statistic of every resample, the resamples written out one by one."""
    out = []
    for row in weights.astype(int):
        sample = np.repeat(x, row)
        sample = sample[~np.isnan(sample)]
        se = sample.std(ddof=1) / np.sqrt(len(sample))
        out.append((sample.mean() - np.nanmean(x)) / se)
    return np.sort(out)


@pytest.mark.parametrize("means", KINDS.values(), ids=KINDS)
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


def studentised(sample: np.ndarray, axis: int) -> np.ndarray:
    """The t statistic of resamples whose centre is 0."""
    n = (~np.isnan(sample)).sum(axis=axis)
    return np.nanmean(sample, axis=axis) / np.nanstd(sample, axis=axis, ddof=1) * np.sqrt(n)


@pytest.mark.parametrize("means", KINDS.values(), ids=KINDS)
def test_scipy_draws_the_same_resamples_from_the_same_seed(means):
    """Percentiles of the studentised mean, at the level where scipy's interpolation falls on the order statistics."""
    B, alpha, limits = 1999, 0.05, np.array([-4.0, 1.0])
    result = bootstrap_t(means, limits[:, None], alpha=alpha, resamples=B, seed=5)
    t = resampled_t(means, resamples=B, seed=5)
    level = 1 - 2 * (alpha * (B + 1) - 1) / (B - 1)
    for c, x in enumerate(means.T):
        centre, se = np.nanmean(x), stats.sem(x, nan_policy="omit")
        drawn = stats.bootstrap(
            (x - centre,), studentised, n_resamples=B, method="percentile", confidence_level=level, rng=5
        )
        np.testing.assert_allclose(t[c], drawn.bootstrap_distribution, atol=1e-9)
        assert result.low[c] == pytest.approx(centre - drawn.confidence_interval.high * se, abs=1e-9)
        assert result.high[c] == pytest.approx(centre - drawn.confidence_interval.low * se, abs=1e-9)


@pytest.mark.parametrize("kind", ["thirds", "missing values"])
def test_whole_numbers_are_only_faster(kind, monkeypatch):
    """Means of whole scores are summed exactly in single precision, anything else in double."""
    values = KINDS[kind]
    assert bootstrap._whole(values)[0].all()
    assert bootstrap._whole(1000 * values)[0].all()  # in a unit of its own
    assert not bootstrap._whole(np.append(1000 * values, np.ones((1, 5)), axis=0))[0].any()  # squares beyond 2^24
    assert not bootstrap._whole(values + np.pi)[0].any()
    mixed = np.column_stack([values, values + np.pi])
    assert bootstrap._whole(mixed)[0].tolist() == [True] * 5 + [False] * 5  # each column for itself
    limits = [[-5.0], [0.0]]
    fast = bootstrap_t(values, limits, alpha=0.05, resamples=999, seed=2)
    fast_t = resampled_t(values, resamples=999, seed=2)
    none = np.zeros(5, dtype=bool), np.zeros(values.shape, dtype=np.float32), np.ones(5)
    monkeypatch.setattr(bootstrap, "_whole", lambda *_: none)
    slow = bootstrap_t(values, limits, alpha=0.05, resamples=999, seed=2)
    np.testing.assert_allclose(fast_t, resampled_t(values, resamples=999, seed=2), atol=1e-11)
    for name in ("low", "high"):
        np.testing.assert_allclose(getattr(fast, name), getattr(slow, name), atol=1e-11)
    for name in ("p_above", "p_below"):
        np.testing.assert_array_equal(getattr(fast, name), getattr(slow, name))


@pytest.mark.parametrize("company", [np.zeros((24, 0)), np.random.default_rng(1).normal(size=(24, 1))], ids=["-", "pi"])
def test_resamples_that_tie_with_the_observed_difference_count_in_whatever_company(company):
    """Scores on a grid, a limit on the grid: t* >= t in exact fractions, S* sqrt(V) >= S sqrt(V*)."""
    x = 5 * np.random.default_rng(8).integers(-3, 2, 24)
    B, limit = 999, -5
    result = bootstrap_t(np.column_stack([x, company]), [[limit]], alpha=0.05, resamples=B, seed=3)
    above = below = ties = 0
    mean, spread = Fraction(int(x.sum()), 24), 24 * int((x**2).sum()) - int(x.sum()) ** 2
    for row in multiplicities(3, B, 24).astype(int):
        shift = Fraction(int(row @ x), 24) - mean
        signed = (mean - limit) * abs(mean - limit) * (24 * int(row @ x**2) - int(row @ x) ** 2)
        resampled = shift * abs(shift) * spread
        above, below, ties = above + (resampled >= signed), below + (resampled <= signed), ties + (resampled == signed)
    assert ties > 0
    assert result.p_above[0, 0] == (1 + above) / (B + 1)
    assert result.p_below[0, 0] == (1 + below) / (B + 1)


def test_statistics_of_all_conditions_come_from_the_same_resamples():
    x = SCORES[:, 0]
    t = resampled_t(np.column_stack([x, -2 * x + 3, np.full(40, 1.0), np.full(40, np.nan)]), resamples=300, seed=1)
    assert t.shape == (4, 300)
    np.testing.assert_allclose(t[1], -t[0], atol=1e-9)
    assert np.isnan(t[2:]).all()
    assert np.isnan(resampled_t(np.ones((5, 1)), resamples=7, seed=1)).all()
    with pytest.raises(ValueError, match="shape"):
        resampled_t(x, resamples=300, seed=1)


def test_resamples_without_spread_are_infinite_unless_nothing_has_moved():
    x = np.array([0.0, 0.0, 0.0, 6.0])
    t = resampled_t(np.column_stack([x, np.append(x[:3], np.nan), x + np.pi])[:, [0, 2]], resamples=500, seed=1)
    flat = (multiplicities(1, 500, 4)[:, 3] % 4) == 0
    np.testing.assert_array_equal(np.isinf(t), np.tile(flat, (2, 1)))
    assert (t[:, flat] < 0).any()
    assert (t[:, multiplicities(1, 500, 4)[:, 3] == 4] == np.inf).all()


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
        assert (alone.low[0], alone.high[0]) == (together.low[c], together.high[c])
        np.testing.assert_array_equal(alone.p_above[:, 0], together.p_above[:, c])


def test_resamples_that_are_not_kept_in_memory_are_the_same(monkeypatch):
    kept = bootstrap_t(HOLES, [[0.0]], alpha=0.05, resamples=2500, seed=4)
    monkeypatch.setattr(bootstrap, "CACHED_CELLS", 10)
    for cells, draws in ((1_000_000, 64_000), (40 * 300, 40 * 7), (1, 1)):
        monkeypatch.setattr(bootstrap, "CELLS", cells)
        monkeypatch.setattr(bootstrap, "DRAWS", draws)
        drawn = bootstrap_t(HOLES, [[0.0]], alpha=0.05, resamples=2500, seed=4)
        np.testing.assert_array_equal([kept.low, kept.high], [drawn.low, drawn.high])
        np.testing.assert_array_equal(kept.p_above, drawn.p_above)


def test_multiplicities_are_multinomial_and_repeatable():
    W = multiplicities(b"audit id", 3000, 12)
    assert W.shape == (3000, 12)
    assert (W.sum(axis=1) == 12).all()
    assert W.mean(axis=0) == pytest.approx(np.ones(12), abs=0.1)
    assert W.var() == pytest.approx(11 / 12, abs=0.05)
    np.testing.assert_array_equal(W, multiplicities(int.from_bytes(b"audit id", "big"), 3000, 12))
    assert (multiplicities(1, 3000, 12) != W).any()
    W[:] = 0  # what was handed out is not what is kept
    assert (multiplicities(b"audit id", 3000, 12).sum(axis=1) == 12).all()


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
