"""Do stated probabilities mean what they say? Two tests that can decide, and two displays that cannot.

Images with a missing probability or outcome are left out everywhere; what they may hide is a matter for `missing`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from auditkit.stats.bootstrap import Seed
from auditkit.stats.equivalence import Decision, Interval, equivalence
from auditkit.stats.exact import total
from auditkit.stats.proportion import Proportion
from auditkit.stats.rates import clustered_rate
from auditkit.stats.reduce import FloatArray, IntArray, cluster_codes, cluster_means

_CERTAIN = 2.0**-52
# Draws times images looked at together: 8 MB.
_CELLS = 1_000_000


@dataclass(frozen=True, slots=True)
class Calibration:
    """Spiegelhalter's test of "every outcome happens with the probability stated for it".

    Attributes
    ----------
    z : float
        Positive: the Brier score is worse than calibrated probabilities would give (too extreme); negative: better
        (too timid). Infinite when something happened that was called impossible and nothing else tells; NaN when the
        probabilities allow no test (all 0, 0.5 or 1 and not contradicted).
    p_fail : float
        Two-sided p-value of "not calibrated"; 1 when z is NaN.
    decision : {"beyond", "open"}
        ``beyond`` when p_fail <= alpha. There is no "inside": not to be found out is not to be calibrated.
    brier, brier_expected : float
        Mean squared error of the probabilities, and what it would be on average if they were right; NaN without data.
    n, n_clusters : int
        Images and patients with both numbers.
    design_effect : float
        Variance of the statistic relative to that of independent images, 1 or more.
    """

    z: float
    p_fail: float
    decision: Decision
    brier: float
    brier_expected: float
    n: int
    n_clusters: int
    design_effect: float


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


def spiegelhalter(probabilities: ArrayLike, outcomes: ArrayLike, clusters: ArrayLike, alpha: float) -> Calibration:
    """Test whether outcomes happen with the probabilities stated.

    Parameters
    ----------
    probabilities : array_like, shape (n,)
        Stated probability of the outcome, 0-1; NaN = missing.
    outcomes : array_like of bool or 0/1, shape (n,)
        Whether it happened; NaN = missing.
    clusters : array_like of int, shape (n,)
        Cluster (patient) codes.
    alpha : float
        Level of the two-sided test, 0 < alpha < 0.5.

    Returns
    -------
    Calibration

    Raises
    ------
    ValueError
        Shapes that do not fit, probabilities outside 0-1, outcomes other than 0 and 1, alpha out of bounds.

    Notes
    -----
    With u = (outcome - p) (1 - 2 p), the statistic is sum(u) / sqrt(V). For independent images
    V = sum((1 - 2 p)^2 p (1 - p)), known from the probabilities alone [1]_. Images of a patient add the products
    u_i u_j of all pairs of them, whose expectation is their covariance if the probabilities are right; a negative
    total is not used. With one image per patient this is Spiegelhalter's z exactly. Simulated level of the test at
    0.05, 16 to 128 patients of 1 to 12 images, correlation up to 0.8: 0.01 to 0.058 (3,000 data sets each).

    The test is blind to errors that the weights (1 - 2 p) cancel, so `calibration_in_the_large` belongs beside it.

    References
    ----------
    .. [1] Spiegelhalter, D. J. (1986). Probabilistic prediction in patient management and clinical trials. Statistics
       in Medicine 5, 421-433.
    """
    if not 0 < alpha < 0.5:
        raise ValueError(f"alpha is the level of the test, between 0 and 0.5; got {alpha}")
    p, happened, codes = _complete(probabilities, outcomes, clusters)
    n, G = p.size, int(np.unique(codes).size)
    # Nearer to 0 or 1 than doubles can tell on both sides: certain, or the variance is too small to be divided by.
    p = np.where(p < _CERTAIN, 0.0, np.where(p > 1.0 - _CERTAIN, 1.0, p))
    u = (happened - p) * (1 - 2 * p)
    variance = float(total((1 - 2 * p) ** 2 * p * (1 - p)))
    # Patient by patient: one image leaves no products of pairs at all.
    pairs = np.asarray(np.bincount(codes, u) ** 2 - np.bincount(codes, u * u) if n else np.zeros(1), dtype=np.float64)
    effect = max(1.0, 1.0 + float(total(pairs)) / variance) if variance > 0 else 1.0
    z, p_fail = float("nan"), 1.0
    if variance > 0:
        z = float(total(u) / np.sqrt(variance * effect))
        p_fail = float(2 * stats.norm.sf(abs(z)))
    elif u.any():
        # Probabilities of 0 and 1 leave nothing to chance: one outcome against them refutes them.
        z, p_fail = float("inf"), 0.0
    brier, expected = (
        (float(((happened - p) ** 2).mean()), float((p * (1 - p)).mean())) if n else (float("nan"), float("nan"))
    )
    return Calibration(z, p_fail, "beyond" if p_fail <= alpha else "open", brier, expected, n, G, effect)


def calibration_in_the_large(
    probabilities: ArrayLike,
    outcomes: ArrayLike,
    clusters: ArrayLike,
    margin: float,
    *,
    alpha: float,
    seed: Seed,
    resamples: int = 10_000,
    min_clusters: int = 24,
    min_informative: int = 10,
) -> Interval:
    """Decide whether outcomes happen as often as stated, on average and within a margin.

    Parameters
    ----------
    probabilities, outcomes, clusters
        As for `spiegelhalter`.
    margin : float
        Largest difference to be accepted between observed rate and mean probability, 0 < margin < 1.
    alpha, seed, resamples, min_clusters, min_informative
        As in `equivalence.equivalence`.

    Returns
    -------
    Interval
        Of the mean over patients of outcome - probability, -1 to 1: above 0 more happened than was stated.

    Notes
    -----
    The first and weakest level of calibration [1]_: it can hold while every single probability is wrong.

    References
    ----------
    .. [1] Van Calster, B. et al. (2016). A calibration hierarchy for risk models was defined: from utopia to empirical
       data. J. Clinical Epidemiology 74, 167-176.
    """
    if not 0 < margin < 1:
        raise ValueError(f"margin is a difference of probabilities, between 0 and 1; got {margin}")
    p, happened, codes = _complete(probabilities, outcomes, clusters)
    return equivalence(
        cluster_means((happened - p)[:, None], codes),
        -margin,
        margin,
        alpha=alpha,
        resamples=resamples,
        seed=seed,
        value_range=1.0,
        min_clusters=min_clusters,
        min_informative=min_informative,
    )[0]


def expected_calibration_error(probabilities: ArrayLike, outcomes: ArrayLike, bins: int = 10) -> float:
    """Return the mean gap between stated probability and observed rate over bins of equal width.

    To be shown, never to be gated: it is biased upwards by what chance does within each bin. For a perfectly calibrated
    model (10 bins, probabilities uniform on 0-1) its mean is 0.12 with 64 images, 0.06 with 256 and 0.03 with 1,024,
    and with 64 images it exceeds 0.18 one time in twenty (20,000 simulated data sets each). With probabilities that
    crowd towards 0 and 1 (arcsine distribution) the mean is 0.11 with 64 images.

    Parameters
    ----------
    probabilities, outcomes
        As for `spiegelhalter`.
    bins : int
        Number of bins.

    Returns
    -------
    float
        0-1; NaN without data.

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
    probabilities, outcomes, clusters
        As for `spiegelhalter`.
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
