"""How far apart are the numbers of two items of a stratum? The mean difference (Gini's), with patients as the unit.

A rank correlation is 1 also where a score moves by a tenth of a point. This says by how much it moves.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy import optimize, special

from auditkit.stats.equivalence import EMPTY
from auditkit.stats.jackknife import FLAT, standard_error
from auditkit.stats.ranks import FEW, Measured, Stratum, informative, strata_of
from auditkit.stats.reduce import FloatArray

RULE = "jackknife t of the mean difference within strata"


def mean_difference(
    values: ArrayLike,
    clusters: ArrayLike,
    strata: ArrayLike,
    floor: float,
    *,
    reach: float,
    alpha: float,
    min_informative: int = 10,
) -> Measured:
    """Measure how far the values of two patients lie apart within a stratum, and hold that against a floor.

    Parameters
    ----------
    values : array_like, shape (n,)
        One row per item and condition; missing ones (NaN) are left out.
    clusters, strata : array_like of int, shape (n,)
        As in `ranks.rank_correlation`.
    floor : float
        Mean difference to be exceeded, above 0, in the unit of the values.
    reach : float
        No two values can lie further apart.
    alpha : float
        Error per side, 0 < alpha < 0.5.
    min_informative : int
        With fewer patients whose value is another than most have, nothing is called above the floor.

    Returns
    -------
    Measured
        Mean over all pairs of patients, and over strata by their number of patients.

    Notes
    -----
    A U-statistic over pairs of different patients: Student's interval with the delete-one-patient jackknife's standard
    error. There is room for a share 1 - alpha^(1/G) of patients who were not seen: at the lower end they lie amidst the
    others, at the upper end as far from them as can be.
    """
    y = np.asarray(values, dtype=np.float64)
    own = strata_of(np.isfinite(y), clusters, strata)
    patients, differ = informative(y, own)
    G, level = patients.size, 1 - 2 * alpha
    if not own:
        return Measured(np.nan, np.nan, np.nan, level, 0, 0, 1.0, 1.0, EMPTY)
    parts = [_sums(y[s.rows], s) for s in own]
    total, mass = sum(part[0] for part in parts), float(sum(s.patients.size for s in own))
    without, left = np.full(G, total), np.full(G, mass)
    for stratum, (all_, each) in zip(own, parts, strict=True):
        place = np.searchsorted(patients, stratum.patients)
        without[place] += each - all_
        left[place] -= 1
    estimate, each = total / mass, without / left
    se = standard_error(each) if differ >= min_informative else 0.0
    few = 0 if se > FLAT else differ
    share = float(special.betaincinv(few + 1, G - few, 1 - alpha)) if few < G else 1.0
    base = 0.0 if few else estimate
    low, high = (1 - share) ** 2 * base, _apart(base, share, reach)
    above = float((floor / base) ** (G / 2)) if base > floor else 1.0
    below = float(special.bdtr(few, G, _share(base, floor, reach))) if base < floor else 1.0
    if se > FLAT:
        t, far = (estimate - floor) / se, float(special.stdtrit(G - 1, 1 - alpha)) * se
        low, high = min(low, max(estimate - far, 0.0)), max(high, estimate + far)
        above, below = max(above, float(special.stdtr(G - 1, -t))), max(below, float(special.stdtr(G - 1, t)))
    return Measured(estimate, low, min(high, reach), level, G, differ, above, below, RULE if se > FLAT else FEW)


def _apart(base: float, share: float, reach: float) -> float:
    """The mean difference with a share of others, who lie as far from those at hand, and from each other, as can be."""
    return (1 - share) ** 2 * base + (1 - (1 - share) ** 2) * reach


def _share(base: float, floor: float, reach: float) -> float:
    """The share of others at which the mean difference reaches the floor."""
    return float(optimize.brentq(lambda share: _apart(base, share, reach) - floor, 0.0, 1.0, xtol=1e-12))


def _sums(y: FloatArray, stratum: Stratum) -> tuple[float, FloatArray]:
    """Return the mean difference times the number of patients, and the same without each; shape (g,)."""
    w, G = stratum.weights, stratum.patients.size
    sums = np.bincount(stratum.owners, weights=w * y, minlength=G)
    to_others = np.empty(G)
    for block in stratum.blocks():
        share, amount = stratum.below(y, block, w), stratum.below(y, block, w * y)
        # Each patient's mean distance to every row: what lies below it is taken off, what lies above counts.
        apart = (2 * share - 1) * y - 2 * amount + sums[block, None]
        to_others[block] = (apart * stratum.of_others(block)).sum(axis=1)
    total = float(to_others.sum())  # every pair twice
    return total / (G - 1), (total - 2 * to_others) / (G - 2)
