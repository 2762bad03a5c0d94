"""The one seam to every model: a list of requests in, a list of responses of the same length and order out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

if TYPE_CHECKING:
    from PIL.Image import Image

FinishReason = Literal["stop", "length", "error"]


@dataclass(frozen=True, slots=True)
class Request:
    """One question.

    Attributes
    ----------
    id : str
        Key of the probe; echoed nowhere, useful in logs.
    images : tuple of PIL.Image.Image
        8-bit, mode ``L`` or ``RGB``.
    prompt : str
        The user's turn.
    system : str or None
        The system turn, where there is one.
    choices : tuple of str or None
        The answers allowed, for back ends that can constrain decoding.
    max_new_tokens : int
        Upper limit of the answer's length.
    """

    id: str
    images: tuple[Image, ...]
    prompt: str
    system: str | None = None
    choices: tuple[str, ...] | None = None
    max_new_tokens: int = 16


@dataclass(frozen=True, slots=True)
class Response:
    """One answer, or the reason why there is none.

    Attributes
    ----------
    text : str
        The raw text, as the model gave it.
    logprobs : mapping of str to float, or None
        Log-probabilities of options, where the back end offers them.
    finish_reason : {"stop", "length", "error"}
        ``length`` means that the answer was cut at ``max_new_tokens``.
    error : str or None
        Set when the model gave no answer; such a response is never stored and is asked again on the next run.
    """

    text: str = ""
    logprobs: Mapping[str, float] | None = field(default=None)
    finish_reason: FinishReason = "stop"
    error: str | None = None


@runtime_checkable
class Model(Protocol):
    """What auditkit needs of a model.

    Optional attributes: ``name``, ``revision`` and ``fingerprint`` (str: all that changes the answers: weights,
    processor configuration, dtype, batching), ``batch_size`` (int), ``close()``.
    """

    def generate(self, requests: Sequence[Request]) -> Sequence[Response]: ...
