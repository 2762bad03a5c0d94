"""From a request to the checkpoint's own chat, and from new tokens back to a response."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from auditkit.models.base import Response

if TYPE_CHECKING:
    from PIL.Image import Image


_NOTHING: Mapping[str, Any] = MappingProxyType({})


def chat_text(
    processor: Any,
    prompt: str,
    system: str | None = None,
    images: int = 1,
    *,
    fold_system: bool = False,
    template: Mapping[str, Any] = _NOTHING,
) -> str:
    """Return a question as the checkpoint's chat template words it, image before text.

    Parameters
    ----------
    processor
        A transformers processor with a chat template.
    prompt : str
        The user's turn.
    system : str or None
        The system turn.
    images : int
        Number of images.
    fold_system : bool
        Put the system turn before the user's text, for templates without a system role.
    template : mapping
        Arguments of the template of its own, such as ``enable_thinking``.
    """
    said = f"{system}\n\n{prompt}" if system and fold_system else prompt
    content = [*({"type": "image"} for _ in range(images)), {"type": "text", "text": said}]
    messages: list[dict[str, Any]] = [{"role": "user", "content": content}]
    if system and not fold_system:
        messages.insert(0, {"role": "system", "content": [{"type": "text", "text": system}]})
    text: str = processor.apply_chat_template(messages, add_generation_prompt=True, tokenize=False, **template)
    return text


def must_fold_system(processor: Any) -> bool:
    """Whether the chat template refuses a system turn, or drops it without a word."""
    said = "You look at pictures."
    try:
        return said not in chat_text(processor, "x", said)
    except Exception:  # what a template raises is up to whoever wrote it (TemplateError, TypeError, ...)
        return True


def decoded(processor: Any, tokens: list[int], ends: frozenset[int]) -> Response:
    """Turn new tokens into a response; without an end token the answer was cut off."""
    at = next((i for i, token in enumerate(tokens) if token in ends), None)
    text = processor.tokenizer.decode(tokens[:at], skip_special_tokens=True)
    return Response(text.strip(" "), None, "stop" if at is not None else "length")


def end_tokens(model: Any) -> frozenset[int]:
    """Return the tokens that end an answer; none for a model that never ends one by itself."""
    ends = model.generation_config.eos_token_id
    return frozenset(ends if isinstance(ends, list | tuple) else [] if ends is None else [ends])


def rgb(image: Image) -> Image:
    """Return the image with three channels, as processors want it."""
    return image if image.mode == "RGB" else image.convert("RGB")
