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
    """

    name: str
    unit: str
    low: float
    high: float
    binary: bool = False

    @property
    def span(self) -> float:
        """Length of the range."""
        return self.high - self.low


SCORE = Quantity("score", "points", 0.0, 100.0)
"""What `Points` and a `Choice` among scores give."""

SHARES: Mapping[str, Quantity] = MappingProxyType(
    {name: Quantity(name, "share", 0.0, 1.0, binary=True) for name in ("lost", "refused", "unusable")}
)
"""What every answer has, whatever the scorer: 0 or 1, never missing. ``lost`` is refused or unusable."""
