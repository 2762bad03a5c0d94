"""The runs of one model in time, as one self-contained page without scripts, and as a table for the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from auditkit import durable
from auditkit import words as wording
from auditkit.evidence.history import History, Monitored, PastAudit, PastPoint, PastRun
from auditkit.report.figures import timeline
from auditkit.report.html import CSP, templates

FIGURES, DRIFTS, ANCHORS, MONITORED = 12, 6, 6, 12
COUNTS = 4, 8
"""Columns of the table for the terminal that hold numbers."""
KINDS = {
    "verdict": "verdict worse",
    "interval": "effect moved",
    "baseline": "worse than the baseline",
    "anchor": "worse than the anchor",
}


@dataclass(frozen=True)
class Row:
    """One audit over all runs, ready to be written.

    Attributes
    ----------
    audit : PastAudit
        The audit.
    scale : Scale
        How its numbers are written.
    cells : list of PastPoint or None
        One per run; None where the run does not have it.
    changed : bool
        Whether any two of its verdicts differ.
    """

    audit: PastAudit
    scale: wording.Scale
    cells: list[PastPoint | None]
    changed: bool


def render_history(history: History) -> str:
    """Return a history as one HTML page without scripts or references to other files.

    Parameters
    ----------
    history : History
        From `auditkit.records.history.history`; nothing else is read.
    """
    keys = iter(f"f{number}" for number in range(1, 10_000))
    drawn = [a for a in _most_telling(history) if any(p.estimate.value is not None for p in a.points)][:FIGURES]
    lines = [audit for audit in _drifting(history) if audit.trend is not None and audit.trend.named][:DRIFTS]
    return (
        templates()
        .get_template("history.html.j2")
        .render(
            h=history,
            CSP=CSP,
            KINDS=KINDS,
            verdicts=timeline.verdicts(history, next(keys)),
            rows=[_row(audit, history.runs) for audit in history.audits],
            events=history.events,
            event_scale=_event_scale(history),
            trends=[(audit, wording.Scale(audit.unit, signed=True)) for audit in _drifting(history)],
            drifts=[timeline.drift(a, a.trend, next(keys)) for a in lines if a.trend is not None],
            figures=[timeline.timeline(audit, history.runs, next(keys)) for audit in drawn],
            anchors=[timeline.timeline(audit, history.runs, next(keys)) for audit in _furthest(history)],
            anchored=[_row(audit, history.runs) for audit in history.anchored],
            monitors=[timeline.monitor(audit, next(keys)) for audit in _monitored(history)],
            level=100 * (1 - 2 * (history.alpha or 0.0)),
            day=day,
        )
    )


def write_history(history: History, path: Path) -> None:
    """Write the page to `path` as UTF-8, replacing what was there only when it is complete."""
    durable.write(path, render_history(history))


def history_lines(history: History, width: int) -> list[str]:
    """Return the runs as a table of plain text no wider than `width`, without colours or control characters.

    Parameters
    ----------
    history : History
        The runs.
    width : int
        Columns of the terminal; below 80 it is taken as 80.
    """
    heads = ["run", "day", "version", "verdict", "PASS", "FAIL", "INC.", "ERR.", "criteria", "data", "not run"]
    rows = [heads, *(_cells(run) for run in history.runs)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    # A fingerprint gives way first: the page has it whole.
    widths[2] = max(7, widths[2] - max(0, sum(widths) + len(heads) - 1 - max(width, 80)))
    lines = [
        " ".join(
            cell.rjust(wide) if COUNTS[0] <= place < COUNTS[1] else wording.cut(cell, wide).ljust(wide)
            for place, (cell, wide) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    return [lines[0], "-" * max(map(len, lines)), *lines[1:]]


def _cells(run: PastRun) -> list[str]:
    name = wording.visible(f"{run.version}: {(run.revision or run.fingerprint)[:12] or 'not known'}")
    counts = [str(run.counts.get(verdict, 0) or "") for verdict in wording.VERDICT_ORDER]
    marks = [run.protocol, run.data, str(run.n_not_run or "")]
    return [str(run.number), day(run.finished), name, run.verdict, *counts, *marks]


def day(text: str) -> str:
    """Return the day of an ISO 8601 time; any other text cut short."""
    return wording.visible(text[:10])


def _row(audit: PastAudit, runs: Sequence[PastRun]) -> Row:
    points = {point.run: point for point in audit.points}
    verdicts = {point.verdict for point in audit.points}
    scale = wording.Scale(audit.unit, signed=audit.change)
    return Row(audit, scale, [points.get(run.number) for run in runs], len(verdicts) > 1)


def _most_telling(history: History) -> list[PastAudit]:
    """Return the audits that got worse first, then those that drift, then those of the worst last verdict."""
    worse = {event.audit for event in history.events if event.direction == "worse" or event.kind == "verdict"}

    def key(audit: PastAudit) -> tuple[bool, bool, bool, float]:
        trend = audit.trend
        p = 1.0 if trend is None or trend.p is None else trend.p
        drifts = trend is not None and trend.named
        return audit.id not in worse, not drifts, audit.points[-1].verdict == "PASS", p

    return sorted(history.audits, key=key)


def _drifting(history: History) -> list[PastAudit]:
    """Return the audits with a trend, those told from chance first."""
    known = [audit for audit in history.audits if audit.trend is not None]

    def key(audit: PastAudit) -> tuple[bool, bool, float, float]:
        trend = audit.trend
        assert trend is not None  # noqa: S101 - chosen above
        return not trend.slow, not trend.named, trend.p if trend.p is not None else 1.0, -(trend.of_limit or 0.0)

    return sorted(known, key=key)


def _furthest(history: History) -> list[PastAudit]:
    """Return the comparisons with the anchor that came nearest to their margin, or furthest beyond it."""

    def share(audit: PastAudit) -> float:
        point = audit.points[-1]
        return (point.estimate.value or 0.0) / (point.margin_high or 1.0)

    measured = [audit for audit in history.anchored if audit.points[-1].estimate.value is not None]
    return sorted(measured, key=lambda audit: (-share(audit), audit.id))[:ANCHORS]


def _monitored(history: History) -> list[Monitored]:
    return sorted(history.monitored, key=lambda audit: (not audit.beyond, audit.beyond))[:MONITORED]


def _event_scale(history: History) -> dict[str, wording.Scale]:
    """How the numbers of each audit's events are written."""
    return {audit.id: wording.Scale(audit.unit, signed=audit.change) for audit in history.audits}
