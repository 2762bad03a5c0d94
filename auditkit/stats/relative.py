"""Does a score stay within so many per cent of its control? A ratio of two means, judged without ever dividing.

The mean of per-image ratios is no use: one control score near 0 outweighs all others. The ratio of the means is asked
for instead, and "above k times the control" is the same as "the mean of treated - k control is above 0", a question
about one mean that `equivalence` answers (Fieller's idea).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import ArrayLike
from scipy import optimize

from auditkit.stats.bootstrap import Seed
from auditkit.stats.equivalence import EMPTY, Decision, Interval, equivalence
from auditkit.stats.reduce import FloatArray, cluster_means

NO_BASE = "control mean not well above 0"
NO_INTERVAL = "the ratios that cannot be excluded form no interval"

# Ratios k are searched as shares w = k / (1 + k), which puts 0 to infinity between 0 and 1. So many points find the
# ends roughly and show whether what lies between them is an interval; Brent's method does the rest.
_GRID = np.linspace(0.0, 1.0, 17)
_PRECISION = 1e-9


@dataclass(frozen=True, slots=True)
class Relative:
    """A relative change of a mean, its interval, and what that says about the margins.

    Attributes
    ----------
    estimate : float
        Mean treated score over mean control score, minus 1 (-0.1 is a loss of 10 %); NaN if the control mean is 0.
    low, high : float
        Ends of the interval; -1 and infinity where there is none.
    level : float
        Confidence of the interval, 1 - 2 alpha.
    control_mean, control_low : float
        Mean control score and the lower end of its own interval, in points.
    n_clusters : int
        Clusters with at least one complete pair.
    n_informative : int
        Clusters that say something about the spread: neither the same difference nor the same ratio as most others.
    p_pass, p_fail : float
        P-values of "within the margins" and "beyond one of them"; both 1 if no claim is made.
    decision : {"inside", "beyond", "open"}
        As in `equivalence.Interval`.
    rule : str
        How the interval was had, or why there is none.
    """

    estimate: float
    low: float
    high: float
    level: float
    control_mean: float
    control_low: float
    n_clusters: int
    n_informative: int
    p_pass: float
    p_fail: float
    decision: Decision
    rule: str


def relative_margin(
    treated: ArrayLike,
    control: ArrayLike,
    clusters: ArrayLike,
    low: float,
    high: float,
    *,
    alpha: float,
    seed: Seed,
    resamples: int = 10_000,
    min_clusters: int = 24,
    min_informative: int = 10,
    score_range: float = 100.0,
) -> Relative:
    """Decide whether the mean treated score lies between 1 + low and 1 + high times the mean control score.

    Parameters
    ----------
    treated, control : array_like, shape (n,)
        Scores of the same images, 0 to ``score_range``, NaN = missing; 0 must mean "nothing", or a ratio does. An
        image with one score missing is left out on both sides.
    clusters : array_like of int, shape (n,)
        Cluster codes.
    low, high : float
        Margins as shares: -0.1 and 0.1 for +-10 %. -1 < low < high; ``-inf`` or ``inf`` makes the question one-sided.
    alpha, seed, resamples, min_clusters, min_informative
        As in `equivalence.equivalence`.
    score_range : float
        Largest possible score.

    Returns
    -------
    Relative

    Raises
    ------
    ValueError
        Shapes that do not fit, scores outside their range, margins that are reversed, at or below -1, or both infinite.

    Notes
    -----
    With s and s0 the patient means under treatment and control, "inside" needs mean(s - (1 + low) s0) > 0 and
    mean(s - (1 + high) s0) < 0, each by the one-sided test of `equivalence` at alpha, which is valid whatever the
    control mean is. The interval holds every ratio that neither test excludes (with Student's interval alone it would
    be Fieller's [1]_). Its ends are found numerically from the same tests, so it agrees with the decision.

    No claim is made (decision "open", p-values 1) unless the control mean is well above 0: the lower end of its own
    1 - 2 alpha interval must be above 0. That is Fieller's condition g < 1. A control mean within t standard errors
    of 0 may be next to nothing; then no ratio is too large for the data, and what remains is a half line, the whole
    line, or two pieces of it [2]_. Nor is a claim made where the bootstrap leaves pieces.

    Sparse data are recognised by the differences and the ratios, not by the contrasts: if no score changes, the
    contrast s - 0.9 s0 still varies as the control scores do, and Student's interval would take that for knowledge of
    the changes not seen. With fewer than ``min_informative`` informative patients the bounded-mean bound is used:
    scores of mean 60 that do not change pass +-10 % from 52 patients on (alpha 0.05), not from 24.

    References
    ----------
    .. [1] Fieller, E. C. (1954). Some problems in interval estimation. J. Royal Statistical Society B 16, 175-185.
    .. [2] Franz, V. H. (2007). Ratios: a short guide to confidence limits and proper use. arXiv:0710.2024.
    """
    margins = np.array([low, high], dtype=np.float64)
    finite = np.isfinite(margins)
    if not low < high or not finite.any() or (margins[finite] <= -1).any():
        raise ValueError(f"margins are shares with -1 < low < high, one of them finite; got {low:g} and {high:g}")
    s, s0 = _patient_means(treated, control, clusters, score_range)
    nothing = Relative(
        np.nan, -1.0, np.inf, 1 - 2 * alpha, np.nan, 0.0, s.size, 0, p_pass=1.0, p_fail=1.0, decision="open", rule=EMPTY
    )
    if not s.size:
        return nothing
    core = partial(equivalence, alpha=alpha, seed=seed, resamples=resamples, min_clusters=min_clusters)
    total = s + s0
    ratio = np.divide(s - s0, total, out=np.zeros_like(s), where=total > 0) * score_range
    base, *changes = core(
        np.column_stack([s0, s - s0, ratio]), 0.0, np.inf, value_range=score_range, min_informative=min_informative
    )
    informative = min(change.n_informative for change in changes)
    nothing = replace(
        nothing,
        estimate=float(s.mean() / s0.mean() - 1) if s0.any() else np.nan,
        control_mean=base.estimate,
        control_low=max(base.low, 0.0),
        n_informative=informative,
        rule=NO_BASE,
    )
    if not base.low > 0:
        return nothing
    # One rule for all contrasts, or the ends of the interval would jump where a ratio happens to be a common one.
    sparse = informative < min_informative
    contrasts = _Contrasts(s, s0, score_range, partial(core, min_informative=s.size + 1 if sparse else 0))
    shares = 1 - 1 / (2 + margins[finite])
    ends = contrasts.ends(shares)
    if ends is None:
        return replace(nothing, rule=NO_INTERVAL)
    zero = contrasts.zero(shares)
    tests = contrasts.judged(
        shares, np.where(margins[finite] == low, zero, -np.inf), np.where(margins[finite] == high, zero, np.inf)
    )
    beyond = [test for test in tests if test.decision == "beyond"]
    inside = all(test.decision == "inside" for test in tests)
    return replace(
        nothing,
        low=ends[0],
        high=ends[1],
        p_pass=max(test.p_pass for test in tests),
        p_fail=min(test.p_fail for test in tests),
        decision="beyond" if beyond else "inside" if inside else "open",
        rule=(beyond or tests)[0].rule,
    )


@dataclass(frozen=True, slots=True)
class _Contrasts:
    """The contrasts (1 - w) treated - w control for shares w; above 0 means a ratio above w / (1 - w).

    Scores are counted from the middle of their range. The contrasts then lie within half the range either way, no wider
    than they must, which makes the bounded-mean bound as tight as it can be; what was 0 is now at `zero`.
    """

    treated: FloatArray
    control: FloatArray
    score_range: float
    core: Callable[..., list[Interval]]

    def zero(self, shares: FloatArray) -> FloatArray:
        return (shares - 0.5) * self.score_range

    def judged(self, shares: FloatArray, low: FloatArray, high: FloatArray) -> list[Interval]:
        half = self.score_range / 2
        values = np.outer(self.treated - half, 1 - shares) - np.outer(self.control - half, shares)
        # Rounding: 50.00000000000001 would be out of range.
        return self.core(np.clip(values, -half, half), low, high, value_range=half)

    def bounds(self, shares: FloatArray) -> FloatArray:
        """Return the lower and upper ends of the contrasts, shape (2, k); 0 is where the scores have it."""
        zero = self.zero(shares)
        found = self.judged(shares, zero, np.full(shares.shape, np.inf))
        return np.array([[interval.low for interval in found], [interval.high for interval in found]]) - zero

    def ends(self, asked: FloatArray) -> tuple[float, float] | None:
        """Return the smallest and largest ratio, minus 1, not excluded; None if those between are not all of them.

        The shares asked for are among those looked at, so that an end is always on the side of a margin that the
        test at the margin says.
        """
        estimate = self.treated.sum() / (self.treated + self.control).sum()
        shares = np.unique(np.concatenate([_GRID, asked, [estimate]]))
        lower, upper = self.bounds(shares)
        side = np.where(lower > 0, 1, np.where(upper < 0, -1, 0))
        if side[-1] != -1 or (np.diff(side) > 0).any():
            return None

        def root(end: int, at: int) -> float:
            share = optimize.brentq(
                lambda w: float(self.bounds(np.array([w]))[end, 0]), shares[at], shares[at + 1], xtol=_PRECISION
            )
            return float(1 / (1 - share) - 2)

        above = np.flatnonzero(side == 1)
        low = root(0, int(above[-1])) if above.size else -1.0
        return low, root(1, int(np.flatnonzero(side == -1)[0]) - 1)


def _patient_means(
    treated: ArrayLike, control: ArrayLike, clusters: ArrayLike, score_range: float
) -> tuple[FloatArray, FloatArray]:
    """Return the mean scores over the complete pairs of each cluster that has any."""
    scores = [np.asarray(values, dtype=np.float64) for values in (treated, control)]
    if scores[0].ndim != 1 or scores[0].shape != scores[1].shape:
        raise ValueError(
            f"treated and control must both have shape (n,), got {scores[0].shape} and {scores[1].shape}; "
            "pass the same images in the same order"
        )
    pairs = np.stack(scores, axis=1)
    seen = pairs[~np.isnan(pairs)]
    if ((seen < 0) | (seen > score_range)).any():
        raise ValueError(
            f"scores lie between 0 and score_range={score_range:g}, got {seen.min():g} to {seen.max():g}; "
            "a ratio needs a scale that starts at 0"
        )
    pairs[np.isnan(pairs).any(axis=1)] = np.nan
    means = cluster_means(pairs, clusters)
    means = means[~np.isnan(means).any(axis=1)]
    return means[:, 0], means[:, 1]
