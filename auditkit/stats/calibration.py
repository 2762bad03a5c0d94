"""Do stated probabilities mean what they say? Two displays; neither can decide.

Images with a missing probability or outcome are left out everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from auditkit.stats.rates import Proportion, clustered_rate
from auditkit.stats.reduce import FloatArray, IntArray, cluster_codes

# Draws times images looked at together: 8 MB.
_CELLS = 1_000_000


@dataclass(frozen=True, slots=True)
class ReliabilityPoint:
    """One bin of a reliability curve.

    Attributes
    ----------
    low, high : float
        Ends of the bin; the lower one belongs to it, the upper one only in the last bin.
    mean_probability : float
        Mean stated probability of the images in it.
    observed : Proportion
        Share of them whose outcome happened, with the clustered interval of `rates.clustered_rate`.
    """

    low: float
    high: float
    mean_probability: float
    observed: Proportion


def expected_calibration_error(probabilities: ArrayLike, outcomes: ArrayLike, bins: int = 10) -> float:
    """Return the mean gap between stated probability and observed rate over bins of equal width.

    To be shown, never to be gated: it is biased upwards by what chance does within each bin. For a perfectly calibrated
    model (10 bins, probabilities uniform on 0-1) its mean is 0.12 with 64 images, 0.06 with 256 and 0.03 with 1,024,
    and with 64 images it exceeds 0.18 one time in twenty (20,000 simulated data sets each). With probabilities that
    crowd towards 0 and 1 (arcsine distribution) the mean is 0.11 with 64 images.

    Parameters
    ----------
    probabilities : array_like, shape (n,)
        Stated probability of the outcome, 0-1; NaN = missing.
    outcomes : array_like of bool or 0/1, shape (n,)
        Whether it happened; NaN = missing.
    bins : int
        Number of bins.

    Returns
    -------
    float
        0-1; NaN without data.

    Raises
    ------
    ValueError
        Shapes that do not fit, probabilities outside 0-1, outcomes other than 0 and 1.

    References
    ----------
    .. [1] Naeini, M. P., Cooper, G. F. & Hauskrecht, M. (2015). Obtaining well calibrated probabilities using Bayesian
       binning. AAAI 29, 2901-2907.
    """
    p, happened, _ = _complete(probabilities, outcomes, None)
    if not p.size:
        return float("nan")
    gaps = np.bincount(_bin_of(p, bins), happened - p)
    return float(np.abs(gaps).sum() / p.size)


def errors_by_chance(probabilities: ArrayLike, bins: int, replicates: int, rng: np.random.Generator) -> FloatArray:
    """Draw outcomes that happen just as often as stated and return `expected_calibration_error` of each draw.

    Parameters
    ----------
    probabilities : array_like, shape (n,)
        Stated probabilities, 0-1, none missing; n at least 1.
    bins : int
        Number of bins.
    replicates : int
        Number of draws.
    rng : Generator
        Gives n numbers per draw, one draw after the other.

    Returns
    -------
    ndarray, shape (replicates,)
    """
    p = np.asarray(probabilities, dtype=np.float64)
    place = _bin_of(p, bins)
    order = np.argsort(place, kind="stable")
    starts = np.flatnonzero(np.diff(place[order], prepend=-1))
    expected = np.add.reduceat(p[order], starts)
    errors = np.empty(replicates)
    rows = max(1, _CELLS // p.size)
    for at in range(0, replicates, rows):
        happened = rng.random((min(rows, replicates - at), p.size)) < p
        hits = np.add.reduceat(happened[:, order], starts, axis=1, dtype=np.int64)
        errors[at : at + rows] = np.abs(hits - expected).sum(axis=1) / p.size
    return errors


def reliability(
    probabilities: ArrayLike, outcomes: ArrayLike, clusters: ArrayLike, bins: int, alpha: float
) -> list[ReliabilityPoint]:
    """Return the points of the reliability curve: observed rates in bins of equal width of the stated probability.

    Parameters
    ----------
    probabilities, outcomes
        As for `expected_calibration_error`.
    clusters : array_like of int, shape (n,)
        Cluster (patient) codes.
    bins : int
        Number of bins over 0-1.
    alpha : float
        Error per side of each point's interval; the points together are not corrected.

    Returns
    -------
    list of ReliabilityPoint
        From low to high; bins without images have none.
    """
    p, happened, codes = _complete(probabilities, outcomes, clusters)
    place = _bin_of(p, bins)
    points = []
    for at in np.unique(place):
        here = place == at
        observed = clustered_rate(happened[here] == 1.0, codes[here], alpha)
        points.append(ReliabilityPoint(float(at / bins), float((at + 1) / bins), float(p[here].mean()), observed))
    return points


def _bin_of(p: FloatArray, bins: int) -> IntArray:
    if bins < 1:
        raise ValueError(f"bins must be at least 1, got {bins}")
    # Against the edges as they are reported: 0.3 * 10 and the like would round some probabilities into the next bin.
    edges = np.arange(1, bins) / bins
    return np.searchsorted(edges, p, side="right").astype(np.int64)


def _complete(
    probabilities: ArrayLike, outcomes: ArrayLike, clusters: ArrayLike | None
) -> tuple[FloatArray, FloatArray, IntArray]:
    """Return probabilities, outcomes (0 or 1) and cluster codes of the rows that have both numbers."""
    p, happened = np.asarray(probabilities, dtype=np.float64), np.asarray(outcomes, dtype=np.float64)
    if p.ndim != 1 or p.shape != happened.shape:
        raise ValueError(f"probabilities and outcomes must both have shape (n,), got {p.shape} and {happened.shape}")
    codes = np.arange(p.size) if clusters is None else cluster_codes(clusters, p.size)
    stated = p[~np.isnan(p)]
    if ((stated < 0) | (stated > 1)).any():
        raise ValueError(
            f"probabilities lie between 0 and 1, got {stated.min():g} to {stated.max():g}; divide per cents by 100"
        )
    seen = happened[~np.isnan(happened)]
    if not np.isin(seen, (0.0, 1.0)).all():
        raise ValueError(f"outcomes are 0 or 1, got {seen[~np.isin(seen, (0.0, 1.0))][0]:g}")
    both = ~np.isnan(p) & ~np.isnan(happened)
    return p[both], happened[both], codes[both]
