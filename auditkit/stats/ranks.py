"""Does one number follow another from item to item, at equal severity? Ranks within strata, pooled, patients as unit.

Over all severities any two numbers that move with severity follow each other. So ranks are taken within a stratum (one
modality at one severity), and only what is left counts. A rank says nothing of size: see `auditkit.stats.spread`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize, special

from auditkit.stats.bootstrap import TIE
from auditkit.stats.equivalence import EMPTY
from auditkit.stats.jackknife import on_fisher_z
from auditkit.stats.reduce import FloatArray, IntArray, cluster_codes

RULE = "jackknife t on Fisher's z of ranks within strata"
FEW = "exact limit of the share of patients who differ"
SMALLEST = 3  # patients of a stratum: the order of two is no order
_CELLS = 1_000_000  # comparisons of items looked at together: 8 MB
_ALL = 1 - 1e-9


@dataclass(frozen=True, slots=True)
class Measured:
    """A number with its interval and what it takes to call it above or below a floor.

    Attributes
    ----------
    estimate, low, high : float
        With the ends of the interval; NaN where nothing could be measured.
    level : float
        1 - 2 alpha.
    n_clusters : int
        Patients behind it.
    n_informative : int
        Patients with a second number other than most have in the stratum.
    p_above, p_below : float
        P-values of "it lies above the floor" and of "below"; at most alpha just where ``low`` lies above it, and
        ``high`` below.
    rule : str
        How the interval was had.
    """

    estimate: float
    low: float
    high: float
    level: float
    n_clusters: int
    n_informative: int
    p_above: float
    p_below: float
    rule: str


@dataclass(frozen=True, slots=True)
class Stratum:
    """The items of one stratum, patients together.

    Attributes
    ----------
    rows : ndarray of int, shape (m,)
        Items, ordered by patient.
    patients : ndarray of int, shape (g,)
        Codes of its patients, ascending.
    starts : ndarray of int, shape (g,)
        Where each patient's items begin within the rows.
    weights : ndarray, shape (m,)
        1 over the items of the patient, so that every patient weighs 1.
    owners : ndarray of int, shape (m,)
        Place of each row's patient among the patients.
    """

    rows: IntArray
    patients: IntArray
    starts: IntArray
    weights: FloatArray
    owners: IntArray

    def blocks(self) -> list[slice]:
        """Return the patients in blocks that are held against all rows at once."""
        step = max(1, _CELLS // (self.rows.size + 1))
        return [slice(a, min(a + step, self.patients.size)) for a in range(0, self.patients.size, step)]

    def below(self, values: FloatArray, block: slice, amounts: FloatArray) -> FloatArray:
        """Return how much each of the block's patients has below every row's value, what lies beside it half.

        `values` and `amounts` are of shape (m,), the result of shape (b, m).
        """
        order = np.argsort(values, kind="stable")
        owners = self.owners[order] - block.start
        own = np.flatnonzero((owners >= 0) & (owners < block.stop - block.start))
        running = np.zeros((values.size + 1, block.stop - block.start))
        running[own + 1, owners[own]] = amounts[order][own]
        np.cumsum(running, axis=0, out=running)
        left, right = (np.searchsorted(values[order], values, side=side) for side in ("left", "right"))
        return np.asarray((running[left] + running[right]).T / 2)

    def of_others(self, block: slice) -> FloatArray:
        """Return the weights of all rows without those of each of the block's patients; shape (b, m)."""
        places = np.arange(self.patients.size)[block, None]
        return np.where(self.owners == places, 0.0, self.weights)


def strata_of(known: NDArray[np.bool_], clusters: ArrayLike, strata: ArrayLike) -> list[Stratum]:
    """Return the strata with `SMALLEST` patients or more, of the items that are known; all arrays of shape (n,)."""
    codes, place = cluster_codes(clusters, known.size), np.asarray(strata)
    found = []
    for stratum in np.unique(place[known]):
        rows = np.flatnonzero(known & (place == stratum))
        rows = rows[np.argsort(codes[rows], kind="stable")]
        patients, starts, counts = np.unique(codes[rows], return_index=True, return_counts=True)
        if patients.size >= SMALLEST:
            owners = np.repeat(np.arange(patients.size), counts)
            found.append(Stratum(rows, patients, starts, 1.0 / counts[owners], owners))
    return found


