"""Answers as arrays: numbers or an outcome for every item under every question, none dropped."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from auditkit.evidence import Outcomes
from auditkit.images.item import OWN_PATIENT, UNKNOWN, Item
from auditkit.tasks import CHANCE, FLAGGED, OF_CHOICES, OUTCOMES, READINGS, is_of_probabilities
from auditkit.vocabulary import CROSSED, MODEL, Condition, Question, Value

if TYPE_CHECKING:
    from numpy.typing import NDArray

NOT_ASKED = -1
NOT_READ = -1
ALL = "all"
"""The level that stands for all items together, whatever the column."""
MODALITY = "modality"
MAIN = ""
"""Name of a task's main value."""

SCORED, REFUSED, NO_IMAGE, ERROR = (OUTCOMES.index(name) for name in ("scored", "refused", "no_image", "error"))
# Errors are no answers of the model: they make the cell an ERROR and count neither way.
UNUSABLE = tuple(code for code in range(len(OUTCOMES)) if code not in (SCORED, REFUSED, ERROR))
COUNTED: Mapping[str, tuple[int, ...]] = {
    "lost": (REFUSED, *UNUSABLE),
    "refused": (REFUSED,),
    "unusable": UNUSABLE,
}
"""Values that every answer has: 1 where its outcome is one of these codes, else 0."""
_READ = READINGS.index("read")

_TOGETHER = " × "
"""Between the levels of an item in several columns."""

DIGITS = 8
"""Of every number that is judged and recorded: far more than any scale has."""

Stratum = tuple[str, str]
"""A column and one of its levels, or ``ALL``."""


@dataclass(frozen=True, slots=True)
class Expectations:
    """What the log-probabilities of the declared answers say, beside what was generated (`tasks.expect`).

    Attributes
    ----------
    scores : ndarray of float, shape (n,)
        Expected scores, 0-100 points; NaN where there is none.
    entropy : ndarray of float, shape (n,)
        Over the choices, in bits; NaN where they were not read.
    mass : ndarray of float, shape (n,)
        Probability on the declared answers, 0-1; NaN without valid log-probabilities.
    readings : ndarray of int8, shape (n,)
        Index into ``READINGS``; -1 where an answer came without log-probabilities, or there is no answer.
    agrees : ndarray of int8, shape (n,)
        1 where the likeliest choice says what was generated, 0 where it says something else, -1 where the choices were
        not read or the generated answer was not scored.
    max_entropy : float
        Of equally likely choices, in bits.
    chances : dict of str to ndarray of float, shape (n,)
        By answer, its share of the mass; of tasks whose answers are classes, NaN where the choices were not read.
    """

    scores: NDArray[np.float64]
    entropy: NDArray[np.float64]
    mass: NDArray[np.float64]
    readings: NDArray[np.int8]
    agrees: NDArray[np.int8]
    max_entropy: float
    chances: dict[str, NDArray[np.float64]] = field(default_factory=dict)

    @classmethod
    def none(cls, n: int, max_entropy: float) -> Expectations:
        """Return what is known of n answers without log-probabilities."""
        scores, entropy, mass = np.full((3, n), np.nan)
        readings, agrees = np.full((2, n), NOT_READ, dtype=np.int8)
        return cls(scores, entropy, mass, readings, agrees, max_entropy)


