"""Defects that show when the image is corrupted."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from auditkit.perturbations import catalogue, corruption
from auditkit.protocol.model import DiscriminationFamily, Protocol
from auditkit.testing.defect import (
    SCORED_GATES,
    Defect,
    conditions,
    gate_of,
    limit_of,
    listed,
    lost_more,
    moved,
    sides,
)
from auditkit.testing.questions import Asked, Replies
from auditkit.testing.word_defects import REFUSAL
from auditkit.vocabulary import CLEAN, Comparison, Condition


@dataclass(frozen=True)
class BlindDefect(Defect):
    """A model that takes a corrupted image for the clean one; what it then says is the subclass's matter.

    Attributes
    ----------
    corruptions : tuple of str
        Names of the catalogue; empty stands for all.
    """

    corruptions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in self.corruptions:
            corruption(name)  # a misspelt one would be a defect that never shows

    def concerns(self, name: str) -> bool:
        """Whether it is blind to a corruption."""
        return name != CLEAN and (not self.corruptions or name in self.corruptions)

    @property
    def looks_at(self) -> tuple[str, ...] | None:
        """The corruptions it is blind to."""
        return self.corruptions or tuple(catalogue())

    def shown(self, condition: Condition) -> Condition:
        """Return the condition with the clean image."""
        return replace(condition, corruption=CLEAN, severity=0) if self.concerns(condition.corruption) else condition

    def change(self, replies: Replies, asked: Asked) -> Replies:
        """Leave the answer to the clean image, or move it by what is said of the severity."""
        if not self.concerns(asked.condition.corruption):
            return replies
        return moved(replies, self.seen(asked.condition.severity))

    def seen(self, severity: int) -> float:
        """Return by how many points the score differs from that of the clean image."""
        return 0.0

    def slope(self, comparison: Comparison) -> float | None:
        """Return the true slope of the score in points per step of severity; None where it is not known."""
        treated, control = sides(comparison)
        if control.corruption != CLEAN or not all(self.concerns(c.corruption) for c in treated):
            return None
        steps = np.array([0, *(c.severity for c in treated)], dtype=float)
        score = np.array([0.0, *(self.seen(c.severity) for c in treated)])
        return float(np.polyfit(steps, score, 1)[0])

    def hits(self, comparison: Comparison, protocol: Protocol) -> bool:
        """Where a fall is wanted and there is too little, where a rise is unwanted, and where nothing tells apart."""
        slope = self.slope(comparison)
        if slope is None:
            return False
        gate = gate_of(comparison, protocol)
        treated, _ = sides(comparison)
        if gate == "sensitivity":
            return slope > -limit_of(comparison, protocol)
        if gate == "not_raised":
            return max(self.seen(c.severity) for c in treated) > limit_of(comparison, protocol)
        family = protocol.families.get(comparison.family)
        if isinstance(family, DiscriminationFamily):
            return any(self.seen(c.severity) >= 0 for c in treated if c.severity in family.severities)
        if gate == "equivalence":
            return max(abs(self.seen(c.severity)) for c in treated) > limit_of(comparison, protocol)
        return False

    def touches(self, comparison: Comparison, protocol: Protocol) -> bool:
        """Wherever the corruption is shown and scores count."""
        shown = any(self.concerns(c.corruption) for c in conditions(comparison))
        return shown and gate_of(comparison, protocol) in SCORED_GATES


@dataclass(frozen=True)
class Insensitive(BlindDefect):
    """A corruption does not change the score at all; parameters as in `BlindDefect`."""

    @property
    def description(self) -> str:
        """One line in words."""
        return f"does not see {listed(self.corruptions) or 'any corruption'}"


@dataclass(frozen=True)
class Inverted(BlindDefect):
    """The score rises with severity.

    Attributes
    ----------
    corruptions : tuple of str
        Names of the catalogue; empty stands for all.
    rise : float
        Points per step of severity, from the score of the clean image.
    """

    rise: float = 4.0

    @property
    def description(self) -> str:
        """One line in words."""
        return f"the score rises by {self.rise:g} points per step of {listed(self.corruptions) or 'every corruption'}"

    def seen(self, severity: int) -> float:
        """Return the rise."""
        return self.rise * severity


@dataclass(frozen=True)
class Threshold(BlindDefect):
    """No fall until a severity, then a large one: a good slope that hides blindness to moderate faults.

    Attributes
    ----------
    corruptions : tuple of str
        Names of the catalogue; empty stands for all.
    severity : int
        The first at which the score falls, 1-5.
    fall : float
        Points by which it falls there and beyond.
    """

    severity: int = 5
    fall: float = 28.0

    @property
    def description(self) -> str:
        """One line in words."""
        what = listed(self.corruptions) or "every corruption"
        return f"the score does not fall before severity {self.severity} of {what}, and then by {self.fall:g} points"

    def seen(self, severity: int) -> float:
        """Return the fall."""
        return -self.fall if severity >= self.severity else 0.0


@dataclass(frozen=True)
class RefusesWorst(Defect):
    """Declines the images it would score lowest (informative missingness): what is left looks better than it is.

    Attributes
    ----------
    below : float
        Points; lower scores are not given.
    from_severity : int
        The mildest corruption at which nearly all images score lower, by the model it is planted in: `FairReader`
        gives 30 points at severity 5, 37 at 4 and 44 at 3.
    text : str
        What is said instead.
    """

    below: float = 40.0
    from_severity: int = 5
    text: str = REFUSAL

    @property
    def description(self) -> str:
        """One line in words."""
        return f"declines images that it would score below {self.below:g} points"

    def change(self, replies: Replies, asked: Asked) -> Replies:
        """Decline low scores."""
        return replies.where(replies.scores < self.below, self.text)

    def hits(self, comparison: Comparison, protocol: Protocol) -> bool:
        """Where strongly corrupted images are compared, or counted, for lost answers."""
        return lost_more(comparison, protocol, lambda c: float(c.severity >= self.from_severity))

    def touches(self, comparison: Comparison, protocol: Protocol) -> bool:
        """Wherever images are corrupted."""
        return any(c.corruption != CLEAN for c in conditions(comparison))
