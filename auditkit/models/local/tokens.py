"""The tokens of many texts about one image, or one pair of images, the images processed once.

A processor puts a run of image tokens where the chat names the image. How many there are depends on the image's size in
several families, so the run is taken from one text that the processor itself has worked on, and put into the others.
That the result is what the processor would give is tried on the first text of every kind: a text's kind is its
beginning up to a few letters after the image, the only part whose cutting into tokens could depend on the run.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from PIL.Image import Image

PROCESSING = threading.Lock()
"""Tokenizers change their padding while they work, so one thread at a time may use a processor."""

_NEAR = 24  # characters


def adds_special_tokens(processor: Any, text: str) -> bool:
    """Whether the tokenizer must add the token that begins a text: not where the chat template has written it already.

    The rule of ``apply_chat_template``; LLaVA's templates leave it to the tokenizer, Gemma's write it themselves.
    """
    bos = processor.tokenizer.bos_token
    return not (bos and text.startswith(bos))


@dataclass(frozen=True)
class AboutImages:
    """What a network needs to read several texts about the same images.

    Attributes
    ----------
    inputs : mapping
        The processor's inputs for the first text.
    tokens : list of list of int
        Every text's tokens, image tokens included.
    image_end : int
        Number of tokens of the first text up to and including those that stand for the last image.
    """

    inputs: dict[str, Any]
    tokens: list[list[int]]
    image_end: int


@dataclass
class Tokens:
    """Cuts texts about the same images into tokens.

    Parameters
    ----------
    processor
        A transformers processor.
    settings : dict
        Passed to the image processor with every call.
    """

    processor: Any
    settings: dict[str, Any]
    _tried: dict[str, bool] = field(default_factory=dict)

    def __call__(self, texts: Sequence[str], images: Sequence[Image]) -> AboutImages | None:
        """Return inputs and tokens; None when a text has not a place for each image, or cannot be trusted."""
        marker = self._marker()
        if any(text.count(marker) != len(images) for text in texts):
            return None
        with PROCESSING:
            inputs = self.process([texts[0]], [images])
            special = adds_special_tokens(self.processor, texts[0])
            raw: list[list[int]] = self.processor.tokenizer(list(texts), add_special_tokens=special)["input_ids"]
            full = inputs["input_ids"][0].tolist()
            run = _Run.between(raw[0], full, self._marker_id(marker), len(images))
            if run is None:
                return None
            tokens = [run.put_into(one) for one in raw]
            for text, made in zip(texts, tokens, strict=True):
                if not self._trusted(text, marker, images, made):
                    return None
        return AboutImages(inputs, [one for one in tokens if one is not None], run.end)

    def process(self, texts: Sequence[str], images: Sequence[Sequence[Image]]) -> dict[str, Any]:
        """Return the processor's own inputs, padded; `PROCESSING` must be held."""
        found = self.processor(
            text=list(texts),
            images=[list(some) for some in images] if any(images) else None,
            return_tensors="pt",
            padding=True,
            add_special_tokens=adds_special_tokens(self.processor, texts[0]),
            **self.settings,
        )
        return dict(found)

    def _trusted(self, text: str, marker: str, images: Sequence[Image], made: list[int] | None) -> bool:
        kind = text[: text.rindex(marker) + len(marker) + _NEAR]
        if kind not in self._tried:
            self._tried[kind] = self.process([text], [images])["input_ids"][0].tolist() == made
        return self._tried[kind]

    def _marker(self) -> str:
        # Gemma's chats name the beginning of the image; all others write the image token itself.
        found: str = getattr(self.processor, "boi_token", None) or self.processor.image_token
        return found

    def _marker_id(self, marker: str) -> int:
        found: int = self.processor.tokenizer.convert_tokens_to_ids(marker)
        return found


@dataclass(frozen=True)
class _Run:
    """What stands for the images, and between them: the tokens ``short`` of the chat become ``long``, up to ``end``."""

    short: tuple[int, ...]
    long: tuple[int, ...]
    end: int

    @classmethod
    def between(cls, raw: list[int], full: list[int], marker: int, images: int) -> _Run | None:
        places = [at for at, token in enumerate(raw) if token == marker]
        if len(places) != images:
            return None
        head = _common(raw[: places[0]], full)
        tail = _common(raw[places[-1] + 1 :][::-1], full[head:][::-1])
        return cls(tuple(raw[head : len(raw) - tail]), tuple(full[head : len(full) - tail]), len(full) - tail)

    def put_into(self, raw: list[int]) -> list[int] | None:
        width = len(self.short)
        places = [i for i in range(len(raw) - width + 1) if tuple(raw[i : i + width]) == self.short]
        if len(places) != 1:
            return None
        return [*raw[: places[0]], *self.long, *raw[places[0] + width :]]


def _common(one: Sequence[int], other: Sequence[int]) -> int:
    """Length of the common beginning."""
    return next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
