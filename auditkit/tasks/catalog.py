"""Templates, context levels and placebos: read from the two TOML files, checked, and rendered into prompts."""

from __future__ import annotations

import difflib
import hashlib
import json
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from functools import cache
from importlib import resources
from typing import Any, cast, get_args

from auditkit.errors import AuditkitError
from auditkit.tasks.entries import MAX_NEW_TOKENS, Attributes, Format, Level, Option, Placebo, Prompt, Template
from auditkit.vocabulary import NO_CONTEXT

FORMATS: tuple[str, ...] = get_args(Format)

SLOT = "{context}"
LENGTH_TOLERANCE = 0.15
TEMPLATES_FILE = "templates.toml"
ATTRIBUTES_FILE = "attributes.toml"

# The answers asked for, whose probabilities a back end may give; decoding is never held to them.
_CHOICES: dict[str, tuple[str, ...]] = {
    "score_100": tuple(map(str, range(101))),
    "rating_5": ("1/5", "2/5", "3/5", "4/5", "5/5"),
    "grade": ("good", "usable", "reject"),
    "yes_no": ("yes", "no"),
}


def read_templates(source: str) -> dict[str, Template]:
    """Read and check the text of a templates file.

    Parameters
    ----------
    source : str
        TOML.

    Returns
    -------
    dict of str to Template
        By id, in the order of the file.

    Raises
    ------
    AuditkitError
        Naming the entry and what is wrong with it.
    """
    found: dict[str, Template] = {}
    for position, entry in enumerate(_tables(_parsed(source, TEMPLATES_FILE), "template", TEMPLATES_FILE), start=1):
        template = _template(entry, f"template {entry.get('id', f'number {position}')!s}")
        if template.id in found:
            raise _bad(f"template {template.id}", "is declared twice", TEMPLATES_FILE)
        found[template.id] = template
    return found


def _template(entry: Mapping[str, Any], where: str) -> Template:
    _only(entry, {"id", "format", "text", "system", "max_new_tokens", "options"}, where, TEMPLATES_FILE)
    name, shape, text = (_text(entry, key, where, TEMPLATES_FILE) for key in ("id", "format", "text"))
    if shape not in FORMATS:
        raise _bad(where, f"has format {shape!r}; allowed are {', '.join(FORMATS)}", TEMPLATES_FILE)
    if name.partition(".")[0] != shape or name.count(".") != 1:
        raise _bad(where, f"must have an id of the form {shape}.name", TEMPLATES_FILE)
    if text.count(SLOT) != 1 or not text.endswith("\n" + SLOT):
        raise _bad(where, f"must end with {SLOT} on a line of its own, and have it only there", TEMPLATES_FILE)
    system = _text(entry, "system", where, TEMPLATES_FILE) if "system" in entry else None
    limit = entry.get("max_new_tokens", MAX_NEW_TOKENS)
    if not isinstance(limit, int) or isinstance(limit, bool) or limit < 1:
        raise _bad(where, f"has max_new_tokens {limit!r}; a whole number of at least 1 is needed", TEMPLATES_FILE)
    options = tuple(_option(item, where) for item in entry.get("options", ()))
    if (shape == "options") != bool(options):
        raise _bad(where, "must list options if, and only if, its format is options", TEMPLATES_FILE)
    if shape == "options":
        _check_options(options, text, where)
    choices = tuple(option.letter for option in options) if options else _CHOICES[shape]
    return Template(name, cast(Format, shape), text, system, choices, limit, options)


def _option(item: Mapping[str, Any], where: str) -> Option:
    _only(item, {"letter", "text", "score", "label"}, where, TEMPLATES_FILE)
    letter, text = (_text(item, key, where, TEMPLATES_FILE) for key in ("letter", "text"))
    if ("score" in item) == ("label" in item):
        raise _bad(where, f"must give option {letter} either a score or a label", TEMPLATES_FILE)
    if "label" in item:
        return Option(letter, text, label=_text(item, "label", where, TEMPLATES_FILE))
    score = item["score"]
    if isinstance(score, bool) or not isinstance(score, int | float) or not 0 <= score <= 100:
        raise _bad(where, f"gives option {letter} the score {score!r}; 0 to 100 is allowed", TEMPLATES_FILE)
    return Option(letter, text, score=float(score))


