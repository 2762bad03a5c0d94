"""Rates of events (refusals, unparsed answers, errors) over images that come in clusters, and their paired differences.

Neither method is in scipy or statsmodels, which treat all images as independent.
"""

from __future__ import annotations

import math
from dataclasses import replace
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize, stats

from auditkit.stats.proportion import Proportion, decide
from auditkit.stats.reduce import FloatArray, IntArray, cluster_codes

# With fewer events the design effect cannot be estimated: the worst case is taken instead.
FEW_EVENTS = 5
RATE = "Korn-Graubard"
DIFFERENCE = "Tango score, clustered"


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
    effect = _design_effect(hit.astype(np.float64), codes, few=min(k, n - k) < FEW_EVENTS)
    rate = Proportion(k / n, 0.0, 1.0, 1 - 2 * alpha, k, n, G, effect, RATE)
    return replace(rate, low=_rate_bound(rate, alpha, upper=False), high=_rate_bound(rate, alpha, upper=True))


def rate_test(result: Proportion, cap: float) -> tuple[float, float]:
    """Test a `clustered_rate` against a cap by inverting its interval.

    Parameters
    ----------
    result : Proportion
        From `clustered_rate`.
    cap : float
        Largest rate to be accepted, 0 < cap < 1.

    Returns
    -------
    p_pass, p_fail : float
        The smallest alpha at which the interval lies below (above) the cap; 1 when that is above 0.5, which no
        interval has. Not below 1e-12.
    """
    if not 0 < cap < 1:
        raise ValueError(f"cap is a rate between 0 and 1, got {cap}")
    if result.n_clusters < 2:
        return 1.0, 1.0
    return _inverted(result, cap, upper=True), _inverted(result, cap, upper=False)


def rate_difference(treated: ArrayLike, control: ArrayLike, clusters: ArrayLike, alpha: float) -> Proportion:
    """Bound the difference of two rates measured on the same images.

    Parameters
    ----------
    treated, control : array_like of bool, shape (n,)
        The event for each image under either condition.
    clusters : array_like of int, shape (n,)
        Cluster codes.
    alpha : float
        Error per side.

    Returns
    -------
    Proportion
        ``estimate`` is the treated rate minus the control rate, -1 to 1.

    Notes
    -----
    Tango's score interval [1]_, its distances from the estimate multiplied by the square root of the design effect of
    the differences. With fewer than 5 discordant images the design effect is at least sum(m^2) / n. Other than Wald's
    interval it stays honest with few or no discordant images.

    References
    ----------
    .. [1] Tango, T. (1998). Equivalence test and confidence interval for the difference in proportions for the
       paired-sample design. Statistics in Medicine 17, 891-908.
    """
    _check_alpha(alpha)
    with_it, codes = _events(treated, clusters, "treated")
    without, _ = _events(control, clusters, "control")
    only_treated, only_control = int((with_it & ~without).sum()), int((~with_it & without).sum())
    n, G = with_it.size, int(np.unique(codes).size)
    if G < 2:
        estimate = (only_treated - only_control) / n if n else float("nan")
        return Proportion(
            estimate, -1.0, 1.0, 1 - 2 * alpha, only_treated, n, G, 1.0, "fewer than two clusters", only_control
        )
    difference = with_it.astype(np.float64) - without.astype(np.float64)
    effect = _design_effect(difference, codes, few=only_treated + only_control < FEW_EVENTS)
    estimate, z, stretch = float(difference.mean()), float(stats.norm.ppf(1 - alpha)), math.sqrt(effect)
    low = _score_bound(only_treated, only_control, n, z)
    high = -_score_bound(only_control, only_treated, n, z)
    return Proportion(
        estimate=estimate,
        low=max(-1.0, estimate - (estimate - low) * stretch),
        high=min(1.0, estimate + (high - estimate) * stretch),
        level=1 - 2 * alpha,
        n_events=only_treated,
        n=n,
        n_clusters=G,
        design_effect=effect,
        rule=DIFFERENCE,
        n_reversed=only_control,
    )


