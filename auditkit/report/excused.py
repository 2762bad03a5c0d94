"""What the exit code does not show: audits that do not pass and were excused."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping

from auditkit.evidence import VERDICTS, Evidence
from auditkit.words import count
from auditkit.words.text import shortened

_SHOWN = 6


def excused_lines(evidence: Evidence, excused: Mapping[str, str], width: int) -> list[str]:
    """Return what stands below the verdict of a run where audits that do not pass fail no test.

    Parameters
    ----------
    evidence : Evidence
        The record.
    excused : mapping of str to str
        Why, by audit id: a mark, or an option.
    width : int
        Columns.

    Returns
    -------
    list of str
        How many of each verdict and why, then each audit with its sentence, FAIL first.
    """
    found = sorted(
        (audit for audit in evidence.deciding if audit.id in excused and audit.verdict != "PASS"),
        key=lambda audit: (VERDICTS.index(audit.verdict), audit.id),
    )
    if not found:
        return []
    by_verdict = [(verdict, [a for a in found if a.verdict == verdict]) for verdict in VERDICTS]
    numbers = ", ".join(f"{len(some)} {verdict}" for verdict, some in by_verdict if some)
    said = f"The exit code leaves out {count(len(found), 'audit that does', 'audits that do')} not pass: {numbers}."
    lines = textwrap.wrap(said, width, subsequent_indent="  ")
    for audit in found[:_SHOWN]:
        told = f"- {audit.verdict} {audit.id} ({excused[audit.id]}): {audit.sentence}"
        lines += textwrap.wrap(shortened(told, 600), width, subsequent_indent="  ", max_lines=4, placeholder=" …")
    if len(found) > _SHOWN:
        lines.append(f"- and {len(found) - _SHOWN} more, in the report")
    return lines
