"""What the tasks of a run need to know of every item, and the right answers, before anything is asked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from auditkit.images.item import UNKNOWN, ImageSet, Item
from auditkit.measure.columns import MODALITY
from auditkit.protocol.model import Protocol
from auditkit.tasks import Task
from auditkit.tasks.truth import COLUMN_OF
from auditkit.vocabulary import Effect

_OTHER = "other"
"""The modality of what is of none of the others."""


def tasks_of(effects: Iterable[Effect], protocol: Protocol) -> tuple[Task, ...]:
    """Return the tasks whose questions are asked, and those whose answers they are about, each once."""
    catalogue = protocol.catalogue
    found: dict[str, Task] = {}
    for effect in effects:
        for question in effect.questions():
            name = protocol.resolve(question).task
            while name and name not in found:
                found[name] = catalogue.task(name)
                name = found[name].of
    return tuple(found.values())


def columns_of_tasks(effects: Iterable[Effect], protocol: Protocol) -> tuple[str, ...]:
    """Return the columns of the data that the tasks name."""
    named = (name for task in tasks_of(effects, protocol) for name in task.columns)
    return tuple(dict.fromkeys(name for name in named if not name.startswith(COLUMN_OF)))


def without_picture(effects: Iterable[Effect], protocol: Protocol) -> bool:
    """Tell whether items without a picture can be asked: a task that shows none, and is about none that does."""
    catalogue = protocol.catalogue

    def shows_none(name: str) -> bool:
        task = catalogue.task(name)
        return not task.pictures and (not task.of or shows_none(task.of))

    questions = (protocol.resolve(question) for effect in effects for question in effect.questions())
    return any(catalogue.asks(question) and shows_none(question.task) for question in questions)


def with_truths(images: ImageSet, effects: Iterable[Effect], protocol: Protocol) -> ImageSet:
    """Return the images with the right answer to every task in a column of its own.

    It is one of the task's answers or unknown, so that it names nobody, and stands in the record where an audit chooses
    items by it.
    """
    return replace(images, records=truths_of(images.records, effects, protocol))


def truths_of(records: Iterable[Item], effects: Iterable[Effect], protocol: Protocol) -> tuple[Item, ...]:
    """Return the items with the right answer to every task, as `with_truths` does."""
    tasks = [task for task in tasks_of(effects, protocol) if task.truth is not None]
    return tuple(_with_truths(record, tasks) for record in records) if tasks else tuple(records)


def _with_truths(record: Item, tasks: Sequence[Task]) -> Item:
    columns = record.columns
    if record.modality != _OTHER and any(task.truth and task.truth.column == MODALITY for task in tasks):
        columns = {MODALITY: record.modality, **columns}  # whether or not the source has such a column
    right = {COLUMN_OF + task.id: task.right(columns) for task in tasks}
    levels = {name: said or UNKNOWN for name, said in right.items()}
    known = {name: said for name, said in right.items() if said}
    return replace(record, attributes={**record.attributes, **levels}, columns={**columns, **known})
