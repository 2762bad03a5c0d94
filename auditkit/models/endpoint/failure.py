"""Why an attempt gave no answer, and whether another can help."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from html import escape
from typing import Any
from urllib.parse import quote, quote_plus

from auditkit.masked import masked_text, masked_url

MAX_WORDS = 200
"""Longest part of a server's own words that is quoted, in characters."""

FEW = 7
"""Attempts where the server does answer, but not sensibly: with the back-off of `patience.WAIT`, about 15 s on average.
An image that a server cannot take fails every time, and a hundred questions are about it."""

# The server is not there, or takes nothing now.
_LATER = {408, 409, 425, 429, 502, 503, 504, 529}
# Whatever is asked, the answer will be the same: key, account, address, name of the model.
_NEVER = {401, 402, 403, 404, 405, 407, 410}

# "System role not supported" (Gemma's template), "Conversation roles must alternate user/assistant/..." (Mistral's),
# "Developer instruction is not enabled for models/..." (Gemini).
_NO_SYSTEM = re.compile(
    r"\b(?:system|developer)\b[^.]{0,60}?\b(?:not|n't|unsupported|unexpected|invalid|disallowed|only)\b"
    r"|\b(?:not|n't|unsupported|unexpected|invalid|disallow\w*|no)\b[^.]{0,40}?\bsystem"
    r"\s+(?:role|message|prompt|turn|instruction)|\broles must alternate\b|\bonly user and assistant roles\b",
    re.I,
)


class Failure(Exception):
    """One attempt without an answer.

    Parameters
    ----------
    why : str
        What happened; quotes the server, never a key.
    tries : float
        Attempts that make sense in all; infinity where only the deadline ends them.
    after : float or None
        Seconds that the server asks to wait (Retry-After).
    remedy : str or None
        What to type; set where no other request would be answered either.
    refused : bool
        Whether the server says that the request itself is wrong.

    Attributes
    ----------
    again : bool
        Whether another run may get an answer: where a second attempt makes no sense, neither does a second run.
    """

    def __init__(
        self,
        why: str,
        *,
        tries: float = math.inf,
        after: float | None = None,
        remedy: str | None = None,
        refused: bool = False,
    ) -> None:
        self.why = why
        self.tries = tries
        self.after = after
        self.remedy = remedy
        self.refused = refused
        self.again = tries > 1 and remedy is None
        super().__init__(why)


def of_status(
    status: int, body: bytes, headers: Mapping[str, str], secrets: Sequence[str], key_variable: str
) -> Failure:
    """Return what a reply other than 2xx means.

    Parameters
    ----------
    status : int
        HTTP status.
    body : bytes
        Body of the reply, of which a message is quoted.
    headers : mapping of str to str
        Headers of the reply, lower-case names.
    secrets : sequence of str
        The key and what else was sent that nobody may see; some servers quote it back, so it is taken out of their
        words.
    key_variable : str
        Environment variable that the key came from, for the remedy.
    """
    said = f"HTTP {status}: {words(body, *secrets)}"
    if 300 <= status < 400:
        place = without(headers.get("location", "nowhere"), *secrets)
        place = masked_url(place) if "://" in place else place.partition("?")[0]
        return Failure(f"{said} (moved to {place})", tries=1, remedy="Give the address that it moved to.")
    if status in _NEVER:
        return Failure(said, tries=1, remedy=_remedy(status, bool(secrets), key_variable))
    if status in _LATER:
        return Failure(said, after=retry_after(headers.get("retry-after")))
    if status >= 500:
        return Failure(said, tries=FEW, after=retry_after(headers.get("retry-after")))
    return Failure(said, tries=1, refused=True)


def no_system(failure: Failure) -> bool:
    """Whether a server says that it takes no system turn; the status may be any, for a template's error."""
    return failure.why.startswith("HTTP ") and _NO_SYSTEM.search(failure.why) is not None


def words(body: bytes, *secrets: str) -> str:
    """Return the message of an error body: the usual fields of its JSON, else the beginning of its text."""
    try:
        found = _message(json.loads(body))
    except (ValueError, RecursionError):
        found = body.decode("utf-8", "replace")
    found = masked_text(" ".join(without(found, *secrets).split()))  # before it is cut, which might halve a key
    return found if len(found) <= MAX_WORDS else found[:MAX_WORDS] + "…"


def without(text: str, *secrets: str) -> str:
    """Return the text without the secrets: as they are, and as an address, JSON and HTML write them."""
    for secret in filter(None, secrets):
        for form in (secret, quote(secret, safe=""), quote_plus(secret), json.dumps(secret)[1:-1], escape(secret)):
            text = text.replace(form, "[key]")
    return text


def _message(said: Any) -> str:
    if isinstance(said, dict):
        for field in ("error", "message", "detail", "msg"):
            if said.get(field):
                return _message(said[field])
    if isinstance(said, list) and said:  # FastAPI's list of what is wrong with a body
        return _message(said[0])
    return said if isinstance(said, str) else json.dumps(said)


def retry_after(value: str | None) -> float | None:
    """Return the seconds that a Retry-After header asks to wait, given as a number or as a date; None without one."""
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            when = parsedate_to_datetime(value)
        except ValueError:
            return None
        seconds = (when.replace(tzinfo=when.tzinfo or UTC) - datetime.now(UTC)).total_seconds()
    return max(seconds, 0.0) if math.isfinite(seconds) else None


def _remedy(status: int, has_key: bool, key_variable: str) -> str:
    if status in (401, 403, 407):
        if has_key:
            return f"The server refuses the key in ${key_variable}: set another with export {key_variable}=..."
        return f"Set the server's key: export {key_variable}=..."
    if status == 402:
        return "The account has no credit left."
    return "Check the address (http://host:port/v1) and the model's name as the server lists it."
