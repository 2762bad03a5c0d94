"""One sentence per verdict, with the numbers that decided."""

from __future__ import annotations

import math
from collections.abc import Sequence

from auditkit.evidence import Cell, Verdict
from auditkit.judge.draft import Draft
from auditkit.judge.wording import interval, modality_label, number, patients
from auditkit.measure.columns import ALL


def cell_sentence(draft: Draft, verdict: Verdict, p_holm: float, alpha: float, more: int | None) -> str:
    """Say what one cell found and why it got its verdict; ``more`` patients would likely settle it."""
    if verdict == "ERROR":
        lost = draft.outcomes.error + draft.control_outcomes.error
        total = draft.outcomes.total + draft.control_outcomes.total
        return f"{lost} of {total} questions got no answer; run again to ask them, answers given are kept."
    if draft.n_clusters == 0:
        return "No image could be scored on both sides, so nothing was measured."
    found = f"{interval(draft.estimate)} over {patients(draft.n_clusters)}"
    wanted = _wanted(draft)
    if verdict == "PASS":
        return f"{found}; {wanted}: met."
    if verdict == "FAIL":
        also = f"; {draft.shortfall}" if draft.shortfall else ""
        return f"{found}; {wanted}: not met{also} (p {_p(p_holm)} after Holm)."
    return f"{found}; {wanted}: {_why_open(draft, p_holm, alpha)}; {_prospect(draft, more)}."


def _wanted(draft: Draft) -> str:
    unit = draft.estimate.unit
    low = draft.margin_low if draft.margin_low is not None and draft.margin_low > -1e300 else None
    high = draft.margin_high if draft.margin_high is not None and draft.margin_high < 1e300 else None
    if low is not None and high is not None:
        return f"must stay within ±{number(high, unit).lstrip('+')}"
    if low is not None:
        return f"must be above {number(low, unit)}"
    return f"must be below {number(high, unit)}"


def _why_open(draft: Draft, p_holm: float, alpha: float) -> str:
    if draft.obstacle:
        return f"undecided, because {draft.obstacle}"
    if draft.rule == "too few clusters":
        return f"undecided, because {patients(draft.n_clusters)} are too few for any verdict"
    if draft.p_fail <= alpha:
        return f"not met by its own interval, but not confirmed after Holm's correction (p {_p(p_holm)}), so undecided"
    return "undecided"


def _prospect(draft: Draft, more: int | None) -> str:
    if more == 0:
        return (
            "by their number and spread these patients should have settled it, but a few differ much from the rest, "
            "so no number can be promised"
        )
    if more is not None:
        return f"about {patients(more)} more would likely settle it"
    if draft.worst_case is not None:
        return "more patients would not settle it while so many scores are missing"
    return "the estimate is too close to the limit for any number of patients to be promised"


def audit_sentence(cells: Sequence[Cell], verdict: Verdict) -> str:
    """Say the verdict of an audit by the cells that decided it."""
    if not cells:
        return "No modality was measured."
    deciding = [cell for cell in cells if cell.verdict == verdict]
    places = list(dict.fromkeys(modality_label(cell.modality) for cell in deciding if cell.modality != ALL))
    every = len({cell.modality for cell in cells if cell.modality != ALL})
    worst = _telling(deciding)
    where = modality_label(worst.modality) + (f", {worst.condition}" if worst.condition else "")
    if verdict == "PASS":
        together = " and over all together" if any(cell.modality == ALL for cell in cells) else ""
        return f"Met in all {every} modalities{together}. Closest to the limit, {where}: {worst.sentence}"
    share = f"{len(places)} of {every} modalities"
    if any(cell.modality == ALL for cell in deciding):
        share = f"all patients together and {share}" if places else "all patients together"
    lead = {
        "FAIL": f"Not met in {share}",
        "ERROR": f"Answers are missing in {share}",
        "INCONCLUSIVE": f"Undecided in {share}" + (", met in the others" if len(places) < every else ""),
    }[verdict]
    named = f" ({_some(places)})" if places else ""
    return f"{lead}{named}. For instance {where}: {worst.sentence}"


def _telling(cells: Sequence[Cell]) -> Cell:
    """The cell to quote: of undecided ones the hardest to settle, else the one furthest beyond or nearest its limit."""
    if cells[0].verdict == "INCONCLUSIVE":
        return max(cells, key=lambda c: (math.inf if c.more_clusters is None else c.more_clusters, c.p_pass or 0.0))
    return min(
        cells,
        key=lambda c: (c.p_fail_holm if c.p_fail_holm is not None else 1.0, -(c.p_pass or 0.0), -_beyond(c)),
    )


def _beyond(cell: Cell) -> float:
    """How far the estimate lies beyond the cell's limits."""
    value = cell.estimate.value
    if value is None:
        return 0.0
    low = cell.margin_low - value if cell.margin_low is not None else -math.inf
    high = value - cell.margin_high if cell.margin_high is not None else -math.inf
    return max(low, high)


def _some(places: Sequence[str], shown: int = 4) -> str:
    rest = len(places) - shown
    return ", ".join(places[:shown]) + (f" and {rest} more" if rest > 0 else "")


def _p(value: float) -> str:
    return "< 0.0001" if value < 0.0001 else f"= {value:.4f}"
