"""How many patients does an answer take, and what could those at hand have shown?

Power is computed for Student's interval on independent clusters, exactly. The gate's interval is the union with the
bootstrap's, a little wider: read the numbers as the least that is needed. They assume normal means, not the sparse
rule.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from scipy import optimize, stats

MOST = 1_000_000
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(96)


def tost_power(n: int, sd: float, effect: float, margin: float, alpha: float) -> float:
    """Return the probability that the 1 - 2 alpha interval lies within -margin and margin.

    Parameters
    ----------
    n : int
        Clusters.
    sd : float
        Standard deviation of the cluster means, unit of the scores.
    effect, margin : float
        True mean difference, and half-width of the margin; same unit.
    alpha : float
        Error per side.

    Notes
    -----
    Given the sample standard deviation s, the mean must lie within margin - t s / sqrt(n) of 0; that normal
    probability is averaged over the distribution of s (as in Owen, D. B. (1965), Biometrika 52, 437-446).
    """
    return power_inside(n, sd, effect, -margin, margin, alpha)


def power_inside(n: int, sd: float, effect: float, low: float, high: float, alpha: float) -> float:
    """Return the probability that the 1 - 2 alpha interval lies between ``low`` and ``high`` (one may be infinite)."""
    _check(sd, alpha)
    if n < 2:
        return 0.0
    if sd == 0:
        return float(low < effect < high)
    scale = sd / math.sqrt(n)
    t = stats.t.ppf(1 - alpha, n - 1)
    # Beyond ratio s / sd = width / (2 t scale) the interval is too wide to fit; chi carries < 1e-14 outside these ends.
    ends = stats.chi.ppf([1e-14, 1 - 1e-14], n - 1) / math.sqrt(n - 1)
    bottom, top = float(ends[0]), float(min(ends[1], (high - low) / (2 * t * scale)))
    if top <= bottom:
        return 0.0
    ratio = bottom + (top - bottom) * (_NODES + 1) / 2
    density = stats.chi.pdf(ratio * math.sqrt(n - 1), n - 1) * math.sqrt(n - 1)
    upper = (high - effect) / scale - t * ratio
    lower = (low - effect) / scale + t * ratio
    fits = stats.norm.cdf(upper) - stats.norm.cdf(lower)
    return float(np.clip((_WEIGHTS * density * fits).sum() * (top - bottom) / 2, 0.0, 1.0))


def minimum_detectable_effect(sd: float, n: int, alpha: float, power: float = 0.9) -> float:
    """Return the smallest margin that n clusters pass with the given power when there is no effect.

    Parameters
    ----------
    sd : float
        Standard deviation of the cluster means.
    n : int
        Clusters.
    alpha : float
        Error per side.
    power : float
        Between 0 and 1.

    Returns
    -------
    float
        Unit of ``sd``; 0 when sd is 0, inf with fewer than two clusters, NaN when sd is NaN.
    """
    if math.isnan(sd) and n >= 2:
        return math.nan
    _check(0.0 if math.isnan(sd) else sd, alpha, power)
    if n < 2:
        return math.inf
    if sd == 0:
        return 0.0
    unit = sd / math.sqrt(n)
    widest = unit
    while tost_power(n, sd, 0.0, widest, alpha) < power:
        widest *= 2
    return float(optimize.brentq(lambda m: tost_power(n, sd, 0.0, m, alpha) - power, 1e-6 * unit, widest, rtol=1e-9))


def clusters_needed(
    sd: float, margin: float, effect: float, alpha: float, power: float = 0.9, *, min_clusters: int = 24
) -> int | None:
    """Return how many clusters would settle a question with margins -margin and margin; see `clusters_to_settle`."""
    return clusters_to_settle(sd, -margin, margin, effect, alpha, power, min_clusters=min_clusters)


def clusters_to_settle(
    sd: float, low: float, high: float, effect: float, alpha: float, power: float = 0.9, *, min_clusters: int = 24
) -> int | None:
    """Return the smallest number of clusters that gives an answer with the given power.

    Within the margins the answer is "inside", beyond one of them it is "beyond".

    Parameters
    ----------
    sd : float
        Standard deviation of the cluster means.
    low, high : float
        Margins, one may be infinite.
    effect : float
        Assumed true mean difference; the observed one in "about N more patients would settle it", which is a guess
        and no better than the estimate it starts from.
    alpha : float
        Error per side.
    power : float
        Between 0 and 1.
    min_clusters : int
        Smallest number at which "inside" is claimed.

    Returns
    -------
    int or None
        None when the effect sits on a margin (no number settles it), when more than a million clusters would be
        needed, or when sd or effect are NaN.
    """
    if math.isnan(sd) or math.isnan(effect):
        return None
    _check(sd, alpha, power)
    if not low < high:
        raise ValueError(f"margins must be low < high, got {low:g} and {high:g}")
    if effect in (low, high):
        return None
    if low < effect < high:
        return _smallest(lambda n: power_inside(n, sd, effect, low, high, alpha), power, max(2, min_clusters))
    if effect > high:
        return _smallest(lambda n: power_inside(n, sd, effect, high, math.inf, alpha), power, 2)
    return _smallest(lambda n: power_inside(n, sd, effect, -math.inf, low, alpha), power, 2)


def _smallest(power_at: Callable[[int], float], power: float, start: int) -> int | None:
    if power_at(start) >= power:
        return start
    enough = start
    while power_at(enough) < power:
        if enough >= MOST:
            return None
        enough = min(2 * enough, MOST)
    short = enough // 2
    while enough - short > 1:
        middle = (short + enough) // 2
        if power_at(middle) < power:
            short = middle
        else:
            enough = middle
    return max(enough, start)


def _check(sd: float, alpha: float, power: float = 0.9) -> None:
    if not (0 <= sd < math.inf):
        raise ValueError(f"sd must not be negative or infinite, got {sd}")
    if not 0 < alpha < 0.5:
        raise ValueError(f"alpha is the error per side, between 0 and 0.5; got {alpha}")
    if not 0 < power < 1:
        raise ValueError(f"power lies between 0 and 1, got {power}")
