"""The share of images with an event, over images that come in clusters; shown only, verdicts take patients.

Neither scipy nor statsmodels has the method; they treat all images as independent.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from auditkit.stats.reduce import FloatArray, IntArray, cluster_codes

# With fewer events the design effect cannot be estimated: the worst case is taken instead.
FEW_EVENTS = 5
# And wherever there are fewer patients than this: a rare patient in whom every image fails may not have been drawn, and
# events that fall anywhere make the estimated effect look like 1.
MANY_PATIENTS = 64
RATE = "Korn-Graubard"


@dataclass(frozen=True, slots=True)
class Proportion:
    """A proportion of images, with its interval.

    Attributes
    ----------
    estimate : float
        Share 0-1; NaN without data.
    low, high : float
        Ends of the interval.
    level : float
        Confidence of the interval, 1 - 2 alpha.
    n_events, n : int
        Events among n images.
    n_clusters : int
        Independent units.
    design_effect : float
        Variance relative to that of independent images; 1 when there is one image per cluster.
    rule : str
        The method.
    """

    estimate: float
    low: float
    high: float
    level: float
    n_events: int
    n: int
    n_clusters: int
    design_effect: float
    rule: str


def clustered_rate(x: ArrayLike, clusters: ArrayLike, alpha: float) -> Proportion:
    """Bound a proportion of images by Clopper-Pearson at the effective number of images.

    Parameters
    ----------
    x : array_like of bool, shape (n,)
        Whether the event happened to each image.
    clusters : array_like of int, shape (n,)
        Cluster codes.
    alpha : float
        Error per side.

    Returns
    -------
    Proportion
        Shares 0-1, interval of level 1 - 2 alpha.

    Notes
    -----
    The effective number is n / design effect, times (t_{n-1} / t_{G-1})^2 for the cluster's degrees of freedom, and
    never above n [1]_. With fewer than 5 events, or fewer than 5 non-events, the design effect is at least
    sum(m^2) / n for clusters of m images: all images of a patient fall together. With one image per patient this is
    Clopper-Pearson.

    References
    ----------
    .. [1] Korn, E. L. & Graubard, B. I. (1998). Confidence intervals for proportions with small expected number of
       positive counts estimated from survey data. Survey Methodology 24, 193-201.
    """
    _check_alpha(alpha)
    hit, codes = _events(x, clusters, "x")
    n, k, G = hit.size, int(hit.sum()), int(np.unique(codes).size)
    if G < 2:
        estimate = k / n if n else float("nan")
        return Proportion(estimate, 0.0, 1.0, 1 - 2 * alpha, k, n, G, 1.0, "fewer than two clusters")
    effect = _design_effect(hit.astype(np.float64), codes, few=min(k, n - k) < FEW_EVENTS or G < MANY_PATIENTS)
    rate = Proportion(k / n, 0.0, 1.0, 1 - 2 * alpha, k, n, G, effect, RATE)
    return replace(rate, low=_rate_bound(rate, alpha, upper=False), high=_rate_bound(rate, alpha, upper=True))


@lru_cache(maxsize=8192)
def _rate_bound(rate: Proportion, alpha: float, *, upper: bool) -> float:
    size = rate.n / rate.design_effect
    if rate.n != rate.n_clusters:  # else the ratio is 1; scipy gives 0 / 0 for few degrees of freedom near alpha 0.5
        size *= (stats.t.ppf(1 - alpha, rate.n - 1) / stats.t.ppf(1 - alpha, rate.n_clusters - 1)) ** 2
    size = min(size, rate.n)
    events = rate.estimate * size
    if upper:
        return 1.0 if rate.n_events == rate.n else float(stats.beta.ppf(1 - alpha, events + 1, size - events))
    return 0.0 if rate.n_events == 0 else float(stats.beta.ppf(alpha, events, size - events + 1))


def _design_effect(values: FloatArray, codes: IntArray, *, few: bool) -> float:
    """Variance of the mean with clusters over that without, at least 1; at least sum(m^2) / n where events are few.

    Values are -1, 0 or 1.
    """
    n = values.size
    sizes = np.bincount(codes)
    G = int(np.count_nonzero(sizes))
    # In whole numbers, which neither round nor cancel: n times a residual is n v - s, that of a cluster n T - m s.
    totals = np.bincount(codes, values).astype(np.int64)
    s, squares = int(totals.sum()), int((values * values).sum())
    independent = n * squares - s * s
    effect = 1.0
    if independent > 0:
        clustered = n * n * int(totals @ totals) - 2 * n * s * int(totals @ sizes) + s * s * int(sizes @ sizes)
        effect = max(1.0, G * (n - 1) * clustered / ((G - 1) * n * n * independent))
    return max(effect, int(sizes @ sizes) / n) if few else effect


def _events(x: ArrayLike, clusters: ArrayLike, name: str) -> tuple[NDArray[np.bool_], IntArray]:
    hit = np.asarray(x)
    if hit.dtype != np.bool_ or hit.ndim != 1:
        raise ValueError(f"{name} must be one bool per image, got {hit.dtype} of shape {hit.shape}")
    return hit, cluster_codes(clusters, hit.size)


def _check_alpha(alpha: float) -> None:
    if not 0 < alpha < 0.5:
        raise ValueError(f"alpha is the error per side, between 0 and 0.5; got {alpha}")