def informative(values: FloatArray, strata: list[Stratum]) -> tuple[IntArray, int]:
    """Return the patients of the strata, and how many have a value other than most have in its stratum."""
    patients: set[int] = set()
    moved: set[int] = set()
    for stratum in strata:
        own = values[stratum.rows]
        levels, place = np.unique(own, return_inverse=True)
        usual = levels[np.argmax(np.bincount(place, weights=stratum.weights))]
        patients.update(stratum.patients.tolist())
        moved.update(stratum.patients[stratum.owners[own != usual]].tolist())
    return np.array(sorted(patients), dtype=np.int64), len(moved)


def rank_correlation(
    leading: ArrayLike,
    following: ArrayLike,
    clusters: ArrayLike,
    strata: ArrayLike,
    floor: float,
    *,
    alpha: float,
    min_informative: int = 10,
) -> Measured:
    """Correlate the ranks of two numbers within strata, and hold that against a floor.

    Parameters
    ----------
    leading, following : array_like, shape (n,)
        The two numbers, one row per item and condition; rows with a missing one (NaN) are left out.
    clusters : array_like of int, shape (n,)
        Patient of each row as a code 0..G-1. A row weighs 1 over the rows of its patient in the stratum.
    strata : array_like of int, shape (n,)
        Stratum of each row: ranks are taken within.
    floor : float
        Coefficient to be exceeded, -1 < floor < 1.
    alpha : float
        Error per side, 0 < alpha < 0.5.
    min_informative : int
        With fewer patients whose second number is another than most have, nothing is called above the floor.

    Returns
    -------
    Measured
        The estimate is 0 where the second number never differs within a stratum: nothing follows.

    Notes
    -----
    Spearman's coefficient with mid-ranks and patients' weights: the sum over strata of the products of centred ranks,
    over the root of the product of the two sums of squares [1]_. A stratum where all have the same number adds nothing.

    Usual case: Student's interval on Fisher's z with the delete-one-patient jackknife's standard error and G - 1
    degrees of freedom, ranks taken again without each patient. There is room for a share 1 - alpha^(1/G) of patients
    who were not seen and lie at the ends of both ranks, so that a perfect order is not 1.00 to 1.00.

    Few patients whose second number differs: the exact upper limit of the share of such patients, all at the ends of
    both ranks, bounds the coefficient to either side.

    References
    ----------
    .. [1] Liu, Q., Li, C., Wanga, V. & Shepherd, B. E. (2018). Covariate-adjusted Spearman's rank correlation with
       probability-scale residuals. Biometrics 74, 595-605 (partial and conditional rank correlation).
    """
    x, y = np.asarray(leading, dtype=np.float64), np.asarray(following, dtype=np.float64)
    if x.ndim != 1 or x.shape != y.shape or x.shape != np.shape(strata):
        raise ValueError(f"numbers and strata of one length are needed, got {x.shape}, {y.shape}, {np.shape(strata)}")
    if not 0 < alpha < 0.5:
        raise ValueError(f"alpha is the error per side, between 0 and 0.5; got {alpha}")
    if not -1 < floor < 1:
        raise ValueError(f"floor is a coefficient between -1 and 1, got {floor}")
    own = strata_of(np.isfinite(x) & np.isfinite(y), clusters, strata)
    patients, differ = informative(y, own)
    G, level = patients.size, 1 - 2 * alpha
    if not own:
        return Measured(np.nan, np.nan, np.nan, level, 0, 0, 1.0, 1.0, EMPTY)
    parts = [_sums(x[s.rows], y[s.rows], s) for s in own]
    whole = np.sum([part[0] for part in parts], axis=0)
    without = np.tile(whole, (G, 1))
    for stratum, (all_, each) in zip(own, parts, strict=True):
        without[np.searchsorted(patients, stratum.patients)] += each - all_
    mass = float(sum(s.patients.size for s in own))
    estimate = float(_coefficient(whole))
    enough = differ >= min_informative
    found = on_fisher_z(estimate, _coefficient(without)) if enough else None
    unseen = _Unseen(whole, mass, 0 if enough else differ, G)
    low, high = unseen.ends(alpha)
    above, below = unseen.p(floor, 1), unseen.p(floor, -1)
    if found:
        z, se = found
        reach, t = float(special.stdtrit(G - 1, 1 - alpha)) * se, (z - np.arctanh(floor)) / se
        low, high = min(low, float(np.tanh(z - reach))), max(high, float(np.tanh(z + reach)))
        above, below = max(above, float(special.stdtr(G - 1, -t))), max(below, float(special.stdtr(G - 1, t)))
    return Measured(estimate, low, high, level, G, differ, above, below, RULE if enough else FEW)


