"""Scorers as tables: those that a name declares, options, axes, and those of somebody else, read and checked."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from auditkit.errors import AuditkitError
from auditkit.lookup import check_keys, imported, near
from auditkit.tasks.axes import Axes, Words
from auditkit.tasks.choice import LETTERS, Option
from auditkit.tasks.expected import OF_PROBABILITIES
from auditkit.tasks.quantity import SHARES, Quantity
from auditkit.tasks.scorers import FORMATS, Choice, Finding, Points, Scorer, Vectors

_WITHOUT_POINTS: Mapping[str, Callable[[], Scorer]] = {"finding": Finding, "text": Words, "vectors": Vectors}
BY_NAME = (*FORMATS, *_WITHOUT_POINTS)
"""Scorers that a name alone declares."""

ID = re.compile(r"[A-Za-z0-9_]+(?:\.[A-Za-z0-9_]+)*")
"""What ids of tasks and names of axes are made of."""
_PATH = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*:[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*")


def scorer_of(spec: Any, scorers: Mapping[str, Any], where: str) -> Scorer:
    """Return the scorer that is declared; see `auditkit.tasks.read_tasks`.

    Raises
    ------
    AuditkitError
        Naming the key, the value seen and what is allowed.
    """
    name, arguments = spec, None
    if isinstance(spec, Mapping) and len(spec) == 1:
        [(name, arguments)] = spec.items()
        if name == "choice":
            return Choice(_options(arguments, f"{where}.choice"))
        if name == "axes":
            return _axes(arguments, f"{where}.axes")
    if not isinstance(name, str) or not (arguments is None or isinstance(arguments, Mapping)):
        raise AuditkitError(f"{where}: allowed: {_allowed(scorers)} (value seen: {spec!r:.80}).")
    if name in FORMATS and arguments is None:
        return Points(name)
    if name in _WITHOUT_POINTS and arguments is None:
        return _WITHOUT_POINTS[name]()
    if name in scorers:
        found = scorers[name]
    elif _PATH.fullmatch(name):
        found = imported(name, where)
    else:
        remedy = near(name, [*BY_NAME, *scorers])
        raise AuditkitError(f"{where}: allowed: {_allowed(scorers)} (value seen: {spec!r:.80}).", remedy)
    if isinstance(found, type) or (callable(found) and not hasattr(found, "read")):
        try:
            found = found(**(arguments or {}))
        except Exception as error:  # a scorer of somebody else may fail in any way
            reason = f"{type(error).__name__}: {error}"
            raise AuditkitError(f"{where}: {name!r} cannot be made with {dict(arguments or {})}: {reason}.") from error
    elif arguments:
        raise AuditkitError(f"{where}: {name!r} is an object and takes no arguments (value seen: {arguments!r:.80}).")
    _check_scorer(found, name, where)
    scorer: Scorer = found
    return scorer


def _check_scorer(scorer: Any, name: str, where: str) -> None:
    """Refuse what lacks a part of a scorer before the first question is asked."""
    quantities, choices = getattr(scorer, "quantities", None), getattr(scorer, "choices", 0)
    taken = (*SHARES, *OF_PROBABILITIES)
    problem = ""
    if not callable(getattr(scorer, "read", None)):
        problem = "has no method read(text, finish, wording)"
    elif not isinstance(quantities, tuple) or not all(isinstance(q, Quantity) for q in quantities):
        problem = f"has quantities {quantities!r:.80}; a tuple of auditkit.tasks.Quantity is needed"
    elif len({q.name for q in quantities} - {"", *taken}) < len(quantities):
        problem = f"has quantities named {[q.name for q in quantities]}; they must differ, and from {', '.join(taken)}"
    elif not all(q.low < q.high for q in quantities):
        problem = "has a quantity whose range is empty"
    elif choices is not None and not (isinstance(choices, tuple) and all(isinstance(c, str) and c for c in choices)):
        problem = f"has choices {choices!r:.80}; None or a tuple of texts is needed"
    if problem:
        raise AuditkitError(f"{where}: {name!r} {problem}.")


def _axes(table: Any, where: str) -> Axes:
    check_keys(table, ("names", "low", "high"), ("names", "low", "high"), where)
    names, low, high = table["names"], table["low"], table["high"]
    if (
        not isinstance(names, list | tuple)
        or not names
        or not all(isinstance(n, str) and ID.fullmatch(n) for n in names)
    ):
        raise AuditkitError(f"{where}.names: a list of names is needed (value seen: {names!r:.80}).")
    if len(set(names)) < len(names):
        raise AuditkitError(f"{where}.names: {list(names)} names one twice.")
    for key, value in (("low", low), ("high", high)):
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise AuditkitError(f"{where}.{key}: a number is needed (value seen: {value!r:.80}).")
    found = Axes(tuple(names), float(low), float(high))
    _check_scorer(found, "axes", where)
    return found


def _options(table: Any, where: str) -> tuple[Option, ...]:
    if not isinstance(table, Mapping) or not 2 <= len(table) <= len(LETTERS) or not all(map(str.isalpha, table)):
        raise AuditkitError(f"{where}: 2 to {len(LETTERS)} options by letter are needed (value seen: {table!r:.80}).")
    options = tuple(_option(letter, value, f"{where}.{letter}") for letter, value in table.items())
    letters = "".join(option.letter for option in options)
    if letters != LETTERS[: len(options)]:
        raise AuditkitError(f"{where}: the letters are {letters}; they must be {LETTERS[: len(options)]}.")
    if len({option.text.casefold() for option in options}) < len(options):
        raise AuditkitError(f"{where}: two options have the same text.")
    if len({option.label is None for option in options}) > 1:
        raise AuditkitError(f"{where}: some options have a score and some a label; give all the same.")
    return options


def _option(letter: str, value: Any, at: str) -> Option:
    if isinstance(value, str):
        value = {"text": value, "label": value}
    check_keys(value, ("text", "score", "label", "picture"), ("text",), at)
    if ("score" in value) == ("label" in value):
        raise AuditkitError(f"{at}: give it either a score or a label.")
    for key in ("text", "label"):
        if key in value and (not isinstance(value[key], str) or not value[key].strip()):
            raise AuditkitError(f"{at}.{key}: text is needed (value seen: {value[key]!r:.80}).")
    picture = value.get("picture")
    if picture is not None and (type(picture) is not int or picture not in (1, 2)):
        raise AuditkitError(f"{at}.picture: 1 or 2 is allowed (value seen: {picture!r:.80}).")
    if "label" in value:
        return Option(letter, value["text"], label=value["label"], picture=picture)
    score = value["score"]
    if isinstance(score, bool) or not isinstance(score, int | float) or not 0 <= score <= 100:
        raise AuditkitError(f"{at}.score: 0 to 100 is allowed (value seen: {score!r:.80}).")
    return Option(letter, value["text"], score=float(score))


def _allowed(scorers: Mapping[str, Any]) -> str:
    named = ", ".join([*BY_NAME, *scorers])
    return f"{named}, {{choice = {{A = ...}}}}, {{axes = {{names = ...}}}}, package.module:Name"
