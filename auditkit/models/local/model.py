"""Checkpoints of image-text-to-text models on this machine, through transformers.

Loading waits for the first question: a run whose answers are all in the store never imports torch.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import PackageNotFoundError, version
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import PIL.Image

from auditkit.errors import AuditkitError
from auditkit.models.base import ModelOptions, Request, Response
from auditkit.models.local.fast_inputs import PROCESSING, FastInputs, fast_inputs
from auditkit.models.local.shared_prefix import MIN_SHARED, generate_shared

if TYPE_CHECKING:
    from PIL.Image import Image


_TEXT_START = 64  # characters; templates differ earlier, variants of one template later
_PLAIN = 16  # requests per batch about different images
_SMALL = 100_000_000  # parameters


class LocalModel:
    """A checkpoint folder behind the model seam, decoded greedily in float32.

    Parameters
    ----------
    path : pathlib.Path
        Folder with config.json, ``*.safetensors`` and the processor's files. Code in the folder is never run, and
        weights in other formats are refused, because reading them can run code.
    name : str
        Name shown in reports.
    batch_size : int
        Requests per batch; part of the fingerprint.

    Attributes
    ----------
    fingerprint : str
        SHA-256 over every file of the folder, the library versions, the dtype and the batch size.

    Raises
    ------
    AuditkitError
        When the folder has no safetensors weights, or (on the first question) cannot be loaded.
    """

    backend = "transformers"

    def __init__(
        self,
        path: Path,
        *,
        name: str,
        options: ModelOptions = ModelOptions(),
        dtype: str = "float32",  # noqa: B008
    ) -> None:
        if not any(path.glob("*.safetensors")):
            raise AuditkitError(
                f"--model={name}: {path} holds no *.safetensors weights.",
                "Save the checkpoint with save_pretrained(..., safe_serialization=True); other formats are not loaded.",
            )
        self.path = path
        self.name = name
        self.dtype = dtype
        self.fingerprint = _fingerprint(path, self.dtype, options.batch_size)
        self.revision = self.fingerprint[:12]
        self._loaded: tuple[Any, Any] | None = None
        self._pool: ThreadPoolExecutor | None = None
        self._fast: FastInputs | None = None

    def generate(self, requests: Sequence[Request]) -> list[Response]:
        """Answer greedily; requests about the same image share the work on it (see `shared_prefix`)."""
        self._load()
        pieces = _pieces(requests)
        some = [[requests[i] for i in indices] for indices in pieces]
        if self._pool is None or len(pieces) == 1:
            found = [self._answer(piece) for piece in some]
        else:
            found = list(self._pool.map(self._answer, some))
        answers = dict(zip(chain.from_iterable(pieces), chain.from_iterable(found), strict=True))
        return [answers[i] for i in range(len(requests))]

    def _answer(self, requests: list[Request]) -> list[Response]:
        """Answer one piece: on the shared path where it is about one image and can be, else on the plain one."""
        model, processor = self._load()
        if len(requests) >= MIN_SHARED and len({_images(r) for r in requests}) == 1:
            shared = generate_shared(model, processor, requests)
            if shared is not None:
                return shared
        answers: dict[int, Response] = {}
        for limit in sorted({request.max_new_tokens for request in requests}):
            alike = [i for i, request in enumerate(requests) if request.max_new_tokens == limit]
            answers.update(zip(alike, self._plain([requests[i] for i in alike], limit), strict=True))
        return [answers[i] for i in range(len(requests))]

    def _plain(self, requests: list[Request], limit: int) -> list[Response]:
        import torch

        model, processor = self._load()
        texts = [chat_text(processor, request) for request in requests]
        inputs: Any = None
        if self._fast is not None and all(len(request.images) == 1 for request in requests):
            inputs = self._fast(texts, [request.images[0] for request in requests])
        if inputs is None:
            images = [[_rgb(image) for image in request.images] for request in requests]
            with PROCESSING:
                inputs = processor(
                    text=texts, images=images, return_tensors="pt", padding=True, add_special_tokens=False
                )
        with torch.inference_mode():
            output = model.generate(**inputs, max_new_tokens=limit, do_sample=False)
        new = output[:, inputs["input_ids"].shape[1] :]
        return [decoded(processor, tokens.tolist(), model) for tokens in new]

    def close(self) -> None:
        """Let go of the weights and the threads."""
        self._loaded = self._fast = None
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None

    def _load(self) -> tuple[Any, Any]:
        if self._loaded is None:
            os.environ.setdefault("HF_HUB_OFFLINE", "1")
            os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
            try:
                import transformers

                transformers.logging.set_verbosity_error()
                transformers.logging.disable_progress_bar()
                processor = transformers.AutoProcessor.from_pretrained(self.path, local_files_only=True)
                model, report = transformers.AutoModelForImageTextToText.from_pretrained(
                    self.path,
                    dtype=self.dtype,
                    local_files_only=True,
                    use_safetensors=True,
                    output_loading_info=True,
                )
                processor.tokenizer.padding_side = "left"
                chat_text(processor, Request("", (), "x"))  # without a chat template every question would raise
            except Exception as error:  # files of strangers: OSError, KeyError, SafetensorError, TemplateError, ...
                raise AuditkitError(
                    f"--model={self.name}: {self.path} could not be loaded: {type(error).__name__}: {error}.",
                    "It must be an image-text-to-text checkpoint with its processor, as save_pretrained writes it.",
                ) from None
            if report["missing_keys"]:
                missing = sorted(report["missing_keys"])
                raise AuditkitError(
                    f"--model={self.name}: {self.path} lacks {len(missing)} weights ({', '.join(missing[:3])}); "
                    "transformers would make them up at random.",
                    "Save the whole model with save_pretrained; adapters must be merged first.",
                )
            blank = Request("", (PIL.Image.new("L", (8, 8)),), "x")
            self._fast = fast_inputs(model, processor, chat_text(processor, blank))
            if sum(p.numel() for p in model.parameters()) < _SMALL:
                # A small network's products are too short to be worth splitting, and threads that wait for each other
                # are slow beside other work (17 instead of 590 answers/s were measured). Each piece gets one core.
                import torch

                torch.set_num_threads(1)
                self._pool = ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="auditkit-decode")
            self._loaded = (model.eval(), processor)
        return self._loaded


def chat_text(processor: Any, request: Request) -> str:
    """Return the request as the checkpoint's chat template words it, image before text."""
    content: list[dict[str, str]] = [{"type": "image"} for _ in request.images]
    content.append({"type": "text", "text": request.prompt})
    messages: list[dict[str, Any]] = [{"role": "user", "content": content}]
    if request.system:
        messages.insert(0, {"role": "system", "content": [{"type": "text", "text": request.system}]})
    text: str = processor.apply_chat_template(messages, add_generation_prompt=True, tokenize=False)
    return text


