"""What modalities, verdicts, outcomes and audits are called, and how names are listed."""

from __future__ import annotations

import re
from collections.abc import Sequence

from auditkit.evidence import ALL, Audit, Stratum, Verdict

# Icon for terminals and charts; pages draw the same shapes as inline SVG. Shape differs as well as colour.
SYMBOLS: dict[Verdict, str] = {"PASS": "✓", "FAIL": "✗", "INCONCLUSIVE": "?", "ERROR": "!"}
VERDICT_ORDER: tuple[Verdict, ...] = ("PASS", "FAIL", "INCONCLUSIVE", "ERROR")
SHOWN = "shown"
"""Stands for the verdict of an audit that is for information only."""

_TRUTH = "truth."
"""Before the task, in the name of the column with the right answers."""

OUTCOME_NAMES: dict[str, str] = {
    "scored": "Scored",
    "refused": "Refused",
    "no_image": "Said there is no image",
    "unparsed": "Not readable",
    "out_of_range": "Outside the scale",
    "truncated": "Cut off",
    "error": "Error",
}

MODALITY_LABELS = {
    "xray": "X-ray",
    "ct": "CT",
    "mr": "MRI",
    "ultrasound": "ultrasound",
    "mammography": "mammography",
    "nuclear": "nuclear medicine",
    "oct": "OCT",
    "fundus": "fundus photography",
    "endoscopy": "endoscopy",
    "dermoscopy": "dermoscopy",
    "histology": "histology",
    "other": "other images",
    ALL: "all modalities",
}


def modality_label(modality: str) -> str:
    """Return a modality's name within a sentence; a name that is not known is given in words."""
    return MODALITY_LABELS.get(modality) or modality.replace("_", " ")


def modality_name(modality: str) -> str:
    """Return a modality's name as it stands alone, in a table or a heading: with a capital letter."""
    label = modality_label(modality)
    return label[:1].upper() + label[1:]


def stratum_name(stratum: Stratum) -> str:
    """Return what a stratum is called where it stands alone: the modality, or column and level."""
    if stratum.column == "modality":
        return modality_name(stratum.level)
    if stratum.level == ALL:
        return "All together"
    return f"{plain_name(stratum.column)}: {stratum.level}"


def column_name(column: str) -> str:
    """Name a column of the data within a sentence: ``device``, ``right answer to pneumonia present``."""
    task = column.removeprefix(_TRUTH)
    words = re.sub(r"[_.]+", " ", task if task == column else f"right answer to {task}")
    return words.replace("*", " and ")


def plain_name(identifier: str) -> str:
    """Turn an identifier such as ``gaussian_noise`` into words (``Gaussian noise``)."""
    words = re.sub(r"[_\-.]+", " ", column_name(identifier)).strip()
    return words[:1].upper() + words[1:]


def audit_name(audit: Audit) -> str:
    """Return an audit's title; where the title is only the id (or missing), the id in words without its category."""
    subject = audit.id.split("/", 1)[-1]
    if audit.title and audit.title not in (subject, audit.id):
        return audit.title
    return plain_name(subject.rpartition(".")[2]) or audit.id


def verdict_word(audit: Audit) -> str:
    """Return the verdict of an audit, or that it is shown for information only."""
    return SHOWN if audit.shown else audit.verdict


def and_listed(names: Sequence[str]) -> str:
    """Join names: ``A, B and C``."""
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else "".join(names)


def some_of(names: Sequence[str], most: int = 4) -> str:
    """Join the first names and count the rest: ``A, B, C, D and 3 more``."""
    rest = len(names) - most
    return ", ".join(names[:most]) + (f" and {rest} more" if rest > 0 else "")
