"""What the probabilities of the choices say beside the answers, by wording: selection of the record, no arithmetic."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from auditkit.evidence import ALL, Cell, Evidence

SCORING = "scoring"
"""The family of audits whose numbers stand in one table of the methods."""


@dataclass(frozen=True)
class Wording:
    """What the probabilities of the choices say beside the answers to one wording; all together."""

    words: str
    cells: Mapping[str, Cell]
    """By name of the value: ``agrees``, ``gap``, ``entropy``, ``mass``, ``read``."""

    @property
    def answers(self) -> int:
        """Answers of any kind."""
        return max((c.outcomes.total - c.outcomes.error for c in self.cells.values()), default=0)

    def number(self, name: str) -> float | None:
        """Return the estimate of one value; None where it was not measured."""
        return self.cells[name].estimate.value if name in self.cells else None

    @property
    def compared(self) -> int:
        """Answers that were scored and have a likeliest choice."""
        return self.cells["agrees"].n_images if "agrees" in self.cells else 0

    @property
    def most(self) -> float | None:
        """Entropy if all choices were equally likely, in bits."""
        return self.cells["entropy"].reference if "entropy" in self.cells else None


def probabilities(evidence: Evidence) -> list[Wording]:
    """Return one row per wording of which any value was measured; none where no probabilities were given."""
    rows: dict[str, dict[str, Cell]] = {}
    for audit in (audit for audit in evidence.audits if audit.family == SCORING):
        for cell in audit.parts:
            held = rows.setdefault(cell.part, {})
            if cell.stratum.level == ALL or audit.quantity not in held:
                held[audit.quantity] = cell
    measured = {
        name: cells for name, cells in rows.items() if any(c.estimate.value is not None for c in cells.values())
    }
    return [Wording(name, cells) for name, cells in sorted(measured.items())]