@dataclass(frozen=True, slots=True)
class Column:
    """The answers of all items to one question.

    Attributes
    ----------
    values : mapping of str to ndarray of float, shape (n,)
        By name, the numbers that the task's scorer gives; ``""`` is the main one. NaN where an answer gave none.
    outcomes : ndarray of int8, shape (n,)
        Index into ``OUTCOMES``; -1 where the question is not part of the plan.
    labels : ndarray of object, shape (n,), or None
        What was said by answers that have a label and no number, ``""`` elsewhere; None where there are no such.
    expectations : Expectations or None
        None where no answer came with log-probabilities, so that back ends without them take no memory.
    inside : bool
        Whether the values were measured inside the model: nothing was asked, so they are no answers.
    """

    values: Mapping[str, NDArray[np.float64]]
    outcomes: NDArray[np.int8]
    labels: NDArray[np.object_] | None = None
    expectations: Expectations | None = None
    inside: bool = False

    @classmethod
    def empty(cls, n: int) -> Column:
        """Return the column of a question that was not asked."""
        return cls({MAIN: np.full(n, np.nan)}, np.full(n, NOT_ASKED, dtype=np.int8))

    @property
    def scores(self) -> NDArray[np.float64]:
        """The main value, in the task's unit; shape (n,)."""
        return self.values[MAIN]

    @property
    def expected(self) -> NDArray[np.float64]:
        """Expected scores, 0-100 points; NaN where there is none; shape (n,)."""
        return np.full(self.outcomes.shape, np.nan) if self.expectations is None else self.expectations.scores

    @property
    def answered(self) -> NDArray[np.bool_]:
        """Where the model gave an answer of any kind; shape (n,)."""
        answered: NDArray[np.bool_] = (self.outcomes != NOT_ASKED) & (self.outcomes != ERROR)
        return answered

    @property
    def gave_probabilities(self) -> bool:
        """Whether any answer came with log-probabilities, usable or not, as far as a record tells."""
        return self.expectations is not None or any(n in OF_CHOICES or is_of_probabilities(n) for n in self.values)

    def value(self, name: str) -> NDArray[np.float64]:
        """Return one value of every answer, NaN where there is none; shape (n,)."""
        if name in COUNTED:
            return np.where(self.answered, np.isin(self.outcomes, COUNTED[name]).astype(float), np.nan)
        if is_of_probabilities(name) and name not in self.values:  # a record has some of them
            return self._of_probabilities(name)
        if name == FLAGGED.name and name in self.values:  # to decline, or to see no picture, is to say so
            flagged = np.where(self.outcomes == SCORED, self.values[name], np.isin(self.outcomes, (REFUSED, NO_IMAGE)))
            return np.where(self.answered, flagged, np.nan)
        values = self.values.get(name)
        return np.full(self.outcomes.shape, np.nan) if values is None else values

    def _of_probabilities(self, name: str) -> NDArray[np.float64]:
        """Of a column without any log-probabilities nothing is known, not even that they could not be read."""
        found = self.expectations
        if found is None:
            return np.full(self.outcomes.shape, np.nan)
        if name.startswith(CHANCE):
            chances = found.chances.get(name.removeprefix(CHANCE))
            return np.full(self.outcomes.shape, np.nan) if chances is None else chances
        if name == "gap":
            return np.abs(found.scores - self.scores)
        if name == "read":
            return np.where(self.answered, (found.readings == _READ).astype(float), np.nan)
        if name == "agrees":
            return np.where(found.agrees == NOT_READ, np.nan, found.agrees.astype(float))
        return {"expected": found.scores, "entropy": found.entropy, "mass": found.mass}[name]

    def says_the_same(self, other: Column) -> NDArray[np.bool_]:
        """Return where two columns have equal outcomes, numbers and labels; shape (n,)."""
        same: NDArray[np.bool_] = self.outcomes == other.outcomes
        names = dict.fromkeys((*self.values, *other.values))
        for name in names:
            if name in OF_CHOICES or is_of_probabilities(name):
                continue  # how likely it was is not said
            a, b = self.value(name), other.value(name)
            same &= (a == b) | (np.isnan(a) & np.isnan(b))
        if self.labels is not None or other.labels is not None:
            same &= _labels(self) == _labels(other)
        return same


