"""The answers of a run as they stand in its record, and back: how a run is paired with an earlier one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import quote, unquote

import numpy as np
from numpy.typing import NDArray

from auditkit.ask.keys import digest_of
from auditkit.evidence import (
    NO_SCORE,
    NOT_ASKED,
    OUTCOME_MARKS,
    AnswerColumn,
    Answers,
    Audit,
    Definition,
    ItemEntry,
    Named,
    PartDefinition,
    Term,
)
from auditkit.images.item import UNKNOWN, Item, Picture
from auditkit.measure.columns import DIGITS, MAIN, MODALITY, SCORED, Column, Measurements, level_of
from auditkit.measure.columns import NOT_ASKED as NOT_ASKED_CODE
from auditkit.protocol.model import Protocol
from auditkit.tasks import CHANCE, CONFIDENCE, OF_CHOICES, OUTCOMES
from auditkit.tasks.truth import COLUMN_OF
from auditkit.vocabulary import CROSSED, Effect, Part, Perturbation, Question, Value

_OUTCOME_OF = {mark: OUTCOMES.index(name) for name, mark in OUTCOME_MARKS.items()}


def to_answers(
    data: Measurements,
    batch_size: int,
    columns: Iterable[str] = (),
    *,
    chances: Iterable[Value] = (),
    probabilities: bool = True,
) -> Answers:
    """Return the record of all answers.

    Parameters
    ----------
    data : Measurements
        The n items and their answers.
    batch_size : int
        Nominal requests per call.
    columns : iterable of str
        Columns of the items that the audits need beside the modality (`columns_needed`).
    chances : iterable of Value
        Chances of answers that the audits rest on (`chances_needed`).
    probabilities : bool
        Whether the probabilities of the declared answers were asked for.
    """
    wanted = sorted(set(columns) - {MODALITY})
    items = [
        ItemEntry(
            id=r.id,
            cluster=r.cluster,
            unit=r.unit,
            modality=r.modality,
            synthetic=r.synthetic,
            pictures=len(r.pictures),
            answers_sha256=digest,
            columns={name: level_of(r, name) for name in wanted},
        )
        for r, digest in zip(data.records, data.digests, strict=True)
    ]
    order = sorted(range(len(items)), key=lambda i: items[i].id)
    further: dict[Question, set[str]] = {}
    for value in chances:
        held = data.column(value.question)
        if held.gave_probabilities and value.name not in held.values:
            further.setdefault(value.question, set()).add(value.name)
    recorded = [
        AnswerColumn(
            task=question.task,
            wording=question.wording,
            condition=[(p.name, p.level) for p in question.condition],
            role=question.role,
            inside=data.column(question).inside,
            values={
                name: _marks(data.column(question), name, order)
                for name in (*data.column(question).values, *sorted(further.get(question, ())))
            },
        )
        for question in sorted(data.asked())
    ]
    items = [items[i] for i in order]
    return Answers(
        batch_size=batch_size,
        probabilities=probabilities,
        items=items,
        columns=recorded,
        sha256=answers_sha256(items),
    )


def columns_needed(protocol: Protocol, effects: Iterable[Effect] = ()) -> tuple[str, ...]:
    """Return the columns that families decide level by level, or that effects choose items by or compare."""
    by = {family.by for family in protocol.families.values()}
    where = {part.where[0] for effect in effects for part in effect.parts if part.where is not None}
    between = {column for effect in effects if effect.between for column in effect.between.split(CROSSED)}
    every = [part for effect in effects for part in effect.parts]
    balanced = {part.balanced for part in (*every, *(p.provided for p in every if p.provided)) if part.balanced}
    catalogue = protocol.catalogue
    tasks = {protocol.resolve(question).task for effect in effects for question in effect.questions()}
    truths = {COLUMN_OF + task for task in tasks if catalogue.task(task).truth is not None}
    return tuple(sorted((by | where | between | balanced | truths) - {MODALITY}))


def chances_needed(protocol: Protocol, effects: Iterable[Effect]) -> tuple[Value, ...]:
    """Return the chances of answers that effects rest on, their questions resolved: nobody else's are recorded."""
    every = (value for effect in effects for part in protocol.resolved(effect).parts for _, value in part.terms)
    return tuple(dict.fromkeys(value for value in every if value.name.startswith(CHANCE)))


def define(effect: Effect) -> Definition:
    """Return an effect as it stands in the record of its audit."""
    parts = [_define(part) for part in effect.parts]
    return Definition(statistic=effect.statistic, per=effect.per, between=effect.between, parts=parts)


def effect_from(audit: Audit) -> Effect | None:
    """Return the effect that an audit's record defines; None where it defines none."""
    if audit.definition is None:
        return None
    parts = tuple(map(_part, audit.definition.parts))
    name = audit.id.removeprefix(f"{audit.family}/")
    defined = audit.definition
    return Effect(name, audit.family, parts, defined.statistic, defined.per, defined.between)


