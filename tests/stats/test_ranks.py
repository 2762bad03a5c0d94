"""Rank correlation within strata and the mean difference: against scipy, against all pairs, and at their ends."""

import numpy as np
import pytest
from scipy import stats

from auditkit.stats.ranks import FEW, rank_correlation
from auditkit.stats.spread import mean_difference


def drawn(seed, n=60, patients=20, strata=2):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    return x, np.round(x + rng.normal(size=n)), rng.integers(0, patients, n), rng.integers(0, strata, n)


def by_pairs(x, y, clusters, strata):
    """The coefficient and the mean difference as their definitions read."""
    sums, apart, mass = np.zeros(3), 0.0, 0
    for stratum in np.unique(strata):
        a, b, c = (values[strata == stratum] for values in (x, y, clusters))
        w = np.array([1 / (c == own).sum() for own in c])
        G = np.unique(c).size
        u, v = (np.array([(w * ((z < one) + 0.5 * (z == one))).sum() for one in z]) / G - 0.5 for z in (a, b))
        sums += [(w * u * v).sum(), (w * u * u).sum(), (w * v * v).sum()]
        pairs = [(i, j) for i in range(b.size) for j in range(b.size) if c[i] != c[j]]
        apart += sum(w[i] * w[j] * abs(b[i] - b[j]) for i, j in pairs) / (G - 1)
        mass += G
    return sums[0] / np.sqrt(sums[1] * sums[2]), apart / mass


def test_one_image_per_patient_is_spearmans_coefficient_with_its_jackknife():
    x, y, *_ = drawn(1, n=200)
    n = x.size
    found = rank_correlation(x, y, np.arange(n), np.zeros(n, int), 0.2, alpha=0.05)
    assert found.estimate == pytest.approx(stats.spearmanr(x, y)[0])
    without = np.arctanh([stats.spearmanr(np.delete(x, i), np.delete(y, i))[0] for i in range(n)])
    se = np.sqrt((n - 1) / n * ((without - without.mean()) ** 2).sum())
    reach = stats.t.ppf(0.95, n - 1) * se
    z = np.arctanh(found.estimate)
    assert found.high == pytest.approx(np.tanh(z + reach))
    assert found.low <= np.tanh(z - reach), "or further, for patients who were not seen"
    over = rank_correlation(x, y, np.arange(n), np.zeros(n, int), 0.75, alpha=0.05)
    assert over.p_below == pytest.approx(stats.t.cdf((z - np.arctanh(0.75)) / se, n - 1), rel=1e-6)


def test_patients_and_strata_weigh_as_the_definitions_say():
    some = drawn(2)
    _, y, clusters, strata = some
    found = rank_correlation(*some, 0.2, alpha=0.05)
    size = mean_difference(y, clusters, strata, 1.0, reach=3, alpha=0.05)
    assert (found.estimate, size.estimate) == pytest.approx(by_pairs(*some))
    without = [by_pairs(*(values[clusters != own] for values in some)) for own in np.unique(clusters)]
    G = len(without)
    each = np.array(without)[:, 1]
    se = np.sqrt((G - 1) / G * ((each - each.mean()) ** 2).sum())
    reach = stats.t.ppf(0.95, G - 1) * se
    unseen = 0.05 ** (2 / G) * size.estimate
    assert size.low == pytest.approx(min(size.estimate - reach, unseen))
    assert size.high >= size.estimate + reach
    assert size.p_above == pytest.approx(
        max(stats.t.sf((size.estimate - 1.0) / se, G - 1), (1.0 / size.estimate) ** (G / 2)), rel=1e-6
    )


def test_what_moves_with_the_stratum_alone_is_no_correlation():
    rng = np.random.default_rng(3)
    strata = np.repeat(np.arange(5), 40)
    x, y = (strata * 10 + rng.normal(size=200) for _ in range(2))
    patients = np.tile(np.arange(40), 5)
    assert abs(rank_correlation(x, y, patients, strata, 0.2, alpha=0.05).estimate) < 0.2
    assert stats.spearmanr(x, y)[0] > 0.9
    assert mean_difference(y, patients, strata, 5.0, reach=100, alpha=0.05).estimate < 1.5


@pytest.mark.parametrize(("n", "passes"), [(20, False), (64, True)])
def test_a_perfect_order_leaves_room_for_patients_who_were_not_seen(n, passes):
    found = rank_correlation(np.arange(n), np.arange(n), np.arange(n), np.zeros(n, int), 0.7, alpha=0.05)
    assert found.estimate == pytest.approx(1)
    assert found.low < 1
    assert (found.p_above <= 0.05) == (found.low > 0.7) == passes


def test_a_score_that_never_moves_follows_nothing():
    n = 200
    found = rank_correlation(np.arange(n), np.zeros(n), np.arange(n), np.zeros(n, int), 0.3, alpha=0.05)
    assert (found.estimate, found.n_informative, found.rule) == (0.0, 0, FEW)
    assert found.low < 0 < found.high < 0.3
    assert found.p_below <= 0.05


def test_too_few_that_move_are_never_called_following():
    n = 64
    y = np.zeros(n)
    y[-3:] = 1, 2, 3
    found = rank_correlation(np.arange(n), y, np.arange(n), np.zeros(n, int), 0.2, alpha=0.05)
    assert found.p_above == 1.0
    assert found.low < 0


def test_a_tenth_of_a_point_is_no_movement_however_it_is_ordered():
    n = 1000
    y = np.arange(n) / n * 0.1
    size = mean_difference(y, np.arange(n), np.zeros(n, int), 5.0, reach=200, alpha=0.05)
    assert size.estimate == pytest.approx(0.1 / 3, rel=0.01)
    assert (size.p_above, size.p_below <= 0.05) == (1.0, True)


def test_claims_and_intervals_agree():
    for seed in range(20):
        some = drawn(seed, n=90, patients=30)
        for floor in (0.1, 0.5, 0.8):
            found = rank_correlation(*some, floor, alpha=0.05)
            assert (found.low > floor, found.high < floor) == (found.p_above < 0.05, found.p_below < 0.05)


def test_wrong_uses_are_refused():
    with pytest.raises(ValueError, match="one length"):
        rank_correlation([1.0, 2], [1.0], [0, 1], [0, 0], 0.2, alpha=0.05)
    with pytest.raises(ValueError, match="floor"):
        rank_correlation([1.0], [1.0], [0], [0], 1.0, alpha=0.05)
    assert np.isnan(rank_correlation([1.0], [1.0], [0], [0], 0.2, alpha=0.05).estimate)
