"""Do scores tell clean from treated images? The area under the ROC curve with patients as the unit."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from auditkit.stats import unseen
from auditkit.stats.exact import dot, total
from auditkit.stats.reduce import FloatArray, IntArray, cluster_codes


@dataclass(frozen=True, slots=True)
class Auroc:
    """Probability that a clean image scores higher than a treated one, ties counted half.

    Attributes
    ----------
    estimate : float
        Share of all pairs, 0-1; NaN without data.
    low, high : float
        Ends of the 1 - 2 alpha interval.
    level : float
        1 - 2 alpha.
    se : float
        Obuchowski's standard error of the estimate (not of its logit); NaN with fewer than two clusters.
    n_clusters : int
        Clusters with a clean or a treated score.
    between : float
        The same share among pairs of images of different clusters; NaN with fewer than two.
    spread : float
        Standard error the interval is built with: the larger of ``se`` and that of ``between``; NaN likewise.
    df : float
        Degrees of freedom of ``spread``, 1 to G - 1; NaN likewise.
    skewness : float
        Of the estimate: below 0 when few clusters pull it down, above 0 when few pull it up; NaN likewise.
    unseen_by : float
        Patients by whose number those who were not seen are bounded: half of all, or those of the side that has fewer,
        where they are fewer still.
    """

    estimate: float
    low: float
    high: float
    level: float
    se: float
    n_clusters: int
    between: float
    spread: float
    df: float
    skewness: float
    unseen_by: float


def auroc(
    clean: ArrayLike, treated: ArrayLike, clusters_clean: ArrayLike, clusters_treated: ArrayLike, alpha: float
) -> Auroc:
    """Estimate the AUROC of clean against treated images and its interval.

    Parameters
    ----------
    clean, treated : array_like, shapes (n,) and (m,)
        Scores; NaN = missing and left out. The same patients may and usually will be in both.
    clusters_clean, clusters_treated : array_like of int, shapes (n,) and (m,)
        Cluster codes; equal codes are the same patient.
    alpha : float
        Error per side.

    Returns
    -------
    Auroc

    Notes
    -----
    The variance sums each patient's clean and treated deviations before squaring, so correlation within a patient and
    the pairing of clean with treated are both accounted for [1]_. Alone, with Student's t on G - 1 degrees of freedom
    on the logit scale, it passed 0.08 of the models exactly on the floor instead of 0.05 (64 patients of 1-4 images,
    area 0.95) and failed 0.10 (32 patients, scores of two levels, area 0.6). Four things were missing:

    * A clean image beats its own treated twin more often than another patient's, up to a fifth of a standard error in
      all. The low end starts from the smaller of the area of all pairs and that between patients, the high end from the
      larger.
    * The area between patients varies more than that of all pairs. The spread is the larger of Obuchowski's and the
      jackknife's over patients of the area between them.
    * Few patients with many images, or few that are told apart badly, carry the variance. Student's t has
      Satterthwaite's degrees of freedom, 3 (sum u^2)^2 / sum u^4 for the patients' shares u in the estimate [2]_, at
      most G - 1.
    * The area is skewed beyond what the logit evens out. Each end is the farther one of the logit's and of the mean's,
      t + skewness (2 t^2 + 1) / 6 spreads away, after Hall [3]_, on the side where that widens.

    With them the gate passes and fails at most 0.056 of the models on the floor (32 to 256 patients of 1-4 images,
    correlation 0.3 and 0.8, areas 0.5 to 0.95; scores of two levels at 32 patients: 0.063).

    Perfect separation has no variance, and neither has a constant score; both are as uncertain as the patients who
    were not seen (`unseen`). They may be a share 1 - q of all, q = alpha^(1/G), and then stand in a share 1 - q^2 of
    the pairs, all of which may be won or lost: no interval is narrower than A q^2 to 1 - (1 - A) q^2 about an area A.
    Where the patients of the two sides are others, as with the images of two classes, those not seen of the side with g
    patients may be a share 1 - alpha^(1/g) of it and stand in as many of the pairs: that takes the place of q^2 where g
    is less than G/2. Without it the gate passed 0.145 of the models on the floor (64 patients, 6 of them in one class,
    area 0.8, scores of two levels).

    References
    ----------
    .. [1] Obuchowski, N. A. (1997). Nonparametric analysis of clustered ROC curve data. Biometrics 53, 567-578.
    .. [2] Satterthwaite, F. E. (1946). An approximate distribution of estimates of variance components. Biometrics
       Bulletin 2, 110-114. A normal u has E u^4 = 3 (E u^2)^2, hence the 3.
    .. [3] Hall, P. (1983). Inverting an Edgeworth expansion. Annals of Statistics 11, 569-576.
    """
    if not 0 < alpha < 0.5:
        raise ValueError(f"alpha is the error per side, between 0 and 0.5; got {alpha}")
    x, group_x = _present(clean, clusters_clean)
    y, group_y = _present(treated, clusters_treated)
    names, groups = np.unique(np.concatenate((group_x, group_y)), return_inverse=True)
    G, level, nan = int(names.size), 1 - 2 * alpha, float("nan")
    if not x.size or not y.size:
        return Auroc(nan, 0.0, 1.0, level, nan, G, nan, nan, nan, nan, nan)
    group_x, group_y = groups[: x.size], groups[x.size :]
    placed = placements(x, y, group_x, group_y, G)
    area, between, shares = placed.area, placed.between, placed.shares
    if G < 2:
        return Auroc(area, 0.0, 1.0, level, nan, G, nan, nan, nan, nan, nan)
    se = placed.standard_error()
    second = dot(shares, shares)
    spread = max(se, root((G - 1) / G * second))
    df, skewness = float(G - 1), 0.0
    if root(second):
        squares = shares * shares
        df = min(df, max(1.0, 3.0 * second**2 / dot(squares, squares)))
        skewness = dot(squares, shares) / second**1.5
    # A patient stands in two kinds of pairs, so that what was not seen counts twice; of one side's own, once.
    unseen_by = min(G / 2, float(min(np.unique(group_x).size, np.unique(group_y).size)))
    seen = float(unseen.seen_share(alpha, G)) ** 2 if unseen_by == G / 2 else alpha ** (1.0 / unseen_by)
    low, high = area * seen, 1.0 - (1.0 - area) * seen
    if spread > 0.0:
        reach, worst, best = float(special.stdtrit(df, 1 - alpha)), min(area, between), max(area, between)
        logit_reach, extra = reach * spread / (area * (1.0 - area)), spread * (2.0 * reach**2 + 1.0) / 6.0
        low = min(
            low,
            float(special.expit(special.logit(worst) - logit_reach)),
            worst - reach * spread - max(0.0, -skewness) * extra,
        )
        high = max(
            high,
            float(special.expit(special.logit(best) + logit_reach)),
            best + reach * spread + max(0.0, skewness) * extra,
        )
    return Auroc(area, max(low, 0.0), min(high, 1.0), level, se, G, between, spread, df, skewness, unseen_by)


def auroc_test(result: Auroc, floor: float) -> tuple[float, float]:
    """Test the AUROC against a floor by the interval's own rule.

    Parameters
    ----------
    result : Auroc
        From `auroc`.
    floor : float
        Smallest area to be accepted, 0 < floor < 1.

    Returns
    -------
    p_pass, p_fail : float
        P-values of "above the floor" and "below the floor": ``p_pass < alpha`` exactly when ``low > floor``, and
        ``p_fail < alpha`` exactly when ``high < floor``. Both 1 without data.
    """
    if not 0 < floor < 1:
        raise ValueError(f"floor is an area between 0 and 1, got {floor}")
    area = result.estimate
    if not (np.isfinite(area) and np.isfinite(result.spread)):
        return 1.0, 1.0
    above = (floor / area) ** result.unseen_by if floor < area else 1.0
    below = ((1 - floor) / (1 - area)) ** result.unseen_by if floor > area else 1.0
    if not result.spread > 0.0:
        return above, below
    worst, best = min(area, result.between), max(area, result.between)
    return (
        with_unseen(
            _tail(result, worst - floor, special.logit(worst) - special.logit(floor), -1.0), above, result.level
        ),
        with_unseen(_tail(result, floor - best, special.logit(floor) - special.logit(best), 1.0), below, result.level),
    )


def with_unseen(p: float, unseen: float, level: float) -> float:
    """The p-value where that of the patients not seen agrees at the interval's level, else the larger of the two."""
    return max(p, unseen) if unseen > (1 - level) / 2 else p


