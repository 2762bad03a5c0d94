"""What differs between two protocols, key by key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

ABSENT = "absent"
WORDING = "the wording of a prompt or attribute, or the parameters of a corruption"


def changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """List the criteria that differ, as ``families.metadata.margin: 5.0, now 8.0``.

    Parameters
    ----------
    old, new : mapping
        Protocols as plain data (``Protocol.model_dump(mode="json")``).

    Returns
    -------
    list of str
        Sorted by key. When no criterion differs, the one line that says what else the hash covers.
    """
    before, after = _flat(old), _flat(new)
    lines = [
        f"{key}: {before.get(key, ABSENT)}, now {after.get(key, ABSENT)}"
        for key in sorted({*before, *after})
        if before.get(key, ABSENT) != after.get(key, ABSENT)
    ]
    return lines or [WORDING]


def _flat(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in tree.items():
        if isinstance(value, Mapping):
            found |= _flat(value, f"{prefix}{key}.")
        elif value is not None:
            found[f"{prefix}{key}"] = value
    return found
