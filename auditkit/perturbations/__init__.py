"""Image corruptions: pure functions from pixels to pixels, with a catalogue that says what, how strong, and why.

The catalogue is data (``catalogue.toml``) and is read with the standard library alone, because audits name corruptions
while pytest collects them. The pixel work is in `auditkit.perturbations.apply`, which imports NumPy.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Literal, get_args

from auditkit.errors import AuditkitError

VERSION = "1"
"""Changed whenever a pixel of any corruption changes; a part of the record of every run."""

SEVERITIES = (1, 2, 3, 4, 5)

Tier = Literal["imagenet_c", "auditkit"]


class CorruptionError(AuditkitError, ValueError):
    """A corruption was asked for that does not exist, or of pixels that it cannot be applied to."""


@dataclass(frozen=True, slots=True)
class Corruption:
    """One entry of the catalogue.

    Attributes
    ----------
    name : str
        Stable key, as in `auditkit.vocabulary.Condition`.
    label : str
        What reports print.
    tier : {"imagenet_c", "auditkit"}
        Whose parameters these are.
    levels : tuple of mapping of str to float
        Parameters at severity 1 to 5, by name; ``levels[severity - 1]``. Lengths are in pixels, intensities in
        fractions of the full range of the dtype.
    law : str
        What is done to the pixels, in words.
    rationale : str
        Why this happens in clinical practice.
    source : str
        Where the parameters come from.
    function : str
        ``module:name`` below `auditkit.perturbations`, called as ``name(pixels, key, **level)``.
    """

    name: str
    label: str
    tier: Tier
    levels: tuple[Mapping[str, float], ...] = field(hash=False)
    law: str
    rationale: str
    source: str
    function: str

    def level(self, severity: int) -> Mapping[str, float]:
        """Return the parameters at a severity of 1 to 5.

        Raises
        ------
        CorruptionError
            If there is no such severity.
        """
        # bool is an int, and 3.0 equals 3: only what is an integer and says so may pick a row of a table.
        if type(severity) is not int or severity not in SEVERITIES:
            raise CorruptionError(
                f"severity {severity!r} of corruption {self.name!r} does not exist.",
                "Use an integer from 1 to 5, or 0 for the unchanged image.",
            )
        return self.levels[severity - 1]


@cache
def catalogue() -> Mapping[str, Corruption]:
    """Return all corruptions by name, in the order of ``catalogue.toml``; read once, not to be changed.

    Examples
    --------
    >>> dict(catalogue()["pixelate"].level(5))
    {'scale': 0.25}
    """
    entries = tomllib.loads(files("auditkit.perturbations").joinpath("catalogue.toml").read_text(encoding="utf-8"))
    return MappingProxyType({name: _entry(name, table) for name, table in entries.items()})


def corruption(name: str) -> Corruption:
    """Return one entry of the catalogue.

    Raises
    ------
    CorruptionError
        If there is no corruption of that name; the message lists those there are.
    """
    try:
        return catalogue()[name]
    except KeyError:
        raise CorruptionError(f"there is no corruption {name!r}.", f"Use one of: {', '.join(catalogue())}.") from None


def _entry(name: str, table: dict[str, object]) -> Corruption:
    """Check one table of the catalogue, so that a slip is found when it is read, not in the middle of a run."""
    texts = {"label", "tier", "function", "law", "rationale", "source"}
    levels = table.get("levels")
    if set(table) != texts | {"levels"} or not all(isinstance(table[key], str) and table[key] for key in texts):
        raise CorruptionError(
            f"catalogue.toml: [{name}] has the keys {sorted(table)}.", f"It needs {sorted(texts)} as text and levels."
        )
    if table["tier"] not in get_args(Tier):
        raise CorruptionError(f"catalogue.toml: [{name}] tier = {table['tier']!r}.", f"Use one of {get_args(Tier)}.")
    if not (
        isinstance(levels, list) and len(levels) == len(SEVERITIES) and len({tuple(level) for level in levels}) == 1
    ):
        raise CorruptionError(
            f"catalogue.toml: [{name}] levels = {levels!r}.",
            "It needs five tables with the same parameters, one per severity.",
        )
    return Corruption(
        name=name,
        levels=tuple(MappingProxyType(level) for level in levels),
        **{key: str(table[key]) for key in texts},  # type: ignore[arg-type]
    )