def rate_difference_test(result: Proportion, cap: float) -> tuple[float, float]:
    """Test a `rate_difference` against a cap: p-values of "below the cap" and of "above the cap".

    Parameters
    ----------
    result : Proportion
        From `rate_difference`.
    cap : float
        Largest increase to be accepted, -1 < cap < 1. For a loss of accuracy pass the errors as events, or the
        control's hits as ``treated``.

    Returns
    -------
    p_pass, p_fail : float
        ``p_pass < alpha`` exactly when ``high < cap``, ``p_fail < alpha`` exactly when ``low > cap``.
    """
    if not -1 < cap < 1:
        raise ValueError(f"cap is a difference of rates between -1 and 1, got {cap}")
    if result.n_clusters < 2:
        return 1.0, 1.0
    # Shrinking the distance to the cap is the same as stretching the interval.
    reduced = result.estimate + (cap - result.estimate) / np.sqrt(result.design_effect)
    score = tango_score(result.n_events, result.n_reversed, result.n, reduced)
    return float(stats.norm.cdf(score)), float(stats.norm.sf(score))


@lru_cache(maxsize=8192)  # a run bounds thousands of rates, nearly all of them of no event among equally many images
def against_cap(result: Proportion, cap: float) -> Proportion:
    """Return the result with p-values and decision against a cap filled in."""
    test = rate_difference_test if result.rule == DIFFERENCE else rate_test
    p_pass, p_fail = test(result, cap)
    return replace(result, p_pass=p_pass, p_fail=p_fail, decision=decide(result.low, result.high, cap))


def tango_score(up: int, down: int, n: int, difference: float) -> float:
    """Return Tango's z statistic of (up - down) / n against a hypothetical difference, -1 < difference < 1.

    ``up`` and ``down`` are the discordant counts. The nuisance parameter, the probability of a "down", is replaced by
    its maximum-likelihood value under the hypothesis (the root of a quadratic).
    """
    linear = (2 * n - up + down) * difference - up - down
    constant = -down * difference * (1 - difference)
    root = np.sqrt(max(linear * linear - 8 * n * constant, 0.0))
    # The root that does not cancel.
    fitted = (root - linear) / (4 * n) if linear <= 0 else -2 * constant / (root + linear)
    variance = n * (2 * fitted + difference * (1 - difference))
    gap = up - down - n * difference
    if variance <= 1e-15:
        return 0.0 if abs(gap) < 1e-12 else float(np.copysign(np.inf, gap))
    return float(gap / np.sqrt(variance))


@lru_cache(maxsize=8192)
def _score_bound(up: int, down: int, n: int, z: float) -> float:
    """Lower end of the score interval: the difference at which the score is z."""
    estimate = (up - down) / n
    if estimate <= -1.0:
        return -1.0
    edge = 1e-12
    ends = -1.0 + edge, estimate - edge
    if tango_score(up, down, n, ends[0]) <= z:
        return -1.0
    if tango_score(up, down, n, ends[1]) >= z:
        return estimate
    return float(optimize.brentq(lambda d: tango_score(up, down, n, d) - z, *ends, xtol=1e-12))


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


def _inverted(rate: Proportion, cap: float, *, upper: bool) -> float:
    def gap(log_alpha: float) -> float:
        bound = _rate_bound(rate, float(np.exp(log_alpha)), upper=upper)
        return bound - cap if upper else cap - bound

    ends = float(np.log(1e-12)), float(np.log(0.5 - 1e-6))
    if gap(ends[1]) >= 0:
        # Not even the interval of level 0 lies on that side.
        return 1.0
    if gap(ends[0]) < 0:
        return 1e-12
    return float(np.exp(optimize.brentq(gap, *ends, xtol=1e-10)))


def _design_effect(values: FloatArray, codes: IntArray, *, few: bool) -> float:
    """Variance of the mean with clusters over that without, at least 1; at least sum(m^2) / n where events are few."""
    n = values.size
    sizes = np.bincount(codes)
    G = int(np.count_nonzero(sizes))
    residual = values - values.mean()
    independent = (residual @ residual) / (n - 1) / n
    effect = 1.0
    if independent > 0:
        totals = np.bincount(codes, residual)
        effect = max(1.0, float(G / (G - 1) * (totals @ totals) / n**2 / independent))
    return max(effect, float(sizes @ sizes) / n) if few else effect


def _events(x: ArrayLike, clusters: ArrayLike, name: str) -> tuple[NDArray[np.bool_], IntArray]:
    hit = np.asarray(x)
    if hit.dtype != np.bool_ or hit.ndim != 1:
        raise ValueError(f"{name} must be one bool per image, got {hit.dtype} of shape {hit.shape}")
    return hit, cluster_codes(clusters, hit.size)


def _check_alpha(alpha: float) -> None:
    if not 0 < alpha < 0.5:
        raise ValueError(f"alpha is the error per side, between 0 and 0.5; got {alpha}")
