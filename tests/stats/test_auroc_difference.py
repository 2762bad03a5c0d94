"""The paired difference of two areas: against DeLong's variance written out, its limits, and its own interval."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditkit.stats.auroc import auroc
from auditkit.stats.auroc_difference import auroc_difference, auroc_difference_test


def scores(n: int, shift_new: float, shift_old: float, seed: int, alike: float = 0.8):
    """Clean and treated scores of n images from both versions, alike in part."""
    rng = np.random.default_rng(seed)
    common, own = rng.normal(size=(2, n)), rng.normal(size=(2, 2, n))
    both = np.sqrt(alike) * common + np.sqrt(1 - alike) * own
    (clean_new, treated_new), (clean_old, treated_old) = both
    return (clean_new, treated_new - shift_new), (clean_old, treated_old - shift_old)


def compare(new, old, clusters=None, alpha=0.05, strata=None):
    return auroc_difference(new, old, np.arange(len(new[0])) if clusters is None else clusters, alpha, strata)


def kernel(clean, treated):
    return (clean[:, None] > treated[None, :]) + 0.5 * (clean[:, None] == treated[None, :])


def delong(new, old):
    """Variance of the difference of two areas by DeLong's structural components, patients paired on both sides."""
    wins = kernel(*new) - kernel(*old)
    rows, columns = wins.mean(axis=1), wins.mean(axis=0)
    n = len(rows)
    deviation = (rows - rows.mean()) + (columns - columns.mean())
    return deviation @ deviation / (n * (n - 1))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_many_patients_agree_with_delong(seed):
    new, old = scores(400, 1.0, 1.4, seed)
    result = compare(new, old)
    assert result.estimate == pytest.approx(kernel(*new).mean() - kernel(*old).mean())
    assert (result.new, result.old) == pytest.approx((kernel(*new).mean(), kernel(*old).mean()))
    assert result.spread == pytest.approx(np.sqrt(delong(new, old)), rel=0.02)


def test_what_the_versions_share_cancels():
    """Unpaired, the difference would spread more than either area alone."""
    new, old = scores(100, 1.2, 1.2, 4, alike=0.98)
    result = compare(new, old)
    alone = auroc(*new, np.arange(100), np.arange(100), 0.05)
    assert result.spread < 0.3 * alone.spread


def test_turned_round_it_is_the_negative():
    new, old = scores(80, 0.8, 1.5, 5)
    one, other = compare(new, old), compare(old, new)
    assert (other.estimate, other.between, other.skewness) == pytest.approx(
        (-one.estimate, -one.between, -one.skewness)
    )
    assert other.high == pytest.approx(-one.low)


def test_copies_of_the_images_are_no_evidence():
    new, old = scores(60, 0.9, 1.5, 6)
    one = compare(new, old)
    copied = [tuple(np.repeat(side, 4) for side in version) for version in (new, old)]
    four = compare(*copied, clusters=np.repeat(np.arange(60), 4))
    assert four.n_clusters == one.n_clusters == 60
    assert four.spread == pytest.approx(one.spread, rel=0.05)
    pretended = compare(*copied, clusters=np.arange(240))
    assert pretended.spread < 0.6 * one.spread


@pytest.mark.parametrize(
    ("G", "margin", "passes"), [(56, 0.10, False), (57, 0.10, True), (116, 0.05, False), (117, 0.05, True)]
)
def test_perfect_separation_is_no_certainty(G, margin, passes):
    perfect = np.full(G, 80.0), np.full(G, 20.0)
    result = compare(perfect, perfect)
    assert result.low == pytest.approx(0.05 ** (2 / G) - 1)
    p_pass, p_fail = auroc_difference_test(result, margin)
    assert (p_pass < 0.05) == (result.low > -margin) == passes
    assert p_fail == 1.0


def test_a_score_that_has_become_constant_fails():
    n = 40
    result = compare((np.full(n, 50.0), np.full(n, 50.0)), (np.full(n, 80.0), np.full(n, 20.0)))
    assert result.estimate == -0.5
    p_pass, p_fail = auroc_difference_test(result, 0.1)
    assert p_pass == 1.0
    assert p_fail == pytest.approx((1.1 / 1.5) ** 20)  # nothing varies: only who was not seen
    assert result.high == pytest.approx(1 - 1.5 * 0.05 ** (2 / n))
    assert result.high < -0.1


