"""Header elements as plain values. Each function but `text` may raise whatever damaged bytes raise: see `guarded`."""

from __future__ import annotations

import math
from typing import Any

from auditkit.images.strata import known


def text(header: Any, keyword: str) -> str | None:
    """Return an element as a short printable string; None where it is missing, a placeholder, or damaged."""
    try:
        return known(header.get(keyword))
    except Exception:
        return None  # strata and identifiers are not worth an image: what cannot be converted counts as missing


def words(header: Any, keyword: str) -> tuple[str, ...]:
    """Return the values of an element in capitals, without the spaces around them and with ``_`` as a space."""
    value = header.get(keyword)
    if value is None:
        return ()
    if isinstance(value, bytes):  # of an element that was written as VR UN
        value = value.decode("ascii", "replace").rstrip("\0").split("\\")
    values = [value] if isinstance(value, str) else list(value)
    return tuple(" ".join(str(one).replace("_", " ").upper().split()) for one in values)


def count(header: Any, keyword: str, default: int) -> int:
    """Return a whole number that is at least `default`, which also stands for what is missing or no number."""
    found = text(header, keyword)
    try:
        return max(int(float(found)), default) if found is not None else default
    except (ValueError, OverflowError):
        return default


def number(header: Any, keyword: str) -> float | None:
    """Return the element's first value as a finite float, None when it is missing or no number."""
    try:
        value = header.get(keyword)
        if value is not None and not isinstance(value, (str, bytes)) and hasattr(value, "__len__"):
            value = value[0]
        found = float(value)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def integer(header: Any, keyword: str, default: int) -> int:
    """Return the element's first value as an int."""
    found = number(header, keyword)
    return default if found is None else int(found)
