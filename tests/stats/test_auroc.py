"""Areas against double loops and Mann-Whitney, variances against DeLong and a real jackknife, and the edges."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special, stats

from auditkit.stats.auroc import auroc, auroc_test

GRID = st.lists(st.integers(0, 6).map(lambda k: 15.0 * k), min_size=2, max_size=25)


def kernel(x, y):
    x, y = np.asarray(x)[:, None], np.asarray(y)[None, :]
    return (x > y) + 0.5 * (x == y)


def between_patients(x, y, group_x, group_y) -> float:
    """Area among pairs of different patients, by definition."""
    different = np.asarray(group_x)[:, None] != np.asarray(group_y)[None, :]
    return float(kernel(x, y)[different].mean())


def left_out(x, y, group_x, group_y) -> np.ndarray:
    """By how much leaving out each patient lowers the area between patients, by doing so."""
    x, y, group_x, group_y = map(np.asarray, (x, y, group_x, group_y))
    whole = between_patients(x, y, group_x, group_y)
    return np.array(
        [
            whole - between_patients(x[group_x != g], y[group_y != g], group_x[group_x != g], group_y[group_y != g])
            for g in np.union1d(group_x, group_y)
        ]
    )


def paired(rng: np.random.Generator, G: int, images: int, shift: float):
    """Scores on a grid of 5 with a patient effect shared by clean and treated images."""
    codes = np.repeat(np.arange(G), images)
    base = rng.normal(60, 10, G)[codes]
    return (
        np.round((base + rng.normal(0, 8, codes.size)) / 5) * 5,
        np.round((base - shift + rng.normal(0, 8, codes.size)) / 5) * 5,
        codes,
    )


@given(GRID, GRID)
@settings(max_examples=40)
def test_area_equals_a_double_loop_and_mann_whitney(x, y):
    result = auroc(x, y, np.arange(len(x)), np.arange(len(y)), 0.05)
    assert result.estimate == pytest.approx(kernel(x, y).mean(), abs=1e-12)
    assert result.estimate == pytest.approx(stats.mannwhitneyu(x, y).statistic / len(x) / len(y), abs=1e-12)
    assert 0 <= result.low <= result.estimate + 1e-12
    assert result.estimate - 1e-12 <= result.high <= 1


def test_variance_of_independent_single_images_is_delongs(rng):
    x, y = rng.normal(1, 1, 30), rng.normal(0, 1, 50)
    k = kernel(x, y)
    delong = k.mean(axis=1).var(ddof=1) / 30 + k.mean(axis=0).var(ddof=1) / 50
    result = auroc(x, y, np.arange(30), 30 + np.arange(50), 0.05)
    assert result.se == pytest.approx(np.sqrt(delong), rel=1e-9)
    assert result.n_clusters == 80


def test_variance_of_clustered_pairs_is_close_to_leaving_one_patient_out(rng):
    """The jackknife over patients estimates the same variance; the two differ by terms of order 1 / G."""
    x, y, codes = paired(rng, 120, 3, 10)
    left_out = [kernel(x[codes != g], y[codes != g]).mean() for g in range(120)]
    jackknife = np.sqrt(119 / 120 * ((left_out - np.mean(left_out)) ** 2).sum())
    result = auroc(x, y, codes, codes, 0.05)
    assert result.se == pytest.approx(jackknife, rel=0.02)
    alone = auroc(x, y, np.arange(360), np.arange(360, 720), 0.05)
    assert abs(alone.se / jackknife - 1) > 0.05  # ignoring patients gives another answer


def test_obuchowskis_formula_written_out_with_unequal_clusters(rng):
    """Different numbers of images and patients on the two sides, some patients on one side only."""
    group_x, group_y = np.array([0, 0, 1, 2, 2, 2, 3]), np.array([1, 2, 2, 3, 4, 4])
    x, y = rng.normal(1, 1, 7), rng.normal(0, 1, 6)
    k, area = kernel(x, y), kernel(x, y).mean()
    a = np.array([(k.mean(axis=1) - area)[group_x == g].sum() for g in range(5)])
    b = np.array([(k.mean(axis=0) - area)[group_y == g].sum() for g in range(5)])
    s10, s01, s11 = 4 / (3 * 7) * (a @ a), 4 / (3 * 6) * (b @ b), 5 / 4 * (a @ b)
    variance = s10 / 7 + s01 / 6 + 2 * s11 / (7 * 6)
    assert auroc(x, y, group_x, group_y, 0.05).se == pytest.approx(np.sqrt(variance), rel=1e-9)


UNEQUAL = st.integers(0, 10_000).map(np.random.default_rng)


@given(UNEQUAL)
@settings(max_examples=40)
def test_pairs_of_one_patient_are_told_from_the_others(rng):
    """Unequal patients, many ties, some patients on one side only, against loops over pairs and patients."""
    group_x, group_y = rng.integers(0, 6, 15), rng.integers(2, 9, 11)
    x, y = rng.integers(0, 6, 15) * 10.0, rng.integers(0, 5, 11) * 10.0
    result = auroc(x, y, group_x, group_y, 0.05)
    assert result.between == pytest.approx(between_patients(x, y, group_x, group_y), abs=1e-12)
    u = left_out(x, y, group_x, group_y)
    G = u.size
    assert result.n_clusters == G
    assert result.spread == pytest.approx(max(result.se, np.sqrt((G - 1) / G * (u**2).sum())), rel=1e-9)
    assert result.df == pytest.approx(np.clip(3 * (u**2).sum() ** 2 / (u**4).sum(), 1, G - 1), rel=1e-9)
    assert result.skewness == pytest.approx((u**3).sum() / (u**2).sum() ** 1.5, abs=1e-9)


def test_a_clean_image_beats_its_own_twin_more_often():
    """Correlation within the patient: the area of all pairs is biased upwards, that between patients is not."""
    means = np.zeros(2)
    rng = np.random.default_rng(8)
    codes = np.repeat(np.arange(12), 3)
    for _ in range(400):
        base = rng.normal(0, 0.9, 12)[codes]
        x, y = base + rng.normal(0.8, 0.45, 36), base + rng.normal(0, 0.45, 36)
        result = auroc(x, y, codes, codes, 0.05)
        means += np.array([result.estimate, result.between]) / 400
    truth = stats.norm.cdf(0.8 / np.sqrt(2 * (0.9**2 + 0.45**2)))
    assert means[0] > truth + 0.01
    assert means[1] == pytest.approx(truth, abs=0.008)  # standard error 0.0035


@pytest.mark.parametrize(("G", "images", "shift"), [(60, 2, 8), (64, 1, 20), (40, 3, -6), (250, 1, 8), (250, 2, -12)])
def test_ends_are_the_farther_ones_of_the_logits_and_of_halls_interval(rng, G, images, shift):
    x, y, codes = paired(rng, G, images, shift)
    result = auroc(x, y, codes, codes, 0.05)
    area, t = result.estimate, stats.t.ppf(0.95, result.df)
    worst, best = sorted((area, between_patients(x, y, codes, codes)))
    logit_reach = t * result.spread / (area * (1 - area))
    u = left_out(x, y, codes, codes)
    hall = result.spread * (2 * t**2 + 1) / 6 * (u**3).sum() / (u**2).sum() ** 1.5
    reach = t * result.spread
    seen = 0.05 ** (2 / G)  # of the pairs: both patients are like those at hand
    low = min(special.expit(special.logit(worst) - logit_reach), worst - reach - max(0, -hall))
    high = max(special.expit(special.logit(best) + logit_reach), best + reach + max(0, hall))
    assert result.low == pytest.approx(min(low, area * seen), abs=1e-9)
    assert result.high == pytest.approx(max(high, 1 - (1 - area) * seen), abs=1e-9)
    assert (area * seen < low) == (G < 100)


def test_the_interval_is_never_narrower_than_students_on_the_logit(rng):
    """What it was before pairs of one patient, degrees of freedom and skewness were taken into account."""
    for G, images, shift in ((60, 2, 8), (64, 1, 20), (40, 3, -6), (33, 2, 0)):
        x, y, codes = paired(rng, G, images, shift)
        result = auroc(x, y, codes, codes, 0.05)
        reach = stats.t.ppf(0.95, G - 1) * result.se / (result.estimate * (1 - result.estimate))
        assert special.logit(result.low) <= special.logit(result.estimate) - reach + 1e-9
        assert special.logit(result.high) >= special.logit(result.estimate) + reach - 1e-9
        assert special.logit(result.low) > special.logit(result.estimate) - 1.6 * reach


def test_one_bad_patient_of_many_leaves_few_degrees_of_freedom(rng):
    x, codes = rng.normal(80, 5, 64), np.arange(64)
    y = rng.normal(20, 5, 64)
    x[0], x[1] = 20, 22
    result = auroc(x, y, codes, codes, 0.05)
    assert 1 <= result.df < 8
    assert result.skewness < -0.3
    assert auroc(y, x, codes, codes, 0.05).skewness == pytest.approx(-result.skewness)


def test_swapping_the_sides_mirrors_the_interval(rng):
    x, y, codes = paired(rng, 40, 2, 8)
    a, b = auroc(x, y, codes, codes, 0.05), auroc(y, x, codes, codes, 0.05)
    assert (b.estimate, b.low, b.high, b.se) == pytest.approx((1 - a.estimate, 1 - a.high, 1 - a.low, a.se))


def test_order_names_of_clusters_and_monotone_rescaling_do_not_matter(rng):
    x, y, codes = paired(rng, 40, 2, 8)
    order = rng.permutation(80)
    a = auroc(x, y, codes, codes, 0.05)
    b = auroc(np.exp(x[order] / 30), np.exp(y / 30), 2 * codes[order] + 5, 2 * codes + 5, 0.05)
    assert (a.estimate, a.low, a.se) == pytest.approx((b.estimate, b.low, b.se))


@pytest.mark.parametrize("alpha", [0.025, 0.05])
def test_p_values_and_interval_agree(rng, alpha):
    cases = [paired(rng, G, m, s) for G, m, s in ((40, 2, 3), (64, 1, 15), (35, 2, 45), (33, 1, -60))]
    cases.append((np.full(40, 50.0), np.full(40, 50.0), np.arange(40)))
    cases.append((np.append(np.full(33, 9.0), 2.0), np.append(np.full(33, 1.0), 8.0), np.arange(34)))
    cases += [(rng.integers(0, 2, 40) * 1.0, rng.integers(0, 2, 40) * 0.5, np.arange(40) // k) for k in (1, 1, 1)]
    for x, y, codes in cases:
        result = auroc(x, y, codes, codes, alpha)
        assert 0 <= result.low <= result.estimate <= result.high <= 1
        for floor in np.linspace(0.005, 0.995, 199):
            p_pass, p_fail = auroc_test(result, floor)
            assert (p_pass < alpha) == (result.low > floor)
            assert (p_fail < alpha) == (result.high < floor)


@given(UNEQUAL)
@settings(max_examples=40)
def test_p_values_of_any_few_patients_agree_and_are_monotone(rng):
    group_x, group_y = rng.integers(0, 5, 9), rng.integers(0, 7, 9)
    x, y = rng.integers(0, 4, 9) * 1.0, rng.integers(0, 4, 9) * 1.0
    alpha = float(rng.choice([0.025, 0.05, 0.2]))
    result = auroc(x, y, group_x, group_y, alpha)
    floors = np.linspace(0.004, 0.996, 125)
    p_pass, p_fail = np.array([auroc_test(result, floor) for floor in floors]).T
    clear = np.minimum(abs(floors - result.low), abs(floors - result.high)) > 1e-9
    assert ((p_pass < alpha) == (result.low > floors))[clear].all()
    assert ((p_fail < alpha) == (result.high < floors))[clear].all()
    assert (np.diff(p_pass) >= -1e-12).all()
    assert (np.diff(p_fail) <= 1e-12).all()
    assert ((p_pass >= 0) & (p_pass <= 1) & (p_fail >= 0) & (p_fail <= 1)).all()


def test_perfect_separation_is_bounded_by_the_number_of_patients(rng):
    x, codes = rng.uniform(60, 90, 64), np.arange(64)
    perfect = auroc(x, x - 50, codes, codes, 0.05)
    assert (perfect.estimate, perfect.high, perfect.se) == (1, 1, 0)
    assert perfect.low == pytest.approx(0.05 ** (2 / 64))  # pairs take two patients who are like those seen
    assert auroc_test(perfect, 0.9)[0] == pytest.approx(0.9**32)
    assert auroc(x - 50, x, codes, codes, 0.05).high == pytest.approx(1 - 0.05 ** (2 / 64))


@pytest.mark.parametrize(
    ("floor", "alpha", "least"), [(0.7, 0.05, 17), (0.9, 0.05, 57), (0.95, 0.05, 117), (0.9, 0.025, 71)]
)
def test_fewest_patients_that_pass_a_floor_when_all_are_told_apart(floor, alpha, least):
    for G in (least - 1, least):
        perfect = auroc(np.full(G, 80.0), np.full(G, 20.0), np.arange(G), np.arange(G), alpha)
        assert (perfect.low > floor) == (auroc_test(perfect, floor)[0] < alpha) == (least == G)


def test_almost_perfect_separation_is_not_bounded_more_tightly_than_perfect():
    x, codes = np.arange(64.0), np.arange(64)
    y = np.append(x[:-1] - 70, 0.0)
    almost = auroc(x, y, codes, codes, 0.05)
    assert 0.999 < almost.estimate < 1
    assert almost.low <= 0.05 ** (2 / 64)


def test_a_constant_score_is_no_certainty():
    codes = np.arange(40)
    result = auroc(np.full(40, 50.0), np.full(40, 50.0), codes, codes, 0.05)
    assert (result.estimate, result.se) == (0.5, 0)
    assert (result.low, result.high) == pytest.approx((0.5 * 0.05 ** (2 / 40), 1 - 0.5 * 0.05 ** (2 / 40)))


def test_how_few_patients_may_answer(rng):
    x, y, codes = paired(rng, 20, 2, 30)
    told_apart = auroc(x, y, codes, codes, 0.05)
    assert told_apart.estimate > 0.95
    # Patients who were not seen may take 1 - q^2 = 0.26 of the pairs.
    assert auroc_test(told_apart, 0.6)[0] < 0.05
    assert auroc_test(told_apart, 0.75)[0] > 0.05
    assert auroc_test(auroc(y, x, codes, codes, 0.05), 0.6)[1] < 0.05


def test_a_treatment_that_changes_nothing_leaves_no_variance(rng):
    """Each patient's shares of clean and treated cancel; the interval is the one of the patients not seen."""
    x, codes = rng.normal(60, 10, 40).round(), np.arange(40)
    result = auroc(x, x, codes, codes, 0.05)
    assert (result.estimate, result.between) == (pytest.approx(0.5), pytest.approx(0.5))
    assert (result.se, result.spread) == (0, 0)
    assert (result.low, result.high) == pytest.approx((0.5 * 0.05 ** (2 / 40), 1 - 0.5 * 0.05 ** (2 / 40)))


