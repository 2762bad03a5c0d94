"""From stored answers to columns: the one way from a text, or from log-probabilities, to a number."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from auditkit import tasks
from auditkit.ask.earlier import Earlier
from auditkit.ask.keys import digest_of
from auditkit.ask.plan import Plan
from auditkit.ask.reading import AnswerReading
from auditkit.ask.render import Renderer
from auditkit.ask.requests import Keys
from auditkit.ask.roles import RoleKeys
from auditkit.ask.store import Rendered, Store, StoredAnswer
from auditkit.images.item import Item
from auditkit.measure.columns import MAIN, Column, Expectations, Measurements, as_recorded
from auditkit.protocol.catalogue import NOTHING, Catalogue
from auditkit.tasks import CONFIDENCE, LIKELIEST_CORRECT, OF_CHOICES, OUTCOMES, READINGS, Score
from auditkit.vocabulary import MODEL, Condition, Probe, Question, condition_name

if TYPE_CHECKING:
    from numpy.typing import NDArray

TOO_SMALL = "the picture is too small"
UNDECODABLE = "the picture to be shown cannot be decoded"
_CODES = {name: code for code, name in enumerate(OUTCOMES)}
_READINGS = {name: code for code, name in enumerate(READINGS)}


@dataclass(frozen=True, slots=True)
class Answered:
    """A planned question with what is known of it."""

    probe: Probe
    key: str
    rendered: Rendered
    answer: StoredAnswer | None


class AnswerTable:
    """Reads answers and puts them into columns.

    Parameters
    ----------
    n : int
        Number of items.
    catalogue : Catalogue
        The tasks whose scorers read the texts.
    """

    def __init__(self, n: int, catalogue: Catalogue) -> None:
        self._n = n
        self._catalogue = catalogue
        self._read = AnswerReading(catalogue)
        self._classes: dict[str, frozenset[str]] = {}
        self.columns: dict[Question, Column] = {}

    def put(
        self, item: int, question: Question, answer: StoredAnswer | None, columns: Mapping[str, str] = NOTHING
    ) -> None:
        """Enter the answer of one item, of which `columns` is known; None is an error, never dropped."""
        column = self.columns.get(question)
        if column is None:
            column = self.columns[question] = self._empty(question.task)
        if answer is None:
            column.outcomes[item] = _CODES["error"]
            return
        score = self._read(question, answer.text, answer.finish_reason, columns)
        column.outcomes[item] = _CODES[score.outcome]
        for name, value in score.values.items():
            column.values[name][item] = as_recorded(value)
        if score.outcome == "scored" and MAIN not in score.values:
            column = self._with_label(question, item, score.said)
        if answer.logprobs is not None:
            self._put_expectation(item, question, answer.logprobs, score, columns)

    def _empty(self, task: str) -> Column:
        asked = self._catalogue.task(task)
        others = [quantity.name for quantity in (*asked.scorer.quantities[1:], *asked.derived())]
        others = [name for name in others if name not in OF_CHOICES]
        empty = Column.empty(self._n)
        return replace(empty, values={MAIN: empty.scores, **{name: np.full(self._n, np.nan) for name in others}})

    def _with_label(self, question: Question, item: int, said: str) -> Column:
        column = self.columns[question]
        if column.labels is None:
            column = self.columns[question] = replace(column, labels=np.full(self._n, "", dtype=object))
        column.labels[item] = said  # type: ignore[index]  # just made, where there was none
        return column

    def _put_expectation(
        self,
        item: int,
        question: Question,
        logprobs: Mapping[str, float],
        score: Score,
        columns: Mapping[str, str],
    ) -> None:
        task, truth = self._catalogue.about(question, columns)
        expected = tasks.expect(logprobs, task)
        column = self.columns[question]
        held = column.expectations
        if held is None:
            held = Expectations.none(self._n, expected.max_entropy)
            self.columns[question] = replace(column, expectations=held)
        self._put_chances(item, question, held, expected)
        held.readings[item] = _READINGS[expected.reading]
        pairs = ((held.scores, expected.score), (held.entropy, expected.entropy), (held.mass, expected.mass))
        for values, value in pairs:
            if value is not None:
                values[item] = value
        right = self._of_choices(question) if truth else {}
        # What an answer says that cannot be used is nobody's choice.
        said = score.said if score.outcome == "scored" else ""
        for name, number in (tasks.of_choices(expected, said, truth) if truth else {}).items():
            right[name][item] = number
        if expected.top is None or not (truth or score.outcome == "scored"):
            return
        likeliest = self._read(question, expected.top, "stop", columns).said
        if score.outcome == "scored":
            held.agrees[item] = likeliest == score.said
        if truth:
            right[LIKELIEST_CORRECT.name][item] = likeliest == truth

    def _put_chances(self, item: int, question: Question, held: Expectations, expected: tasks.Expectation) -> None:
        """Note the chances of the answers that are classes; what an item's own columns fill in is no class."""
        if question.task not in self._classes:
            self._classes[question.task] = frozenset(tasks.classes(self._catalogue.task(question.task)))
        for answer, chance in expected.chances.items():
            if answer in self._classes[question.task]:
                held.chances.setdefault(answer, np.full(self._n, np.nan))[item] = as_recorded(chance)

    def _of_choices(self, question: Question) -> Mapping[str, NDArray[np.float64]]:
        """Where it is noted what the probabilities make of the answers; made for the first, as few back ends do."""
        column = self.columns[question]
        if CONFIDENCE.name not in column.values:
            column = replace(column, values={**column.values, **{n: np.full(self._n, np.nan) for n in OF_CHOICES}})
            self.columns[question] = column
        return column.values


