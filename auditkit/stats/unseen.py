"""One rule of the patient who was not seen: what few patients can never exclude, whatever they vary by.

Were a share 1 - q of all patients unlike those at hand, none of G patients would be one of them with probability q^G.
With q = alpha^(1/G) that is alpha: so large a share can never be excluded, and it may lie anywhere in the range of what
is measured. An interval that trusts the variance seen is too narrow where a few patients in a hundred are hit hard and
none of them was drawn: exactly at a margin of 5 points it passed 0.31 of the models whose score jumps by 100 in one
patient of twenty (24 patients, 1,000 data sets), and failed 0.25 of those with one patient in twenty who rises by 40.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from auditkit.stats.reduce import FloatArray


def seen_share(alpha: float, n_clusters: ArrayLike) -> FloatArray:
    """Return the smallest share of all patients that those at hand can stand for: alpha^(1/G), 0-1; 0 for none.

    Parameters
    ----------
    alpha : float
        Error per side.
    n_clusters : array_like of int
        G.
    """
    G = np.asarray(n_clusters, dtype=np.float64)
    return np.where(G > 0, np.power(alpha, 1.0 / np.maximum(G, 1.0)), 0.0)


def one_in(alpha: float, n_clusters: int) -> int:
    """Return of how many patients one could be unlike those at hand, without any of these being among them.

    Examples
    --------
    >>> [one_in(0.05, G) for G in (4, 32, 364)]
    [1, 11, 122]
    """
    return math.floor(1.0 / (1.0 - float(seen_share(alpha, n_clusters))))


def least_clusters(margin: float, reach: float, alpha: float, power: int = 1) -> int:
    """Return the fewest patients that can show a mean of 0 to lie within a margin.

    Parameters
    ----------
    margin : float
        Distance from what was seen to the limit, above 0, in the unit of the values.
    reach : float
        How far a value of an unseen patient can lie from what was seen, in the same unit; above the margin.
    alpha : float
        Error per side.
    power : int
        How often a patient counts: 1 in a mean, 2 in an area under the ROC curve, whose pairs take two.

    Examples
    --------
    >>> [least_clusters(m, 100.0, 0.05) for m in (5.0, 10.0)]
    [59, 29]
    >>> [least_clusters(m, 1.0, 0.05, power=2) for m in (0.05, 0.10)]
    [117, 57]
    """
    if not 0 < margin < reach:
        raise ValueError(f"a margin above 0 and below the reach of {reach:g} is needed, got {margin:g}")
    # One unit in the last place must not ask for a patient more.
    return math.ceil(power * math.log(alpha) / math.log1p(-margin / reach) - 1e-9)


def mean_ends(
    mean: ArrayLike, n_clusters: ArrayLike, value_range: float, alpha: float
) -> tuple[FloatArray, FloatArray]:
    """Return how far the unseen patients can move a mean, to either side.

    Parameters
    ----------
    mean : array_like
        Of the patients at hand.
    n_clusters : array_like of int
        Their number.
    value_range : float
        No value can be outside [-value_range, value_range].
    alpha : float
        Error per side.
    """
    q, m = seen_share(alpha, n_clusters), np.asarray(mean, dtype=np.float64)
    return q * m - (1.0 - q) * value_range, q * m + (1.0 - q) * value_range


def p_mean_above(mean: ArrayLike, n_clusters: ArrayLike, value_range: float, threshold: ArrayLike) -> FloatArray:
    """Return the smallest alpha at which the lower end of `mean_ends` lies above a threshold; 1 where none does."""
    m, limit = np.asarray(mean, dtype=np.float64), np.asarray(threshold, dtype=np.float64)
    share = np.clip((limit + value_range) / np.maximum(m + value_range, 1e-300), 0.0, 1.0)
    return np.where(m > limit, np.power(share, np.asarray(n_clusters)), 1.0)


def p_mean_below(mean: ArrayLike, n_clusters: ArrayLike, value_range: float, threshold: ArrayLike) -> FloatArray:
    """Return the smallest alpha at which the upper end of `mean_ends` lies below a threshold; 1 where none does."""
    return p_mean_above(-np.asarray(mean, dtype=np.float64), n_clusters, value_range, -np.asarray(threshold))
