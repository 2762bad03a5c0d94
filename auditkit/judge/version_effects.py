"""What an audit measures in every image, from two versions of a model: the effects, and how far apart they can be."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from auditkit.judge.columns import (
    DecisionColumn,
    contrast_columns,
    difference,
    slope_columns,
    step_columns,
    wording_columns,
)
from auditkit.judge.rates import ERROR, REFUSED, UNUSABLE
from auditkit.judge.rules import Rules
from auditkit.measure.columns import Column, Measurements
from auditkit.protocol.model import Family, Unit
from auditkit.stats.trend import slopes
from auditkit.stats.versions import Harm
from auditkit.vocabulary import Comparison, Contrast, Group, Series, Wordings

if TYPE_CHECKING:
    from numpy.typing import NDArray

Pairs = tuple[tuple[Column, Column], ...]


@dataclass(frozen=True, slots=True)
class Versions:
    """The answers of two versions to the same questions.

    Attributes
    ----------
    new, old : Measurements
        Of the same images in the same order.
    """

    new: Measurements
    old: Measurements


@dataclass(frozen=True, slots=True)
class Effect:
    """One decision, with the effect in every image.

    Attributes
    ----------
    comparison, condition : str
        Where it belongs.
    pairs : tuple of (Column, Column)
        The answers it is made of, new and old.
    new, old : ndarray, shape (n,)
        The effect in either version; NaN where a score is missing.
    counted : ndarray of bool, shape (n,)
        Images that say something: asked of both versions, and not left without any score by both.
    span : callable
        From w to the least and the most that new - w old can have been; each of shape (n,).
    """

    comparison: str
    condition: str
    pairs: Pairs
    new: NDArray[np.float64]
    old: NDArray[np.float64]
    counted: NDArray[np.bool_]
    span: Callable[[int], tuple[NDArray[np.float64], NDArray[np.float64]]]

    def move(self, w: int) -> NDArray[np.float64]:
        """Return new - w old; NaN where a score that it takes is missing, or the image does not count."""
        # 0 times a missing value is no missing value: without the old effect the new one is all that is needed.
        values = self.new - w * self.old if w else self.new
        return np.where(self.counted, values, np.nan)


@dataclass(frozen=True, slots=True)
class Kind:
    """What is measured under a gate on means.

    Attributes
    ----------
    harm : str
        What of the mean is harmful (`auditkit.stats.versions`).
    margin : str
        Which margin of ``[baseline]`` applies.
    unit : str
        Of the record.
    """

    harm: Harm
    margin: Unit
    unit: str


KINDS: Mapping[str, Kind] = {
    "equivalence": Kind("away from zero", "points", "points"),
    "template_equivalence": Kind("away from zero", "points", "points"),
    "not_raised": Kind("above zero", "points", "points"),
    "monotone": Kind("above zero", "points", "points"),
    "sensitivity": Kind("upwards", "points_per_step", "points per severity step"),
    "rate_difference": Kind("above zero", "share", "share"),
}


def effects(
    family: Family, comparisons: Sequence[Comparison], versions: Versions, rules: Rules
) -> tuple[list[Effect], float]:
    """Return the effects of the comparisons of a family whose gate is on means, and the largest they can be."""
    if family.gate == "rate_difference":
        return [_lost_more(c, versions, rules) for c in comparisons], 1.0
    if family.gate == "sensitivity":
        new, steepest = slope_columns(comparisons, versions.new, rules)
        old, _ = slope_columns(comparisons, versions.old, rules)
        series = [c for c in comparisons if isinstance(c, Series)]
        weights = [_slope_weights(s) for s in series]
        return [_effect(n, o, w, rules) for n, o, w in zip(new, old, weights, strict=True)], steepest
    columns = {"template_equivalence": wording_columns, "monotone": step_columns}.get(family.gate, contrast_columns)
    pairs = zip(columns(comparisons, versions.new, rules), columns(comparisons, versions.old, rules), strict=True)
    return [_effect(n, o, (-1.0, 1.0), rules) for n, o in pairs], 100.0


def columns_of(comparison: Comparison, data: Measurements, rules: Rules) -> tuple[Column, ...]:
    """Return the answers to all questions of a comparison, the control's first."""
    if isinstance(comparison, Wordings):
        return tuple(data.column(comparison.condition, template) for template in comparison.templates)
    template = rules.resolve_template(comparison.template)
    if isinstance(comparison, Group):
        conditions = comparison.conditions
    elif isinstance(comparison, Series):
        conditions = (comparison.control, *comparison.treated)
    elif isinstance(comparison, Contrast):
        conditions = (comparison.control, comparison.treated)
    else:
        conditions = tuple(dict.fromkeys(probe.condition for probe in comparison.probes([""])))
    return tuple(data.column(condition, template) for condition in conditions)


