"""What could not be had of a model, or of the store, in the same words in the record and beside the figures."""

from __future__ import annotations

from auditkit.evidence import Unscored
from auditkit.words.numbers import count


def not_embedded_sentence(entry: Unscored) -> str:
    """Say of a kind of embeddings how many could not be had, why, and whether it can help to run again.

    Parameters
    ----------
    entry : Unscored
        Of ``Evidence.not_embedded``.
    """
    lost = count(entry.n, f"{entry.question} embedding") if entry.n else f"The {entry.question} embeddings"
    why = entry.why.rstrip(".") or "no reason is recorded"
    return f"{lost} could not be had: {why}. {entry.remedy}".rstrip()


def damaged_sentence(rows: int) -> str:
    """Say how many rows of the store were damaged, and what was done about it; empty where none was.

    Parameters
    ----------
    rows : int
        ``Probes.damaged``.
    """
    if not rows:
        return ""
    were = count(rows, "row of the store was", "rows of the store were")
    return f"{were} damaged and not used: what should have been there was asked or made again."