def _tail(result: Auroc, gap: float, logit_gap: float, side: float) -> float:
    """P-value of a distance from the floor: that of the smaller quantile among both intervals' that just reach it."""
    kappa = max(0.0, side * result.skewness) / 6.0
    beyond = gap / result.spread - kappa
    # The root of t + kappa (2 t^2 + 1) = gap / spread; below 0, where no interval ends, the line that continues it.
    t = 2.0 * beyond / (1.0 + np.sqrt(1.0 + 8.0 * kappa * max(beyond, 0.0)))
    logit_t = logit_gap * result.estimate * (1.0 - result.estimate) / result.spread
    return float(special.stdtr(result.df, -min(t, logit_t)))


@dataclass(frozen=True, slots=True)
class Placements:
    """Where every image stands among those of the other side.

    Attributes
    ----------
    area : float
        Share of all pairs in which the clean image scores higher, ties half.
    of_clean, of_treated : ndarray
        Per image, its share of the pairs won by the clean side, minus the area; times the number of pairs, which makes
        it a whole number of halves. What cancels then leaves 0, and not what rounding leaves.
    groups : (ndarray, ndarray)
        Clusters of the clean and of the treated images, 0..G-1.
    n_clusters : int
        G.
    between : float
        The area among pairs of different clusters; that of all pairs where there are none.
    shares : ndarray, shape (G,)
        By how much leaving each cluster out lowers ``between``.
    """

    area: float
    of_clean: FloatArray
    of_treated: FloatArray
    groups: tuple[IntArray, IntArray]
    n_clusters: int
    between: float
    shares: FloatArray

    def standard_error(self, minus: Placements | None = None) -> float:
        """Return Obuchowski's standard error of the area, or of its difference from another of the same images."""
        x, y = self.of_clean, self.of_treated
        if minus is not None:
            x, y = x - minus.of_clean, y - minus.of_treated
        return _standard_error(x, y, *self.groups, self.n_clusters) / (x.size * y.size)


