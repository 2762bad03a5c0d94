"""Asking a model that may raise, hang or answer nonsense: every request gets a response, or an error that says why."""

from __future__ import annotations

import queue
import threading
from collections.abc import Mapping, Sequence
from typing import Any

from auditkit.errors import AuditkitError
from auditkit.models.again import of_exception, of_words
from auditkit.models.base import FinishReason, Model, Request, Response

MAX_TEXT = 65_536
"""Longest answer kept, in characters; what is beyond is cut and the answer counts as cut off."""

MAX_REASON = 300
"""Longest reason of an error kept, in characters."""


class Asker:
    """Puts requests to a model and holds it to its contract.

    The model runs in a thread of its own, so that a call that never returns can be given up. Python cannot end that
    thread; after a call is given up nothing more is asked in this run, because a second call beside it could mix up
    the answers.

    Parameters
    ----------
    model : Model
        Anything with ``generate``.
    deadline : float
        Seconds that one call to ``generate`` may take.
    """

    def __init__(self, model: Model, deadline: float) -> None:
        self._model = model
        self._deadline = deadline
        self._calls: queue.Queue[list[Request] | None] = queue.Queue()
        self._results: queue.Queue[list[Response] | Response | AuditkitError] = queue.Queue()
        self.gave_up = ""
        threading.Thread(target=self._serve, name="auditkit-model", daemon=True).start()

    def _serve(self) -> None:
        while (requests := self._calls.get()) is not None:
            try:
                self._results.put(_answers(self._model.generate(requests), requests))
            except AuditkitError as error:  # a back end that knows what is wrong: nobody else can answer either
                self._results.put(error)
            except BaseException as error:  # the model is foreign code: whatever it raises is its answer
                words = _words(error)
                self._results.put(_error(f"the model raised {words}", again=of_exception(error, words)))

    def ask(self, requests: Sequence[Request]) -> list[Response]:
        """Return one response per request, in order.

        A batch that raises or comes back with the wrong number of answers is asked again one request at a time, so
        that one bad request costs only itself.

        Raises
        ------
        AuditkitError
            When the model raises one, as for a checkpoint that cannot be loaded: asking on would be of no use.
        """
        self.send(requests)
        return self.receive(requests)

    def send(self, requests: Sequence[Request]) -> None:
        """Put requests to the model and return at once; `receive` must follow before anything else is sent."""
        if not self.gave_up:
            self._calls.put(list(requests))

    def receive(self, requests: Sequence[Request]) -> list[Response]:
        """Return the responses to what was sent, as `ask` does."""
        if self.gave_up:
            return [_error(self.gave_up, again=True) for _ in requests]
        result = self._result()
        if not isinstance(result, Response):
            return result
        if len(requests) == 1 or self.gave_up:
            return [result for _ in requests]
        return [self.ask([request])[0] for request in requests]

    def close(self) -> None:
        """End the model's thread, once the call it is in returns."""
        self._calls.put(None)

    def _result(self) -> list[Response] | Response:
        try:
            result = self._results.get(timeout=self._deadline)
        except queue.Empty:
            self.gave_up = (
                f"the model did not return within {self._deadline:g} s (--audit-deadline); nothing more was asked"
            )
            return _error(self.gave_up, again=True)
        if isinstance(result, AuditkitError):
            raise result
        return result


def _answers(result: Any, requests: Sequence[Request]) -> list[Response] | Response:
    """Hold what ``generate`` returned to the contract: responses, or what is wrong with it as a whole."""
    if not isinstance(result, Sequence) or isinstance(result, str | bytes):
        return _error(f"generate() returned {type(result).__name__} instead of a list of Response")
    if len(result) != len(requests):
        return _error(f"generate() returned {len(result)} answers to {len(requests)} requests")
    return [_checked(answer, request) for answer, request in zip(result, requests, strict=True)]


def _checked(answer: Any, request: Request) -> Response:
    """Hold one answer to the contract; what breaks it becomes an error, never an answer."""
    if answer is None:
        return _error("the model returned None instead of a Response")
    if isinstance(answer, str | bytes) or not hasattr(answer, "text"):
        return _error(f"the model returned {type(answer).__name__} instead of a Response")
    if getattr(answer, "error", None):
        why, known = str(answer.error), getattr(answer, "again", None)
        return _error(why, again=known if isinstance(known, bool) else of_words(why))
    text = answer.text
    if not isinstance(text, str):
        return _error(f"Response.text is {type(text).__name__}, not str")
    given = getattr(answer, "finish_reason", "stop")
    if given not in ("stop", "length"):
        return _error(f"Response.finish_reason is {given!r:.80}; expected 'stop' or 'length'")
    reason: FinishReason = "length" if given == "length" or len(text) > MAX_TEXT else "stop"
    # Of choices that the request does not name, nobody asked for probabilities (--audit-scoring=generate).
    logprobs = None if request.choices is None else getattr(answer, "logprobs", None)
    try:
        numbers = None if logprobs is None else {_storable(str(k)): float(v) for k, v in _items(logprobs)}
    except (TypeError, ValueError):
        return _error(f"Response.logprobs is {logprobs!r:.80}; expected a mapping of str to float, or None")
    return Response(_storable(text[:MAX_TEXT]), numbers, reason)


def _items(logprobs: object) -> Any:
    if not isinstance(logprobs, Mapping):
        raise TypeError
    return logprobs.items()


def _storable(text: str) -> str:
    """Lone surrogates cannot be stored as UTF-8, NUL not in every database: both are written out instead."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8").replace("\x00", "\\x00")


def _words(error: BaseException) -> str:
    try:
        return f"{type(error).__name__}: {error}"
    except Exception:  # an exception whose own text raises
        return type(error).__name__


def _error(why: str, again: bool | None = False) -> Response:
    # What breaks the contract breaks it every time: a fault of the model's code.
    return Response(error=_storable(why[:MAX_REASON]), finish_reason="error", again=again)
