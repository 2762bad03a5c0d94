"""The one seam to every model: a list of requests in, a list of responses of the same length and order out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image

    from auditkit.vocabulary import Question

FinishReason = Literal["stop", "length", "error"]


@dataclass(frozen=True, slots=True)
class Request:
    """One question.

    Attributes
    ----------
    id : str
        Key of the probe; echoed nowhere, useful in logs.
    images : tuple of PIL.Image.Image
        8-bit, mode ``L`` or ``RGB``; empty where the question is put without a picture (`Model.needs_picture`).
    prompt : str
        The user's turn.
    system : str or None
        The system turn, where there is one.
    choices : tuple of str or None
        The answers that were asked for, where they can be listed and their log-probabilities are wanted: a back end
        that can gives them beside the answer (`Response.logprobs`). The answer itself stays free, so that a refusal is
        seen. None where only the answer is wanted (``--audit-scoring=generate``).
    max_new_tokens : int
        Upper limit of the answer's length.
    question : Question or None
        What the prompt was made of, for models without a language side (dual encoders), which compare the image with
        texts of their own; None when a request was not made from a catalogue.
    statements : mapping of str to tuple of str, or None
        By letter, the texts that stand for the options of a task that declares class prompts, with what is said beside
        the question: what a dual encoder compares the image with in place of texts of its own.
    """

    id: str
    images: tuple[Image, ...]
    prompt: str
    system: str | None = None
    choices: tuple[str, ...] | None = None
    max_new_tokens: int = 16
    question: Question | None = None
    statements: Mapping[str, tuple[str, ...]] | None = None


@dataclass(frozen=True, slots=True)
class Response:
    """One answer, or the reason why there is none.

    Attributes
    ----------
    text : str
        The raw text, as the model gave it.
    logprobs : mapping of str to float, or None
        Natural log-probability of each of the request's choices as the answer, not normalised over the choices: what
        is missing to 1 is the probability of any other answer. None where the back end does not offer them; ignored
        where the request has no choices.
    finish_reason : {"stop", "length", "error"}
        ``length`` means that the answer was cut at ``max_new_tokens``.
    error : str or None
        Set when the model gave no answer; such a response is never stored and is asked again on the next run.
    again : bool or None
        Of an error: whether the same question may be answered on another run (a server with too much to do), or gets
        the same error (a request that it refuses). None where the back end does not know: then the reason is read.
    """

    text: str = ""
    logprobs: Mapping[str, float] | None = field(default=None)
    finish_reason: FinishReason = "stop"
    error: str | None = None
    again: bool | None = None


@dataclass(frozen=True, slots=True)
class ModelOptions:
    """How a model is to be loaded and asked; the same for every back end, each takes what concerns it.

    Attributes
    ----------
    batch_size : int or None
        Requests per call of ``generate``; None for what suits the model.
    exact : bool
        Ask one by one, without any shortcut (``--audit-exact``).
    memory : int or None
        Bytes that answering may take beside the weights (``--audit-memory``); None for no bound.
    endpoint : str or None
        Address of an OpenAI-compatible server (``--audit-endpoint``), ending in ``/v1``.
    deadline : float
        Seconds that one call of ``generate``, or one request to a server, may take.
    concurrency : int
        Requests on their way to a server at the same time.
    rate_limit : float or None
        Requests per second at most; None for no limit.
    registry : str or None
        File of the user's own models (``--audit-registry``).
    dtype : str or None
        ``float32``, ``bfloat16`` or ``float16`` (``--audit-dtype``); None for the registry's, else the
        checkpoint's own.
    base : str or None
        What an adapter folder is put on (``--audit-base``): a name of the registry or a checkpoint folder; None for the
        base that the adapter names.
    run : str
        Identity of the run. Answers of a model without a fingerprint belong to it alone; empty where other runs may use
        them (``--audit-reuse-unfingerprinted``).
    """

    batch_size: int | None = None
    exact: bool = False
    memory: int | None = None
    endpoint: str | None = None
    deadline: float = 600.0
    concurrency: int = 16
    rate_limit: float | None = None
    registry: str | None = None
    dtype: str | None = None
    base: str | None = None
    run: str = ""


DEFAULTS = ModelOptions()
"""The options of a run without options."""


@runtime_checkable
class Model(Protocol):
    """What auditkit needs of a model.

    Optional attributes: ``name``, ``revision``, ``description``, ``backend`` and ``fingerprint`` (str; the last covers
    all that changes the answers: weights, processor configuration, dtype, batching), ``batch_size`` (int: requests per
    call that suit it best), ``call_deadline`` (float: seconds one call may take, where the model itself keeps a
    deadline per request), ``limits`` (tuple of str: sentences that a reader of its report must know), ``needs_picture``
    (bool: it cannot be asked without a picture), ``answers_of`` (str: the only run that may use its answers),
    ``close()``, ``release()`` (lets go of the weights while another model is asked; the next question loads them
    again).
    """

    def generate(self, requests: Sequence[Request]) -> Sequence[Response]: ...


@runtime_checkable
class Embeds(Protocol):
    """A model that also gives what it holds inside.

    Attributes
    ----------
    embeddings : tuple of str
        Which it has, the first by default: ``"vision"`` (pooled image features, before any text) and ``"language"``
        (last hidden layer at the last token of image and question).
    """

    embeddings: tuple[str, ...]

    def embed(self, requests: Sequence[Request], kind: str = "vision") -> NDArray[np.float32]:
        """Return one vector per request, shape (n, d); what ``embeddings`` does not list raises ValueError."""
        ...