def placements(x: FloatArray, y: FloatArray, group_x: IntArray, group_y: IntArray, G: int) -> Placements:
    """Place clean scores among treated ones; no score is missing, and either side has one at least."""
    won, lost = _exceeded(x, y), x.size - _exceeded(y, x)
    all_won, pairs = float(won.sum()), x.size * y.size
    area = all_won / pairs
    own_won, own_lost = _within(x, y, group_x, group_y, G)
    between, shares = _between(won - own_won, lost - own_lost, group_x, group_y, G, area)
    of_clean, of_treated = won * x.size - all_won, lost * y.size - all_won
    return Placements(area, of_clean, of_treated, (group_x, group_y), G, between, shares)


def _present(scores: ArrayLike, clusters: ArrayLike) -> tuple[FloatArray, IntArray]:
    values = np.asarray(scores, dtype=np.float64)
    if values.ndim != 1:
        raise ValueError(f"scores must be one-dimensional, got shape {values.shape}")
    codes = cluster_codes(clusters, values.size)
    keep = ~np.isnan(values)
    return values[keep], codes[keep]


def _exceeded(values: NDArray[Any], others: NDArray[Any]) -> FloatArray:
    """How many of the others each value exceeds, ties half."""
    ordered = np.sort(others)
    return (np.searchsorted(ordered, values, "left") + np.searchsorted(ordered, values, "right")) / 2.0


def _within(
    x: FloatArray, y: FloatArray, group_x: IntArray, group_y: IntArray, G: int
) -> tuple[FloatArray, FloatArray]:
    """Of each clean image: the treated ones of its own patient below it; of each treated one: the clean ones above."""
    ranks = np.unique(np.concatenate((x, y)), return_inverse=True)[1]
    # One sorted line, patient after patient: who stands below within the patient is who stands below at all, less
    # everybody of the patients before.
    key_x, key_y = group_x * ranks.size + ranks[: x.size], group_y * ranks.size + ranks[x.size :]
    to_x, to_y = np.cumsum(np.bincount(group_x, minlength=G)), np.cumsum(np.bincount(group_y, minlength=G))
    own_y = np.bincount(group_y, minlength=G)[group_x]
    return _exceeded(key_x, key_y) - (to_y[group_x] - own_y), to_x[group_y] - _exceeded(key_y, key_x)


def _between(
    won: FloatArray, lost: FloatArray, group_x: IntArray, group_y: IntArray, G: int, alone: float
) -> tuple[float, FloatArray]:
    """Area among pairs of different patients (``alone`` without any), and by how much leaving each out lowers it."""
    n_x, n_y = np.bincount(group_x, minlength=G), np.bincount(group_y, minlength=G)
    pairs = won.size * lost.size - float(n_x @ n_y)
    if not pairs:
        return alone, np.zeros(G)
    all_won = float(won.sum())
    of_patient = n_x * (lost.size - n_y) + n_y * (won.size - n_x)
    # Over a common denominator the difference is one of whole halves.
    above = ((np.bincount(group_x, won, G) + np.bincount(group_y, lost, G)) * pairs - all_won * of_patient) / pairs
    rest = pairs - of_patient
    # Without a patient who is in every pair nothing is left to compare with.
    return all_won / pairs, np.divide(above, rest, out=np.zeros(G), where=rest > 0)


def _standard_error(
    deviation_x: FloatArray, deviation_y: FloatArray, group_x: IntArray, group_y: IntArray, G: int
) -> float:
    """Return the root of k_x sum(a^2) + k_y sum(b^2) + 2 k sum(a b) for the clusters' totals a and b, k = G / (G - 1).

    Written as k sum((a + b)^2) and what k_x and k_y are above k: no term is negative, so that nothing cancels, and
    sides that move against each other leave exactly 0.
    """
    of_x = np.bincount(group_x, deviation_x, G) / deviation_x.size
    of_y = np.bincount(group_y, deviation_y, G) / deviation_y.size
    variance = G / (G - 1) * float(total((of_x + of_y) ** 2))
    for side, group in ((of_x, group_x), (of_y, group_y)):
        used = np.unique(group).size
        # One cluster on a side says nothing of the spread between clusters; G / (G - 1) is then the best there is.
        if used > 1:
            variance += (G - used) / ((used - 1) * (G - 1)) * dot(side, side)
    return math.sqrt(variance)


def root(variance: float) -> float:
    # Shares whose differences are 0 in exact numbers leave 1e-33 by rounding; that is no variance.
    return math.sqrt(variance) if variance > 1e-24 else 0.0
