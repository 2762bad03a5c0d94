"""What could not be had of a model, in the same words in the record and beside the figures."""

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
