"""Which terms of a ratio of errors are the model's, and which the reference's."""

from __future__ import annotations

from dataclasses import replace

from auditkit.vocabulary import MODEL, Part


def sides_of(part: Part) -> tuple[Part, Part]:
    """Return the terms of the model and those of the reference, the latter with their signs turned.

    As in a difference, the reference's terms stand in a part with the opposite sign.
    """
    others = any(value.question.role != MODEL for _, value in part.terms)

    def ours(weight: float, role: str) -> bool:
        return role == MODEL if others else weight > 0

    mine = tuple((w, v) for w, v in part.terms if ours(w, v.question.role))
    theirs = tuple((-w, v) for w, v in part.terms if not ours(w, v.question.role))
    return replace(part, terms=mine), replace(part, terms=theirs)
