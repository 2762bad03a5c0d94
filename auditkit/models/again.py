"""Whether a question that got no answer may get one when the run is repeated: of every error, said in one place."""

from __future__ import annotations

import re
from collections.abc import Iterable

LATER = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})
"""HTTP statuses of a server that is not there, has too much to do, or broke; all others say the same every time."""

_STATUS = re.compile(r"\b(?:HTTP(?:/[\d.]+)?|error code:?|status(?:[ _]code)?[:=]?)\s*([1-5]\d\d)\b", re.I)
# Of exceptions that say no more than that something was not there in time: in their names or their words.
_PASSING = re.compile(
    r"time[d ]{0,2}out|timeout|did not return|no answer within|connect|network|unreachable|reset by peer|broken pipe"
    r"|rate.?limit|too many requests|overloaded|unavailable|temporar|out ?of ?memory|not enough memory|interrupted"
    r"|try again|cuda error",
    re.I,
)


def of_status(status: int) -> bool:
    """Whether a request that a server answered with this status may be answered later."""
    return status in LATER or status > 504


def of_words(why: str) -> bool | None:
    """Read from a reason whether asking again may help; None where it does not say."""
    status = _STATUS.search(why)
    if status:
        return of_status(int(status[1]))
    return True if _PASSING.search(why) else None


def of_exception(error: BaseException, words: str) -> bool:
    """Whether what a model raised may pass by itself.

    Parameters
    ----------
    error : BaseException
        What was raised. Clients of servers carry the status (``status_code``, or that of ``response``).
    words : str
        Its name and its text.
    """
    for holder in (error, getattr(error, "response", None)):
        status = getattr(holder, "status_code", None)
        if isinstance(status, int):
            return of_status(status)
    if isinstance(error, FileNotFoundError | NotADirectoryError | IsADirectoryError | PermissionError):
        return False
    # Anything else is code that fails on this question: the same input takes it the same way.
    return isinstance(error, OSError | MemoryError) or of_words(words) is True


def remedy(known: Iterable[bool | None]) -> str:
    """Return what to do about what was asked for in vain; empty where nothing is known.

    Parameters
    ----------
    known : iterable of bool or None
        Of every error, whether asking again may help.
    """
    kinds = list(dict.fromkeys(known))
    if not kinds or kinds == [None]:
        return ""
    if True not in kinds:
        return "The same request gets the same error: change what it names first (docs/troubleshooting.md)."
    if kinds == [True]:
        return "Run again to ask for these; what was answered is kept."
    return "For some of these it can help to run again; the others get the same error until it is mended."
