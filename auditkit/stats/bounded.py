"""A bound for the mean of few or hardly varying values that uses nothing but their range.

When nearly all differences are 0, the sample variance says nothing about the differences that were not seen; the t
interval and every bootstrap are then too narrow, down to zero width. This bound is not: it adds one imagined value at
the end of the range. For 0/1 data it is the Clopper-Pearson bound.

References
----------
.. [1] Gaffke, N. (2005). Three test statistics for a nonparametric one-sided hypothesis on the mean of a nonnegative
   variable. Mathematical Methods of Statistics 14, 451-467.
.. [2] Learned-Miller, E. & Thomas, P. S. (2019). A new confidence interval for the mean of a bounded random variable.
   arXiv:1905.06208. Its coverage is proved for two-point data and otherwise a conjecture, supported by simulation.
.. [3] Imhof, J. P. (1961). Computing the distribution of quadratic forms in normal variables. Biometrika 48, 419-426.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy import optimize, special

from auditkit.stats.reduce import FloatArray

# Absolute error of the tail probabilities (measured against Clopper-Pearson for up to 20,000 clusters: see the tests);
# no p-value below it is claimed.
RESOLUTION = 1e-9
# Where the integral may end: the largest weight is 1, so f has faded to exp(-30) by exp(30) at the latest.
_ENDS = np.exp(np.arange(0.0, 32.0, 0.5))


def p_mean_below(values: FloatArray, largest: float, threshold: float) -> float:
    """P-value for "the mean is below the threshold": the smallest alpha at which the upper bound excludes it.

    Parameters
    ----------
    values : ndarray, shape (n,)
        Independent values, none above ``largest``; finite.
    largest : float
        End of the range of possible values.
    threshold : float
        The value that the mean is compared with.

    Notes
    -----
    With D uniform on the simplex (Dirichlet with n + 1 ones), the upper bound is the 1 - alpha quantile of
    ``D[:n] @ values + D[n] * largest``; the p-value is therefore that variable's probability of reaching the
    threshold. It is computed exactly (Imhof's integral), not drawn.
    """
    atoms, counts = _atoms(values, largest)
    return max(_tail(atoms, counts, threshold), RESOLUTION)


def p_mean_above(values: FloatArray, smallest: float, threshold: float) -> float:
    """P-value for "the mean is above the threshold"; the mirror image of `p_mean_below`."""
    return p_mean_below(-values, -smallest, -threshold)


def mean_upper(values: FloatArray, largest: float, alpha: float) -> float:
    """Upper bound of the mean, missed with probability alpha at most; see `p_mean_below`."""
    atoms, counts = _atoms(values, largest)
    return _quantile(atoms, counts, alpha)


def mean_lower(values: FloatArray, smallest: float, alpha: float) -> float:
    """Lower bound of the mean; the mirror image of `mean_upper`."""
    return -mean_upper(-values, -smallest, alpha)


def interval_and_p(
    values: FloatArray, value_range: float, alpha: float, thresholds: FloatArray
) -> tuple[tuple[float, float], list[float], list[float]]:
    """Return `mean_lower` and `mean_upper`, and `p_mean_above` and `p_mean_below` for every threshold, in less time.

    Parameters
    ----------
    values : ndarray, shape (n,)
        Independent values within [-value_range, value_range].
    value_range : float
        Distance from 0 to either end of the range.
    alpha : float
        Error per side.
    thresholds : ndarray, shape (k,)
        The values that the mean is compared with.
    """
    above, below = _atoms(-values, value_range), _atoms(values, value_range)
    ends = -_quantile(*above, alpha), _quantile(*below, alpha)
    p_above = [max(_tail(*above, -threshold), RESOLUTION) for threshold in thresholds.tolist()]
    p_below = [max(_tail(*below, threshold), RESOLUTION) for threshold in thresholds.tolist()]
    return ends, p_above, p_below


def _atoms(values: FloatArray, limit: float) -> tuple[tuple[float, ...], tuple[int, ...]]:
    """Distinct values with their numbers, the imagined one at the limit included."""
    distinct, counts = np.unique(np.append(values, limit), return_counts=True)
    if distinct[-1] > limit:
        raise ValueError(f"a value of {distinct[-1]:g} lies beyond the stated range {limit:g}; give its true range")
    return tuple(distinct.tolist()), tuple(counts.tolist())


@lru_cache(maxsize=4096)
def _quantile(atoms: tuple[float, ...], counts: tuple[int, ...], alpha: float) -> float:
    if len(atoms) == 1:
        return atoms[0]
    if len(atoms) == 2:
        return float(atoms[0] + (atoms[1] - atoms[0]) * special.betainccinv(counts[1], counts[0], alpha))
    # Between Cantelli's two inequalities for the average's own mean and variance, with room for rounding. The logarithm
    # of the tail is concave and bends little: 6 evaluations to the root, 14 for the tail itself over the whole range.
    values, weights = np.asarray(atoms), np.asarray(counts, dtype=np.float64)
    total = weights.sum()
    mean = (weights * values).sum() / total
    deviation = np.sqrt((weights * (values - mean) ** 2).sum() / total / (total + 1))
    odds, room = np.sqrt((1 - alpha) / alpha), 1e-9 * (1 + abs(atoms[-1]))
    root: float = optimize.brentq(
        lambda threshold: np.log(max(_inside(values, weights, threshold) / alpha, RESOLUTION)),
        max(atoms[0], mean - deviation / odds - room),
        min(atoms[-1], mean + deviation * odds + room),
        xtol=1e-11 * (1 + abs(atoms[-1])),
    )
    return root


def _tail(atoms: tuple[float, ...], counts: tuple[int, ...], threshold: float) -> float:
    """P(sum of D_i atoms_i >= threshold) for D ~ Dirichlet(counts)."""
    if threshold <= atoms[0]:
        return 1.0
    if threshold >= atoms[-1]:
        return 1.0 if threshold == atoms[-1] and len(atoms) == 1 else 0.0
    if len(atoms) == 2:
        share = (threshold - atoms[0]) / (atoms[1] - atoms[0])
        return float(special.betaincc(counts[1], counts[0], share))
    return tail_by_integral(np.asarray(atoms), np.asarray(counts, dtype=np.float64), threshold)


def _inside(atoms: FloatArray, counts: FloatArray, threshold: float) -> float:
    """Return the same for three atoms or more, as arrays."""
    if threshold <= atoms[0]:
        return 1.0
    return tail_by_integral(atoms, counts, threshold) if threshold < atoms[-1] else 0.0


def tail_by_integral(atoms: FloatArray, counts: FloatArray, threshold: float) -> float:
    """Probability that a Dirichlet(counts) average of the atoms reaches a threshold strictly between them.

    The average exceeds t when sum g_i (a_i - t) > 0 for independent g_i ~ Gamma(counts_i): a mixture of chi-squares,
    whose tail is 1/2 + 1/pi times the integral over u > 0 of Im f(u) / u, f the characteristic function (Imhof 1961).
    With u proportional to exp(x - exp(-x)) the integrand is analytic and fades quickly on both sides, so the
    trapezoidal rule converges exponentially (error below 1e-12 up to 20,000 clusters); its step must shrink like
    1 / sqrt(sum of counts).

    Sums over the atoms are taken row by row and not as matrix products, whose order is the processor's affair.
    """
    weight = atoms - threshold
    weight = (weight / np.abs(weight).max())[:, None]
    counts = counts[:, None]
    half = 0.5 * counts
    scale = np.log(np.add.reduce(counts * np.abs(weight), axis=None))
    decays = np.add.reduce(np.log1p((weight * _ENDS) ** 2) * half, axis=0)
    stop = np.log(_ENDS[np.argmax(decays >= 30.0)]) + scale
    step = min(0.1, 0.8 / np.sqrt(np.add.reduce(counts, axis=None)))
    x = np.arange(-3.5, stop + step, step)
    inner = np.exp(-x)
    u = np.exp(x - inner - scale) * weight
    angle = np.arctan(u)
    angle *= counts
    u *= u
    np.log1p(u, out=u)
    u *= half
    wave = np.sin(np.add.reduce(angle, axis=0)) * np.exp(-np.add.reduce(u, axis=0)) * (1.0 + inner)
    return float(min(max(0.5 + step * np.add.reduce(wave) / np.pi, 0.0), 1.0))