class Measurements:
    """All answers of a run by question, with the items' columns and patients.

    Parameters
    ----------
    records : sequence of Item
        The n items, in the order of every column.
    columns : mapping of Question to Column
        By question, resolved (`Protocol.resolve`).
    doses : mapping
        By what was done to the pixels, SSIM and PSNR of every item, shape (n, 2).
    digests : sequence of str
        Of each item, the SHA-256 over the raw answers to its questions; empty for answers that came from elsewhere.
    """

    def __init__(
        self,
        records: Sequence[Item],
        columns: Mapping[Question, Column],
        doses: Mapping[Condition, NDArray[np.float64]] | None = None,
        digests: Sequence[str] = (),
    ) -> None:
        self.records = tuple(records)
        self._columns = dict(columns)
        self.doses = dict(doses or {})
        self.digests = tuple(digests) or ("",) * len(self.records)
        _, codes = np.unique([r.cluster for r in records], return_inverse=True)
        self.cluster: NDArray[np.int64] = codes.astype(np.int64).reshape(-1)
        self.unidentified: NDArray[np.bool_] = np.array([r.unit in OWN_PATIENT for r in records], dtype=bool)
        self._levels: dict[str, NDArray[np.object_]] = {}

    def column(self, question: Question) -> Column:
        """Return the answers to a question; all "not asked" when it was not part of the plan."""
        return self._columns.get(question) or Column.empty(len(self.records))

    def value(self, value: Value) -> NDArray[np.float64]:
        """Return one value of the answers to a question, NaN where there is none; shape (n,)."""
        return self.column(value.question).value(value.name)

    def asked(self) -> tuple[Question, ...]:
        """Return the questions that were part of the plan."""
        return tuple(self._columns)

    def level_of(self, column: str) -> NDArray[np.object_]:
        """Return the level of every item in a column, ``"unknown"`` where it has none; shape (n,)."""
        if column not in self._levels:
            self._levels[column] = np.array([level_of(record, column) for record in self.records], dtype=object)
        return self._levels[column]

    def levels(self, column: str = MODALITY) -> tuple[str, ...]:
        """Return the levels of a column, sorted."""
        return tuple(sorted(set(self.level_of(column).tolist())))

    def strata(self, column: str = MODALITY) -> tuple[Stratum, ...]:
        """Return all items together, then every level of a column."""
        return ((column, ALL), *((column, level) for level in self.levels(column)))

    def where(self, stratum: Stratum) -> NDArray[np.bool_]:
        """Return the items of a stratum; shape (n,)."""
        column, level = stratum
        if level == ALL:
            return np.ones(len(self.records), dtype=bool)
        chosen: NDArray[np.bool_] = self.level_of(column) == level
        return chosen

    def clusters(self, mask: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Return the patients of the chosen items as codes 0..G-1, shape (mask.sum(),)."""
        _, codes = np.unique(self.cluster[mask], return_inverse=True)
        return codes.astype(np.int64).reshape(-1)

    def total(self, role: str = MODEL, asked_of: Callable[[Question], str] = lambda q: q.role) -> Outcomes:
        """Return the outcomes of all distinct questions put to one model; what was measured inside it is no answer.

        `asked_of` says whom a question is put to, where that is not who is judged by the answer (`Catalogue.asked_of`).
        """
        answered = (c for question, c in self._columns.items() if not c.inside and asked_of(question) == role)
        return sum((count_outcomes(column.outcomes) for column in answered), Outcomes())

    def answered(self) -> tuple[Question, ...]:
        """Return the questions that the audited model was asked: those to it without what was measured inside it."""
        return tuple(q for q, column in self._columns.items() if q.role == MODEL and not column.inside)

    def inside(self) -> tuple[Question, ...]:
        """Return what was measured inside the model."""
        return tuple(question for question, column in self._columns.items() if column.inside)

    def with_columns(self, columns: Mapping[Question, Column]) -> Measurements:
        """Return these answers with further columns of the same items."""
        return Measurements(self.records, {**self._columns, **columns}, self.doses, self.digests)

    def beside(self, other: Measurements, role: str) -> Measurements:
        """Return these answers with another's to the same items beside them, under the other's role."""
        theirs = {replace(q, role=role): other.column(q) for q in other.asked() if q.role == MODEL}
        return Measurements(self.records, {**self._columns, **theirs}, self.doses, self.digests)


def as_recorded(number: float) -> float:
    """Return a number as a record gives it back, so that both are judged alike: of 1/3 eight digits."""
    return number if number.is_integer() else float(f"{number:.{DIGITS}g}")


def level_of(record: Item, column: str) -> str:
    """Return the level of one item in a column; ``"unknown"`` where it has none.

    A level that is called as all items together are (`ALL`) gets another name. Of several columns (``sex*site``) the
    levels of all; ``"unknown"`` where none has one.
    """
    return level_among(record.attributes, record.modality, column)


def level_among(attributes: Mapping[str, str], modality: str, column: str) -> str:
    """Return the same of an item of which its attributes and its modality are known."""
    if CROSSED in column:
        levels = [level_among(attributes, modality, name) for name in column.split(CROSSED)]
        return UNKNOWN if set(levels) == {UNKNOWN} else _TOGETHER.join(levels)
    level = modality if column == MODALITY else attributes.get(column) or UNKNOWN
    return f"{ALL} (a level)" if level == ALL else level


def is_known(level: str) -> bool:
    """Whether a level says something of an item in every one of its columns."""
    return UNKNOWN not in level.split(_TOGETHER)


def joined(parts: Sequence[Measurements]) -> Measurements:
    """Put the measurements of disjoint sets of items together, sorted by item id.

    What was asked of some of the sets only is "not asked" elsewhere.
    """
    if len(parts) == 1:
        return parts[0]
    records = [record for part in parts for record in part.records]
    order = np.array(sorted(range(len(records)), key=lambda i: records[i].id), dtype=np.int64)
    columns = {}
    for question in dict.fromkeys(question for part in parts for question in part.asked()):
        columns[question] = _joined([part.column(question) for part in parts], order)
    doses = {}
    for condition in dict.fromkeys(condition for part in parts for condition in part.doses):
        unknown = [np.full((len(part.records), 2), np.nan) for part in parts]
        held = [part.doses.get(condition, empty) for part, empty in zip(parts, unknown, strict=True)]
        doses[condition] = np.concatenate(held)[order]
    digests = [digest for part in parts for digest in part.digests]
    return Measurements([records[i] for i in order], columns, doses, [digests[i] for i in order])


def _joined(columns: Sequence[Column], order: NDArray[np.int64]) -> Column:
    names = dict.fromkeys(name for column in columns for name in column.values)
    labelled = any(column.labels is not None for column in columns)
    return Column(
        values={name: np.concatenate([column.value(name) for column in columns])[order] for name in names},
        outcomes=np.concatenate([column.outcomes for column in columns])[order],
        labels=np.concatenate([_labels(column) for column in columns])[order] if labelled else None,
        expectations=_joined_expectations(columns, order),
        inside=any(column.inside for column in columns),
    )


def _labels(column: Column) -> NDArray[np.object_]:
    return np.full(column.outcomes.shape, "", dtype=object) if column.labels is None else column.labels


def _joined_expectations(columns: Sequence[Column], order: NDArray[np.int64]) -> Expectations | None:
    """Put the expectations of columns together; those without any have none of their answers' log-probabilities."""
    most = next((c.expectations.max_entropy for c in columns if c.expectations is not None), None)
    if most is None:
        return None
    parts = [c.expectations or Expectations.none(len(c.outcomes), most) for c in columns]
    answers = dict.fromkeys(answer for p in parts for answer in p.chances)
    unknown = [np.full(p.scores.shape, np.nan) for p in parts]
    return Expectations(
        chances={
            answer: np.concatenate([p.chances.get(answer, none) for p, none in zip(parts, unknown, strict=True)])[order]
            for answer in answers
        },
        scores=np.concatenate([p.scores for p in parts])[order],
        entropy=np.concatenate([p.entropy for p in parts])[order],
        mass=np.concatenate([p.mass for p in parts])[order],
        readings=np.concatenate([p.readings for p in parts])[order],
        agrees=np.concatenate([p.agrees for p in parts])[order],
        max_entropy=most,
    )


def count_outcomes(outcomes: NDArray[np.int8]) -> Outcomes:
    """Count outcome codes; "not asked" is not an outcome."""
    counts = np.bincount(outcomes[outcomes >= 0].astype(np.int64), minlength=len(OUTCOMES))
    return Outcomes(**{name: int(k) for name, k in zip(OUTCOMES, counts, strict=True)})


def total_outcomes(columns: Iterable[Column], mask: NDArray[np.bool_]) -> Outcomes:
    """Count the outcomes of several columns over the chosen items."""
    return sum((count_outcomes(column.outcomes[mask]) for column in columns), Outcomes())
