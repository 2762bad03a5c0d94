"""How many patients does an answer take, and what could those at hand have shown? Means and slopes.

Power is computed for Student's interval on independent clusters, exactly, and with the room that the gate leaves for
clusters that were not seen (`unseen`). The gate's interval is the union with the bootstrap's, a little wider: read the
numbers as the least that is needed. They assume normal means. Shares are in `planning_shares`, differences of shares
and jumps in `planning_excess`, areas in `planning_areas`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache

import numpy as np
from scipy import optimize, special

from auditkit.stats.reduce import FloatArray
from auditkit.stats.unseen import seen_share

MOST = 1_000_000
ANYWHERE = (-math.inf, math.inf)
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(96)


def power_inside(
    n: int,
    sd: float,
    effect: float,
    low: float,
    high: float,
    alpha: float,
    ends: tuple[float, float] = ANYWHERE,
    *,
    unseen_alpha: float | None = None,
) -> float:
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
    ends : (float, float)
        The least and the most that a value can be: where clusters may lie that were not seen. Infinite ends leave
        them out of account, which the gate never does.
    unseen_alpha : float, optional
        Error with which clusters that were not seen are left out, ``alpha`` by default. A FAIL is corrected for its
        family, and they are not (`equivalence.equivalence`).

    Notes
    -----
    Given the sample standard deviation s, the mean must lie t s / sqrt(n) within the margins, and so far that a share
    1 - unseen_alpha ** (1 / n) of clusters at the end of the range would not take it across; that normal probability is
    averaged over the distribution of s (as in Owen, D. B. (1965), Biometrika 52, 437-446).
    """
    check(sd, alpha)
    if n < 2:
        return 0.0
    least, most = _room(n, low, high, unseen_alpha or alpha, ends)
    if sd == 0:
        return float(least < effect < most)
    scale = sd / math.sqrt(n)
    t = float(special.stdtrit(n - 1, 1 - alpha))
    # Beyond ratio s / sd = width / (2 t scale) the interval is too wide to fit; chi carries < 1e-14 outside these ends.
    shortest, longest = _chi_ends(n - 1)
    bottom, top = shortest / math.sqrt(n - 1), min(longest / math.sqrt(n - 1), (high - low) / (2 * t * scale))
    if top <= bottom or least >= most:
        return 0.0
    ratio = bottom + (top - bottom) * (_NODES + 1) / 2
    density = _chi_density(ratio * math.sqrt(n - 1), n - 1) * math.sqrt(n - 1)
    upper = np.minimum(high - t * scale * ratio, most)
    lower = np.maximum(low + t * scale * ratio, least)
    fits = special.ndtr((upper - effect) / scale) - special.ndtr((lower - effect) / scale)
    return float(np.clip((_WEIGHTS * density * np.maximum(fits, 0.0)).sum() * (top - bottom) / 2, 0.0, 1.0))


def _room(n: int, low: float, high: float, alpha: float, ends: tuple[float, float]) -> tuple[float, float]:
    """Return between which means the clusters that were not seen cannot take the mean across a margin."""
    q = float(seen_share(alpha, n))
    unseen = [(1 - q) * end if math.isfinite(end) else 0.0 for end in ends]
    share = [q if math.isfinite(end) else 1.0 for end in ends]
    return (low - unseen[0]) / share[0], (high - unseen[1]) / share[1]


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
    sd: float,
    low: float,
    high: float,
    effect: float,
    alpha: float,
    power: float = 0.9,
    *,
    ends: tuple[float, float] = (-100.0, 100.0),
    unseen_alpha: float | None = None,
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
    ends, unseen_alpha
        See `power_inside`.

    Returns
    -------
    int or None
        None when the effect sits on a margin (no number settles it), when more than a million clusters would be
        needed, or when sd or effect are NaN.
    """
    if math.isnan(sd) or math.isnan(effect):
        return None
    check(sd, alpha, power)
    if not low < high:
        raise ValueError(f"margins must be low < high, got {low:g} and {high:g}")
    if effect in (low, high):
        return None
    if not low < effect < high:
        low, high = (high, math.inf) if effect > high else (-math.inf, low)
    return first_with_power(
        lambda n: power_inside(n, sd, effect, low, high, alpha, ends, unseen_alpha=unseen_alpha), power, 2
    )


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
