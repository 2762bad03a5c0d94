"""How many patients does it take to bound a share? Exact, by summing over the counts.

The unit is the patient: with several images each, all of them are taken to fall together.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache

from scipy import stats

from auditkit.stats.planning import MOST, first_with_power


def share_power(n: int, share: float, cap: float, alpha: float, *, beyond: bool = False) -> float:
    """Return the probability that the exact bound of a share lies below a cap.

    Parameters
    ----------
    n : int
        Independent units.
    share : float
        True share, 0-1.
    cap : float
        Largest share to be accepted, 0 < cap < 1.
    alpha : float
        Error per side.
    beyond : bool
        The probability that the lower bound lies above the cap instead.

    Notes
    -----
    The bound of Clopper and Pearson lies below the cap when so few events have probability below alpha at the cap:
    the largest such count follows, and its binomial probability is the power. It is not a smooth function of n: with
    one unit more and the same largest count it falls.
    """
    if not 0 < cap < 1:
        raise ValueError(f"cap is a share between 0 and 1, got {cap}")
    if not 0 < alpha < 0.5:
        raise ValueError(f"alpha is the error per side, between 0 and 0.5; got {alpha}")
    _check_probability(share, "share")
    if n < 1:
        return 0.0
    if beyond:
        return float(stats.binom.sf(stats.binom.isf(alpha, n, cap), n, share))
    return float(stats.binom.cdf(stats.binom.ppf(alpha, n, cap) - 1, n, share))


@lru_cache(maxsize=4096)
def clusters_to_settle_share(
    share: float, cap: float, alpha: float, power: float = 0.9, *, min_clusters: int = 2
) -> int | None:
    """Return the number of units from which on a share is shown to be below a cap, or above it if it is above.

    Parameters
    ----------
    share, cap, alpha : float
        See `share_power`.
    power : float
        Between 0 and 1.
    min_clusters : int
        Smallest number to return.

    Returns
    -------
    int or None
        The smallest number such that it and every larger number has the power (it falls and rises with n); None when
        the share is the cap, or more than a million units would be needed.
    """
    if share == cap:
        return None
    beyond = share > cap
    return lasting(lambda n: share_power(n, share, cap, alpha, beyond=beyond), power, min_clusters, cap)


def jump_excess(sd: float, effect: float, threshold: float) -> tuple[float, float]:
    """Return mean and standard deviation, over images, of jumps beyond noise, if changes are normal.

    Parameters
    ----------
    sd, effect : float
        Standard deviation and mean of the change of one image; the noise scatters alike, about 0.
    threshold : float
        A change counts when its absolute value is larger.

    Notes
    -----
    The noise is taken from one pair of answers. Several make it less noisy, so that a plan is on the safe side.
    """
    if sd == 0:
        return float(abs(effect) > threshold), 0.0
    jumps, noise = (
        float(stats.norm.sf(threshold, mean, sd) + stats.norm.cdf(-threshold, mean, sd)) for mean in (effect, 0.0)
    )
    return jumps - noise, math.sqrt(jumps * (1 - jumps) + noise * (1 - noise))


def lasting(power_at: Callable[[int], float], power: float, start: int, cap: float) -> int | None:
    """Return the n from which on a power holds that rises in teeth.

    They are about 1 / cap wide; two without a dip are taken for the end.
    """
    if not 0 < power < 1:
        raise ValueError(f"power lies between 0 and 1, got {power}")
    found = first_with_power(power_at, power, start)
    if found is None:
        return None
    n, width = found, math.ceil(2 / max(cap, 0.01))
    while n < found + width:
        n += 1
        if power_at(n) < power:
            found = n + 1
    return found if found <= MOST else None


def _check_probability(value: float, name: str) -> None:
    if not 0 <= value <= 1:
        raise ValueError(f"{name} lies between 0 and 1, got {value}")
