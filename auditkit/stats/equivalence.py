"""Does a mean difference lie within its margin? One interval, three answers, for all conditions of a run at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from auditkit.stats import bounded, unseen
from auditkit.stats.bootstrap import Moments, Seed, bootstrap_t, moments
from auditkit.stats.reduce import FloatArray

Decision = Literal["inside", "beyond", "open"]

UNION = "t+bootstrap-t"
SPARSE = "sparse: bounded mean"
EMPTY = "no data"


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean over clusters, its interval, and what that says about the margins.

    Attributes
    ----------
    estimate : float
        Mean of the cluster means, in the unit of the input; NaN without data.
    low, high : float
        Ends of the interval; never outside the range of possible values.
    level : float
        Confidence of the interval, 1 - 2 alpha.
    se : float
        Standard error of the estimate; NaN with fewer than two clusters.
    n_clusters : int
        Clusters with a value.
    n_informative : int
        Clusters with a value other than 0, where a value other than 0 that most clusters share counts once.
    p_pass : float
        P-value of "the mean is within the margins" (the larger of the one-sided two).
    p_fail : float
        P-value of "the mean is beyond a margin" (the smaller of the one-sided two); the one to correct by Holm.
    p_under, p_over : float
        Those two: of "below the lower margin" and of "above the upper margin"; 1 where there is no such margin.
    decision : {"inside", "beyond", "open"}
        The interval lies within the margins, entirely beyond one of them, or neither.
        ``inside`` goes with ``p_pass <= alpha``, ``beyond`` with ``p_fail <= alpha``.
    rule : str
        How the interval was had.
    """

    estimate: float
    low: float
    high: float
    level: float
    se: float
    n_clusters: int
    n_informative: int
    p_pass: float
    p_fail: float
    decision: Decision
    rule: str
    p_under: float = 1.0
    p_over: float = 1.0


