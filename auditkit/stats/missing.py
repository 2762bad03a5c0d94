"""What if the missing scores were the bad ones? The verdict again, with the gaps filled at either end.

Complete cases alone mislead when a model refuses just those images on which it would have failed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from auditkit.stats.bootstrap import Seed
from auditkit.stats.equivalence import Interval, equivalence
from auditkit.stats.reduce import FloatArray, cluster_codes, cluster_means

# Points of the first grid over the range and of each refinement between two neighbours: 200 / 20 / 11 / 11 = 0.08
# points for differences of scores.
_GRID = 21
_FINER = 12
_REFINEMENTS = 2


@dataclass(frozen=True, slots=True)
class WorstCase:
    """The same question under three assumptions about the missing values.

    Attributes
    ----------
    complete : Interval
        Without them.
    lowest, highest : Interval
        With every missing value at the lower (upper) end of its range. The estimates bound the full data's mean.
    n_missing, n : int
        Missing values among n.
    holds : bool
        The decision is the same under all three.
    tipping_point : float or None
        The imputed value nearest to 0 that changes the complete cases' decision when all missing values are set to
        it; None when nothing is missing or no value in the range changes it. Found on a grid: exact to 0.1 % of
        ``value_range``, and a change that a larger value reverses within 10 % of it can be passed over.
    """

    complete: Interval
    lowest: Interval
    highest: Interval
    n_missing: int
    n: int
    holds: bool
    tipping_point: float | None


def worst_case(
    values: ArrayLike,
    clusters: ArrayLike,
    low: float,
    high: float,
    *,
    alpha: float,
    seed: Seed,
    value_range: float = 100.0,
    lowest: ArrayLike | None = None,
    highest: ArrayLike | None = None,
    resamples: int = 10_000,
    min_clusters: int = 24,
    min_informative: int = 10,
) -> WorstCase:
    """Judge differences with missing values at the ends of what they could have been, and find the tipping point.

    Parameters
    ----------
    values : array_like, shape (n,)
        Per-image differences, NaN = missing.
    clusters : array_like of int, shape (n,)
        Cluster codes.
    low, high : float
        Margins.
    alpha, seed, value_range, resamples, min_clusters, min_informative
        As in `equivalence.equivalence`.
    lowest, highest : array_like, scalar or shape (n,), optional
        Smallest and largest value that a missing difference can have: ``-control`` and ``100 - control`` where the
        control's score is known. Default: the ends of ``value_range``.

    Returns
    -------
    WorstCase

    References
    ----------
    .. [1] Horowitz, J. L. & Manski, C. F. (2000). J. American Statistical Association 95, 77-84 (bounds).
    .. [2] Yan, X., Lee, S. & Li, N. (2009). J. Biopharmaceutical Statistics 19, 1085-1098 (tipping point).
    """
    d = np.asarray(values, dtype=np.float64)
    if d.ndim != 1:
        raise ValueError(f"values must have shape (n,), got {d.shape}")
    codes = cluster_codes(clusters, d.size)
    gaps = np.isnan(d)
    bottom = np.broadcast_to(np.asarray(-value_range if lowest is None else lowest, dtype=np.float64), d.shape)
    top = np.broadcast_to(np.asarray(value_range if highest is None else highest, dtype=np.float64), d.shape)
    if not (bottom[gaps] <= top[gaps]).all():
        raise ValueError("lowest must not exceed highest, nor be NaN, where a value is missing")

    def judged(columns: FloatArray) -> list[Interval]:
        return equivalence(
            cluster_means(columns, codes),
            low,
            high,
            alpha=alpha,
            seed=seed,
            resamples=resamples,
            value_range=value_range,
            min_clusters=min_clusters,
            min_informative=min_informative,
        )

    three = np.stack([d, np.where(gaps, bottom, d), np.where(gaps, top, d)], axis=1)
    complete, at_lowest, at_highest = judged(three)
    holds = complete.decision == at_lowest.decision == at_highest.decision
    point: float | None = None
    if gaps.any():

        def changes(imputed: FloatArray) -> list[bool]:
            filled = np.where(gaps[:, None], np.clip(imputed, bottom[:, None], top[:, None]), d[:, None])
            return [interval.decision != complete.decision for interval in judged(filled)]

        point = _nearest_change(changes, float(bottom[gaps].min()), float(top[gaps].max()))
    return WorstCase(complete, at_lowest, at_highest, int(gaps.sum()), d.size, holds, point)


def _nearest_change(changes: Callable[[FloatArray], list[bool]], bottom: float, top: float) -> float | None:
    """Return the value nearest to 0 that changes the decision: a grid over the range, then finer ones towards 0."""
    grid = np.unique(np.append(np.linspace(bottom, top, _GRID), np.clip(0.0, bottom, top)))
    hits = grid[np.asarray(changes(grid))]
    if not hits.size:
        return None
    tipped = float(hits[np.argmin(np.abs(hits))])
    for _ in range(_REFINEMENTS):
        # Grid points between 0 and the best so far left the decision as it was; the change lies beyond the last.
        between = grid[(grid * tipped >= 0) & (np.abs(grid) < abs(tipped))]
        if not between.size:
            break
        held = float(between[np.argmax(np.abs(between))])
        grid = np.linspace(held, tipped, _FINER)
        inner = grid[1:-1]
        hits = inner[np.asarray(changes(inner))]
        if hits.size:
            tipped = float(hits[np.argmin(np.abs(hits))])
    return tipped