@given(UNEQUAL)
@settings(max_examples=60)
def test_identical_sides_leave_no_variance_to_the_last_digit(rng):
    """Whatever the scores and however many images a patient has: nothing may be left by rounding."""
    codes = rng.integers(0, 12, int(rng.integers(13, 70)))
    x = rng.normal(60, 10, codes.size).round(int(rng.integers(-1, 3)))
    result = auroc(x, x, codes, codes, 0.05)
    assert (result.se, result.spread, result.between, result.estimate) == (0, 0, 0.5, 0.5)


def test_one_patient_with_all_clean_images_is_in_every_pair():
    """Nothing is left without that patient, so the jackknife says nothing; Obuchowski's variance remains."""
    x, y = np.array([5.0, 6.0, 9.0]), np.arange(10.0)
    result = auroc(x, y, np.zeros(3, dtype=int), np.arange(10), 0.05)
    assert result.between == pytest.approx(kernel(x, y)[:, 1:].mean())
    assert result.spread >= result.se > 0
    assert 0 <= result.low < result.estimate < result.high <= 1
    alone = auroc(x, y[:2], np.zeros(3, dtype=int), np.array([1, 1]), 0.05)
    assert (alone.estimate, alone.spread) == (1, 0)


def test_missing_scores_are_left_out(rng):
    x, y, codes = paired(rng, 40, 2, 8)
    holes = x.copy()
    holes[::7] = np.nan
    keep = ~np.isnan(holes)
    assert auroc(holes, y, codes, codes, 0.05) == auroc(x[keep], y, codes[keep], codes, 0.05)


