"""Tasks as tables: those that auditkit ships (``tasks.toml``) and those of a protocol, read and checked."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any

from auditkit.errors import AuditkitError
from auditkit.lookup import check_keys
from auditkit.tasks.declared_scorers import ID, scorer_of
from auditkit.tasks.quantity import ABOVE_CHANCE, CORRECT, FLAGGED, OF_CHOICES
from auditkit.tasks.scorers import Choice, Scorer, answers_of
from auditkit.tasks.slots import ANSWER, OPTION, OPTIONS, slots
from auditkit.tasks.task import Task
from auditkit.tasks.truth import read_truth
from auditkit.tasks.wording import MAX_NEW_TOKENS, SLOT, Wording

FILE, INSIDE = "tasks.toml", "vectors.toml"
PACKS = ("diagnosis", "description", "medq", "zero_shot", "prompt")
"""Tasks for one purpose each, which the default audits do not ask: a file of tasks, and a folder of audits."""
_FURTHER = ("truth", "pictures", "flags", "role", "of", "positive", "modalities", "class_prompts", "only")


@cache
def shipped() -> Mapping[str, Task]:
    """Return the questions that auditkit ships by id, in the order of ``tasks.toml``; read once, not to be changed.

    Examples
    --------
    >>> list(shipped()["quality"].wordings)
    ['direct', 'reader', 'acceptance', 'inspector']
    """
    return _read(FILE)


@cache
def inside() -> Mapping[str, Task]:
    """Return the tasks that auditkit ships and that ask nothing: what a model holds inside is compared.

    Examples
    --------
    >>> list(inside()["embedding"].wordings)
    ['vision', 'language']
    """
    return _read(INSIDE)


@cache
def pack(name: str) -> Mapping[str, Task]:
    """Return the tasks of one of `PACKS` by id; read once, not to be changed.

    Examples
    --------
    >>> pack("zero_shot")["zero_shot.pneumoniamnist"].answers
    ('normal', 'pneumonia')
    """
    own, *others = (_tables(f"{one}.toml") for one in sorted(PACKS, key=lambda one: one != name))
    known = {id: table for tables in (*others, own) for id, table in tables.items()}
    file = f"{name}.toml"
    return MappingProxyType({id: task_of(id, _completed(table, known), {}, file) for id, table in own.items()})


def _read(file: str) -> Mapping[str, Task]:
    return MappingProxyType({id: task_of(id, table, {}, file) for id, table in _tables(file).items()})


@cache
def _tables(file: str) -> Mapping[str, Any]:
    return tomllib.loads(resources.files("auditkit.tasks").joinpath(file).read_text(encoding="utf-8"))


def _completed(table: Mapping[str, Any], known: Mapping[str, Any]) -> dict[str, Any]:
    """Return the table of a task, with what another one says where it is ``as`` that."""
    taken = _completed(known[table["as"]], known) if "as" in table else {}
    return {**taken, **{key: value for key, value in table.items() if key != "as"}}


def read_tasks(
    tables: Mapping[str, Any], where: str = "tasks", scorers: Mapping[str, Any] | None = None
) -> dict[str, Task]:
    """Read tasks from the tables of a protocol.

    Parameters
    ----------
    tables : mapping of str to mapping
        By id. ``scorer`` is ``"score_100"``, ``"score_10"``, ``"rating_5"``, ``"grade"``, ``"yes_no"``; or ``{choice =
        {A = {text = "...", score = 100}, ...}}``, where ``label = "..."`` may stand for the score, and a text alone is
        its own label; or ``"finding"``, yes or no as labels; or ``{axes = {names = [...], low = 0, high = 2}}``, a
        number for each; or ``"text"``, words that another task is about; or ``"vectors"``, where nothing is asked and a
        wording names a kind of embedding; or
        ``"package.module:Name"``, alone or as ``{"package.module:Name" = {...}}`` with arguments; or one of `scorers`.
        ``wordings`` holds a text for each name, or ``{text = "...", system = "...", max_new_tokens = 32}``. A task that
        auditkit ships has its scorer already: the table may add wordings to it, and say where the right answers stand
        in one's own data where it has a ``truth``. Slots ``{name}`` in wordings and options are columns of the items;
        ``{options}`` stands for the lettered lines. ``truth`` names the column with the right answer
        (`auditkit.tasks.truth.read_truth`), ``flags`` the answers that say that a picture will not do, ``pictures`` how
        many an item has (0, 1, 2), ``role`` who is asked, ``of`` the task whose answer fills the slot ``{answer}``,
        ``positive`` the one of two answers that finds the disease, ``modalities`` the images that the question makes
        sense of, and ``class_prompts`` what a model without a language side compares the picture with: texts with the
        slot ``{option}``, of which each option's are averaged. ``only = {data_set = ["octmnist"]}`` asks those items
        alone whose column says so.
    where : str
        What stands before the ids in messages.
    scorers : mapping of str to object, optional
        Scorers by name, beside those that auditkit ships: objects, or classes and functions that make one.

    Returns
    -------
    dict of str to Task
        Only the tasks of the tables; of shipped ones with all their wordings, the shipped first.

    Raises
    ------
    AuditkitError
        Naming the key, the value seen and what is allowed.
    """
    if not isinstance(tables, Mapping):
        raise AuditkitError(f"{where}: a table is needed (value seen: {tables!r:.80}).")
    return {id: _declared(id, table, scorers or {}, where) for id, table in tables.items()}


def _declared(id: str, table: Any, scorers: Mapping[str, Any], where: str) -> Task:
    every = (shipped(), inside(), *map(pack, PACKS))
    task = next((tasks[id] for tasks in every if id in tasks), None)
    if task is None:
        return task_of(id, table, scorers, where)
    at = f"{where}.{id}"
    if isinstance(table, Mapping) and "scorer" in table:
        raise AuditkitError(f"{at}.scorer: auditkit ships this task with a scorer.", "Give your task another name.")
    own = (*(("truth",) if task.truth is not None else ()), *(("class_prompts",) if task.lettered else ()))
    check_keys(table, ("wordings", *own), () if own else ("wordings",), at)
    added = _wordings(table["wordings"], task.scorer, at) if "wordings" in table else {}
    for name in added:
        if name in task.wordings:
            raise AuditkitError(f"{at}.wordings.{name}: auditkit ships a wording of this name.", "Use another one.")
    answers = () if isinstance(task.scorer, Choice) and task.scorer.slots else task.answers
    truth = read_truth(table["truth"], answers, f"{at}.truth") if "truth" in table else task.truth
    prompts = _class_prompts(table["class_prompts"], at) if "class_prompts" in table else task.class_prompts
    return replace(task, wordings={**task.wordings, **added}, truth=truth, class_prompts=prompts)


def task_of(id: str, table: Any, scorers: Mapping[str, Any] | None = None, where: str = "tasks") -> Task:
    """Read one task; see `read_tasks`."""
    at = f"{where}.{id}"
    if not isinstance(id, str) or not ID.fullmatch(id):
        raise AuditkitError(f"{at}: {id!r} cannot be an id.", "Use letters, digits and _, with dots between.")
    check_keys(table, ("scorer", "wordings", *_FURTHER), ("scorer", "wordings"), at)
    scorer = scorer_of(table["scorer"], scorers or {}, f"{at}.scorer")
    wordings = _wordings(table["wordings"], scorer, at)
    return Task(id, wordings, scorer, table["scorer"], **_further(table, scorer, wordings, at))


def _further(table: Mapping[str, Any], scorer: Scorer, wordings: Mapping[str, Wording], at: str) -> dict[str, Any]:
    """Read what a task may say beside its question."""
    fixed = isinstance(scorer, Choice) and bool(scorer.slots)  # then answers are known item by item only
    answers = () if fixed else answers_of(scorer)
    found: dict[str, Any] = {}
    if "truth" in table:
        if isinstance(scorer, Choice) and scorer.quantities:
            raise AuditkitError(f"{at}.truth: the options have scores, and right or wrong needs labels.")
        _check_free(scorer, (CORRECT.name, ABOVE_CHANCE.name, *OF_CHOICES), f"{at}.truth")
        found["truth"] = read_truth(table["truth"], answers, f"{at}.truth")
    if "pictures" in table:
        found["pictures"] = table["pictures"]
        if type(found["pictures"]) is not int or not 0 <= found["pictures"] <= 2:
            raise AuditkitError(f"{at}.pictures: 0, 1 or 2 is allowed (value seen: {table['pictures']!r:.80}).")
    if "flags" in table:
        flags = table["flags"]
        if not isinstance(flags, list | tuple) or not flags or not all(isinstance(flag, str) for flag in flags):
            raise AuditkitError(f"{at}.flags: a list of answers is needed (value seen: {flags!r:.80}).")
        if unknown := [flag for flag in flags if answers and flag not in answers]:
            raise AuditkitError(
                f"{at}.flags: {unknown[0]!r} is no answer to this task.", f"Its answers are {', '.join(answers)}."
            )
        _check_free(scorer, (FLAGGED.name,), f"{at}.flags")
        found["flags"] = tuple(flags)
    if "positive" in table:
        found["positive"] = table["positive"]
        if len(answers) != 2 or found["positive"] not in answers:
            raise AuditkitError(
                f"{at}.positive: one of the two answers to the task is needed (value seen: {table['positive']!r:.80})."
            )
    if "modalities" in table:
        names = table["modalities"]
        if not isinstance(names, list | tuple) or not names or not all(isinstance(one, str) and one for one in names):
            raise AuditkitError(f"{at}.modalities: a list of names is needed (value seen: {names!r:.80}).")
        found["modalities"] = tuple(names)
    if "only" in table:
        found["only"] = _only(table["only"], at)
    if "class_prompts" in table:
        if not isinstance(scorer, Choice):
            raise AuditkitError(f"{at}.class_prompts: they stand for lettered options, and this task has none.")
        found["class_prompts"] = _class_prompts(table["class_prompts"], at)
    for key in ("role", "of"):
        if key in table:
            found[key] = table[key]
            if not isinstance(found[key], str) or not ID.fullmatch(found[key]):
                raise AuditkitError(f"{at}.{key}: a name is needed (value seen: {table[key]!r:.80}).")
    for name, wording in wordings.items():
        if (ANSWER in slots(wording.text)) != bool(found.get("of")):
            said = f"{{{ANSWER}}} is filled by the answer to another task"
            raise AuditkitError(
                f"{at}.wordings.{name}: {said}, and {'of names one' if found.get('of') else 'of names none'}.",
                f"Put {{{ANSWER}}} where it belongs." if found.get("of") else 'Name the task: of = "...".',
            )
    return found


def _class_prompts(value: Any, at: str) -> tuple[str, ...]:
    """Read the texts that options are put into, each once."""
    if not isinstance(value, list | tuple) or not value or len(set(map(str, value))) < len(value):
        raise AuditkitError(f"{at}.class_prompts: a list of different texts is needed (value seen: {value!r:.80}).")
    for text in value:
        if not isinstance(text, str) or slots(text) != (OPTION,):
            raise AuditkitError(
                f"{at}.class_prompts: {text!r:.80} must be a text with the slot {{{OPTION}}} and no other.",
                f"Write it as in 'a medical image of {{{OPTION}}}'.",
            )
    return tuple(" ".join(text.split()) for text in value)


def _only(value: Any, at: str) -> tuple[str, tuple[str, ...]]:
    """Read the one column, and what it says of the items that are asked."""
    if not isinstance(value, Mapping) or len(value) != 1:
        raise AuditkitError(f"{at}.only: one column with a list of levels is needed (value seen: {value!r:.80}).")
    [(column, levels)] = value.items()
    if not isinstance(levels, list | tuple) or not levels or not all(isinstance(one, str) and one for one in levels):
        raise AuditkitError(f"{at}.only.{column}: a list of texts is needed (value seen: {levels!r:.80}).")
    return column, tuple(levels)


def _check_free(scorer: Scorer, names: Sequence[str], where: str) -> None:
    """Refuse what would give a value under a name that the scorer gives itself."""
    twice = [quantity.name for quantity in scorer.quantities if quantity.name in names]
    if twice:
        raise AuditkitError(f"{where}: the scorer gives a value called {twice[0]!r} itself.", "Leave one of them out.")


def _wordings(tables: Any, scorer: Scorer, where: str) -> dict[str, Wording]:
    at = f"{where}.wordings"
    if not isinstance(tables, Mapping) or not tables:
        raise AuditkitError(f"{at}: a table with at least one wording is needed (value seen: {tables!r:.80}).")
    return {name: _wording(name, value, scorer, f"{at}.{name}") for name, value in tables.items()}


def _wording(name: str, value: Any, scorer: Scorer, at: str) -> Wording:
    if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z0-9_]+", name):
        raise AuditkitError(f"{at}: {name!r} cannot be the name of a wording.", "Use letters, digits and _.")
    table = {"text": value} if isinstance(value, str) else value
    check_keys(table, ("text", "system", "max_new_tokens"), ("text",), at)
    text, system = table["text"], table.get("system")
    for key, seen in (("text", text), ("system", system)):
        if (key in table) and (not isinstance(seen, str) or not seen.strip()):
            raise AuditkitError(f"{at}.{key}: text is needed (value seen: {seen!r:.80}).")
    if SLOT not in text:
        text = f"{text.rstrip()}\n{SLOT}"
    if text.count(SLOT) != 1 or not text.endswith("\n" + SLOT):
        raise AuditkitError(
            f"{at}.text: {SLOT} must end the text, on a line of its own (value seen: {text!r:.80}).",
            f"Leave {SLOT} out: it is put there.",
        )
    limit = table.get("max_new_tokens", MAX_NEW_TOKENS)
    if not isinstance(limit, int) or isinstance(limit, bool) or limit < 1:
        raise AuditkitError(f"{at}.max_new_tokens: a whole number of at least 1 is needed (value seen: {limit!r:.80}).")
    if isinstance(scorer, Choice) and OPTIONS not in slots(text):
        lines = [f"{option.letter}. {option.text}" for option in scorer.options]
        missing = next((line for line in lines if scorer.slots or f"\n{line}\n" not in text), "")
        if missing:
            instead = "" if scorer.slots else f", or the line '{missing}'"
            raise AuditkitError(f"{at}.text: must show {{{OPTIONS}}}{instead}.")
    return Wording(text, system, limit)
