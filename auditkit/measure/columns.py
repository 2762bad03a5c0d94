"""From stored answers to arrays: a score or an outcome for every image under every condition, none dropped."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from auditkit import tasks
from auditkit.ask.keys import digest_of
from auditkit.ask.plan import Plan
from auditkit.ask.prefetch import Keys, pixel_condition
from auditkit.ask.render import Renderer
from auditkit.ask.store import Rendered, Store, StoredAnswer
from auditkit.evidence import Outcomes
from auditkit.images.record import ImageRecord
from auditkit.tasks.answers import OUTCOMES, Answer, parse
from auditkit.tasks.expected import READINGS, expect
from auditkit.vocabulary import Condition, Probe

if TYPE_CHECKING:
    from numpy.typing import NDArray

NOT_ASKED = -1
NOT_READ = -1
ALL = "all"
_CODES = {name: code for code, name in enumerate(OUTCOMES)}
_READINGS = {name: code for code, name in enumerate(READINGS)}


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
    """

    scores: NDArray[np.float64]
    entropy: NDArray[np.float64]
    mass: NDArray[np.float64]
    readings: NDArray[np.int8]
    agrees: NDArray[np.int8]
    max_entropy: float

    @classmethod
    def none(cls, n: int, max_entropy: float) -> Expectations:
        """Return what is known of n answers without log-probabilities."""
        scores, entropy, mass = np.full((3, n), np.nan)
        readings, agrees = np.full((2, n), NOT_READ, dtype=np.int8)
        return cls(scores, entropy, mass, readings, agrees, max_entropy)


@dataclass(frozen=True, slots=True)
class Column:
    """The answers of all images to one template under one condition.

    Attributes
    ----------
    scores : ndarray of float, shape (n,)
        0-100 points; NaN where the answer gave none.
    outcomes : ndarray of int8, shape (n,)
        Index into ``OUTCOMES``; -1 where the question is not part of the plan.
    expectations : Expectations or None
        None where no answer came with log-probabilities, so that back ends without them take no memory.
    """

    scores: NDArray[np.float64]
    outcomes: NDArray[np.int8]
    expectations: Expectations | None = None

    @property
    def expected(self) -> NDArray[np.float64]:
        """Expected scores, 0-100 points; NaN where there is none; shape (n,)."""
        return np.full(self.scores.shape, np.nan) if self.expectations is None else self.expectations.scores


@dataclass(frozen=True, slots=True)
class Found:
    """A planned question with what is known of it."""

    probe: Probe
    key: str
    rendered: Rendered
    answer: StoredAnswer | None


