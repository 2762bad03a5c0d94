"""Places in deflated data at which reading can begin, so that the last picture costs no reading of all before it."""

from __future__ import annotations

import threading
from bisect import bisect_right, insort
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any

MOST = 512
"""Marks of one process. Each holds a window of 32 KiB and some tables: together about 25 MB, whatever is read."""
CLOSEST = 1 << 20
"""Bytes of unpacked data between two marks, at least."""


@dataclass(frozen=True, slots=True, order=True)
class Mark:
    """Where a stream stands: unpacked bytes given out, packed bytes taken in, and the state of the decompressor."""

    at: int
    taken: int = field(compare=False)
    state: Any = field(compare=False)


class Marks:
    """The marks of all members that this process reads; the more there are, the wider apart they lie.

    Parameters
    ----------
    most : int
        Marks that are kept.
    closest : int
        Unpacked bytes between two marks of a member, at least; doubled whenever there are too many.
    """

    def __init__(self, most: int = MOST, closest: int = CLOSEST) -> None:
        self._most, self._closest = most, closest
        self._spacing = closest
        self._of: dict[Hashable, list[Mark]] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return sum(map(len, self._of.values()))

    def before(self, member: Hashable, at: int) -> Mark | None:
        """Return the last mark of a member at or before a place, or None."""
        with self._lock:
            marks = self._of.get(member, [])
            place = bisect_right(marks, at, key=lambda mark: mark.at)
            return marks[place - 1] if place else None

    def due(self, member: Hashable, at: int) -> bool:
        """Tell whether a mark at this place would be far enough from the others."""
        with self._lock:
            marks = self._of.get(member, [])
            place = bisect_right(marks, at, key=lambda mark: mark.at)
            before = marks[place - 1].at if place else 0
            after = marks[place].at if place < len(marks) else at + self._spacing
            return min(at - before, after - at) >= self._spacing

    def add(self, member: Hashable, mark: Mark) -> None:
        """Keep a mark, and thin all of them out where there are too many."""
        with self._lock:
            insort(self._of.setdefault(member, []), mark)
            while len(self) > self._most:
                self._spacing *= 2
                self._of = {own: kept for own, marks in self._of.items() if (kept := self._thinned(marks))}

    def _thinned(self, marks: list[Mark]) -> list[Mark]:
        kept: list[Mark] = []
        for mark in marks:
            if mark.at - (kept[-1].at if kept else 0) >= self._spacing:
                kept.append(mark)
        return kept


MARKS = Marks()
