"""Do two ratings of the same items agree? Quadratic weighted kappa, with patients as clusters.

With squared differences as losses, kappa is made of five means over patients: of either rating, of either one's square,
and of the squared difference. So no table of grades is counted, grades that a resample lacks do no harm, and every
jackknife and bootstrap is a product of matrices.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import optimize, special

from auditkit.stats import bounded
from auditkit.stats.bootstrap import TIE, Seed, multiplicities, seed_number
from auditkit.stats.equivalence import EMPTY, SPARSE
from auditkit.stats.jackknife import FLAT, on_fisher_z
from auditkit.stats.reduce import FloatArray, cluster_codes, cluster_means
from auditkit.stats.unseen import seen_share

UNION = "jackknife t+bootstrap-t on Fisher's z"
ONE_GRADE = "every rating is the same grade, so there is no agreement beyond chance to measure"

# Where a patient who was not seen may lie: both ratings on so many steps of the scale.
_STEPS = 21
# Resamples drawn at once, each block from a seed of its own: 10,000 of 15,000 patients would take 600 MB.
_ROWS = 1024


@dataclass(frozen=True, slots=True)
class Agreement:
    """Quadratic weighted kappa of two ratings, with its interval.

    Attributes
    ----------
    estimate : float
        -1 to 1, every patient weighing the same; NaN where it is undetermined.
    low, high : float
        Ends of the interval; NaN where kappa is undetermined.
    level : float
        1 - 2 alpha.
    n_clusters : int
        Patients with both ratings of an item.
    n_informative : int
        Patients with two ratings that differ.
    p_above, p_below : float
        P-values of "kappa is above the floor" and of "below": at most alpha just where ``low`` lies above it, and
        ``high`` below. 1 where kappa is undetermined.
    spread : float
        Standard error of Fisher's z times the root of the patients; NaN where the ratings differ too rarely.
    rule : str
        How the interval was had.
    reason : str
        Why there is no kappa, in words; empty where there is one.
    """

    estimate: float
    low: float
    high: float
    level: float
    n_clusters: int
    n_informative: int
    p_above: float
    p_below: float
    spread: float
    rule: str
    reason: str = ""


def agreement(
    first: ArrayLike,
    second: ArrayLike,
    clusters: ArrayLike,
    floor: float,
    *,
    ends: tuple[float, float],
    alpha: float,
    seed: Seed,
    resamples: int = 10_000,
    min_informative: int = 10,
) -> Agreement:
    """Measure how far two ratings agree beyond chance, and hold that against a floor.

    Parameters
    ----------
    first, second : array_like, shape (n,)
        Ratings of the items; items with a missing one (NaN) are left out.
    clusters : array_like of int, shape (n,)
        Patient of each item as a code 0..G-1. An item weighs 1 / m, where m is the number of items of its patient.
    floor : float
        Kappa to be exceeded, -1 < floor < 1.
    ends : (float, float)
        The lowest and the highest grade there are, fixed beforehand and whether or not any item has them.
    alpha : float
        Error per side, 0 < alpha < 0.5.
    seed, resamples : int
        As in `equivalence.equivalence`.
    min_informative : int
        With fewer patients whose ratings differ, the bounded mean decides.

    Returns
    -------
    Agreement
        Undetermined where all ratings are one and the same grade (0/0).

    Raises
    ------
    ValueError
        Ratings outside the ends, a floor or an alpha out of bounds, shapes that do not fit.

    Notes
    -----
    kappa = 1 - D / E, where D is the mean squared difference of the two ratings of an item and E that of ratings of
    two patients drawn by themselves [1]_. Weights 1 - (i - j)^2 / (K - 1)^2 for K grades give the same number.

    Usual case: the union of Student's interval with the delete-one-patient jackknife's standard error, and the
    studentised bootstrap of patients, both on Fisher's z (the artanh of kappa) [2]_; t with G - 1 degrees of freedom.

    Few patients whose ratings differ: at a kappa k the mean over patients of d - (1 - k) (2 e - E) is 0, with e the
    mean squared difference to the other patients' ratings; that is kappa's linear part, and its bounded mean
    (`bounded`) with one imagined patient as bad as any can be takes the place of the standard error.

    In either case there is room for a share 1 - alpha^(1/G) of patients who were not seen and whose two ratings lie
    anywhere: kappa is taken of both together, at the least and the most that it can be. So perfect agreement is not
    1.00 to 1.00: grades spread evenly over the scale pass a floor of 0.80 from about 60 patients on.

    References
    ----------
    .. [1] Fleiss, J. L. & Cohen, J. (1973). The equivalence of weighted kappa and the intraclass correlation
       coefficient as measures of reliability. Educational and Psychological Measurement 33, 613-619.
    .. [2] Vanbelle, S. (2017). Comparing dependent kappa coefficients obtained on multilevel data. Biometrical Journal
       59, 1016-1034 (clusters; delta method and cluster bootstrap).
    """
    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if a.ndim != 1 or a.shape != b.shape:
        raise ValueError(f"two ratings of the same items are needed, got shapes {a.shape} and {b.shape}")
    codes = cluster_codes(clusters, a.size)
    if not 0 < alpha < 0.5:
        raise ValueError(f"alpha is the error per side, between 0 and 0.5; got {alpha}")
    if not -1 < floor < 1:
        raise ValueError(f"floor is a kappa between -1 and 1, got {floor}")
    known = np.isfinite(a) & np.isfinite(b)
    x, y = ((rating[known] - ends[0]) / (ends[1] - ends[0]) for rating in (a, b))
    if known.any() and (min(x.min(), y.min()) < 0 or max(x.max(), y.max()) > 1):
        raise ValueError(f"a rating lies outside of {ends[0]:g} to {ends[1]:g}; give the ends of its scale")
    sums = np.stack([x, y, x * x, y * y, (x - y) ** 2], axis=1)
    m = cluster_means(sums, np.unique(codes[known], return_inverse=True)[1])
    G, level = len(m), 1 - 2 * alpha
    differ = int((m[:, 4] > 0).sum())
    if not G:
        return Agreement(np.nan, np.nan, np.nan, level, 0, 0, 1.0, 1.0, np.nan, EMPTY, "no item has both ratings")
    whole = m.mean(axis=0)
    if not _chance(whole) > TIE:
        return Agreement(np.nan, np.nan, np.nan, level, G, differ, 1.0, 1.0, np.nan, EMPTY, ONE_GRADE)
    unseen = _Unseen(whole, G)
    jackknifed = _jackknife(m) if differ >= min_informative else None
    if jackknifed is None:
        rule, spread = SPARSE, np.nan
        low, high, above, below = _sparse(m, floor, alpha)
    else:
        rule, spread = UNION, jackknifed[1] * np.sqrt(G)
        low, high, above, below = _usual(m, jackknifed, floor, alpha, resamples, seed)
    least, most = unseen.ends(alpha)
    p_least, p_most = unseen.p(floor, above=True), unseen.p(floor, above=False)
    return Agreement(
        estimate=float(_kappa(whole)),
        low=max(min(low, least), -1.0),
        high=min(max(high, most), 1.0),
        level=level,
        n_clusters=G,
        n_informative=differ,
        p_above=max(above, p_least) if p_least > alpha or jackknifed is None else above,
        p_below=max(below, p_most) if p_most > alpha or jackknifed is None else below,
        spread=float(spread),
        rule=rule,
    )


def _chance(m: FloatArray) -> FloatArray:
    """Mean squared difference of two ratings of patients drawn by themselves; of means (..., 5)."""
    return np.asarray(m[..., 2] + m[..., 3] - 2 * m[..., 0] * m[..., 1])


def _kappa(m: FloatArray) -> FloatArray:
    """Kappa of means (..., 5); NaN where there is one grade only."""
    E = _chance(m)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(E > TIE, 1 - m[..., 4] / E, np.nan))


def _jackknife(m: FloatArray) -> tuple[float, float] | None:
    """Return Fisher's z and its standard error by leaving out a patient at a time; None where they have none."""
    without = _kappa((m.sum(axis=0) - m) / max(len(m) - 1, 1))
    return on_fisher_z(float(_kappa(m.mean(axis=0))), without)


