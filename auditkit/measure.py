"""From stored answers to arrays: a score or an outcome for every image under every condition, none dropped."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from auditkit import prompts
from auditkit.conditions import Condition, Probe
from auditkit.evidence import Outcomes
from auditkit.images.record import ImageRecord
from auditkit.inference.plan import Plan
from auditkit.inference.prefetch import Keys, pixel_condition
from auditkit.inference.render import Renderer
from auditkit.inference.store import Rendered, Store, StoredAnswer
from auditkit.prompts.answers import OUTCOMES, parse

if TYPE_CHECKING:
    from numpy.typing import NDArray

NOT_ASKED = -1
ALL = "all"
_CODES = {name: code for code, name in enumerate(OUTCOMES)}


@dataclass(frozen=True, slots=True)
class Column:
    """The answers of all images to one template under one condition.

    Attributes
    ----------
    scores : ndarray of float, shape (n,)
        0-100 points; NaN where the answer gave none.
    outcomes : ndarray of int8, shape (n,)
        Index into ``OUTCOMES``; -1 where the question is not part of the plan.
    """

    scores: NDArray[np.float64]
    outcomes: NDArray[np.int8]


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
    """

    def __init__(
        self,
        records: Sequence[ImageRecord],
        columns: Mapping[tuple[Condition, str], Column],
        doses: Mapping[Condition, NDArray[np.float64]],
    ) -> None:
        self.records = tuple(records)
        self._columns = dict(columns)
        self.doses = dict(doses)
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
        columns[key] = Column(scores[order], outcomes[order])
    doses = {}
    for condition in dict.fromkeys(condition for part in parts for condition in part.doses):
        unknown = [np.full((len(part.records), 2), np.nan) for part in parts]
        found = [part.doses.get(condition, empty) for part, empty in zip(parts, unknown, strict=True)]
        doses[condition] = np.concatenate(found)[order]
    return Measurements([records[i] for i in order], columns, doses)


def count_outcomes(outcomes: NDArray[np.int8]) -> Outcomes:
    """Count outcome codes; "not asked" is not an outcome."""
    counts = np.bincount(outcomes[outcomes >= 0].astype(np.int64), minlength=len(OUTCOMES))
    return Outcomes(**{name: int(k) for name, k in zip(OUTCOMES, counts, strict=True)})


class AnswerTable:
    """Puts answers, parsed, into columns: the one way from a text to a number.

    Parameters
    ----------
    n : int
        Number of images.
    """

    def __init__(self, n: int) -> None:
        self._n = n
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
        outcome, score = self._parse(answer.text, template, answer.finish_reason)
        column.outcomes[image] = outcome
        if score is not None:
            column.scores[image] = score


def _parsed(text: str, template: str, finish_reason: str) -> tuple[int, float | None]:
    answer = parse(text, prompts.templates()[template], finish_reason)
    return _CODES[answer.outcome], answer.score


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
        for i, record in enumerate(self.records):
            for found in self.read(record):
                pixel = pixel_condition(found.probe.condition)
                doses.setdefault(pixel, np.full((n, 2), np.nan))[i] = (
                    _or_nan(found.rendered.ssim),
                    _or_nan(found.rendered.psnr),
                )
                table.put(i, found.probe.condition, found.probe.template, found.answer)
        return Measurements(self.records, table.columns, doses)


def _or_nan(value: float | None) -> float:
    return np.nan if value is None else value
