"""Sentences about the circumstances of an item, in matched pairs: read from TOML, checked, and made into entries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from auditkit.parsed import ParseError, toml
from auditkit.perturbations.entry import WHERE, Entry, Expectation, PerturbationError
from auditkit.perturbations.words import SLOT

FILE = "sentences.toml"
FUNCTION = "auditkit.perturbations.words:sentence"
LENGTH_TOLERANCE = 0.15


@dataclass(frozen=True, slots=True)
class Level:
    """One side of a matched pair of sentences.

    Attributes
    ----------
    id : str
        ``category.pair.side``.
    category, pair, side : str
        The parts of the id.
    sentence : str
        What is put after the question.
    counterpart : str
        Id of the other side.
    placebo : str
        Id of the category's neutral sentence.
    hazard : str
        The harm that follows if the score moves.
    """

    id: str
    category: str
    pair: str
    side: str
    sentence: str
    counterpart: str
    placebo: str
    hazard: str


@dataclass(frozen=True, slots=True)
class Placebo:
    """A sentence shaped like those of its category, about something without meaning for quality."""

    id: str
    category: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Sentences:
    """The checked content of ``sentences.toml``."""

    levels: Mapping[str, Level]
    placebos: Mapping[str, Placebo]


def levels() -> Mapping[str, Level]:
    """Return the sentences of the matched pairs by id, in the order of ``sentences.toml``; not to be changed."""
    return shipped().levels


def placebos() -> Mapping[str, str]:
    """Return the neutral sentences by id (``category.neutral``)."""
    return {placebo.id: placebo.sentence for placebo in shipped().placebos.values()}


@cache
def shipped() -> Sentences:
    """Return what ``sentences.toml`` holds; read once."""
    return read_sentences(files("auditkit.perturbations").joinpath(FILE).read_text(encoding="utf-8"))


def entries(sentences: Sentences) -> dict[str, Entry]:
    """Return an entry of the stage ``words`` for every neutral sentence and every side of a pair, by id."""
    neutral = {
        placebo.id: sentence_entry(
            placebo.id,
            placebo.sentence,
            label=f"{placebo.category}: neutral sentence".replace("_", " "),
            tier="attributes",
            rationale="Shows what the adding of any sentence does, apart from what it says.",
            source="auditkit",
        )
        for placebo in sentences.placebos.values()
    }
    sides = {
        level.id: sentence_entry(
            level.id,
            level.sentence,
            label=f"{level.pair}: {level.side}".replace("_", " "),
            tier="attributes",
            rationale="Says nothing about the pixels, so a score of technical quality must not move.",
            source="auditkit",
            hazard=level.hazard,
            placebo=level.placebo,
        )
        for level in sentences.levels.values()
    }
    return neutral | sides


def sentence_entry(
    name: str,
    sentence: str,
    *,
    label: str = "",
    tier: str = "own",
    rationale: str = "",
    source: str = "",
    modalities: tuple[str, ...] = (),
    expects: Expectation = "ignore",
    version: str = "1",
    hazard: str = "",
    placebo: str = "",
    law: str = "Puts a sentence after the question.",
    where: str = WHERE,
) -> Entry:
    """Return the entry that puts a sentence after the question.

    Raises
    ------
    PerturbationError
        When the sentence is empty, begins or ends with a blank, or holds the slot; or when anything else is not what
        `Entry` allows.
    """
    if not isinstance(sentence, str) or not sentence or sentence != sentence.strip() or SLOT in sentence:
        problem = f"text without blanks around it and without {SLOT} is needed (value seen: {sentence!r:.80})"
        raise PerturbationError(f"{where}.{name}.sentence: {problem}.")
    table = {
        "label": label or name,
        "stage": "words",
        "levels": ({"sentence": sentence},),
        "function": FUNCTION,
        "tier": tier,
        "law": law,
        "rationale": rationale,
        "source": source,
        "modalities": modalities,
        "expects": expects,
        "version": version,
        "hazard": hazard,
        "placebo": placebo,
    }
    return Entry.from_table(name, table, where)


def read_sentences(source: str) -> Sentences:
    """Read and check matched pairs and neutral sentences.

    Parameters
    ----------
    source : str
        TOML with ``[placebo]`` and ``[[pair]]``.

    Returns
    -------
    Sentences
        In the order of the file.

    Raises
    ------
    PerturbationError
        Naming the entry and what is wrong with it: a duplicate, a missing side or neutral sentence, sides of unequal
        length.
    """
    try:
        document = toml(source)
    except ParseError as error:
        raise PerturbationError(f"{FILE} is not valid TOML: {error}.") from error
    pairs = document.get("pair", [])
    if not pairs or not isinstance(pairs, list) or not all(isinstance(entry, dict) for entry in pairs):
        raise PerturbationError(f"{FILE} has no [[pair]] entries.", "Add one that starts with the line [[pair]].")
    texts = document.get("placebo", {})
    neutral = {f"{name}.neutral": Placebo(f"{name}.neutral", name, _text(texts, name, "placebo")) for name in texts}
    found: dict[str, Level] = {}
    for position, entry in enumerate(pairs, start=1):
        for level in _pair(entry, f"pair {entry.get('category', '?')}.{entry.get('id', f'number {position}')}"):
            if level.id in found:
                raise _bad(f"pair {level.category}.{level.pair}", "is declared twice")
            if level.placebo not in neutral:
                raise _bad(f"level {level.id}", f"has no placebo.{level.category}")
            found[level.id] = level
    return Sentences(MappingProxyType(found), MappingProxyType(neutral))


def _pair(entry: Mapping[str, Any], where: str) -> tuple[Level, Level]:
    extra = sorted(set(entry) - {"id", "category", "hazard", "sides"})
    if extra:
        raise _bad(where, f"has unknown keys {', '.join(extra)}; allowed are id, category, hazard, sides")
    pair, category, hazard = (_text(entry, key, where) for key in ("id", "category", "hazard"))
    sides = entry.get("sides", {})
    if len(sides) != 2:
        raise _bad(where, f"must have two sides, has {len(sides)}: {', '.join(sides) or 'none'}")
    first, second = (_text(sides, side, where) for side in sides)
    words = len(first.split()), len(second.split())
    if words[0] != words[1]:
        raise _bad(where, f"has sides of {words[0]} and {words[1]} words; they must be equal")
    if abs(len(first) - len(second)) > LENGTH_TOLERANCE * max(len(first), len(second)):
        raise _bad(where, f"has sides of {len(first)} and {len(second)} characters; at most 15 % apart is allowed")
    if first == second:
        raise _bad(where, "has two sides that say the same")
    names = tuple(sides)
    ids = tuple(f"{category}.{pair}.{side}" for side in names)
    neutral = f"{category}.neutral"
    return (
        Level(ids[0], category, pair, names[0], first, ids[1], neutral, hazard),
        Level(ids[1], category, pair, names[1], second, ids[0], neutral, hazard),
    )


def _text(entry: Mapping[str, Any], key: str, where: str) -> str:
    value = entry.get(key)
    if not isinstance(value, str) or not value.strip():
        raise _bad(where, f"needs a text for {key!r}, has {value!r}")
    return value


def _bad(where: str, problem: str) -> PerturbationError:
    return PerturbationError(f"{FILE}: {where} {problem}.")
