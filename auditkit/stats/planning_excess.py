"""How many patients does it take to bound how much more often something happens? By summing over the counts.

A patient has more, less or as much: 1, -1 or 0. Few of them differ, so that the bound of `bounded` decides. Student's
interval would plan 54 patients instead of 82 where three in a hundred differ to either side (cap 0.10), and 0.80 of
such runs would pass instead of 0.90.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from scipy import optimize, special, stats

from auditkit.stats.planning import power_inside
from auditkit.stats.planning_shares import lasting
from auditkit.stats.reduce import FloatArray
from auditkit.stats.unseen import seen_share

# From here on the counts are so large that their mean is normal.
LARGE = 2000


def excess_power(
    n: int,
    up: float,
    down: float,
    cap: float,
    alpha: float,
    *,
    beyond: bool = False,
    min_informative: int | None = None,
    unseen_alpha: float | None = None,
) -> float:
    """Return the probability that a mean of values -1, 0 and 1 is shown to lie below a cap.

    Parameters
    ----------
    n : int
        Independent units.
    up, down : float
        Shares of the units with 1 and with -1.
    cap : float
        Largest mean to be accepted, -1 < cap < 1.
    alpha : float
        Error per side.
    beyond : bool
        The probability that the lower end lies above the cap instead.
    min_informative : int, optional
        From so many units that say something on, Student's interval decides (`equivalence.equivalence`); by default
        the bounded mean always does (`tail.excess_of_jumps`).
    unseen_alpha : float, optional
        As in `planning.power_inside`.

    Notes
    -----
    The bound's p-value is that of a Dirichlet average (see `bounded.p_mean_below`). It is exact where no unit has -1
    (1 for the lower end), else of the gamma distribution with that average's mean, variance and skewness: within a
    hundredth of the exact one where that is near alpha. With more than 2,000 units the mean is taken as normal.
    """
    if not (up >= 0 and down >= 0 and up + down <= 1 + 1e-12):
        raise ValueError(f"up and down are shares of the same units, got {up} and {down}")
    if not -1 < cap < 1:
        raise ValueError(f"cap is a mean of values from -1 to 1, got {cap}")
    if not 0 < alpha < 0.5:
        raise ValueError(f"alpha is the error per side, between 0 and 0.5; got {alpha}")
    if n < 1:
        return 0.0
    if n > LARGE:
        sd = math.sqrt(max(up + down - (up - down) ** 2, 0.0))
        limits = (cap, math.inf) if beyond else (-math.inf, cap)
        return power_inside(n, sd, up - down, *limits, alpha, (-1.0, 1.0), unseen_alpha=unseen_alpha)
    if beyond:  # a mean above the cap is minus that mean below minus the cap
        up, down, cap = down, up, -cap
    chance, ups, downs = _counts(n, up, down)
    p = _p_bounded(n, ups, downs, cap)
    if min_informative is not None:
        common = np.maximum(np.maximum(ups, downs), n - ups - downs)
        usual = np.minimum(ups + downs, n - common + 1) >= min_informative
        p = np.where(usual, _p_student(n, ups, downs, cap, unseen_alpha or alpha), p)
    return float(min((chance * (p <= alpha)).sum(), 1.0))


@lru_cache(maxsize=4096)
def clusters_to_settle_excess(
    mean: float,
    sd: float,
    cap: float,
    alpha: float,
    power: float = 0.9,
    *,
    min_informative: int | None = None,
    unseen_alpha: float | None = None,
) -> int | None:
    """Return the number of units from which on a mean of values from -1 to 1 is shown to be below a cap, or above it.

    Parameters
    ----------
    mean, sd : float
        True mean and standard deviation between units. They are taken for those of values -1, 0 and 1, which of all
        with that mean and standard deviation are the rarest and largest.
    cap, alpha, min_informative, unseen_alpha
        See `excess_power`.
    power : float
        Between 0 and 1.

    Returns
    -------
    int or None
        None when the mean is the cap, when more than a million units would be needed, or where mean or sd are not
        known.
    """
    if mean == cap or not (math.isfinite(mean) and math.isfinite(sd)):
        return None
    up, down = three_valued(mean, sd)
    return lasting(
        lambda n: excess_power(
            n, up, down, cap, alpha, beyond=mean > cap, min_informative=min_informative, unseen_alpha=unseen_alpha
        ),
        power,
        2,
        abs(cap),
    )


def three_valued(mean: float, sd: float) -> tuple[float, float]:
    """Return the shares of 1 and of -1 that have a mean and a standard deviation, or come nearest from above."""
    both = min(max(sd**2 + mean**2, abs(mean)), 1.0)
    return (both + mean) / 2, (both - mean) / 2


def spread_of_excess(mean: float, high: float, n: int, alpha: float) -> float:
    """Return the standard deviation between units with which the bounded mean of values -1, 0 and 1 has this upper end.

    Parameters
    ----------
    mean, high : float
        Of `tail.excess_of_jumps`, -1 to 1.
    n : int
        Units.
    alpha : float
        Error per side of the end.
    """

    def p_at(sd: float) -> float:
        up, down = three_valued(mean, sd)
        return float(_p_bounded(n, np.array(n * up), np.array(n * down), high)) - alpha

    least, most = math.sqrt(max(abs(mean) - mean**2, 0.0)), math.sqrt(1.0 - mean**2)
    if high >= 1.0 or p_at(most) <= 0:
        return most
    return least if p_at(least) >= -1e-6 else float(optimize.brentq(p_at, least, most, xtol=1e-6))


def _counts(n: int, up: float, down: float) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the numbers of 1 and of -1 that are likely, and how likely."""
    ends = [stats.binom.ppf([1e-9, 1 - 1e-9], n, min(share, 1.0)) for share in (up, down)]
    ups, downs = np.meshgrid(*(np.arange(max(low, 0), high + 1) for low, high in ends), indexing="ij")
    rest = n - ups - downs
    shares = np.array([up, down, max(1 - up - down, 0.0)])
    log = special.gammaln(n + 1) + sum(
        special.xlogy(k, share) - special.gammaln(np.maximum(k, 0) + 1)
        for k, share in zip((ups, downs, rest), shares, strict=True)
    )
    return np.where(rest >= 0, np.exp(log), 0.0), ups, downs


