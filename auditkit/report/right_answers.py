"""Which audits of a record hold answers against what is known to be right: labels of the data, or the kind of image."""

from __future__ import annotations

from collections.abc import Iterator

from auditkit.evidence import Audit, Evidence, Named
from auditkit.vocabulary import MODEL

_VALUES = {"correct", "above_chance", "likeliest_correct"}
_ENDINGS = {"lost", "refused", "unusable"}
_CHANCE = "chance of "  # an answer's probability, which areas between classes are made of
_KIND = "modality"
"""The shipped task whose right answer is known of every image, and the column that it is known from."""


def holds_right(audit: Audit) -> bool:
    """Whether an audit is about how often the audited model is right, or about what that depends on."""
    if audit.definition is None:  # an audit that ended in an error has no more than the name of what it counts
        return audit.quantity in _VALUES
    return any(_right(term) for term in _terms(audit))


def tells_rightness(audit: Audit) -> bool:
    """Whether an audit says how good the answers about images as they are are: right, or well rated by a judge.

    What is lost under a corruption, or differs between wordings, is not that; nor is whether a judge or a decider can
    be relied on.
    """
    if audit.change or audit.between or audit.statistic not in ("mean", "separation"):
        return False
    terms = list(_terms(audit))
    if any(term.condition for term in terms):
        return False
    rated = bool(terms) and all(term.role != MODEL and term.value not in {"", *_VALUES, *_ENDINGS} for term in terms)
    return holds_right(audit) or (rated and audit.verb == "at_least")


def by_kind(evidence: Evidence) -> list[Audit]:
    """Return the audits about what kind of image it is, whose right answer needs no label."""
    return [a for a in evidence.audits if holds_right(a) and not _labelled(a, evidence)]


def by_label(evidence: Evidence) -> list[Audit]:
    """Return the audits that hold answers against labels of the data."""
    return [a for a in evidence.audits if holds_right(a) and _labelled(a, evidence)]


def shows_what(evidence: Evidence) -> str:
    """Say what the audits of a record cannot show, whatever their verdicts."""
    if by_label(evidence):
        return (
            "An answer counts as right when it is the one that its label names. The audits do not show that the labels "
            "are right."
        )
    kind = ", and whether the model can tell what kind of image it is shown" if by_kind(evidence) else ""
    return f"The audits show how scores behave{kind}. They do not show that a diagnosis made from the images is right."


def _right(term: Named) -> bool:
    return term.role == MODEL and (term.value in _VALUES or term.value.startswith(_CHANCE))


def _terms(audit: Audit) -> Iterator[Named]:
    for part in audit.definition.parts if audit.definition else ():
        yield from part.terms


def _labelled(audit: Audit, evidence: Evidence) -> bool:
    """Whether any right answer that an audit counts is from a column other than the image's modality."""
    tasks = {term.task for term in _terms(audit) if _right(term)} or {audit.words.rpartition(".")[0]}
    return any(_column(task, evidence) != _KIND for task in tasks)


def _column(task: str, evidence: Evidence) -> str:
    """Return where the right answer to a task stands, as the protocol says; for shipped tasks, whether it is known."""
    declared = evidence.protocol.criteria.get("tasks")
    own = declared.get(task) if isinstance(declared, dict) else None
    truth = own.get("truth") if isinstance(own, dict) else None
    column = truth.get("column") if isinstance(truth, dict) else truth
    return str(column or (_KIND if task == _KIND else "label"))
