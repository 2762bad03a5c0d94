"""Holm and partial conjunctions against statsmodels and enumeration, max-T against closed tests and simulation."""

import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests

from auditkit.stats.bootstrap import moments, resampled_t
from auditkit.stats.multiplicity import holm, max_t

P = st.lists(st.one_of(st.floats(0, 1), st.sampled_from([0.0, 0.01, 0.01, 1.0])), min_size=1, max_size=20)


@given(P, st.integers(0, 30))
@settings(max_examples=12, deadline=None)  # statsmodels takes 55 ms a call
def test_equals_statsmodels_with_the_members_not_run_at_one(p, not_run):
    expected = multipletests(p + [1.0] * not_run, method="holm")[1][: len(p)]
    np.testing.assert_allclose(holm(p, len(p) + not_run), expected, atol=1e-12)


@given(P, st.integers(1, 30))
def test_running_a_subset_never_makes_a_result_significant(p, dropped):
    whole = holm(p, len(p) + dropped)
    for keep in range(1, len(p)):
        assert (holm(p[:keep], len(p) + dropped) >= whole[:keep] - 1e-12).all()


def test_nan_counts_as_one():
    assert holm([0.001, 0.02, np.nan], 3).tolist() == pytest.approx([0.003, 0.04, 1.0])
    assert holm([np.nan, np.nan], 2).tolist() == [1, 1]


def test_empty_family():
    assert holm([], 0).size == 0


@pytest.mark.parametrize(
    ("p", "size", "words"),
    [([0.1, 0.2], 1, "declare all"), ([-0.1], 1, "between 0 and 1"), ([[0.1]], 1, "one-dimensional")],
)
def test_unusable_input_is_named(p, size, words):
    with pytest.raises(ValueError, match=words):
        holm(p, size)


# max-T


def closed_test(drawn: np.ndarray, observed: np.ndarray) -> list[float]:
    """Adjusted p-values by the closure principle: the largest over all subsets that a member is in."""
    C, B = drawn.shape
    adjusted = [0.0] * C
    for size in range(1, C + 1):
        for subset in map(list, combinations(range(C), size)):
            p = (1 + (drawn[subset].max(axis=0) >= observed[subset].max()).sum()) / (B + 1)
            for member in subset:
                adjusted[member] = max(adjusted[member], p)
    return adjusted


@given(st.integers(1, 6), st.integers(0, 10_000), st.booleans())
@settings(max_examples=50, deadline=None)
def test_max_t_is_the_closed_test_over_all_subsets(C, seed, tied):
    rng = np.random.default_rng(seed)
    drawn, observed = rng.normal(0, 1, (C, 60)) + rng.normal(0, 1, 60), rng.normal(1, 1.5, C)
    if tied:
        drawn, observed = np.round(drawn), np.round(observed)
    drawn[:, 0], drawn[0, 1] = np.inf, -np.inf
    assert max_t(drawn, observed, C) == pytest.approx(closed_test(drawn, observed))


def test_max_t_of_independent_members_is_the_closed_form_of_sidak_and_holm():
    drawn, observed = np.random.default_rng(1).normal(0, 1, (8, 100_000)), np.array([3.0, 2.5, 2, 1.5, 1, 0, -1, -2])
    expected = multipletests(stats.norm.sf(observed), method="holm-sidak")[1]
    np.testing.assert_allclose(max_t(drawn, observed, 8), expected, atol=0.005)


def test_max_t_of_copies_needs_no_correction():
    drawn = np.tile(np.random.default_rng(2).normal(0, 1, 999), (20, 1))
    single = (1 + (drawn[0] >= 2).sum()) / 1000
    assert max_t(drawn, np.full(20, 2.0), 20) == pytest.approx(np.full(20, single))


def test_max_t_of_joint_bootstrap_statistics_keeps_their_company():
    """From patients to p-values, against the resamples of each column on its own and Bonferroni."""
    rng = np.random.default_rng(3)
    means = rng.normal(0, 6, (60, 1)) + rng.normal(0, 1, (60, 12)) + 2.0
    mean, se, _, _ = moments(means)
    drawn = resampled_t(means, resamples=999, seed=1)
    observed = mean / se
    joint = max_t(drawn, observed, 12)
    alone = np.array([max_t(row[None], [t], 1)[0] for row, t in zip(drawn, observed, strict=True)])
    assert (alone <= joint).all()
    assert joint.max() < 3 * alone.max() < holm(alone, 12).min()


