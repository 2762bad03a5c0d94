"""Calibration against formulas written out and simulation."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from auditkit.stats import calibration
from auditkit.stats.calibration import errors_by_chance, expected_calibration_error, reliability
from auditkit.stats.rates import clustered_rate

UNIFORM = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=40)


def calibrated(rng: np.random.Generator, sizes: tuple[int, ...], G: int, correlation: float):
    """Probabilities and outcomes, both correlated within patients, that agree exactly in distribution."""
    codes = np.repeat(np.arange(G), np.resize(sizes, G))

    def uniform():
        shared, own = rng.normal(0, 1, G)[codes], rng.normal(0, 1, codes.size)
        return stats.norm.cdf(math.sqrt(correlation) * shared + math.sqrt(1 - correlation) * own)

    p = uniform()
    return p, uniform() < p, codes


@given(UNIFORM, st.integers(1, 12))
@settings(max_examples=60)
def test_expected_calibration_error_bin_by_bin(rows, bins):
    p, y = np.array(rows).T
    total = 0.0
    for k in range(bins):
        last = k == bins - 1
        here = (p >= k / bins) & ((p < (k + 1) / bins) | last)
        if here.any():
            total += here.mean() * abs(y[here].mean() - p[here].mean())
    assert expected_calibration_error(p, y, bins) == pytest.approx(total, abs=1e-12)
    assert 0 <= total <= 1


def test_expected_calibration_error_of_constant_probabilities_has_a_closed_form():
    """All at 0.5: one bin, and the mean of |k / n - 1 / 2| for k binomial."""
    k = np.arange(65)
    expected = stats.binom.pmf(k, 64, 0.5) @ np.abs(k / 64 - 0.5)
    y = np.random.default_rng(10).random((3000, 64)) < 0.5
    found = np.mean([expected_calibration_error(np.full(64, 0.5), row) for row in y])
    assert found == pytest.approx(expected, abs=0.002)


def test_a_perfect_model_shows_an_expected_calibration_error():
    """The numbers of the docstring: standard errors are 0.001 or less."""
    rng = np.random.default_rng(11)

    def errors(draw, n, replicates):
        return [expected_calibration_error(p, rng.random(n) < p) for p in (draw(n) for _ in range(replicates))]

    uniform = errors(rng.random, 64, 1500)
    assert np.mean(uniform) == pytest.approx(0.124, abs=0.004)
    assert np.quantile(uniform, 0.95) == pytest.approx(0.176, abs=0.01)
    assert np.mean(errors(rng.random, 1024, 200)) == pytest.approx(0.031, abs=0.003)
    assert np.mean(errors(lambda n: rng.beta(0.5, 0.5, n), 64, 1500)) == pytest.approx(0.111, abs=0.004)


def test_errors_by_chance_are_those_of_the_outcomes_drawn_one_by_one(rng, monkeypatch):
    for n, cells in ((1, 10), (37, 100), (200, 10**6)):
        monkeypatch.setattr(calibration, "_CELLS", cells)
        p = rng.uniform(0.2, 1, n)  # the lowest bins are empty
        found = errors_by_chance(p, 10, 30, np.random.default_rng(7))
        again = np.random.default_rng(7)
        one_by_one = [expected_calibration_error(p, again.random(n) < p, 10) for _ in range(30)]
        np.testing.assert_allclose(found, one_by_one, rtol=0, atol=1e-14)


def test_points_of_the_curve_are_clustered_rates_of_their_bins():
    p, y, codes = calibrated(np.random.default_rng(12), (1, 2, 3), 60, 0.5)
    points = reliability(p, y, codes, 5, 0.05)
    assert [point.low for point in points] == pytest.approx([0, 0.2, 0.4, 0.6, 0.8])
    for point in points:
        here = (p >= point.low) & (p < point.high)
        assert point.mean_probability == pytest.approx(p[here].mean())
        assert point.observed == clustered_rate(y[here], codes[here], 0.05)
    assert sum(point.observed.n for point in points) == p.size
    weighted = sum(pt.observed.n * abs(pt.observed.estimate - pt.mean_probability) for pt in points) / p.size
    assert weighted == pytest.approx(expected_calibration_error(p, y, 5))


def test_edges_belong_to_the_upper_bin_and_empty_bins_have_no_point():
    points = reliability([0.0, 0.3, 0.7, 1.0, np.nan], [0, 1, 1, 1, 1], np.arange(5), 10, 0.05)
    assert [(point.low, point.high) for point in points] == [(0, 0.1), (0.3, 0.4), (0.7, 0.8), (0.9, 1)]
    assert reliability([], [], np.array([], dtype=int), 10, 0.05) == []
    assert math.isnan(expected_calibration_error([np.nan], [1]))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: expected_calibration_error([0.5, 0.5], [1]), r"both have shape \(n,\)"),
        (lambda: expected_calibration_error([70.0], [1]), "between 0 and 1, got 70 to 70"),
        (lambda: expected_calibration_error([0.7], [2]), "outcomes are 0 or 1, got 2"),
        (lambda: reliability([0.7], [1], [0.5], 5, 0.05), "clusters must be integer codes"),
        (lambda: expected_calibration_error([0.7], [1], 0), "bins must be at least 1"),
        (lambda: reliability([0.7], [1], [0], 0, 0.05), "bins must be at least 1"),
        (lambda: reliability([0.7], [1], [0], 5, 0.6), "error per side"),
    ],
)
def test_unusable_input_is_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()
