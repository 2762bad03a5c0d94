"""Which answer is right: what the source says in a column, in the terms of a task's answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from auditkit.errors import AuditkitError
from auditkit.lookup import check_keys
from auditkit.tasks.choice import Option

COLUMN_OF = "truth."
"""What the column is called in which every item has the right answer to a task: ``truth.chest.pneumonia``."""


@dataclass(frozen=True, slots=True)
class Truth:
    """Where the right answer to a task stands.

    Attributes
    ----------
    column : str
        The items' column that says it.
    levels : mapping of str to tuple of str
        By answer, as it is said (a label, ``"yes"``, ``"good"``): what the column has where it is the right one. Empty
        where the column has the answers themselves, their letters, or their numbers from 0.
    """

    column: str
    levels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "levels", MappingProxyType(dict(self.levels)))

    def __hash__(self) -> int:
        return hash((self.column, tuple(self.levels)))

    def __reduce__(self) -> tuple[type[Truth], tuple[Any, ...]]:
        # Read-only mappings cannot be pickled, and tasks go to worker processes.
        return Truth, (self.column, dict(self.levels))

    def of(self, level: str, answers: Sequence[str], options: Sequence[Option] = ()) -> str:
        """Return the right answer where the column has a level; empty where that is none of the answers.

        Parameters
        ----------
        level : str
            What the column says of the item.
        answers : sequence of str
            All that can be said.
        options : sequence of Option
            Lettered options in the order in which they were written, for columns that have letters or numbers.
        """
        wanted = _folded(level)
        if self.levels:
            return next((said for said, some in self.levels.items() if wanted in map(_folded, some)), "")
        found = next((said for said in answers if _folded(said) == wanted), "")
        if found or not options:
            return found
        for place, option in enumerate(options):
            if wanted in (_folded(option.letter), _folded(option.text), str(place)):
                return option.said
        return ""


def read_truth(value: Any, answers: Sequence[str], where: str) -> Truth:
    """Read ``truth`` of a task's table: the name of a column, or ``{column = "...", levels = {answer = [...]}}``.

    Raises
    ------
    AuditkitError
        Naming the key, the value seen and what is allowed.
    """
    if isinstance(value, str) and value.strip():
        return Truth(value)
    check_keys(value, ("column", "levels"), ("column", "levels"), where)
    column, levels = value["column"], value["levels"]
    if not isinstance(column, str) or not column.strip():
        raise AuditkitError(f"{where}.column: the name of a column is needed (value seen: {column!r:.80}).")
    if not isinstance(levels, Mapping) or not levels:
        raise AuditkitError(f"{where}.levels: a table by answer is needed (value seen: {levels!r:.80}).")
    read = {}
    for said, some in levels.items():
        if answers and said not in answers:
            allowed = ", ".join(answers)
            raise AuditkitError(f"{where}.levels.{said}: the task's answers are {allowed}.", "Name one of these.")
        if not isinstance(some, list | tuple) or not some or not all(isinstance(one, str) for one in some):
            raise AuditkitError(f"{where}.levels.{said}: a list of texts is needed (value seen: {some!r:.80}).")
        read[said] = tuple(some)
    every = [_folded(one) for some in read.values() for one in some]
    twice = next((one for one in every if every.count(one) > 1), None)
    if twice is not None:
        raise AuditkitError(f"{where}.levels: {twice!r} stands for two answers.", "Give every level once.")
    return Truth(column, read)


def _folded(text: str) -> str:
    return " ".join(text.split()).casefold()
