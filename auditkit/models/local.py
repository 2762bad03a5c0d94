"""Checkpoints of image-text-to-text models on this machine, through transformers.

Loading waits for the first question: a run whose answers are all in the store never imports torch.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from auditkit.errors import AuditkitError
from auditkit.models.base import Request, Response
from auditkit.models.shared_prefix import MIN_SHARED, generate_shared

if TYPE_CHECKING:
    from PIL.Image import Image


_TEXT_START = 64  # characters; templates differ earlier, variants of one template later


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
    dtype = "float32"

    def __init__(self, path: Path, *, name: str, batch_size: int = 32) -> None:
        if not any(path.glob("*.safetensors")):
            raise AuditkitError(
                f"--model={name}: {path} holds no *.safetensors weights.",
                "Save the checkpoint with save_pretrained(..., safe_serialization=True); other formats are not loaded.",
            )
        self.path = path
        self.name = name
        self.batch_size = batch_size
        self.fingerprint = _fingerprint(path, self.dtype, batch_size)
        self.revision = self.fingerprint[:12]
        self._loaded: tuple[Any, Any] | None = None

    def generate(self, requests: Sequence[Request]) -> list[Response]:
        """Answer greedily; requests about the same image share the work on it (see `shared_prefix`)."""
        model, processor = self._load()
        answers: dict[int, Response] = {}
        alone: list[int] = []
        for indices in _groups(requests):
            shared = None
            if len(indices) >= MIN_SHARED:
                shared = generate_shared(model, processor, [requests[i] for i in indices])
            if shared is None:
                alone += indices
            else:
                answers.update(zip(indices, shared, strict=True))
        for limit in sorted({requests[i].max_new_tokens for i in alone}):
            some = [i for i in alone if requests[i].max_new_tokens == limit]
            answers.update(zip(some, self._plain([requests[i] for i in some], limit), strict=True))
        return [answers[i] for i in range(len(requests))]

    def _plain(self, requests: list[Request], limit: int) -> list[Response]:
        import torch

        model, processor = self._load()
        texts = [chat_text(processor, request) for request in requests]
        images = [[_rgb(image) for image in request.images] for request in requests]
        inputs = processor(text=texts, images=images, return_tensors="pt", padding=True, add_special_tokens=False)
        with torch.inference_mode():
            output = model.generate(**inputs, max_new_tokens=limit, do_sample=False)
        new = output[:, inputs["input_ids"].shape[1] :]
        return [decoded(processor, tokens.tolist(), model) for tokens in new]

    def close(self) -> None:
        """Let go of the weights."""
        self._loaded = None

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


def _groups(requests: Sequence[Request]) -> list[list[int]]:
    """Group requests that share an image and, where enough do, the beginning of the text.

    The engine passes the same image object for the same pixels. Variants of one question differ at the end, so they
    share nearly everything; what is left of an image shares the image only.
    """
    groups: dict[tuple[object, ...], list[int]] = {}
    for i, request in enumerate(requests):
        image = tuple(id(image) for image in request.images)
        groups.setdefault((image, request.system, request.prompt[:_TEXT_START]), []).append(i)
    by_image: dict[object, list[int]] = {}
    for key, indices in list(groups.items()):
        if len(indices) < MIN_SHARED:
            by_image.setdefault(key[0], []).extend(groups.pop(key))
    return [*groups.values(), *by_image.values()]


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
