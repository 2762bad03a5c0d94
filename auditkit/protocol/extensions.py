"""What lies outside the package: tables beside the protocol, objects of other packages, and what plugins add."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from auditkit.errors import AuditkitError
from auditkit.lookup import imported
from auditkit.parsed import toml
from auditkit.perturbations import Entry
from auditkit.tasks.declared_scorers import BY_NAME


@dataclass(frozen=True, slots=True)
class Extensions:
    """What installed plugins add to the catalogues (`auditkit.plugin.hookspecs`).

    Attributes
    ----------
    perturbations : mapping of str to Entry
        By name. A protocol that lists one under ``covers`` may use it.
    scorers : mapping of str to object
        Classes or functions by the name that a task's ``scorer`` may give.
    """

    perturbations: Mapping[str, Entry] = field(default_factory=dict)
    scorers: Mapping[str, Any] = field(default_factory=dict)


NONE = Extensions()


def gathered(hook: str, answers: Iterable[Any]) -> dict[str, Any]:
    """Join what the plugins answered to a hook.

    Raises
    ------
    AuditkitError
        When two of them give one name to different things, or an answer is no mapping of names.
    """
    joined: dict[str, Any] = {}
    for answer in answers:
        if not isinstance(answer, Mapping) or not all(isinstance(name, str) for name in answer):
            raise AuditkitError(
                f"a plugin answered {hook} with {answer!r:.80}.", "Return a mapping from names to what they stand for."
            )
        for name, added in answer.items():
            if joined.setdefault(name, added) != added:
                raise AuditkitError(f"two plugins answer {hook} with {name!r}.", "Leave one of them out: -p no:NAME.")
    return joined


def with_extensions(raw: Mapping[str, Any], folder: Path, extensions: Extensions) -> dict[str, Any]:
    """Return the tables of a protocol with all it refers to written out, so that the record of a run holds them.

    Parameters
    ----------
    raw : mapping
        As read from TOML. ``perturbations`` and ``tasks`` may be tables, the name of a TOML file beside the protocol,
        or, for perturbations, ``package.module:NAME`` of a mapping of entries.
    folder : pathlib.Path
        Where the protocol lies.
    extensions : Extensions
        Of the installed plugins.

    Raises
    ------
    AuditkitError
        Naming the key, what it refers to and what is wrong with that.
    """
    whole = dict(raw)
    for key in ("perturbations", "tasks"):
        if isinstance(whole.get(key), str):
            whole[key] = _referred(key, whole[key], folder)
    covers = whole.get("covers", [])
    own = whole.get("perturbations", {})
    if isinstance(covers, list) and isinstance(own, Mapping):  # anything else is refused where keys are checked
        names = [name for name in covers if isinstance(name, str) and name in extensions.perturbations]
        added = {name: extensions.perturbations[name].table() for name in names}
        whole |= {"perturbations": {**added, **own}} if added else {}
    if isinstance(whole.get("tasks"), Mapping) and extensions.scorers:
        whole["tasks"] = {name: _with_scorer(table, extensions) for name, table in whole["tasks"].items()}
    return whole


def as_recorded(raw: Mapping[str, Any], criteria: Mapping[str, Any]) -> dict[str, Any]:
    """Return the tables of a protocol with all it refers to filled in from a record, whose files are not at hand.

    Parameters
    ----------
    raw : mapping
        As read from the protocol's text.
    criteria : mapping
        Of the record.
    """
    whole = dict(raw)
    for key in ("perturbations", "tasks"):
        own, recorded = whole.get(key, {}), criteria.get(key, {})
        if not isinstance(recorded, Mapping):
            continue
        if isinstance(own, str):
            whole[key] = dict(recorded)
        elif isinstance(own, Mapping) and recorded:
            covered = {n: t for n, t in recorded.items() if key == "perturbations" and n in raw.get("covers", ())}
            whole[key] = {**covered, **{name: _found_again(table, recorded.get(name)) for name, table in own.items()}}
    return whole


def _found_again(table: Any, recorded: Any) -> Any:
    """A plugin's scorer stands in the record by its import path."""
    scorer = table.get("scorer") if isinstance(table, Mapping) else None
    held = recorded.get("scorer") if isinstance(recorded, Mapping) else None
    return {**table, "scorer": held} if scorer is not None and held is not None and _named(scorer) else table


def _named(scorer: Any) -> bool:
    """Whether a scorer is given by a name that a plugin may have given."""
    name = next(iter(scorer), "") if isinstance(scorer, Mapping) else scorer
    return isinstance(name, str) and ":" not in name and name not in ("choice", "axes", *BY_NAME)


def _referred(key: str, target: str, folder: Path) -> dict[str, Any]:
    if target.endswith(".toml"):
        path = folder / target
        try:
            return toml(path.read_text(encoding="utf-8-sig"))
        except (OSError, ValueError) as error:
            raise AuditkitError(
                f"{key} = {target!r}: {path} cannot be read: {error}.", "Give a TOML file beside the protocol."
            ) from None
    if key == "perturbations" and ":" in target:
        entries = imported(target, f"{key} = {target!r}")
        if not isinstance(entries, Mapping) or not all(isinstance(e, Entry) for e in entries.values()):
            raise AuditkitError(f"{key} = {target!r} is no mapping of names to auditkit.perturbations.Entry.")
        return {name: entry.table() for name, entry in entries.items()}
    allowed = "a table, the name of a .toml file" + (", or package.module:NAME" if key == "perturbations" else "")
    raise AuditkitError(f"{key}: allowed is {allowed} (value seen: {target!r})")


def _with_scorer(table: Any, extensions: Extensions) -> Any:
    """Write a plugin's scorer as its import path: whoever reads the record later has no plugin loaded."""
    if not isinstance(table, Mapping):
        return table
    scorer = table.get("scorer")
    if isinstance(scorer, str) and scorer in extensions.scorers:
        return {**table, "scorer": _path(extensions.scorers[scorer])}
    if isinstance(scorer, Mapping) and len(scorer) == 1:
        [(name, arguments)] = scorer.items()
        if name in extensions.scorers:
            return {**table, "scorer": {_path(extensions.scorers[name]): arguments}}
    return table


def _path(scorer: Any) -> str:
    """Return the import path of a class or function.

    Raises
    ------
    AuditkitError
        For anything else, which could not be found again.
    """
    try:
        return f"{scorer.__module__}:{scorer.__qualname__}"
    except AttributeError:
        raise AuditkitError(
            f"a plugin gives {scorer!r:.80} as a scorer.", "Give the class, or a function that returns the scorer."
        ) from None
