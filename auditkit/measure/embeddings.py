"""From the embeddings that the store holds to columns: how far what is done to an image moves what the model holds.

Vectors are read image by image, patients together, and only numbers are kept: memory does not grow with the vectors.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from auditkit.ask.embeddings import EmbeddingKeys
from auditkit.ask.render import Renderer
from auditkit.ask.store import Store
from auditkit.images.item import Item
from auditkit.measure.columns import ERROR, MAIN, NOT_ASKED, SCORED, Column, Measurements
from auditkit.tasks import DISTANCE, OTHERS
from auditkit.vocabulary import Question

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Vector = NDArray[np.float64]

# Float16 keeps a cosine of 0.99 to 1e-5, and a record eight digits: what is judged is what a reader of the record has.
_DECIMALS = 8

Inside = Callable[[str], Sequence[Question]]


def with_embeddings(
    data: Measurements, inside: Inside, keys: EmbeddingKeys, store: Store, renderer: Renderer
) -> Measurements:
    """Return answers with what is compared inside the model beside them.

    Parameters
    ----------
    data : Measurements
        The n items and their answers.
    inside : callable
        From a modality to what is compared in its items, as `Plan.inside` does.
    keys : EmbeddingKeys
        Of the model that was asked.
    store, renderer : Store, Renderer
        Where the embeddings are.

    Returns
    -------
    Measurements
        With one column for each question: the cosine similarity to the embedding of the item as it is, and the distance
        to it (`tasks.DISTANCE`); of the item as it is also the mean similarity to those of other patients of its
        modality (`tasks.OTHERS`), NaN where there is nobody else. Where one of the two embeddings is missing, the
        outcome is an error.
    """
    reader = _Vectors(keys, store, renderer, store.sources(record.content for record in data.records))
    columns: dict[Question, Column] = {}
    for modality, patients in _patients(data).items():
        questions = inside(modality)
        clean = [question for question in questions if not question.condition]
        totals = _totals(patients, data.records, clean, reader)
        for images in patients:
            held = {i: reader.held(data.records[i], questions) for i in images}
            for question in clean:
                _put_others(columns, question, held, totals[question], len(data.records))
            for question in questions:
                for i in images:
                    column = columns.setdefault(question, _empty(len(data.records)))
                    _put_apart(column, i, held[i].get(question), held[i].get(replace(question, condition=())))
    return data.with_columns(columns)


class _Held(NamedTuple):
    """A vector as its direction and its length."""

    unit: Vector
    norm: float


class _Vectors:
    """Reads vectors from the store; a vector of another length than the first of its kind is none."""

    def __init__(self, keys: EmbeddingKeys, store: Store, renderer: Renderer, digests: Mapping[str, str]) -> None:
        self._keys = keys
        self._store = store
        self._renderer = renderer
        self._digests = digests
        self._width: dict[str, int] = {}

    def held(self, record: Item, questions: Sequence[Question]) -> dict[Question, _Held]:
        """Return the vector of every question that has one."""
        if record.content not in self._digests:
            return {}
        digest = self._digests[record.content]
        rendered = self._renderer.known(record, digest, {q.condition for q in questions})
        named = {q: self._keys.of(rendered[q.condition], q.wording) for q in questions if q.condition in rendered}
        vectors = self._store.embeddings(named.values())
        return {
            question: _Held(vector / (norm := float(np.linalg.norm(vector))), norm)
            for question, key in named.items()
            if (vector := vectors.get(key)) is not None
            and vector.size == self._width.setdefault(question.wording, vector.size)
        }


class _Totals:
    """Number of patients, and the sum over them of their mean unit vectors."""

    def __init__(self) -> None:
        self.patients = 0
        self.sum: Vector | float = 0.0

    def add(self, mean: Vector) -> None:
        self.patients += 1
        self.sum = self.sum + mean


def _patients(data: Measurements) -> dict[str, list[list[int]]]:
    """Return the images of every patient by modality, both in a fixed order; items of one picture only."""
    order: dict[tuple[str, int], list[int]] = {}
    for i, record in enumerate(data.records):
        if len(record.pictures) == 1:
            order.setdefault((record.modality, int(data.cluster[i])), []).append(i)
    found: dict[str, list[list[int]]] = {}
    for (modality, _), images in sorted(order.items()):
        found.setdefault(modality, []).append(images)
    return found


def _totals(
    patients: Sequence[Sequence[int]], records: Sequence[Item], clean: Sequence[Question], reader: _Vectors
) -> dict[Question, _Totals]:
    """Go through the clean images once: the similarity to all others follows from sums, so no pair is formed."""
    totals = {question: _Totals() for question in clean}
    for images in patients:
        held = [reader.held(records[i], clean) for i in images]
        for question in clean:
            own = [some[question].unit for some in held if question in some]
            if own:
                totals[question].add(np.mean(own, axis=0))
    return totals


def _put_others(
    columns: dict[Question, Column],
    question: Question,
    held: Mapping[int, Mapping[Question, _Held]],
    totals: _Totals,
    n: int,
) -> None:
    """Enter how alike a patient's images are to those of others.

    With m the mean of a patient's unit vectors, S the sum of these means and G patients, the mean similarity of u to
    the other patients is u @ (S - m) / (G - 1). Its mean over patients is that over all pairs of patients.
    """
    column = columns.setdefault(question, _empty(n))
    if OTHERS.name not in column.values:
        column = columns[question] = replace(column, values={**column.values, OTHERS.name: np.full(n, np.nan)})
    own = {i: some[question].unit for i, some in held.items() if question in some}
    if not own or totals.patients < 2:
        return
    mean = np.mean([*own.values()], axis=0)
    for i, unit in own.items():
        column.values[OTHERS.name][i] = _rounded(float(unit @ (totals.sum - mean)) / (totals.patients - 1))


def _put_apart(column: Column, item: int, held: _Held | None, clean: _Held | None) -> None:
    if held is None or clean is None:
        column.outcomes[item] = ERROR
        return
    column.outcomes[item] = SCORED
    column.values[MAIN][item] = _rounded(float(clean.unit @ held.unit))
    apart = np.linalg.norm(held.unit * held.norm - clean.unit * clean.norm)
    in_norms = float(apart) * 2 / (held.norm + clean.norm)
    column.values[DISTANCE.name][item] = float(np.clip(np.round(in_norms, _DECIMALS), DISTANCE.low, DISTANCE.high))


def _rounded(cosine: float) -> float:
    """Rounding takes equal vectors to 1 + 2e-16, which is no cosine."""
    return float(np.clip(np.round(cosine, _DECIMALS), -1.0, 1.0))


def _empty(n: int) -> Column:
    return Column(
        {MAIN: np.full(n, np.nan), DISTANCE.name: np.full(n, np.nan)}, np.full(n, NOT_ASKED, dtype=np.int8), inside=True
    )