class Measurements:
    """All answers of a run, by condition and template, with the images' modalities and patients.

    Parameters
    ----------
    records : sequence of ImageRecord
        The n images, in the order of every column.
    columns : mapping
        Columns by (condition, template id).
    doses : mapping
        Per pixel condition, SSIM and PSNR of every image, shape (n, 2).
    digests : sequence of str
        Of each image, the SHA-256 over the raw answers to its questions; empty for answers that came from elsewhere.
    """

    def __init__(
        self,
        records: Sequence[ImageRecord],
        columns: Mapping[tuple[Condition, str], Column],
        doses: Mapping[Condition, NDArray[np.float64]],
        digests: Sequence[str] = (),
    ) -> None:
        self.records = tuple(records)
        self._columns = dict(columns)
        self.doses = dict(doses)
        self.digests = tuple(digests) or ("",) * len(self.records)
        self.modality = np.array([r.modality for r in records], dtype=object)
        _, codes = np.unique([r.cluster for r in records], return_inverse=True)
        self.cluster: NDArray[np.int64] = codes.astype(np.int64).reshape(-1)
        self.modalities: tuple[str, ...] = tuple(sorted(set(self.modality.tolist())))

    def column(self, condition: Condition, template: str) -> Column:
        """Return the answers under a condition; all "not asked" when it was not part of the plan."""
        n = len(self.records)
        empty = Column(np.full(n, np.nan), np.full(n, NOT_ASKED, dtype=np.int8))
        return self._columns.get((condition, template), empty)

    def asked(self) -> tuple[tuple[Condition, str], ...]:
        """Return the conditions and templates that were part of the plan."""
        return tuple(self._columns)

    def where(self, modality: str) -> NDArray[np.bool_]:
        """Return the images of a modality, or all for ``"all"``; shape (n,)."""
        if modality == ALL:
            return np.ones(len(self.records), dtype=bool)
        chosen: NDArray[np.bool_] = self.modality == modality
        return chosen

    def clusters(self, mask: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Return the patients of the chosen images as codes 0..G-1, shape (mask.sum(),)."""
        _, codes = np.unique(self.cluster[mask], return_inverse=True)
        return codes.astype(np.int64).reshape(-1)

    def total(self) -> Outcomes:
        """Return the outcomes of all distinct questions of the run."""
        total = Outcomes()
        for column in self._columns.values():
            total = total + count_outcomes(column.outcomes)
        return total


def joined(parts: Sequence[Measurements]) -> Measurements:
    """Put the measurements of disjoint sets of images together, sorted by image id.

    What was asked of some of the sets only is "not asked" elsewhere.
    """
    if len(parts) == 1:
        return parts[0]
    records = [record for part in parts for record in part.records]
    order = np.array(sorted(range(len(records)), key=lambda i: records[i].id), dtype=np.int64)
    columns = {}
    for key in dict.fromkeys(key for part in parts for key in part.asked()):
        some = [part.column(*key) for part in parts]
        scores = np.concatenate([column.scores for column in some])
        outcomes = np.concatenate([column.outcomes for column in some])
        columns[key] = Column(scores[order], outcomes[order], _joined_expectations(some, order))
    doses = {}
    for condition in dict.fromkeys(condition for part in parts for condition in part.doses):
        unknown = [np.full((len(part.records), 2), np.nan) for part in parts]
        found = [part.doses.get(condition, empty) for part, empty in zip(parts, unknown, strict=True)]
        doses[condition] = np.concatenate(found)[order]
    digests = [digest for part in parts for digest in part.digests]
    return Measurements([records[i] for i in order], columns, doses, [digests[i] for i in order])


def _joined_expectations(columns: Sequence[Column], order: NDArray[np.int64]) -> Expectations | None:
    """Put the expectations of columns together; those without any have none of their answers' log-probabilities."""
    most = next((c.expectations.max_entropy for c in columns if c.expectations is not None), None)
    if most is None:
        return None
    parts = [c.expectations or Expectations.none(len(c.scores), most) for c in columns]
    return Expectations(
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


class AnswerTable:
    """Puts answers, parsed, into columns: the one way from a text, or from log-probabilities, to a number.

    Parameters
    ----------
    n : int
        Number of images.
    """

    def __init__(self, n: int) -> None:
        self._n = n
        self._templates = tasks.templates()
        self._parse = lru_cache(maxsize=4096)(_parsed)
        self.columns: dict[tuple[Condition, str], Column] = {}

    def put(self, image: int, condition: Condition, template: str, answer: StoredAnswer | None) -> None:
        """Enter the answer of one image; a question without an answer (None) is an error, never dropped."""
        column = self.columns.get((condition, template))
        if column is None:
            column = Column(np.full(self._n, np.nan), np.full(self._n, NOT_ASKED, dtype=np.int8))
            self.columns[condition, template] = column
        if answer is None:
            column.outcomes[image] = _CODES["error"]
            return
        parsed = self._parse(answer.text, template, answer.finish_reason)
        column.outcomes[image] = _CODES[parsed.outcome]
        if parsed.score is not None:
            column.scores[image] = parsed.score
        if answer.logprobs is not None:
            self._put_expectation(image, (condition, template), answer.logprobs, parsed)

    def _put_expectation(
        self, image: int, place: tuple[Condition, str], logprobs: Mapping[str, float], parsed: Answer
    ) -> None:
        found = expect(logprobs, self._templates[place[1]])
        column = self.columns[place]
        held = column.expectations
        if held is None:
            held = Expectations.none(self._n, found.max_entropy)
            self.columns[place] = replace(column, expectations=held)
        held.readings[image] = _READINGS[found.reading]
        for values, value in ((held.scores, found.score), (held.entropy, found.entropy), (held.mass, found.mass)):
            if value is not None:
                values[image] = value
        if found.top is not None and parsed.outcome == "scored":
            held.agrees[image] = self._parse(found.top, place[1], "stop").value == parsed.value


def _parsed(text: str, template: str, finish_reason: str) -> Answer:
    return parse(text, tasks.templates()[template], finish_reason)


class AnswerReader:
    """Finds the stored answers of a plan.

    Parameters
    ----------
    plan : Plan
        The questions.
    digests : mapping
        Digest of the pixels by image id; images without one could not be decoded and are left out.
    keys : Keys
        Gives the key of a probe.
    store : Store
        The answers.
    renderer : Renderer
        Knows the digests of rendered images.
    """

    def __init__(self, plan: Plan, digests: Mapping[str, str], keys: Keys, store: Store, renderer: Renderer) -> None:
        self.plan = plan
        self.records = tuple(r for r in plan.records if r.id in digests)
        self._digests = digests
        self._keys = keys
        self._store = store
        self._renderer = renderer

    def read(self, record: ImageRecord, probes: Sequence[Probe] | None = None) -> Iterator[Found]:
        """Yield every planned probe of an image with its dose and its stored answer, if there is one."""
        wanted = self.plan.probes(record) if probes is None else probes
        digest = self._digests[record.id]
        rendered = self._renderer.known(digest, {pixel_condition(p.condition) for p in wanted})
        keys = {}
        for probe in wanted:
            image = rendered.get(pixel_condition(probe.condition))
            if image is not None:
                keys[probe] = (self._keys.of(probe, image), image)
        answers = self._store.answers(key for key, _ in keys.values())
        for probe in wanted:
            key, image = keys.get(probe, ("", Rendered("", None, None)))
            yield Found(probe, key, image, answers.get(key))

    def pixels(self, record: ImageRecord, condition: Condition) -> NDArray[np.uint8]:
        """Return the pixels that the model was given under a condition."""
        return self._renderer.pixels(record, self._digests[record.id], pixel_condition(condition))

    def measure(self) -> Measurements:
        """Read all planned answers into arrays; a planned question without an answer is an error, never dropped."""
        n = len(self.records)
        table = AnswerTable(n)
        doses: dict[Condition, NDArray[np.float64]] = {}
        digests = []
        for i, record in enumerate(self.records):
            answered = list(self.read(record))
            digests.append(raw_digest(answered))
            for found in answered:
                pixel = pixel_condition(found.probe.condition)
                doses.setdefault(pixel, np.full((n, 2), np.nan))[i] = (
                    _or_nan(found.rendered.ssim),
                    _or_nan(found.rendered.psnr),
                )
                table.put(i, found.probe.condition, found.probe.template, found.answer)
        return Measurements(self.records, table.columns, doses, digests)


def raw_digest(found: Iterable[Found]) -> str:
    """Return the SHA-256 over raw answers, by condition and template; the order they come in does not matter."""
    return digest_of(
        sorted(
            [
                str(f.probe.condition),
                f.probe.template,
                *(("", "") if f.answer is None else (f.answer.text, f.answer.finish_reason)),
            ]
            for f in found
        )
    )


def _or_nan(value: float | None) -> float:
    return np.nan if value is None else value