def _check_options(options: tuple[Option, ...], text: str, where: str) -> None:
    letters = "".join(option.letter for option in options)
    if letters != "ABCDEFGH"[: len(options)] or len(options) < 2:
        raise _bad(where, f"has option letters {letters!r}; they must run from A to H at most", TEMPLATES_FILE)
    if len({option.text.casefold() for option in options}) < len(options):
        raise _bad(where, "has two options with the same text", TEMPLATES_FILE)
    if len({option.label is None for option in options}) > 1:
        raise _bad(where, "mixes scores and labels among its options", TEMPLATES_FILE)
    for option in options:
        if f"\n{option.letter}. {option.text}\n" not in text:
            raise _bad(where, f"must show the line '{option.letter}. {option.text}' in its text", TEMPLATES_FILE)


def read_attributes(source: str) -> Attributes:
    """Read and check the text of an attributes file.

    Parameters
    ----------
    source : str
        TOML.

    Returns
    -------
    Attributes
        Levels and placebos in the order of the file.

    Raises
    ------
    AuditkitError
        Naming the entry and what is wrong with it: a duplicate, a missing side or placebo, sides of unequal length.
    """
    document = _parsed(source, ATTRIBUTES_FILE)
    sentences = document.get("placebo", {})
    neutral = [
        Placebo(f"{name}.neutral", name, _text(sentences, name, "placebo", ATTRIBUTES_FILE)) for name in sentences
    ]
    placebos = {placebo.id: placebo for placebo in neutral}
    levels: dict[str, Level] = {}
    for position, entry in enumerate(_tables(document, "pair", ATTRIBUTES_FILE), start=1):
        for level in _pair(entry, f"pair {entry.get('category', '?')}.{entry.get('id', f'number {position}')}"):
            if level.id in levels:
                raise _bad(f"pair {level.category}.{level.pair}", "is declared twice", ATTRIBUTES_FILE)
            if level.placebo not in placebos:
                raise _bad(f"level {level.id}", f"has no placebo.{level.category}", ATTRIBUTES_FILE)
            levels[level.id] = level
    return Attributes(levels, placebos)


def _pair(entry: Mapping[str, Any], where: str) -> tuple[Level, Level]:
    _only(entry, {"id", "category", "hazard", "sides"}, where, ATTRIBUTES_FILE)
    pair, category, hazard = (_text(entry, key, where, ATTRIBUTES_FILE) for key in ("id", "category", "hazard"))
    sides = entry.get("sides", {})
    if len(sides) != 2:
        raise _bad(where, f"must have two sides, has {len(sides)}: {', '.join(sides) or 'none'}", ATTRIBUTES_FILE)
    first, second = (_text(sides, side, where, ATTRIBUTES_FILE) for side in sides)
    words = len(first.split()), len(second.split())
    if words[0] != words[1]:
        raise _bad(where, f"has sides of {words[0]} and {words[1]} words; they must be equal", ATTRIBUTES_FILE)
    if abs(len(first) - len(second)) > LENGTH_TOLERANCE * max(len(first), len(second)):
        problem = f"has sides of {len(first)} and {len(second)} characters; at most 15 % apart is allowed"
        raise _bad(where, problem, ATTRIBUTES_FILE)
    if first == second:
        raise _bad(where, "has two sides that say the same", ATTRIBUTES_FILE)
    names = tuple(sides)
    ids = tuple(f"{category}.{pair}.{side}" for side in names)
    neutral = f"{category}.neutral"
    return (
        Level(ids[0], category, pair, names[0], first, ids[1], neutral, hazard),
        Level(ids[1], category, pair, names[1], second, ids[0], neutral, hazard),
    )


def templates() -> dict[str, Template]:
    """Return the packaged templates by id, in the order of ``templates.toml``."""
    return dict(_templates())


