"""Intervals of many columns that hold at once, from one set of resampled patients.

The joint bootstrap says at which level each column must be tested so that hardly ever any of them errs; at that level
every column gets the interval of the audits (`stats.equivalence`). The step from one level for all to a critical value
of its own for each column is what keeps one skewed column from widening all others (Westfall and Young's single-step
min-P, which is max-T after putting every statistic on the scale of its own distribution; Beran 1988 calls it balanced).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from auditkit.protocol.model import Protocol
from auditkit.stats.bootstrap import TIE, moments, resampled_t
from auditkit.stats.equivalence import Interval, equivalence, informative
from auditkit.stats.reduce import FloatArray


@dataclass(frozen=True, slots=True)
class Settings:
    """How intervals are made.

    Attributes
    ----------
    alpha : float
        Error per side of all columns together.
    resamples, seed : int
        The same for every column of a comparison, so that any of them can be joined.
    min_clusters : int
        With fewer patients no two models are told apart.
    min_informative : int
        With fewer patients that say anything, bounds are used that rest on the range alone.
    """

    alpha: float
    resamples: int
    seed: int
    min_clusters: int
    min_informative: int

    @classmethod
    def of(cls, protocol: Protocol, seed: int) -> Settings:
        """Take the settings of a protocol."""
        s = protocol.statistics
        return cls(protocol.alpha, s.resamples, seed, s.min_clusters, s.min_informative)


@dataclass(frozen=True, slots=True)
class Tails:
    """How extreme the most extreme of some columns is in every resample.

    Attributes
    ----------
    up, down : ndarray, shape (B,)
        Smallest p-value of any column in resample b, for statistics that are large and small.
    sparse : int
        Columns whose bounds come from their range: nothing is known of how they move with the others, so each adds
        its own error (Bonferroni).
    columns : int
        All columns.
    """

    up: FloatArray
    down: FloatArray
    sparse: int
    columns: int

    @classmethod
    def of(cls, statistics: FloatArray, resamples: int, sparse: int) -> Tails:
        """Take them from resampled statistics, shape (C, B)."""
        up, down = np.ones((2, resamples))
        for row in statistics:
            ordered = np.sort(row)
            up = np.minimum(up, (resamples - ordered.searchsorted(row - TIE, side="left")) / (resamples + 1))
            down = np.minimum(down, ordered.searchsorted(row + TIE, side="right") / (resamples + 1))
        return cls(up, down, sparse, len(statistics) + sparse)

    @classmethod
    def joined(cls, parts: Iterable[Tails]) -> Tails:
        """Take those of several sets of columns for one; they must come from the same resamples."""
        some = list(parts)
        return cls(
            np.min([t.up for t in some], axis=0),
            np.min([t.down for t in some], axis=0),
            sum(t.sparse for t in some),
            sum(t.columns for t in some),
        )

    def level(self, alpha: float) -> float:
        """Return the largest error per side and column at which any of them errs with probability alpha at most.

        Never less than Bonferroni's alpha / columns, which holds whatever the dependence.
        """
        B = self.up.size
        levels = np.arange(1, int(alpha * (B + 1) + 1e-9) + 1) / (B + 1)
        kept = levels[self._error(levels) <= alpha + 1e-12]
        return max(float(kept[-1]) if kept.size else 0.0, alpha / max(self.columns, 1))

    def adjusted(self, p: float) -> float:
        """Return a column's one-sided p-value corrected for its being one of all.

        Resamples cannot tell p-values below 1 / (B + 1) apart; from there on Bonferroni's bound is the smaller one.
        """
        finest = max(p, 1.0 / (self.up.size + 1))
        return min(1.0, self.columns * p, float(self._error(np.array([finest]))[0]))

    def _error(self, levels: FloatArray) -> FloatArray:
        reach = levels * (1 + 1e-12)
        counts = [np.sort(tail).searchsorted(reach, side="right") for tail in (self.up, self.down)]
        return np.asarray(np.max(counts, axis=0) / self.up.size + self.sparse * levels)


@dataclass(frozen=True, slots=True)
class Joint:
    """Columns with intervals that hold at once.

    Attributes
    ----------
    intervals : list of Interval
        Per column; ``p_pass`` is the one-sided p-value of "below 0", ``p_fail`` of "above 0", neither corrected.
    sparse : ndarray of bool, shape (C,)
        Columns without enough spread: their intervals rest on the range alone.
    tails : Tails
        To correct p-values, also over several sets of columns.
    level : float
        Error per side of each column.
    """

    intervals: list[Interval]
    sparse: NDArray[np.bool_]
    tails: Tails
    level: float


def joint_intervals(P: FloatArray, value_range: float, settings: Settings) -> Joint:
    """Return intervals of column means that all hold at once with probability 1 - 2 alpha.

    Parameters
    ----------
    P : ndarray, shape (G, C)
        One value per patient and column, NaN = missing.
    value_range : float
        No value can be outside [-value_range, value_range].
    settings : Settings
        Error, resamples, seed.
    """
    _, se, n, _ = moments(P)
    sparse = ~((informative(P, value_range) >= settings.min_informative) & (se > 0))
    drawn = resampled_t(P[:, ~sparse], resamples=settings.resamples, seed=settings.seed)
    tails = Tails.of(drawn, settings.resamples, int((sparse & (n > 0)).sum()))
    level = tails.level(settings.alpha)
    # Among hundreds of columns the level can be finer than so many resamples can tell.
    resamples = max(settings.resamples, math.ceil(1 / level))
    intervals = equivalence(
        P,
        -np.inf,
        0.0,
        alpha=level,
        resamples=resamples,
        seed=settings.seed,
        value_range=value_range,
        min_informative=settings.min_informative,
        # Who was not seen is the same for all columns, so that their number asks for no correction.
        unseen_alpha=settings.alpha,
    )
    return Joint(intervals, sparse, tails, level)
