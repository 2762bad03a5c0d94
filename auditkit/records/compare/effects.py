"""The effect of every audit in every model: one number per patient, the same definition for all models.

A verdict rests on cells of its own; for a comparison each audit has one effect over all modalities. Where a gate takes
several decisions (severities, pairs of wordings) the effect is a mean over them: the one furthest from a pass would be
another one in each model.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from auditkit.judge.columns import contrast_columns, slope_columns
from auditkit.judge.rates import ERROR, REFUSED, UNUSABLE
from auditkit.judge.rules import Rules
from auditkit.measure.columns import NOT_ASKED, Column, Measurements
from auditkit.protocol.model import DiscriminationFamily, Family
from auditkit.protocol.shipped import SHIPPED
from auditkit.records.compare.area import Area, area_of
from auditkit.stats.reduce import FloatArray, cluster_means
from auditkit.vocabulary import Comparison, Condition, Contrast, Group, Series, Wordings

LOST = (REFUSED, *UNUSABLE)


@dataclass(frozen=True, slots=True)
class Counts:
    """What stands behind one model's value.

    Attributes
    ----------
    n_images, n_missing : int
        Images with a value, and images asked about without one.
    answers, lost : int
        Answers on both sides (errors left out), and those of them without a score.
    """

    n_images: int
    n_missing: int
    answers: int
    lost: int

    @property
    def unusable(self) -> float | None:
        """Share of the answers without a score, 0-1."""
        return self.lost / self.answers if self.answers else None


@dataclass(frozen=True, slots=True)
class Values:
    """Per-image values of one model: where they are NaN an answer is missing, or nothing was asked."""

    values: FloatArray
    answers: tuple[Column, ...]

    def counts(self) -> Counts:
        """Count images and answers."""
        asked = np.logical_and.reduce([c.outcomes != NOT_ASKED for c in self.answers])
        answered = sum(int(((c.outcomes != NOT_ASKED) & (c.outcomes != ERROR)).sum()) for c in self.answers)
        lost = sum(int(np.isin(c.outcomes, LOST).sum()) for c in self.answers)
        present = np.isfinite(self.values)
        return Counts(int(present.sum()), int((asked & ~present).sum()), answered, lost)


@dataclass(frozen=True)
class MeanEffect:
    """The mean over patients of a value that every image has.

    Attributes
    ----------
    values : tuple of ndarray, M of shape (n,)
        Per image and model; NaN = missing.
    clusters : ndarray of int, shape (n,)
        Patients.
    low, high : float
        Ends of the range of one value.
    """

    what: str
    unit: str
    counts: tuple[Counts, ...]
    values: tuple[FloatArray, ...]
    clusters: NDArray[np.int64]
    low: float
    high: float

    def alone(self) -> tuple[FloatArray, float, float]:
        """Values per patient about the middle of their range: what bounds them is then the same to either side."""
        middle = (self.low + self.high) / 2
        stacked = np.stack(self.values, axis=1) - middle
        return cluster_means(stacked, self.clusters), middle, (self.high - self.low) / 2

    def pairs(self) -> tuple[FloatArray, float]:
        """Differences within the image, averaged per patient."""
        stacked = np.stack([a - b for a, b in combinations(self.values, 2)], axis=1)
        return cluster_means(stacked, self.clusters), self.high - self.low

    def n_both(self) -> list[int]:
        """Images with a value from both models of every pair."""
        return [int((np.isfinite(a) & np.isfinite(b)).sum()) for a, b in combinations(self.values, 2)]


@dataclass(frozen=True)
class AreaEffect:
    """The area under the ROC curve of clean images against treated ones.

    Attributes
    ----------
    scores : tuple of (ndarray, ndarray), M of shapes (n,) and (n, S)
        Clean scores, and those at each of S severities.
    clusters : ndarray of int, shape (n,)
        Patients.
    """

    what: str
    unit: str
    counts: tuple[Counts, ...]
    scores: tuple[tuple[FloatArray, FloatArray], ...]
    clusters: NDArray[np.int64]

    @cached_property
    def areas(self) -> tuple[Area, ...]:
        """Of every model, from all its scores."""
        return tuple(area_of(clean, treated, self.clusters) for clean, treated in self.scores)

    @cached_property
    def paired(self) -> tuple[tuple[Area, Area], ...]:
        """Of every pair, each from the pictures that both scored."""
        found = []
        complete = [not (np.isnan(c).any() or np.isnan(t).any()) for c, t in self.scores]
        for a, b in combinations(range(len(self.scores)), 2):
            if complete[a] and complete[b]:
                found.append((self.areas[a], self.areas[b]))
                continue
            both = [np.isfinite(x) & np.isfinite(y) for x, y in zip(self.scores[a], self.scores[b], strict=True)]
            first, second = (
                area_of(np.where(both[0], clean, np.nan), np.where(both[1], treated, np.nan), self.clusters)
                for clean, treated in (self.scores[a], self.scores[b])
            )
            found.append((first, second))
        return tuple(found)

    def alone(self) -> tuple[FloatArray, float, float]:
        """What every patient adds to the area, shape (G, M)."""
        return _ranged(np.stack([area.patients for area in self.areas], axis=1), 0.0)

    def pairs(self) -> tuple[FloatArray, float]:
        """What every patient adds to the difference of the areas."""
        values, _, reach = _ranged(np.stack([a.patients - b.patients for a, b in self.paired], axis=1), 0.0)
        return values, reach

    def n_both(self) -> list[int]:
        """Clean images that both models of every pair scored."""
        clean = [np.isfinite(c) for c, _ in self.scores]
        return [int((a & b).sum()) for a, b in combinations(clean, 2)]


Effect = MeanEffect | AreaEffect


def _ranged(values: FloatArray, offset: float) -> tuple[FloatArray, float, float]:
    """A patient's part of an area has no range of its own; whatever it was is within it."""
    return values, offset, float(np.nanmax(np.abs(values), initial=1.0))


