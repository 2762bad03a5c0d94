"""How many patients does an answer take, and what could those at hand have shown? Means and slopes.

Power is computed for Student's interval on independent clusters, exactly. The gate's interval is the union with the
bootstrap's, a little wider: read the numbers as the least that is needed. They assume normal means; for scores that
hardly ever move there is `sparse_power`. Shares are in `planning_shares`, areas in `planning_areas`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache

import numpy as np
from scipy import optimize, special

from auditkit.stats.reduce import FloatArray

MOST = 1_000_000
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(96)


def power_inside(n: int, sd: float, effect: float, low: float, high: float, alpha: float) -> float:
    """Return the probability that the 1 - 2 alpha interval lies between ``low`` and ``high``.

    Parameters
    ----------
    n : int
        Clusters.
    sd : float
        Standard deviation of the cluster means, unit of the scores.
    effect : float
        True mean difference; same unit.
    low, high : float
        Margins, one may be infinite; same unit.
    alpha : float
        Error per side.

    Notes
    -----
    Given the sample standard deviation s, the mean must lie t s / sqrt(n) within the margins; that normal probability
    is averaged over the distribution of s (as in Owen, D. B. (1965), Biometrika 52, 437-446).
    """
    check(sd, alpha)
    if n < 2:
        return 0.0
    if sd == 0:
        return float(low < effect < high)
    scale = sd / math.sqrt(n)
    t = float(special.stdtrit(n - 1, 1 - alpha))
    # Beyond ratio s / sd = width / (2 t scale) the interval is too wide to fit; chi carries < 1e-14 outside these ends.
    shortest, longest = _chi_ends(n - 1)
    bottom, top = shortest / math.sqrt(n - 1), min(longest / math.sqrt(n - 1), (high - low) / (2 * t * scale))
    if top <= bottom:
        return 0.0
    ratio = bottom + (top - bottom) * (_NODES + 1) / 2
    density = _chi_density(ratio * math.sqrt(n - 1), n - 1) * math.sqrt(n - 1)
    upper = (high - effect) / scale - t * ratio
    lower = (low - effect) / scale + t * ratio
    fits = special.ndtr(upper) - special.ndtr(lower)
    return float(np.clip((_WEIGHTS * density * fits).sum() * (top - bottom) / 2, 0.0, 1.0))


@lru_cache(maxsize=4096)
def _chi_ends(df: int) -> tuple[float, float]:
    low, high = np.sqrt(2.0 * special.gammaincinv(0.5 * df, [1e-14, 1 - 1e-14])).tolist()
    return low, high


def _chi_density(x: FloatArray, df: int) -> FloatArray:
    """Density of the chi distribution as `scipy.stats` has it, without its checks: a tenth of the time."""
    constant = math.log(2.0) - 0.5 * math.log(2.0) * df - special.gammaln(0.5 * df)
    return np.asarray(np.exp(constant + special.xlogy(df - 1.0, x) - 0.5 * x**2))


def sd_of_patient_mean(sd: float, images_per_patient: int, correlation: float) -> float:
    """Return the standard deviation of the mean of a patient's images.

    Parameters
    ----------
    sd : float
        Standard deviation of one image's value over all patients.
    images_per_patient : int
        The same for every patient.
    correlation : float
        Between two images of a patient, 0-1. At 1 more images of the same patients add nothing.
    """
    if images_per_patient < 1:
        raise ValueError(f"a patient has one image or more, got {images_per_patient}")
    if not 0 <= correlation <= 1:
        raise ValueError(f"correlation lies between 0 and 1, got {correlation}")
    return sd * math.sqrt((1 + (images_per_patient - 1) * correlation) / images_per_patient)


def cells_power(power: float, cells: int) -> float:
    """Return the power that each of several claims needs so that all are shown together with the given power.

    One claim in ``cells`` may be missed with probability (1 - power) / cells: the sum bounds the probability of
    missing any, whatever the dependence between them (Bonferroni's inequality).
    """
    check(1.0, 0.05, power)
    if cells < 1:
        raise ValueError(f"at least one claim is needed, got {cells}")
    return 1 - (1 - power) / cells


def sparse_power(
    n: int, sd: float, effect: float, low: float, high: float, alpha: float, value_range: float = 100.0
) -> float:
    """Return about how probable it is that the interval of the sparse rule lies between ``low`` and ``high``.

    Parameters
    ----------
    n : int
        Clusters.
    sd, effect : float
        Standard deviation and mean of the cluster means.
    low, high : float
        Margins, one may be infinite.
    alpha : float
        Error per side.
    value_range : float
        No value can be outside [-value_range, value_range].

    Notes
    -----
    The interval of `bounded` reaches from the mean m of hardly varying values about a share q = 1 - alpha ** (1 / n) of
    the way to the ends of the range: the clusters that were not seen. Exact when nothing varies (sd 0); else m is taken
    as normal.
    """
    check(sd, alpha)
    if n < 2:
        return 0.0
    q = 1 - alpha ** (1 / n)
    ends = (low + value_range * q) / (1 - q), (high - value_range * q) / (1 - q)
    if sd == 0:
        return float(ends[0] < effect < ends[1])
    below, above = special.ndtr((np.array(ends) - effect) * math.sqrt(n) / sd)
    return float(max(above - below, 0.0))


def clusters_to_settle_sparse(
    sd: float,
    low: float,
    high: float,
    effect: float,
    alpha: float,
    power: float = 0.9,
    *,
    value_range: float = 100.0,
    min_clusters: int = 24,
) -> int | None:
    """Return what `clusters_to_settle` does, for scores that hardly ever move; see `sparse_power`."""
    return _settled(
        lambda n, low, high: sparse_power(n, sd, effect, low, high, alpha, value_range),
        (sd, low, high, effect, alpha, power),
        min_clusters,
    )


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
    check(0.0 if math.isnan(sd) else sd, alpha, power)
    if n < 2:
        return math.inf
    if sd == 0:
        return 0.0
    unit = sd / math.sqrt(n)
    widest = unit
    while power_inside(n, sd, 0.0, -widest, widest, alpha) < power:
        widest *= 2
    return float(
        optimize.brentq(lambda m: power_inside(n, sd, 0.0, -m, m, alpha) - power, 1e-6 * unit, widest, rtol=1e-9)
    )


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
    return _settled(
        lambda n, low, high: power_inside(n, sd, effect, low, high, alpha),
        (sd, low, high, effect, alpha, power),
        min_clusters,
    )


def _settled(
    power_at: Callable[[int, float, float], float],
    question: tuple[float, float, float, float, float, float],
    min_clusters: int,
) -> int | None:
    sd, low, high, effect, alpha, power = question
    if math.isnan(sd) or math.isnan(effect):
        return None
    check(sd, alpha, power)
    if not low < high:
        raise ValueError(f"margins must be low < high, got {low:g} and {high:g}")
    if effect in (low, high):
        return None
    if low < effect < high:
        return first_with_power(lambda n: power_at(n, low, high), power, max(2, min_clusters))
    beyond = (high, math.inf) if effect > high else (-math.inf, low)
    return first_with_power(lambda n: power_at(n, *beyond), power, 2)


def first_with_power(power_at: Callable[[int], float], power: float, start: int) -> int | None:
    """Return the smallest n, ``start`` or more, at which a rising function reaches ``power``; None above a million."""
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


def check(sd: float, alpha: float, power: float = 0.9) -> None:
    """Refuse a spread, an error or a power that cannot be one."""
    if not (0 <= sd < math.inf):
        raise ValueError(f"sd must not be negative or infinite, got {sd}")
    if not 0 < alpha < 0.5:
        raise ValueError(f"alpha is the error per side, between 0 and 0.5; got {alpha}")
    if not 0 < power < 1:
        raise ValueError(f"power lies between 0 and 1, got {power}")
