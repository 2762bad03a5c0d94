"""The ids of the audits that a protocol declares, whatever was collected."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from auditkit import tasks
from auditkit.protocol.shipped import SHIPPED
from auditkit.tasks import Task
from auditkit.tasks.truth import COLUMN_OF
from auditkit.vocabulary import Effect
from auditkit.words import some_of

MODALITY = "modality"


def lacks_kinds(effect: Effect, known: Mapping[str, Task], modalities: Iterable[str]) -> str:
    """Say which right answers, of those that an effect needs, no image of these modalities has.

    Only of tasks whose right answer follows from the modality, so that it is known of any data, and again of a record.
    Empty where there are images for all of it: for every answer that counts alike, for any answer of what is asked.

    Parameters
    ----------
    effect : Effect
        What is judged.
    known : mapping of str to Task
        The tasks there are.
    modalities : iterable of str
        Of the images.
    """
    parts = [part for one in effect.parts for part in (one, one.provided) if part is not None]
    names = {part.balanced.removeprefix(COLUMN_OF) for part in parts if part.balanced.startswith(COLUMN_OF)}
    asked = {question.task for question in effect.questions()}
    there = list(modalities)
    for name in sorted((names | asked) & known.keys()):
        task = known[name]
        if task.truth is None or task.truth.column != MODALITY:
            continue
        told = {task.truth.of(modality, task.answers) for modality in there} - {""}
        if not told:
            return f"no image is of a kind that {name} asks about."
        lacking = [f"“{task.in_words(answer)}”" for answer in task.answers if answer not in told]
        if name in names and lacking:
            return f"no image shows {some_of(lacking)}, so that guessing cannot be told from knowing."
    return ""


def declared_ids(
    criteria: Mapping[str, Any], roles: Iterable[str] = (), modalities: Iterable[str] | None = None
) -> list[str]:
    """Return the ids of the shipped audits of the protocol's families, without those only shown, sorted.

    A protocol that leaves a shipped family out does not declare its audits: what it leaves out is in its hash.

    Parameters
    ----------
    criteria : mapping
        The protocol as resolved, as a record holds it.
    roles : iterable of str
        Earlier runs that all of them are held against as well (``baseline``, ``anchor``).
    modalities : iterable of str, optional
        Of the images: what cannot be told of these is not declared for them (`lacks_kinds`).
    """
    families = criteria.get("families", {})
    deciding = [name for name in SHIPPED if name in families and not (families[name] or {}).get("shown")]
    known, there = tasks.shipped(), None if modalities is None else tuple(modalities)
    own = {
        f"{family}/{effect.name}": effect
        for family in deciding
        for effect in SHIPPED[family]()
        if (there is None or not lacks_kinds(effect, known, there)) and _gates(effect, families[family] or {})
    }
    # Gaps between groups are not held against an earlier run.
    return sorted([*own, *(f"{role}/{name}" for role in roles for name, effect in own.items() if not effect.between)])


def _gates(effect: Effect, family: Mapping[str, Any]) -> bool:
    """Whether a family that has a limit holds an effect to it (`Family.of`)."""
    required = family.get("required") or ()
    return not (effect.between and required and effect.name not in required)
