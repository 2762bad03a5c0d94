"""Paired gaps between templates against scipy; the variance component against OLS, MixedLM and simulation."""

import math
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.optimize import brentq
from statsmodels.formula.api import mixedlm
from statsmodels.regression.linear_model import OLS

from auditkit.stats.equivalence import EMPTY, UNION, equivalence
from auditkit.stats.reduce import cluster_means
from auditkit.stats.templates import TemplateGap, template_gap, variance_component


def layout(seed: int, n: int, T: int, sd: float = 0.0, noise: float = 6.0) -> np.ndarray:
    """Scores of n images under T templates: images differ by 15 points, templates by ``sd``."""
    rng = np.random.default_rng(seed)
    return 60 + rng.normal(0, 15, (n, 1)) + rng.normal(0, sd, T) + rng.normal(0, noise, (n, T))


def judged(scores: np.ndarray, margin: float = 5.0, clusters: np.ndarray | None = None, **options) -> TemplateGap:
    options = {"alpha": 0.05, "seed": 2, "resamples": 499} | options
    return template_gap(scores, np.arange(len(scores)) if clusters is None else clusters, margin, **options)


def test_every_pair_is_the_paired_test_of_scipy():
    scores = layout(1, 80, 4, noise=4)
    result = judged(scores, 30.0)
    for (i, j), pair in zip(combinations(range(4), 2), result.pairs, strict=True):
        paired = stats.ttest_rel(scores[:, i], scores[:, j])
        interval = pair.interval
        assert (pair.first, pair.second, interval.rule) == (str(i), str(j), UNION)
        assert interval.estimate == pytest.approx((scores[:, i] - scores[:, j]).mean())
        student = paired.confidence_interval(0.9)
        assert interval.low <= student.low + 1e-12
        assert interval.high >= student.high - 1e-12
        assert (interval.low, interval.high) == pytest.approx((student.low, student.high), abs=0.3)
        above = stats.ttest_rel(scores[:, i] + 30, scores[:, j], alternative="greater").pvalue
        below = stats.ttest_rel(scores[:, i] - 30, scores[:, j], alternative="less").pvalue
        assert interval.p_pass == pytest.approx(max(above, below), rel=1e-6)
    assert result.p_pass == max(pair.interval.p_pass for pair in result.pairs)


def test_pairs_use_the_images_that_both_templates_have():
    scores = layout(2, 90, 3)
    codes = np.random.default_rng(0).integers(0, 40, 90)
    scores[:20, 0] = np.nan
    scores[10:30, 2] = np.nan
    result = judged(scores, clusters=codes)
    for (i, j), pair in zip(combinations(range(3), 2), result.pairs, strict=True):
        both = ~np.isnan(scores[:, i]) & ~np.isnan(scores[:, j])
        by_patient = [
            (scores[both & (codes == g), i] - scores[both & (codes == g), j]).mean() for g in np.unique(codes[both])
        ]
        assert pair.interval.estimate == pytest.approx(np.mean(by_patient))
        assert pair.interval.n_clusters == len(by_patient)
    assert result.means == pytest.approx(np.nanmean(cluster_means(scores, codes), axis=0).tolist())


def test_templates_that_agree_pass_and_one_that_does_not_fails():
    same = layout(3, 64, 5, noise=3)
    agree = judged(same)
    assert (agree.decision, len(agree.pairs)) == ("inside", 10)
    one_off = same + np.array([0, 0, 0, 0, -9])
    result = judged(one_off, names=["a", "b", "c", "d", "terse"])
    assert result.decision == "beyond"
    assert {pair.second for pair in result.pairs if pair.interval.decision == "beyond"} == {"terse"}
    assert result.p_fail_holm <= 0.05
    assert result.largest.second == "terse"
    assert result.names[-1] == "terse"


def test_a_difference_that_holm_does_not_confirm_leaves_the_family_open():
    """One pair of 45 a little beyond the margin, all others noisy."""
    scores = layout(4, 60, 10, noise=8)
    scores[:, 3] -= 7.5
    result = judged(scores)
    uncorrected = [pair for pair in result.pairs if pair.interval.decision == "beyond"]
    assert uncorrected
    assert min(pair.p_fail_holm for pair in uncorrected) > 0.05
    assert result.decision == "open"
    assert result.p_fail_holm == pytest.approx(min(1, 45 * min(pair.interval.p_fail for pair in result.pairs)))


@given(st.integers(2, 5), st.integers(24, 50), st.integers(0, 1000))
@settings(max_examples=20, deadline=None)
def test_order_of_the_templates_does_not_matter(T, n, seed):
    scores = layout(seed, n, T, sd=2)
    order = np.random.default_rng(seed).permutation(T)
    a = judged(scores, resamples=99)
    b = judged(scores[:, order], resamples=99, names=[str(at) for at in order])
    assert (a.decision, a.p_pass) == (b.decision, pytest.approx(b.p_pass))
    assert abs(a.largest.interval.estimate) == pytest.approx(abs(b.largest.interval.estimate))
    gaps = {frozenset((p.first, p.second)): abs(p.interval.estimate) for p in b.pairs}
    for pair in a.pairs:
        assert gaps[frozenset((pair.first, pair.second))] == pytest.approx(abs(pair.interval.estimate))


