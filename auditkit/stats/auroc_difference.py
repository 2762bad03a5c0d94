"""Do the scores of a new version tell clean from treated images as well as those of the old one did?"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from auditkit.stats import unseen
from auditkit.stats.auroc import placements, root, with_unseen
from auditkit.stats.exact import dot, total
from auditkit.stats.reduce import FloatArray, IntArray, cluster_codes

BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class AurocDifference:
    """Area of the new scores minus area of the old ones, of the same images.

    Attributes
    ----------
    new, old : float
        The two areas, 0-1; NaN without data. With several strata their means, weighted by clusters.
    estimate : float
        ``new - old``.
    low, high : float
        Ends of the interval, -1 to 1.
    level : float
        1 - 2 alpha.
    n, n_clusters : int
        Pictures with a score from both versions (clean and treated ones together), and the clusters behind them.
    between : float
        The difference among pairs of pictures of different clusters.
    spread, df, skewness : float
        As in `auroc.Auroc`, of the difference; NaN with fewer than two clusters.
    """

    new: float
    old: float
    estimate: float
    low: float
    high: float
    level: float
    n: int
    n_clusters: int
    between: float
    spread: float
    df: float
    skewness: float


def auroc_difference(
    new: tuple[ArrayLike, ArrayLike],
    old: tuple[ArrayLike, ArrayLike],
    clusters: ArrayLike,
    alpha: float,
    strata: ArrayLike | None = None,
) -> AurocDifference:
    """Estimate by how much the AUROC of clean against treated images changed, and its interval.

    Parameters
    ----------
    new, old : (array_like, array_like), each of shape (n,)
        Scores of the n images, clean and treated, from either version; NaN = missing. A picture that one version has
        not scored is left out of both areas.
    clusters : array_like of int, shape (n,)
        Cluster codes.
    alpha : float
        Error per side.
    strata : array_like of int, shape (n,), optional
        Images are compared within their stratum only (a modality), and the strata's differences averaged with their
        numbers of clusters as weights. Default: one stratum.

    Returns
    -------
    AurocDifference

    Notes
    -----
    The deviations of the two areas are subtracted picture by picture before they are squared, so that what the versions
    have in common cancels [1]_; the rest is as in `auroc.auroc`: the spread is the larger of Obuchowski's and the
    jackknife's over clusters, Student's t has Satterthwaite's degrees of freedom, an end moves further out by Hall's
    correction where the difference is skewed to its side, and the ends start from the worse and the better of the
    difference of all pairs and that between clusters. A difference has no logit scale.

    Where both versions separate perfectly there is no variance and yet no certainty. By the rule of the single area the
    pairs with patients who were not seen may all be lost by one version and won by the other: about a difference D no
    interval is narrower than D q^2 - (1 - q^2) to D q^2 + (1 - q^2), q = alpha^(1/G).

    References
    ----------
    .. [1] DeLong, E. R., DeLong, D. M. & Clarke-Pearson, D. L. (1988). Comparing the areas under two or more correlated
       receiver operating characteristic curves. Biometrics 44, 837-845.
    """
    if not 0 < alpha < 0.5:
        raise ValueError(f"alpha is the error per side, between 0 and 0.5; got {alpha}")
    sides = [np.asarray(scores, dtype=np.float64) for scores in (*new, *old)]
    n = sides[0].size
    if any(scores.shape != (n,) for scores in sides):
        raise ValueError(f"the four sets of scores must have one shape (n,), got {[s.shape for s in sides]}")
    codes = cluster_codes(clusters, n)
    groups = np.zeros(n, dtype=np.int64) if strata is None else cluster_codes(strata, n)
    clean, treated = (~np.isnan(a) & ~np.isnan(b) for a, b in ((sides[0], sides[2]), (sides[1], sides[3])))
    # A stratum in which one side is empty has no area.
    kept = [s for s in np.unique(groups) if clean[groups == s].any() and treated[groups == s].any()]
    inside = np.isin(groups, kept)
    clean, treated = clean & inside, treated & inside
    names = np.unique(codes[clean | treated])
    G, level, nan = int(names.size), 1 - 2 * alpha, float("nan")
    pictures = int(clean.sum() + treated.sum())
    if not pictures:
        return AurocDifference(nan, nan, nan, -1.0, 1.0, level, 0, 0, nan, nan, nan, nan)
    codes = np.searchsorted(names, codes)
    parts = [_stratum(sides, clean & (groups == s), treated & (groups == s), codes, G) for s in kept]
    weights = np.array([part.n_clusters for part in parts], dtype=np.float64)
    weights /= weights.sum()
    areas = total(weights[:, None] * np.array([(part.new, part.old, part.between) for part in parts]))
    shares = total(weights[:, None] * np.stack([part.shares for part in parts]))
    se = math.sqrt(dot(weights**2, np.array([part.se**2 for part in parts])))
    estimate = float(areas[0] - areas[1])
    if G < 2:
        return AurocDifference(
            float(areas[0]), float(areas[1]), estimate, -1.0, 1.0, level, pictures, G, nan, nan, nan, nan
        )
    second = dot(shares, shares)
    spread, df, skewness = max(se, root(second)), float(G - 1), 0.0
    if root(second):
        squares = shares * shares
        df = min(df, max(1.0, 3.0 * second**2 / dot(squares, squares)))
        skewness = dot(squares, shares) / second**1.5
    reach, between = float(special.stdtrit(df, 1 - alpha)), float(areas[2])
    seen, extra = float(unseen.seen_share(alpha, G)) ** 2, spread * (2.0 * reach**2 + 1.0) / 6.0
    low, high = estimate * seen - (1.0 - seen), estimate * seen + (1.0 - seen)
    if spread > 0.0:
        low = min(low, min(estimate, between) - reach * spread - max(0.0, -skewness) * extra)
        high = max(high, max(estimate, between) + reach * spread + max(0.0, skewness) * extra)
    return AurocDifference(
        new=float(areas[0]),
        old=float(areas[1]),
        estimate=estimate,
        low=max(low, -1.0),
        high=min(high, 1.0),
        level=level,
        n=pictures,
        n_clusters=G,
        between=between,
        spread=spread,
        df=df,
        skewness=skewness,
    )


def auroc_difference_test(result: AurocDifference, margin: float) -> tuple[float, float]:
    """Test the difference against a margin by the interval's own rule.

    Parameters
    ----------
    result : AurocDifference
        From `auroc_difference`.
    margin : float
        Largest fall of the area to be accepted, 0 < margin < 1.

    Returns
    -------
    p_pass, p_fail : float
        P-values of "falls by less than the margin" and "falls by more": ``p_pass < alpha`` exactly when
        ``low > -margin``, and ``p_fail < alpha`` exactly when ``high < -margin``.
    """
    if not 0 < margin < 1:
        raise ValueError(f"margin is a fall of the area between 0 and 1, got {margin}")
    if not math.isfinite(result.spread):
        return 1.0, 1.0
    D, G = result.estimate, result.n_clusters
    above = ((1.0 - margin) / (1.0 + D)) ** (G / 2) if -margin < D else 1.0
    below = ((1.0 + margin) / (1.0 - D)) ** (G / 2) if -margin > D else 1.0
    if not result.spread > 0.0:
        return above, below
    return (
        with_unseen(_tail(result, min(D, result.between) + margin, -1.0), above, result.level),
        with_unseen(_tail(result, -margin - max(D, result.between), 1.0), below, result.level),
    )


def _tail(result: AurocDifference, gap: float, side: float) -> float:
    """P-value of a distance to the margin: the root t of t + kappa (2 t^2 + 1) = gap / spread, as in `auroc`."""
    kappa = max(0.0, side * result.skewness) / 6.0
    beyond = gap / result.spread - kappa
    t = 2.0 * beyond / (1.0 + math.sqrt(1.0 + 8.0 * kappa * max(beyond, 0.0)))
    return float(special.stdtr(result.df, -t))


@dataclass(frozen=True, slots=True)
class _Part:
    """One stratum: both areas, the difference between clusters and what each adds to the jackknife's spread of it."""

    new: float
    old: float
    between: float
    shares: FloatArray
    se: float
    n_clusters: int


def _stratum(sides: list[FloatArray], clean: BoolArray, treated: BoolArray, codes: IntArray, G: int) -> _Part:
    names, groups = np.unique(np.concatenate((codes[clean], codes[treated])), return_inverse=True)
    used, n = names.size, int(clean.sum())
    new, old = (placements(sides[i][clean], sides[i + 1][treated], groups[:n], groups[n:], used) for i in (0, 2))
    shares = np.zeros(G)
    shares[names] = math.sqrt((used - 1) / used) * (new.shares - old.shares)
    se = new.standard_error(minus=old) if used > 1 else 0.0
    return _Part(new.area, old.area, new.between - old.between, shares, se, used)
