"""Intervals that hold at once: the level between one column's and Bonferroni's, and p-values that agree with it."""

from dataclasses import replace

import numpy as np
import pytest

from auditkit.records.compare.joint import Settings, Tails, joint_intervals
from auditkit.stats.bootstrap import resampled_t

SETTINGS = Settings(alpha=0.05, resamples=4000, seed=7, min_clusters=24, min_informative=10)


def columns(correlation: float, C: int, G: int = 60, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    shared = rng.normal(0, 8, (G, 1))
    return np.sqrt(correlation) * shared + np.sqrt(1 - correlation) * rng.normal(0, 8, (G, C))


def tails(P: np.ndarray, sparse: int = 0) -> Tails:
    return Tails.of(resampled_t(P, resamples=4000, seed=7), 4000, sparse)


def test_the_level_lies_between_bonferroni_and_one_column():
    assert tails(columns(0, 1)).level(0.05) == pytest.approx(0.05, abs=0.0005)
    unlike, alike, same = (tails(columns(r, 10)).level(0.05) for r in (0.0, 0.9, 1.0))
    assert unlike == pytest.approx(1 - 0.95**0.1, rel=0.25)  # independent columns: Sidak
    assert 0.005 <= unlike < alike < same
    assert same == pytest.approx(0.05, abs=0.0005)  # ten times the same column is one column


def test_a_column_of_bounds_costs_its_own_error():
    one = tails(columns(1, 4))
    some = replace(one, sparse=4, columns=8)
    assert some.level(0.05) == pytest.approx(0.05 / 5, rel=0.05)  # one column, four by Bonferroni
    only = Tails(np.ones(100), np.ones(100), sparse=4, columns=4)
    assert only.level(0.05) == 0.05 / 4


def test_p_values_and_levels_are_the_same_statement():
    t = tails(columns(0.5, 6), sparse=2)
    level = t.level(0.05)
    assert t.adjusted(level) <= 0.05 + 1e-9
    assert t.adjusted(level * 1.2) > 0.05
    assert t.adjusted(1e-9) == pytest.approx(8e-9)  # below what resamples resolve: Bonferroni
    assert t.adjusted(0.9) == 1.0


def test_sets_of_columns_can_be_joined():
    P = columns(0.4, 8)
    together, apart = tails(P), Tails.joined([tails(P[:, :3]), tails(P[:, 3:])])
    assert np.array_equal(together.up, apart.up)
    assert np.array_equal(together.down, apart.down)
    assert (together.columns, together.sparse) == (apart.columns, apart.sparse)


def test_a_skewed_column_does_not_widen_the_others():
    """With one critical value for all, the skewed one would decide it: this is why every column keeps its own."""
    rng = np.random.default_rng(1)
    skewed = rng.exponential(1, (60, 1)) ** 3
    P = columns(0, 3)
    without = joint_intervals(P, 100, SETTINGS).intervals[0]
    beside = joint_intervals(np.hstack([P, np.minimum(skewed, 99)]), 100, SETTINGS).intervals[0]
    assert beside.high - beside.low < 1.15 * (without.high - without.low)


def test_nothing_depends_on_the_order_of_columns():
    P = columns(0.3, 5)
    straight, turned = joint_intervals(P, 100, SETTINGS), joint_intervals(P[:, ::-1].copy(), 100, SETTINGS)
    assert straight.level == turned.level
    assert straight.intervals == turned.intervals[::-1]


def test_no_spread_is_no_certainty():
    P = np.hstack([np.zeros((60, 1)), columns(0, 2)])
    joint = joint_intervals(P, 200, SETTINGS)
    assert joint.sparse.tolist() == [True, False, False]
    assert joint.intervals[0].low == pytest.approx(-joint.intervals[0].high)
    assert joint.intervals[0].high == pytest.approx(200 * (1 - joint.level ** (1 / 60)), rel=1e-6)


def test_a_column_without_values_costs_nothing():
    P = np.hstack([columns(0, 2), np.full((60, 1), np.nan)])
    joint = joint_intervals(P, 100, SETTINGS)
    assert joint.level == joint_intervals(P[:, :2], 100, SETTINGS).level
    assert joint.intervals[2].n_clusters == 0
