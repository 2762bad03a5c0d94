"""The audits that compare the levels of a column: grouped by column, each number in every level."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from auditkit.evidence import ALL, Audit, Cell, Estimate, Evidence
from auditkit.vocabulary import CROSSED
from auditkit.words import Scale, audit_name, limit_words, plain_name

TOO_FEW = "too few clusters"
"""`Cell.rule` of a level with fewer patients than the protocol asks for before levels are compared."""


@dataclass(frozen=True)
class Gap:
    """One number in every level of a column, and the largest gap between two of them."""

    audit: Audit
    part: str
    together: Cell | None
    """The largest gap, and what can be told."""
    cells: Mapping[str, Cell]
    """By level, in the order of the record."""

    @cached_property
    def name(self) -> str:
        """What is measured, without the column."""
        by = f" by {re.sub('[_-]', ' ', self.audit.between).replace(CROSSED, ' and ')}"
        return audit_name(self.audit).removesuffix(by) + (f", {self.part}" if self.part else "")

    @property
    def scale(self) -> Scale:
        """Of the number in a level; the gap between two is written with its sign."""
        return Scale(self.audit.unit, signed=self.audit.change)

    @property
    def estimate(self) -> Estimate:
        """The largest gap; without a value where no two levels could be compared."""
        return Estimate() if self.together is None else self.together.estimate

    @property
    def found(self) -> bool:
        """Whether two levels could be compared."""
        return self.estimate.value is not None

    @property
    def held(self) -> str:
        """What every two levels are held to, and the verdict; empty where the gap is shown for information."""
        return (
            "" if self.audit.shown else f"{self.name}: every two levels {limit_words(self.audit)}, {self.audit.verdict}"
        )

    @property
    def sentence(self) -> str:
        """What can be told, and what cannot."""
        return "" if self.together is None else self.together.sentence


@dataclass(frozen=True)
class Groups:
    """Everything that is shown by one column."""

    column: str
    gaps: Sequence[Gap]

    @property
    def name(self) -> str:
        """The column for people."""
        return plain_name(self.column)

    @property
    def held(self) -> list[str]:
        """What is held to a limit, each with its verdict."""
        return [gap.held for gap in self.gaps if gap.held]

    @cached_property
    def levels(self) -> list[str]:
        """Every level shown, in the order of the first number; what only others have comes after."""
        return list(dict.fromkeys(level for gap in self.gaps for level in gap.cells))

    @cached_property
    def told(self) -> list[tuple[list[Gap], str]]:
        """What can be told, with the numbers of which it is: where nothing is known it is the same of all."""
        found: dict[str, list[Gap]] = {}
        for gap in self.gaps:
            if gap.sentence:
                found.setdefault(gap.sentence, []).append(gap)
        return [(gaps, sentence) for sentence, gaps in found.items()]

    def of(self, level: str) -> tuple[int, int]:
        """Return images and patients of a level: the most that a number rests on."""
        cells = [gap.cells[level] for gap in self.gaps if level in gap.cells]
        return max((c.n_images for c in cells), default=0), max((c.n_clusters for c in cells), default=0)

    def in_pieces(self, most: int) -> list[Groups]:
        """Return the same in pieces of at most so many numbers, for figures and tables of one width."""
        starts = range(0, len(self.gaps), most)
        return [Groups(self.column, self.gaps[start : start + most]) for start in starts]


def groups(evidence: Evidence) -> list[Groups]:
    """Return what the record shows by column, in the order in which the columns first occur."""
    found: dict[str, list[Gap]] = {}
    for audit in evidence.audits:
        for part in dict.fromkeys(cell.part for cell in audit.parts if audit.between):
            own = [cell for cell in audit.parts if cell.part == part]
            together = next((cell for cell in own if cell.stratum.level == ALL), None)
            levels = {cell.stratum.level: cell for cell in own if cell.stratum.level != ALL}
            found.setdefault(audit.between, []).append(Gap(audit, part, together, levels))
    return [Groups(column, gaps) for column, gaps in found.items()]
