"""TOML and JSON that somebody else wrote: whatever stands in it, it is read or refused in words, with `ValueError`.

The parsers of the standard library let a text through that nothing after them can handle: nested more deeply than
Python recurses, or with an integer of a million digits, which cannot be written into a message any more.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable
from typing import Any

DEPTH = 100
"""Tables and lists within each other, at most."""
LARGEST = 10**100
"""Integers of JSON are smaller: tokenizers write 10**30 for "no limit". Those of TOML have 64 bits with a sign."""
LENGTH = 1 << 24
"""Characters of a TOML text, at most; a protocol has some ten thousand."""


class ParseError(ValueError):
    """A text that is not read; the message says why, without quoting it."""


def toml(text: str) -> dict[str, Any]:
    """Return the tables of a TOML text.

    Raises
    ------
    ParseError
        In words that may be shown.
    """
    if len(text) > LENGTH:
        raise ParseError(f"it has {len(text):,} characters, more than the {LENGTH:,} that are read")
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ParseError(str(error)) from None
    except RecursionError:
        raise ParseError(_TOO_DEEP) from None
    except ValueError:  # int() on thousands of digits
        raise ParseError(_TOO_LARGE) from None
    _check(found, 2**63)
    return found


def json_value(text: str | bytes) -> Any:
    """Return what a JSON text holds.

    Raises
    ------
    ParseError
        In words that may be shown.
    """
    try:
        found = json.loads(text)
    except RecursionError:
        raise ParseError(_TOO_DEEP) from None
    except json.JSONDecodeError as error:
        raise ParseError(str(error)) from None
    except UnicodeDecodeError:
        raise ParseError("it is no text in UTF-8") from None
    except ValueError:
        raise ParseError(_TOO_LARGE) from None
    _check(found, LARGEST)
    return found


_TOO_DEEP = f"it nests more than {DEPTH} tables or lists within each other"
_TOO_LARGE = "it holds an integer that is too large to be one"


def _check(value: Any, largest: int) -> None:
    """Go down by levels: what is nested too deeply must not be met by recursion."""
    level: Iterable[Any] = [value]
    for _ in range(DEPTH + 1):
        inner: list[Any] = []
        for one in level:
            if isinstance(one, dict):
                inner += one.values()
            elif isinstance(one, list):
                inner += one
            elif isinstance(one, int) and not -largest <= one < largest:
                raise ParseError(_TOO_LARGE)
        if not inner:
            return
        level = inner
    raise ParseError(_TOO_DEEP)
