"""Looking early: one-sided group-sequential levels, and p-values that stay valid over several looks.

Looking at the same growing data again and again with the full alpha each time errs far more often than alpha (four
looks at 0.05: 0.117). The error is therefore spent: a function fixed beforehand says how much of alpha may be used up
by the time a given fraction of the patients has been seen.

PASS and FAIL are each a one-sided claim at level alpha with a boundary of its own; there is no stopping for futility.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike
from scipy import interpolate, optimize, special

from auditkit.stats.reduce import FloatArray

Spending = Literal["pocock", "obrien_fleming"]

# The Brownian motion is followed from LOWEST standard deviations (1e-15 of it lies below) up to the boundary, or to
# HIGHEST (1e-316 lies above) where nothing can be claimed.
LOWEST, HIGHEST = -8.0, 38.0
# Looks that add less than this share of the information would need a grid of thousands of points.
CLOSEST = 1e-3
# Sequential p-values are searched between these; no smaller one is claimed, and larger ones are given as 1.
SMALLEST, LARGEST = 1e-12, 0.5
_GRID = 97
# Nodes per standard deviation of the narrowest step: levels agree to 1e-9 with those of three times as many.
NODES = 1.6


def spent(fraction: float, alpha: float, spending: Spending) -> float:
    """Return the error that may have been spent by the time a fraction of the patients has been seen.

    Parameters
    ----------
    fraction : float
        Share of the planned patients, 0-1.
    alpha : float
        One-sided error of the whole sequence of looks.
    spending : {"pocock", "obrien_fleming"}
        ``pocock``: alpha log(1 + (e - 1) t), about equally strict at every look. ``obrien_fleming``:
        2 - 2 Phi(z_{alpha/2} / sqrt(t)), very strict early, close to alpha at the end [1]_.

    Returns
    -------
    float
        0 at fraction 0, alpha at fraction 1, rising between.

    References
    ----------
    .. [1] Lan, K. K. G. & DeMets, D. L. (1983). Discrete sequential boundaries for clinical trials. Biometrika 70,
       659-663.
    """
    _check(alpha, spending)
    if not 0 <= fraction <= 1:
        raise ValueError(f"fraction is the share of the planned patients, between 0 and 1; got {fraction}")
    if fraction in (0, 1):
        return alpha * fraction
    if spending == "pocock":
        return alpha * math.log1p((math.e - 1) * fraction)
    return float(2 * special.ndtr(special.ndtri(alpha / 2) / math.sqrt(fraction)))


def nominal_levels(fractions: tuple[float, ...], alpha: float, spending: Spending) -> tuple[float, ...]:
    """Return the level at which to test at each look, so that all looks together err with the error spent.

    Parameters
    ----------
    fractions : tuple of float, length K
        Share of the planned patients seen at each look made so far, strictly increasing in (0, 1]. All of alpha is
        spent only when the last is 1; the levels of earlier looks do not depend on later ones.
    alpha : float
        One-sided error of the whole sequence.
    spending : {"pocock", "obrien_fleming"}
        See `spent`.

    Returns
    -------
    tuple of float, length K
        Claim at look k when the ordinary one-sided p-value is at or below the k-th level and above 0. A level below
        1e-300 is given as 0: nothing can be claimed at that look.

    Notes
    -----
    The standardised statistics of the looks are taken as B(t) / sqrt(t) of a Brownian motion B, which holds for means
    of independent patients once the sample is not tiny. The density of the paths that have not crossed yet is carried
    from look to look by numerical integration [1]_ on Gauss-Legendre nodes.

    References
    ----------
    .. [1] Armitage, P., McPherson, C. K. & Rowe, B. C. (1969). Repeated significance tests on accumulating data.
       J. R. Statist. Soc. A 132, 235-244.
    .. [2] Jennison, C. & Turnbull, B. W. (2000). Group Sequential Methods with Applications to Clinical Trials,
       chapters 7 and 19. Chapman & Hall.
    """
    _check(alpha, spending)
    _check_fractions(fractions)
    return _levels(tuple(float(t) for t in fractions), alpha, spending)


def sequential_p(p_values: ArrayLike, fractions: tuple[float, ...], spending: Spending, alpha: float) -> FloatArray:
    """Turn the p-values of the looks made so far into one p-value per question.

    Parameters
    ----------
    p_values : array_like, shape (K, C)
        One-sided p-value of each of C questions at each look, 0-1; NaN counts as 1.
    fractions : tuple of float, length K
        See `nominal_levels`.
    spending : {"pocock", "obrien_fleming"}
        See `spent`.
    alpha : float
        The protocol's one-sided error. The result is exact at it: at or below alpha if and only if at some look the
        p-value was at or below its nominal level. Elsewhere it is interpolated (relative error below 1e-4).

    Returns
    -------
    ndarray, shape (C,)
        The smallest alpha at which the sequence would have made its claim at one of these looks [1]_: never below
        1e-12, and 1 when above 0.5. A valid p-value, so it may go into `multiplicity.holm` [2]_. With one look at
        fraction 1 it is the p-value itself.

    References
    ----------
    .. [1] Liu, A. & Anderson, S. J. (2008). On adaptive extensions of group sequential trials for clinical
       investigations. J. Amer. Statist. Assoc. 103, 1621-1630.
    .. [2] Maurer, W. & Bretz, F. (2013). Multiple testing in group sequential trials using graphical approaches.
       Statistics in Biopharmaceutical Research 5, 311-320.
    """
    levels = nominal_levels(fractions, alpha, spending)
    p = np.asarray(p_values, dtype=np.float64)
    if p.ndim != 2 or len(p) != len(levels):
        raise ValueError(f"p_values must have shape ({len(levels)}, C), one row per look, got {p.shape}")
    p = np.where(np.isnan(p), 1.0, p)
    if ((p < 0) | (p > 1)).any():
        raise ValueError(f"p-values lie between 0 and 1, got {p.min():g} to {p.max():g}")
    if len(levels) == 1 and fractions[0] == 1:
        return np.asarray(p[0])
    best = np.ones(p.shape[1])
    with np.errstate(divide="ignore"):
        logs = np.log(p)
    for look, level in enumerate(levels):
        inverse = _inverse(tuple(float(t) for t in fractions), spending, look)
        if inverse is None:
            continue
        first, last = inverse.x[0], inverse.x[-1]
        adjusted = np.exp(inverse(np.clip(logs[look], first, last)))
        adjusted[logs[look] > last] = 1.0
        claimed = (p[look] <= level) & (level > 0)
        adjusted = np.where(claimed, np.minimum(adjusted, alpha), np.maximum(adjusted, math.nextafter(alpha, 1.0)))
        best = np.minimum(best, adjusted)
    return best


@lru_cache(maxsize=16384)
def _levels(fractions: tuple[float, ...], alpha: float, spending: Spending) -> tuple[float, ...]:
    levels: list[float] = []
    used = before = 0.0
    nodes, mass = np.zeros(1), np.ones(1)  # the paths that have not crossed: where they are, and how likely
    steps = np.diff(fractions) / np.asarray(fractions[1:])
    narrowest = math.sqrt(steps.min()) if steps.size else 1.0
    for t in fractions:
        total, spread = spent(t, alpha, spending), math.sqrt(t - before)
        z = _boundary(nodes, mass, t, spread, total - used, total)
        # At the first look the level is what is spent, to the last digit: one look at fraction 1 tests at alpha itself.
        levels.append(0.0 if z == math.inf else total if not levels else float(special.ndtr(-z)))
        low, high = LOWEST * math.sqrt(t), min(z, HIGHEST) * math.sqrt(t)
        points, weights = _gauss_legendre(math.ceil(NODES * (min(z, HIGHEST) - LOWEST) / narrowest))
        arrived = low + (high - low) * (points + 1) / 2
        steps = (arrived[:, None] - nodes) / spread
        # Sums of products, not matrix products, whose last digit is the processor's affair.
        density = (np.exp(-0.5 * steps * steps) * mass).sum(axis=1) / (spread * math.sqrt(2 * math.pi))
        nodes, mass = arrived, density * weights * (high - low) / 2
        used, before = total, t
    return tuple(levels)


def _boundary(nodes: FloatArray, mass: FloatArray, t: float, spread: float, increment: float, total: float) -> float:
    """The z that the paths, at ``nodes`` before a step of size ``spread``, exceed with probability ``increment``."""
    if increment < 1e-300:
        return math.inf
    if nodes.size == 1:
        return float(-special.ndtri(increment))

    def excess(z: float) -> float:
        crossing = float((mass * special.ndtr((nodes - z * math.sqrt(t)) / spread)).sum())
        return math.log(crossing / increment) if crossing > 0 else -math.inf

    # P(Z > z) is at least the probability of a first crossing now, and at most all that has been spent: both ends of
    # the bracket are known. Rounding may put the root a hair outside.
    low, high = -special.ndtri(total) - 1e-6, -special.ndtri(increment) + 1e-6
    return float(optimize.brentq(excess, low, high, xtol=1e-12))


@lru_cache(maxsize=64)
def _gauss_legendre(count: int) -> tuple[FloatArray, FloatArray]:
    """Nodes and weights on -1 to 1: Newton's method on the recurrence, as `numpy.polynomial` leaves it to LAPACK."""
    x = np.cos(np.pi * (np.arange(count, 0, -1) - 0.25) / (count + 0.5))
    for _ in range(10):
        below, here = np.ones(count), x.copy()
        for degree in range(2, count + 1):
            below, here = here, ((2 * degree - 1) * x * here - (degree - 1) * below) / degree
        slope = count * (x * here - below) / (x * x - 1) if count > 1 else np.ones(count)
        step = here / slope
        x -= step
        if np.abs(step).max() < 1e-15:
            break
    return x, 2 / ((1 - x * x) * slope * slope)


