"""Who else answered in a run, in words."""

from __future__ import annotations

from auditkit.evidence import Evidence, RoleInfo
from auditkit.words.names import OUTCOME_NAMES, and_listed
from auditkit.words.numbers import count, whole
from auditkit.words.text import shortened

_HOW = {
    "model": "asked here",
    "server": "asked on a server",
    "record": "by the record of run {run}",
    "data": "from columns of the images",
}
_LONGEST = 160


def how_given(other: RoleInfo) -> str:
    """Say how somebody came to answer: ``by the record of run 20261122-000000-abcdef``."""
    return _HOW[other.given].format(run=shortened(other.run, _LONGEST))


def _lost(other: RoleInfo) -> str:
    """How many of the answers have no score, by what became of them; empty where all have one."""
    lost = [
        f"{whole(n)} {label.lower()}"
        for name, label in OUTCOME_NAMES.items()
        if name != "scored" and (n := getattr(other.outcomes, name))
    ]
    return f"; {and_listed(lost)}" if lost else ""


def beside_name(other: RoleInfo) -> str:
    """Name a second model with its revision and its back end: ``llava, revision 9b1d, back end transformers``."""
    revision = f", revision {other.revision}" if other.revision else ""
    backend = f", back end {other.backend}" if other.backend else ""
    return f"{shortened(other.name, _LONGEST)}{revision}{backend}"


def beside_sentences(evidence: Evidence) -> list[str]:
    """Say who else answered, how many questions, and how they were given; nothing where nobody did."""
    return [_beside_sentence(other, shortened(evidence.names[other.role], _LONGEST)) for other in evidence.models]


def _beside_sentence(other: RoleInfo, name: str) -> str:
    if other.given == "data":
        return (
            f"{count(other.outcomes.total, 'answer')} stand in the data: columns of the images, where nobody was asked."
        )
    asked = count(other.outcomes.total, "distinct question")
    return f"{name} answered {asked} as the {other.role}, {how_given(other)}{_lost(other)}."
