"""What the model holds inside, fetched for every picture of a plan that the store does not hold yet."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

import numpy as np

from auditkit.ask.ask import Asker
from auditkit.ask.keys import embedding_key
from auditkit.ask.plan import Plan
from auditkit.ask.prefetch import image_by_image
from auditkit.ask.render import Renderer
from auditkit.ask.requests import answers_identity
from auditkit.ask.store import Rendered, Store
from auditkit.ask.tally import Progress, Tally
from auditkit.errors import AuditkitError
from auditkit.images.item import Item
from auditkit.models.base import Embeds, Model, Request, Response
from auditkit.protocol.model import Protocol
from auditkit.vocabulary import Condition, Effect, Question, condition_name

if TYPE_CHECKING:
    import PIL.Image
    from numpy.typing import NDArray


def embedding_kinds(model: Model) -> tuple[str, ...]:
    """Return which embeddings a model lists; best called before the first question is asked.

    Raises
    ------
    AuditkitError
        When it gives none.
    """
    kinds = getattr(model, "embeddings", ())
    listed = isinstance(kinds, list | tuple) and all(isinstance(kind, str) and kind for kind in kinds)
    # Not isinstance(model, Embeds): from Python 3.12 on that overlooks what a model hands on from another.
    if not (callable(getattr(model, "embed", None)) and kinds and listed):
        raise AuditkitError(
            f"--audit-embeddings: {getattr(model, 'name', type(model).__name__)} gives no embeddings "
            f"(embeddings = {kinds!r:.80}, embed() {'is there' if hasattr(model, 'embed') else 'is missing'}).",
            "Leave --audit-embeddings out, or give the model embeddings = ('vision',) and embed(requests, kind).",
        )
    return tuple(dict.fromkeys(kinds))


def kinds_of(effect: Effect, protocol: Protocol) -> tuple[str, ...]:
    """Return which kinds of embeddings an effect compares; none where all of it is asked in words."""
    questions = map(protocol.resolve, effect.questions())
    return tuple(dict.fromkeys(q.wording for q in questions if not protocol.catalogue.asks(q)))


def kinds_by_condition(plan: Plan, modality: str) -> dict[Condition, tuple[str, ...]]:
    """Return which kinds of embeddings the plan compares, by what is done to the pixels: the unchanged image first."""
    found: dict[Condition, dict[str, None]] = {}
    for question in plan.inside(modality):
        found.setdefault(question.condition, {})[question.wording] = None
    return {condition: tuple(kinds) for condition, kinds in found.items()}


class EmbeddingKeys:
    """Keys of a model's embeddings; language features are those of the protocol's score question."""

    def __init__(self, model: Model, protocol: Protocol) -> None:
        self._question = protocol.resolve(Question())
        self._prompt = protocol.catalogue.prompt(self._question)
        self._identity = answers_identity(model)

    def of(self, rendered: Rendered, kind: str) -> str:
        """Return the key of one kind of embedding of an image rendered as described."""
        return embedding_key(rendered.digest, self._prompt, kind, self._identity)

    def request(self, key: str, kind: str, image: PIL.Image.Image) -> _Wanted:
        """Return what to put to the model for it."""
        prompt = self._prompt
        return _Wanted(
            key, (image,), prompt.user, prompt.system, prompt.choices, prompt.max_new_tokens, self._question, kind=kind
        )


def fetch_embeddings(
    plan: Plan,
    model: Model,
    store: Store,
    renderer: Renderer,
    *,
    batch_size: int,
    deadline: float,
    on_progress: Progress,
) -> Tally:
    """Fetch every embedding that the store does not hold; commit every batch as soon as it is there.

    Parameters
    ----------
    plan : Plan
        Its images, and what it compares inside the model: kinds, and what is done to the pixels. Nothing is fetched of
        items with another number of pictures than one.
    model : Model
        Must be an `Embeds` as well.
    store : Store
        Where embeddings are looked up and kept.
    renderer : Renderer
        Makes the pixels.
    batch_size : int
        Requests per call of ``embed``.
    deadline : float
        Seconds one call may take.
    on_progress : callable
        Called with the `Tally` after every batch.

    Returns
    -------
    Tally
        In units of embeddings (one image under one condition, of one kind). What the model did not give, or gave with
        the wrong shape, NaN or nothing but zeros, is in ``errors`` and never stored.

    Raises
    ------
    AuditkitError
        When the model gives no embeddings, or raises one itself.
    """
    start = time.monotonic()
    embedding_kinds(model)
    plan = replace(plan, records=tuple(record for record in plan.records if len(record.pictures) == 1))
    keys = EmbeddingKeys(model, plan.protocol)
    vectors = _Vectors(cast("Embeds", model))
    asker = Asker(vectors, deadline)
    wanted_of = {m: kinds_by_condition(plan, m) for m in {record.modality for record in plan.records}}

    def planned(record: Item) -> int:
        return sum(map(len, wanted_of[record.modality].values()))

    tally = Tally(planned=sum(map(planned, plan.records)))
    pass_ = _Pass(asker, vectors, store, getattr(model, "name", "model"), batch_size, tally, on_progress)
    on_progress(tally)

    def missing(record: Item, digest: str) -> Iterator[_Wanted]:
        image = _Image(record, digest, wanted_of[record.modality])
        return _missing(image, store, renderer, keys, asker, tally)

    try:
        for wanted in image_by_image(plan.records, store, renderer, tally, missing, planned):
            pass_.add(wanted)
        pass_.finish()
    finally:
        asker.close()
    on_progress(tally)
    tally.seconds = time.monotonic() - start
    return tally


@dataclass(frozen=True, slots=True)
class _Image:
    record: Item
    digest: str
    wanted: Mapping[Condition, tuple[str, ...]]
    """Kinds of embeddings by what is done to the pixels."""


@dataclass(frozen=True, slots=True)
class _Wanted(Request):
    """A request, its id the embedding's key, with the kind of embedding asked for."""

    kind: str = ""


