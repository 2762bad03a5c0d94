"""One batched pass over the questions that the store does not hold yet."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from auditkit.ask.ask import Asker
from auditkit.ask.earlier import Earlier
from auditkit.ask.keys import ALONE
from auditkit.ask.plan import Plan
from auditkit.ask.reading import AnswerReading
from auditkit.ask.render import Renderer, UnreadableStandIn
from auditkit.ask.requests import Keys
from auditkit.ask.store import Rendered, Store, StoredAnswer
from auditkit.ask.tally import Progress, Tally
from auditkit.images.item import Item, UnreadableImage
from auditkit.models.base import Model, Request, Response
from auditkit.perturbations import PerturbationError
from auditkit.protocol.catalogue import Catalogue
from auditkit.vocabulary import Condition, Probe, Question

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image

_FIRST_BATCH = 32  # questions; each batch after it is twice as large, up to the size wanted
NO_FIRST = "the answer that it is about is missing"
_TOGETHER = 10  # renderings of an image held at once, so that one query asks the store about all of them

T = TypeVar("T")


def digests(plan: Plan, store: Store, renderer: Renderer, tally: Tally) -> dict[str, str]:
    """Return the digest of every image's pixels by record id; images that cannot be decoded are left out."""
    known = store.sources(record.content for record in plan.records)
    by_id: dict[str, str] = {}
    fresh: dict[str, str] = {}
    for record in plan.records:
        if record.content not in known:
            try:
                known[record.content] = fresh[record.content] = renderer.digest(record)
            except UnreadableImage as error:
                tally.leave_out(record, error)
                continue
        by_id[record.id] = known[record.content]
        if len(fresh) >= 256:
            store.add_sources(fresh)
            fresh.clear()
    store.add_sources(fresh)
    return by_id


def prefetch(
    plan: Plan,
    model: Model,
    store: Store,
    renderer: Renderer,
    *,
    batch_size: int,
    deadline: float,
    on_progress: Progress,
    tally: Tally | None = None,
    probabilities: bool = True,
    ask_on: bool = True,
    earlier: Earlier | None = None,
) -> Tally:
    """Ask everything that is planned and not yet held; commit every batch as soon as it is answered.

    Parameters
    ----------
    plan : Plan
        The questions.
    model : Model
        Who is asked.
    store : Store
        Where answers are looked up and kept.
    renderer : Renderer
        Makes the pixels.
    batch_size : int
        Requests per call of ``generate``.
    deadline : float
        Seconds one call may take.
    on_progress : callable
        Called with the `Tally` after every batch.
    tally : Tally, optional
        Of an earlier stage of the same run; this one is counted onto it.
    probabilities : bool
        As of `Keys`.
    ask_on : bool
        Whether to go on where none of the first answers gives a score.
    earlier : Earlier, optional
        Finds the answers that questions of later rounds are about.

    Returns
    -------
    Tally
        What was asked, held, left out and went wrong.

    Raises
    ------
    AuditkitError
        When the model raises one, and from `FirstAnswers.check` where that matters.
    """
    start = time.monotonic()
    tally = Tally() if tally is None else tally
    keys = Keys(model, batch_size, plan.protocol.catalogue, probabilities=probabilities)
    asker = Asker(model, deadline)
    catalogue = plan.protocol.catalogue
    pass_ = _Pass(asker, store, getattr(model, "name", "model"), batch_size, tally, on_progress, catalogue, ask_on)
    tally.planned += plan.size()
    on_progress(tally)
    try:
        for item in image_by_image(
            plan.records,
            store,
            renderer,
            tally,
            lambda record, digest: _missing(
                plan, record, digest, store, renderer, keys, asker, tally, pass_.read, earlier
            ),
            lambda record: len(plan.probes(record)),
        ):
            pass_.add(item)
        pass_.finish()
    finally:
        asker.close()
        tally.undecodable |= renderer.unreadable
    on_progress(tally)
    tally.gave_up = tally.gave_up or asker.gave_up
    tally.seconds += time.monotonic() - start
    return tally


def image_by_image(
    records: Sequence[Item],
    store: Store,
    renderer: Renderer,
    tally: Tally,
    missing: Callable[[Item, str], Iterator[T]],
    planned: Callable[[Item], int],
) -> Iterator[T]:
    """Yield what is missing of one image after the other; what cannot be used is left out and no longer planned.

    Parameters
    ----------
    records : sequence of Item
        The images.
    store, renderer, tally
        Of the pass.
    missing : callable
        From a record and the digest of its pixels to what is not held of it.
    planned : callable
        From a record to how much was planned of it.
    """
    known = store.sources(record.content for record in records)
    for record in records:
        held, added = tally.held, 0
        try:
            # Decoded one by one while the model answers: the demo's images take 9 s to decode.
            if record.content not in known:
                known[record.content] = renderer.digest(record)
                store.add_sources({record.content: known[record.content]})
            for item in missing(record, known[record.content]):
                added += 1
                yield item
        except (UnreadableImage, PerturbationError) as error:
            # It cannot be decoded (any more), or it is too small for a perturbation.
            tally.leave_out(record, error)
            tally.planned -= planned(record) - added - (tally.held - held)


@dataclass(frozen=True, slots=True)
class _Item:
    key: str
    question: Question
    request: Request
    columns: Mapping[str, str]


