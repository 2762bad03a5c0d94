"""Does a score fall step by step as severity rises, or does it climb somewhere on the way?

A slope (`trend.slopes`) can be steep although one step goes the wrong way. Here every step must prove itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from auditkit.stats.bootstrap import Seed
from auditkit.stats.equivalence import Decision, Interval, equivalence
from auditkit.stats.multiplicity import all_of
from auditkit.stats.reduce import cluster_means


@dataclass(frozen=True, slots=True)
class Steps:
    """The adjacent steps of a score along rising severity, and whether any goes up.

    Attributes
    ----------
    steps : tuple of Interval
        Change from each severity to the next, in points, with its own decision before correction.
    p_pass, p_fail, p_fail_adjusted, decision
        As in `Joint`: "inside" if every step stays below the tolerance, "beyond" if one is above it after Holm.
    """

    steps: tuple[Interval, ...]
    p_pass: float
    p_fail: float
    p_fail_adjusted: tuple[float, ...]
    decision: Decision


def monotone_steps(
    scores: ArrayLike,
    clusters: ArrayLike,
    tolerance: float,
    *,
    alpha: float,
    seed: Seed,
    resamples: int = 10_000,
    value_range: float = 100.0,
    min_clusters: int = 24,
    min_informative: int = 10,
) -> Steps:
    """Decide whether the mean score rises by less than a tolerance at every step of severity.

    Parameters
    ----------
    scores : array_like, shape (n, S)
        Score of each image at each severity, in order of rising severity, the clean one first; NaN = missing. Each step
        uses the images that have both of its scores.
    clusters : array_like of int, shape (n,)
        Cluster codes.
    tolerance : float
        Rise of the mean in points that is still accepted in one step; finite, usually small and positive.
    alpha, seed, resamples, value_range, min_clusters, min_informative
        As in `equivalence.equivalence`; ``value_range`` is the largest possible change of a score.

    Returns
    -------
    Steps
        With S - 1 steps.

    Raises
    ------
    ValueError
        Fewer than two columns, or what `reduce.cluster_means` and `equivalence.equivalence` refuse.

    Notes
    -----
    Every step is judged by `equivalence` on patient means with one margin; `all_of` joins them.

    A tolerance of tau per step lets a score that climbs by nearly tau each time pass: together (S - 1) tau. That the
    score falls over the whole range is another question, for `trend.slopes`. A score that is flat passes only if its
    steps are known well: with a tolerance of 2 points and steps of sd 6, five of them take some 120 patients (90 %
    power by Student's interval).
    """
    y = np.asarray(scores, dtype=np.float64)
    if y.ndim != 2 or y.shape[1] < 2:
        raise ValueError(f"scores must have shape (n, S) with a column for each of S >= 2 severities, got {y.shape}")
    if np.isinf(y).any():
        raise ValueError("scores hold an infinite number; a missing score is NaN")
    steps = equivalence(
        cluster_means(np.diff(y, axis=1), clusters),
        -np.inf,
        tolerance,
        alpha=alpha,
        seed=seed,
        resamples=resamples,
        value_range=value_range,
        min_clusters=min_clusters,
        min_informative=min_informative,
    )
    joint = all_of([s.decision for s in steps], [s.p_pass for s in steps], [s.p_fail for s in steps], alpha)
    return Steps(tuple(steps), joint.p_pass, joint.p_fail, joint.p_fail_adjusted, joint.decision)
