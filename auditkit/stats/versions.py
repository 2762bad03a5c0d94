"""Is a new version of a model worse than those before it? Accuracy, scores, and several frozen references at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from auditkit.stats.bootstrap import Seed
from auditkit.stats.equivalence import Decision, Interval, equivalence
from auditkit.stats.missing import WorstCase, worst_case
from auditkit.stats.multiplicity import all_of
from auditkit.stats.proportion import Proportion
from auditkit.stats.rates import against_cap, rate_difference
from auditkit.stats.reduce import FloatArray, cluster_codes, cluster_means

IDENTICAL = "identical"
HANGS_ON_MISSING = "not inside once the missing scores are put to the bad side"


def accuracy_noninferiority(
    new_correct: ArrayLike, base_correct: ArrayLike, clusters: ArrayLike, margin: float, alpha: float
) -> Proportion:
    """Decide whether accuracy falls by less than a margin, from a base to something new on the same images.

    The new one may be a version of the model, or the same model on corrupted images.

    Parameters
    ----------
    new_correct, base_correct : array_like of bool, shape (n,)
        Whether either answered each image correctly. An answer that is missing (refused, unparsed) is for the caller to
        count, as a wrong one for instance; nothing can be left out here unseen.
    clusters : array_like of int, shape (n,)
        Cluster codes.
    margin : float
        Largest loss of accuracy to be accepted, 0 < margin < 1.
    alpha : float
        Error per side.

    Returns
    -------
    Proportion
        ``estimate`` is the new accuracy minus the base's and ``low``, ``high`` bound it; "inside" if low > -margin,
        "beyond" if high < -margin. ``n_events`` counts the images that only the new one gets right, ``n_reversed``
        those that only the base gets right.

    Raises
    ------
    ValueError
        Lengths that differ, values that are not bool, a margin or alpha out of bounds.

    Notes
    -----
    Tango's score interval for paired proportions [1]_, wider by the design effect of the clusters; the method and its
    corrections are those of `rates.rate_difference`. It needs no minimum to be valid: computed exactly for 16 to 96
    patients with one image, margins of 0.05 and 0.10 and up to 70 % of discordant images, a loss of exactly the margin
    passes with probability 0.062 at most (alpha 0.05). What it takes is power. Without a true loss and with 4 % of the
    images discordant either way, a margin of 0.10 is passed with probability 0.44 at 32 images, 0.80 at 64 and 0.98 at
    128; a margin of 0.05 with 0.31 at 64, 0.58 at 128 and 0.86 at 256. So plan with at least 64 images for 0.10 and
    256 for 0.05; with fewer the question is likely to stay open, no more.

    References
    ----------
    .. [1] Tango, T. (1998). Equivalence test and confidence interval for the difference in proportions for the
       paired-sample design. Statistics in Medicine 17, 891-908.
    """
    if not 0 < margin < 1:
        raise ValueError(f"margin is a loss of accuracy between 0 and 1 (0.05 for 5 points of 100), got {margin}")
    new, base = np.asarray(new_correct), np.asarray(base_correct)
    _check_aligned(new, base, "base_correct")
    # As a loss, base minus new, it is one-sided against a cap; turned round afterwards.
    loss = against_cap(rate_difference(base, new, clusters, alpha), margin)
    return replace(
        loss,
        estimate=0.0 - loss.estimate,
        low=-loss.high,
        high=-loss.low,
        n_events=loss.n_reversed,
        n_reversed=loss.n_events,
    )


def score_noninferiority(
    new: ArrayLike,
    base: ArrayLike,
    clusters: ArrayLike,
    margin: float,
    *,
    alpha: float,
    seed: Seed,
    resamples: int = 10_000,
    value_range: float = 100.0,
    min_clusters: int = 24,
    min_informative: int = 10,
) -> Interval:
    """Decide whether the mean score falls by less than a margin, from a base to something new on the same images.

    Parameters
    ----------
    new, base : array_like, shape (n,)
        Scores of the same images in the same order, NaN = missing; images with both are used.
    clusters : array_like of int, shape (n,)
        Cluster codes.
    margin : float
        Largest fall of the mean to be accepted, in points; above 0.
    alpha, seed, resamples, value_range, min_clusters, min_informative
        As in `equivalence.equivalence`.

    Returns
    -------
    Interval
        Of new minus base: "inside" if low > -margin, "beyond" if high < -margin.

    Raises
    ------
    ValueError
        Lengths that differ, infinite scores, a margin that is not positive, and what `equivalence` refuses.
    """
    new_scores = _scores(new, "new")
    difference = new_scores - _aligned(base, new_scores, "base")
    return equivalence(
        cluster_means(difference[:, None], clusters),
        -_positive(margin),
        np.inf,
        alpha=alpha,
        seed=seed,
        resamples=resamples,
        value_range=value_range,
        min_clusters=min_clusters,
        min_informative=min_informative,
    )[0]


@dataclass(frozen=True, slots=True)
class Against:
    """A new version against one reference.

    Attributes
    ----------
    name : str
        The reference.
    worst : WorstCase
        The interval of new minus reference on the images both have scored (``worst.complete``), and with the scores
        that only one of them has put to either side. ``n_missing`` counts those.
    n_unscored : int
        Images that neither has scored; they say nothing about a change and are left out.
    p_pass, p_fail : float
        P-values of "falls by less than the margin" (the largest of the three intervals') and of "falls by more" (of the
        complete cases).
    decision : {"inside", "beyond", "open"}
        Before correction for several references. "inside" needs all three intervals.
    rule : str
        That of the complete cases; `IDENTICAL`, or `HANGS_ON_MISSING`.
    """

    name: str
    worst: WorstCase
    n_unscored: int
    p_pass: float
    p_fail: float
    decision: Decision
    rule: str


@dataclass(frozen=True, slots=True)
class Baselines:
    """A new version against all its references.

    Attributes
    ----------
    against : tuple of Against
        One per reference, in the order given.
    p_pass, p_fail, p_fail_adjusted, decision
        As in `multiplicity.Joint`: every reference must be passed; a fail holds after Holm over the references. The
        p-value of a pass by identity is still that of its interval.
    """

    against: tuple[Against, ...]
    p_pass: float
    p_fail: float
    p_fail_adjusted: tuple[float, ...]
    decision: Decision


def against_baselines(
    new: ArrayLike,
    references: Mapping[str, ArrayLike],
    clusters: ArrayLike,
    margin: float,
    *,
    alpha: float,
    seed: Seed,
    missing_points: float,
    resamples: int = 10_000,
    value_range: float = 100.0,
    min_clusters: int = 24,
    min_informative: int = 10,
) -> Baselines:
    """Decide whether a new version holds its ground against each of several frozen references.

    Give the previous version and an anchor that stays the same from release to release. Against the previous version
    alone, eight versions that lose 2 points each pass a margin of 5 every time, and 16 points are gone.

    Parameters
    ----------
    new : array_like, shape (n,)
        Scores of the new version, NaN = missing (refused, unparsed).
    references : mapping of str to array_like, shape (n,)
        Scores of each reference by name, for the same images in the same order, asked under the same protocol: aligning
        them by image id, and refusing what was asked differently, is the caller's part.
    clusters : array_like of int, shape (n,)
        Cluster codes.
    margin : float
        Largest fall of the mean to be accepted, in points; above 0.
    alpha, seed, resamples, value_range, min_clusters, min_informative
        As in `equivalence.equivalence`.
    missing_points : float
        Where only one of the two has a score, the change is set to minus and to plus so many points, 0 to
        ``value_range``, and "inside" must survive both.

    Returns
    -------
    Baselines

    Raises
    ------
    ValueError
        No reference, lengths that differ, infinite scores, a margin or ``missing_points`` out of bounds.

    Notes
    -----
    Answers that are the same throughout, gaps included, pass as `IDENTICAL`: what has not changed has not become worse,
    and 59 patients need not be asked to show it. It takes ``min_clusters`` scored patients all the same, since on a
    scale of five a handful of answers agree by chance. The interval shown beside it stays the one of `equivalence`: how
    large a change these patients would have let go unseen.

    References
    ----------
    .. [1] D'Agostino, R. B., Massaro, J. M. & Sullivan, L. M. (2003). Non-inferiority trials: design concepts and
       issues. Statistics in Medicine 22, 169-186 (the drift, there called biocreep).
    """
    if not references:
        raise ValueError("references is empty; give at least one, such as the previous version and an anchor")
    if not 0 <= missing_points <= value_range:
        raise ValueError(f"missing_points lies between 0 and value_range={value_range:g}, got {missing_points:g}")
    new_scores = _scores(new, "new")
    codes = cluster_codes(clusters, new_scores.size)
    against = []
    for name, given in references.items():
        scores = _aligned(given, new_scores, f"reference {name!r}")
        asked = ~(np.isnan(new_scores) & np.isnan(scores))
        worst = worst_case(
            (new_scores - scores)[asked],
            codes[asked],
            -_positive(margin),
            np.inf,
            alpha=alpha,
            seed=seed,
            value_range=value_range,
            lowest=-missing_points,
            highest=missing_points,
            resamples=resamples,
            min_clusters=min_clusters,
            min_informative=min_informative,
        )
        same = np.array_equal(new_scores, scores, equal_nan=True)
        against.append(_against(name, worst, int((~asked).sum()), same and worst.complete.n_clusters >= min_clusters))
    joint = all_of([a.decision for a in against], [a.p_pass for a in against], [a.p_fail for a in against], alpha)
    return Baselines(tuple(against), joint.p_pass, joint.p_fail, joint.p_fail_adjusted, joint.decision)


def _against(name: str, worst: WorstCase, n_unscored: int, identical: bool) -> Against:
    complete = worst.complete
    three = complete, worst.lowest, worst.highest
    decision, rule = complete.decision, complete.rule
    if identical:
        decision, rule = "inside", IDENTICAL
    elif decision == "inside" and not worst.holds:
        decision, rule = "open", HANGS_ON_MISSING
    p_pass = max(interval.p_pass for interval in three)
    return Against(name, worst, n_unscored, p_pass, complete.p_fail, decision, rule)


def _scores(values: ArrayLike, name: str) -> FloatArray:
    scores = np.asarray(values, dtype=np.float64)
    if scores.ndim != 1:
        raise ValueError(f"{name} must have shape (n,), got {scores.shape}")
    if np.isinf(scores).any():
        raise ValueError(f"{name} holds an infinite number; a missing score is NaN")
    return scores


def _aligned(values: ArrayLike, new: FloatArray, name: str) -> FloatArray:
    scores = _scores(values, name)
    _check_aligned(new, scores, name)
    return scores


def _check_aligned(new: NDArray[Any], base: NDArray[Any], name: str) -> None:
    if new.shape != base.shape:
        raise ValueError(
            f"the new version has answers of shape {new.shape}, {name} of shape {base.shape}; "
            "align both by image id and pass the images they share, in the same order"
        )


def _positive(margin: float) -> float:
    if not 0 < margin < np.inf:
        raise ValueError(f"margin is the largest fall to be accepted, in points above 0; got {margin:g}")
    return margin