@given(st.integers(2, 6), st.integers(0, 10_000), st.integers(0, 3))
@settings(max_examples=50, deadline=None)
def test_running_a_subset_does_not_help_max_t(C, seed, never_run):
    """Exact when the members have one distribution, as studentised means nearly do."""
    rng = np.random.default_rng(seed)
    drawn = rng.normal(0, 1, 200) + rng.normal(0, 1, (C, 200))
    drawn = np.take_along_axis(np.sort(drawn[:1]), drawn.argsort(axis=1).argsort(axis=1), axis=1)
    observed, family = rng.normal(2, 1.5, C), C + never_run
    whole = max_t(drawn, observed, family)
    kept = np.sort(rng.permutation(C)[: max(1, C // 2)])
    part = max_t(drawn[kept], observed[kept], family)
    assert (part >= whole[kept] - 1e-12).all()
    # Left out as NaN rows or not passed at all: the same.
    gaps = drawn.copy()
    gaps[np.setdiff1d(np.arange(C), kept)] = np.nan
    assert max_t(gaps, observed, family)[kept] == pytest.approx(part)


def test_one_member_run_out_of_many_is_bonferroni():
    drawn = np.random.default_rng(4).normal(0, 1, (1, 9999))
    p = (1 + (drawn >= 3.2).sum()) / 10_000
    assert max_t(drawn, [3.2], 25) == pytest.approx([25 * p])
    assert max_t(drawn, [0.0], 25) == [1]


def test_max_t_with_missing_and_infinite_statistics():
    drawn = np.random.default_rng(5).normal(0, 1, (4, 999))
    observed = np.array([1.5, np.nan, 5.0, np.inf])
    drawn[2] = np.nan
    p = max_t(drawn, observed, 4)
    assert (p[1], p[2]) == (1, 1)
    # The second member has no result but competes; the third, without statistics, counts by Bonferroni.
    tail = (1 + max((row >= 1.5).sum() for row in drawn[[0, 1, 3]])) / 1000
    assert p[0] == pytest.approx((1 + (drawn[[0, 1]].max(axis=0) >= 1.5).sum()) / 1000 + tail)
    assert p[3] == pytest.approx(2 / 1000)
    some = np.random.default_rng(6).normal(0, 1, (1, 99))
    some[0, :7] = [np.inf, np.inf, np.nan, -np.inf, np.nan, 50, 50]
    assert max_t(some, [40.0], 1) == pytest.approx([7 / 100])
    assert max_t(some, [-np.inf], 1) == [1]
    assert max_t(np.full((2, 9), np.nan), [3.0, np.nan], 2).tolist() == [1, 1]
    assert max_t(np.empty((0, 9)), [], 3).size == 0


def family_errors(G: int, C: int, correlation: float, replicates: int, shift: float, resamples: int):
    """Share of families with a false rejection, and of the shifted half found, by max-T and by Holm on Student's p."""
    rng = np.random.default_rng([G, C, int(10 * correlation)])
    errors, found, shifted = np.zeros(2), np.zeros(2), C // 2 if shift else 0
    for seed in range(replicates):
        x = math.sqrt(correlation) * rng.normal(0, 6, (G, 1)) + math.sqrt(1 - correlation) * rng.normal(0, 6, (G, C))
        x[:, :shifted] += shift
        mean, se, _, _ = moments(x)
        adjusted = [max_t(resampled_t(x, resamples=resamples, seed=seed), mean / se, C)]
        adjusted.append(holm(stats.t.sf(mean / se, G - 1), C))
        errors += [(p[shifted:] <= 0.05).any() for p in adjusted]
        found += [np.mean(p[:shifted] <= 0.05) if shifted else 0.0 for p in adjusted]
    return errors / replicates, found / replicates


def test_max_t_errs_as_promised_and_finds_more_than_holm_when_conditions_move_together():
    """Standard error of a rate of 0.05 from 500 families: 0.01."""
    errors, _ = family_errors(40, 20, 0.9, 500, 0.0, 499)
    assert 0.03 <= errors[0] <= 0.07
    assert errors[1] < 0.03
    errors, found = family_errors(40, 20, 0.9, 100, 2.5, 499)
    assert found[0] > found[1] + 0.1


@pytest.mark.slow
@pytest.mark.parametrize("correlation", [0.0, 0.5, 0.9])
@pytest.mark.parametrize("G", [32, 64])
def test_family_error_of_max_t(G, correlation):
    """Standard error of a rate of 0.05 from 2,000 families: 0.005."""
    errors, _ = family_errors(G, 20, correlation, 2000, 0.0, 999)
    print(G, correlation, errors)
    assert 0.03 <= errors[0] <= 0.065


# Partial conjunctions


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: max_t(np.zeros(5), [1.0], 1), r"shapes \(C, B\) and \(C,\)"),
        (lambda: max_t(np.zeros((2, 5)), [1.0], 2), r"shapes \(C, B\) and \(C,\)"),
        (lambda: max_t(np.zeros((1, 0)), [1.0], 1), "B at least 1"),
        (lambda: max_t(np.zeros((2, 5)), [1.0, 2.0], 1), "declare all"),
    ],
)
def test_unusable_input_to_families_is_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()
