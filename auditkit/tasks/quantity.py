"""What a number of an answer is: its name, its unit, and the range that it cannot leave."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Quantity:
    """One number that answers have.

    Attributes
    ----------
    name : str
        As in `auditkit.vocabulary.Value`.
    unit : str
        ``"points"``, ``"share"`` or a word of the author's own.
    low, high : float
        The range, ends included. A missing value lies somewhere within it, which is how it is bounded.
    binary : bool
        Whether it is 0 or 1 and nothing between, so that its mean is a share of items.
    beside : str
        Name of another value of the same unit, that of the item as it is, whose mean this one is to be seen beside.
    """

    name: str
    unit: str
    low: float
    high: float
    binary: bool = False
    beside: str = ""

    @property
    def span(self) -> float:
        """Length of the range."""
        return self.high - self.low


SCORE = Quantity("score", "points", 0.0, 100.0)
"""What `Points` and a `Choice` among scores give."""

SIMILARITY = Quantity("similarity", "cosine", -1.0, 1.0, beside="others")
"""Cosine similarity of a vector to that of the same item as it is."""
OTHERS = Quantity("others", "cosine", -1.0, 1.0)
"""Mean cosine similarity of the vector of an item as it is to those of other patients of its modality."""
DISTANCE = Quantity("distance", "norms", 0.0, 2.0)
"""Euclidean distance of a vector to that of the same item as it is, in units of the mean of their two norms."""

CORRECT = Quantity("correct", "share", 0.0, 1.0, binary=True)
"""Whether the answer is the right one; of tasks with a truth."""
ABOVE_CHANCE = Quantity("above_chance", "share", -1.0, 1.0)
"""How far from guessing among the K options offered (0) to always right (1): (correct - 1/K) / (1 - 1/K)."""
LIKELIEST_CORRECT = Quantity("likeliest_correct", "share", 0.0, 1.0, binary=True)
"""Whether the likeliest of the declared answers is the right one, whatever was written; of tasks with a truth."""
CONFIDENCE = Quantity("confidence", "share", 0.0, 1.0)
"""The share of the probability on the declared answers that the given one has; of tasks with a truth."""
BRIER = Quantity("brier", "Brier", 0.0, 1.0)
"""Half the sum of the squared differences between the probabilities of the declared answers and 0 or 1 for wrong or
right: of two answers (p - y)^2. Of tasks with a truth, whatever was written."""
OF_CHOICES: Mapping[str, Quantity] = MappingProxyType(
    {quantity.name: quantity for quantity in (LIKELIEST_CORRECT, CONFIDENCE, BRIER)}
)
"""What the probabilities of the choices give where there is a truth; recorded, so that it can be judged again."""
FLAGGED = Quantity("flagged", "share", 0.0, 1.0, binary=True)
"""Whether the answer says that the picture will not do: declined, saw none, or gave one of the task's flags."""

SHARES: Mapping[str, Quantity] = MappingProxyType(
    {name: Quantity(name, "share", 0.0, 1.0, binary=True) for name in ("lost", "refused", "unusable")}
)
"""What every answer has, whatever the scorer: 0 or 1, never missing. ``lost`` is refused or unusable."""
