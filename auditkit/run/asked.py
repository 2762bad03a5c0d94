"""Which tasks can be put to which images: what lacks a right answer, a picture or the right modality is not asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from auditkit.ask.plan import Plan
from auditkit.errors import AuditkitError
from auditkit.images.item import ImageSet, Item
from auditkit.protocol.model import Protocol
from auditkit.tasks import Task
from auditkit.vocabulary import Effect
from auditkit.words import and_listed, cut, modality_label, some_of

_SHOWN = 12
"""Columns or levels that a message lists at most."""


@dataclass(frozen=True)
class Lacking:
    """What is not asked, and why.

    Attributes
    ----------
    by_image : mapping of str to mapping of str to str
        Of every image that is not asked all that is planned, by its id: the reason by task, or by the perturbation of
        which the data hold no picture.
    by_task : mapping of str to str
        Of every task that no image is asked: the commonest reason.
    """

    by_image: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    by_task: Mapping[str, str] = field(default_factory=dict)

    def of(self, effect: Effect, protocol: Protocol) -> str:
        """Say why nothing of an effect can be measured; empty where something can."""
        for question in effect.questions():
            task = protocol.resolve(question).task
            if task in self.by_task:
                return f"no image can be asked {task}: {self.by_task[task]}."
        return ""


def askable(
    effects: Sequence[Effect], protocol: Protocol, records: Sequence[Item], images: ImageSet, roles: tuple[str, ...]
) -> tuple[tuple[Effect, ...], Lacking]:
    """Return the effects that there is an image for, and what is not asked of the models that answer in these roles.

    Raises
    ------
    AuditkitError
        When there is no image for any of them, with what the data have instead.
    """
    tasks = _asked(effects, protocol)
    plan = Plan(tuple(records), tuple(effects), protocol, roles)
    by_image = {record.id: reasons for record in records if (reasons := _reasons(record, tasks, plan))}
    missing = Counter(task for reasons in by_image.values() for task in reasons)
    nowhere = [task for task in tasks if records and missing[task.id] == len(records)]
    lacking = Lacking(by_image, {task.id: _commonest(task.id, by_image.values()) for task in nowhere})
    left = tuple(effect for effect in effects if not lacking.of(effect, protocol))
    if effects and not left:
        first = next(task for task in nowhere if task.id in lacking.by_task)
        raise AuditkitError(
            f"nothing is left to ask: no image can be asked {some_of([task.id for task in nowhere])}; why not the "
            f"first: {lacking.by_task[first.id]}.",
            _remedy(first, [record for record in records if first.applies_to(record.modality)], images),
        )
    return left, lacking


def _asked(effects: Iterable[Effect], protocol: Protocol) -> list[Task]:
    """The tasks of the effects, in their order."""
    names = dict.fromkeys(protocol.resolve(q).task for effect in effects for q in effect.questions())
    return [protocol.catalogue.task(name) for name in names]


def _reasons(record: Item, tasks: Iterable[Task], plan: Plan) -> dict[str, str]:
    others = (task for task in tasks if not task.applies_to(record.modality))
    about = {task.id: and_listed([modality_label(name) for name in task.modalities]) for task in others}
    return plan.lacking(record) | {task: f"it is about {modalities}" for task, modalities in about.items()}


def _commonest(task: str, every: Iterable[Mapping[str, str]]) -> str:
    return Counter(reasons[task] for reasons in every if task in reasons).most_common(1)[0][0]


def _remedy(task: Task, records: Sequence[Item], images: ImageSet) -> str:
    """Say what the data have in place of what a task takes, and what to write."""
    if not records:
        return "Select the audits of what the images show, as in -k pneumonia, or give each image its modality."
    if task.truth is None:
        return ""
    column = task.truth.column
    seen = dict.fromkeys(record.columns[column] for record in records if record.columns.get(column))
    answers = ", ".join(f'"{answer}" = ["..."]' for answer in task.answers)
    write = f'[tasks."{task.id}"] truth = {{ column = "{column}", levels = {{ {answers} }} }}'
    if seen:
        shown = ", ".join(cut(level, 40) for level in list(seen)[:_SHOWN])
        return f"The column {column!r} says {shown}. Write into the protocol which of these is which answer: {write}"
    others = ", ".join(list(images.unread)[:_SHOWN])
    there = f"The data have no {column!r}" + (f"; columns that are not read are {others}" if others else "")
    return f'{there}. Call the column with the right answers "{column}", or write into the protocol: {write}'
