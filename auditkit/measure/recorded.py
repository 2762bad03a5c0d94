"""The answers of a run as they stand in its record, and back: how a run is paired with an earlier one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from auditkit.ask.keys import digest_of
from auditkit.ask.store import NotedImage
from auditkit.evidence import NO_SCORE, NOT_ASKED, OUTCOME_MARKS, AnswerColumn, Answers, ImageEntry
from auditkit.images.record import ImageRecord
from auditkit.measure.columns import NOT_ASKED as NOT_ASKED_CODE
from auditkit.measure.columns import Column, Measurements
from auditkit.tasks.answers import OUTCOMES
from auditkit.vocabulary import Condition

_SCORED = OUTCOMES.index("scored")
_OUTCOME_OF = {mark: OUTCOMES.index(name) for name, mark in OUTCOME_MARKS.items()}
# Far more than any scale has; 100/6 keeps a value that reads back as itself.
_DIGITS = 8


def to_answers(data: Measurements, batch_size: int) -> Answers:
    """Return the record of all answers.

    Parameters
    ----------
    data : Measurements
        The n images and their answers.
    batch_size : int
        Nominal requests per call.
    """
    images = [
        ImageEntry(id=r.id, cluster=r.cluster, modality=r.modality, synthetic=r.synthetic, answers_sha256=digest)
        for r, digest in zip(data.records, data.digests, strict=True)
    ]
    columns = []
    for condition, template in sorted(data.asked(), key=lambda place: (place[1], place[0])):
        column = data.column(condition, template)
        columns.append(
            AnswerColumn(
                template=template,
                corruption=condition.corruption,
                severity=condition.severity,
                context=condition.context,
                repeat=condition.repeat,
                alone=condition.alone,
                marks=" ".join(map(_mark, column.outcomes.tolist(), column.scores.tolist())),
            )
        )
    order = sorted(range(len(images)), key=lambda i: images[i].id)
    if order != list(range(len(images))):
        images = [images[i] for i in order]
        columns = [c.model_copy(update={"marks": _reordered(c.marks, order)}) for c in columns]
    return Answers(batch_size=batch_size, images=images, columns=columns, sha256=answers_sha256(images))


def answers_sha256(images: Sequence[ImageEntry]) -> str:
    """Return the SHA-256 over the ids of images and the digests of their raw answers."""
    return digest_of([[image.id, image.answers_sha256] for image in images])


def data_sha256(contents: Iterable[str]) -> str:
    """Return the SHA-256 over the content addresses of images, in whatever order they come."""
    return digest_of(sorted(contents))


def noted(records: Iterable[ImageRecord]) -> list[NotedImage]:
    """Return what the store notes of a run's images, so that its record can be checked without the images."""
    return [NotedImage(r.id, r.cluster, r.modality, r.synthetic, r.content) for r in records]


def condition_of(column: AnswerColumn) -> Condition:
    """Return the condition of a column."""
    return Condition(column.corruption, column.severity, column.context, column.repeat, column.alone)


def from_answers(answers: Answers) -> Measurements:
    """Return the measurements that a record holds; doses and probabilities are not among them.

    Raises
    ------
    ValueError
        A column with another number of marks than there are images, or with an unknown mark.
    """
    records = [
        ImageRecord(
            id=image.id,
            cluster=image.cluster,
            modality=image.modality,
            content="",
            synthetic=image.synthetic,
            source="",
            read=_no_pixels,
        )
        for image in answers.images
    ]
    columns = {(condition_of(c), c.template): _column(c, len(records)) for c in answers.columns}
    return Measurements(records, columns, {}, [image.answers_sha256 for image in answers.images])


def _column(column: AnswerColumn, n: int) -> Column:
    marks = column.marks.split()
    if len(marks) != n:
        raise ValueError(f"{condition_of(column)} of {column.template} has {len(marks)} marks for {n} images")
    scores = np.full(n, np.nan)
    outcomes = np.empty(n, dtype=np.int8)
    for i, mark in enumerate(marks):
        if mark == NOT_ASKED:
            outcomes[i] = NOT_ASKED_CODE
        elif mark in _OUTCOME_OF:
            outcomes[i] = _OUTCOME_OF[mark]
        else:
            outcomes[i] = _SCORED
            scores[i] = np.nan if mark == NO_SCORE else float(mark)
    return Column(scores, outcomes)


def _mark(outcome: int, score: float) -> str:
    if outcome == NOT_ASKED_CODE:
        return NOT_ASKED
    if outcome != _SCORED:
        return OUTCOME_MARKS[OUTCOMES[outcome]]
    return NO_SCORE if np.isnan(score) else f"{score:.{_DIGITS}g}"


def _reordered(marks: str, order: Sequence[int]) -> str:
    values = marks.split()
    return " ".join(values[i] for i in order)


def _no_pixels() -> NDArray[np.uint8]:
    raise LookupError("a record holds no pixels")
