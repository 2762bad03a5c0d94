"""One sentence per verdict, with the numbers that decided."""

from __future__ import annotations

import math
from collections.abc import Sequence

from auditkit.evidence import Cell, Verdict
from auditkit.judge.draft import Draft
from auditkit.measure.columns import ALL, MODALITY
from auditkit.stats.unseen import one_in
from auditkit.words import column_name, interval, modality_label, number, p_equals, patients, some_of, whole


def cell_sentence(
    draft: Draft, verdict: Verdict, p_holm: float, alpha: float, more: int | None, *, inside: bool = False
) -> str:
    """Say what one cell found and why it got its verdict; ``more`` patients would likely settle it.

    ``inside`` is what is compared inside the model, not in words.
    """
    if verdict == "ERROR":
        lost = draft.outcomes.error + draft.control_outcomes.error
        total = draft.outcomes.total + draft.control_outcomes.total
        # Whether another run can help depends on why, which the record says of the whole run (`Unscored.remedy`).
        if inside:
            return f"{lost} of {total} embeddings or answers could not be had: see why under “Limits”."
        return f"{lost} of {total} questions got no answer: see why under “Answers without a score”."
    if draft.n_clusters == 0:
        return draft.remark or "No image could be scored on both sides, so nothing was measured."
    found = " ".join(filter(None, (draft.named, interval(draft.estimate, signed=draft.signed), draft.counted)))
    found += f" over {patients(draft.n_clusters)}"
    if draft.unidentified:
        found += f", {whole(draft.unidentified)} of which are images without a patient id"
    wanted = _wanted(draft)
    if not wanted:
        return f"{found}. {draft.remark}".rstrip()
    if verdict == "PASS":
        return f"{found}; {wanted}: met."
    if verdict == "FAIL":
        also = f"; {draft.shortfall}" if draft.shortfall else ""
        return f"{found}; {wanted}: not met{also} ({p_equals(p_holm)} after Holm)."
    ahead = draft.remedy or _prospect(draft, more)
    return f"{'; '.join(filter(None, (f'{found}; {wanted}: {_why_open(draft, p_holm, alpha)}', ahead)))}."


def _wanted(draft: Draft) -> str:
    unit = draft.estimate.unit
    low = draft.margin_low if draft.margin_low is not None and draft.margin_low > -1e300 else None
    high = draft.margin_high if draft.margin_high is not None and draft.margin_high < 1e300 else None
    if low is not None and high is not None:
        return f"must stay within ±{number(high, unit, signed=draft.signed).lstrip('+')}"
    if low is not None:
        return f"must be above {number(low, unit, signed=draft.signed)}"
    if high is None:
        return ""
    return f"must be below {number(high, unit, signed=draft.signed)}"


def _why_open(draft: Draft, p_holm: float, alpha: float) -> str:
    if draft.obstacle:
        return f"undecided, because {draft.obstacle}"
    if draft.p_fail <= alpha:
        return (
            f"not met by its own interval, but not confirmed after Holm's correction ({p_equals(p_holm)}), so undecided"
        )
    return "undecided"


def say_too_few(draft: Draft, alpha: float, what: str, needed: int) -> None:
    """Let a draft say that patients who were not seen keep a limit from being met, and how many would be enough.

    Parameters
    ----------
    draft : Draft
        Its patients are those at hand.
    alpha : float
        Error per side.
    what : str
        What they are too few for.
    needed : int
        Patients that would be enough, if the estimate stays as it is.
    """
    n = draft.n_clusters
    share = one_in(alpha, n)
    # Of 1 to 4 patients nobody needs to be told why.
    why = f": one in {share} of all could be quite unlike them" if share > 1 else ""
    few = f"{patients(n)} {'is' if n == 1 else 'are'} too few for {what}{why}"
    draft.needed, draft.obstacle = needed, f"{few}; it takes {whole(needed)} or more"


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
    if draft.needed and draft.sd is None:
        return ""  # nothing is known of the spread, so there is no better number than the one that was told
    return "the estimate is too close to the limit for any number of patients to be promised"


