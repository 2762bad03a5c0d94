"""The studentised bootstrap of many means at once: one set of resamples, one matrix product, all conditions."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from auditkit.stats.exact import on_grid, total, unit_of
from auditkit.stats.reduce import FloatArray

Seed = int | bytes
Moments = tuple[FloatArray, FloatArray, NDArray[np.int64], FloatArray]
Whole = tuple[NDArray[np.float32], FloatArray]
"""Columns as whole numbers about a centre, and what one is in the unit of the input."""

# Resamples and conditions handled at once: a block of multiplicities has at most CELLS of them (8 MB in double
# precision), the statistics of 100 conditions take 100 x 10,000 x 8 bytes = 8 MB. Memory of that size is used again,
# more is returned to the system and fetched again each time (512 conditions: 119 instead of 112 ms for 300 x 256).
# A power of two as the number of resamples slows drawing by half: all counts of a cluster share lines of the cache.
RESAMPLES = 1000
COLUMNS = 100
CELLS = 1_000_000
# Clusters drawn at once, small for the same reason.
DRAWS = 64_000
# Larger sets of multiplicities (10,000 resamples of more than 1,600 clusters) are drawn again when needed, not kept.
CACHED_CELLS = 16_000_000
# Statistics this close are equal: scores on a grid give ties (15 in 2,000 resamples of 24 clusters were seen), which
# rounding (about 1e-13) must not resolve.
TIE = 1e-11


def seed_number(seed: Seed) -> int:
    """Return the seed as a non-negative integer; bytes (a digest of an audit's id) are read big-endian."""
    number = int.from_bytes(seed, "big") if isinstance(seed, bytes) else int(seed)
    if number < 0:
        raise ValueError(f"a seed must not be negative, got {seed!r}")
    return number


def group_seed(seed: Seed, name: str, start: int = 0) -> bytes:
    """Return the seed with which a group draws its resamples from the one numbered ``start`` on.

    Groups of equal size would otherwise draw the same patients, and their means would rise and fall together.
    """
    return hashlib.sha256(f"{seed_number(seed)}/{start}/{name}".encode()).digest()[:16]


def multiplicities(seed: Seed, resamples: int, G: int) -> NDArray[np.float32]:
    """Draw how often each cluster occurs in each bootstrap resample.

    Parameters
    ----------
    seed : int or bytes
        Equal seeds give equal draws.
    resamples : int
        Number of resamples, B.
    G : int
        Number of clusters; each resample draws G of them with replacement.

    Returns
    -------
    ndarray of float32, shape (B, G)
        Counts; every row sums to G.
    """
    return np.concatenate(list(_blocks(seed_number(seed), resamples, G)), axis=1).T


def _blocks(seed: int, resamples: int, G: int) -> Iterable[NDArray[np.float32]]:
    """Return the multiplicities as blocks of shape (G, some resamples), so that few of them need be in memory."""
    if resamples < 1 or G < 1:
        raise ValueError(f"resamples and G must be at least 1, got {resamples} and {G}")
    return _kept(seed, resamples, G) if resamples * G <= CACHED_CELLS else _drawn(seed, resamples, G)


def _width(G: int) -> int:
    return max(1, min(RESAMPLES, CELLS // G))


def _drawn(seed: int, resamples: int, G: int) -> Iterator[NDArray[np.float32]]:
    rng = np.random.default_rng(seed)
    for start in range(0, resamples, _width(G)):
        width = min(_width(G), resamples - start)
        block = np.empty((G, width), dtype=np.float32)
        few = max(1, DRAWS // G)
        for at in range(0, width, few):
            rows = min(few, width - at)
            cells = rng.integers(0, G, (rows, G))
            cells *= rows
            cells += np.arange(rows)[:, None]
            block[:, at : at + rows] = np.bincount(cells.ravel(), minlength=G * rows).reshape(G, rows)
        block.flags.writeable = False
        yield block


@lru_cache(maxsize=4)
def _kept(seed: int, resamples: int, G: int) -> tuple[NDArray[np.float32], ...]:
    return tuple(_drawn(seed, resamples, G))


@dataclass(frozen=True)
class BootstrapT:
    """Means of C conditions with their studentised bootstrap intervals.

    Attributes
    ----------
    mean, se : ndarray, shape (C,)
        Mean over clusters and its standard error, in the unit of the input; NaN where they cannot be had.
    n_clusters : ndarray of int, shape (C,)
        Clusters with a value.
    low, high : ndarray, shape (C,)
        Ends of the 1 - 2 alpha interval; NaN where se is 0 or NaN.
    p_above, p_below : ndarray, shape (K, C)
        One-sided p-values for "the mean is above (below) threshold k". ``p_above <= alpha`` exactly when
        ``low > threshold``, and ``p_below <= alpha`` exactly when ``high < threshold``. Never less than 1 / (B + 1).
    """

    mean: FloatArray
    se: FloatArray
    n_clusters: NDArray[np.int64]
    low: FloatArray
    high: FloatArray
    p_above: FloatArray
    p_below: FloatArray


def bootstrap_t(
    means: ArrayLike,
    thresholds: ArrayLike,
    *,
    alpha: float,
    resamples: int = 10_000,
    seed: Seed,
    known: Moments | None = None,
) -> BootstrapT:
    """Bootstrap the t statistic of every column with the same resampled clusters.

    All conditions share the resamples (a cluster is drawn with all its conditions), so their correlation is kept. With
    W the multiplicities, the resampled sums and sums of squares are the rows of one product, [E, E^2]' W, computed in
    blocks. Every sum is exact: E and E^2 are whole numbers, or rounded column by column to a grid on which sums with
    whole weights are (`exact.on_grid`). So a column's result is the same bit by bit whatever columns share the
    product, in whatever order, and whatever kernel computes it. Statistics within 1e-11 of the observed one count as
    reaching it, and the interval is as much wider: data on a grid have ties.

    Parameters
    ----------
    means : array_like, shape (G, C)
        Cluster means, NaN = missing. A missing value has weight 0 in every resample.
    thresholds : array_like, shape (K, C) or (K, 1)
        Values against which each column's mean is tested; infinite ones are allowed.
    alpha : float
        Error per side.
    resamples : int
        B; alpha * (B + 1) must be at least 1.
    seed : int or bytes
        See `multiplicities`.
    known : tuple, optional
        What `moments` returns for ``means``, where it has been asked for already.

    Notes
    -----
    Assumes independent clusters with a finite variance. Coverage is second-order correct [1]_. With few distinct
    values resamples without spread occur; their statistic is taken as infinite, which widens the interval.

    References
    ----------
    .. [1] Efron, B. & Tibshirani, R. (1993). An Introduction to the Bootstrap, chapters 12 and 22.
    """
    P = np.asarray(means, dtype=np.float64)
    if P.ndim != 2:
        raise ValueError(f"means must have shape (G, C), got {P.shape}")
    limits = np.asarray(thresholds, dtype=np.float64)
    limits = np.broadcast_to(limits, (limits.shape[0], P.shape[1]))
    rank = int(np.floor(alpha * (resamples + 1) + 1e-9))
    if rank < 1 or not alpha < 0.5:
        raise ValueError(f"alpha = {alpha} and resamples = {resamples}: alpha * (resamples + 1) must be at least 1")
    # Resamples that are not kept are drawn for each group of conditions, so fewer groups are made.
    width = COLUMNS if resamples * len(P) <= CACHED_CELLS else 5 * COLUMNS
    mean, se, n, residual = moments(P) if known is None else known
    low, high = np.empty((2, P.shape[1]))
    above, below = np.empty((2, *limits.shape))
    for at, whole in _alike(P, width):
        own = mean[at], se[at], n[at], residual[:, at]
        low[at], high[at], above[:, at], below[:, at] = _column_block(
            P[:, at], limits[:, at], rank, resamples, seed, own, whole
        )
    return BootstrapT(mean, se, n, low, high, above, below)


def resampled_t(means: ArrayLike, *, resamples: int, seed: Seed) -> FloatArray:
    """Return the studentised statistic (mean* - mean) / se* of every column in every resample.

    Parameters
    ----------
    means, resamples, seed
        As for `bootstrap_t`. Column c of resample b has the same clusters drawn as every other column of b, so rows of
        different conditions may be combined (maximum over a family).

    Returns
    -------
    ndarray, shape (C, resamples)
        Not sorted. Without unit; plus or minus infinity where a resample has no spread but another mean; NaN throughout
        for a column whose standard error is 0 or unknown.
    """
    P = np.asarray(means, dtype=np.float64)
    if P.ndim != 2:
        raise ValueError(f"means must have shape (G, C), got {P.shape}")
    _, se, _, residual = moments(P)
    if not (se > 0).any():
        return np.full((P.shape[1], resamples), np.nan)
    statistic = np.full((P.shape[1], resamples), np.nan)
    for at, whole in _alike(P, P.shape[1]):
        statistic[at] = _statistics(P[:, at], residual[:, at], se[at], resamples, seed, whole)
    statistic[~(se > 0)] = np.nan
    return statistic


def moments(means: FloatArray) -> Moments:
    """Return mean, standard error, number of clusters and residuals (0 where missing) of each column.

    No column's numbers depend on the others: see `exact`. The residuals are on the grid for resamples of all rows.
    """
    present = ~np.isnan(means)
    n = present.sum(axis=0)
    filled = np.where(present, means, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = total(filled) / n
        residual = np.where(present, filled - mean, 0.0)
        # Equal values must have no spread at all: 3.3 summed 64 times and divided by 64 leaves residuals of 1e-16.
        residual[np.abs(residual) <= 1e-10 * np.abs(filled).max(axis=0, initial=0.0)] = 0.0
        residual = on_grid(residual, len(means))
        se = np.sqrt(total(residual * residual) / (n - 1) / n)
    return mean, np.where(n > 1, se, np.nan), n.astype(np.int64), residual


def _column_block(
    P: FloatArray,
    limits: FloatArray,
    rank: int,
    resamples: int,
    seed: Seed,
    known: Moments,
    whole: Whole | None,
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Return the ends of the intervals and the p-values above and below the limits."""
    mean, se, _, residual = known
    usable = se > 0
    low, high = np.full(len(mean), np.nan), np.full(len(mean), np.nan)
    above, below = np.full(limits.shape, resamples), np.full(limits.shape, resamples)
    if usable.any():
        statistic = _statistics(P, residual, se, resamples, seed, whole)
        # Once sorted, order statistics and counts are looked up: 15 ms for 300 x 10,000 (AVX-512), where np.partition
        # at both ranks takes 44 and each comparison with a threshold 2.
        statistic.sort(axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            low = np.where(usable, mean - (statistic[:, resamples - rank] + TIE) * se, np.nan)
            high = np.where(usable, mean - (statistic[:, rank - 1] - TIE) * se, np.nan)
            observed = (mean - limits) / se
        for c in np.flatnonzero(usable):
            above[:, c] -= statistic[c].searchsorted(observed[:, c] - TIE, side="left")
            below[:, c] = statistic[c].searchsorted(observed[:, c] + TIE, side="right")
    return low, high, (1 + above) / (resamples + 1), (1 + below) / (resamples + 1)


def _statistics(
    P: FloatArray, residual: FloatArray, se: FloatArray, resamples: int, seed: Seed, whole: Whole | None
) -> FloatArray:
    """Return the bootstrap t statistics, shape (C, B).

    With N, S and Q the resampled count, sum and sum of squares of the residuals, (mean* - mean) / se* is
    S / sqrt((N Q - S^2) / (N - 1)). Residuals about another centre than the mean change S alone, by N times the offset.

    N, S and Q are exact, and what follows is done number by number: no statistic depends on the other columns.
    """
    G, C = P.shape
    present = ~np.isnan(P)
    n = present.sum(axis=0)
    values, unit = whole or (residual, np.ones(C))
    offset = (values.sum(axis=0, dtype=np.float64) / np.maximum(n, 1))[:, None]
    squares = values * values
    # No spread, up to rounding: in units of N se*, the denominator.
    tiny = 1e-6 * np.where(se > 0, se * n / unit, 1.0)
    if not whole:
        # Each square is within half a unit, so N Q - S^2 within N^2 of them.
        exact = np.asarray(squares, dtype=np.float64)
        tiny = np.maximum(tiny, np.sqrt(G * unit_of(exact, G)))
        squares = on_grid(exact, G)
    left = np.ascontiguousarray(np.concatenate([values, squares], axis=1).T)
    # N counts what is missing, exactly, in single precision. Few gaps make a sparse product worthwhile: 2 ms instead of
    # 11 for 300 conditions of 256 clusters with 1 % missing, the same with 10 %.
    missing = (~present.T).astype(np.float32)
    gaps = sparse.csr_array(missing) if missing.mean() < 0.1 else missing
    out = np.empty((C, resamples))
    width = min(_width(G), resamples)
    double, sums, root = np.empty((G, width)), np.empty((2 * C, width), dtype=left.dtype), np.empty((C, width))
    start = 0
    for block in _blocks(seed_number(seed), resamples, G):
        width = block.shape[1]
        double, sums, root = double[:, :width], sums[:, :width], root[:, :width]
        value, S = out[:, start : start + width], sums[:C]
        if not whole:
            double[:] = block
        np.matmul(left, block if whole else double, out=sums)
        N = np.subtract(G, gaps @ block, dtype=np.float64)
        np.multiply(sums[C:], N, out=root)
        root -= np.multiply(S, S, out=value, dtype=np.float64)
        if whole:
            S = np.subtract(S, np.multiply(N, offset, out=value), out=value)
        N -= 1.0
        with np.errstate(divide="ignore", invalid="ignore"):
            root /= N
            np.sqrt(root, out=root)
            for c in np.flatnonzero(~(root.min(axis=1) > tiny)):
                flat = ~(root[c] > tiny[c])
                still = flat & (np.abs(S[c]) <= tiny[c])
                root[c, flat], root[c, still], S[c, still] = 0.0, 1.0, 0.0
            np.divide(S, root, out=value)
        start += width
    return out


def _alike(P: FloatArray, width: int) -> Iterator[tuple[NDArray[np.int64] | slice, Whole | None]]:
    """Yield columns to be handled together, ``width`` at most: those of whole numbers with them, and the others.

    To which a column belongs depends on it alone.
    """
    if not P.shape[1]:
        return
    parts = [_whole(P[:, at : at + COLUMNS]) for at in range(0, P.shape[1], COLUMNS)]
    whole, values, unit = (np.concatenate(some, axis=-1) for some in zip(*parts, strict=True))
    for kind in (True, False):
        columns = np.flatnonzero(whole == kind)
        for start in range(0, columns.size, width):
            # Nearly always all columns are of one kind; a slice then spares copies.
            at = slice(start, start + width) if columns.size == whole.size else columns[start : start + width]
            yield at, (values[:, at], unit[at]) if kind else None


def _whole(P: FloatArray) -> tuple[NDArray[np.bool_], NDArray[np.float32], FloatArray]:
    """Tell which columns are whole numbers in some unit; return these about a centre, 0 where missing, and the unit.

    Means of one, two, three, four or six whole scores are twelfths; each column's unit is the largest that divides its
    values. Whole numbers whose sums stay below 2^24 are summed without error in single precision, in half the time.
    Columns of other numbers are 0.
    """
    present = ~np.isnan(P)
    twelfths = np.where(present, 12 * P, 0.0)
    nearest = np.rint(twelfths)
    whole = (np.abs(twelfths - nearest) <= 1e-11 * np.maximum(np.abs(nearest), 1.0)).all(axis=0)
    whole &= np.abs(nearest).max(axis=0, initial=0.0) <= 1e9
    nearest[:, ~whole] = 0.0
    unit = np.maximum(np.gcd.reduce(nearest.astype(np.int64), axis=0), 1)
    values = nearest / unit
    values = np.where(present, values - np.rint(values.sum(axis=0) / np.maximum(present.sum(axis=0), 1)), 0.0)
    whole &= len(P) * (values * values).max(axis=0, initial=0.0) < 2**24
    values[:, ~whole] = 0.0
    return whole, values.astype(np.float32), unit / 12
