"""The studentised bootstrap of many means at once: one set of resamples, one matrix product, all conditions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from auditkit.stats.reduce import FloatArray

Seed = int | bytes

# Rows of resamples and columns of conditions handled at once: a block of statistics is 128 x 10,000 x 8 bytes = 10 MB.
ROWS = 1024
COLUMNS = 128
# Larger sets of multiplicities (10,000 resamples of more than 1,600 clusters) are drawn again when needed, not kept.
CACHED_CELLS = 16_000_000


def seed_number(seed: Seed) -> int:
    """Return the seed as a non-negative integer; bytes (a digest of an audit's id) are read big-endian."""
    number = int.from_bytes(seed, "big") if isinstance(seed, bytes) else int(seed)
    if number < 0:
        raise ValueError(f"a seed must not be negative, got {seed!r}")
    return number


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
        Counts; every row sums to G. Read-only.
    """
    if resamples < 1 or G < 1:
        raise ValueError(f"resamples and G must be at least 1, got {resamples} and {G}")
    number = seed_number(seed)
    return _kept(number, resamples, G) if resamples * G <= CACHED_CELLS else _drawn(number, resamples, G)


def _drawn(seed: int, resamples: int, G: int) -> NDArray[np.float32]:
    drawn = np.concatenate(list(_blocks(seed, resamples, G)))
    drawn.flags.writeable = False
    return drawn


_kept = lru_cache(maxsize=4)(_drawn)


def _blocks(seed: int, resamples: int, G: int) -> Iterator[NDArray[np.float32]]:
    """Yield the multiplicities ROWS at a time, so that no more than one block need be in memory."""
    rng = np.random.default_rng(seed)
    for start in range(0, resamples, ROWS):
        rows = min(ROWS, resamples - start)
        cells = rng.integers(0, G, (rows, G)) + np.arange(rows)[:, None] * G
        yield np.bincount(cells.ravel(), minlength=rows * G).reshape(rows, G).astype(np.float32)


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
    means: ArrayLike, thresholds: ArrayLike, *, alpha: float, resamples: int = 10_000, seed: Seed
) -> BootstrapT:
    """Bootstrap the t statistic of every column with the same resampled clusters.

    All conditions share the resamples (a cluster is drawn with all its conditions), so their correlation is kept. With
    W the multiplicities, the resampled sums, sums of squares and counts are rows of one product, [E, E^2, present]' W',
    computed in blocks. Sums are taken in double precision: a column's result then does not depend on its company
    (single precision changes it by about 3e-6 points).

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
    parts = [
        _column_block(P[:, at : at + COLUMNS], limits[:, at : at + COLUMNS], rank, resamples, seed)
        for at in range(0, P.shape[1], COLUMNS)
    ]
    if not parts:
        none, tested = np.empty(0), np.empty((len(limits), 0))
        return BootstrapT(none, none, np.empty(0, dtype=np.int64), none, none, tested, tested)
    return BootstrapT(
        *(
            np.concatenate([getattr(part, name) for part in parts], axis=-1)
            for name in ("mean", "se", "n_clusters", "low", "high", "p_above", "p_below")
        )
    )


def moments(means: FloatArray) -> tuple[FloatArray, FloatArray, NDArray[np.int64], FloatArray]:
    """Return mean, standard error, number of clusters and residuals (0 where missing) of each column."""
    present = ~np.isnan(means)
    n = present.sum(axis=0)
    filled = np.where(present, means, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = filled.sum(axis=0) / n
        residual = np.where(present, filled - mean, 0.0)
        # Equal values must have no spread at all: 3.3 summed 64 times and divided by 64 leaves residuals of 1e-16.
        residual[np.abs(residual) <= 1e-10 * np.abs(filled).max(axis=0, initial=0.0)] = 0.0
        se = np.sqrt((residual * residual).sum(axis=0) / (n - 1) / n)
    return mean, np.where(n > 1, se, np.nan), n.astype(np.int64), residual


def _column_block(P: FloatArray, limits: FloatArray, rank: int, resamples: int, seed: Seed) -> BootstrapT:
    mean, se, n, residual = moments(P)
    G, C = P.shape
    usable = se > 0
    statistic = _statistics(residual, ~np.isnan(P), se, resamples, seed) if G and usable.any() else None
    low, high = np.full(C, np.nan), np.full(C, np.nan)
    p_above, p_below = np.ones(limits.shape), np.ones(limits.shape)
    if statistic is not None:
        ordered = np.partition(statistic, (rank - 1, resamples - rank), axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            low = np.where(usable, mean - ordered[:, resamples - rank] * se, np.nan)
            high = np.where(usable, mean - ordered[:, rank - 1] * se, np.nan)
            for k, limit in enumerate(limits):
                observed = ((mean - limit) / se)[:, None]
                p_above[k] = np.where(usable, (1 + (statistic >= observed).sum(axis=1)) / (resamples + 1), 1.0)
                p_below[k] = np.where(usable, (1 + (statistic <= observed).sum(axis=1)) / (resamples + 1), 1.0)
    return BootstrapT(mean, se, n, low, high, p_above, p_below)


def _statistics(
    residual: FloatArray, present: NDArray[np.bool_], se: FloatArray, resamples: int, seed: Seed
) -> FloatArray:
    """Return the bootstrap t statistics, shape (C, B)."""
    G, C = residual.shape
    stacked = np.concatenate([residual, residual * residual, present]).reshape(3, G, C)
    left = np.ascontiguousarray(stacked.transpose(0, 2, 1).reshape(3 * C, G))
    tiny = 1e-6 * np.where(se > 0, se, 1.0)[:, None]
    out = np.empty((C, resamples))
    if resamples * G <= CACHED_CELLS:
        drawn = multiplicities(seed, resamples, G)
        blocks: Iterator[NDArray[np.float32]] = (drawn[at : at + ROWS] for at in range(0, resamples, ROWS))
    else:
        blocks = _blocks(seed_number(seed), resamples, G)
    start = 0
    for block in blocks:
        sums = (left @ block.astype(np.float64).T).reshape(3, C, -1)
        size = np.maximum(sums[2], 2.0)
        shift = sums[0] / size
        spread = np.sqrt(np.maximum(sums[1] / size - shift * shift, 0.0) / (size - 1.0))
        with np.errstate(divide="ignore", invalid="ignore"):
            value = shift / spread
        flat = spread <= tiny
        if flat.any():
            value[flat] = np.where(np.abs(shift) <= tiny, 0.0, np.copysign(np.inf, shift))[flat]
        out[:, start : start + len(block)] = value
        start += len(block)
    return out
