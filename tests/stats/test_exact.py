"""Sums on the grid against exact fractions, in any order, with any whole weights."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditkit.stats.exact import dot, on_grid, total, unit_of

SCALES = st.sampled_from([1e-300, 1e-12, 1.0, 57.3, 1e9, 1e290])


@given(st.integers(0, 10_000), st.integers(1, 400), SCALES)
@settings(max_examples=80)
def test_weighted_sums_are_those_of_exact_fractions_in_any_order(seed, n, scale):
    rng = np.random.default_rng(seed)
    values = on_grid(rng.standard_t(2, n) * scale, n)
    weights = np.bincount(rng.integers(0, n, n), minlength=n).astype(float)
    exact = float(
        sum((Fraction(v) * int(w) for v, w in zip(values.tolist(), weights.tolist(), strict=True)), Fraction())
    )
    order = rng.permutation(n)
    running = 0.0
    for at in order:
        running += values[at] * weights[at]
    assert running == exact
    assert (values * weights).sum() == exact
    assert weights @ values == exact
    assert weights[order] @ values[order] == exact


@given(st.integers(0, 10_000), st.integers(1, 300), SCALES)
@settings(max_examples=40)
def test_values_move_by_next_to_nothing_and_coarse_ones_not_at_all(seed, n, scale):
    rng = np.random.default_rng(seed)
    values = rng.normal(0, 1, n) * scale
    assert np.abs(on_grid(values, n) - values).max() <= n * 2.0**-52 * np.abs(values).max()
    coarse = rng.integers(-400, 400, n) / 4
    assert (on_grid(coarse, n) == coarse).all()


def test_each_column_has_a_grid_of_its_own(rng):
    """Also under weights that reach a power of two exactly, where the exponent turns over."""
    P = rng.normal(0, 1, (64, 5)) * [1e-9, 1, 1e3, 0, 1e200]
    P[0, 1] = 2.0
    together = on_grid(P, 64)
    for c in range(5):
        assert (on_grid(P[:, c], 64) == together[:, c]).all()
        assert total(P)[c] == total(P[:, c]) == total(P[::-1, [c]])[0]
    assert unit_of(P, 64)[1] == 2.0 ** (8 - 52)
    assert 64 * np.abs(together[:, 1]).max() < 2.0**53 * unit_of(P, 64)[1]


def test_nothing_sums_to_nothing():
    assert total(np.zeros((0, 3))).tolist() == [0, 0, 0]
    assert total(np.zeros(4)) == 0
    assert dot(np.array([1, 2]), np.array([3.0, 4.0])) == 11


@pytest.mark.parametrize("order", ["C", "F"])
def test_layout_in_memory_changes_nothing(rng, order):
    P = rng.normal(0, 1, (501, 7))
    assert total(np.asarray(P, order=order)).tolist() == [total(P[:, c].copy()) for c in range(7)]
    plain = {tuple(np.asarray(P, order=layout).sum(axis=0).tolist()) for layout in "CF"}
    assert len(plain) == 2  # as it does for a plain sum
