"""Kappa: the table of grades by hand, the jackknife patient by patient, and what cannot be claimed."""

import math

import numpy as np
import pytest
from scipy import stats

from auditkit.stats.agreement import ONE_GRADE, UNION, agreement
from auditkit.stats.equivalence import SPARSE

USUAL = {"alpha": 0.05, "seed": 4, "resamples": 2000}
GRADES = {"ends": (0, 4), **USUAL}


def by_table(a: np.ndarray, b: np.ndarray, codes: np.ndarray, K: int = 5) -> float:
    """1 - sum W O / sum W E over the table of grades, an item weighing one over the items of its patient."""
    weights = 1 / np.bincount(codes)[codes]
    observed = np.zeros((K, K))
    np.add.at(observed, (a, b), weights / weights.sum())
    expected = np.outer(observed.sum(axis=1), observed.sum(axis=0))
    apart = np.subtract.outer(np.arange(K), np.arange(K)) ** 2 / (K - 1) ** 2
    return 1 - (apart * observed).sum() / (apart * expected).sum()


def ratings(G: int, seed: int, per_patient=(1,)) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    codes = np.repeat(np.arange(G), np.resize(per_patient, G))
    a = rng.integers(0, 5, codes.size)
    return a, np.clip(a + rng.choice([-2, -1, 0, 0, 1], codes.size), 0, 4), codes


def test_known_table():
    """100 items: 40 and 30 on the diagonal, 10 and 20 beside it. Cohen: 0.70 observed, 0.50 by chance, so 0.40."""
    a = np.repeat([0, 0, 1, 1], [40, 10, 20, 30])
    b = np.repeat([0, 1, 0, 1], [40, 10, 20, 30])
    found = agreement(a, b, np.arange(100), 0.2, ends=(0, 1), **USUAL)
    assert found.estimate == pytest.approx(0.40)


@pytest.mark.parametrize("per_patient", [(1,), (1, 1, 2, 4)])
def test_kappa_is_that_of_the_weighted_table(per_patient):
    a, b, codes = ratings(60, 1, per_patient)
    found = agreement(a, b, codes, 0.5, **GRADES)
    assert found.estimate == pytest.approx(by_table(a, b, codes))
    assert found.n_clusters == 60


@pytest.mark.parametrize("per_patient", [(1,), (1, 1, 2, 4)])
def test_the_interval_holds_that_of_the_jackknife_on_fishers_z(per_patient):
    a, b, codes = ratings(300, 2, per_patient)
    found = agreement(a, b, codes, 0.5, **GRADES)
    z = math.atanh(by_table(a, b, codes))
    without = []
    for patient in range(300):
        kept = codes != patient
        packed = np.unique(codes[kept], return_inverse=True)[1]
        without.append(math.atanh(by_table(a[kept], b[kept], packed)))
    se = math.sqrt(299 / 300 * np.square(np.array(without) - np.mean(without)).sum())
    reach = stats.t.ppf(0.95, 299) * se
    assert found.spread == pytest.approx(se * math.sqrt(300))
    assert found.low <= math.tanh(z - reach) + 1e-12
    assert found.high >= math.tanh(z + reach) - 1e-12
    assert math.atanh(found.high) - z == pytest.approx(reach, rel=0.35)
    assert found.rule == UNION


def test_the_two_raters_may_change_places():
    a, b, codes = ratings(80, 3)
    one, other = agreement(a, b, codes, 0.6, **GRADES), agreement(b, a, codes, 0.6, **GRADES)
    assert (one.low, one.high) == pytest.approx((other.low, other.high), abs=1e-9)


def test_ends_and_p_values_agree_at_every_floor():
    a, b, codes = ratings(120, 5)
    said = set()
    for floor in np.linspace(-0.5, 0.97, 30):
        found = agreement(a, b, codes, float(floor), **GRADES)
        assert (found.p_above <= 0.05) == (found.low > floor)
        assert (found.p_below <= 0.05) == (found.high < floor)
        said.add((found.p_above <= 0.05, found.p_below <= 0.05))
    assert said == {(True, False), (False, False), (False, True)}


