"""One batched pass over the questions that the store does not hold yet."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from auditkit import tasks
from auditkit.ask.ask import Asker
from auditkit.ask.keys import answer_key, digest_of, pixel_digest
from auditkit.ask.plan import Plan
from auditkit.ask.render import Renderer
from auditkit.ask.store import Rendered, Store, StoredAnswer
from auditkit.images.record import ImageRecord, LeftOut, UnreadableImage
from auditkit.models.base import Model, Request, Response
from auditkit.perturbations import CorruptionError
from auditkit.tasks.answers import parse
from auditkit.vocabulary import CLEAN, NO_CONTEXT, Condition, Probe

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_FIRST_BATCH = 32  # questions; each batch after it is twice as large, up to the size wanted
_TOGETHER = 10  # renderings of an image held at once, so that one query asks the store about all of them

T = TypeVar("T")
Progress = Callable[["Tally"], None]


@dataclass(slots=True)
class Tally:
    """Where a pass stands.

    Attributes
    ----------
    planned, done : int
        Questions of the plan, and those with an answer or an error by now.
    held : int
        Answers that the store held already.
    refused, unparsed : int
        Among the answers given in this pass.
    errors : dict of str to str
        Probe keys without an answer, and why; never stored as answers, asked again on the next run.
    left_out : list of LeftOut
        Images that could not be decoded or are too small to be corrupted.
    unreadable : list of str
        Their ids, in the same order.
    seconds : float
        Wall time of the pass.
    gave_up : str
        Why nothing more was asked, when the model did not return.
    """

    planned: int = 0
    done: int = 0
    held: int = 0
    refused: int = 0
    unparsed: int = 0
    errors: dict[str, str] = field(default_factory=dict)
    left_out: list[LeftOut] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    seconds: float = 0.0
    gave_up: str = ""

    @property
    def asked(self) -> int:
        return self.done - self.held

    def leave_out(self, record: ImageRecord, error: Exception) -> None:
        """Note an image that cannot be used, and why."""
        self.left_out.append(LeftOut(record.name or f"image {record.id}", str(error)))
        self.unreadable.append(record.id)

    def to_record(self) -> dict[str, Any]:
        """Return the tally as plain data."""
        return asdict(self)

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Tally:
        """Return the tally another process left."""
        left_out = [LeftOut(**entry) for entry in record["left_out"]]
        return cls(**{**record, "left_out": left_out})


def model_identity(model: Model) -> str:
    """Return a hash over all that the model says of itself."""
    return digest_of(*(str(getattr(model, name, "")) for name in ("name", "revision", "fingerprint")))


class Keys:
    """Probe keys of one image, from digests that are remembered or freshly made."""

    def __init__(self, model: Model, batch_size: int) -> None:
        self._identity = model_identity(model)
        self._batch_size = batch_size

    def of(self, probe: Probe, rendered: Rendered) -> str:
        """Return the key of a probe whose image is rendered as described."""
        prompt = tasks.render(probe.template, probe.condition.context)
        return answer_key(rendered.digest, prompt, probe.condition, self._identity, self._batch_size)


def pixel_condition(condition: Condition) -> Condition:
    """Return the condition without its words: what is done to the pixels."""
    return Condition(condition.corruption, condition.severity)


def digests(plan: Plan, store: Store, renderer: Renderer, tally: Tally) -> dict[str, str]:
    """Return the digest of every image's pixels by record id; images that cannot be decoded are left out."""
    known = store.sources(record.content for record in plan.records)
    found: dict[str, str] = {}
    fresh: dict[str, str] = {}
    for record in plan.records:
        if record.content not in known:
            try:
                known[record.content] = fresh[record.content] = pixel_digest(renderer.clean(record))
            except UnreadableImage as error:
                tally.leave_out(record, error)
                continue
        found[record.id] = known[record.content]
        if len(fresh) >= 256:
            store.add_sources(fresh)
            fresh.clear()
    store.add_sources(fresh)
    return found


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

    Returns
    -------
    Tally
        What was asked, held, left out and went wrong.
    """
    start = time.monotonic()
    tally = Tally() if tally is None else tally
    keys = Keys(model, batch_size)
    asker = Asker(model, deadline)
    pass_ = _Pass(asker, store, getattr(model, "name", "model"), batch_size, tally, on_progress)
    tally.planned += plan.size()
    on_progress(tally)
    try:
        for item in image_by_image(
            plan.records,
            store,
            renderer,
            tally,
            lambda record, digest: _missing(plan, record, digest, store, renderer, keys, asker, tally),
            lambda record: len(plan.probes(record)),
        ):
            pass_.add(item)
        pass_.finish()
    finally:
        asker.close()
    on_progress(tally)
    tally.gave_up = tally.gave_up or asker.gave_up
    tally.seconds += time.monotonic() - start
    return tally


def image_by_image(
    records: Sequence[ImageRecord],
    store: Store,
    renderer: Renderer,
    tally: Tally,
    missing: Callable[[ImageRecord, str], Iterator[T]],
    planned: Callable[[ImageRecord], int],
) -> Iterator[T]:
    """Yield what is missing of one image after the other; what cannot be used is left out and no longer planned.

    Parameters
    ----------
    records : sequence of ImageRecord
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
                known[record.content] = pixel_digest(renderer.clean(record))
                store.add_sources({record.content: known[record.content]})
            for item in missing(record, known[record.content]):
                added += 1
                yield item
        except (UnreadableImage, CorruptionError) as error:
            # It cannot be decoded (any more), or it is too small to be corrupted.
            tally.leave_out(record, error)
            tally.planned -= planned(record) - added - (tally.held - held)