def test_two_templates_are_one_call_of_the_core():
    scores = layout(5, 50, 2)
    expected = equivalence(scores[:, :1] - scores[:, 1:], -5, 5, alpha=0.025, seed=9, resamples=999)[0]
    assert judged(scores, alpha=0.025, seed=9, resamples=999).pairs[0].interval == expected


def test_a_template_without_answers_is_not_passed_over():
    scores = layout(6, 60, 3, noise=2)
    scores[:, 1] = np.nan
    result = judged(scores)
    assert result.decision == "open"
    assert [pair.interval.rule for pair in result.pairs] == [EMPTY, UNION, EMPTY]
    assert math.isnan(result.means[1])
    assert (result.largest.first, result.largest.second) == ("0", "2")
    assert judged(np.full((30, 2), np.nan)).largest is None


def test_errors_at_the_margin():
    """Five templates, the last exactly 5 points below the others; standard error of a rate of 0.05 here: 0.011."""
    rng = np.random.default_rng(7)
    passed = failed = 0
    for seed in range(400):
        scores = rng.normal(0, 4, (40, 5)) + np.array([0, 0, 0, 0, -5])
        decision = judged(np.round(scores), resamples=199, seed=seed).decision
        passed += decision == "inside"
        failed += decision == "beyond"
    assert passed / 400 <= 0.05
    assert failed / 400 <= 0.05 + 3 * 0.011


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"scores": np.zeros((5, 1))}, "two templates at least"),
        ({"scores": np.zeros(5)}, "two templates at least"),
        ({"scores": np.full((5, 3), np.inf)}, "infinite"),
        ({"scores": np.full((5, 3), [0.0, 0, 150])}, "beyond value_range=100"),
        ({"clusters": np.arange(4)}, "clusters must have shape"),
        ({"names": ["a", "b"]}, "3 different names"),
        ({"names": ["a", "b", "a"]}, "3 different names"),
        ({"margin": -5.0}, "margin is the largest gap"),
        ({"alpha": 0.0}, "error per side"),
    ],
)
def test_unusable_input_is_named(change, words):
    good = {"scores": np.zeros((5, 3)), "clusters": np.arange(5), "margin": 5.0, "alpha": 0.05, "seed": 0}
    with pytest.raises(ValueError, match=words):
        template_gap(**(good | change))


# The variance component


def test_mean_squares_are_those_of_least_squares():
    n, T = 20, 6
    scores = layout(8, n, T, sd=3)
    image, template = (index.ravel() for index in np.indices((n, T)))
    rows, columns = np.eye(n)[image], np.eye(T)[template]
    one = np.ones((n * T, 1))
    full = OLS(scores.ravel(), np.hstack([one, rows[:, 1:], columns[:, 1:]])).fit()
    without_templates = OLS(scores.ravel(), np.hstack([one, rows[:, 1:]])).fit()
    without_rows = OLS(scores.ravel(), np.hstack([one, columns[:, 1:]])).fit()
    v = variance_component(scores)
    assert v.ms_residual == pytest.approx(full.mse_resid)
    assert v.ms_templates == pytest.approx((without_templates.ssr - full.ssr) / (T - 1))
    assert v.ms_rows == pytest.approx((without_rows.ssr - full.ssr) / (n - 1))
    assert v.sd**2 == pytest.approx((v.ms_templates - v.ms_residual) / n)
    assert v.sd_rows**2 == pytest.approx((v.ms_rows - v.ms_residual) / T)
    assert v.sd_residual**2 == pytest.approx(v.ms_residual)


def test_estimates_are_those_of_a_mixed_model_with_crossed_effects():
    """In a balanced layout with positive estimates, restricted maximum likelihood and moments agree."""
    n, T = 12, 8
    scores = layout(9, n, T, sd=4)
    image, template = (index.ravel() for index in np.indices((n, T)))
    table = pd.DataFrame({"score": scores.ravel(), "image": image, "template": template, "all": 0})
    crossed = {"image": "0 + C(image)", "template": "0 + C(template)"}
    fitted = mixedlm("score ~ 1", table, groups="all", vc_formula=crossed).fit(reml=True)
    v = variance_component(scores)
    assert (v.sd_rows**2, v.sd**2) == pytest.approx(fitted.vcomp.tolist(), rel=1e-3)
    assert v.sd_residual**2 == pytest.approx(fitted.scale, rel=1e-3)