def audit_sentence(
    cells: Sequence[Cell], verdict: Verdict, *, shown: bool = False, gap: bool = False, who: str = ""
) -> str:
    """Say the verdict of an audit by the cells that decided it; of what is only shown, what was measured.

    Of a gap between levels, whose cells do not decide, the largest is told. ``who`` says whose answers count, where
    they are not the audited model's alone.
    """
    said = _audit_sentence(cells, verdict, shown=shown, gap=gap)
    return f"{said} Counted is {who}." if who else said


def _audit_sentence(cells: Sequence[Cell], verdict: Verdict, *, shown: bool, gap: bool) -> str:
    if not cells:
        return "Nothing was measured."
    deciding = [cell for cell in cells if cell.verdict == verdict]
    if shown and verdict != "ERROR":  # what was measured says more than what was not
        deciding = [cell for cell in deciding if cell.estimate.value is not None] or deciding[:1]
    worst = _telling(deciding)
    where = _place(worst) + (f", {worst.part}" if worst.part else "")
    if gap and not shown:
        lead = {
            "PASS": "Met between every two levels that are compared. Closest to the limit: ",
            "FAIL": "Not met between two levels. Surest: ",
            "INCONCLUSIVE": "Undecided. ",
            "ERROR": "Answers are missing. ",
        }[verdict]
        return f"{lead}{worst.part + ': ' if worst.part else ''}{worst.sentence}"
    if gap:
        told = next(cell for cell in cells if cell.stratum.level == ALL)
        return f"For information. {'' if told.estimate.value is None else 'Largest gap: '}{told.sentence}"
    if shown:
        lead = f"For instance {where}: " if (len(cells) > 1 or worst.part) and worst.estimate.value is not None else ""
        said = worst.sentence if lead else f"{worst.sentence[:1].upper()}{worst.sentence[1:]}"
        return f"For information. {lead}{said}"
    places = list(dict.fromkeys(_place(cell) for cell in deciding if cell.stratum.level != ALL))
    every = len({cell.stratum.level for cell in cells if cell.stratum.level != ALL})
    kind = _kind(cells[0].stratum.column, every)
    if verdict == "PASS" and not every:  # where no level decides by itself
        return f"Met over all patients together. {worst.part + ': ' if worst.part else ''}{worst.sentence}"
    if verdict == "PASS":
        together = " and over all together" if any(cell.stratum.level == ALL for cell in cells) else ""
        met = f"all {every} {kind}" if every > 1 else f"the only {kind}"
        return f"Met in {met}{together}. Closest to the limit, {where}: {worst.sentence}"
    share = f"{len(places)} of {every} {kind}" if every > 1 else f"the only {kind}"
    if any(cell.stratum.level == ALL for cell in deciding):
        share = f"all patients together and {share}" if places else "all patients together"
    lead = {
        "FAIL": f"Not met in {share}",
        "ERROR": f"Answers are missing in {share}",
        "INCONCLUSIVE": f"Undecided in {share}" + (", met in the others" if len(places) < every else ""),
    }[verdict]
    named = f" ({some_of(places)})" if places else ""
    if len(deciding) > 1:
        return f"{lead}{named}. For instance {where}: {worst.sentence}"
    said = f"{worst.part}: {worst.sentence}" if worst.part else worst.sentence  # its place is named already
    return f"{lead}{named}. {said[:1].upper()}{said[1:]}"


def _place(cell: Cell) -> str:
    """What a stratum is called within a sentence."""
    if cell.stratum.level == ALL or cell.stratum.column == MODALITY:
        return modality_label(cell.stratum.level) if cell.stratum.column == MODALITY else "all together"
    return f"{column_name(cell.stratum.column)} {cell.stratum.level}"


def _kind(column: str, n: int) -> str:
    if column == MODALITY:
        return "modality" if n == 1 else "modalities"
    return f"{'level' if n == 1 else 'levels'} of {column_name(column)}"


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
