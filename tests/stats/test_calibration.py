"""Calibration against formulas written out, score tests of statsmodels, exact enumeration and simulation."""

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy import special, stats
from statsmodels.discrete.discrete_model import Logit

from auditkit.stats import calibration
from auditkit.stats.calibration import (
    calibration_in_the_large,
    errors_by_chance,
    expected_calibration_error,
    reliability,
    spiegelhalter,
)
from auditkit.stats.equivalence import equivalence
from auditkit.stats.rates import clustered_rate
from auditkit.stats.reduce import cluster_means

UNIFORM = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=40)


def calibrated(rng: np.random.Generator, sizes: tuple[int, ...], G: int, correlation: float):
    """Probabilities and outcomes, both correlated within patients, that agree exactly in distribution."""
    codes = np.repeat(np.arange(G), np.resize(sizes, G))

    def uniform():
        shared, own = rng.normal(0, 1, G)[codes], rng.normal(0, 1, codes.size)
        return stats.norm.cdf(math.sqrt(correlation) * shared + math.sqrt(1 - correlation) * own)

    p = uniform()
    return p, uniform() < p, codes


def test_one_image_per_patient_is_spiegelhalters_statistic():
    rng = np.random.default_rng(0)
    p, y, codes = calibrated(rng, (1,), 80, 0.0)
    # As published: observed less expected Brier score over the standard deviation that p gives it.
    brier, expected = np.mean((y - p) ** 2), np.mean(p * (1 - p))
    sd = math.sqrt(np.sum((1 - 2 * p) ** 2 * p * (1 - p))) / 80
    result = spiegelhalter(p, y, codes, 0.05)
    assert result.z == pytest.approx((brier - expected) / sd)
    assert result.p_fail == pytest.approx(2 * stats.norm.sf(abs(result.z)))
    assert (result.brier, result.brier_expected) == (pytest.approx(brier), pytest.approx(expected))
    assert (result.n, result.n_clusters, result.design_effect) == (80, 80, 1.0)


def test_it_is_the_score_test_of_a_logistic_model():
    """Rao's test of slope 0 in logit P = logit p + slope (1 - 2 p), score and information taken from statsmodels."""
    rng = np.random.default_rng(1)
    p, y, codes = calibrated(rng, (1,), 60, 0.0)
    x = np.column_stack([1 - 2 * p, special.logit(p)])
    model = Logit(y.astype(float), x)
    at_null = np.array([0.0, 1.0])
    z = model.score(at_null)[0] / math.sqrt(-model.hessian(at_null)[0, 0])
    assert spiegelhalter(p, y, codes, 0.05).z == pytest.approx(z)


def test_mean_and_variance_are_those_of_all_outcomes_enumerated():
    p = np.array([0.05, 0.2, 0.4, 0.7, 0.97])
    outcomes = np.array(list(product([0, 1], repeat=5)))
    weights = np.prod(np.where(outcomes == 1, p, 1 - p), axis=1)
    z = np.array([spiegelhalter(p, y, np.arange(5), 0.05).z for y in outcomes])
    assert weights @ z == pytest.approx(0, abs=1e-12)
    assert weights @ z**2 == pytest.approx(1)


def test_variance_with_clusters_written_out():
    rng = np.random.default_rng(2)
    p, y, codes = calibrated(rng, (1, 2, 3, 4), 30, 0.9)
    u = (y - p) * (1 - 2 * p)
    independent = np.sum((1 - 2 * p) ** 2 * p * (1 - p))
    pairs = sum(u[i] * u[j] for i in range(u.size) for j in range(u.size) if i != j and codes[i] == codes[j])
    result = spiegelhalter(p, y, codes, 0.05)
    assert result.design_effect == pytest.approx(max(1, 1 + pairs / independent))
    assert result.design_effect > 1
    assert result.z == pytest.approx(u.sum() / math.sqrt(independent + pairs))
    assert (result.n, result.n_clusters) == (p.size, 30)


