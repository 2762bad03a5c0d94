"""What differs between two protocols: criteria key by key, and entries by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

ABSENT = "absent"
ENTRIES = "a perturbation, a wording or a scorer that the protocol covers"
LONGEST = 80
"""Characters of a value that are shown: a prompt would fill the screen."""


def changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """List the criteria that differ, as ``families.metadata.within: 5.0, now 8.0``.

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
        f"{key}: {_shown(before.get(key, ABSENT))}, now {_shown(after.get(key, ABSENT))}"
        for key in sorted({*before, *after})
        if before.get(key, ABSENT) != after.get(key, ABSENT)
    ]
    return lines or [ENTRIES]


def changed_entries(old: Mapping[str, str], new: Mapping[str, str]) -> list[str]:
    """Return the names whose SHA-256 differ, or that only one side has, sorted.

    Parameters
    ----------
    old, new : mapping of str to str
        SHA-256 by name (``perturbation pixelate``, ``wording quality.direct``, ``scorer quality``), as in
        `Protocol.entries` and in a record's ``protocol.entries``.
    """
    return sorted(name for name in {*old, *new} if old.get(name) != new.get(name))


def _flat(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in tree.items():
        if isinstance(value, Mapping):
            found |= _flat(value, f"{prefix}{key}.")
        elif value is not None:
            found[f"{prefix}{key}"] = value
    return found


def _shown(value: object) -> str:
    text = str(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
