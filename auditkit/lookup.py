"""What people name, found or refused: objects by their import path, keys of a table, and the nearest of known names."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module
from typing import Any

from auditkit.errors import AuditkitError

INSTALL = "Install it, or mend the name."


def near(wanted: object, known: Iterable[str], most: int = 1) -> str:
    """Return ``Did you mean 'x' or 'y'?`` for the nearest of the names known; empty when none is near."""
    found = difflib.get_close_matches(str(wanted), list(known), n=most)
    return f"Did you mean {' or '.join(map(repr, found))}?" if found else ""


def unknown(kind: str, wanted: str, known: Iterable[str]) -> AuditkitError:
    """Return the error about a name that there is not; near ones are named, else some that there are."""
    names = list(known)
    remedy = near(wanted, names, most=3) or f"Known are, among others, {', '.join(names[:5])}."
    return AuditkitError(f"there is no {kind} {wanted!r}.", remedy)


def imported(path: str, where: str, remedy: str = INSTALL, kind: type[AuditkitError] = AuditkitError) -> Any:
    """Return the object behind ``package.module:name``, or ``:name.of.a.part``.

    Parameters
    ----------
    path : str
        As written by the user.
    where : str
        Stands before messages.
    remedy : str
        What to do when the module cannot be imported.
    kind : type
        Class of the errors.

    Raises
    ------
    AuditkitError
        When the module cannot be imported, for whatever reason, or has no such name.
    """
    module, _, name = path.partition(":")
    try:
        found: Any = import_module(module)
    except (Exception, SystemExit) as error:  # a module of somebody else may fail in any way, or leave
        reason = f"{type(error).__name__}: {error}"
        raise kind(f"{where}: {module!r} cannot be imported ({reason}).", remedy) from error
    for part in name.split("."):
        if not hasattr(found, part):
            public = [known for known in dir(found) if not known.startswith("_")]
            raise kind(f"{where}: {module!r} has no {name!r}.", near(part, public) or "Mend the name after the colon.")
        found = getattr(found, part)
    return found


def check_keys(
    table: Any, allowed: Sequence[str], needed: Sequence[str], where: str, kind: type[AuditkitError] = AuditkitError
) -> None:
    """Refuse what is no table, has an unknown key, or lacks one that is needed.

    Parameters
    ----------
    table : object
        As read from TOML.
    allowed, needed : sequence of str
        Keys.
    where : str
        The section and the table's name, ``tasks.quality``; stands before messages.
    kind : type
        Class of the errors.

    Raises
    ------
    AuditkitError
        Naming the key.
    """
    if not isinstance(table, Mapping):
        raise kind(f"{where}: a table is needed (value seen: {table!r:.80}).")
    for key, value in table.items():
        if key in allowed:
            continue
        section, _, name = where.partition(".")
        if isinstance(value, Mapping) and name and not set(table) & set(allowed):
            line = f'[{section}."{name}.{key}"]'
            raise kind(f"{where}: holds the table {key!r}.", f"A name with dots is quoted: {line}.")
        raise kind(f"{where}.{key}: unknown key; allowed: {', '.join(allowed)}.", near(key, allowed))
    for key in needed:
        if key not in table:
            raise kind(f"{where}.{key}: missing.")
