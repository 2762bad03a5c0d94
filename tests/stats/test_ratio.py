"""Ratios of errors: Fieller's closed form where it holds, bounds by hand where it does not, and no number else."""

import math

import numpy as np
import pytest
from scipy import stats

from auditkit.stats.equivalence import SPARSE, UNION, equivalence
from auditkit.stats.ratio import NO_DATA, NOT_FROM_ZERO, ratio_of_sums, ratio_to_fixed

SHARE = {"new_ends": (0.0, 1.0), "reference_ends": (0.0, 1.0)}
USUAL = {"alpha": 0.05, "seed": 4, "resamples": 2000}


def fieller(x: np.ndarray, y: np.ndarray, alpha: float = 0.05) -> tuple[float, float]:
    """The two ratios at which Student's interval of x - ratio * y ends at 0, by the quadratic formula."""
    t = stats.t.ppf(1 - alpha, x.size - 1)
    (xx, xy), (_, yy) = np.cov(x, y) * t * t / x.size
    a, b, c = y.mean() ** 2 - yy, x.mean() * y.mean() - xy, x.mean() ** 2 - xx
    root = math.sqrt(b * b - a * c)
    return (b - root) / a, (b + root) / a


def test_the_interval_is_fiellers_where_students_is_the_wider_one():
    """Symmetric values and many patients: the bootstrap's ends lie within a few hundredths of Student's."""
    rng = np.random.default_rng(11)
    x, y = 0.6 * rng.random(400), 0.5 * rng.random(400)
    found = ratio_of_sums(x, y, 1.1, **SHARE, **USUAL)
    low, high = fieller(x, y)
    assert found.estimate == pytest.approx(x.mean() / y.mean(), rel=1e-12)
    assert found.low <= low + 1e-4
    assert found.high >= high - 1e-4
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.04 * (high - low))
    assert found.rule.endswith(UNION)


@pytest.mark.parametrize("factor", [0.5, 3.0])
def test_the_ratio_moves_with_the_model(factor):
    rng = np.random.default_rng(5)
    x, y = rng.random(100), rng.random(100)
    one = ratio_of_sums(x, y, 1.2, **SHARE, **USUAL)
    other = ratio_of_sums(factor * x, y, 1.2 * factor, new_ends=(0.0, factor), reference_ends=(0.0, 1.0), **USUAL)
    assert (other.estimate, other.low, other.high) == pytest.approx(
        (factor * one.estimate, factor * one.low, factor * one.high), rel=1e-3
    )
    assert other.p_pass == pytest.approx(one.p_pass, rel=1e-6)


def test_the_decision_is_that_of_the_contrast():
    """By hand: k = new - 1.2 reference lies in -1.2 to 1, so it is counted from -0.1 and reaches 1.1 from there."""
    rng = np.random.default_rng(8)
    x, y = (rng.random(150) < 0.2).astype(float), (rng.random(150) < 0.4).astype(float)
    found = ratio_of_sums(x, y, 1.2, **SHARE, **USUAL)
    k = x - 1.2 * y
    [core] = equivalence((k + 0.1)[:, None], -np.inf, 0.1, alpha=0.05, seed=4, resamples=2000, value_range=1.1)
    assert found.ends == (-1.2, 1.0)
    assert (found.p_pass, found.decision) == (pytest.approx(core.p_pass, rel=1e-9), core.decision)
    assert found.contrast.estimate == pytest.approx(k.mean())


def test_ends_and_decision_agree_at_every_limit():
    rng = np.random.default_rng(21)
    x, y = (rng.random(80) < 0.25).astype(float), (rng.random(80) < 0.3).astype(float)
    decisions = set()
    for limit in (0.1, 0.3, 0.5, 0.8, 1.0, 1.5, 2.0, 4.0):
        found = ratio_of_sums(x, y, limit, **SHARE, **USUAL)
        decisions.add(found.decision)
        assert (found.decision == "inside") == (found.high < limit) == (found.p_pass <= 0.05)
        assert (found.decision == "beyond") == (found.low > limit) == (found.p_fail <= 0.05)
    assert decisions == {"inside", "beyond", "open"}


def test_a_reference_without_errors_gives_no_number():
    x = np.repeat([1.0, 0.0], [20, 44])
    found = ratio_of_sums(x, np.zeros(64), 2.0, **SHARE, **USUAL)
    assert np.isnan([found.estimate, found.low, found.high]).all()
    assert (found.reason, found.decision) == (NOT_FROM_ZERO, "open")
    assert min(found.p_pass, found.p_fail) > 0.05