def test_images_are_compared_within_their_stratum():
    """Modalities with scores of their own level: pooled, the levels drown what is to be seen."""
    (clean_new, treated_new), (clean_old, treated_old) = scores(120, 1.0, 2.0, 7)
    strata = np.arange(120) % 3
    level = 50.0 * strata
    shifted = compare((clean_new + level, treated_new + level), (clean_old + level, treated_old + level), strata=strata)
    plain = compare((clean_new, treated_new), (clean_old, treated_old), strata=strata)
    assert shifted == plain
    each = [
        compare(
            (clean_new[strata == s], treated_new[strata == s]), (clean_old[strata == s], treated_old[strata == s])
        ).estimate
        for s in range(3)
    ]
    assert shifted.estimate == pytest.approx(np.mean(each))
    pooled = compare((clean_new + level, treated_new + level), (clean_old + level, treated_old + level))
    assert abs(pooled.estimate) < 0.5 * abs(shifted.estimate)


def test_a_picture_that_one_version_has_not_scored_is_left_out_of_both_areas():
    new, old = scores(50, 1.0, 1.0, 8)
    clean = new[0].copy()
    clean[:20] = np.nan
    result = compare((clean, new[1]), old)
    assert result.n == 80
    assert result.estimate == pytest.approx(kernel(new[0][20:], new[1]).mean() - kernel(old[0][20:], old[1]).mean())


@given(st.integers(2, 60), st.integers(0, 99), st.floats(0, 3), st.floats(0, 3), st.sampled_from([0.0, 1.0, 2.0]))
@settings(max_examples=60)
def test_interval_and_p_values_agree(G, seed, shift_new, shift_old, step):
    new, old = scores(2 * G, shift_new, shift_old, seed)
    if step:
        new, old = (tuple(np.round(side / step) for side in version) for version in (new, old))
    result = compare(new, old, clusters=np.repeat(np.arange(G), 2))
    assert -1 <= result.low <= result.estimate <= result.high <= 1
    for margin in (0.03, 0.1):
        p_pass, p_fail = auroc_difference_test(result, margin)
        if min(abs(result.low + margin), abs(result.high + margin)) > 1e-9:
            assert (p_pass < 0.05) == (result.low > -margin)
            assert (p_fail < 0.05) == (result.high < -margin)


def test_little_or_nothing():
    nothing = np.full(5, np.nan)
    result = compare((nothing, nothing), (nothing, nothing))
    assert (result.n_clusters, result.low, result.high) == (0, -1, 1)
    assert auroc_difference_test(result, 0.1) == (1.0, 1.0)
    one = compare((np.ones(3), np.zeros(3)), (np.ones(3), np.zeros(3)), clusters=np.zeros(3, dtype=int))
    assert (one.n_clusters, one.low, one.high) == (1, -1, 1)
    assert auroc_difference_test(one, 0.1) == (1.0, 1.0)


def test_what_makes_no_sense_is_refused():
    new, old = scores(10, 1, 1, 0)
    with pytest.raises(ValueError, match="one shape"):
        compare((new[0][:5], new[1]), old)
    with pytest.raises(ValueError, match="error per side"):
        compare(new, old, alpha=0.6)
    with pytest.raises(ValueError, match="between 0 and 1"):
        auroc_difference_test(compare(new, old), 0.0)


def test_one_patient_whose_place_moved_does_not_make_the_interval_narrower():
    clusters, scores = np.arange(40), np.full(40, 95.0)
    fallen = np.where(clusters % 2 == 0, 60.0, 95.0)
    same = auroc_difference((scores, fallen), (scores, fallen), clusters, 0.05)
    moved = auroc_difference((scores, np.where(clusters == 1, 60.0, fallen)), (scores, fallen), clusters, 0.05)
    assert moved.high - moved.low >= 0.95 * (same.high - same.low)
    within, beyond = (auroc_difference_test(moved, move - moved.low)[0] for move in (1e-9, -1e-9))
    assert within < 0.05 < beyond


@pytest.mark.parametrize("images", [1, 3])
def test_equal_versions_are_as_uncertain_as_their_patients_are_few(images):
    """Nothing moved, or treated equals clean in both: no variance, and never certainty."""
    rng, clusters = np.random.default_rng(3), np.repeat(np.arange(40), images)
    clean, treated = rng.normal(70, 10, (2, 40 * images)).round()
    for version in ((clean, treated), (clean, clean), (np.full(40 * images, 50.0),) * 2):
        result = compare(version, version, clusters=clusters)
        assert (result.estimate, result.spread) == (0, 0)
        assert (result.low, result.high) == pytest.approx((0.05 ** (2 / 40) - 1, 1 - 0.05 ** (2 / 40)))
        assert auroc_difference_test(result, 0.12) == pytest.approx((0.88**20, 1.0))
