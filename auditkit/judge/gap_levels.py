"""One number per item, and the levels of a column that its patients are in."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from auditkit.images.item import UNKNOWN
from auditkit.judge.decisions import Decision
from auditkit.measure.columns import Measurements, is_known

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAX_LEVELS = 12
"""Known levels that are shown, the largest; what nobody knows stands beside them."""


@dataclass(frozen=True, slots=True)
class Levels:
    """One number per item, and the levels of a column.

    Attributes
    ----------
    column : str
        The column.
    values : ndarray, shape (n,)
        Counted from the middle of their range, so that what bounds them is the same to either side; NaN where the item
        has none.
    reach : float
        No value is further from the middle.
    of : ndarray of object, shape (n,)
        The level of every item; ``"unknown"`` is one.
    sizes : dict of str to int
        Patients with a value by level, the largest level first and what is unknown last. A patient without a value
        says nothing of a level.
    middle : float
        What the values are counted from.
    """

    column: str
    values: NDArray[np.float64]
    reach: float
    of: NDArray[np.object_]
    sizes: dict[str, int]
    middle: float

    @property
    def known(self) -> list[str]:
        """The levels that can be compared."""
        return [level for level in self.sizes if is_known(level)]

    @property
    def shown(self) -> list[str]:
        """The levels that have room."""
        return [*self.known[:MAX_LEVELS], *(level for level in self.sizes if not is_known(level))]

    def centred(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return values counted from the middle; a sum of weighted values can leave its range by rounding."""
        return np.clip(values - self.middle, -self.reach, self.reach)


def levels_of(decision: Decision, data: Measurements) -> Levels:
    """Return the number and the level of every item, centred."""
    items, column = decision.items, decision.effect.between
    middle, reach = (items.least + items.most) / 2, (items.most - items.least) / 2
    of = data.level_of(column)
    known = np.isfinite(items.values)
    sizes = {level: patients_in(data, known & (of == level)) for level in data.levels(column)}
    order = sorted(sizes, key=lambda level: (not is_known(level), level == UNKNOWN, -sizes[level], level))
    found = Levels(column, items.values, reach, of, {level: sizes[level] for level in order}, middle)
    return replace(found, values=found.centred(items.values))


def patients_in(data: Measurements, mask: NDArray[np.bool_]) -> int:
    """Return how many patients the chosen items have."""
    return int(np.unique(data.cluster[mask]).size)


def in_two(levels: NDArray[np.object_], clusters: NDArray[np.int64]) -> bool:
    """Whether any patient has items of two levels."""
    return len(set(zip(clusters.tolist(), levels.tolist(), strict=True))) > np.unique(clusters).size
