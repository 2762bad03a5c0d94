"""From the reply of a chat completion to a response: what was said, never more."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from auditkit.models.base import FinishReason, Request, Response
from auditkit.models.endpoint.failure import FEW, Failure, words
from auditkit.models.endpoint.first_token import choice_logprobs

# What ended an answer that is whole. Everything else, and nothing at all, counts as cut off: what a filter or an
# unknown reason took away is not known, and a cut answer counts only where it is complete before the cut.
_WHOLE = {"stop", "eos", "eos_token", "end_turn", "stop_sequence", "tool_calls", "function_call"}
_NO_ANSWER = {"error", "abort"}


def read_reply(reply: Mapping[str, Any], request: Request, served: str, names: Collection[str]) -> Response:
    """Read one reply.

    Parameters
    ----------
    reply : mapping
        The JSON object.
    request : Request
        What was asked.
    served : str
        Name of the model that was asked.
    names : collection of str
        Names under which it may answer, in the form of `same_name`.

    Returns
    -------
    Response
        Text as it was given: of a refusal where the message has one, empty where it has none.

    Raises
    ------
    Failure
        When it is not a chat completion, reports an error, or is by another model.
    """
    if reply.get("error"):
        raise Failure(f"the reply reports an error: {words(str(reply['error']).encode(), '')}", tries=FEW)
    _check_name(reply.get("model"), served, names)
    choices = reply.get("choices")
    if not isinstance(choices, list) or not choices:
        raise Failure("the reply has no choices", tries=FEW)
    choice = choices[0]
    message = choice.get("message") if isinstance(choice, dict) else None
    if not isinstance(message, dict):
        raise Failure("the reply's first choice has no message", tries=FEW)
    reason = choice.get("finish_reason")
    if reason in _NO_ANSWER:
        raise Failure(f"the server gave up the answer (finish_reason {reason})", tries=FEW)
    text = _text(message.get("content")) or _text(message.get("refusal"))
    finish: FinishReason = "stop" if reason in _WHOLE else "length"
    logprobs = None
    if request.choices:
        logprobs = choice_logprobs(request.choices, choice.get("logprobs"), text)
    return Response(text, logprobs, finish)


def same_name(name: str) -> str:
    """Return a model's name without what servers add when nothing else was said."""
    return name.removesuffix(":latest").removesuffix("@main")


def _check_name(name: object, served: str, names: Collection[str]) -> None:
    if name is None:  # a few gateways leave it out
        return
    if not isinstance(name, str) or same_name(name) not in names:
        raise Failure(
            f"the server answered as model {str(name)[:100]!r}, not as {served!r}",
            tries=FEW,
            remedy="Ask for that name, or list it under aliases where both are the same model.",
        )


def _text(content: object) -> str:
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    if isinstance(content, list) and all(isinstance(part, dict) for part in content):
        parts = [part.get("text", "") for part in content]
        if all(isinstance(part, str) for part in parts):
            return "".join(parts)
    raise Failure(f"the reply's text is a {type(content).__name__}", tries=FEW)
