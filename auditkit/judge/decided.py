"""A decision with what earlier looks at the data found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from auditkit.evidence import Verdict
from auditkit.judge.draft import Draft
from auditkit.judge.looks import Look
from auditkit.protocol.model import Protocol
from auditkit.stats.sequential import sequential_p
from auditkit.words import patients


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


def taken_up(drafts: Sequence[Draft], before: Sequence[Decided], look: Look, protocol: Protocol) -> list[Decided]:
    """Put a look's drafts after what earlier looks found; what is settled, or waits, stays as it was."""
    earlier = {(d.draft.stratum, d.draft.part): d for d in before}
    taken = []
    for draft in drafts:
        held = earlier.get((draft.stratum, draft.part))
        waits = draft.stratum in look.waiting
        if held is not None and (held.settled or (waits and held.seen)):
            taken.append(held)
        elif waits:
            draft.met = False
            draft.obstacle = f"{patients(draft.n_clusters)} are too few to decide early"
            draft.p_pass = draft.p_fail = 1.0
            taken.append(Decided(draft, look.number))
        else:
            seen = (*(held.seen if held is not None else ()), (draft.p_pass, draft.p_fail))
            draft.p_pass, draft.p_fail = _over_looks(seen, draft, look, protocol)
            taken.append(Decided(draft, look.number, seen))
    return taken


def _over_looks(
    seen: tuple[tuple[float, float], ...], draft: Draft, look: Look, protocol: Protocol
) -> tuple[float, float]:
    """Return p_pass and p_fail adjusted for the looks made so far; at an only look they are what they are."""
    fractions = look.fractions.get(draft.stratum, (1.0,))
    if fractions == (1.0,):
        return seen[-1]
    missed = ((1.0, 1.0),) * (len(fractions) - len(seen))  # looks at which none of its images could be used
    adjusted = sequential_p(missed + seen, fractions, protocol.looks.spending, protocol.alpha)
    return float(adjusted[0]), float(adjusted[1])
