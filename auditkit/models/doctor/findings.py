"""What the doctor finds: one line each, and for what is missing the line to type."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

_MARKS = {"ok": "ok", "note": "note", "missing": "MISSING"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes
    ----------
    state : {"ok", "note", "missing"}
        Only ``missing`` keeps an audit from running.
    about : str
        One word: what was looked at.
    says : str
        What was found.
    remedy : str
        The line to type, or lines; empty when there is nothing to do.
    """

    state: Literal["ok", "note", "missing"]
    about: str
    says: str
    remedy: str = ""


def as_text(title: str, findings: Sequence[Finding]) -> str:
    """Return the findings as lines under a title, readable without colour, with a last line that sums up."""
    mark, about = (max(map(len, words)) for words in (_MARKS.values(), [finding.about for finding in findings]))
    lines = [title]
    for finding in findings:
        lines.append(f"  {_MARKS[finding.state]:{mark}}  {finding.about:{about}}  {finding.says}")
        lines += [f"  {'':{mark}}  {'':{about}}    {line}" for line in finding.remedy.splitlines()]
    missing = [finding.about for finding in findings if finding.state == "missing"]
    lines.append(f"Missing: {', '.join(missing)}." if missing else "Nothing is missing.")
    return "\n".join(lines)


def gigabytes(count: float) -> str:
    """Return bytes in words: ``8.6 GB``, ``12 MB``."""
    return f"{count / 1e9:.1f} GB" if count >= 1e8 else f"{count / 1e6:.0f} MB"
