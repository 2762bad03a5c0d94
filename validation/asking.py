"""Put questions to a made-up model and read what it says, each distinct text of a question once.

What `auditkit.testing.simulate` does, in less time: most items are given one of a few scores. Every text still goes
through the reader that a run uses, and its numbers go to all items that were given it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from auditkit.ask.plan import Plan
from auditkit.ask.store import StoredAnswer
from auditkit.images.item import Item
from auditkit.measure.columns import NOT_ASKED, Column, Measurements
from auditkit.measure.reader import AnswerTable
from auditkit.protocol.model import Protocol
from auditkit.testing import Asked, Behaviour, Replies, Subjects, say
from auditkit.vocabulary import Effect, Question

if TYPE_CHECKING:
    from numpy.typing import NDArray


def answers(
    behaviour: Behaviour, records: Sequence[Item], effects: Sequence[Effect], protocol: Protocol, seed: int
) -> Measurements:
    """Return the measurements that `auditkit.testing.simulate` returns."""
    subjects = Subjects.of(records)
    table = AnswerTable(len(records), protocol.catalogue)
    columns = {}
    for question, planned in planned_items(records, subjects, effects, protocol).items():
        replies = behaviour.answer(Asked(subjects, question, protocol.catalogue, seed))
        texts, same = _distinct(replies, question, protocol)
        for item, text in texts.items():
            table.put(item, question, StoredAnswer(text, "stop"))
        columns[question] = _spread(table.columns[question], same, planned)
    return Measurements(records, columns)


def planned_items(
    records: Sequence[Item], subjects: Subjects, effects: Sequence[Effect], protocol: Protocol
) -> dict[Question, NDArray[np.bool_]]:
    """Return which items every question is put to, each of shape (n,)."""
    roles = dict.fromkeys(question.role for effect in effects for question in effect.questions())
    plan = Plan(tuple(records), tuple(effects), protocol, tuple(roles))
    modalities = subjects.modalities.astype(str)
    found: dict[Question, NDArray[np.bool_]] = {}
    for modality in dict.fromkeys(modalities.tolist()):
        for question in plan.questions(modality):
            held = found.setdefault(question, np.zeros(len(modalities), dtype=bool))
            held |= modalities == modality
    return found


def _distinct(replies: Replies, question: Question, protocol: Protocol) -> tuple[dict[int, str], NDArray[np.int64]]:
    """Return one item for every distinct text, and for each item which of these stands for it."""
    same = np.arange(replies.scores.size)
    spoken: dict[str, int] = {}
    for item, text in replies.texts.items():
        same[item] = spoken.setdefault(text, item)
    texts = {item: text for text, item in spoken.items()}
    scored = np.delete(same, list(replies.texts)) if replies.texts else same.copy()
    scores, first, code = np.unique(replies.scores[scored], return_index=True, return_inverse=True)
    for score, item in zip(scores.tolist(), scored[first].tolist(), strict=True):
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
