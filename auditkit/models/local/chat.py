"""From a request to the checkpoint's own chat, and from new tokens back to a response."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from itertools import groupby
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from auditkit.errors import AuditkitError
from auditkit.models.base import Response
from auditkit.models.limited import within

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
    return _worded(processor, messages, add_generation_prompt=True, **template)


def _worded(processor: Any, messages: list[dict[str, Any]], **arguments: Any) -> str:
    """Return what the chat template, which is a program of whoever made the checkpoint, makes of some turns."""

    def call() -> str:
        text: str = processor.apply_chat_template(messages, tokenize=False, **arguments)
        return text

    return within(call, "the checkpoint's chat template")


def must_fold_system(processor: Any) -> bool:
    """Whether the chat template refuses a system turn, or drops it without a word."""
    said = "You look at pictures."
    try:
        return said not in chat_text(processor, "x", said)
    except AuditkitError:  # it does not end
        raise
    except Exception:  # what a template raises is up to whoever wrote it (TemplateError, TypeError, ...)
        return True


def decoded(processor: Any, tokens: list[int], ends: frozenset[int]) -> Response:
    """Turn new tokens into a response; without an end token the answer was cut off.

    A special token within the answer keeps apart what stands on its sides, and is written out, because it may mark a
    thought ("[THINK]"); those that only begin, end or fill a text become a blank.
    """
    at = next((i for i, token in enumerate(tokens) if token in ends), None)
    tokenizer = processor.tokenizer
    special = _specials(tokenizer)
    silent = {tokenizer.pad_token_id, tokenizer.bos_token_id, tokenizer.eos_token_id, tokenizer.unk_token_id}
    pieces = []
    for apart, run in groupby(tokens[:at], key=lambda token: token in special):
        if not apart:
            pieces.append(tokenizer.decode(list(run), skip_special_tokens=True))
        else:
            pieces += ["" if token in silent else tokenizer.convert_ids_to_tokens(token) for token in run]
    return Response(" ".join(pieces).strip(" "), None, "stop" if at is not None else "length")


def end_tokens(model: Any, processor: Any) -> frozenset[int]:
    """Return the tokens that end an answer; none for a model that never ends one by itself.

    Checkpoints name them in the generation's configuration. What their chat template puts after an answer is one too,
    though fine-tunes forget to name it: without it a model answers, and goes on with the next turn.
    """
    ends = model.generation_config.eos_token_id
    named = ends if isinstance(ends, list | tuple) else [] if ends is None else [ends]
    return frozenset([*named, *_turn_end(processor)])


def _turn_end(processor: Any) -> list[int]:
    """Return the special token that the chat template puts right after an answer, if there is one."""
    said = "fine"
    turns = [("user", "x"), ("assistant", said)]
    chat = [{"role": role, "content": [{"type": "text", "text": text}]} for role, text in turns]
    try:
        text = _worded(processor, chat, add_generation_prompt=False)
        _, found, after = text.rpartition(said)
        tokens = processor.tokenizer(after.lstrip(), add_special_tokens=False)["input_ids"][:1] if found else []
    except AuditkitError:  # it does not end
        raise
    except Exception:  # what a template raises is up to whoever wrote it
        return []
    return [token for token in tokens if token in _specials(processor.tokenizer)]


@lru_cache(maxsize=8)  # large vocabularies have thousands of added tokens, and the answers are many
def _specials(tokenizer: Any) -> frozenset[int]:
    """Return the tokens that stand for no text; `all_special_ids` lists only those with a role."""
    added = getattr(tokenizer, "added_tokens_decoder", {})
    return frozenset([*tokenizer.all_special_ids, *(t for t, what in added.items() if what.special)])


def rgb(image: Image) -> Image:
    """Return the image with three channels, as processors want it."""
    return image if image.mode == "RGB" else image.convert("RGB")
