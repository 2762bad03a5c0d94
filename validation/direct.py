"""Scores straight into columns: the same numbers that texts would be read to, for hospitals of a thousand patients.

A text is made and read in 15 microseconds, and a thousand patients with four images each are asked 444,000 questions.
The reader is measured where there are fewer; everything after it is what a run uses.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from auditkit.images.item import Item
from auditkit.measure.columns import MAIN, NOT_ASKED, REFUSED, SCORED, Column, Measurements
from auditkit.protocol.model import Protocol
from auditkit.run.truths import truths_of
from auditkit.testing import Asked, Behaviour, Replies, Subjects
from auditkit.vocabulary import Effect
from validation.asking import planned_items, read

if TYPE_CHECKING:
    from numpy.typing import NDArray


def measured(
    behaviour: Behaviour, records: Sequence[Item], effects: Sequence[Effect], protocol: Protocol, seed: int
) -> Measurements:
    """Put every question of the effects to a made-up model, and take its scores as they are.

    Scores must be such as the task can say; every other text counts as a refusal. Where a truth or flags make more of
    an answer than its score, the text is read. Parameters are those of `auditkit.testing.simulate`.
    """
    records = truths_of(records, effects, protocol)
    subjects = Subjects.of(records)
    planned = planned_items(records, effects, protocol)
    derived = {
        question: items for question, items in planned.items() if protocol.catalogue.task(question.task).derived()
    }
    columns = {
        question: _column(behaviour.answer(Asked(subjects, question, protocol.catalogue, seed)), items)
        for question, items in planned.items()
        if question not in derived
    }
    return Measurements(records, columns | read(behaviour, records, derived, protocol, seed))


def _column(replies: Replies, planned: NDArray[np.bool_]) -> Column:
    outcomes = np.where(planned, SCORED, NOT_ASKED).astype(np.int8)
    silent = np.array(sorted(replies.texts), dtype=np.int64)
    outcomes[silent] = np.where(planned[silent], REFUSED, NOT_ASKED)
    return Column({MAIN: np.where(outcomes == SCORED, replies.scores, np.nan)}, outcomes)