def shipped(families: Mapping[str, Family]) -> Iterator[tuple[str, Comparison]]:
    """Yield the audits whose definition is known here, by id, in the order of the catalogue."""
    for family, comparisons in SHIPPED.items():
        if family in families:
            for comparison in comparisons():
                yield f"{family}/{comparison.name}", comparison


def effect_of(comparison: Comparison, family: Family, data: Sequence[Measurements], rules: Rules) -> Effect | None:
    """Return the effect of an audit in every model, or None where the gate has none that can be compared.

    Parameters
    ----------
    comparison : Comparison
        What the audit compares.
    family : Family
        Its family in the protocol.
    data : sequence of Measurements, length M
        The models' answers to the same images.
    rules : Rules
        Resolves templates.
    """
    if isinstance(family, DiscriminationFamily):
        return _area_effect(comparison, family, data, rules) if isinstance(comparison, Series) else None
    how = _HOW.get((family.gate, type(comparison)))
    if how is None:
        return None
    what, unit, low, high, measure = how
    found = [measure(comparison, each, rules) for each in data]
    return MeanEffect(
        what, unit, tuple(v.counts() for v in found), tuple(v.values for v in found), data[0].cluster, low, high
    )


def lost_share(data: Sequence[Measurements]) -> tuple[MeanEffect, int]:
    """Return the share of answers without a score over the questions put to every model, and how many were not."""
    asked = [set(each.asked()) for each in data]
    shared = sorted(set.intersection(*asked), key=lambda place: (place[1], place[0]))
    found = []
    for each in data:
        columns = tuple(each.column(*place) for place in shared)
        found.append(Values(_lost(columns), columns))
    effect = MeanEffect(
        "share of all answers without a score (refused, not readable, outside the scale, cut off)",
        "share",
        tuple(v.counts() for v in found),
        tuple(v.values for v in found),
        data[0].cluster,
        0.0,
        1.0,
    )
    return effect, len(set.union(*asked)) - len(shared)


def _answered(column: Column) -> NDArray[np.bool_]:
    return np.asarray((column.outcomes != NOT_ASKED) & (column.outcomes != ERROR))


def _lost(columns: Sequence[Column], codes: Sequence[int] = LOST) -> FloatArray:
    """Share of an image's answers that ended in one of the outcomes; NaN without an answer."""
    answered = np.sum([_answered(c) for c in columns], axis=0)
    hits = np.sum([np.isin(c.outcomes, codes) for c in columns], axis=0)
    return np.asarray(np.divide(hits, answered, out=np.full(answered.shape, np.nan), where=answered > 0))


def _change(comparison: Comparison, data: Measurements, rules: Rules) -> Values:
    columns = contrast_columns([comparison], data, rules)
    answers = (*(c.treated_answers[0] for c in columns), columns[0].control_answers)
    return Values(np.mean([c.values for c in columns], axis=0), answers)


