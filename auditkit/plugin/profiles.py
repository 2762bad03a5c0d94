"""Which families the chosen profile of a protocol asks, read without importing more than the standard library."""

from __future__ import annotations

import tomllib
from pathlib import Path


def families_asked(protocol: Path, profile: str | None) -> frozenset[str] | None:
    """Return the families that a profile asks; None where it asks all.

    Parameters
    ----------
    protocol : pathlib.Path
        TOML file.
    profile : str or None
        None for the file's own choice.

    Raises
    ------
    OSError, ValueError, LookupError, TypeError, AttributeError
        When the file cannot be read, or says something else there.
    """
    raw = tomllib.loads(protocol.read_text(encoding="utf-8-sig"))
    chosen = raw["profiles"][profile or raw.get("profile", "ci")]
    return frozenset(chosen.get("families", ())) or None
