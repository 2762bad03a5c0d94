"""What no record holds, whoever wrote the file: trees without end, numbers that are none, marks that no run writes."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

from auditkit.evidence.answers import NO_SCORE, NOT_ASKED, OUTCOME_MARKS, Answers

DEEPEST = 40
"""Levels of a record: criteria, the deepest part, have eight."""
LARGEST = 1e15
"""Size of a number: beyond it sums of squares would soon be infinite, and integers no longer exact in every reader."""

_NUMBER = re.compile(r"-?\d{1,16}(\.\d{1,16})?(e[+-]\d\d)?", re.ASCII)
_OTHERS = {NOT_ASKED, *OUTCOME_MARKS.values()}
_SHOWN = 60  # characters


def impossible(tree: Any) -> str:
    """Say what in a tree of plain data is no part of a record; empty where nothing is.

    Parameters
    ----------
    tree : object
        What a parser of JSON returned.
    """
    return "" if _is_possible(tree) else _first_fault(tree)


def _is_possible(tree: Any) -> bool:
    """Look at all of it, level by level: no recursion, because how deep it goes is the file's choice."""
    level = [tree]
    for _ in range(DEEPEST):
        inner: list[Any] = []
        for value in level:
            kind = type(value)  # a parser makes no other types, and `isinstance` takes twice as long
            if kind is str:
                continue
            if kind is dict:
                inner += value.values()
            elif kind is list:
                inner += value
            elif kind in (int, float) and not -LARGEST <= value <= LARGEST:
                return False
        if not inner:
            return True
        level = inner
    return False


def _first_fault(tree: Any) -> str:
    """Look again, with the path to every value, which takes most of the time."""
    waiting: list[tuple[str, Any, int]] = [("", tree, 1)]
    while waiting:
        where, value, depth = waiting.pop()
        if depth > DEEPEST:
            return f"{where[:_SHOWN]}: more than {DEEPEST} levels deep"
        if isinstance(value, dict):
            waiting += [(f"{where}.{key}" if where else key, below, depth + 1) for key, below in value.items()]
        elif isinstance(value, list):
            waiting += [(f"{where}.{place}", below, depth + 1) for place, below in enumerate(value)]
        elif isinstance(value, int | float) and not abs(value) <= LARGEST:
            endless = isinstance(value, float) and not math.isfinite(value)
            return f"{where[:_SHOWN]}: a number " + ("that is not finite" if endless else f"beyond {LARGEST:g}")
    return ""


def is_number(mark: str) -> bool:
    """Whether a mark of an answer is a number, as a run writes it."""
    return bool(_NUMBER.fullmatch(mark)) and abs(float(mark)) <= LARGEST


def mark_faults(answers: Answers) -> Iterator[str]:
    """Yield the marks that no run writes."""
    for column in answers.columns:
        for text in column.values.values():
            for mark in sorted(set(text.split())):
                if mark not in _OTHERS and not mark.startswith(NO_SCORE) and not is_number(mark):
                    yield f"answers: {column.question}: {mark[:_SHOWN]!r} is no mark of an answer"
