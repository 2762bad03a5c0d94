"""Two independent groups of patients: how far their means lie apart, and whether that is within a margin."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from scipy import special

from auditkit.stats import bounded, unseen
from auditkit.stats.bootstrap import TIE, Seed, group_seed, moments, multiplicities
from auditkit.stats.equivalence import EMPTY, Decision, Interval
from auditkit.stats.exact import on_grid
from auditkit.stats.reduce import FloatArray

WELCH = "Welch t+bootstrap-t"
SPARSE = "sparse: bounded means, squares added"
FEW = "too few clusters"

# Resamples drawn at once: 10,000 of a group of 15,000 patients would take 600 MB.
_ROWS = 1024
# P-values of the sparse case are rounded up to alpha times a power of this.
_STEP = 1.02


@dataclass(frozen=True, slots=True)
class Comparison:
    """How two groups are compared.

    Attributes
    ----------
    margin : float
        Largest difference of two group means to be accepted, above 0, in the unit of the values.
    alpha : float
        Error per side, 0 < alpha < 0.5; intervals have level 1 - 2 alpha.
    value_range : float
        No value can be outside [-value_range, value_range]. A gap stays the same when all values are shifted: for
        scores of 0-100 ``values - 50`` and 50 serve best.
    min_clusters : int
        A group with fewer patients keeps every pair it is in from "inside".
    min_informative : int
        If fewer patients of a group differ from its commonest value, or none does, bounded means are used.
    unseen_alpha : float, optional
        Error per side of the room for patients who were not seen, where ``alpha`` is already corrected for many pairs;
        ``alpha`` by default.

    Raises
    ------
    ValueError
        Margin or alpha out of bounds.
    """

    margin: float
    alpha: float
    value_range: float = 100.0
    min_clusters: int = 24
    min_informative: int = 10
    unseen_alpha: float | None = None

    def __post_init__(self) -> None:
        if not 0 < self.margin < np.inf:
            raise ValueError(f"margin is the largest gap to be accepted, above 0 and finite; got {self.margin}")
        if not 0 < self.alpha < 0.5:
            raise ValueError(f"alpha is the error per side, between 0 and 0.5; got {self.alpha}")


@dataclass(frozen=True, slots=True)
class Sample:
    """Patient means of one group and the resampled deviations of its mean, with their variances.

    Attributes
    ----------
    values : ndarray, shape (G,)
        One per patient with a value.
    mean, variance : float
        Their mean, and the variance of that; NaN with no patients, and with fewer than two.
    differing : int
        Patients whose value is not the commonest one.
    shift, resampled_variance : ndarray, shape (B,)
        By resample.
    """

    values: FloatArray
    mean: float
    variance: float
    differing: int
    shift: FloatArray
    resampled_variance: FloatArray
    _reaches: dict[tuple[bool, float], float] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, values: FloatArray, name: str, *, seed: Seed, resamples: int, value_range: float) -> Sample:
        """Return the sample of a group: one finite value per patient, resampled on its own."""
        mean, se, _, residual = moments(values[:, None])
        G, residual = values.size, residual[:, 0]
        _, counts = np.unique(np.round(values / (1e-9 * value_range)), return_counts=True)
        shift, variance = np.zeros(resamples), np.zeros(resamples)
        if G > 1 and se[0] > 0:
            powers = on_grid(np.column_stack([residual, residual * residual]), G)
            for start in range(0, resamples, _ROWS):
                rows = slice(start, min(start + _ROWS, resamples))
                drawn = multiplicities(group_seed(seed, name, start), rows.stop - start, G).astype(np.float64)
                sums = drawn @ powers
                shift[rows] = sums[:, 0] / G
                variance[rows] = np.maximum(sums[:, 1] - sums[:, 0] * shift[rows], 0.0) / (G - 1) / G
        return cls(values, float(mean[0]), float(se[0]) ** 2, G - int(counts.max(initial=0)), shift, variance)

    def reach(self, value_range: float, alpha: float, *, upwards: bool) -> float:
        """Return how far the bounded mean's limit lies from the mean, to one side."""
        key = upwards, alpha
        if key not in self._reaches:
            own = self.values if upwards else -self.values
            self._reaches[key] = bounded.mean_upper(own, value_range, alpha) - (self.mean if upwards else -self.mean)
        return self._reaches[key]


