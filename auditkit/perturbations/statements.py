"""Sentences that state an answer, each with a neutral one of the same shape, and one-word suffixes."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from auditkit.perturbations.entry import Entry
from auditkit.perturbations.sentences import sentence_entry

FILE = "statements.toml"
NEUTRAL = "neutral"
_SUFFIX = "suffix"
_HAZARD = "hazard"


@dataclass(frozen=True, slots=True)
class Statement:
    """One sentence that states an answer.

    Attributes
    ----------
    id : str
        ``speaker.about.side``.
    speaker : str
        Who is said to have answered: ``"authority"``, ``"majority"``, ``"note"``.
    about : str
        ``"quality"`` (a grade) or ``"answer"`` (an option of the item, by the slots ``{truth}`` and ``{wrong}``).
    side : str
        ``"excellent"``, ``"poor"``, ``"correct"``, ``"wrong"``.
    sentence : str
        What is put after the question.
    placebo : str
        Id of the neutral sentence with the same speaker.
    hazard : str
        The harm that follows if the answer moves.
    """

    id: str
    speaker: str
    about: str
    side: str
    sentence: str
    placebo: str
    hazard: str


def statements(about: str = "") -> Mapping[str, Statement]:
    """Return the statements by id, in the order of ``statements.toml``; not to be changed.

    Parameters
    ----------
    about : str
        Only those about ``"quality"`` or an ``"answer"``; empty for all.
    """
    return MappingProxyType({id: said for id, said in _statements().items() if about in ("", said.about)})


def entries() -> dict[str, Entry]:
    """Return an entry of the stage ``words`` for every statement, neutral sentence and suffix, by id."""
    found: dict[str, Entry] = {}
    for speaker, about, table in _tables():
        name = f"{speaker}.{about}.{NEUTRAL}"
        found[name] = sentence_entry(
            name,
            table[NEUTRAL],
            label=f"{speaker}, {about}: neutral sentence".capitalize(),
            tier="statements",
            rationale="Shows what the mention of the speaker does, apart from what is stated.",
            source="auditkit",
        )
        for said in _sides(speaker, about, table):
            found[said.id] = sentence_entry(
                said.id,
                said.sentence,
                label=f"{speaker}, {about}: {said.side}".capitalize(),
                tier="statements",
                rationale="What others are said to have answered is not in the image.",
                source="auditkit",
                hazard=said.hazard,
                placebo=said.placebo,
            )
    suffixes: dict[str, str] = _read()[_SUFFIX]
    for side in (key for key in suffixes if key != _HAZARD):
        found[f"{_SUFFIX}.{side}"] = sentence_entry(
            f"{_SUFFIX}.{side}",
            suffixes[side],
            label=f"One word after the question: {side}",
            tier="suffixes",
            rationale="People end a question with a word of courtesy or emphasis, or do not.",
            source="auditkit",
            hazard=suffixes[_HAZARD],
            law="Puts one word after the question.",
        )
    return found


@cache
def _statements() -> dict[str, Statement]:
    return {said.id: said for speaker, about, table in _tables() for said in _sides(speaker, about, table)}


def _sides(speaker: str, about: str, table: Mapping[str, str]) -> list[Statement]:
    placebo = f"{speaker}.{about}.{NEUTRAL}"
    return [
        Statement(f"{speaker}.{about}.{side}", speaker, about, side, table[side], placebo, table[_HAZARD])
        for side in table
        if side not in (NEUTRAL, _HAZARD)
    ]


def _tables() -> list[tuple[str, str, dict[str, str]]]:
    spoken = {speaker: tables for speaker, tables in _read().items() if speaker != _SUFFIX}
    return [(speaker, about, table) for speaker, tables in spoken.items() for about, table in tables.items()]


@cache
def _read() -> dict[str, dict[str, Any]]:
    return tomllib.loads(files("auditkit.perturbations").joinpath(FILE).read_text(encoding="utf-8"))
