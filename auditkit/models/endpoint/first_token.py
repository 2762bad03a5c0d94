"""Log-probabilities of listed answers, from the alternatives to the first token that a server gives.

They are told only where the first token decides between the answers. The sum over the tokens that lead to one answer is
then the probability that the text begins as that answer does; what else the text may say is seen in the text.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

_SPACE = " \t\r\n▁ĠĊ"  # as decoded text, and as SentencePiece and byte-level vocabularies write it


def decided_at_once(choices: Sequence[str] | None) -> bool:
    """Whether the first token can tell the choices apart: none may be the beginning of another, as 8 is of 85."""
    if not choices:
        return False
    forms = [_form(choice, choice) for choice in choices]
    return not any(i != j and b.startswith(a) for i, a in enumerate(forms) for j, b in enumerate(forms))


def choice_logprobs(choices: Sequence[str], logprobs: object, text: str) -> dict[str, float] | None:
    """Return the natural log-probability of each choice that the list of first tokens tells.

    A token leads to a choice when it is the beginning of that choice and of no other, or the choice followed by
    punctuation; space before it does not count, and neither does case, except for choices of one letter ("a" begins
    many texts). A choice that is missing is less probable than the least of the list.

    Parameters
    ----------
    choices : sequence of str
        The listed answers.
    logprobs : object
        The field of that name in a chat completion's choice.
    text : str
        The answer. Where the first token is not how it begins (reasoning that was taken out, a special token), the
        list is about something else.

    Returns
    -------
    dict of str to float, or None
        None when a listed token could lead to several choices, when no choice is listed, or without a list.
    """
    first = _first(logprobs)
    if first is None or not decided_at_once(choices):
        return None
    said = str(first["token"]).strip(_SPACE)
    if not said or not text.strip(_SPACE).startswith(said):
        return None
    listed = [(str(entry["token"]), float(entry["logprob"])) for entry in first["top_logprobs"]]
    if (chosen := (str(first["token"]), float(first["logprob"]))) not in listed:
        listed.append(chosen)
    leading: dict[str, list[float]] = {}
    for token, value in listed:
        to = [choice for choice in choices if _leads(token, choice)]
        if len(to) > 1:
            return None
        if to and value > -math.inf:
            leading.setdefault(to[0], []).append(value)
    return {choice: _sum(leading[choice]) for choice in choices if choice in leading} or None


def _first(logprobs: object) -> Mapping[str, Any] | None:
    """Return the entry of the first token, if it has the documented shape."""
    content = logprobs.get("content") if isinstance(logprobs, dict) else None
    first = content[0] if isinstance(content, list) and content else None
    if not isinstance(first, dict) or not isinstance(first.get("top_logprobs"), list) or not first["top_logprobs"]:
        return None
    for entry in (first, *first["top_logprobs"]):
        if not isinstance(entry, dict) or not isinstance(entry.get("token"), str):
            return None
        value = entry.get("logprob")
        if isinstance(value, bool) or not isinstance(value, int | float) or not value <= 1e-3:  # rounded zeros
            return None
    return first


def _form(text: str, choice: str) -> str:
    text = text.strip(_SPACE)
    return text if len(choice.strip(_SPACE)) == 1 else text.casefold()


def _leads(token: str, choice: str) -> bool:
    start, whole = _form(token, choice), _form(choice, choice)
    if not start:
        return False
    return whole.startswith(start) or (
        start.startswith(whole) and not any(character.isalnum() for character in start[len(whole) :])
    )


def _sum(values: Sequence[float]) -> float:
    top = max(values)
    return min(0.0, top + math.log(math.fsum(math.exp(value - top) for value in values)))