def test_images_of_a_patient_that_balance_each_other_do_not_narrow_the_variance():
    """One of two images of each patient happens: their products add up to less than nothing."""
    p, y = np.full(60, 0.3), np.arange(60) % 2
    result = spiegelhalter(p, y, np.arange(60) // 2, 0.05)
    assert result.design_effect == 1
    assert result.z == pytest.approx(spiegelhalter(p, y, np.arange(60), 0.05).z)


def test_one_patient_with_every_image_the_same_counts_less_than_many():
    p = np.full(200, 0.2)
    y = np.arange(200) % 2 == 0
    alone = spiegelhalter(p, y, np.arange(200), 0.05)
    assert alone.decision == "beyond"
    lump = spiegelhalter(np.append(p, np.full(200, 0.2)), np.append(np.arange(200) % 5 == 0, np.ones(200, bool)),
                         np.append(np.arange(200), np.full(200, 200)), 0.05)  # fmt: skip
    assert lump.design_effect > 50
    assert lump.decision == "open"


@pytest.mark.parametrize(("G", "sizes", "correlation"), [(64, (1,), 0.0), (48, (1, 1, 2, 4), 0.5), (64, (4,), 0.8)])
def test_calibrated_probabilities_are_rejected_as_often_as_promised(G, sizes, correlation):
    """Standard error of a rate of 0.05 from 1,000 replicates: 0.007."""
    rng = np.random.default_rng([G, len(sizes)])
    rejected = sum(
        spiegelhalter(*calibrated(rng, sizes, G, correlation), 0.05).decision == "beyond" for _ in range(1000)
    )
    assert rejected / 1000 <= 0.05 + 3 * 0.007
    assert rejected / 1000 >= 0.015


def test_ignoring_patients_would_reject_too_often():
    rng = np.random.default_rng(5)
    naive = [spiegelhalter(p, y, np.arange(p.size), 0.05) for p, y, _ in
             (calibrated(rng, (8,), 40, 0.9) for _ in range(300))]  # fmt: skip
    assert np.mean([result.decision == "beyond" for result in naive]) > 0.15


@pytest.mark.parametrize(("stretch", "sign"), [(3.0, 1), (0.3, -1)])
def test_sign_tells_too_extreme_from_too_timid(stretch, sign):
    rng = np.random.default_rng(6)
    p, y, codes = calibrated(rng, (1, 2), 150, 0.3)
    result = spiegelhalter(special.expit(stretch * special.logit(p)), y, codes, 0.05)
    assert (result.decision, math.copysign(1, result.z)) == ("beyond", sign)


def test_probabilities_that_leave_nothing_to_chance():
    sure = [0.0, 1.0, 1.0, 0.5]
    kept = spiegelhalter(sure, [0, 1, 1, 0], np.arange(4), 0.05)
    assert math.isnan(kept.z)
    assert (kept.p_fail, kept.decision) == (1, "open")
    broken = spiegelhalter(sure, [1, 1, 1, 0], np.arange(4), 0.05)
    assert (broken.z, broken.p_fail, broken.decision) == (math.inf, 0, "beyond")
    nothing = spiegelhalter([np.nan], [1], [0], 0.05)
    assert (nothing.n, nothing.n_clusters, nothing.p_fail) == (0, 0, 1)
    assert math.isnan(nothing.brier)


@given(UNIFORM, st.integers(0, 100))
@example([(5e-324, True), (0.0, False), (0.0, False), (0.0, True)], 90)
@settings(max_examples=50, deadline=None)
def test_what_spiegelhalters_test_must_not_depend_on(rows, seed):
    p, y = np.array(rows).T
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 10, p.size)
    a = spiegelhalter(p, y, codes, 0.05)
    order = rng.permutation(p.size)
    b = spiegelhalter(p[order], y[order], 7 * codes[order] + 2, 0.05)
    # The other answer with the other probability is the same statement.
    c = spiegelhalter(1 - p, 1 - y, codes, 0.05)
    for other in (b, c):
        assert other.p_fail == pytest.approx(a.p_fail, rel=1e-6, abs=1e-9)
    holes = spiegelhalter(np.append(p, [np.nan, 0.3]), np.append(y, [1, np.nan]), np.append(codes, [0, 1]), 0.05)
    assert (holes.n, holes.p_fail) == (a.n, pytest.approx(a.p_fail))


