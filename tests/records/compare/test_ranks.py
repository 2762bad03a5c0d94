"""Ties, letters and ranks."""

from itertools import combinations

import numpy as np
import pytest

from auditkit.records.compare.ranks import letters, rank_bounds, rank_shares, resampled_means, ties


def brute_force(n: int, apart: set) -> list:
    """All maximal sets without a pair told apart, by trying every set."""
    fine = [
        set(some)
        for size in range(1, n + 1)
        for some in combinations(range(n), size)
        if not any(pair in apart for pair in combinations(some, 2))
    ]
    return sorted(tuple(sorted(some)) for some in fine if not any(some < other for other in fine))


@pytest.mark.parametrize("seed", range(30))
def test_ties_are_the_largest_sets_without_a_difference(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 8))
    apart = {pair for pair in combinations(range(n), 2) if rng.random() < 0.4}
    assert ties(n, apart) == brute_force(n, apart)


def test_letters_join_exactly_those_that_are_tied():
    apart = {(0, 2), (0, 3)}
    marks = letters(ties(4, apart), 4)
    for a, b in combinations(range(4), 2):
        assert bool(set(marks[a]) & set(marks[b])) == ((a, b) not in apart)
    assert len(set("".join(letters([(i,) for i in range(30)], 30)))) == 26  # letters do not run out
    assert len(set(letters([(i,) for i in range(30)], 30))) == 30


def test_a_tie_is_no_equivalence():
    assert ties(3, {(0, 2)}) == [(0, 1), (1, 2)]
    assert letters(ties(3, {(0, 2)}), 3) == ["a", "ab", "b"]


def test_differences_told_bound_the_ranks():
    assert rank_bounds(3, []) == [(1, 3)] * 3
    assert rank_bounds(3, [(2, 0), (2, 1), (0, 1)]) == [(2, 2), (3, 3), (1, 1)]
    assert rank_bounds(4, [(0, 3)]) == [(1, 3), (1, 4), (1, 4), (2, 4)]


def test_ranks_in_resamples():
    rng = np.random.default_rng(0)
    P = rng.normal([0.0, 0.0, 9.0], 3, (50, 3))
    shares = rank_shares(resampled_means(P), 50, 3, 500, seed=4)
    assert shares.sum(axis=1) == pytest.approx(np.ones(3))
    assert shares.sum(axis=0) == pytest.approx(np.ones(3))
    assert shares[2].tolist() == [0, 0, 1]
    assert 0.02 < shares[0, 0] < 0.98


def test_equal_models_share_their_ranks():
    P = np.repeat(np.random.default_rng(0).normal(0, 1, (40, 1)), 3, axis=1)
    assert rank_shares(resampled_means(P), 40, 3, 200, seed=4) == pytest.approx(np.full((3, 3), 1 / 3))


def test_means_leave_out_what_is_missing():
    P = np.array([[1.0, 2.0], [3.0, np.nan], [5.0, 8.0]])
    drawn = np.array([[1.0, 1, 1], [0, 3, 0], [2, 0, 1]])
    assert resampled_means(P)(drawn).tolist() == [[3, 5], [3, 0], [7 / 3, 4]]