def equivalence(
    means: ArrayLike,
    low: ArrayLike,
    high: ArrayLike,
    *,
    alpha: float,
    resamples: int = 10_000,
    seed: Seed,
    value_range: float = 100.0,
    min_informative: int = 10,
    unseen_alpha: float | None = None,
) -> list[Interval]:
    """Decide for each condition whether its mean lies within the margins.

    Parameters
    ----------
    means : array_like, shape (G, C)
        Cluster means of the differences (`reduce.cluster_means`), one column per condition, NaN = missing.
    low, high : array_like, scalar or shape (C,)
        Margins in the unit of ``means``, low < high. ``-inf`` or ``inf`` makes the question one-sided.
    alpha : float
        Error per side, 0 < alpha < 0.5; the interval has level 1 - 2 alpha.
    resamples : int
        Bootstrap resamples.
    seed : int or bytes
        Equal seeds give equal results. All conditions share the resamples, and a condition's result does not depend
        on which others are in the call.
    value_range : float
        No value can be outside [-value_range, value_range]: 100 for differences of scores of 0-100.
    min_informative : int
        With fewer informative clusters (see `Interval`), or no variance, the bounded-mean bound is used.
    unseen_alpha : float, optional
        Error per side of the room for patients who were not seen, where ``alpha`` is already corrected for many
        conditions; ``alpha`` by default.

    Returns
    -------
    list of Interval
        One per column.

    Raises
    ------
    ValueError
        Margins that are reversed, both infinite or NaN; values outside the range; alpha out of bounds.

    Notes
    -----
    Assumes independent clusters, and values missing for reasons that have nothing to do with what they would have been
    (else see `auditkit.measure.effects.per_item`, which bounds them).

    Usual case: the union of Student's interval and the studentised bootstrap interval, each of which errs where the
    other does not (few clusters; skewed differences). A margin is excluded when both exclude it. The p-value is
    Student's when the bootstrap agrees at alpha, and the larger of the two otherwise, so that it agrees with the
    interval and still is not held up by the bootstrap's floor of 1 / (resamples + 1) in a large family.

    Sparse case: `bounded`, whose p-values are those of the bound's own test.

    In either case the interval leaves room for the patients who were not seen (`unseen`), so that a few are never
    enough and no variance is never taken for certainty: with margins of +-5 points, differences that are all 0 pass
    from 59 clusters on (alpha 0.05), with margins of +-10 from 29. In the usual case this holds at alpha, as for the
    bootstrap: a correction for many decisions is for chance that differs from one to the next, and who was not seen is
    the same for all of them.

    References
    ----------
    .. [1] Schuirmann, D. J. (1987). J. Pharmacokinetics and Biopharmaceutics 15, 657-680 (two one-sided tests).
    .. [2] Berger, R. L. & Hsu, J. C. (1996). Statistical Science 11, 283-319 (the 1 - 2 alpha interval).
    """
    P = np.asarray(means, dtype=np.float64)
    if P.ndim != 2:
        raise ValueError(f"means must have shape (G, C), got {P.shape}; for one condition pass means[:, None]")
    if not 0 < alpha < 0.5:
        raise ValueError(f"alpha is the error per side, between 0 and 0.5; got {alpha}")
    C = P.shape[1]
    limits = np.stack([_margin(low, C, "low"), _margin(high, C, "high")])
    bad = ~(limits[0] < limits[1]) | (np.isinf(limits[0]) & np.isinf(limits[1]))
    if bad.any():
        at = int(np.flatnonzero(bad)[0])
        raise ValueError(f"condition {at}: margins must be low < high with one finite, got {limits[:, at].tolist()}")
    if (np.abs(P[~np.isnan(P)]) > value_range).any():
        raise ValueError(f"values reach {np.nanmax(np.abs(P)):g}, beyond value_range={value_range:g}; give their range")

    mean, se, n_clusters, residual = moments(P)
    differing = informative(P, value_range)
    usual = (differing >= min_informative) & (se > 0)
    ends, above, below = np.empty((3, 2, C))
    known = mean[usual], se[usual], n_clusters[usual], residual[:, usual]
    ends[:, usual], above[:, usual], below[:, usual] = _union(
        P[:, usual], limits[:, usual], alpha, resamples, seed, known
    )
    _add_unseen(ends, above, below, usual, (mean, n_clusters), limits, value_range, unseen_alpha or alpha)

    results = []
    for c in range(C):
        n = int(n_clusters[c])
        if n == 0:
            results.append(
                Interval(np.nan, -value_range, value_range, 1 - 2 * alpha, np.nan, 0, 0, 1.0, 1.0, "open", EMPTY)
            )
            continue
        if not usual[c]:
            x = P[~np.isnan(P[:, c]), c]
            ends[:, c], above[:, c], below[:, c] = bounded.interval_and_p(x, value_range, alpha, limits[:, c])
        results.append(
            _judged(
                float(mean[c]),
                (max(float(ends[0, c]), -value_range), min(float(ends[1, c]), value_range)),
                float(se[c]),
                (n, int(differing[c])),
                (float(limits[0, c]), float(limits[1, c])),
                (above[:, c], below[:, c]),
                1 - 2 * alpha,
                UNION if usual[c] else SPARSE,
            )
        )
    return results


def p_beyond(found: Interval, *filled: Interval) -> float:
    """Return the p-value of "beyond a margin" that missing values cannot undo, wherever they lie.

    Parameters
    ----------
    found : Interval
        Of what was measured.
    *filled : Interval
        Nothing, or two: with the missing values as low as they can be, and as high. Above the upper margin is what is
        so even at the lowest, below the lower one what is so even at the highest.
    """
    if not filled:
        return found.p_fail
    lowest, highest = filled
    return min(max(found.p_over, lowest.p_over), max(found.p_under, highest.p_under))