def _coefficient(sums: FloatArray) -> FloatArray:
    """Of sums (..., 3) of products and of either's squares; 0 where one of them never differs."""
    size = np.sqrt(np.maximum(sums[..., 1] * sums[..., 2], 0.0))
    return np.asarray(np.where(size > TIE, sums[..., 0] / np.where(size > TIE, size, 1.0), 0.0))


def _sums(x: FloatArray, y: FloatArray, stratum: Stratum) -> tuple[FloatArray, FloatArray]:
    """Return products and squares of centred ranks, shape (3,), and the same without each patient, shape (g, 3)."""
    w, G = stratum.weights, stratum.patients.size
    each, ranks = np.empty((G, 3)), np.stack([_below(values, w) for values in (x, y)])
    for block in stratum.blocks():
        own = (stratum.below(values, block, w) for values in (x, y))
        u, v = ((all_ - some) / (G - 1) - 0.5 for all_, some in zip(ranks, own, strict=True))
        others = stratum.of_others(block)
        each[block] = np.stack([(others * a * b).sum(axis=1) for a, b in ((u, v), (u, u), (v, v))], axis=1)
    u, v = ranks / G - 0.5
    return np.array([(w * a * b).sum() for a, b in ((u, v), (u, u), (v, v))]), each


def _below(values: FloatArray, weights: FloatArray) -> FloatArray:
    """Return how many patients lie below every value, those beside it half; shape (m,)."""
    order = np.argsort(values, kind="stable")
    running = np.concatenate([[0.0], np.cumsum(weights[order])])
    left, right = (np.searchsorted(values[order], values, side=side) for side in ("left", "right"))
    return np.asarray((running[left] + running[right]) / 2)


@dataclass(frozen=True, slots=True)
class _Unseen:
    """The coefficient of those at hand together with a share of others at the ends of both ranks.

    Where so few differ that no spread can be told, `few` says how many do, and all of these count among the others.
    """

    whole: FloatArray
    mass: float
    few: int
    G: int

    def ends(self, alpha: float) -> tuple[float, float]:
        share = float(special.betaincinv(self.few + 1, self.G - self.few, 1 - alpha)) if self.few < self.G else 1.0
        return self._with(share, -1), self._with(share, 1)

    def p(self, floor: float, side: int) -> float:
        """Return the smallest alpha at which the coefficient lies above the floor (side 1), or below (-1)."""

        def room(share: float) -> float:
            return side * (self._with(share, -side) - floor)

        if room(0.0) <= 0:
            return 1.0
        share = float(optimize.brentq(room, 0.0, _ALL, xtol=1e-12)) if room(_ALL) < 0 else _ALL
        return float(special.bdtr(self.few, self.G, share))

    def _with(self, share: float, side: int) -> float:
        # Half of them at either end take the ranks of those at hand together; so their own are smaller by the share.
        left, at_ends = (1 - share) ** 3, self.mass * share * (0.5 - share / 4) ** 2
        base = self.whole if not self.few else self.whole * [0.0, 1.0, 0.0]
        return float(_coefficient(left * base + at_ends * np.array([side, 1.0, 1.0])))