def _missing(
    plan: Plan,
    record: Item,
    digest: str,
    store: Store,
    renderer: Renderer,
    keys: Keys,
    asker: Asker,
    tally: Tally,
    reading: AnswerReading,
    earlier: Earlier | None,
) -> Iterator[_Item]:
    """Yield the questions of one image that have no answer yet, rendering what they need."""
    from PIL import Image

    by_pixels: dict[Condition, list[Probe]] = {}
    probes = plan.probes(record)
    # What those of later rounds are about.
    questions = [probe.question for probe in probes]
    about = {} if earlier is None else earlier.answers(record, digest, questions)
    unasked = frozenset() if earlier is None else earlier.unasked(record, digest, questions)
    for probe in probes:
        if probe.question in unasked:
            tally.planned -= 1
            continue
        if about.get(probe.question, "") is None:
            tally.lose(str(probe), NO_FIRST, again=True)
            tally.done += 1
            continue
        by_pixels.setdefault(plan.protocol.catalogue.shown(probe.question), []).append(probe)
    rendered = renderer.known(record, digest, by_pixels)
    # The key of a question holds the digest of its pixels. What has to be rendered to know it comes in groups, as many
    # as may be held in memory, so that the store is asked once for each group.
    unknown = [condition for condition in by_pixels if condition not in rendered]
    fresh: dict[str, Rendered] = {}
    groups = [unknown[at : at + _TOGETHER] for at in range(0, len(unknown), _TOGETHER)]
    for group in ([*rendered], *groups):
        pixels: dict[Condition, tuple[NDArray[np.uint8], ...]] = {}
        for condition in group:
            if condition not in rendered and not asker.gave_up:  # then nothing more is asked, so nothing is rendered
                rendered[condition], pixels[condition] = renderer.render(record, digest, condition)
                fresh[renderer.key(record, digest, condition)] = rendered[condition]
        probe_keys = {
            p: keys.of(p, rendered[c], record.columns, about.get(p.question) or "")
            for c in group
            if c in rendered and rendered[c].exists
            for p in by_pixels[c]
        }
        held = store.known(probe_keys.values())
        if held and tally.first.open:
            answers = store.answers(held)
            for probe, key in probe_keys.items():
                if (answer := answers.get(key)) is not None:
                    score = reading(probe.question, answer.text, answer.finish_reason, record.columns)
                    tally.first.note(score, answer.text)
        for condition in group:
            images: tuple[Image.Image, ...] | None = None
            if condition in rendered and not rendered[condition].exists:
                tally.planned -= len(by_pixels[condition])
                continue
            for place, probe in enumerate(by_pixels[condition]):
                key = probe_keys.get(probe, "")
                if key in held:
                    tally.held += 1
                    tally.done += 1
                elif asker.gave_up:
                    tally.lose(key or str(probe), asker.gave_up, again=True)
                    tally.done += 1
                else:
                    if images is None:
                        shown = pixels.pop(condition, None)
                        try:
                            shown = renderer.shown(record, digest, condition) if shown is None else shown
                        except UnreadableStandIn:  # it could be decoded when its digest was remembered
                            tally.planned -= len(by_pixels[condition]) - place
                            break
                        images = tuple(map(Image.fromarray, shown))
                    request = keys.request(key, images, probe.question, record.columns, about.get(probe.question) or "")
                    yield _Item(key, probe.question, request, record.columns)
    store.add_renders(fresh)


class _Pass:
    """Collects questions into batches; those to be asked alone go one at a time.

    One batch is with the model while the next is rendered; it is committed before the next is sent.
    """

    def __init__(
        self,
        asker: Asker,
        store: Store,
        model: str,
        batch_size: int,
        tally: Tally,
        on_progress: Progress,
        catalogue: Catalogue,
        ask_on: bool,
    ) -> None:
        self._asker = asker
        self._store = store
        self._model = model
        self._size = batch_size
        self._first = _FIRST_BATCH
        self._tally = tally
        self._on_progress = on_progress
        self.read = AnswerReading(catalogue)
        self._ask_on = ask_on
        self._waiting: list[_Item] = []
        self._flying: list[_Item] = []

    def add(self, item: _Item) -> None:
        """Take a question; a full batch is sent."""
        if any(perturbation.name == ALONE for perturbation in item.question.condition):
            self._send([item])
            return
        self._waiting.append(item)
        if len(self._waiting) >= min(self._size, self._first):
            # The first batches are small: the model has something to do while the next, larger one is rendered.
            self._first *= 2
            waiting, self._waiting = self._waiting, []
            self._send(waiting)

    def finish(self) -> None:
        """Send what is left and wait for the last answers."""
        waiting, self._waiting = self._waiting, []
        self._send(waiting)
        self._send([])

    def _send(self, items: list[_Item]) -> None:
        flying, self._flying = self._flying, []
        if flying:
            self._commit(flying, self._asker.receive([item.request for item in flying]))
        if items:
            if not self._ask_on:
                self._tally.first.check()
            self._asker.send([item.request for item in items])
            self._flying = items

    def _commit(self, items: list[_Item], responses: list[Response]) -> None:
        answers: dict[str, StoredAnswer] = {}
        for item, response in zip(items, responses, strict=True):
            if response.error is None:
                answer = StoredAnswer(response.text, response.finish_reason, response.logprobs)
                answers[item.key] = answer
                score = self.read(item.question, answer.text, answer.finish_reason, item.columns)
                self._tally.note(score, answer.text)
            else:
                self._tally.lose(item.key, response.error, response.again)
        self._store.add_answers(answers, self._model)
        self._tally.done += len(items)
        self._on_progress(self._tally)