def _define(part: Part) -> PartDefinition:
    return PartDefinition(
        label=part.label,
        terms=[Term(weight=weight, **_named(value)) for weight, value in part.terms],
        where=part.where,
        unknown=part.unknown,
        alike=[Named(**_named(value)) for value in part.alike],
        balanced=part.balanced,
        provided=None if part.provided is None else _define(part.provided),
    )


def _part(defined: PartDefinition) -> Part:
    return Part(
        defined.label,
        tuple((term.weight, _value(term)) for term in defined.terms),
        defined.where,
        defined.unknown,
        tuple(map(_value, defined.alike)),
        defined.balanced,
        None if defined.provided is None else _part(defined.provided),
    )


def _named(value: Value) -> dict[str, Any]:
    asked = value.question
    condition = [(p.name, p.level) for p in asked.condition]
    return {
        "task": asked.task, "wording": asked.wording, "condition": condition, "role": asked.role, "value": value.name,
    }  # fmt: skip


def _value(term: Named) -> Value:
    condition = tuple(Perturbation(name, level) for name, level in term.condition)
    return Value(Question(term.task, term.wording, condition, term.role), term.value)


def answers_sha256(items: Sequence[ItemEntry]) -> str:
    """Return the SHA-256 over the ids of items and the digests of their raw answers."""
    return digest_of([[item.id, item.answers_sha256] for item in items])


def marks_sha256(answers: Answers, role: str) -> str:
    """Return the SHA-256 over the answers that a record holds of one role, as they stand in it."""
    columns = [column.model_dump(mode="json") for column in answers.columns if column.role == role]
    return digest_of([item.id for item in answers.items], columns)


def data_sha256(addresses: Iterable[str]) -> str:
    """Return the SHA-256 over the addresses of items (`Item.address`), in whatever order they come."""
    return digest_of(sorted(addresses))


def from_answers(answers: Answers) -> Measurements:
    """Return the measurements that a record holds: no doses, and of the probabilities what is judged by them.

    Raises
    ------
    ValueError
        A column with another number of marks than there are items, or with an unknown mark.
    """
    records = [
        Item(
            id=item.id,
            cluster=item.cluster,
            modality=item.modality,
            pictures=(Picture("", _no_pixels),) * item.pictures,
            synthetic=item.synthetic,
            source="",
            attributes=item.columns,
            columns={k: v for k, v in item.columns.items() if k.startswith(COLUMN_OF) and v != UNKNOWN},
            unit=item.unit,
        )
        for item in answers.items
    ]
    columns = {c.question: _column(c, len(records)) for c in answers.columns}
    return Measurements(records, columns, {}, [item.answers_sha256 for item in answers.items])


def _column(column: AnswerColumn, n: int) -> Column:
    values: dict[str, NDArray[np.float64]] = {}
    outcomes = np.empty(n, dtype=np.int8)
    labels: NDArray[np.object_] | None = None
    for name, text in {MAIN: "", **column.values}.items():
        marks = text.split()
        if len(marks) != n:
            raise ValueError(f"{column.question} has {len(marks)} marks for {n} items")
        values[name] = numbers = np.full(n, np.nan)
        for i, mark in enumerate(marks):
            if name == MAIN:
                outcomes[i] = NOT_ASKED_CODE if mark == NOT_ASKED else _OUTCOME_OF.get(mark, SCORED)
            if mark != NOT_ASKED and mark not in _OUTCOME_OF:
                if not mark.startswith(NO_SCORE):
                    numbers[i] = float(mark)
                elif name == MAIN and len(mark) > len(NO_SCORE):
                    labels = np.full(n, "", dtype=object) if labels is None else labels
                    labels[i] = unquote(mark.removeprefix(NO_SCORE))
    return Column(values, outcomes, labels, inside=column.inside)


def _marks(column: Column, name: str, order: Sequence[int]) -> str:
    numbers, outcomes = column.values.get(name, column.value(name)).tolist(), column.outcomes.tolist()
    labels = None if column.labels is None or name != MAIN else column.labels.tolist()
    # Known of answers too that cannot be used; only a confidence is one in what was said.
    own = name.startswith(CHANCE) or (name in OF_CHOICES and name != CONFIDENCE.name)
    return " ".join(
        _mark(
            SCORED if own and numbers[i] == numbers[i] else outcomes[i], numbers[i], "" if labels is None else labels[i]
        )
        for i in order
    )


def _mark(outcome: int, number: float, label: str) -> str:
    if outcome == NOT_ASKED_CODE:
        return NOT_ASKED
    if outcome != SCORED:
        return OUTCOME_MARKS[OUTCOMES[outcome]]
    # Without blanks, which separate the marks.
    return NO_SCORE + quote(label, safe="") if np.isnan(number) else f"{number:.{DIGITS}g}"


def _no_pixels() -> NDArray[np.uint8]:
    raise LookupError("a record holds no pixels")