@dataclass(frozen=True, slots=True)
class _Tested:
    """Ends of an interval, and the p-values of "above" and "below" each limit that go with it."""

    low: float
    high: float
    above: FloatArray
    below: FloatArray
    rule: str


def check_resamples(alpha: float, resamples: int) -> int:
    """Return which resample from the end is the quantile; ValueError where there are too few for one."""
    rank = int(np.floor(alpha * (resamples + 1) + 1e-9))
    if rank < 1:
        raise ValueError(f"alpha = {alpha} and resamples = {resamples}: alpha * (resamples + 1) must be at least 1")
    return rank


def compared(first: Sample, second: Sample, how: Comparison) -> Interval:
    """Return the interval of the mean of the first minus that of the second, and what it says about the margin.

    Parameters
    ----------
    first, second : Sample
        Of as many resamples.
    how : Comparison
        Margin, error and the rest.

    Notes
    -----
    Usual case: the union of Welch's interval [1]_ and that of the two-sample studentised bootstrap [2]_, each group
    resampled on its own, with room for the patients of either who were not seen (`unseen`). As in `equivalence`, a
    margin is excluded when all exclude it, and the p-value is Welch's where the others agree at their level.

    Sparse case (shares near 0 or 1, scores that hardly vary): each mean has the limits of `bounded` at alpha, and the
    distances of the two that lie on the side in question are added as squares, as Newcombe and others do with limits of
    two proportions [3]_ [4]_. Where one group shows no events at all that is the other's own limit. The p-value is the
    smallest alpha at which that excludes the margin, rounded up by 2 % at most.

    References
    ----------
    .. [1] Welch, B. L. (1947). The generalization of "Student's" problem when several different population variances
       are involved. Biometrika 34, 28-35.
    .. [2] Efron, B. & Tibshirani, R. (1993). An Introduction to the Bootstrap, chapters 12 and 16.
    .. [3] Newcombe, R. G. (1998). Interval estimation for the difference between independent proportions. Statistics in
       Medicine 17, 873-890.
    .. [4] Zou, G. Y. & Donner, A. (2008). Construction of confidence limits about effect measures. Statistics in
       Medicine 27, 1693-1702.
    """
    enough = min(first.values.size, second.values.size) >= how.min_clusters
    limits = np.array([-how.margin, how.margin])
    if not (first.values.size and second.values.size):
        tested = _Tested(-math.inf, math.inf, np.ones(2), np.ones(2), EMPTY)
    elif any(sample.differing < how.min_informative or not sample.variance > 0 for sample in (first, second)):
        tested = _sparse(first, second, limits, how)
    else:
        tested = _with_unseen(_welch(first, second, limits, how.alpha), first, second, limits, how)
    return _judged(first, second, tested, how, enough=enough)


def _welch(first: Sample, second: Sample, limits: FloatArray, alpha: float) -> _Tested:
    total = first.variance + second.variance
    gap, se = first.mean - second.mean, float(np.sqrt(total))
    df = total**2 / sum(sample.variance**2 / (sample.values.size - 1) for sample in (first, second))
    statistic = _resampled(first, second, se)
    B = statistic.size
    rank = check_resamples(alpha, B)
    reach = special.stdtrit(df, 1 - alpha) * se
    low = min(gap - reach, gap - (statistic[B - rank] + TIE) * se)
    high = max(gap + reach, gap - (statistic[rank - 1] - TIE) * se)
    t = (gap - limits) / se
    p_above = (1 + B - np.searchsorted(statistic, t - TIE, side="left")) / (B + 1)
    p_below = (1 + np.searchsorted(statistic, t + TIE, side="right")) / (B + 1)
    above, below = special.stdtr(df, -t), special.stdtr(df, t)
    return _Tested(low, high, _where_agreed(above, p_above, alpha), _where_agreed(below, p_below, alpha), WELCH)


def _where_agreed(p: FloatArray, other: FloatArray, alpha: float) -> FloatArray:
    """The p-value where another test agrees at alpha, else the larger of the two."""
    return np.where(other > alpha, np.maximum(p, other), p)