def _slope(comparison: Comparison, data: Measurements, rules: Rules) -> Values:
    [column], _ = slope_columns([comparison], data, rules)
    return Values(column.values, (*column.treated_answers, column.control_answers))


def _wordings(comparison: Comparison, data: Measurements, rules: Rules) -> Values:
    assert isinstance(comparison, Wordings)  # noqa: S101 - the table below asks for it
    columns = tuple(data.column(comparison.condition, template) for template in comparison.templates)
    gaps = [np.abs(a.scores - b.scores) for a, b in combinations(columns, 2)]
    return Values(np.mean(gaps, axis=0), columns)


def _rate(comparison: Comparison, data: Measurements, rules: Rules) -> Values:
    assert isinstance(comparison, Group)  # noqa: S101
    template = rules.resolve_template(comparison.template)
    columns = tuple(data.column(c, template) for c in comparison.conditions)
    return Values(_lost(columns, (REFUSED,) if comparison.name.endswith("-refused") else UNUSABLE), columns)


def _sides(comparison: Comparison, data: Measurements, rules: Rules) -> tuple[Column, Column]:
    assert isinstance(comparison, Contrast)  # noqa: S101
    template = rules.resolve_template(comparison.template)
    return data.column(comparison.treated, template), data.column(comparison.control, template)


def _more_lost(comparison: Comparison, data: Measurements, rules: Rules) -> Values:
    sides = _sides(comparison, data, rules)
    treated, control = (_lost([column]) for column in sides)
    return Values(treated - control, sides)


def _changed(comparison: Comparison, data: Measurements, rules: Rules) -> Values:
    a, b = sides = _sides(comparison, data, rules)
    same = ((a.scores == b.scores) | (np.isnan(a.scores) & np.isnan(b.scores))) & (a.outcomes == b.outcomes)
    return Values(np.where(_answered(a) & _answered(b), (~same).astype(float), np.nan), sides)


_How = tuple[str, str, float, float, Callable[[Comparison, Measurements, Rules], Values]]
_CHANGE: _How = ("mean change of the score", "points", -100.0, 100.0, _change)
_CHANGES: _How = ("mean change of the score over the severities", "points", -100.0, 100.0, _change)
# 180/7 points a step: all scores at the ends of the scale (`stats.trend.slope_range` of severities 0 to 5).
_STEEPEST = 180.0 / 7
_HOW: dict[tuple[str, type], _How] = {
    ("equivalence", Contrast): _CHANGE,
    ("not_raised", Contrast): _CHANGE,
    ("equivalence", Series): _CHANGES,
    ("not_raised", Series): _CHANGES,
    ("monotone", Series): _CHANGES,
    ("sensitivity", Series): ("mean slope over severity", "points per severity step", -_STEEPEST, _STEEPEST, _slope),
    ("template_equivalence", Wordings): (
        "mean distance of two wordings' scores within an image", "points", 0.0, 100.0, _wordings,
    ),
    ("rate", Group): ("share of answers", "share", 0.0, 1.0, _rate),
    ("rate_difference", Contrast): ("change of the share of answers without a score", "share", -1.0, 1.0, _more_lost),
    ("agreement", Contrast): ("share of images whose answer differs", "share", 0.0, 1.0, _changed),
}  # fmt: skip


def _area_effect(
    series: Series, family: DiscriminationFamily, data: Sequence[Measurements], rules: Rules
) -> AreaEffect | None:
    severities = sorted(set(family.severities) & set(series.severities))
    if not severities:
        return None
    template = rules.resolve_template(series.template)
    conditions = [Condition(series.corruption, severity) for severity in severities]
    counts, scores = [], []
    for each in data:
        clean = each.column(series.control, template)
        treated = [each.column(condition, template) for condition in conditions]
        together = np.stack([c.scores for c in treated], axis=1)
        complete = np.where(np.isfinite(together).all(axis=1), clean.scores, np.nan)
        counts.append(Values(complete, (clean, *treated)).counts())
        scores.append((clean.scores, together))
    words = " and ".join(str(s) for s in severities) if len(severities) < 3 else f"{severities[0]} to {severities[-1]}"
    what = f"AUROC of clean images against those of severity {words}, all modalities together"
    return AreaEffect(what, "AUROC", tuple(counts), tuple(scores), data[0].cluster)
