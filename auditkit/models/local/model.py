"""Checkpoints of image-text-to-text models on this machine, through transformers.

Loading waits for the first question: a run whose answers are all in the store never imports torch.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import chain, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from auditkit.models.adapter import Adapter, processor_folder
from auditkit.models.base import DEFAULTS, ModelOptions, Request, Response
from auditkit.models.fingerprint import fingerprint_of, installed
from auditkit.models.local.chat import decoded
from auditkit.models.local.shared_prefix import MIN_SHARED, answer_piece
from auditkit.models.memory import by_halves
from auditkit.models.on_disk import model_type, quantisation, require_safetensors, unread_sentence, weights

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from auditkit.models.local.engine import Engine
    from auditkit.models.local.greedy import Answered

_PLAIN = 16  # requests per batch about different images
_SMALL = 100_000_000  # parameters
_ROUNDED = (
    "The model was loaded in {dtype}. In half precision the questions asked together change the rounding, and now and "
    "then an answer (1 in 100 on two small checkpoints); the repeatability audits count it."
)
_MANY = 512  # requests per call of a small network


class LocalModel:
    """A checkpoint folder behind the model seam, decoded greedily.

    Parameters
    ----------
    path : pathlib.Path
        Folder with config.json, ``*.safetensors`` and the processor's files. Code in the folder is never run, and
        weights in other formats are refused, because reading them can run code.
    name : str
        Name shown in reports.
    options : ModelOptions
        ``exact`` asks one by one, ``memory`` bounds what a batch may take.
    dtype : str
        ``float32``, ``bfloat16`` or ``float16``.
    device_map : str or None
        As transformers takes it (``auto`` spreads a model over several GPUs); None for the GPU if there is one.
    revision : str
        Commit of the repository; the beginning of the fingerprint by default.
    family : str
        Architecture; by default the model type in the folder's config.json.
    processor_settings : mapping
        Passed to the image processor with every call.
    adapter : Adapter or None
        Put on the checkpoint in ``path``, which is its base then.
    base : str
        What the base is called.
    unread : sequence of str
        Patterns of weights that the network has no place for and needs not.
    template : mapping
        Arguments of the chat template.
    max_new_tokens : int or None
        Tokens that an answer may have where a request allows fewer.

    Attributes
    ----------
    batch_size : int or None
        Requests per call that suit it; None for the engine's choice.
    limits : tuple of str
        That answers depend on their company, where the dtype makes it so; that weights in the folder are not read.
    description : str
        The adapter and its base; empty without one.
    fingerprint : str
        SHA-256 over every file of the folder (of both, with an adapter), the library versions, the dtype and the
        settings that can change an answer. Not over the device, which moves an answer by rounding only and which the
        driver of a cluster does not know: it is in the record (``run.machine``).

    Raises
    ------
    AuditkitError
        When the folder has no safetensors weights, or (on the first question) cannot be loaded.
    """

    backend = "transformers"
    embeddings = ("vision", "language")

    def __init__(
        self,
        path: Path,
        *,
        name: str,
        options: ModelOptions = DEFAULTS,
        dtype: str = "float32",
        device_map: str | None = None,
        revision: str = "",
        family: str = "",
        processor_settings: Mapping[str, Any] | None = None,
        adapter: Adapter | None = None,
        base: str = "",
        unread: Sequence[str] = (),
        template: Mapping[str, Any] | None = None,
        max_new_tokens: int | None = None,
    ) -> None:
        require_safetensors(path, name)
        self.path = path
        self.name = name
        self.dtype = dtype
        self._options = options
        self._device_map = device_map
        self._settings = dict(processor_settings or {})
        how = "one by one" if options.exact else "shared"
        self.adapter = adapter
        self._processor = path if adapter is None else processor_folder(adapter.folder, path, name)
        self._unread = tuple(unread)
        self._template = dict(template or {})
        self._longer = max_new_tokens or 0
        # What is not used adds nothing, so that the fingerprints of other checkpoints stay what they were.
        more = [f"{key} {value!r}" for key, value in (("template", self._template), ("tokens", self._longer)) if value]
        if adapter is not None:
            more.append(f"adapter {fingerprint_of(adapter.folder, libraries=('peft',))}")
        kind = quantisation(path)
        if kind is not None:
            more.append(f"{kind[0]} {installed(kind[1])}")
        self.fingerprint = fingerprint_of(path, dtype, how, repr(sorted(self._settings.items())), *more)
        self.description = (
            "" if adapter is None else f"{adapter.kind} adapter {adapter.folder.resolve().name} on {base}"
        )
        self.revision = revision or self.fingerprint[:12]
        self.family = family or model_type(path)
        # Each call ends with an idle core, so small networks, which answer in a moment, get larger calls.
        size = sum(file.stat().st_size for file in weights(path).files)
        self.batch_size = _MANY if size < _SMALL * 4 else None
        rounded = () if dtype == "float32" or options.exact else (_ROUNDED.format(dtype=dtype),)
        self.limits = (*rounded, *unread_sentence(path, self._unread))
        self._engine: Engine | None = None
        self._pool: ThreadPoolExecutor | None = None

    def generate(self, requests: Sequence[Request]) -> list[Response]:
        """Answer greedily; requests about the same image share the work on it (see `shared_prefix`)."""
        engine = self._loaded()
        if self._longer:
            requests = [replace(r, max_new_tokens=max(r.max_new_tokens, self._longer)) for r in requests]
        pieces = _pieces(requests, alone=self._options.exact)
        some = [[requests[i] for i in indices] for indices in pieces]
        if self._pool is None or len(pieces) == 1:
            found = [self._answer(engine, piece) for piece in some]
        else:
            found = list(self._pool.map(lambda piece: self._answer(engine, piece), some))
        answers = dict(zip(chain.from_iterable(pieces), chain.from_iterable(found), strict=True))
        return [answers[i] for i in range(len(requests))]

    def _answer(self, engine: Engine, requests: Sequence[Request]) -> list[Response]:
        from auditkit.models.local.exact import answer_exactly

        def work(some: Sequence[Request]) -> list[Response]:
            if self._options.exact:
                return [self._response(engine, answer_exactly(engine, request)) for request in some]
            return [self._response(engine, answered) for answered in answer_piece(engine, some)]

        return by_halves(work, requests, _no_memory, engine.too_many)

    def _response(self, engine: Engine, answered: Answered) -> Response:
        loaded = engine.loaded
        response = decoded(loaded.processor, answered.tokens, loaded.ends)
        return Response(response.text, answered.logprobs, response.finish_reason)

    def embed(self, requests: Sequence[Request], kind: str = "vision") -> NDArray[np.float32]:
        """Return one vector per request, shape (n, d).

        Parameters
        ----------
        requests : sequence of Request
            For ``vision`` only the images matter.
        kind : {"vision", "language"}
            The image's mean feature after the projector, or the last hidden layer at the last token before the answer.

        Raises
        ------
        ValueError
            For another kind.
        """
        from auditkit.models.local.features import language_features, vision_features

        engine = self._loaded()
        if kind not in self.embeddings:
            raise ValueError(f"kind is {kind!r}; this model has {' and '.join(self.embeddings)}")
        return vision_features(engine, requests) if kind == "vision" else language_features(engine, requests)

    def close(self) -> None:
        """Let go of the weights and the threads."""
        self._engine = None
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None

    def release(self) -> None:
        """Let go of the weights; the next question loads them again."""
        self.close()

    def _loaded(self) -> Engine:
        if self._engine is None:
            from auditkit.models.local.engine import Engine
            from auditkit.models.local.loading import load

            loaded = load(
                self.path,
                self.name,
                dtype=self.dtype,
                device_map=self._device_map,
                processor_settings=self._settings,
                processor=self._processor,
                adapter=None if self.adapter is None else self.adapter.folder,
                unread=self._unread,
                template=self._template,
            )
            if loaded.parameters < _SMALL and not self._options.exact and loaded.model.device.type == "cpu":
                # A small network's products are too short to be worth splitting, and threads that wait for each other
                # are slow beside other work (17 instead of 590 answers/s were measured). Each piece gets one core.
                import torch

                torch.set_num_threads(1)
                self._pool = ThreadPoolExecutor(_threads(), thread_name_prefix="auditkit-decode")
            self._engine = Engine(loaded, self._options)
        return self._engine


def _threads() -> int:
    """Cores to use: as many as linear algebra is allowed, because a cluster's worker has only some of them."""
    allowed = os.environ.get("OMP_NUM_THREADS", "")
    return int(allowed) if allowed.isdigit() and int(allowed) else os.cpu_count() or 1


