"""Rates of events (refusals, unparsed answers, errors) over images that come in clusters, and their paired differences.

Neither method is in scipy or statsmodels, which treat all images as independent.
"""

from __future__ import annotations

import math
from dataclasses import replace
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize, special, stats

from auditkit.stats.proportion import Proportion, decide
from auditkit.stats.reduce import FloatArray, IntArray, cluster_codes

# With fewer events the design effect cannot be estimated: the worst case is taken instead.
FEW_EVENTS = 5
# The same for a difference, counted in patients with a discordant image: five such images of two patients say little.
FEW_PATIENTS = 10
# And wherever there are fewer patients than this: a rare patient in whom every image fails may not have been drawn, and
# events that fall anywhere make the estimated effect look like 1. At a cap of 0.05 that passed 0.20 instead of 0.05 of
# the models on it (32 patients of 20 images, 1 % of events anywhere, 1,000 data sets), at 64 of 8 0.047.
MANY_PATIENTS = 64
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
    effect = _design_effect(hit.astype(np.float64), codes, few=min(k, n - k) < FEW_EVENTS or G < MANY_PATIENTS)
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
    Tango's score interval [1]_ of the effective counts: discordant and all images divided by the design effect of the
    differences, as Korn and Graubard do for one rate. Other than Wald's interval it stays honest with few or no
    discordant images. (Stretching the interval of all images by the square root of the design effect instead is too
    narrow there, where its width falls with n and not with the root of n: in patients of 4 images that fall together, a
    rise of exactly 5 % passed 0.11 of the time instead of 0.05.)

    With fewer than 10 patients that have a discordant image the design effect is at least sum(m^2) / n. The quantile
    is the normal one with one image per patient and Student's on G - 1 degrees of freedom where the design effect had
    to be estimated. Ends that claim a difference, away from 0, carry the correction of `tango_score`.

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
    patients = int(np.unique(codes[with_it != without]).size)
    effect = _design_effect(difference, codes, few=patients < FEW_PATIENTS or G < MANY_PATIENTS)
    quantile = float(special.ndtri(1 - alpha) if n == G else special.stdtrit(G - 1, 1 - alpha))
    up, down, size, estimate = only_treated / effect, only_control / effect, n / effect, float(difference.mean())
    return Proportion(
        estimate=estimate,
        low=min(estimate, _score_bound(up, down, size, quantile)),
        high=max(estimate, -_score_bound(down, up, size, quantile)),
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
    effect, G = result.design_effect, result.n_clusters
    score = tango_score(result.n_events / effect, result.n_reversed / effect, result.n / effect, cap)
    if result.n == G:
        return float(special.ndtr(score)), float(special.ndtr(-score))
    return float(special.stdtr(G - 1, score)), float(special.stdtr(G - 1, -score))


@lru_cache(maxsize=8192)  # a run bounds thousands of rates, nearly all of them of no event among equally many images
def against_cap(result: Proportion, cap: float) -> Proportion:
    """Return the result with p-values and decision against a cap filled in."""
    test = rate_difference_test if result.rule == DIFFERENCE else rate_test
    p_pass, p_fail = test(result, cap)
    return replace(result, p_pass=p_pass, p_fail=p_fail, decision=decide(result.low, result.high, cap))


def tango_score(up: float, down: float, n: float, difference: float) -> float:
    """Return Tango's z statistic of (up - down) / n against a hypothetical difference, corrected for continuity.

    Parameters
    ----------
    up, down, n : float
        The discordant counts and all; clustered images count as their effective number, which need not be whole.
    difference : float
        The hypothesis, above -1 and below 1.

    Notes
    -----
    The nuisance parameter, the probability of a "down", is replaced by its maximum-likelihood value under the
    hypothesis (the root of a quadratic).

    Counts with an excess of "ups" have a longer upper tail than the normal distribution, so an observed difference
    farther from 0 than the hypothesis is brought half a count nearer, never past it; by n |difference| if that is
    less, and not at all against a difference of 0, where this is McNemar's test. Computed exactly for 32 to 256 single
    images and true differences of 0.02 to 0.10, the interval lay above the true one in up to 0.074 without the
    correction, alpha 0.05, and lies there in up to 0.057 with it. Towards 0 the tail is the shorter one, and the
    interval lies below in at most 0.057 without any.
    """
    linear = (2 * n - up + down) * difference - up - down
    constant = -down * difference * (1 - difference)
    root = math.sqrt(max(linear * linear - 8 * n * constant, 0.0))
    # The root that does not cancel.
    fitted = (root - linear) / (4 * n) if linear <= 0 else -2 * constant / (root + linear)
    variance = n * (2 * fitted + difference * (1 - difference))
    gap = up - down - n * difference
    if gap * difference > 0:
        gap = math.copysign(max(abs(gap) - min(0.5, n * abs(difference)), 0.0), gap)
    if variance <= 1e-15:
        return 0.0 if abs(gap) < 1e-12 else math.copysign(math.inf, gap)
    return gap / math.sqrt(variance)


@lru_cache(maxsize=8192)
def _score_bound(up: float, down: float, n: float, z: float) -> float:
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
