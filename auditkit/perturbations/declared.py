"""Entries that are declared outside the package: the tables of a protocol."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from auditkit.lookup import check_keys
from auditkit.perturbations.entry import WHERE, Entry, PerturbationError
from auditkit.perturbations.sentences import sentence_entry
from auditkit.perturbations.shipped import shipped

_OPEN = ("display", "options", "words", "answer")
_OF_A_SENTENCE = (
    "sentence",
    "label",
    "tier",
    "rationale",
    "source",
    "modalities",
    "expects",
    "version",
    "hazard",
    "placebo",
)


def read_entries(tables: Mapping[str, Any], where: str = WHERE) -> dict[str, Entry]:
    """Read entries from the tables of a protocol.

    Parameters
    ----------
    tables : mapping of str to mapping
        By name. Either ``{sentence = "..."}``, which is put after the question, with ``label``, ``hazard`` and so on
        beside it; or ``{function = "package.module:name", stage = "display", levels = [...]}`` with any other
        attribute of `Entry`.
    where : str
        What stands before the names in messages.

    Returns
    -------
    dict of str to Entry
        In the order of the tables.

    Raises
    ------
    PerturbationError
        Naming the key, the value seen and what is allowed. A name of the package's own catalogue is refused: the same
        name would be two things.

    Examples
    --------
    >>> read_entries({"night": {"sentence": "This image was taken at night."}})["night"].stage
    'words'
    """
    if not isinstance(tables, Mapping):
        raise PerturbationError(f"{where}: a table is needed (value seen: {tables!r:.80}).")
    return {name: _entry(name, table, where) for name, table in tables.items()}


def _entry(name: str, table: Any, where: str) -> Entry:
    if name in shipped():
        raise PerturbationError(f"{where}.{name}: auditkit ships an entry of this name.", "Give yours another one.")
    if isinstance(table, Mapping) and "sentence" in table:
        check_keys(table, _OF_A_SENTENCE, ("sentence",), f"{where}.{name}", PerturbationError)
        entry = sentence_entry(name, where=where, **table)
    else:
        entry = Entry.from_table(name, table, where)
    if entry.stage not in _OPEN:
        raise PerturbationError(f"{where}.{name}.stage: allowed: {', '.join(_OPEN)} (value seen: {entry.stage!r}).")
    return entry