@lru_cache(maxsize=256)
def _inverse(fractions: tuple[float, ...], spending: Spending, look: int) -> interpolate.PchipInterpolator | None:
    """Log of the alpha of the whole sequence as a function of the log of the nominal level at one look."""
    grid = np.geomspace(SMALLEST, LARGEST, _GRID)
    levels = np.array([_levels(fractions, float(a), spending)[look] for a in grid])
    # For large alpha (above about 0.3) O'Brien-Fleming levels of late looks fall again: what a smaller alpha would
    # have claimed stays claimed.
    levels = np.maximum.accumulate(levels)
    rising = (levels > 0) & np.append(True, levels[1:] > levels[:-1])
    if rising.sum() < 2:
        return None
    return interpolate.PchipInterpolator(np.log(levels[rising]), np.log(grid[rising]))


def _check(alpha: float, spending: str) -> None:
    if not 0 < alpha <= LARGEST:
        raise ValueError(f"alpha is the one-sided error, above 0 and at most {LARGEST:g}; got {alpha}")
    if spending not in get_args(Spending):
        raise ValueError(f"spending is one of {', '.join(get_args(Spending))}; got {spending!r}")


def _check_fractions(fractions: tuple[float, ...]) -> None:
    t = np.asarray(fractions, dtype=np.float64)
    if t.ndim != 1 or not t.size or not (t > 0).all() or not (t <= 1).all() or not (np.diff(t) > 0).all():
        raise ValueError(f"fractions must rise strictly, above 0 and up to 1; got {t.tolist()}")
    if (np.diff(t) < CLOSEST * t[1:]).any():
        raise ValueError(
            f"fractions {t.tolist()} hold two looks less than {CLOSEST:.1%} of the patients apart; leave one out"
        )
