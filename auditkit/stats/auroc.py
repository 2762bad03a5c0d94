"""Do scores tell clean from treated images? The area under the ROC curve with patients as the unit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import special, stats

from auditkit.stats.reduce import FloatArray, IntArray, cluster_codes

MIN_CLUSTERS = 32


@dataclass(frozen=True, slots=True)
class Auroc:
    """Probability that a clean image scores higher than a treated one, ties counted half.

    Attributes
    ----------
    estimate : float
        0-1; NaN without data.
    low, high : float
        Ends of the 1 - 2 alpha interval.
    level : float
        1 - 2 alpha.
    se : float
        Standard error of the estimate (not of its logit); NaN with fewer than two clusters.
    n_clusters : int
        Clusters with a clean or a treated score.
    """

    estimate: float
    low: float
    high: float
    level: float
    se: float
    n_clusters: int


def auroc(
    clean: ArrayLike, treated: ArrayLike, clusters_clean: ArrayLike, clusters_treated: ArrayLike, alpha: float
) -> Auroc:
    """Estimate the AUROC of clean against treated images and its interval.

    Parameters
    ----------
    clean, treated : array_like, shapes (n,) and (m,)
        Scores; NaN = missing and left out. The same patients may and usually will be in both.
    clusters_clean, clusters_treated : array_like of int, shapes (n,) and (m,)
        Cluster codes; equal codes are the same patient.
    alpha : float
        Error per side.

    Returns
    -------
    Auroc

    Notes
    -----
    The variance sums each patient's clean and treated deviations before squaring, so correlation within a patient and
    the pairing of clean with treated are both accounted for [1]_. The interval is built on the logit scale with
    Student's t on G - 1 degrees of freedom.

    Perfect separation has no variance; its lower bound is alpha^(1/G): were a share 1 - alpha^(1/G) of patients
    inseparable, none of G would be seen with probability alpha. The same holds for every estimate, so no interval may
    be narrower on that side (an estimate of 0.9999 must not be bounded more tightly than 1). If there is no variance
    at an estimate A between (a constant score), the unseen patients may add anything: A q to 1 - (1 - A) q with
    q = alpha^(1/G).

    References
    ----------
    .. [1] Obuchowski, N. A. (1997). Nonparametric analysis of clustered ROC curve data. Biometrics 53, 567-578.
    """
    if not 0 < alpha < 0.5:
        raise ValueError(f"alpha is the error per side, between 0 and 0.5; got {alpha}")
    x, group_x = _present(clean, clusters_clean)
    y, group_y = _present(treated, clusters_treated)
    G = int(np.union1d(group_x, group_y).size)
    if not x.size or not y.size:
        return Auroc(float("nan"), 0.0, 1.0, 1 - 2 * alpha, float("nan"), G)
    place_x, place_y = _placements(x, y), 1.0 - _placements(y, x)
    area = float(place_x.mean())
    se = _standard_error(place_x - area, place_y - area, group_x, group_y, G) if G > 1 else float("nan")
    if G < 2:
        return Auroc(area, 0.0, 1.0, 1 - 2 * alpha, se, G)
    unseen = alpha ** (1.0 / G)
    if se == 0.0:
        return Auroc(area, area * unseen, 1.0 - (1.0 - area) * unseen, 1 - 2 * alpha, 0.0, G)
    centre, scale = special.logit(area), se / (area * (1.0 - area))
    reach = stats.t.ppf(1 - alpha, G - 1) * scale
    low, high = special.expit(centre - reach), special.expit(centre + reach)
    return Auroc(area, float(min(low, unseen)), float(max(high, 1.0 - unseen)), 1 - 2 * alpha, se, G)


def auroc_test(result: Auroc, floor: float, *, min_clusters: int = MIN_CLUSTERS) -> tuple[float, float]:
    """Test the AUROC against a floor by the interval's own rule.

    Parameters
    ----------
    result : Auroc
        From `auroc`.
    floor : float
        Smallest area to be accepted, 0 < floor < 1.
    min_clusters : int
        With fewer, no pass is claimed (p_pass = 1).

    Returns
    -------
    p_pass, p_fail : float
        P-values of "above the floor" and "below the floor": ``p_pass < alpha`` exactly when ``low > floor`` (with
        enough clusters), ``p_fail < alpha`` exactly when ``high < floor``. Both 1 without data.
    """
    if not 0 < floor < 1:
        raise ValueError(f"floor is an area between 0 and 1, got {floor}")
    area, G = result.estimate, result.n_clusters
    if not (np.isfinite(area) and np.isfinite(result.se)):
        return 1.0, 1.0
    if result.se == 0.0:
        above = (floor / area) ** G if floor < area else 1.0
        below = ((1 - floor) / (1 - area)) ** G if floor > area else 1.0
    else:
        t = (special.logit(area) - special.logit(floor)) * area * (1 - area) / result.se
        above = max(float(stats.t.sf(t, G - 1)), floor**G)
        below = max(float(stats.t.cdf(t, G - 1)), (1 - floor) ** G)
    return (above if min_clusters <= G else 1.0), below


def _present(scores: ArrayLike, clusters: ArrayLike) -> tuple[FloatArray, IntArray]:
    values = np.asarray(scores, dtype=np.float64)
    if values.ndim != 1:
        raise ValueError(f"scores must be one-dimensional, got shape {values.shape}")
    codes = cluster_codes(clusters, values.size)
    keep = ~np.isnan(values)
    return values[keep], codes[keep]


def _placements(values: FloatArray, others: FloatArray) -> FloatArray:
    """Share of the others that each value exceeds, ties half."""
    ordered = np.sort(others)
    lower = np.searchsorted(ordered, values, "left") + np.searchsorted(ordered, values, "right")
    return np.asarray(lower / (2.0 * others.size))


def _standard_error(
    deviation_x: FloatArray, deviation_y: FloatArray, group_x: IntArray, group_y: IntArray, G: int
) -> float:
    size = int(max(group_x.max(), group_y.max())) + 1
    total_x = np.bincount(group_x, deviation_x, size) / deviation_x.size
    total_y = np.bincount(group_y, deviation_y, size) / deviation_y.size
    variance = 2.0 * G / (G - 1) * (total_x @ total_y)
    for total, group in ((total_x, group_x), (total_y, group_y)):
        used = np.unique(group).size
        # One cluster on a side says nothing of the spread between clusters; G / (G - 1) is then the best there is.
        variance += (used / (used - 1) if used > 1 else G / (G - 1)) * (total @ total)
    # Rounding leaves 1e-33 where every placement is the same; that is no variance.
    return float(np.sqrt(variance)) if variance > 1e-24 else 0.0
