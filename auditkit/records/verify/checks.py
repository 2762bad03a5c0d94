"""What a check found: it holds, it does not, or it could not be made. What could not be checked is never a pass."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "DOES NOT MATCH", "not checked"]
OK: State = "ok"
DIFFERS: State = "DOES NOT MATCH"
OPEN: State = "not checked"
EXIT_CODES: dict[State, int] = {OK: 0, DIFFERS: 1, OPEN: 3}


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the answer.

    Attributes
    ----------
    part : str
        What was looked at: ``record``, ``copies``, ``pages``, ``protocol``, ``images``, ``run``, ``answers``,
        ``verdicts``, ``references``.
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
