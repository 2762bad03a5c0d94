"""The fields of a record that `verify` holds against nothing: the one list, which docs/integrity.md prints."""

from __future__ import annotations

UNCHECKED = {
    "run.id": "made of time and chance",
    "run.finished": "by the clock, when the run had ended",
    "run.command": "as it was typed",
    "run.git.*": "of the checkout",
    "run.packages.*": "versions; that of auditkit decides whether a difference is said to be one of the code",
    "run.machine.*": "of the machine",
    "audits[].question": "in the words of the audit files",
    "audits[].hazard_ids[]": "of the audit files",
    "audits[].cases[].control_jpeg": "a small picture",
    "audits[].cases[].treated_jpeg": "a small picture",
}
"""Path of a field (``[]`` any place of a list, ``*`` any key) and what it is."""


def listed() -> str:
    """Return the list as docs/integrity.md prints it."""
    return "\n".join(["| field | what it is |", "|---|---|", *(f"| `{k}` | {v} |" for k, v in UNCHECKED.items())])