def test_calibration_in_the_large_is_the_core_on_patient_means():
    p, y, codes = calibrated(np.random.default_rng(7), (1, 2), 120, 0.3)
    result = calibration_in_the_large(p, y, codes, 0.1, alpha=0.05, seed=4, resamples=999)
    means = cluster_means((y - p)[:, None], codes)
    expected = equivalence(means, -0.1, 0.1, alpha=0.05, seed=4, resamples=999, value_range=1.0)[0]
    assert result == expected
    student = stats.ttest_1samp(means[:, 0], 0).confidence_interval(0.9)
    assert (result.low, result.high) == pytest.approx((student.low, student.high), abs=0.01)


def test_calibration_in_the_large_three_answers():
    rng = np.random.default_rng(8)
    p, y, codes = calibrated(rng, (1,), 400, 0.0)

    def decision(probabilities, margin=0.08):
        return calibration_in_the_large(probabilities, y, codes, margin, alpha=0.05, seed=1, resamples=499).decision

    assert [decision(p), decision(p, 0.02), decision(np.clip(p + 0.3, 0, 1))] == ["inside", "open", "beyond"]


def test_events_that_never_happen_are_no_certainty():
    """Probability 0 for what did not happen, 30 times: nothing is known about the rare case."""
    result = calibration_in_the_large(np.zeros(30), np.zeros(30), np.arange(30), 0.05, alpha=0.05, seed=1)
    assert (result.decision, result.n_informative) == ("open", 0)
    enough = calibration_in_the_large(np.zeros(59), np.zeros(59), np.arange(59), 0.05, alpha=0.05, seed=1)
    assert enough.decision == "inside"


def test_calibration_in_the_large_errs_as_promised_at_the_margin():
    """All probabilities 0.1 below the truth, margin 0.1, two images a patient; standard error of 0.05 here: 0.011."""
    rng = np.random.default_rng(9)
    passed = failed = 0
    for seed in range(400):
        p, y, codes = calibrated(rng, (1, 2), 48, 0.4)
        # What did not happen happens after all with probability 0.1 / (1 - p): its rate is p + 0.1.
        late = rng.random(p.size) < 0.1 / np.maximum(1 - p, 0.1)
        p = np.minimum(p, 0.9)
        result = calibration_in_the_large(p, y | late, codes, 0.1, alpha=0.05, seed=seed, resamples=199)
        passed += result.decision == "inside"
        failed += result.decision == "beyond"
    assert max(passed, failed) / 400 <= 0.055 + 3 * 0.011


@given(UNIFORM, st.integers(1, 12))
@settings(max_examples=60, deadline=None)
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
        (lambda: spiegelhalter([0.5], [1], [0], 0.5), "level of the test"),
        (lambda: spiegelhalter([0.5, 0.5], [1], [0, 1], 0.05), r"both have shape \(n,\)"),
        (lambda: spiegelhalter([70.0], [1], [0], 0.05), "between 0 and 1, got 70 to 70"),
        (lambda: spiegelhalter([0.7], [2], [0], 0.05), "outcomes are 0 or 1, got 2"),
        (lambda: spiegelhalter([0.7], [1], [0.5], 0.05), "clusters must be integer codes"),
        (lambda: calibration_in_the_large([0.7], [1], [0], 5.0, alpha=0.05, seed=0), "difference of probabilities"),
        (lambda: expected_calibration_error([0.7], [1], 0), "bins must be at least 1"),
        (lambda: reliability([0.7], [1], [0], 0, 0.05), "bins must be at least 1"),
        (lambda: reliability([0.7], [1], [0], 5, 0.6), "error per side"),
    ],
)
def test_unusable_input_is_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()