def _usual(
    m: FloatArray, jackknifed: tuple[float, float], floor: float, alpha: float, resamples: int, seed: Seed
) -> tuple[float, float, float, float]:
    """Join Student's interval and the bootstrap's on Fisher's z: ends, p-values of "above" and "below" the floor."""
    z, se = jackknifed
    G = len(m)
    lower, upper = _resampled(m, z, resamples, seed)
    rank = int(np.floor(alpha * (resamples + 1)))  # as many may lie beyond
    reach = float(special.stdtrit(G - 1, 1 - alpha))
    t_low, t_high = reach, -reach
    t_low = max(t_low, float(upper[resamples - rank]) + TIE) if rank else np.inf
    t_high = min(t_high, float(lower[rank - 1]) - TIE) if rank else -np.inf
    t = (z - np.arctanh(floor)) / se
    by_chance = (
        (1 + int((upper >= t - TIE).sum())) / (resamples + 1),
        (1 + int((lower <= t + TIE).sum())) / (resamples + 1),
    )
    student = float(special.stdtr(G - 1, -t)), float(special.stdtr(G - 1, t))
    above, below = (max(p, other) if other > alpha else p for p, other in zip(student, by_chance, strict=True))
    return float(np.tanh(z - t_low * se)), float(np.tanh(z - t_high * se)), above, below


