"""Bounds of a mean that hold at every time at once: look after every patient, or every month, as often as you like.

A bet is placed against "the mean is at most m" on every value before it is seen, with a stake that depends on the
values before it only. Where the claim is true the capital is a nonnegative supermartingale that starts at 1, so by
Ville's inequality it ever reaches 1 / alpha with probability alpha at most [1]_. The lower bound is the largest m
against which the capital has reached that; the upper bound is its mirror image.

References
----------
.. [1] Waudby-Smith, I. & Ramdas, A. (2024). Estimating means of bounded random variables by betting. J. R. Statist.
   Soc. B 86, 1-27. https://doi.org/10.1093/jrsssb/qkad009
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy import optimize

from auditkit.stats.reduce import FloatArray

STAKE = 0.75
"""Share of the capital that a bet may lose at most."""


def bounds(values: FloatArray, low: float, high: float, alpha: float) -> tuple[float, float]:
    """Return lower and upper bound of a mean after all values given.

    Parameters
    ----------
    values : ndarray, shape (n,)
        One per patient, within [low, high], in the order in which they came. Within a batch any order will do that
        does not depend on the values.
    low, high : float
        Ends of the range of possible values.
    alpha : float
        Error of each bound, over all times together, 0 < alpha < 1.

    Returns
    -------
    tuple of float
        ``low`` and ``high`` without values.

    Raises
    ------
    ValueError
        Values outside the range or not finite, ends that are reversed, alpha out of bounds.

    Notes
    -----
    With independent values of one mean, both bounds hold at every n at once with probability 1 - alpha each. Where the
    mean changes from patient to patient, the lower bound is still right about the largest of these means, and the upper
    one about the smallest: a mean that was never above a limit puts the lower bound above it with probability alpha at
    most, however it moved.

    The stakes are the predictable plug-in ones of [1]_, equation 26 (for one side): the square root of
    2 log(1 / alpha) / (v_{i-1} i log(i + 1)), v the variance of the values so far, taken to be 1/4 before the first.
    """
    x = np.asarray(values, dtype=np.float64)
    if not low < high:
        raise ValueError(f"the ends of the range must be low < high, got {low:g} and {high:g}")
    if not 0 < alpha < 1:
        raise ValueError(f"alpha is the error per side, between 0 and 1; got {alpha}")
    if x.ndim != 1 or not np.isfinite(x).all() or (x.size and (x.min() < low or x.max() > high)):
        raise ValueError(f"values must be one row of finite numbers within {low:g} to {high:g}")
    if not x.size:
        return low, high
    unit = (x - low) / (high - low)
    stakes = _stakes(unit, alpha)
    lower, upper = _lower(unit, stakes, alpha), 1.0 - _lower(1.0 - unit, stakes, alpha)
    return low + (high - low) * lower, low + (high - low) * upper


def log_capital(values: FloatArray, low: float, high: float, limit: float, alpha: float) -> FloatArray:
    """Return the logarithm of the capital after every value in bets against "the mean is at most the limit".

    Parameters
    ----------
    values, low, high, alpha
        As in `bounds`.
    limit : float
        Within [low, high].

    Returns
    -------
    ndarray, shape (n,)
        Above log(1 / alpha) exactly where the lower bound after as many values lies above the limit.
    """
    if not low <= limit <= high:
        raise ValueError(f"the limit must be within {low:g} to {high:g}, got {limit:g}")
    x, m = (np.asarray(values, dtype=np.float64) - low) / (high - low), max((limit - low) / (high - low), 1e-12)
    return np.asarray(np.cumsum(np.log1p(np.minimum(_stakes(x, alpha), STAKE / m) * (x - m))))


def first_beyond(
    values: FloatArray, looks: Sequence[int], low: float, high: float, limit: float, alpha: float
) -> tuple[int, int] | None:
    """Return the first look at which the mean is told to lie above a limit, whenever it began to.

    A band over everything since the start is slow to notice what changed later, as all that was well before weighs
    against it. So a bet begins again at every look; the j-th may err with alpha / (j (j + 1)), which adds up to alpha
    over as many looks as there will ever be.

    Parameters
    ----------
    values, low, high, limit
        As in `log_capital`; all values so far.
    looks : sequence of int, length K
        How many values there were at each look, rising or equal, the last at most n.
    alpha : float
        Error of all bets and looks together: where the mean was never above the limit.

    Returns
    -------
    tuple of int or None
        Place of the look, and of the look with whose values that bet began, both from 0; None where there is none.
    """
    found: list[tuple[int, int]] = []
    begins = [0, *looks[:-1]]
    for place, begin in enumerate(begins):
        own = alpha / ((place + 1) * (place + 2))
        log = log_capital(values[begin:], low, high, limit, own)
        told = (
            at for at in range(place, len(looks)) if looks[at] > begin and log[looks[at] - begin - 1] > -math.log(own)
        )
        at = next(told, None)
        if at is not None:
            found.append((at, place))
    return min(found, default=None)


def _stakes(x: FloatArray, alpha: float) -> FloatArray:
    """What is staked on each value, from those before it."""
    i = np.arange(1, x.size + 1, dtype=np.float64)
    mean = (0.5 + np.cumsum(x)) / (i + 1)
    spread = (0.25 + np.cumsum((x - mean) ** 2)) / (i + 1)
    before = np.append(0.25, spread[:-1])
    return np.asarray(np.sqrt(2 * math.log(1 / alpha) / (before * i * np.log(i + 1))))


def _lower(x: FloatArray, stakes: FloatArray, alpha: float) -> float:
    """The largest mean against which the capital has reached 1 / alpha; it falls as the mean rises."""
    goal = math.log(1 / alpha)

    def excess(m: float) -> float:
        # No bet loses more than STAKE: the worst value is 0.
        return float(np.log1p(np.minimum(stakes, STAKE / m) * (x - m)).sum()) - goal

    smallest, largest = 1e-12, 1.0
    if excess(smallest) <= 0:
        return 0.0
    return float(optimize.brentq(excess, smallest, largest, xtol=1e-12))
