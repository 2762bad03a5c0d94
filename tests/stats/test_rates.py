"""Clustered rates against Clopper-Pearson, their design effect against regression with robust errors."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.regression.linear_model import OLS
from statsmodels.stats.proportion import proportion_confint

from auditkit.stats.rates import MANY_PATIENTS, clustered_rate


def events(k: int, n: int) -> np.ndarray:
    return np.arange(n) < k


@pytest.mark.parametrize(("k", "n"), [(0, 64), (1, 64), (9, 64), (60, 64), (64, 64)])
def test_one_image_per_patient_is_clopper_pearson(k, n):
    rate = clustered_rate(events(k, n), np.arange(n), 0.05)
    assert (rate.low, rate.high) == pytest.approx(proportion_confint(k, n, 0.10, method="beta"), abs=1e-9)
    assert rate.design_effect == pytest.approx(1)


def test_design_effect_is_the_cluster_robust_variance_over_the_simple_one(rng):
    codes = np.sort(rng.integers(0, 80, 320))
    hit = rng.random(320) < rng.beta(0.5, 1.5, 80)[codes]
    robust = OLS(hit.astype(float), np.ones(320)).fit(
        cov_type="cluster", cov_kwds={"groups": codes, "use_correction": False}
    )
    G = len(np.unique(codes))
    expected = robust.bse[0] ** 2 * G / (G - 1) / (hit.var(ddof=1) / 320)
    assert expected > 1.2
    assert G >= MANY_PATIENTS
    assert clustered_rate(hit, codes, 0.05).design_effect == pytest.approx(expected, rel=1e-9)


def test_patients_whose_images_fall_together_count_once():
    """Eight copies of each patient's image say no more than one image."""
    hit = events(7, 40)
    once, copied = (clustered_rate(np.repeat(hit, m), np.repeat(np.arange(40), m), 0.05) for m in (1, 8))
    assert copied.n == 320
    assert copied.high > 0.9 * once.high
    assert (copied.low, copied.high) == pytest.approx((once.low, once.high), abs=0.015)


def test_few_events_take_the_worst_design_effect():
    codes = np.repeat(np.arange(16), 4)
    for k in (0, 1, 4, 60, 64):
        assert clustered_rate(events(k, 64), codes, 0.05).design_effect >= 4
    none = clustered_rate(events(0, 64), codes, 0.05)
    ratio = (stats.t.ppf(0.95, 63) / stats.t.ppf(0.95, 15)) ** 2
    assert none.high == pytest.approx(1 - 0.05 ** (1 / (16 * ratio)))


def test_one_patient_with_32_slices():
    codes = np.append(np.zeros(32, dtype=int), np.arange(1, 33))
    slices = clustered_rate(np.arange(64) < 32, codes, 0.05)
    assert slices.design_effect > 10
    assert slices.high > 0.9


@given(st.integers(0, 40), st.sampled_from([1, 2, 4]), st.sampled_from([0.01, 0.025, 0.05]))
@settings(max_examples=50)
def test_what_did_not_happen_mirrors_what_did(k, images, alpha):
    order = np.random.default_rng(k).permutation(40)
    result = clustered_rate(events(k, 40)[order], np.arange(40) // images, alpha)
    assert 0 <= result.low <= result.estimate <= result.high <= 1
    mirrored = clustered_rate(~events(k, 40)[order], np.arange(40) // images, alpha)
    assert (1 - mirrored.high, 1 - mirrored.low) == pytest.approx((result.low, result.high), abs=1e-9)


def test_one_cluster_and_no_images_settle_nothing():
    one = clustered_rate(events(2, 6), np.zeros(6, dtype=int), 0.05)
    assert (one.low, one.high, one.n_events) == (0, 1, 2)
    none = clustered_rate(np.empty(0, dtype=bool), np.empty(0, dtype=int), 0.05)
    assert np.isnan(none.estimate)
    assert (none.low, none.high) == (0, 1)


def test_unusable_input_is_named():
    codes = np.arange(4)
    with pytest.raises(ValueError, match="one bool per image"):
        clustered_rate(np.zeros(4), codes, 0.05)
    with pytest.raises(ValueError, match="error per side"):
        clustered_rate(events(1, 4), codes, 0.5)


@pytest.mark.parametrize("sizes", [(1, 1), (1, 2), (1, 1, 1), (2, 1, 1), (1, 1, 1, 1, 1), (3, 2), (8, 1, 1, 1)])
def test_a_handful_of_patients_gives_an_interval_and_no_nan(sizes):
    """Two patients have one degree of freedom, and Student's quantile of it is 0 / 0 near alpha 0.5 in scipy."""
    clusters = np.repeat(np.arange(len(sizes)), sizes)
    for k in range(len(clusters) + 1):
        for alpha in (0.05, 0.499999):
            result = clustered_rate(np.arange(len(clusters)) < k, clusters, alpha)
            assert 0 <= result.low <= result.estimate + 1e-9
            assert result.estimate - 1e-9 <= result.high <= 1


def test_a_rare_patient_in_whom_all_fails_is_not_hidden_by_events_that_fall_anywhere():
    """32 patients of 20 images exactly at the limit: 4 % of them fail throughout, and 1 % of all images anyhow."""
    rng, limit, missed = np.random.default_rng(5), 0.05, 0
    codes = np.repeat(np.arange(32), 20)
    for _ in range(200):
        hit = (rng.random(32) < 0.04)[codes] | (rng.random(codes.size) < 0.01 / 0.96)
        missed += clustered_rate(hit, codes, 0.05).high < limit
    assert missed <= 0.09 * 200