def test_ends_of_the_interval_solve_their_defining_equations():
    """Williams and Tukey: the F bound less the residual's share, on the scale of the chi-square bound."""
    n, T = 40, 12
    v = variance_component(layout(10, n, T, sd=3), alpha=0.025)
    assert v.level == pytest.approx(0.95)
    for end, f_tail, chi2_tail in ((v.low, stats.f.sf, stats.chi2.sf), (v.high, stats.f.cdf, stats.chi2.cdf)):
        chi2 = brentq(lambda x, tail: tail(x, T - 1) - 0.025, 1e-9, 200.0, args=(chi2_tail,))
        ratio = (v.ms_templates - end**2 * n * chi2 / (T - 1)) / v.ms_residual
        assert f_tail(ratio, T - 1, (n - 1) * (T - 1)) == pytest.approx(0.025, rel=1e-6)


def test_without_residual_the_interval_is_that_of_a_normal_variance():
    effects = np.random.default_rng(11).normal(0, 3, 15)
    v = variance_component(np.add.outer(np.arange(30.0), effects))
    assert v.sd == pytest.approx(effects.std(ddof=1))
    squares = 14 * effects.var(ddof=1)
    assert (v.low, v.high) == pytest.approx(
        (math.sqrt(squares / stats.chi2.ppf(0.95, 14)), math.sqrt(squares / stats.chi2.ppf(0.05, 14)))
    )
    assert (v.sd_residual, v.gated) == (0, True)


def bounds(T: int, sd: float, replicates: int) -> tuple[float, float]:
    """How often the lower end lies above the truth and the upper end below; residual sd 6, 64 images."""
    found = [variance_component(layout(seed, 64, T, sd=sd)) for seed in range(replicates)]
    return sum(v.low > sd for v in found) / replicates, sum(v.high < sd for v in found) / replicates


def test_the_bounds_err_as_often_as_promised():
    """Standard error of a rate of 0.05 from 1,500 replicates: 0.0056."""
    assert bounds(10, 1.5, 1500) == pytest.approx((0.05, 0.05), abs=3 * 0.0056)
    assert bounds(4, 0.0, 1500) == pytest.approx((0.05, 0.0), abs=3 * 0.0056)


@pytest.mark.slow
@pytest.mark.parametrize("T", [3, 5, 10, 20])
@pytest.mark.parametrize("sd", [0.5, 1.5, 3.0])
def test_the_bounds_err_as_often_as_promised_everywhere(T, sd):
    rates = bounds(T, sd, 4000)
    print(T, sd, rates)
    assert rates == pytest.approx((0.05, 0.05), abs=3 * 0.0035)


def test_few_templates_or_rows_are_reported_and_not_gated():
    scores = layout(12, 60, 12, sd=2)
    assert variance_component(scores).gated
    few = variance_component(scores[:, :9])
    assert (few.gated, few.n_templates) == (False, 9)
    assert few.low < few.sd < few.high
    assert not variance_component(scores[:23]).gated
    # Three templates bound nothing: the upper end is several times the estimate.
    three = [variance_component(layout(seed, 64, 3, sd=3)) for seed in range(200)]
    assert np.median([v.high for v in three]) > 3 * np.median([v.sd for v in three])


def test_no_variance_is_no_certainty():
    for constant in (0.0, 3.3):
        v = variance_component(np.full((30, 12), constant))
        assert (v.sd, v.gated) == (0, False)
        assert math.isnan(v.high)
    rows_only = variance_component(np.repeat(np.arange(30.0)[:, None], 12, axis=1))
    assert (rows_only.sd, rows_only.gated) == (0, False)
    assert rows_only.sd_rows == pytest.approx(np.arange(30).std(ddof=1))


def test_rows_with_a_gap_are_left_out_and_counted():
    scores = layout(13, 40, 10, sd=2)
    holes = scores.copy()
    holes[[3, 7], [0, 9]] = np.nan
    v = variance_component(holes)
    assert (v.n_rows, v.n_incomplete) == (38, 2)
    assert v.ms_templates == variance_component(np.delete(scores, [3, 7], axis=0)).ms_templates
    empty = variance_component(np.full((5, 3), np.nan))
    assert (empty.n_rows, empty.n_incomplete, empty.gated) == (0, 5, False)
    assert math.isnan(empty.sd)


@given(st.floats(-50, 50), st.floats(0.1, 3), st.integers(0, 100))
@settings(max_examples=30, deadline=None)
def test_shifting_and_scaling_the_scores(shift, factor, seed):
    scores = layout(seed, 30, 5, sd=2)
    scores_too = factor * scores + shift + np.random.default_rng(seed).normal(0, 20, (30, 1))
    a, b = variance_component(scores), variance_component(scores_too)
    for name in ("sd", "low", "high", "sd_residual"):
        assert getattr(b, name) == pytest.approx(factor * getattr(a, name), rel=1e-7, abs=1e-7)


def test_alpha_of_the_variance_component_is_checked():
    with pytest.raises(ValueError, match="error per side"):
        variance_component(np.zeros((5, 3)), alpha=0.5)