def test_perfect_agreement_is_not_certain():
    """Half of the grades 0, half 1: one imagined patient of loss 1, by hand for the share of those not seen.

    Of the mixture q of those at hand and 1 - q of patients rated (0, 1), D = 1 - q, and with rater means q / 2 and
    1 - q / 2 the chance difference is E = m1 + m2 - 2 m1 m2.
    """
    for n in (24, 64, 200):
        a = np.arange(n) % 2
        found = agreement(a, a, np.arange(n), 0.8, ends=(0, 1), **USUAL)
        q = 0.05 ** (1 / n)
        m1, m2 = q / 2, 1 - q / 2
        assert (found.estimate, found.high, found.rule) == (1.0, 1.0, SPARSE)
        assert found.low <= 1 - (1 - q) / (m1 + m2 - 2 * m1 * m2) + 1e-9
        assert found.low == pytest.approx(1 - 2 * (1 - q), abs=0.06)


def test_perfect_agreement_passes_a_floor_with_enough_patients_only():
    passes = {}
    for n in range(20, 160, 4):
        a = np.arange(n) % 5
        passes[n] = agreement(a, a, np.arange(n), 0.8, **GRADES).p_above <= 0.05
    assert sorted(passes.values()) == list(passes.values())  # and never again not
    assert 50 <= min(n for n, passed in passes.items() if passed) <= 70


def test_a_few_disagreements_are_bounded_no_narrower_than_by_their_share():
    """Two grades, evenly spread: loss is 0 or 1 and E near 1/2, so D is bounded by Clopper and Pearson at least."""
    n, k = 100, 4
    a = np.arange(n) % 2
    b = a.copy()
    b[:k] = 1 - b[:k]
    found = agreement(a, b, np.arange(n), 0.8, ends=(0, 1), **USUAL)
    assert found.rule == SPARSE
    top = stats.beta.ppf(0.95, k + 1, n - k)
    assert found.low == pytest.approx(1 - top / 0.5, abs=0.02)
    bottom = stats.beta.ppf(0.05, k, n - k + 1)
    assert found.high >= 1 - bottom / 0.5 - 0.02


def test_one_grade_alone_is_no_agreement():
    found = agreement(np.full(50, 2), np.full(50, 2), np.arange(50), 0.5, **GRADES)
    assert np.isnan([found.estimate, found.low, found.high]).all()
    assert (found.reason, found.p_above, found.p_below) == (ONE_GRADE, 1.0, 1.0)


def test_a_collapsed_rater_agrees_no_better_than_by_chance():
    a = np.arange(100) % 5
    found = agreement(a, np.full(100, 2), np.arange(100), 0.5, **GRADES)
    assert found.estimate == pytest.approx(0)
    assert found.p_below <= 0.05


def test_unused_grades_make_what_was_not_seen_worse():
    """The same ratings on a wider scale: kappa is the same, and a patient who was not seen may lie further out."""
    a, b, codes = ratings(40, 7)
    narrow = agreement(a, b, codes, 0.5, **GRADES)
    wide = agreement(a, b, codes, 0.5, ends=(-4, 12), **USUAL)
    assert narrow.estimate == pytest.approx(wide.estimate)
    assert wide.low < narrow.low


def test_items_without_both_ratings_are_left_out():
    a, b, codes = ratings(60, 8)
    gaps = a.astype(float)
    gaps[50:] = np.nan
    assert agreement(gaps, b, codes, 0.5, **GRADES) == agreement(a[:50], b[:50], codes[:50], 0.5, **GRADES)
    nothing = agreement(gaps[50:], b[50:], codes[:10], 0.5, **GRADES)
    assert (nothing.n_clusters, nothing.p_above) == (0, 1.0)


@pytest.mark.parametrize(
    ("changed", "words"),
    [({"ends": (0, 3)}, "outside of 0 to 3"), ({"floor": 1.0}, "got 1.0"), ({"alpha": 0.5}, "got 0.5")],
)
def test_what_cannot_be_is_refused(changed, words):
    a, b, codes = ratings(30, 9)
    settings = {"floor": 0.5, **GRADES} | changed
    with pytest.raises(ValueError, match=words):
        agreement(a, b, codes, **settings)
