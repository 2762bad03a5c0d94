"""Foreign Python, such as a chat template, within a limit of time."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from auditkit.errors import AuditkitError

T = TypeVar("T")

SECONDS = 10.0
"""A chat template takes a millisecond."""


class _TooLongError(BaseException):
    """Ends a thread; no template's ``except`` is in its way."""


def within(call: Callable[[], T], what: str, seconds: float | None = None) -> T:
    """Return what a function gives, or stop it.

    It runs in a thread of its own, so that it can be ended between two steps of Python, wherever it is.

    Parameters
    ----------
    call : callable
        Without arguments.
    what : str
        What it is, for the message.
    seconds : float, optional
        `SECONDS` by default.

    Raises
    ------
    AuditkitError
        When the time is over. What the function raises by itself is raised as it is.
    """
    limit = SECONDS if seconds is None else seconds
    given: list[T] = []
    raised: list[BaseException] = []

    def run() -> None:
        try:
            given.append(call())
        except BaseException as error:  # handed on to who waits
            raised.append(error)

    thread = threading.Thread(target=run, daemon=True, name="auditkit-limited")
    thread.start()
    thread.join(limit)
    if thread.is_alive():
        number: Any = ctypes.c_ulong(thread.ident or 0)
        ctypes.pythonapi.PyThreadState_SetAsyncExc(number, ctypes.py_object(_TooLongError))
        raise AuditkitError(f"{what} does not end: it gave nothing within {limit:g} s.", "Look at the file.")
    if raised:
        raise raised[0]
    return given[0]