@dataclass(frozen=True, slots=True)
class _Item:
    key: str
    probe: Probe
    request: Request


def _missing(
    plan: Plan,
    record: ImageRecord,
    digest: str,
    store: Store,
    renderer: Renderer,
    keys: Keys,
    asker: Asker,
    tally: Tally,
) -> Iterator[_Item]:
    """Yield the questions of one image that have no answer yet, rendering what they need."""
    from PIL import Image

    probes = plan.probes(record)
    by_pixels: dict[Condition, list[Probe]] = {}
    for probe in probes:
        by_pixels.setdefault(pixel_condition(probe.condition), []).append(probe)
    rendered = renderer.known(digest, set(by_pixels))
    probe_keys = {p: keys.of(p, rendered[c]) for c, ps in by_pixels.items() if c in rendered for p in ps}
    held = store.known(probe_keys.values())
    fresh: dict[str, Rendered] = {}
    pixels: dict[Condition, NDArray[np.uint8]] = {}
    for place, (condition, some) in enumerate(by_pixels.items()):
        if place % _TOGETHER == 0:
            pixels = {}
            if not asker.gave_up:
                ahead = list(by_pixels.items())[place : place + _TOGETHER]
                for other, its in ahead:
                    if other not in rendered:
                        pixels[other] = renderer.pixels(record, digest, other)
                        rendered[other] = renderer.describe(record, pixels[other])
                        if other.corruption != CLEAN:
                            fresh[renderer.key(digest, other)] = rendered[other]
                        probe_keys |= {p: keys.of(p, rendered[other]) for p in its}
                held |= store.known(probe_keys[p] for other, its in ahead if other in pixels for p in its)
        if condition in rendered and all(probe_keys[p] in held for p in some):
            tally.held += len(some)
            tally.done += len(some)
            continue
        if asker.gave_up:  # nothing more is asked, so nothing more is rendered
            for probe in some:
                tally.held += probe_keys.get(probe) in held
                tally.done += 1
                if probe_keys.get(probe) not in held:
                    tally.errors[probe_keys.get(probe) or str(probe)] = asker.gave_up
            continue
        if condition not in pixels:
            pixels[condition] = renderer.pixels(record, digest, condition)
        image = Image.fromarray(pixels[condition])
        for probe in some:
            if probe_keys[probe] in held:
                tally.held += 1
                tally.done += 1
                continue
            prompt = tasks.render(probe.template, probe.condition.context)
            request = Request(
                probe_keys[probe],
                (image,),
                prompt.user,
                prompt.system,
                prompt.choices,
                prompt.max_new_tokens,
                probe.template,
                "" if probe.condition.context == NO_CONTEXT else probe.condition.context,
            )
            yield _Item(probe_keys[probe], probe, request)
    store.add_renders(fresh)


class _Pass:
    """Collects questions into batches; those to be asked alone go one at a time.

    One batch is with the model while the next is rendered; it is committed before the next is sent.
    """

    def __init__(
        self, asker: Asker, store: Store, model: str, batch_size: int, tally: Tally, on_progress: Progress
    ) -> None:
        self._asker = asker
        self._store = store
        self._model = model
        self._size = batch_size
        self._first = _FIRST_BATCH
        self._tally = tally
        self._on_progress = on_progress
        self._waiting: list[_Item] = []
        self._flying: list[_Item] = []
        self._templates = tasks.templates()

    def add(self, item: _Item) -> None:
        """Take a question; a full batch is sent."""
        if item.probe.condition.alone:
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
        flying, self._flying = self._flying, items
        if flying:
            self._commit(flying, self._asker.receive([item.request for item in flying]))
        if items:
            self._asker.send([item.request for item in items])

    def _commit(self, items: list[_Item], responses: list[Response]) -> None:
        answers: dict[str, StoredAnswer] = {}
        for item, response in zip(items, responses, strict=True):
            self._count(item, response)
            if response.error is None:
                answers[item.key] = StoredAnswer(response.text, response.finish_reason, response.logprobs)
            else:
                self._tally.errors[item.key] = response.error
        self._store.add_answers(answers, self._model)
        self._tally.done += len(items)
        self._on_progress(self._tally)

    def _count(self, item: _Item, response: Response) -> None:
        if response.error is None:
            outcome = parse(response.text, self._templates[item.probe.template], response.finish_reason).outcome
            self._tally.refused += outcome == "refused"
            self._tally.unparsed += outcome not in ("refused", "scored")
