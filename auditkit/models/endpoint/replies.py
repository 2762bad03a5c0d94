"""From the reply of a chat completion to a response: what was said, never more."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from typing import Any

from auditkit.models.base import FinishReason, Request, Response
from auditkit.models.endpoint.failure import FEW, Failure, words
from auditkit.models.endpoint.first_token import choice_logprobs

# How servers say that an answer ended, in lower case: OpenAI, vLLM, TGI, Anthropic, Gemini, Ollama, Mistral, Bedrock.
# What a filter took away is not known, so that such an answer counts as cut: only where it is complete before the cut.
_ENDINGS: Mapping[str, FinishReason] = {
    **dict.fromkeys(("stop", "eos", "eos_token", "end_turn", "end_of_turn", "stop_sequence", "stop_token"), "stop"),
    **dict.fromkeys(("tool_calls", "tool_use", "function_call", "complete", "completed", "finished", "done"), "stop"),
    **dict.fromkeys(("length", "max_tokens", "max_length", "max_output_tokens", "model_length"), "length"),
    **dict.fromkeys(("token_limit", "incomplete", "model_context_window_exceeded", "repetition"), "length"),
    **dict.fromkeys(("content_filter", "content_filtered", "guardrail_intervened", "safety", "recitation"), "length"),
    **dict.fromkeys(("blocklist", "prohibited_content", "spii", "image_safety"), "length"),
    **dict.fromkeys(("error", "abort", "aborted", "cancelled", "canceled", "malformed_function_call"), "error"),
}


def ending(reason: object, used: object, limit: int) -> tuple[FinishReason, str]:
    """Return how an answer ended.

    Parameters
    ----------
    reason : object
        The reply's ``finish_reason``, whatever it is.
    used : object
        How many tokens the answer took, where the reply says so.
    limit : int
        How many it was allowed.

    Returns
    -------
    finish : {"stop", "length", "error"}
        Of a reason that is missing or not known: ``stop`` only where the reply says that the limit was not reached.
    unknown : str
        The reason, where it is not known; empty where it is.
    """
    told = reason.strip().lower().removeprefix("finish_reason_") if isinstance(reason, str) else ""
    if told in _ENDINGS:
        return _ENDINGS[told], ""
    below = isinstance(used, int) and not isinstance(used, bool) and 0 < used < limit
    return "stop" if below else "length", ("none" if reason in (None, "") else str(reason)[:60])


def read_reply(
    reply: Mapping[str, Any],
    request: Request,
    served: str,
    names: Collection[str],
    unknown: Counter[str] | None = None,
) -> Response:
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
    unknown : Counter, optional
        Counts the finish reasons that are not known.

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
    usage = reply.get("usage")
    used = usage.get("completion_tokens") if isinstance(usage, dict) else None
    finish, odd = ending(reason, used, request.max_new_tokens)
    if finish == "error":
        raise Failure(f"the server gave up the answer (finish_reason {reason})", tries=FEW)
    text = _text(message.get("content")) or _text(message.get("refusal"))
    if odd and unknown is not None:
        unknown[odd] += 1
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