def test_one_cluster_and_no_data_settle_nothing():
    one = auroc([70.0, 80.0], [10.0, 20.0], [0, 0], [0, 0], 0.05)
    assert (one.estimate, one.low, one.high) == (1, 0, 1)
    none = auroc([np.nan], [10.0], [0], [0], 0.05)
    assert np.isnan(none.estimate)
    assert auroc_test(one, 0.7) == auroc_test(none, 0.7) == (1, 1)


def test_unusable_input_is_named():
    with pytest.raises(ValueError, match="between 0 and 1"):
        auroc_test(auroc([1.0, 2.0], [0.0, 1.0], [0, 1], [0, 1], 0.05), 1.0)
    with pytest.raises(ValueError, match="error per side"):
        auroc([1.0], [2.0], [0], [1], 0.7)
    with pytest.raises(ValueError, match="one-dimensional"):
        auroc([[1.0]], [2.0], [0], [1], 0.05)


@given(UNEQUAL)
@settings(max_examples=60)
def test_identical_sides_are_never_certain(rng):
    """Treated equal to clean, whatever the scores and the images of a patient: as uncertain as the patients are few."""
    codes = rng.integers(0, int(rng.integers(2, 60)), int(rng.integers(60, 90)))
    x = np.round(rng.normal(60, 10, codes.size) / 5) * 5 if rng.random() < 0.5 else np.full(codes.size, 50.0)
    alpha = float(rng.choice([0.025, 0.05]))
    result, G = auroc(x, x, codes, codes, alpha), np.unique(codes).size
    assert (result.low, result.high) == pytest.approx((0.5 * alpha ** (2 / G), 1 - 0.5 * alpha ** (2 / G)))
    for floor in (0.501, 0.52):
        assert auroc_test(result, floor)[1] == pytest.approx((2 * (1 - floor)) ** (G / 2))
    assert auroc_test(result, 0.499)[0] > (0.99 if G < 9 else 0.87)


def test_one_patient_who_is_told_apart_does_not_make_the_interval_narrower():
    """Of 32 patients with one score for all, the unseen may add as much as where not even one differs."""
    clean, clusters = np.full(32, 95.0), np.arange(32)
    before = auroc(clean, clean, clusters, clusters, 0.05)
    for differing in (1, 3, 9, 20):
        treated = np.where(clusters < differing, 80.0, 95.0)
        found = auroc(clean, treated, clusters, clusters, 0.05)
        assert found.high - found.low >= before.high - before.low - 1e-12
        for floor, side in ((found.low, 0), (found.high, 1)):
            inwards = 1e-9 if side == 0 else -1e-9
            assert auroc_test(found, floor - inwards)[side] < 0.05 < auroc_test(found, floor + inwards)[side]


def test_several_images_of_a_patient_are_one_patient_for_that():
    clusters = np.repeat(np.arange(20), 3)
    clean = np.full(60, 95.0)
    treated = np.where(clusters < 4, 80.0, 95.0)  # twelve images of four patients
    found = auroc(clean, treated, clusters, clusters, 0.05)
    assert found.high - found.low >= 1 - 0.05 ** (2 / 20) - 1e-12