def _union(
    P: FloatArray, limits: FloatArray, alpha: float, resamples: int, seed: Seed, known: Moments
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Join Student's interval and the bootstrap's: ends, p-values above and below the limits, each of shape (2, C)."""
    boot = bootstrap_t(P, limits, alpha=alpha, resamples=resamples, seed=seed, known=known)
    df = np.maximum(boot.n_clusters - 1, 1)
    # `scipy.stats` calls these very functions, after 0.1 ms of checks each.
    reach = special.stdtrit(df, 1 - alpha) * boot.se
    t = (boot.mean - limits) / boot.se
    ends = np.stack([np.fmin(boot.mean - reach, boot.low), np.fmax(boot.mean + reach, boot.high)])
    above = _combined(special.stdtr(df, -t), boot.p_above, alpha)
    return ends, above, _combined(special.stdtr(df, t), boot.p_below, alpha)


def _add_unseen(
    ends: FloatArray,
    above: FloatArray,
    below: FloatArray,
    usual: NDArray[np.bool_],
    sample: tuple[FloatArray, NDArray[np.int64]],
    limits: FloatArray,
    value_range: float,
    alpha: float,
) -> None:
    """Let no interval be narrower than patients allow who were not seen; the bounded mean counts them already."""
    mean, n = (values[usual] for values in sample)
    low, high = unseen.mean_ends(mean, n, value_range, alpha)
    ends[0, usual], ends[1, usual] = np.fmin(ends[0, usual], low), np.fmax(ends[1, usual], high)
    for side, test in ((above, unseen.p_mean_above), (below, unseen.p_mean_below)):
        side[:, usual] = _combined(side[:, usual], test(mean, n, value_range, limits[:, usual]), alpha)


def _judged(
    estimate: float,
    ends: tuple[float, float],
    se: float,
    sizes: tuple[int, int],
    margins: tuple[float, float],
    p: tuple[FloatArray, FloatArray],
    level: float,
    rule: str,
) -> Interval:
    """Put the interval and the one-sided p-values (above, below) of the two margins together."""
    above, below = p
    p_pass = max(
        float(above[0]) if np.isfinite(margins[0]) else 0.0, float(below[1]) if np.isfinite(margins[1]) else 0.0
    )
    p_under = float(below[0]) if np.isfinite(margins[0]) else 1.0
    p_over = float(above[1]) if np.isfinite(margins[1]) else 1.0
    decision: Decision = "open"
    if ends[1] < margins[0] or ends[0] > margins[1]:
        decision = "beyond"
    elif margins[0] < ends[0] and ends[1] < margins[1]:
        decision = "inside"
    p_fail = min(p_under, p_over)
    return Interval(estimate, *ends, level, se, *sizes, p_pass, p_fail, decision, rule, p_under=p_under, p_over=p_over)


def _combined(p: FloatArray, other: FloatArray, alpha: float) -> FloatArray:
    """The p-value where another test agrees at alpha, else the larger of the two."""
    return np.where(other > alpha, np.fmax(p, other), p)


def informative(P: FloatArray, value_range: float) -> NDArray[np.int64]:
    """Count the clusters that say something about the spread; equal up to 1e-9 of the range is equal.

    Parameters
    ----------
    P : ndarray, shape (G, C)
        Cluster means, NaN = missing.
    value_range : float
        No value can be outside [-value_range, value_range].

    Returns
    -------
    ndarray of int, shape (C,)
        The smaller of: clusters that are not 0; clusters unlike the commonest value, and one of those like it.
    """
    if not P.size:
        return np.zeros(P.shape[1], dtype=np.int64)
    rounded = np.sort(np.round(P / (1e-9 * value_range)).T, axis=1)
    # Runs of equal values in each column; NaN comes last and is unlike itself, so that each is a run of one.
    begins = np.insert(rounded[:, 1:] != rounded[:, :-1], 0, True, axis=1)
    runs = np.diff(np.append(np.flatnonzero(begins), rounded.size))
    most = np.maximum.reduceat(runs, np.append(0, begins.sum(axis=1).cumsum()[:-1]))
    n = (~np.isnan(rounded)).sum(axis=1)
    return np.where(n > 0, np.minimum((np.abs(rounded) > 0).sum(axis=1), n - most + 1), 0)


def _margin(margin: ArrayLike, C: int, name: str) -> FloatArray:
    values = np.asarray(margin, dtype=np.float64)
    if values.shape not in ((), (C,)):
        raise ValueError(f"{name} must be one margin or one per condition ({C}), got shape {values.shape}")
    return np.broadcast_to(values, (C,))