class AnswerReader:
    """Finds the stored answers of a plan.

    Parameters
    ----------
    plan : Plan
        The questions.
    digests : mapping
        Digest of the pixels by item id; items without one could not be decoded and are left out.
    keys : Keys
        Gives the key of a probe.
    store : Store
        The answers.
    renderer : Renderer
        Knows the digests of rendered images.

    Attributes
    ----------
    unshown : dict of str to dict of str to str
        Of every item read so far of which something could not be shown: by its id, under what and why.
    """

    def __init__(
        self, plan: Plan, digests: Mapping[str, str], keys: Keys | RoleKeys, store: Store, renderer: Renderer
    ) -> None:
        self.plan = plan
        self.records = tuple(r for r in plan.records if r.id in digests)
        self._catalogue = plan.protocol.catalogue
        self._digests = digests
        self._keys = keys
        self._store = store
        self._renderer = renderer
        self._earlier = Earlier(store, renderer, keys, plan.protocol.catalogue)
        self.unshown: dict[str, dict[str, str]] = {}

    def read(self, record: Item, probes: Sequence[Probe] | None = None) -> Iterator[Answered]:
        """Yield every planned probe of an item with its dose and its stored answer, if there is one.

        What could not be shown of an item was not asked, and is left out; `unshown` has it.
        """
        every = self.plan.probes(record) if probes is None else probes
        digest = self._digests[record.id]
        pictures = {probe: self._catalogue.shown(probe.question) for probe in every}
        rendered = self._renderer.known(record, digest, set(pictures.values()))
        self._note_unshown(record, rendered)
        unasked = self._earlier.unasked(record, digest, (probe.question for probe in every))
        without = {condition for condition, one in rendered.items() if not one.exists}
        wanted = [p for p in every if pictures[p] not in without and p.question not in unasked]
        about = self._earlier.answers(record, digest, (probe.question for probe in wanted))
        keys = {}
        for probe in wanted:
            image, answer = rendered.get(pictures[probe]), about.get(probe.question, "")
            if image is not None and answer is not None:
                keys[probe] = (self._keys.of(probe, image, record.columns, answer), image)
        answers = self._store.answers(key for key, _ in keys.values())
        for probe in wanted:
            key, image = keys.get(probe, ("", Rendered("", None, None)))
            yield Answered(probe, key, image, answers.get(key))

    def _note_unshown(self, record: Item, rendered: Mapping[Condition, Rendered]) -> None:
        for condition in (condition for condition, one in rendered.items() if not one.exists):
            why = self._renderer.why_not(record, condition)
            said = f"{UNDECODABLE}: {why}" if why else TOO_SMALL
            self.unshown.setdefault(record.id, {})[condition_name(condition)] = said

    def shown(self, record: Item, condition: Condition) -> tuple[NDArray[np.uint8], ...]:
        """Return the pictures that the model was given under a condition."""
        return self._renderer.shown(record, self._digests[record.id], self._catalogue.pictures(condition))

    def measure(self) -> Measurements:
        """Read all planned answers into arrays; a planned question without an answer is an error, never dropped."""
        n = len(self.records)
        table = AnswerTable(n, self._catalogue)
        doses: dict[Condition, NDArray[np.float64]] = {}
        digests = []
        for i, record in enumerate(self.records):
            answered = list(self.read(record))
            digests.append(raw_digest(answered))
            for one in answered:
                pictures = self._catalogue.shown(one.probe.question)
                dose = _or_nan(one.rendered.ssim), _or_nan(one.rendered.psnr)
                doses.setdefault(pictures, np.full((n, 2), np.nan))[i] = dose
                table.put(i, one.probe.question, one.answer, record.columns)
        return Measurements(self.records, table.columns, doses, digests)


def raw_digest(answered: Iterable[Answered]) -> str:
    """Return the SHA-256 over raw answers, by question; the order they come in does not matter."""
    return digest_of(
        sorted(
            [
                condition_name(one.probe.question.condition),
                one.probe.question.words,
                *(("", "") if one.answer is None else (one.answer.text, one.answer.finish_reason)),
                *([] if one.probe.question.role == MODEL else [one.probe.question.role]),
            ]
            for one in answered
        )
    )


def _or_nan(value: float | None) -> float:
    return np.nan if value is None else value