def _no_memory(request: Request, reason: str) -> Response:
    return Response(
        error=f"memory does not suffice for a single question ({reason}); "
        "free some, or load a smaller dtype or a smaller model",
        finish_reason="error",
        again=False,
    )


def _images(request: Request) -> tuple[int, ...]:
    """Identity of a request's images: the engine passes the same object for the same pixels."""
    return tuple(id(image) for image in request.images)


def _pieces(requests: Sequence[Request], *, alone: bool = False) -> list[list[int]]:
    """Divide requests into those that share image and system turn, where enough do, and the rest.

    The rest is ordered by length, so that little is padded, and cut evenly into batches of at most `_PLAIN`, whatever
    the number of cores, so that the cut changes nothing.
    """
    if alone:
        return [[i] for i in range(len(requests))]
    groups: dict[tuple[object, ...], list[int]] = {}
    for i, request in enumerate(requests):
        groups.setdefault((_images(request), request.system), []).append(i)
    shared = [indices for (images, _), indices in groups.items() if images and len(indices) >= MIN_SHARED]
    taken = {i for indices in shared for i in indices}
    pieces, rest = shared, [i for i in range(len(requests)) if i not in taken]
    # A network takes a batch with images or one without, not both.
    for number in sorted({len(requests[i].images) for i in rest}):
        some = sorted(
            (i for i in rest if len(requests[i].images) == number), key=lambda i: (len(requests[i].prompt), i)
        )
        batches = -(-len(some) // _PLAIN)
        ends = [len(some) * batch // batches for batch in range(batches + 1)]
        pieces += [some[at:end] for at, end in pairwise(ends)]
    return pieces
