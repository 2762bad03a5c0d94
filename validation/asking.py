"""Put questions to a made-up model and read what it says, each distinct text of a question once.

What `auditkit.testing.simulate` does, in less time: most items are given one of a few scores. Every text still goes
through the reader that a run uses, and its numbers go to all items that were given it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from auditkit.ask.plan import Plan
from auditkit.ask.store import StoredAnswer
from auditkit.images.item import Item
from auditkit.measure.columns import NOT_ASKED, Column, Measurements
from auditkit.measure.reader import AnswerTable
from auditkit.protocol.model import Protocol
from auditkit.run.truths import truths_of
from auditkit.testing import Asked, Behaviour, Replies, Subjects, say
from auditkit.vocabulary import Effect, Question

if TYPE_CHECKING:
    from numpy.typing import NDArray


def answers(
    behaviour: Behaviour, records: Sequence[Item], effects: Sequence[Effect], protocol: Protocol, seed: int
) -> Measurements:
    """Return the measurements that `auditkit.testing.simulate` returns."""
    records = truths_of(records, effects, protocol)
    return Measurements(records, read(behaviour, records, planned_items(records, effects, protocol), protocol, seed))


def read(
    behaviour: Behaviour,
    records: Sequence[Item],
    planned: Mapping[Question, NDArray[np.bool_]],
    protocol: Protocol,
    seed: int,
) -> dict[Question, Column]:
    """Return the columns of these questions, asked of the items that each is planned for and read as texts."""
    subjects = Subjects.of(records)
    table = AnswerTable(len(records), protocol.catalogue)
    columns = {}
    for question, items in planned.items():
        replies = behaviour.answer(Asked(subjects, question, protocol.catalogue, seed))
        texts, same = _distinct(replies, _alike(records, question, protocol), question, protocol)
        for item, text in texts.items():
            table.put(item, question, StoredAnswer(text, "stop"), records[item].columns)
        columns[question] = _spread(table.columns[question], same, items)
    return columns


def planned_items(
    records: Sequence[Item], effects: Sequence[Effect], protocol: Protocol
) -> dict[Question, NDArray[np.bool_]]:
    """Return which items every question is put to, each of shape (n,); questions that are put to none are left out."""
    roles = dict.fromkeys(question.role for effect in effects for question in effect.questions())
    plan = Plan(tuple(records), tuple(effects), protocol, tuple(roles))
    # Few lists differ, and comparing two takes less time than looking up every question of every item.
    lists: list[tuple[tuple[Question, ...], list[int]]] = []
    for item, record in enumerate(records):
        about = plan.about(record)
        held = next((items for known, items in lists if known == about), None)
        if held is None:
            lists.append((about, [item]))
        else:
            held.append(item)
    modalities = dict.fromkeys(record.modality for record in records)
    every = dict.fromkeys(question for modality in modalities for question in plan.questions(modality))
    found = {question: np.zeros(len(records), dtype=bool) for question in every}
    for about, items in lists:
        for question in about:
            found[question][items] = True
    return {question: planned for question, planned in found.items() if planned.any()}


def _alike(records: Sequence[Item], question: Question, protocol: Protocol) -> NDArray[np.int64]:
    """Return a code for each item, shape (n,): equal where the task's columns are, so that a text is read alike."""
    columns = protocol.catalogue.task(question.task).columns
    codes: dict[tuple[str | None, ...], int] = {}
    if not columns:
        return np.zeros(len(records), dtype=np.int64)
    known = (tuple(record.columns.get(name) for name in columns) for record in records)
    return np.array([codes.setdefault(levels, len(codes)) for levels in known], dtype=np.int64)


def _distinct(
    replies: Replies, alike: NDArray[np.int64], question: Question, protocol: Protocol
) -> tuple[dict[int, str], NDArray[np.int64]]:
    """Return one item for every distinct text about items alike, and for each item which of these stands for it."""
    same = np.arange(replies.scores.size)
    spoken: dict[tuple[str, int], int] = {}
    for item, text in replies.texts.items():
        same[item] = spoken.setdefault((text, int(alike[item])), item)
    texts = {item: text for (text, _), item in spoken.items()}
    scored = np.delete(same, list(replies.texts)) if replies.texts else same.copy()
    said = np.stack([replies.scores[scored], alike[scored]])
    scores, first, code = np.unique(said, axis=1, return_index=True, return_inverse=True)
    for score, item in zip(scores[0].tolist(), scored[first].tolist(), strict=True):
        texts[item] = say(score, question, protocol.catalogue)
    same[scored] = scored[first][code.reshape(-1)]
    return texts, same


def _spread(column: Column, same: NDArray[np.int64], planned: NDArray[np.bool_]) -> Column:
    labels = column.labels
    return replace(
        column,
        values={name: np.where(planned, values[same], np.nan) for name, values in column.values.items()},
        outcomes=np.where(planned, column.outcomes[same], NOT_ASKED).astype(np.int8),
        labels=None if labels is None else np.where(planned, labels[same], ""),
    )
