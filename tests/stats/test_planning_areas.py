"""Power of an area against simulation, sizes against their definition."""

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats

from auditkit.stats.auroc import auroc, auroc_test
from auditkit.stats.planning_areas import auroc_power, auroc_se, clusters_to_settle_auroc


@pytest.mark.parametrize(("area", "floor"), [(0.5, 0.6), (0.76, 0.7), (0.8, 0.7), (0.6, 0.75)])
def test_power_of_an_area_equals_simulated_ones(area, floor):
    """Binormal scores, one clean and one treated image of each of 60 patients; 1,500 data sets (se at most 0.013).

    The logit is normal and its spread known only approximately: measured differences are below 0.03.
    """
    rng = np.random.default_rng(11)
    shift = math.sqrt(2) * stats.norm.ppf(area)
    codes, at_floor = np.arange(60), []
    for _ in range(1500):
        found = auroc(rng.standard_normal(60) + shift, rng.standard_normal(60), codes, codes, 0.05)
        at_floor.append(found.low > floor if area > floor else found.high < floor)
    spread = auroc_se(area, 60) * math.sqrt(60) / (area * (1 - area))
    assert auroc_power(60, area, spread, floor, 0.05) == pytest.approx(np.mean(at_floor), abs=0.06)


@pytest.mark.parametrize(("area", "floor"), [(0.9, 0.7), (0.97, 0.9), (0.99, 0.9)])
def test_as_many_patients_as_planned_pass_at_least_as_often_as_planned(area, floor):
    """Exponential scores, for which the standard error is exact; 400 data sets (0.015)."""
    n = clusters_to_settle_auroc(area, auroc_se(area, 100), 100, floor, 0.05)
    rng, codes, passed = np.random.default_rng(6), np.arange(n), 0
    for _ in range(400):
        clean, treated = rng.exponential(area / (1 - area), n), rng.exponential(1, n)
        passed += auroc(clean, treated, codes, codes, 0.05).low > floor
    assert 0.9 - 0.045 <= passed / 400 <= 0.985


@given(st.floats(0.55, 0.97), st.floats(0.5, 0.95), st.integers(2, 400))
@settings(max_examples=40)
def test_areas_mirror_one_another(area, floor, n):
    assume(abs(area - floor) > 1e-6)  # on the floor there are two sides to show
    power = auroc_power(n, area, 2.0, floor, 0.05)
    assert 0 <= power <= 1
    assert auroc_power(n, 1 - area, 2.0, 1 - floor, 0.05) == pytest.approx(power, abs=1e-9)


@pytest.mark.parametrize("area", [0.5, 0.8, 0.9])
def test_standard_error_of_an_area_is_that_of_exponential_scores(area):
    """20,000 data sets of 50 clean and 50 treated images: the standard deviation is known to 0.5 %."""
    rng = np.random.default_rng(5)
    clean, treated = rng.exponential(area / (1 - area), (20_000, 50)), rng.exponential(1, (20_000, 50))
    ranks = stats.rankdata(np.concatenate([clean, treated], axis=1), axis=1)[:, :50].sum(axis=1)
    areas = (ranks - 50 * 51 / 2) / 2500
    assert areas.mean() == pytest.approx(area, abs=0.002)
    assert auroc_se(area, 50) == pytest.approx(areas.std(), rel=0.02)


def test_standard_error_of_an_area_without_effect_and_of_perfect_separation():
    assert auroc_se(0.5, 40) == pytest.approx(math.sqrt(81 / 12 / 40**2), rel=1e-9)  # Mann and Whitney's
    assert auroc_se(1.0, 50) == 0


@pytest.mark.parametrize(("area", "floor"), [(0.9, 0.7), (0.6, 0.7), (0.97, 0.95)])
def test_clusters_for_an_area_are_the_smallest_number(area, floor):
    se = auroc_se(area, 100)
    n = clusters_to_settle_auroc(area, se, 100, floor, 0.05)
    spread = se * 10 / (area * (1 - area))
    assert auroc_power(n, area, spread, floor, 0.05) >= 0.9 > auroc_power(n - 1, area, spread, floor, 0.05)


def test_clusters_for_an_area_at_the_edges():
    assert clusters_to_settle_auroc(1.0, 0.0, 32, 0.7, 0.05) == 17  # 0.7 ** (17 / 2) < 0.05
    assert clusters_to_settle_auroc(1.0, 0.0, 32, 0.95, 0.05) == 117
    assert clusters_to_settle_auroc(0.9999, 1e-5, 32, 0.95, 0.05) == 118  # (0.95 / 0.9999) ** (117 / 2) > 0.05
    assert clusters_to_settle_auroc(0.5, 0.0, 32, 0.7, 0.05) == 12  # a constant score: shown to be below the floor
    for n, told in ((12, True), (11, False)):
        assert (auroc(np.zeros(n), np.zeros(n), range(n), range(n), 0.05).high < 0.7) == told
    for n, told in ((117, True), (116, False)):
        assert (auroc(np.ones(n), np.zeros(n), range(n), range(n), 0.05).low > 0.95) == told
    assert clusters_to_settle_auroc(0.7, 0.01, 32, 0.7, 0.05) is None
    assert clusters_to_settle_auroc(math.nan, 0.01, 32, 0.7, 0.05) is None
    assert auroc_power(1, 0.9, 1.0, 0.7, 0.05) == 0


def test_a_corrected_fail_leaves_out_who_was_not_seen_at_alpha():
    """Area .5 against a floor of .7, for a family of 300."""
    alpha, se = 0.05 / 300, auroc_se(0.5, 100)
    n = clusters_to_settle_auroc(0.5, se, 100, 0.7, alpha, unseen_alpha=0.05)
    assert n <= clusters_to_settle_auroc(0.5, se, 100, 0.7, alpha)
    assert clusters_to_settle_auroc(0.5, se / 8, 100, 0.7, alpha, unseen_alpha=0.05) < 20
    rng, codes, named = np.random.default_rng(3), np.arange(n), 0
    for _ in range(400):
        found = auroc(rng.standard_normal(n), rng.standard_normal(n), codes, codes, 0.05)
        named += auroc_test(found, 0.7)[1] <= alpha
    assert 0.8 < named / 400 < 0.95


def test_unusable_input_is_named():
    with pytest.raises(ValueError, match="areas lie between"):
        auroc_power(10, 0.9, 1, 1.0, 0.05)
    with pytest.raises(ValueError, match="one image or more"):
        auroc_se(0.9, 0)