def _missing(
    image: _Image,
    store: Store,
    renderer: Renderer,
    keys: EmbeddingKeys,
    asker: Asker,
    tally: Tally,
) -> Iterator[_Wanted]:
    """Yield what is not held of one image, rendering one condition at a time."""
    from PIL import Image

    record, digest = image.record, image.digest
    rendered = renderer.known(record, digest, image.wanted)
    held = store.known_embeddings(keys.of(one, kind) for c, one in rendered.items() for kind in image.wanted[c])
    fresh: dict[str, Rendered] = {}
    for condition, kinds in image.wanted.items():
        pixels = None
        # Not known yet when its questions were given up before they were asked.
        if condition not in rendered and not asker.gave_up:
            pixels = renderer.pixels(record, digest, condition)
            rendered[condition] = renderer.describe(record, condition, [pixels])
            fresh[renderer.key(record, digest, condition)] = rendered[condition]
            held |= store.known_embeddings(keys.of(rendered[condition], kind) for kind in kinds)
        for kind in kinds:
            key = keys.of(rendered[condition], kind) if condition in rendered else _unknown(kind, record, condition)
            if key in held:
                tally.held += 1
                tally.done += 1
            elif asker.gave_up:  # nothing more is asked, so nothing more is rendered
                tally.lose(key, asker.gave_up, again=True, kind=kind)
                tally.done += 1
            else:
                pixels = renderer.pixels(record, digest, condition) if pixels is None else pixels
                yield keys.request(key, kind, Image.fromarray(pixels))
    store.add_renders(fresh)


def _unknown(kind: str, record: Item, condition: Condition) -> str:
    """Return what stands for a key that only rendering would tell."""
    return f"{kind} {record.id} {condition_name(condition)}"


class _Vectors:
    """Gives ``embed`` the form of ``generate``, so that `Asker` is as patient and as strict with it.

    A response says whether there is a vector; the vectors are kept aside until they are taken.
    """

    def __init__(self, model: Embeds) -> None:
        self._model = model
        self._kept: dict[str, NDArray[np.float32]] = {}
        self._width: dict[str, int] = {}

    def generate(self, requests: Sequence[Request]) -> list[Response]:
        """Embed requests of one kind; an array that is wrong as a whole is raised, so that each is tried alone."""
        kind = cast("_Wanted", requests[0]).kind
        found = np.asarray(self._model.embed(requests, kind))
        if found.ndim != 2 or len(found) != len(requests) or found.dtype.kind != "f":
            raise ValueError(
                f"embed() returned {found.dtype} numbers of shape {found.shape} to {len(requests)} requests for "
                f"{kind!r}; expected floats of shape ({len(requests)}, d)"
            )
        with np.errstate(over="ignore"):  # what float32 cannot hold is infinite and refused below
            rows = found.astype(np.float32)
        return [self._checked(request.id, kind, row) for request, row in zip(requests, rows, strict=True)]

    def _checked(self, key: str, kind: str, row: NDArray[np.float32]) -> Response:
        wrong = ""
        if not np.isfinite(row).all():
            wrong = f"the {kind} embedding holds NaN or infinite numbers"
        elif not row.any():
            wrong = f"the {kind} embedding holds nothing but zeros ({row.size} of them)"
        elif row.size != self._width.setdefault(kind, row.size):
            wrong = f"the {kind} embedding has {row.size} numbers, others have {self._width[kind]}"
        if wrong:
            return Response(error=wrong, finish_reason="error", again=False)
        self._kept[key] = row
        return Response()

    def take(self, keys: Iterable[str]) -> dict[str, NDArray[np.float32]]:
        """Return the vectors kept for the keys, and let go of them."""
        return {key: self._kept.pop(key) for key in keys if key in self._kept}


class _Pass:
    """Collects what is wanted into batches of one kind.

    One batch is with the model while the next is rendered; it is committed before the next is sent.
    """

    def __init__(
        self,
        asker: Asker,
        vectors: _Vectors,
        store: Store,
        model: str,
        batch_size: int,
        tally: Tally,
        on_progress: Progress,
    ) -> None:
        self._asker = asker
        self._vectors = vectors
        self._store = store
        self._model = model
        self._size = batch_size
        self._tally = tally
        self._on_progress = on_progress
        self._waiting: dict[str, list[_Wanted]] = {}
        self._flying: list[_Wanted] = []

    def add(self, wanted: _Wanted) -> None:
        """Take one; a full batch is sent."""
        waiting = self._waiting.setdefault(wanted.kind, [])
        waiting.append(wanted)
        if len(waiting) >= self._size:
            self._send(self._waiting.pop(wanted.kind))

    def finish(self) -> None:
        """Send what is left and wait for the last vectors."""
        for waiting in self._waiting.values():
            self._send(waiting)
        self._send([])

    def _send(self, batch: list[_Wanted]) -> None:
        flying, self._flying = self._flying, batch
        if flying:
            self._commit(flying, self._asker.receive(flying))
        if batch:
            self._asker.send(batch)

    def _commit(self, batch: list[_Wanted], responses: Sequence[Response]) -> None:
        for wanted, response in zip(batch, responses, strict=True):
            if response.error is not None:
                self._tally.lose(wanted.id, response.error, response.again, kind=wanted.kind)
        there = self._vectors.take(wanted.id for wanted in batch if wanted.id not in self._tally.errors)
        self._store.add_embeddings(there, batch[0].kind, self._model)
        self._tally.done += len(batch)
        self._on_progress(self._tally)
