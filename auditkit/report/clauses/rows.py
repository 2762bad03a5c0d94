"""What the clause map and the hazard trace hand to those who print them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from auditkit.evidence import Audit, Verdict

Status = Literal["supported", "partial", "not covered"]

DISCLAIMER = (
    "Supports, does not establish, conformity. A status says how far this record holds evidence on what a clause asks; "
    "it does not say that the evidence is good: a FAIL is evidence, too. What is asked is put in our own words; read "
    "the text itself before relying on it."
)
"""To be shown with every clause table."""


@dataclass(frozen=True, slots=True)
class Row:
    """One clause of a text against one record."""

    clause: str
    """Number of the clause, article or item, as the text has it."""
    asks: str
    """What it asks for, in our words."""
    status: Status
    """How far this record holds evidence on it; says nothing of the verdicts."""
    evidence: tuple[str, ...]
    """What in the record answers it, for people: a family with its counts, a section; empty when nothing does."""
    why: str
    """Why it is not ``supported``; for a supported row, what it rests on where that needs saying."""


@dataclass(frozen=True, slots=True)
class Text:
    """One regulation, standard or reporting guideline, clause by clause."""

    key: str
    """Short and stable: ``eu-ai-act``."""
    title: str
    version: str
    """Which version of the text was mapped."""
    date: str
    """Date of that version."""
    note: str
    """What could not be read in the original, and what bears on the use of the map."""
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Hazard:
    """One hazard with the audits that look for it."""

    id: str
    """Id in the risk file, as the audit's ``hazard`` marker gives it; empty where none was given."""
    text: str
    """What harm a failure could do; empty where only an id is known."""
    audits: tuple[Audit, ...]
    verdict: Verdict
    """Over the audits, all of which must pass."""
