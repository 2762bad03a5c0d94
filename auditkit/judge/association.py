"""Whether one number of an item follows another over what is done to it: shown, never a gate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from auditkit.evidence import Estimate
from auditkit.judge.decisions import Decision, strata
from auditkit.judge.draft import Draft
from auditkit.judge.points import mean_estimates
from auditkit.judge.rules import Rules
from auditkit.measure.columns import Measurements
from auditkit.protocol.model import Family
from auditkit.vocabulary import Condition, Part, Value

if TYPE_CHECKING:
    from numpy.typing import NDArray

MIN_POINTS = 3  # a correlation of two points is always 1 or -1
_SAME = 9  # decimals: a difference below 1e-9 is rounding, not a move
_NOTHING = "In no image did the first number move and were both known throughout, so there is nothing to follow."


def judge_following(
    decisions: Sequence[Decision], family: Family, data: Measurements, rules: Rules
) -> list[tuple[str, Draft]]:
    """Measure the mean over patients of the correlations within their items."""
    if not decisions:
        return []
    correlations = np.stack([_within(decision, data) for decision in decisions], axis=1)
    drafts = []
    for stratum, _ in strata(data, family):
        mask = data.where(stratum)
        values, clusters = correlations[mask], data.clusters(mask)
        estimates = mean_estimates(values, clusters, rules.protocol, rules.seed(stratum), 1.0)
        for i, (decision, estimate) in enumerate(zip(decisions, estimates, strict=True)):
            there = np.isfinite(values[:, i])
            outcomes, control_outcomes = decision.outcomes(data, mask)
            draft = Draft(
                stratum=stratum,
                part=decision.part.label,
                estimate=Estimate(**{**estimate.model_dump(), "unit": decision.unit}),
                met=False,
                p_pass=1.0,
                p_fail=1.0,
                required=family.requires(decision.part.label),
                n_images=int(there.sum()),
                n_clusters=int(np.unique(clusters[there]).size),
                outcomes=outcomes,
                control_outcomes=control_outcomes,
                remark="" if there.any() else _NOTHING,
                rule="Pearson's correlation within the item",
            )
            drafts.append((decision.name, draft))
    return drafts


def _within(decision: Decision, data: Measurements) -> NDArray[np.float64]:
    """Return the correlation in every item, NaN outside of those that the part chooses; shape (n,)."""
    leading, following = _ladders(decision.part)
    conditions = [condition for condition in leading if condition in following]
    if not conditions:
        return np.full(len(data.records), np.nan)
    first, second = (
        np.stack([data.value(ladder[condition]) for condition in conditions], axis=1) for ladder in (leading, following)
    )
    return np.where(decision.where, correlated(first, second), np.nan)


def _ladders(part: Part) -> tuple[dict[Condition, Value], dict[Condition, Value]]:
    """Return the values of the part's first task and wording, and the others, by what is done to the item."""
    words = part.terms[0][1].question.words
    ladders: tuple[dict[Condition, Value], dict[Condition, Value]] = {}, {}
    for _, value in part.terms:
        ladders[value.question.words != words][value.question.condition] = value
    return ladders


def correlated(leading: NDArray[np.float64], following: NDArray[np.float64]) -> NDArray[np.float64]:
    """Correlate two numbers, item by item, over what is done to the item.

    Pearson's, not a rank correlation: where both have reached their end at severity 1, the order of the others is
    chance. The reference model's score falls by 84 points when contrast goes down, its image features to a similarity
    of 0.31; Spearman's correlation of the two was 0.08 (40 images).

    Parameters
    ----------
    leading, following : ndarray, shape (n, S)
        The two numbers under S conditions, such as the similarity of an embedding to that of the clean image, and the
        score.

    Returns
    -------
    ndarray, shape (n,)
        -1 to 1; 0 where the following number never changes. NaN where anything is missing, the leading one never
        moves, or there are fewer than three conditions.
    """
    out = np.full(len(leading), np.nan)
    if leading.shape[1] < MIN_POINTS:
        return out
    both = np.stack([np.round(leading, _SAME), following])
    complete = np.isfinite(both).all(axis=(0, 2))
    moved = np.ptp(both[:, complete], axis=2) > 0
    off = both[:, complete] - both[:, complete].mean(axis=2, keepdims=True)
    spread = np.sqrt(np.where(moved, np.square(off).sum(axis=2), 1.0))
    r = np.where(moved[1], (off[0] * off[1]).sum(axis=1) / spread.prod(axis=0), 0.0)
    out[complete] = np.where(moved[0], np.clip(r, -1, 1), np.nan)
    return out
