"""One audit's effect in several models: a mean or an area, with what every patient adds to it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from auditkit.evidence import Estimate
from auditkit.measure.columns import COUNTED, ERROR, NOT_ASKED, Column
from auditkit.records.compare.area import Area, area_of, difference
from auditkit.records.compare.estimates import direction_p, estimate_of
from auditkit.records.compare.joint import Joint, Settings
from auditkit.stats.reduce import FloatArray, cluster_means

LOST = COUNTED["lost"]


class Gap(NamedTuple):
    """The difference of two models: interval, patients, and p of the direction seen (not corrected)."""

    estimate: Estimate
    n_clusters: int
    p: float


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

    def estimates(self, joint: Joint, offset: float, settings: Settings) -> list[Estimate]:
        """Return every model's mean; ``offset`` is what was taken off the values."""
        return [estimate_of(interval, self.unit, settings, offset) for interval in joint.intervals]

    def gaps(self, joint: Joint, settings: Settings) -> list[Gap]:
        """Return every pair's difference."""
        found = joint.intervals
        return [Gap(estimate_of(i, self.unit, settings), i.n_clusters, direction_p(i)) for i in found]


@dataclass(frozen=True)
class AreaEffect:
    """The area under the ROC curve of clean images against treated ones.

    Attributes
    ----------
    scores : tuple of (ndarray, ndarray), M of shapes (n,) and (n, S)
        Clean scores, and those at each of S levels.
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

    def estimates(self, joint: Joint, offset: float, settings: Settings) -> list[Estimate]:
        """Return every model's area with the interval that its audit has, at the level that holds for all at once."""
        return [self._estimate(at, joint) for at in range(len(self.scores))]

    def gaps(self, joint: Joint, settings: Settings) -> list[Gap]:
        """Return every pair's difference."""
        return [self._gap(at, joint, settings) for at in range(len(joint.intervals))]

    def _estimate(self, at: int, joint: Joint) -> Estimate:
        area, level = self.areas[at].interval(joint.level), joint.intervals[at].level
        if not np.isfinite(area.estimate):
            return Estimate(unit=self.unit, level=level)
        return Estimate(value=area.estimate, low=area.low, high=area.high, level=level, unit=self.unit)

    def _gap(self, at: int, joint: Joint, settings: Settings) -> Gap:
        found, level = joint.intervals[at], 1 - 2 * settings.alpha
        if not found.n_clusters:
            return Gap(Estimate(unit=self.unit, level=level), 0, 1.0)
        low, high, p = found.low, found.high, direction_p(found)
        if joint.sparse[at]:
            low, high, p = difference(*self.paired[at], joint.level)
        ends = {"low": max(low, -1.0), "high": min(high, 1.0)}
        return Gap(Estimate(value=found.estimate, level=level, unit=self.unit, **ends), found.n_clusters, p)


def _ranged(values: FloatArray, offset: float) -> tuple[FloatArray, float, float]:
    """A patient's part of an area has no range of its own; whatever it was is within it."""
    return values, offset, float(np.nanmax(np.abs(values), initial=1.0))


ModelsEffect = MeanEffect | AreaEffect