def levels() -> dict[str, Level]:
    """Return the packaged context levels by id, in the order of ``attributes.toml``."""
    return dict(_attributes().levels)


def placebos() -> dict[str, str]:
    """Return the neutral sentences by id (``category.neutral``)."""
    return {placebo.id: placebo.sentence for placebo in _attributes().placebos.values()}


def context_sentence(context_id: str) -> str:
    """Return the sentence of a level or a placebo; the empty string for ``"none"``.

    Raises
    ------
    AuditkitError
        When there is no such context; near matches are named.
    """
    if context_id == NO_CONTEXT:
        return ""
    attributes = _attributes()
    if context_id in attributes.levels:
        return attributes.levels[context_id].sentence
    if context_id in attributes.placebos:
        return attributes.placebos[context_id].sentence
    raise _unknown("context", context_id, [NO_CONTEXT, *attributes.placebos, *attributes.levels])


def render(template_id: str, context_id: str = NO_CONTEXT) -> Prompt:
    """Put a context sentence into a template.

    Parameters
    ----------
    template_id : str
        Id of a template, such as ``"score_100.direct"``.
    context_id : str
        Id of a level or placebo, or ``"none"``.

    Returns
    -------
    Prompt
        Without a context, the text ends with the question's last sentence.

    Raises
    ------
    AuditkitError
        When either id is unknown; near matches are named.
    """
    known = _templates()
    if template_id not in known:
        raise _unknown("template", template_id, known)
    template = known[template_id]
    user = template.text.replace(SLOT, context_sentence(context_id)).rstrip()
    return Prompt(template.system, user, template.choices, template.max_new_tokens)


def digest() -> str:
    """Return the SHA-256 (hex) over all templates, levels and placebos as resolved: part of the protocol's hash.

    Comments and layout of the files do not count; a changed word, score, limit or order does.
    """
    attributes = _attributes()
    entries: list[Template | Level | Placebo] = [
        *_templates().values(),
        *attributes.levels.values(),
        *attributes.placebos.values(),
    ]
    content = [asdict(entry) for entry in entries]
    return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=True).encode()).hexdigest()


@cache
def _templates() -> dict[str, Template]:
    return read_templates(_packaged(TEMPLATES_FILE))


@cache
def _attributes() -> Attributes:
    return read_attributes(_packaged(ATTRIBUTES_FILE))


def _packaged(name: str) -> str:
    return resources.files(__package__ or "auditkit.tasks").joinpath(name).read_text(encoding="utf-8")


def _parsed(source: str, file: str) -> dict[str, Any]:
    try:
        return tomllib.loads(source)
    except tomllib.TOMLDecodeError as error:
        raise AuditkitError(f"{file} is not valid TOML: {error}.") from error


def _tables(document: Mapping[str, Any], key: str, file: str) -> list[Mapping[str, Any]]:
    entries = document.get(key, [])
    if not entries or not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise AuditkitError(f"{file} has no [[{key}]] entries.", f"Add one that starts with the line [[{key}]].")
    return cast(list[Mapping[str, Any]], entries)


def _text(entry: Mapping[str, Any], key: str, where: str, file: str) -> str:
    value = entry.get(key)
    if not isinstance(value, str) or not value.strip():
        raise _bad(where, f"needs a text for {key!r}, has {value!r}", file)
    return value


def _only(entry: Mapping[str, Any], allowed: set[str], where: str, file: str) -> None:
    extra = sorted(set(entry) - allowed)
    if extra:
        raise _bad(where, f"has unknown keys {', '.join(extra)}; allowed are {', '.join(sorted(allowed))}", file)


def _bad(where: str, problem: str, file: str) -> AuditkitError:
    return AuditkitError(f"{file}: {where} {problem}.")


def _unknown(kind: str, wanted: str, known: Iterable[str]) -> AuditkitError:
    names = list(known)
    near = difflib.get_close_matches(wanted, names, n=3, cutoff=0.5)
    remedy = f"Did you mean {' or '.join(near)}?" if near else f"Known are, among others, {', '.join(names[:5])}."
    return AuditkitError(f"There is no {kind} {wanted!r}.", remedy)
