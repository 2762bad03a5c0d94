"""What a run has to tell of its audits: those that do not pass, where their tests are, the most telling first."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Container, Mapping
from dataclasses import dataclass
from pathlib import Path

from auditkit.evidence import VERDICTS, Audit, Evidence


@dataclass(frozen=True)
class Place:
    """Where an audit's test function is.

    Attributes
    ----------
    path : pathlib.Path
        Absolute.
    line : int
        From 1.
    """

    path: Path
    line: int

    def within(self, folder: Path) -> str | None:
        """Return the path from a folder with forward slashes; None when it is not inside."""
        # Both resolved: a runner's workspace is often behind a symbolic link.
        path = Path(os.path.realpath(self.path))
        base = Path(os.path.realpath(folder))
        return path.relative_to(base).as_posix() if path.is_relative_to(base) else None


@dataclass(frozen=True)
class Finding:
    """An audit that does not pass.

    Attributes
    ----------
    audit : Audit
        Its record.
    blocks : bool
        Whether it makes the session fail; False where it was allowed (``--audit-allow-inconclusive``) or expected
        (``xfail``).
    place : Place or None
        Where its test is, when that is known.
    """

    audit: Audit
    blocks: bool
    place: Place | None


def findings(evidence: Evidence, places: Mapping[str, Place], *, excused: Container[str] = ()) -> list[Finding]:
    """Return the audits that do not pass, the most telling first; those shown for information are left out.

    FAIL before ERROR before INCONCLUSIVE; within these one audit of every family before a second of any, so that
    sixty failures of one kind do not hide the one of another; within a family the clearest evidence first.
    """
    ranked = sorted(
        (audit for audit in evidence.deciding if audit.verdict != "PASS"),
        key=lambda a: (VERDICTS.index(a.verdict), 1.0 if a.p_fail is None else a.p_fail, a.id),
    )
    seen: Counter[tuple[str, str]] = Counter()
    rounds = {}
    for audit in ranked:
        rounds[audit.id] = seen[audit.verdict, audit.family]
        seen[audit.verdict, audit.family] += 1
    ranked.sort(key=lambda a: (VERDICTS.index(a.verdict), rounds[a.id]))  # stable: the order above holds within
    return [Finding(audit, audit.id not in excused, places.get(audit.id)) for audit in ranked]


def more_patients(audit: Audit) -> str:
    """Say how many more patients would likely decide an INCONCLUSIVE audit, in the modality that needs most of them."""
    undecided = [cell for cell in audit.parts if cell.required and cell.verdict == "INCONCLUSIVE"]
    numbers = [cell.more_clusters for cell in undecided if cell.more_clusters]
    if not numbers:
        return "cannot be said"
    most = f"about {max(numbers):,}"
    return most if len(numbers) == len(undecided) else f"{most}, not known for all modalities"
