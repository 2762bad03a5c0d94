"""What a check found: it holds, it does not, or it could not be made. What could not be checked is never a pass."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, Literal

State = Literal["ok", "DOES NOT MATCH", "not checked"]
OK: State = "ok"
DIFFERS: State = "DOES NOT MATCH"
OPEN: State = "not checked"
EXIT_CODES: dict[State, int] = {OK: 0, DIFFERS: 1, OPEN: 3}

# Numbers of a record have six digits after the point; the last may be rounded otherwise on another machine.
TOLERANCE = 2e-6


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the answer.

    Attributes
    ----------
    part : str
        What was looked at: ``record``, ``copies``, ``pages``, ``protocol``, ``images``, ``answers``, ``verdicts``,
        ``references``.
    state : {"ok", "DOES NOT MATCH", "not checked"}
        What was found.
    words : str
        What was compared; where it could not be, why and what to do.
    details : tuple of str
        Each thing that does not match, with what was seen and what was expected.
    """

    part: str
    state: State
    words: str
    details: tuple[str, ...] = ()


def settled(part: str, words: str, faults: Sequence[str], otherwise: str = "") -> Check:
    """Return a check that was made: it holds when there are no faults.

    Parameters
    ----------
    part, words
        Of the check.
    faults : sequence of str
        What does not match.
    otherwise : str
        Words for the case that there are faults; `words` by default.
    """
    return Check(part, DIFFERS, otherwise or words, tuple(faults)) if faults else Check(part, OK, words)


def exit_code(checks: Collection[Check]) -> int:
    """Return 1 when anything does not match, else 3 when anything could not be checked, else 0."""
    states = {check.state for check in checks}
    return next((EXIT_CODES[state] for state in (DIFFERS, OPEN) if state in states), 0 if checks else EXIT_CODES[OPEN])


def differences(recorded: Any, found: Any, skip: Collection[str] = (), where: str = "") -> Iterator[str]:
    """Yield where two trees of plain data differ: ``by_modality[ct].p_pass: record 0.01, found 0.2``.

    Parameters
    ----------
    recorded, found : object
        Lists, mappings, numbers (equal within `TOLERANCE`) and texts.
    skip : collection of str
        Keys that are not compared, at any depth.
    where : str
        Path so far.
    """
    if isinstance(recorded, Mapping) and isinstance(found, Mapping):
        for key in dict.fromkeys((*recorded, *found)):
            if key not in skip:
                below = f"{where}.{key}" if where else str(key)
                yield from differences(recorded.get(key), found.get(key), skip, below)
    elif isinstance(recorded, list) and isinstance(found, list):
        for place, (one, other) in enumerate(zip_longest(recorded, found)):
            yield from differences(one, other, skip, f"{where}[{_name(one, other, place)}]")
    elif not _same(recorded, found):
        yield f"{where}: record {_shown(recorded)}, found {_shown(found)}"


def _name(one: Any, other: Any, place: int) -> str:
    """Call an entry of a list by what it is about."""
    entry = one if isinstance(one, Mapping) else other
    if not isinstance(entry, Mapping):
        return str(place)
    keys = ("attribute", "level", "number", "template", "modality", "condition", "severity", "image", "corruption")
    return " ".join(str(entry[key]) for key in keys if entry.get(key)) or str(place)


def _same(one: Any, other: Any) -> bool:
    if type(one) is bool or type(other) is bool or not all(isinstance(v, int | float) for v in (one, other)):
        return bool(one == other)
    return math.isclose(one, other, rel_tol=1e-9, abs_tol=TOLERANCE)


def _shown(value: Any) -> str:
    text = "nothing" if value is None else str(value)
    return text if len(text) <= 300 else f"{text[:300]} … ({len(text)} characters)"
