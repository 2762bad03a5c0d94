"""A decision with what earlier looks at the data found."""

from __future__ import annotations

from dataclasses import dataclass

from auditkit.evidence import Verdict
from auditkit.judge.draft import Draft


@dataclass(frozen=True, slots=True)
class Decided:
    """One cell with what earlier looks found.

    Attributes
    ----------
    draft : Draft
        Of the look that decided, else of the last one made; its p-values are adjusted for the looks.
    look : int
        That look.
    seen : tuple of (float, float)
        p_pass and p_fail of every look that counted, as they were.
    p_holm : float
        p_fail after Holm within the declared family.
    verdict : str
        Of the cell.
    """

    draft: Draft
    look: int
    seen: tuple[tuple[float, float], ...] = ()
    p_holm: float = 1.0
    verdict: Verdict = "INCONCLUSIVE"

    @property
    def settled(self) -> bool:
        return self.verdict in ("PASS", "FAIL")