def test_a_denominator_of_either_sign_gives_no_number_whatever_the_contrast_says():
    """Relative errors: the reference rises and falls alike, the model falls by half in every patient."""
    rng = np.random.default_rng(3)
    y = rng.choice([-0.5, 0.5], 100)
    ends = {"new_ends": (-1.0, 1.0), "reference_ends": (-1.0, 1.0)}
    found = ratio_of_sums(np.full(100, -0.5), y, 1.0, **ends, **USUAL)
    assert found.contrast.decision == "inside"  # and would have been called a ratio below 1
    assert (found.reason, found.decision) == (NOT_FROM_ZERO, "open")
    assert math.isnan(found.estimate)


def test_a_reference_that_improves_has_no_ratio_either():
    found = ratio_of_sums(np.full(200, 0.2), np.full(200, -0.3), 1.0, new_ends=(-1, 1), reference_ends=(-1, 1), **USUAL)
    assert found.reason == NOT_FROM_ZERO


def test_no_errors_of_the_model_pass_only_with_room_for_patients_not_seen():
    """The reference errs in all: ratio 0, whose upper end is by hand the u with q (-u) + (1 - q) 1 = 0."""
    for n in (24, 64):
        found = ratio_of_sums(np.zeros(n), np.ones(n), 0.5, **SHARE, **USUAL)
        q = 0.05 ** (1 / n)
        assert found.rule.endswith(SPARSE)
        assert found.low == 0 or found.low == pytest.approx(0, abs=1e-3)
        assert found.high == pytest.approx((1 - q) / q, abs=1e-3)


def test_sums_over_corruptions_are_compared_not_their_ratios():
    """A corruption in which the reference hardly errs does not carry the ratio away."""
    new = np.tile([0.5, 0.1], (60, 1))
    new[:, 0] += np.linspace(-0.1, 0.1, 60)
    reference = np.tile([0.5, 0.01], (60, 1))
    found = ratio_of_sums(new, reference, 2.0, **SHARE, **USUAL)
    assert found.estimate == pytest.approx(0.6 / 0.51)
    assert np.mean(new.mean(axis=0) / reference.mean(axis=0)) == pytest.approx(5.5)


def test_against_fixed_errors_the_ratio_is_a_plain_mean():
    """mCE by hand: mean over corruptions of error / published error, and Student's interval of the patients' means."""
    rng = np.random.default_rng(2)
    new = rng.random((300, 3)) * [0.2, 0.4, 0.6]
    found = ratio_to_fixed(new, [0.1, 0.3, 0.2], 1.5, new_ends=(0.0, 1.0), **USUAL)
    by_hand = (new[:, 0] / 0.1 + new[:, 1] / 0.3 + new[:, 2] / 0.2) / 3
    assert found.estimate == pytest.approx(by_hand.mean())
    reach = stats.t.ppf(0.95, 299) * stats.sem(by_hand)
    top = (1 / 0.1 + 1 / 0.3 + 1 / 0.2) / 3
    q = 0.05 ** (1 / 300)
    assert found.high == pytest.approx(max(by_hand.mean() + reach, q * by_hand.mean() + (1 - q) * top), abs=0.01)
    assert found.ends == pytest.approx((-1.5, top - 1.5))


def test_patients_with_a_value_missing_are_left_out():
    rng = np.random.default_rng(6)
    x, y = rng.random((2, 90))
    gaps = x.copy()
    gaps[60:75], y_gaps = np.nan, np.where(np.arange(90) >= 75, np.nan, y)
    found = ratio_of_sums(gaps, y_gaps, 1.0, **SHARE, **USUAL)
    assert found == ratio_of_sums(x[:60], y[:60], 1.0, **SHARE, **USUAL)
    assert found.n_clusters == 60
    assert ratio_of_sums(gaps[60:75], y[60:75], 1.0, **SHARE, **USUAL).reason == NO_DATA


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: ratio_of_sums([0.1], [0.1, 0.2], 1.0, **SHARE, **USUAL), "one shape"),
        (lambda: ratio_of_sums([0.1], [0.1], 0.0, **SHARE, **USUAL), "above 0; got 0"),
        (lambda: ratio_of_sums(np.zeros((2, 2, 2)), np.zeros((2, 2, 2)), 1.0, **SHARE, **USUAL), r"\(2, 2, 2\)"),
        (lambda: ratio_to_fixed([[0.1, 0.2]], [0.1, 0.0], 1.0, new_ends=(0, 1), **USUAL), r"\[0.1, 0.0\]"),
        (lambda: ratio_to_fixed([[0.1, 0.2]], [0.1], 1.0, new_ends=(0, 1), **USUAL), "each of 2"),
    ],
)
def test_what_cannot_be_compared_is_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call()
