"""How many answers are right among those that a model is most confident of, with patients as clusters.

The share of right answers among the most confident share c is a number of the whole sample, because the sample says
where the threshold lies. Here it is put as a mean of one value per item, so that the procedures for means over patients
decide it: with a(j) the part of item j that is kept (ties in proportion), y(j) whether it is right, and m the share of
right answers at the threshold, an item's value is a(j) (y(j) - m) / c + m. Their mean is the share of right answers
kept, whatever m is. How they vary is the influence of the patients on it, the threshold's own uncertainty included,
which an interval with a fixed threshold leaves out: its variance lacks c (1 - c) (kept - m)^2. Of the shares of right
answers on either side of the threshold m is the one further from what is kept.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from auditkit.stats.reduce import FloatArray, cluster_codes

SHARES = tuple(tenth / 10 for tenth in range(1, 11))
"""The shares that a curve of risk against coverage is drawn at."""
# The share of patients to either side of the threshold whose right answers say what m is, and the fewest patients.
_WINDOW, _FEWEST = 0.1, 5.0
# How far sums in another order may take a value beyond its range.
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Kept:
    """One value per item whose mean over patients is the share of right answers kept.

    Attributes
    ----------
    values : ndarray of float, shape (n,)
        See the module.
    least, most : float
        Ends of what a value can be.
    """

    values: FloatArray
    least: float
    most: float


def kept(confidence: ArrayLike, right: ArrayLike, clusters: ArrayLike, share: float) -> Kept:
    """Return the values of the most confident share of items; patients have equal weight.

    Parameters
    ----------
    confidence : array_like, shape (n,)
        NaN where there is none: such an item is kept last.
    right : array_like of float, shape (n,)
        0 to 1, none missing.
    clusters : array_like of int, shape (n,)
        Patients.
    share : float
        Of the patients' weight, above 0 and at most 1.

    Raises
    ------
    ValueError
        A share beyond its range, or right answers that are missing or beyond theirs.
    """
    y = np.asarray(right, dtype=np.float64)
    sure = np.asarray(confidence, dtype=np.float64)
    codes = cluster_codes(clusters, y.size)
    if not 0 < share <= 1:
        raise ValueError(f"a share above 0 and at most 1 is needed, got {share!r}")
    if not ((y >= 0) & (y <= 1)).all():
        raise ValueError("right answers are 0 to 1, and none is missing")
    if not y.size:
        return Kept(y, 0.0, 1.0)
    weight = 1.0 / np.bincount(codes)[codes]
    # Places from the most confident on; equal confidences share one.
    _, place = np.unique(-np.where(np.isnan(sure), -np.inf, sure), return_inverse=True)
    place = place.reshape(-1)
    mass = np.bincount(place, weight)
    right_mass = np.bincount(place, weight * y)
    ends: FloatArray = np.cumsum(mass).astype(np.float64)
    starts: FloatArray = ends - mass
    whole = float(ends[-1])
    cut = share * whole
    part = np.clip((cut - starts) / mass, 0.0, 1.0)
    half = max(_WINDOW * whole, _FEWEST)
    kept_right = float((part * right_mass).sum() / cut)
    # Where right answers jump at the threshold, what lies beyond it says how far another threshold takes the number.
    sides = [
        _share(right_mass / mass, starts, ends, cut - half, cut),
        _share(right_mass / mass, starts, ends, cut, cut + half),
    ]
    m = max((side for side in sides if side is not None), key=lambda side: abs(side - kept_right))
    values = part[place] * (y - m) / share + m
    return Kept(values, m - m / share - _ROUNDING, m + (1.0 - m) / share + _ROUNDING)


def _share(right: FloatArray, starts: FloatArray, ends: FloatArray, low: float, high: float) -> float | None:
    """Return the share of right answers among the weight between two places; None where there is none."""
    inside = np.clip(np.minimum(ends, high) - np.maximum(starts, low), 0.0, None)
    total = float(inside.sum())
    return float((inside * right).sum()) / total if total > _ROUNDING else None