def decoded(processor: Any, tokens: list[int], model: Any) -> Response:
    """Turn new tokens into a response; without an end token the answer was cut off."""
    ends = end_tokens(model)
    at = next((i for i, token in enumerate(tokens) if token in ends), None)
    text = processor.tokenizer.decode(tokens[:at], skip_special_tokens=True)
    return Response(text.strip(" "), None, "stop" if at is not None else "length")


def end_tokens(model: Any) -> list[int]:
    """Return the tokens that end an answer; none for a model that never ends one by itself."""
    ends = model.generation_config.eos_token_id
    return list(ends) if isinstance(ends, list | tuple) else [] if ends is None else [ends]


def _rgb(image: Image) -> Image:
    return image if image.mode == "RGB" else image.convert("RGB")


def _images(request: Request) -> tuple[int, ...]:
    """Identity of a request's images: the engine passes the same object for the same pixels."""
    return tuple(id(image) for image in request.images)


def _pieces(requests: Sequence[Request]) -> list[list[int]]:
    """Divide requests into those that share an image (and, where enough do, the beginning of the text) and the rest.

    Variants of one question differ at the end, so they share nearly everything; what is left of an image shares the
    image only. The rest is cut into batches of `_PLAIN`, whatever the number of cores, so that the cut changes nothing.
    """
    groups: dict[tuple[object, ...], list[int]] = {}
    for i, request in enumerate(requests):
        groups.setdefault((_images(request), request.system, request.prompt[:_TEXT_START]), []).append(i)
    by_image: dict[object, list[int]] = {}
    for key, indices in list(groups.items()):
        if len(indices) < MIN_SHARED:
            by_image.setdefault(key[0], []).extend(groups.pop(key))
    shared = [*groups.values(), *(indices for indices in by_image.values() if len(indices) >= MIN_SHARED)]
    rest = sorted(i for indices in by_image.values() if len(indices) < MIN_SHARED for i in indices)
    return [*shared, *(rest[at : at + _PLAIN] for at in range(0, len(rest), _PLAIN))]


def _fingerprint(path: Path, dtype: str, batch_size: int) -> str:
    digest = hashlib.sha256()
    for file in sorted(p for p in path.iterdir() if p.is_file()):
        with file.open("rb") as stream:
            digest.update(f"{file.name}:{hashlib.file_digest(stream, 'sha256').hexdigest()}\n".encode())
    for package in ("torch", "transformers", "tokenizers", "pillow"):
        try:
            digest.update(f"{package} {version(package)}\n".encode())
        except PackageNotFoundError:
            digest.update(f"{package} missing\n".encode())
    digest.update(f"{dtype} batch {batch_size}".encode())
    return digest.hexdigest()