def _resampled(m: FloatArray, z: float, resamples: int, seed: Seed) -> tuple[FloatArray, FloatArray]:
    """Return the sorted t statistics of resampled patients; one without a spread or a kappa counts against either side.

    Its standard error is the infinitesimal jackknife's: kappa's derivative in the five means, and their covariance.
    """
    G, n = m.shape
    pairs = [(i, j) for i in range(n) for j in range(i, n)]
    both = np.concatenate([m, np.stack([m[:, i] * m[:, j] for i, j in pairs], axis=1)], axis=1)
    t = np.empty(resamples)
    for start in range(0, resamples, _ROWS):
        rows = min(_ROWS, resamples - start)
        means = multiplicities(seed_number(seed) + start, rows, G).astype(np.float64) @ both / G
        mean, square = means[:, :n], means[:, n:]
        E, D = _chance(mean), mean[:, 4]
        kappa = _kappa(mean)
        with np.errstate(divide="ignore", invalid="ignore"):
            # d kappa = -dD / E + D dE / E^2, d z = d kappa / (1 - kappa^2)
            slope = np.stack([-2 * mean[:, 1], -2 * mean[:, 0], np.ones_like(D), np.ones_like(D)], axis=1)
            slope = np.concatenate([slope * (D / E**2)[:, None], -1 / E[:, None]], axis=1) / (1 - kappa**2)[:, None]
            variance = np.zeros_like(D)
            for at, (i, j) in enumerate(pairs):
                covariance = square[:, at] - mean[:, i] * mean[:, j]
                variance += (1 if i == j else 2) * slope[:, i] * slope[:, j] * covariance
            found = (np.arctanh(kappa) - z) / np.sqrt(variance / (G - 1))
        t[start : start + rows] = np.where(variance > G * FLAT**2, found, np.nan)
    return np.sort(np.where(np.isfinite(t), t, -np.inf)), np.sort(np.where(np.isfinite(t), t, np.inf))


def _sparse(m: FloatArray, floor: float, alpha: float) -> tuple[float, float, float, float]:
    """Bound kappa where hardly any ratings differ: ends, p-values of "above" and "below" the floor."""

    def p(k: float, sign: int) -> float:
        """P-value of "kappa is above k" (sign 1) or below (-1)."""
        values, ends = _linear(m, k)
        if sign > 0:
            return bounded.p_mean_below(values, ends[1], 0.0)
        return bounded.p_mean_above(values, ends[0], 0.0)

    def end(sign: int) -> float:
        estimate = float(_kappa(m.mean(axis=0)))
        edge = -float(sign) * (1 - 1e-9)
        if p(edge, sign) > alpha:
            return edge
        if p(estimate, sign) <= alpha:
            return estimate
        return float(optimize.brentq(lambda k: np.log(p(k, sign) / alpha), edge, estimate, xtol=1e-9))

    return end(1), end(-1), p(floor, 1), p(floor, -1)


def _linear(m: FloatArray, k: float) -> tuple[FloatArray, tuple[float, float]]:
    """Return what every patient adds to D - (1 - k) E, whose mean is 0 where kappa is k, and its least and most."""
    whole = m.mean(axis=0)
    E = float(_chance(whole))

    def parts(one: FloatArray) -> FloatArray:
        other = one[:, 2] + one[:, 3] + whole[2] + whole[3] - 2 * (one[:, 0] * whole[1] + one[:, 1] * whole[0])
        return np.asarray(one[:, 4] - (1 - k) * (other - E))

    values, possible = parts(m), parts(_possible())
    return values, (min(values.min(), possible.min()), max(values.max(), possible.max()))


def _possible() -> FloatArray:
    """Return the five numbers of patients anywhere on the scale; shape (_STEPS ** 2, 5)."""
    steps = np.linspace(0.0, 1.0, _STEPS)
    x, y = (axis.ravel() for axis in np.meshgrid(steps, steps))
    return np.stack([x, y, x * x, y * y, (x - y) ** 2], axis=1)


@dataclass(frozen=True, slots=True)
class _Unseen:
    """Kappa of the patients at hand together with a share of others who lie anywhere."""

    whole: FloatArray
    G: int

    def ends(self, alpha: float) -> tuple[float, float]:
        found = self._with(1 - float(seen_share(alpha, self.G)))
        return float(found.min()), float(found.max())

    def p(self, floor: float, *, above: bool) -> float:
        """Return the smallest alpha at which kappa lies above the floor, or below, whoever was not seen."""

        def room(share: float) -> float:
            found = self._with(share)
            return float(found.min() - floor) if above else float(floor - found.max())

        if room(0.0) <= 0:
            return 1.0
        # The room shrinks with the share, and at 1 there is none.
        share = float(optimize.brentq(room, 0.0, 1 - 1e-9, xtol=1e-12)) if room(1 - 1e-9) < 0 else 1 - 1e-9
        return float((1 - share) ** self.G)

    def _with(self, share: float) -> FloatArray:
        found = _kappa((1 - share) * self.whole + share * _possible())
        return np.where(np.isnan(found), float(_kappa(self.whole)), found)