def _resampled(first: Sample, second: Sample, se: float) -> FloatArray:
    """Return the sorted two-sample t statistics; infinite where a resample has no spread but another mean."""
    gap = first.shift - second.shift
    spread = np.sqrt(first.resampled_variance + second.resampled_variance)
    # No spread, up to rounding.
    flat = ~(spread > 1e-6 * se)
    statistic = np.divide(gap, spread, out=np.copysign(np.inf, gap), where=~flat)
    statistic[flat & (np.abs(gap) <= 1e-6 * se)] = 0.0
    statistic.sort()
    return statistic


def _with_unseen(tested: _Tested, first: Sample, second: Sample, limits: FloatArray, how: Comparison) -> _Tested:
    """Leave room for patients of either group who were not seen; so many of both at once are less likely still."""
    alpha, R = how.unseen_alpha or how.alpha, how.value_range
    gap, sizes = first.mean - second.mean, np.array([first.values.size, second.values.size])
    hidden = 1.0 - unseen.seen_share(alpha, sizes)
    down, up = np.array([R + first.mean, R - second.mean]), np.array([R - first.mean, R + second.mean])
    return _Tested(
        min(tested.low, gap - float((hidden * down).max())),
        max(tested.high, gap + float((hidden * up).max())),
        _where_agreed(tested.above, _p_unseen(gap - limits, down, sizes), alpha),
        _where_agreed(tested.below, _p_unseen(limits - gap, up, sizes), alpha),
        tested.rule,
    )


def _p_unseen(distances: FloatArray, room: FloatArray, sizes: FloatArray) -> FloatArray:
    """Smallest alpha at which unseen patients of neither group can move the gap by so much."""
    share = np.clip(1.0 - distances[:, None] / np.maximum(room, 1e-300), 0.0, 1.0)
    return np.where(distances > 0, np.power(share, sizes).max(axis=1), 1.0)


def _sparse(first: Sample, second: Sample, limits: FloatArray, how: Comparison) -> _Tested:
    gap = first.mean - second.mean
    above = np.array([_p_exceeds(first, second, limit, how) for limit in limits])
    # "First minus second is below the limit" is "second minus first is above minus the limit".
    below = np.array([_p_exceeds(second, first, -limit, how) for limit in limits])
    low = gap - _squared(first, second, how.alpha, how.value_range)
    high = gap + _squared(second, first, how.alpha, how.value_range)
    return _Tested(low, high, above, below, SPARSE)


def _squared(upper: Sample, lower: Sample, alpha: float, value_range: float) -> float:
    """How far below its estimate the upper's mean minus the lower's may lie."""
    return math.hypot(upper.reach(value_range, alpha, upwards=False), lower.reach(value_range, alpha, upwards=True))


def _p_exceeds(a: Sample, b: Sample, limit: float, how: Comparison) -> float:
    """P-value of "mean of a minus mean of b is above the limit": on a grid through alpha, from below."""
    distance = a.mean - b.mean - limit

    def excluded(step: int) -> bool:
        return _squared(a, b, how.alpha * _STEP**step, how.value_range) < distance

    fewest = math.ceil(math.log(bounded.RESOLUTION / how.alpha, _STEP))
    most = math.floor(math.log(0.5 / how.alpha, _STEP))
    if distance <= 0 or not excluded(most):
        return 1.0
    if excluded(fewest):
        return how.alpha * _STEP**fewest
    while most - fewest > 1:
        middle = (fewest + most) // 2
        fewest, most = (fewest, middle) if excluded(middle) else (middle, most)
    return how.alpha * _STEP**most


def _judged(first: Sample, second: Sample, tested: _Tested, how: Comparison, *, enough: bool) -> Interval:
    margin, R = how.margin, how.value_range
    low, high = float(max(tested.low, -2 * R)), float(min(tested.high, 2 * R))
    decision: Decision = "open"
    if high < -margin or low > margin:
        decision = "beyond"
    elif -margin < low and high < margin and enough:
        decision = "inside"
    under, over = float(tested.below[0]), float(tested.above[1])
    return Interval(
        estimate=first.mean - second.mean,
        low=low,
        high=high,
        level=1 - 2 * how.alpha,
        se=float(np.sqrt(first.variance + second.variance)),
        n_clusters=first.values.size + second.values.size,
        n_informative=min(first.differing, second.differing),
        p_pass=max(float(tested.above[0]), float(tested.below[1])) if enough else 1.0,
        p_fail=min(under, over),
        decision=decision,
        rule=tested.rule if enough or decision == "beyond" or tested.rule == EMPTY else FEW,
        p_under=under,
        p_over=over,
    )