def same_answers(pairs: Pairs) -> NDArray[np.bool_]:
    """Return the images with equal scores and outcomes in all pairs of columns; shape (n,)."""
    same = np.ones(pairs[0][0].scores.shape, dtype=bool)
    for new, old in pairs:
        unscored = np.isnan(new.scores) & np.isnan(old.scores)
        same &= (new.outcomes == old.outcomes) & ((new.scores == old.scores) | unscored)
    return same


def answered(pairs: Pairs) -> NDArray[np.bool_]:
    """Return the images with an answer to every question from both versions; errors are none; shape (n,)."""
    everywhere = np.ones(pairs[0][0].scores.shape, dtype=bool)
    for column in (column for pair in pairs for column in pair):
        everywhere &= (column.outcomes >= 0) & (column.outcomes != ERROR)
    return everywhere


def _effect(new: DecisionColumn, old: DecisionColumn, weights: Sequence[float], rules: Rules) -> Effect:
    """An effect that is a weighted sum of scores, the control's first."""
    pairs = tuple(
        zip((new.control_answers, *new.treated_answers), (old.control_answers, *old.treated_answers), strict=True)
    )
    scored = np.logical_or.reduce([np.isfinite(column.scores) for pair in pairs for column in pair])
    changes = [difference("", "", pair, new.treated, rules) for pair in pairs]

    def span(w: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        if w == 0:
            return new.lowest, new.highest
        if w == -1:
            return new.lowest + old.lowest, new.highest + old.highest
        # Question by question: where one version has answered, that says how far the other's score can be away.
        low, high = np.zeros((2, scored.size))
        for weight, change in zip(weights, changes, strict=True):
            ends = weight * change.lowest, weight * change.highest
            low, high = low + np.minimum(*ends), high + np.maximum(*ends)
        return low, high

    return Effect(new.comparison, new.condition, pairs, new.values, old.values, new.asked & old.asked & scored, span)


def _slope_weights(series: Series) -> list[float]:
    """Return what each score counts in a slope over all severities: the slope of a score of 1 there and 0 elsewhere."""
    steps = np.array([0, *series.severities], dtype=float)
    return [float(weight) for weight in slopes(np.eye(steps.size), steps)]


def _lost_more(comparison: Comparison, versions: Versions, rules: Rules) -> Effect:
    """Whether the treated picture alone, or the control alone, is left without a score: 1 or -1."""
    new, old = (columns_of(comparison, data, rules) for data in (versions.new, versions.old))
    pairs = tuple(zip(new, old, strict=True))
    values = [np.subtract(*(lost(column).astype(float) for column in reversed(side))) for side in (new, old)]

    def span(w: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        exact = values[0] - w * values[1]  # an answer without a score is an outcome here, nothing is missing
        return exact, exact

    return Effect(comparison.name, "", pairs, values[0], values[1], answered(pairs), span)


def lost(column: Column) -> NDArray[np.bool_]:
    """Return which answers gave no score: refused or otherwise unusable; shape (n,)."""
    return np.isin(column.outcomes, (REFUSED, *UNUSABLE))