def _p_bounded(n: int, ups: FloatArray, downs: FloatArray, cap: float) -> FloatArray:
    """P-value of "the mean is below the cap" by the bounded mean, one imagined 1 added."""
    total = n + 1.0
    mean = (ups + 1 - downs) / total
    second, third = (
        (downs * (-1 - mean) ** k + (n - ups - downs) * (-mean) ** k + (ups + 1) * (1 - mean) ** k) / total
        for k in (2, 3)
    )
    sd = np.sqrt(np.maximum(second / (total + 1), 1e-30))
    skewness = 2 * third / ((total + 1) * (total + 2)) / sd**3
    z, shape = (cap - mean) / sd, 4 / np.maximum(skewness**2, 1e-8)
    root = np.sqrt(shape)
    up = special.gammaincc(shape, np.maximum(shape + z * root, 0.0))
    down = special.gammainc(shape, np.maximum(shape - z * root, 0.0))
    about = np.where(np.abs(skewness) < 1e-4, special.ndtr(-z), np.where(skewness > 0, up, down))
    alone = special.betaincc(ups + 1, np.maximum(n - ups, 1e-9), np.clip(cap, 0.0, 1.0))
    return np.asarray(np.where(downs == 0, alone, about))


def _p_student(n: int, ups: FloatArray, downs: FloatArray, cap: float, unseen_alpha: float) -> FloatArray:
    """P-value of "the mean is below the cap" by Student; 1 where patients who were not seen may be what keeps it."""
    mean = (ups - downs) / n
    variance = np.maximum((ups + downs) / n - mean**2, 0.0) * n / max(n - 1, 1)
    q = float(seen_share(unseen_alpha, n))
    t = (mean - cap) / np.maximum(np.sqrt(variance / n), 1e-12)
    return np.where(q * mean + 1 - q < cap, special.stdtr(max(n - 1, 1), t), 1.0)
