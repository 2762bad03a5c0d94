"""How many patients does it take to bound a share, or a difference of two? Exact, by summing over the counts.

The unit is the patient: with several images each, the bound of `rates` treats few events as if all images of a patient
fell together, which this planning does for any number of events.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache

import numpy as np
from scipy import stats

from auditkit.stats.planning import MOST, first_with_power, sd_of_patient_mean
from auditkit.stats.rates import tango_score
from auditkit.stats.tail import check_share

_NEGLIGIBLE = 1e-13


def share_power(n: int, share: float, cap: float, alpha: float, *, beyond: bool = False) -> float:
    """Return the probability that the exact bound of a share (`tail.tail_share`) lies below a cap.

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
    check_share(cap, alpha)
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
    return _lasting(lambda n: share_power(n, share, cap, alpha, beyond=beyond), power, min_clusters, cap)


def rate_difference_power(n: int, up: float, down: float, cap: float, alpha: float, *, beyond: bool = False) -> float:
    """Return the probability that the interval of `rates.rate_difference` lies below a cap.

    Parameters
    ----------
    n : int
        Patients, one image each.
    up, down : float
        Probabilities that an image has the event only when treated, and only under control; their difference is the
        true difference of the rates.
    cap : float
        Largest increase to be accepted, -1 < cap < 1.
    alpha : float
        Error per side.
    beyond : bool
        The probability that the interval lies above the cap instead.

    Notes
    -----
    Sums the multinomial probabilities of the discordant counts that Tango's score test decides (all but 1e-12 of
    them).
    """
    _check_difference(up, down, cap, alpha)
    if n < 2:
        return 0.0
    z = float(stats.norm.isf(alpha))

    def decided(ups: int, downs: int) -> bool:
        score = tango_score(ups, downs, n, cap)
        return score > z if beyond else score < -z

    first, last = (int(k) for k in stats.binom.ppf([_NEGLIGIBLE, 1 - _NEGLIGIBLE], n, down))
    downs = np.arange(first, last + 1)
    # The most "ups" that still pass (the fewest that fail are one more). It rises with the "downs": one walk finds all.
    most = np.empty(downs.size, dtype=np.int64)
    ups = -1
    for at, count in enumerate(downs.tolist()):
        while ups + 1 + count <= n and decided(ups + 1, count) != beyond:
            ups += 1
        most[at] = ups
    rest = up / (1 - down) if down < 1 else 0.0
    given = stats.binom.sf if beyond else stats.binom.cdf
    return float(np.clip(stats.binom.pmf(downs, n, down) @ given(most, n - downs, rest), 0.0, 1.0))


@lru_cache(maxsize=4096)  # 10 to 600 ms; a run asks the same counts of many audits
def clusters_to_settle_rate_difference(
    up: float, down: float, cap: float, alpha: float, power: float = 0.9, *, min_clusters: int = 2
) -> int | None:
    """Return the number of patients from which on a rate is shown to rise by less than a cap, or by more if it does.

    Parameters and result as for `rate_difference_power` and `clusters_to_settle_share`.
    """
    if up - down == cap:
        return None
    beyond = up - down > cap
    return _lasting(
        lambda n: rate_difference_power(n, up, down, cap, alpha, beyond=beyond), power, min_clusters, abs(cap) or 0.05
    )


def jump_share(sd: float, effect: float, threshold: float, images_per_patient: int, correlation: float) -> float:
    """Return the share of patients with any change beyond a threshold, if changes are normal.

    Parameters
    ----------
    sd, effect : float
        Standard deviation and mean of the change of one image, over all patients.
    threshold : float
        A change counts when its absolute value is larger.
    images_per_patient : int
        The same for every patient.
    correlation : float
        Between the changes of two images of a patient, 0-1.
    """
    spread = sd_of_patient_mean(sd, images_per_patient, correlation)  # checks the two
    if spread == 0:
        return float(abs(effect) > threshold)
    # Given what a patient's images share, they are independent of one another: their product is averaged over it.
    nodes, weights = np.polynomial.hermite_e.hermegauss(96)
    centre, own = effect + sd * math.sqrt(correlation) * nodes, sd * math.sqrt(1 - correlation)
    if images_per_patient == 1:
        centre, weights, own = np.array([effect]), np.ones(1), sd
    if own == 0:
        return float(stats.norm.sf(threshold, effect, sd) + stats.norm.cdf(-threshold, effect, sd))
    small = stats.norm.cdf(threshold, centre, own) - stats.norm.cdf(-threshold, centre, own)
    return float(1 - weights @ small**images_per_patient / weights.sum())


def _lasting(power_at: Callable[[int], float], power: float, start: int, cap: float) -> int | None:
    """The n from which on the power holds. It has teeth about 1 / cap wide; two without a dip are taken for the end."""
    if not 0 < power < 1:
        raise ValueError(f"power lies between 0 and 1, got {power}")
    found = first_with_power(power_at, power, start)
    if found is None:
        return None
    n, width = found, math.ceil(2 / cap)
    while n < found + width:
        n += 1
        if power_at(n) < power:
            found = n + 1
    return found if found <= MOST else None


def _check_probability(value: float, name: str) -> None:
    if not 0 <= value <= 1:
        raise ValueError(f"{name} lies between 0 and 1, got {value}")


def _check_difference(up: float, down: float, cap: float, alpha: float) -> None:
    _check_probability(up, "up")
    _check_probability(down, "down")
    if up + down > 1:
        raise ValueError(f"up and down are shares of the same images, got {up} + {down} > 1")
    if not -1 < cap < 1:
        raise ValueError(f"cap is a difference of rates between -1 and 1, got {cap}")
    if not 0 < alpha < 0.5:
        raise ValueError(f"alpha is the error per side, between 0 and 0.5; got {alpha}")
