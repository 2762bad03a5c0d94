"""What a record holds of one thing that a clause asks for: all of it, part of it, or nothing."""

from __future__ import annotations

import typing
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel

from auditkit.evidence import Audit, Evidence
from auditkit.words import count, cut, whole

Level = Literal["all", "part", "none"]
_ROOM = 40


@dataclass(frozen=True, slots=True)
class Found:
    """One piece of evidence, or its absence."""

    level: Level
    label: str
    """What it is, with the numbers that identify it."""
    gaps: tuple[str, ...] = ()
    """What of it is missing; empty when nothing is."""

    @property
    def gap(self) -> str:
        """The gaps in one line."""
        return "; ".join(self.gaps)


def found(label: str, gaps: Iterable[str] = ()) -> Found:
    """Return what was found: ``all`` of it, or ``part`` when there are gaps; empty gaps are none."""
    missing = tuple(gap for gap in gaps if gap)
    return Found("part" if missing else "all", label, missing)


def nothing(label: str, *gaps: str) -> Found:
    """Return that nothing was found, and what is missing."""
    return Found("none", label, tuple(gap for gap in gaps if gap))


def decided(evidence: Evidence) -> list[Audit]:
    """Return the audits that came to an answer, whichever: PASS or FAIL."""
    return [audit for audit in evidence.deciding if audit.verdict in ("PASS", "FAIL")]


def of_decided(evidence: Evidence, label: str, holds: Callable[[Audit], bool]) -> Found:
    """Return for how many of the audits that came to an answer something holds: for all, for a part, for none."""
    audits = decided(evidence)
    n = sum(map(holds, audits))
    if not n:
        return nothing(label, f"no audit that came to an answer has {label}")
    gap = f"{count(len(audits) - n, 'decided audit')} without {label}" if n < len(audits) else ""
    return found(f"{label}: {whole(n)} of {count(len(audits), 'decided audit')}", [gap])


def of_field(evidence: Evidence, path: str) -> Found:
    """Return whether a field of the record holds anything; `path` has passed `path_problem`."""
    value: object = evidence
    for name in path.split("."):
        if isinstance(value, BaseModel):
            value = getattr(value, name)
        else:  # the run's own keys, which need not be there
            value = value.get(name) if isinstance(value, dict) else None
    if not value:
        return nothing(path, f"{path} is empty")
    return found(f"{path}: {_shown(value)}")


def _shown(value: object) -> str:
    """Write a value short enough for a table: a text of many lines is counted, a mapping shows its first entries."""
    if isinstance(value, dict):
        return cut(", ".join(f"{key} {held}" for key, held in value.items()), _ROOM)
    if isinstance(value, list):
        return count(len(value), "entry", "entries")
    text = str(value)
    return count(len(text.splitlines()), "line") if "\n" in text.strip() else cut(text, _ROOM)


def path_problem(path: str) -> str:
    """Say what is wrong with a path into the record (``model.revision``); empty when it names a field."""
    model: type[BaseModel] | None = Evidence
    for name in path.split("."):
        if model is None:
            return f"nothing can follow in {path!r} before {name!r}"
        field = model.model_fields.get(name)
        if field is None:
            return f"{path!r}: no {name!r} there; allowed: {', '.join(sorted(model.model_fields))}"
        if typing.get_origin(field.annotation) is dict:
            return ""  # its keys are the run's own
        held = field.annotation
        model = held if isinstance(held, type) and issubclass(held, BaseModel) else None
    return ""
