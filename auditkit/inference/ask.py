"""Asking a model that may raise, hang or answer nonsense: every request gets a response, or an error that says why."""

from __future__ import annotations

import queue
import threading
from collections.abc import Sequence
from typing import Any

from auditkit.models.base import FinishReason, Model, Request, Response

MAX_TEXT = 65_536
"""Longest answer kept, in characters; what is beyond is cut and the answer counts as cut off."""


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
        self._calls: queue.Queue[Sequence[Request]] = queue.Queue()
        self._results: queue.Queue[Sequence[Any] | BaseException] = queue.Queue()
        self.gave_up = ""
        threading.Thread(target=self._serve, name="auditkit-model", daemon=True).start()

    def _serve(self) -> None:
        while True:
            requests = self._calls.get()
            try:
                self._results.put(self._model.generate(requests))
            except BaseException as error:  # the model is foreign code: whatever it raises is its answer
                self._results.put(error)

    def ask(self, requests: Sequence[Request]) -> list[Response]:
        """Return one response per request, in order.

        A batch that raises or comes back with the wrong number of answers is asked again one request at a time, so
        that one bad request costs only itself.
        """
        if self.gave_up:
            return [Response(error=self.gave_up, finish_reason="error") for _ in requests]
        problem, answers = self._call(requests)
        if problem is None:
            return [_checked(answer) for answer in answers]
        if len(requests) == 1 or self.gave_up:
            return [Response(error=problem, finish_reason="error") for _ in requests]
        return [self.ask([request])[0] for request in requests]

    def _call(self, requests: Sequence[Request]) -> tuple[str | None, Sequence[Any]]:
        self._calls.put(list(requests))
        try:
            result = self._results.get(timeout=self._deadline)
        except queue.Empty:
            self.gave_up = (
                f"the model did not return within {self._deadline:g} s (--audit-deadline); nothing more was asked"
            )
            return self.gave_up, ()
        if isinstance(result, BaseException):
            return f"the model raised {type(result).__name__}: {str(result)[:300]}", ()
        if not isinstance(result, Sequence) or isinstance(result, str | bytes):
            return f"generate() returned {type(result).__name__} instead of a list of Response", ()
        if len(result) != len(requests):
            return f"generate() returned {len(result)} answers to {len(requests)} requests", ()
        return None, result


def _checked(answer: Any) -> Response:
    """Hold one answer to the contract; what breaks it becomes an error, never an answer."""

    def refuse(why: str) -> Response:
        return Response(error=why, finish_reason="error")

    if answer is None:
        return refuse("the model returned None instead of a Response")
    if isinstance(answer, str | bytes) or not hasattr(answer, "text"):
        return refuse(f"the model returned {type(answer).__name__} instead of a Response")
    if getattr(answer, "error", None):
        return refuse(str(answer.error)[:300])
    text = answer.text
    if not isinstance(text, str):
        return refuse(f"Response.text is {type(text).__name__}, not str")
    reason: FinishReason = getattr(answer, "finish_reason", "stop")
    if reason not in ("stop", "length"):
        return refuse(f"Response.finish_reason is {reason!r}; expected 'stop' or 'length'")
    if len(text) > MAX_TEXT:
        text, reason = text[:MAX_TEXT], "length"
    # Lone surrogates cannot be stored as UTF-8, NUL not in every database: both are written out instead.
    text = text.encode("utf-8", "backslashreplace").decode("utf-8").replace("\x00", "\\x00")
    logprobs = getattr(answer, "logprobs", None)
    return Response(text, logprobs if isinstance(logprobs, dict) else None, reason)
