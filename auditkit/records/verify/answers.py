"""Whether the answers in a record are those in the store: found by key, hashed, read again, without the model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from auditkit.ask.plan import Plan
from auditkit.ask.render import LIBRARIES, Renderer
from auditkit.ask.requests import Keys
from auditkit.ask.roles import RoleKeys
from auditkit.ask.store import Store
from auditkit.errors import AuditkitError
from auditkit.evidence import NOT_ASKED, OUTCOME_MARKS, Evidence
from auditkit.images.item import Item
from auditkit.measure.columns import MAIN, Measurements
from auditkit.measure.reader import Answered, AnswerReader, AnswerTable, raw_digest
from auditkit.measure.recorded import to_answers
from auditkit.protocol.catalogue import Catalogue
from auditkit.protocol.model import Protocol
from auditkit.records.verify.checks import OPEN, Check, settled
from auditkit.records.verify.criteria import same_version
from auditkit.tasks import CHANCE
from auditkit.vocabulary import MODEL, Condition, Probe, Question, Value

PART = "answers"
_ERROR = OUTCOME_MARKS["error"]
Column = tuple[Question, dict[str, list[str]]]
"""A question, and its marks by the name of the value."""


@dataclass(frozen=True, slots=True)
class Reread:
    """What the store holds of a record's answers.

    Attributes
    ----------
    checks : list of Check
        What was found.
    data : Measurements or None
        Every answer read again, with probabilities and doses; None unless all are there and as recorded.
    reader : AnswerReader or None
        Finds the raw answers; it gives blank pictures. None as above.
    """

    checks: list[Check]
    data: Measurements | None = None
    reader: AnswerReader | None = None


class _AsRecorded(AnswerReader):
    """Reads a store as the run did, without its images.

    What was an error then may have been answered by a later run, and the record is about then. Pictures are blank:
    what is made of them is not compared.
    """

    errors: frozenset[Probe] = frozenset()

    def read(self, record: Item, probes: Sequence[Probe] | None = None) -> Iterator[Answered]:
        for one in super().read(record, probes):
            yield replace(one, answer=None) if one.probe in self.errors else one

    def pixels(self, record: Item, condition: Condition) -> NDArray[np.uint8]:
        return np.zeros((8, 8), dtype=np.uint8)


def check_answers(evidence: Evidence, protocol: Protocol, records: Sequence[Item], store: Store) -> Reread:
    """Find every answer of a record in the store, hash it and read it again.

    Parameters
    ----------
    evidence : Evidence
        The record.
    protocol : Protocol
        Its criteria, whose seed is part of every picture.
    records : sequence of Item
        Its images in its order, with their content addresses; without one where it is not known.
    store : Store
        The answers.
    """
    columns = [
        (c.question, {name: text.split() for name, text in c.values.items()})
        for c in evidence.answers.columns
        # `embeddings` compares these, and `roles` those of another record.
        if not c.inside and c.role not in recorded_roles(evidence)
    ]
    search = _Search(evidence, protocol, columns, records, store)
    for index in range(len(records)):
        search.image(index)
    return search.result()


class _Search:
    """Goes through the images and keeps what was found and what was not."""

    def __init__(
        self,
        evidence: Evidence,
        protocol: Protocol,
        columns: Sequence[Column],
        records: Sequence[Item],
        store: Store,
    ) -> None:
        self._evidence = evidence
        self._columns = columns
        self._records = records
        self._digests = _pixel_digests(records, store)
        self._catalogue = catalogue = protocol.catalogue
        keys = _keys(evidence, catalogue)
        renderer = Renderer(store, protocol.seed, catalogue, cache_bytes=0)
        plan = Plan((), (), protocol, tuple(keys))
        self._reader = _AsRecorded(plan, self._digests, RoleKeys(keys, catalogue), store, renderer)
        ids = [record.id for record in records]
        self._reader.errors = frozenset(
            Probe(name, question)
            for question, values in columns
            for name, mark in zip(ids, _main(values), strict=True)
            if mark == _ERROR
        )
        self._unknown = {question for question, _ in columns if not _can_be_asked(question, catalogue)}
        self._table = AnswerTable(len(records), catalogue)
        self._doses: dict[Condition, NDArray[np.float64]] = {}
        self._complete: list[int] = []
        self._other_texts: list[int] = []
        self._missing: Counter[str] = Counter()

    def image(self, index: int) -> None:
        """Look for the answers of one image; they count when all of them are there."""
        record = self._records[index]
        asked = [question for question, values in self._columns if _main(values)[index] != NOT_ASKED]
        if record.id not in self._digests:
            self._missing["of images that this store does not know"] += len(asked)
            return
        unknown = self._unknown.intersection(asked)
        if unknown:
            self._missing["to questions that this auditkit does not know"] += len(unknown)
            return
        own = [question for question in asked if self._catalogue.task(question.task).lacks_words(record.columns)]
        if own:
            self._missing["to questions in the words of the data, which no record holds"] += len(own)
            return
        nobody = [question for question in asked if self._catalogue.asked_of(question) not in self._reader.plan.roles]
        if nobody:
            self._missing["of a role that the record does not name"] += len(nobody)
            return
        answered = list(self._reader.read(record, [Probe(record.id, question) for question in asked]))
        lost = [one for one in answered if one.answer is None and one.probe not in self._reader.errors]
        for entry in lost:
            self._missing["not in the store" if entry.key else "to pictures that this store did not render"] += 1
        if lost:
            return
        self._complete.append(index)
        if raw_digest(answered) != self._evidence.answers.items[index].answers_sha256:
            self._other_texts.append(index)
        for entry in answered:
            self._table.put(index, entry.probe.question, entry.answer, record.columns)
            pixels = self._catalogue.shown(entry.probe.question)
            dose = (entry.rendered.ssim, entry.rendered.psnr)
            doses = self._doses.setdefault(pixels, np.full((len(self._records), 2), np.nan))
            doses[index] = [np.nan if value is None else value for value in dose]

    def result(self) -> Reread:
        """Put the checks together."""
        n, done = len(self._records), len(self._complete)
        data = Measurements(self._records, self._table.columns, self._doses)
        marks = self._mark_faults(data)
        faults = [self._text_fault(index, marks) for index in self._other_texts]
        faults += [fault for index, some in marks.items() if index not in self._other_texts for fault in some]
        words = f"all answers to {done} of {n} images are in the store and read as recorded"
        otherwise = (
            f"{len(self._other_texts)} images have other raw answers in the store than were judged; "
            f"{sum(map(len, marks.values()))} answers read otherwise than recorded"
        )
        if self._reader.errors:
            words += f", {len(self._reader.errors)} as errors"
        checks = []
        if marks and not self._other_texts and not same_version(self._evidence):
            why = "the raw answers are those judged, but this auditkit, which is not the one that read them, reads"
            checks.append(Check(PART, OPEN, f"{why} {sum(map(len, marks.values()))} otherwise", tuple(faults)))
        elif done or faults:
            checks.append(settled(PART, words, faults, otherwise))
        if self._missing:
            checks.append(self._not_found(n - done))
        if faults or done < n or not n:
            return Reread(checks)
        return Reread(checks, data, self._reader)

    def _mark_faults(self, data: Measurements) -> dict[int, list[str]]:
        """Return where a text of the store reads as something else than the record says, by image."""
        chances = [Value(q, name) for q, values in self._columns for name in values if name.startswith(CHANCE)]
        read_again = to_answers(data, 1, chances=chances).columns
        again = {c.question: {n: text.split() for n, text in c.values.items()} for c in read_again}
        faults: dict[int, list[str]] = {}
        for question, values in self._columns:
            read = again.get(question, {})
            for name in dict.fromkeys((*values, *read)):
                here, there = (side.get(name, [NOT_ASKED] * len(self._records)) for side in (values, read))
                for index in self._complete:
                    if there[index] != here[index]:
                        where = f"image {self._records[index].id}, {question}" + (f", {name}" if name else "")
                        line = f"{where}: record {here[index]}, the store's answer reads {there[index]}"
                        faults.setdefault(index, []).append(line)
        return dict(sorted(faults.items()))

    def _text_fault(self, index: int, marks: Mapping[int, list[str]]) -> str:
        if index in marks:
            return "; ".join(marks[index])
        name = self._records[index].id
        return f"image {name}: a raw answer is not the recorded one, though every score read from them is"

    def _not_found(self, images: int) -> Check:
        listed = ", ".join(f"{n} {why}" for why, n in sorted(self._missing.items()))
        made = {name: self._evidence.run.packages.get(name, "?") for name in ("numpy", "scipy", "pillow")}
        with_ = " ".join(f"{name} {version}" for name, version in made.items())
        words = f"the answers to {images} images could not all be found: {listed}. Give the run's store with --store"
        if with_ != LIBRARIES:
            words += f"; pictures are found by the library versions that made them, {with_}, and here is {LIBRARIES}"
        return Check(PART, OPEN, words)


def recorded_roles(evidence: Evidence) -> set[str]:
    """Return the roles whose answers were taken from the record of another run."""
    return {other.role for other in evidence.models if other.given == "record"}


def _keys(evidence: Evidence, catalogue: Catalogue) -> dict[str, Keys]:
    """Return what gives the keys of everybody's answers, by role."""
    asked: dict[str, Any] = {MODEL: evidence.model}  # has all that a key takes from a model
    asked |= {other.role: other for other in evidence.models if other.given != "record"}
    sizes = {MODEL: evidence.answers.batch_size, **{other.role: other.batch_size for other in evidence.models}}
    with_ = evidence.answers.probabilities
    return {role: Keys(model, sizes[role], catalogue, probabilities=with_) for role, model in asked.items()}


def _pixel_digests(records: Sequence[Item], store: Store) -> dict[str, str]:
    known = store.sources(record.content for record in records)
    return {record.id: known[record.content] for record in records if record.content in known}


def _main(values: Mapping[str, list[str]]) -> list[str]:
    """The marks of the main value: they tell whether there is an answer at all."""
    return values[MAIN] if MAIN in values else next(iter(values.values()))


def _can_be_asked(question: Question, catalogue: Catalogue) -> bool:
    try:
        catalogue.prompt(question)
    except AuditkitError:
        return False
    return True
