"""Hazard -> audits -> verdict: the trace that a risk management file refers to."""

from __future__ import annotations

import re

from auditkit.evidence import Audit, Evidence, overall
from auditkit.report.clauses.rows import Hazard

_TEXTS = 3


def hazard_trace(evidence: Evidence) -> tuple[Hazard, ...]:
    """Group the audits by the hazard they look for; every audit that decides is in at least one group.

    Parameters
    ----------
    evidence : Evidence
        The record of a run.

    Returns
    -------
    tuple of Hazard
        First those with an id of the risk file (an audit that names several is in each), sorted with numbers as
        numbers; then one per hazard text of audits without an id, in the record's order; last, with neither id nor
        text, the audits that name no hazard. Verdicts are those of `auditkit.evidence.overall`.
    """
    by_id: dict[str, list[Audit]] = {}
    by_text: dict[str, list[Audit]] = {}
    for audit in evidence.deciding:
        ids = [name for name in dict.fromkeys(audit.hazard_ids) if name.strip()]
        for name in ids:
            by_id.setdefault(name, []).append(audit)
        if not ids:
            by_text.setdefault(audit.hazard, []).append(audit)
    unnamed = by_text.pop("", [])
    return (
        *(_hazard(name, _words(by_id[name]), by_id[name]) for name in sorted(by_id, key=_natural)),
        *(_hazard("", text, audits) for text, audits in by_text.items()),
        *([_hazard("", "", unnamed)] if unnamed else []),
    )


def _hazard(name: str, text: str, audits: list[Audit]) -> Hazard:
    return Hazard(id=name, text=text, audits=tuple(audits), verdict=overall(audit.verdict for audit in audits))


def _words(audits: list[Audit]) -> str:
    """Say what harm is meant; audits of one id may word it differently, and a table cell has room for a few."""
    texts = list(dict.fromkeys(audit.hazard for audit in audits if audit.hazard))
    more = f" … and {len(texts) - _TEXTS} more" if len(texts) > _TEXTS else ""
    return " ".join(texts[:_TEXTS]) + more


def _natural(name: str) -> list[tuple[bool, int, str]]:
    """Sort ``HAZ-2`` before ``HAZ-10``."""
    return [(not part.isdecimal(), int(part) if part.isdecimal() else 0, part) for part in re.split(r"(\d+)", name)]
