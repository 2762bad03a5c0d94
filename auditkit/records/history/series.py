"""Every audit over the runs, and what got worse or moved from one run to the next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from auditkit.evidence import ALL, VERDICTS, Audit, Estimate
from auditkit.evidence.history import Event, PastAudit, PastPoint
from auditkit.judge.versions import STATISTIC
from auditkit.records.history.alike import Runs, same_anchor

BASELINE, ANCHOR = "baseline", "anchor"
Direction = Literal["worse", "better", ""]


def series(runs: Runs, anchored: bool = False) -> list[PastAudit]:
    """Return every audit over the runs that have it, in the order of the last run, then of those before it.

    Parameters
    ----------
    runs : Runs
        The records.
    anchored : bool
        The comparisons with an anchor instead of the audits themselves.
    """
    found: dict[str, list[tuple[int, Audit]]] = {}
    for number in reversed(range(len(runs.evidences))):
        for audit in runs.evidences[number].audits:
            if audit.family == ANCHOR if anchored else audit.statistic != STATISTIC:
                found.setdefault(audit.id, []).insert(0, (number, audit))
    return [_past(runs, own) for own in found.values()]


def events(runs: Runs) -> list[Event]:
    """Return what got worse and what moved, run by run."""
    last: dict[str, tuple[int, Audit]] = {}
    found: list[Event] = []
    for number, evidence in enumerate(runs.evidences):
        for audit in evidence.audits:
            earlier = last.get(audit.id)
            if audit.statistic == STATISTIC:
                found += _against(runs, number, audit, None if earlier is None else earlier[1])
            elif earlier is not None:
                found += _between(runs, earlier, (number, audit))
            last[audit.id] = number, audit
    return found


def turned(verb: str, before: float, after: float) -> Direction:
    """Say whether an effect moved to the side that a limit is against.

    Parameters
    ----------
    verb : str
        ``within``, ``at_most``, ``at_least``, or empty.
    before, after : float
        The effect.
    """
    if not verb or before == after:
        return ""
    worse = {"within": abs(after) > abs(before), "at_most": after > before, "at_least": after < before}[verb]
    return "worse" if worse else "better"


def accepted(audit: Audit) -> tuple[float | None, float | None]:
    """Return what is accepted of the estimate over all items; of several parts or levels only what they share."""
    required = [cell for cell in audit.parts if cell.required]
    pooled = [cell for cell in required if cell.stratum.level == ALL]
    ends = {(cell.margin_low, cell.margin_high) for cell in pooled or required}
    return ends.pop() if len(ends) == 1 else (None, None)


def _past(runs: Runs, own: Sequence[tuple[int, Audit]]) -> PastAudit:
    points: list[PastPoint] = []
    for place, (number, audit) in enumerate(own):
        apart, moved = "", False
        if place:
            before, earlier = own[place - 1]
            apart = runs.apart(before, number, audit, earlier)
            if not apart and audit.family == ANCHOR:
                same = same_anchor(runs.evidences[before], runs.evidences[number], ANCHOR)
                apart = "" if same else "another anchor"
            moved = bool(runs.judged_otherwise(before, number, audit))
        low, high = accepted(audit)
        points.append(
            PastPoint(
                run=number + 1,
                verdict=audit.verdict,
                estimate=audit.estimate,
                margin_low=low,
                margin_high=high,
                n_images=audit.n_images,
                n_clusters=audit.n_clusters,
                joined=bool(place) and not apart,
                apart=apart,
                limits_moved=moved,
            )
        )
    # Its words are those of the last run that could judge it: one that could not has none.
    words = next((audit for _, audit in reversed(own) if audit.parts), own[-1][1])
    return PastAudit(
        id=words.id,
        family=words.family,
        verb=words.verb,
        statistic=words.statistic,
        quantity=words.quantity,
        unit=words.unit,
        change=words.change or bool(words.between),
        shown=words.shown,
        title=_title(runs, own[-1][0], words),
        points=points,
    )


def _title(runs: Runs, number: int, audit: Audit) -> str:
    """Name an audit; a comparison with an earlier run like the audit itself, as the page says what it is."""
    named = audit.id.removeprefix(f"{audit.family}/") if audit.statistic == STATISTIC else audit.id
    own = next((other.title for other in runs.evidences[number].audits if other.id == named), "")
    return own or audit.title or audit.id


def _between(runs: Runs, earlier: tuple[int, Audit], now: tuple[int, Audit]) -> Iterator[Event]:
    """What an audit says of a run that it did not say of the run before."""
    (before, old), (number, audit) = earlier, now
    otherwise = runs.measured_otherwise(before, number, audit, old)
    caveat = otherwise or runs.other_data(before, number)
    both = {
        "audit": audit.id,
        "title": audit.title or audit.id,
        "run": number + 1,
        "before": before + 1,
        "verdict": audit.verdict,
        "verdict_before": old.verdict,
        "estimate": audit.estimate,
        "estimate_before": old.estimate,
        "direction": _direction(audit, old.estimate, audit.estimate),
    }
    worse = VERDICTS.index(audit.verdict) < VERDICTS.index(old.verdict)
    if worse and not audit.shown and not old.shown:
        judged = runs.judged_otherwise(before, number, audit)
        yield Event(kind="verdict", caveat="; ".join(filter(None, (caveat, judged))), **both)
    # Numbers of what was measured otherwise are no two of a kind.
    if not otherwise and _disjoint(old.estimate, audit.estimate):
        yield Event(kind="interval", caveat=caveat, **both)


def _against(runs: Runs, number: int, audit: Audit, earlier: Audit | None) -> Iterator[Event]:
    """What the run itself found against an earlier one; against an anchor, which stays, the first time only."""
    if audit.verdict != "FAIL" or (audit.family == ANCHOR and earlier is not None and earlier.verdict == "FAIL"):
        return
    role: Literal["baseline", "anchor"] = "anchor" if audit.family == ANCHOR else "baseline"
    ids = [reference.run for reference in runs.evidences[number].references if reference.role == role]
    places = [place for place, evidence in enumerate(runs.evidences[:number]) if evidence.run.id in ids]
    yield Event(
        kind=role,
        audit=audit.id.removeprefix(f"{role}/"),
        title=_title(runs, number, audit),
        run=number + 1,
        before=places[-1] + 1 if places else 0,
        verdict=audit.verdict,
        estimate=audit.estimate,
        direction="worse",
    )


def _direction(audit: Audit, before: Estimate, after: Estimate) -> Direction:
    known = before.value is not None and after.value is not None
    return turned(audit.verb, before.value or 0.0, after.value or 0.0) if known else ""


def _disjoint(one: Estimate, other: Estimate) -> bool:
    if one.low is None or one.high is None or other.low is None or other.high is None:
        return False
    return one.high < other.low or other.high < one.low
