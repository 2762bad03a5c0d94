"""Does a score follow the severity of a corruption? One slope and one rank correlation per image.

The slopes go through `reduce.cluster_means` and then `equivalence.equivalence` with one margin infinite: a sensitive
score has a mean slope below minus its floor (``low=-inf, high=-floor``).
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from auditkit.stats.reduce import FloatArray

MIN_POINTS = 3


def slopes(scores: ArrayLike, severities: ArrayLike) -> FloatArray:
    """Fit a straight line to each image's scores over severity by least squares.

    Parameters
    ----------
    scores : array_like, shape (n, S)
        Score of each image at each severity, NaN = missing.
    severities : array_like, shape (S,)
        Distinct; one of them is 0, the clean image.

    Returns
    -------
    ndarray, shape (n,)
        Points per step of severity; NaN with fewer than 3 scores or without the clean one.
    """
    y = np.asarray(scores, dtype=np.float64)
    x = _severities(severities)
    if y.ndim != 2 or y.shape[1] != x.size:
        raise ValueError(f"scores must have shape (n, {x.size}), one column per severity, got {y.shape}")
    present = ~np.isnan(y)
    usable = (present.sum(axis=1) >= MIN_POINTS) & present[:, x == 0.0].all(axis=1)
    out = np.full(len(y), np.nan)
    if not usable.any():
        return out
    y, present = y[usable], present[usable]
    centre = (present * x).sum(axis=1) / present.sum(axis=1)
    deviation = np.where(present, x - centre[:, None], 0.0)
    out[usable] = (deviation * np.where(present, y, 0.0)).sum(axis=1) / (deviation * deviation).sum(axis=1)
    return out


def slope_range(severities: ArrayLike, score_range: float = 100.0, *, complete: bool = False) -> float:
    """Return the largest slope that `slopes` can give for scores of 0 to ``score_range``.

    The value to pass as ``value_range`` to `equivalence.equivalence`. It is reached with all scores at the ends of the
    range.

    Parameters
    ----------
    severities : array_like, shape (S,)
        As for `slopes`.
    score_range : float
        Largest minus smallest possible score.
    complete : bool
        Only slopes over all severities are used: 25.7 instead of 50 points per step for severities 0 to 5. By the
        bounded-mean rule a score that never moves then fails a floor of 2 with half as many patients.
    """
    x = _severities(severities)
    others = np.flatnonzero(x != 0.0)
    steepest = 0.0
    for size in range(others.size if complete else MIN_POINTS - 1, others.size + 1):
        for chosen in combinations(others.tolist(), size):
            deviation = np.append(x[list(chosen)], 0.0)
            deviation = deviation - deviation.mean()
            steepest = max(steepest, deviation[deviation > 0].sum() / (deviation @ deviation))
    return float(steepest * score_range)


def rank_correlations(scores: ArrayLike) -> FloatArray:
    """Correlate each image's scores with the order of the columns (Spearman, ties get their mean rank).

    Parameters
    ----------
    scores : array_like, shape (n, S)
        Scores in order of rising severity, the clean one first; NaN = missing.

    Returns
    -------
    ndarray, shape (n,)
        -1 to 1. An image whose score never changes has 0: such a score does not follow the severity. NaN with fewer
        than 3 scores.
    """
    y = np.asarray(scores, dtype=np.float64)
    if y.ndim != 2:
        raise ValueError(f"scores must have shape (n, S), got {y.shape}")
    out = np.full(len(y), np.nan)
    present = ~np.isnan(y)
    # Images that miss the same severities are ranked together: one pass for the complete ones, which are nearly all.
    for pattern in np.unique(present, axis=0):
        if pattern.sum() < MIN_POINTS:
            continue
        rows = np.flatnonzero((present == pattern).all(axis=1))
        ranks = stats.rankdata(y[np.ix_(rows, np.flatnonzero(pattern))], axis=1)
        ranks = ranks - ranks.mean(axis=1, keepdims=True)
        order = np.arange(ranks.shape[1]) - (ranks.shape[1] - 1) / 2
        scale = np.sqrt((ranks * ranks).sum(axis=1) * (order @ order))
        out[rows] = np.divide(ranks @ order, scale, out=np.zeros(len(rows)), where=scale > 0)
    return out


def rank_trend(scores: ArrayLike) -> float:
    """Return the mean of `rank_correlations` over the images that have one; NaN if none has."""
    values = rank_correlations(scores)
    values = values[~np.isnan(values)]
    return float(values.mean()) if values.size else float("nan")


def _severities(severities: ArrayLike) -> FloatArray:
    x = np.asarray(severities, dtype=np.float64)
    if x.ndim != 1 or not np.isfinite(x).all() or np.unique(x).size != x.size or not (x == 0.0).any():
        raise ValueError(f"severities must be distinct numbers with 0 (the clean image) among them, got {x.tolist()}")
    return x
