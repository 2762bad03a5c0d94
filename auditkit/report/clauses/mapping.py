"""The clause map: every clause held against one record."""

from __future__ import annotations

from auditkit.evidence import Evidence
from auditkit.report.clauses.families import of_family
from auditkit.report.clauses.found import Found, of_field
from auditkit.report.clauses.rows import Row, Status, Text
from auditkit.report.clauses.sections import SECTIONS
from auditkit.report.clauses.texts import ClauseEntry, texts


def clause_map(evidence: Evidence) -> tuple[Text, ...]:
    """Hold every clause of every text against a record.

    A row is ``supported`` when all that answers it is in the record and the clause asks for nothing beyond a record;
    ``partial`` when some of it is; else ``not covered``. Verdicts do not enter: a FAIL covers as a PASS does, while
    INCONCLUSIVE, ERROR and audits not run leave a gap.

    Parameters
    ----------
    evidence : Evidence
        The record of a run.

    Returns
    -------
    tuple of Text
        Law and regulators first, then standards, then reporting guidelines. To be shown with `DISCLAIMER`.
    """
    return tuple(
        Text(
            key=text.key,
            title=text.title,
            version=text.version,
            date=text.date,
            note=text.note,
            rows=tuple(_row(entry, evidence) for entry in text.rows),
        )
        for text in texts()
    )


def _row(entry: ClauseEntry, evidence: Evidence) -> Row:
    pieces = [
        *(of_family(evidence, name) for name in entry.families),
        *(SECTIONS[name](evidence) for name in entry.sections),
        *(of_field(evidence, path) for path in entry.fields),
    ]
    gaps = list(dict.fromkeys(gap for piece in pieces for gap in piece.gaps))
    open_ends = f"Open: {'; '.join(gaps)}." if gaps else ""
    return Row(
        clause=entry.clause,
        asks=entry.asks,
        status=_status(pieces, entry.beyond),
        evidence=tuple(dict.fromkeys(piece.label for piece in pieces if piece.level != "none")),
        why=" ".join(part for part in (open_ends, entry.beyond) if part),
    )


def _status(pieces: list[Found], beyond: str) -> Status:
    levels = {piece.level for piece in pieces}
    if not levels - {"none"}:
        return "not covered"
    return "supported" if levels == {"all"} and not beyond else "partial"
