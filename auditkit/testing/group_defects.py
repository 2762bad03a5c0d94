"""Defects in whom a model serves: other answers about images of one group than about those of another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from auditkit.measure.columns import MAIN
from auditkit.protocol.catalogue import Catalogue
from auditkit.protocol.model import Protocol
from auditkit.testing.defect import Defect, moved
from auditkit.testing.questions import Asked, Replies
from auditkit.testing.truth import UNCHANGED, Truth
from auditkit.vocabulary import Effect, Question


@dataclass(frozen=True)
class Unequal(Defect):
    """Images of some groups get another score, whatever is asked and whatever is done to them.

    Attributes
    ----------
    column : str
        A column of the items, or several: ``scanner``, ``sex*site``.
    points : tuple of (str, float)
        By how much the score of a level is moved, signed; of the levels not named it stays. Opposite ones cancel over
        all patients, and those of two columns may cancel in either.
    """

    column: str
    points: tuple[tuple[str, float], ...]

    @property
    def description(self) -> str:
        """One line in words."""
        moves = ", ".join(f"{points:+g} points in {level}" for level, points in self.points)
        return f"the score depends on {self.column}: {moves}"

    def looks_at(self, catalogue: Catalogue) -> tuple[str, ...] | None:
        """Which image it is has to be known, and nothing else of the pixels."""
        return ()

    def change(self, replies: Replies, asked: Asked) -> Replies:
        """Move the scores of the levels named."""
        by = dict(self.points)
        return moved(replies, np.array([by.get(level, 0.0) for level in asked.subjects.level_of(self.column)]))

    def truth(self, question: Question, catalogue: Catalogue) -> Truth:
        """Of all items together nothing is known that depends on the question: what changes is between the groups."""
        return UNCHANGED

    def hits(self, effect: Effect, protocol: Protocol) -> bool:
        """Whether two levels of this very column lie further apart than the limit of a gap between them."""
        family = protocol.family_of(effect)
        if family is None or family.limit is None or effect.between != self.column:
            return False
        sizes = [0.0, *(points for _, points in self.points)]
        limit, apart = family.limit, max(sizes) - min(sizes)
        return any(abs(self._weight(effect, at)) * apart > limit for at in range(len(effect.parts)))

    def touches(self, effect: Effect, protocol: Protocol) -> bool:
        """Whether the groups' scores count in the effect."""
        return any(self._weight(effect, at) for at in range(len(effect.parts)))

    def _weight(self, effect: Effect, part: int) -> float:
        """How often a shift of every score counts in a part: once in a score, not at all in a difference."""
        return sum(weight for weight, value in effect.parts[part].terms if value.name == MAIN)
