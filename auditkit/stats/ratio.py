"""How large are a model's errors beside those of a reference? A ratio of two means, held to a limit (Fieller).

A mean of ratios is no answer: of patients, or of corruptions, in which the reference hardly errs it makes whatever
chance makes of them (1.30 in place of 1.10 with 32 patients), and of one without an error it makes nothing at all.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from auditkit.stats.bootstrap import Seed
from auditkit.stats.equivalence import EMPTY, Decision, Interval, equivalence
from auditkit.stats.reduce import FloatArray

OF_SUMS = "ratio of sums, Fieller"
OVER_FIXED = "mean over fixed errors"
NOT_FROM_ZERO = "the errors of the reference are not shown to be above zero, so there is nothing to divide by"
NO_DATA = "no patient has a value on both sides"

Ends = tuple[float, float]

# Ratios that are tried at once, and how often what they leave is cut again: to 1 part in 5^6 of a few standard errors.
_CUTS, _ROUNDS = 4, 6


@dataclass(frozen=True, slots=True)
class Ratio:
    """A ratio of two means over patients, and what that says about a limit.

    Attributes
    ----------
    estimate : float
        Mean of the model's errors over mean of the reference's; NaN where it is undetermined.
    low, high : float
        Ends of the interval; NaN where the ratio is undetermined.
    level : float
        1 - 2 alpha.
    n_clusters : int
        Patients with a value on both sides.
    p_pass, p_fail : float
        P-values of "the ratio is below the limit" and of "it is above": the contrast's, or that of "the errors of the
        reference are above zero" where it is larger.
    decision : {"inside", "beyond", "open"}
        ``inside`` goes with ``p_pass <= alpha`` and ``high < limit``, ``beyond`` with ``p_fail <= alpha`` and
        ``low > limit``.
    rule : str
        Which ratio it is, and how its contrast was decided.
    reason : str
        Why there is no ratio, in words; empty where there is one.
    contrast : Interval
        Of the mean of model minus limit times reference. It must lie below 0.
    ends : (float, float)
        The least and the most that the contrast can be in one patient.
    """

    estimate: float
    low: float
    high: float
    level: float
    n_clusters: int
    p_pass: float
    p_fail: float
    decision: Decision
    rule: str
    reason: str
    contrast: Interval
    ends: Ends


def ratio_of_sums(
    new: ArrayLike,
    reference: ArrayLike,
    limit: float,
    *,
    new_ends: Ends,
    reference_ends: Ends,
    alpha: float,
    seed: Seed,
    resamples: int = 10_000,
    min_informative: int = 10,
    interval: bool = True,
) -> Ratio:
    """Decide whether a model's errors are at most so many times those of a reference on the same patients.

    Parameters
    ----------
    new, reference : array_like, shape (G,) or (G, C)
        Cluster means of the errors, in one unit; of several corruptions a column each, whose sums are compared. For
        errors relative to the clean image (relative mCE) those of the clean image are taken off before. A patient of
        whom a value is missing (NaN) is left out.
    limit : float
        Largest ratio to be accepted, above 0.
    new_ends, reference_ends : (float, float)
        The least and the most that a value of either side can be, in one column.
    alpha : float
        Error per side, 0 < alpha < 0.5.
    seed, resamples, min_informative
        As in `equivalence.equivalence`.
    interval : bool
        Whether to look for the ends of the interval, which takes ten times as long as the decision; else they are NaN.

    Returns
    -------
    Ratio
        Undetermined, without any number, where the errors of the reference are not shown to be above zero.

    Raises
    ------
    ValueError
        Shapes that do not fit, a limit that is not positive, and what `equivalence` refuses.

    Notes
    -----
    With a positive denominator "the ratio is below the limit" says that the mean of new - limit * reference is below 0.
    That is a mean over patients like any other, so it is decided by `equivalence`: with room for patients who were not
    seen, and by the bounded mean where few patients say anything. The interval holds the ratios that are not excluded
    this way (Fieller's set [1]_, with the house's interval of a mean in place of Student's). It is bounded just where
    the same procedure shows the denominator to be above zero; elsewhere it reaches to infinity and round to the other
    side, and no number is given [2]_.

    References
    ----------
    .. [1] Fieller, E. C. (1954). Some problems in interval estimation. J. Royal Statistical Society B 16, 175-185.
    .. [2] Franz, V. H. (2007). Ratios: a short guide to confidence limits and proper use. arXiv:0710.2024.
    .. [3] Hendrycks, D. & Dietterich, T. (2019). Benchmarking neural network robustness to common corruptions and
       perturbations. ICLR (mCE and relative mCE; there as a mean of ratios over fixed errors, see `ratio_to_fixed`).
    """
    model, other = _columns(new), _columns(reference)
    if model.shape != other.shape:
        raise ValueError(f"both sides must have one shape, got {model.shape} and {other.shape}")
    _check(limit)
    C = model.shape[1]
    x, y = model.sum(axis=1), other.sum(axis=1)
    there = np.isfinite(x) & np.isfinite(y)
    sides = _Sides(
        x[there], y[there], _times(new_ends, C), _times(reference_ends, C), alpha, seed, resamples, min_informative
    )
    at_limit = sides.contrast(limit)
    if not there.any():
        return _undetermined(at_limit, NO_DATA, EMPTY, sides.ends(limit), 1.0)
    rule, p_zero = f"{OF_SUMS}: {at_limit.rule}", sides.p_denominator()
    if p_zero > alpha:
        return _undetermined(at_limit, NOT_FROM_ZERO, rule, sides.ends(limit), p_zero)
    low, high = sides.interval(limit, at_limit) if interval else (np.nan, np.nan)
    return Ratio(
        estimate=sides.estimate,
        low=low,
        high=high,
        level=1 - 2 * alpha,
        n_clusters=at_limit.n_clusters,
        p_pass=max(at_limit.p_pass, p_zero),
        p_fail=max(at_limit.p_fail, p_zero),
        decision=at_limit.decision,
        rule=rule,
        reason="",
        contrast=at_limit,
        ends=sides.ends(limit),
    )


def ratio_to_fixed(
    new: ArrayLike,
    fixed: ArrayLike,
    limit: float,
    *,
    new_ends: Ends,
    alpha: float,
    seed: Seed,
    resamples: int = 10_000,
    min_informative: int = 10,
) -> Ratio:
    """Decide the same against errors that were fixed beforehand, such as published ones: mCE as Hendrycks has it.

    Parameters
    ----------
    new : array_like, shape (G, C)
        Cluster means of the model's errors, a column for each corruption.
    fixed : array_like, shape (C,)
        The reference's, above 0. They are constants: the interval knows nothing of how well they were measured.
    limit, new_ends, alpha, seed, resamples, min_informative
        As in `ratio_of_sums`.

    Returns
    -------
    Ratio
        Of the mean over the corruptions of new / fixed, which is a plain mean of the patients.

    Raises
    ------
    ValueError
        Fixed errors that are not positive, and what `ratio_of_sums` refuses.
    """
    model, constants = _columns(new), np.asarray(fixed, dtype=np.float64)
    if constants.shape != model.shape[1:] or not (constants > 0).all() or not np.isfinite(constants).all():
        raise ValueError(f"one fixed error above 0 for each of {model.shape[1]} corruptions, got {constants.tolist()}")
    _check(limit)
    weights = 1 / constants / constants.size
    values = model @ weights
    values = values[np.isfinite(values)]
    ends = new_ends[0] * weights.sum() - limit, new_ends[1] * weights.sum() - limit
    found = _mean(values - limit, ends, alpha, seed, resamples, min_informative)
    if not values.size:
        return _undetermined(found, NO_DATA, EMPTY, ends, 1.0)
    return Ratio(
        estimate=found.estimate + limit,
        low=found.low + limit,
        high=found.high + limit,
        level=found.level,
        n_clusters=found.n_clusters,
        p_pass=found.p_pass,
        p_fail=found.p_fail,
        decision=found.decision,
        rule=f"{OVER_FIXED}: {found.rule}",
        reason="",
        contrast=found,
        ends=ends,
    )


@dataclass(frozen=True, slots=True)
class _Sides:
    """Both errors of every patient, with all that a contrast of them is decided by."""

    new: FloatArray
    reference: FloatArray
    new_ends: Ends
    reference_ends: Ends
    alpha: float
    seed: Seed
    resamples: int
    min_informative: int

    @property
    def estimate(self) -> float:
        return float(self.new.mean() / self.reference.mean())

    def ends(self, ratio: float) -> Ends:
        """The least and the most that the model's error minus so many times the reference's can be."""
        least, most = sorted(ratio * end for end in self.reference_ends)
        return self.new_ends[0] - most, self.new_ends[1] - least

    def contrast(self, ratio: float) -> Interval:
        """Hold the mean of the model's error minus so many times the reference's against zero."""
        values = self.new - ratio * self.reference
        return _mean(values, self.ends(ratio), self.alpha, self.seed, self.resamples, self.min_informative)

    def p_denominator(self) -> float:
        """P-value of "the errors of the reference are above zero"."""
        settings = self.alpha, self.seed, self.resamples, self.min_informative
        return _mean(self.reference, self.reference_ends, *settings).p_over

    def interval(self, limit: float, at_limit: Interval) -> Ends:
        """Return the ends of the ratios that are not excluded; the limit lies on the side that it was decided to."""
        centre = self.estimate
        step = 0.5 * at_limit.se / float(self.reference.mean())
        step = step if step > 0 else max(abs(centre), 1.0) / 8
        found = []
        for sign in (-1.0, 1.0):
            inner, outer = 0.0, np.inf  # distances from the estimate: not excluded, and excluded
            known = sign * (limit - centre)
            if known > 0:
                excluded = (at_limit.p_pass if sign > 0 else at_limit.p_over) <= self.alpha
                inner, outer = (0.0, known) if excluded else (known, np.inf)
            while np.isinf(outer):
                tried = np.asarray(inner + max(step, inner) * 2.0 ** np.arange(_CUTS), dtype=np.float64)
                inner, outer = _narrowed(inner, outer, tried, self._excluded(centre + sign * tried, sign))
                if inner > 1e12 * step:
                    break
            for _ in range(_ROUNDS if np.isfinite(outer) else 0):
                tried = np.asarray(inner + (outer - inner) * np.arange(1.0, _CUTS + 1) / (_CUTS + 1))
                inner, outer = _narrowed(inner, outer, tried, self._excluded(centre + sign * tried, sign))
            found.append(centre + sign * (inner + outer) / 2)
        # Errors that are never below zero have no ratio that is.
        least = 0.0 if min(*self.new_ends, *self.reference_ends) >= 0 else -np.inf
        return max(found[0], least), found[1]

    def _excluded(self, ratios: FloatArray, sign: float) -> FloatArray:
        """Whether the true ratio is shown to lie below each of these (sign 1), or above (sign -1)."""
        ends = np.array([self.ends(float(ratio)) for ratio in ratios])
        values = self.new[:, None] - ratios * self.reference[:, None]
        results = _means(values, ends, self.alpha, self.seed, self.resamples, self.min_informative)
        return np.array([(one.p_pass if sign > 0 else one.p_over) <= self.alpha for one in results])


def _narrowed(inner: float, outer: float, tried: FloatArray, excluded: FloatArray) -> Ends:
    """Return the last distance that is not excluded and the first beyond it."""
    allowed = np.flatnonzero(~excluded.astype(bool))
    last = int(allowed[-1]) if allowed.size else -1
    return (float(tried[last]) if allowed.size else inner, float(tried[last + 1]) if last + 1 < tried.size else outer)


def _mean(values: FloatArray, ends: Ends, alpha: float, seed: Seed, resamples: int, min_informative: int) -> Interval:
    """Hold one mean against zero."""
    [found] = _means(values[:, None], np.array([ends]), alpha, seed, resamples, min_informative)
    return found


def _means(
    values: FloatArray, ends: FloatArray, alpha: float, seed: Seed, resamples: int, min_informative: int
) -> list[Interval]:
    """Hold the mean of every column against zero, each from the middle and in units of half its own range."""
    middle, reach = (ends[:, 0] + ends[:, 1]) / 2, (ends[:, 1] - ends[:, 0]) / 2
    found = equivalence(
        np.clip((values - middle) / reach, -1.0, 1.0),  # rounding may take a value past the end of its range
        -np.inf,
        np.clip(-middle / reach, -1 - 1e-9, 1 + 1e-9),
        alpha=alpha,
        seed=seed,
        resamples=resamples,
        value_range=1.0,
        min_informative=min_informative,
    )
    return [
        replace(one, estimate=one.estimate * r + m, low=one.low * r + m, high=one.high * r + m, se=one.se * r)
        for one, m, r in zip(found, middle.tolist(), reach.tolist(), strict=True)
    ]


def _undetermined(contrast: Interval, reason: str, rule: str, ends: Ends, p: float) -> Ratio:
    n = contrast.n_clusters
    return Ratio(
        np.nan, np.nan, np.nan, contrast.level, n, max(contrast.p_pass, p), max(contrast.p_fail, p), "open", rule,
        reason, contrast, ends,
    )  # fmt: skip


def _columns(values: ArrayLike) -> FloatArray:
    data = np.asarray(values, dtype=np.float64)
    if data.ndim not in (1, 2):
        raise ValueError(f"errors must have shape (G,) or (G, C), got {data.shape}")
    return data[:, None] if data.ndim == 1 else data


def _times(ends: Ends, C: int) -> Ends:
    return C * ends[0], C * ends[1]


def _check(limit: float) -> None:
    if not 0 < limit < np.inf:
        raise ValueError(f"limit is the largest ratio to be accepted, above 0; got {limit:g}")
