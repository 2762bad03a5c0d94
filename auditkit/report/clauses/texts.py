"""The texts as data: one TOML file each beside this module, validated as a whole before any is used."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from functools import cache
from importlib import resources
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from auditkit.errors import AuditkitError
from auditkit.lookup import near
from auditkit.report.clauses.found import path_problem
from auditkit.report.clauses.sections import SECTIONS
from auditkit.report.questions import QUESTIONS

Words = Annotated[str, Field(min_length=1)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ClauseEntry(_Part):
    """One clause and what of a record answers it. A row without any condition is never covered."""

    clause: Words
    asks: Words
    """What it asks for, in our words."""
    families: tuple[str, ...] = ()
    """Families of audits that answer it; every one of them is needed."""
    sections: tuple[str, ...] = ()
    """Named parts of the record (`auditkit.report.clauses.sections`); every one of them is needed."""
    fields: tuple[str, ...] = ()
    """Fields of the record that must hold something (``model.revision``)."""
    beyond: str = ""
    """What the clause asks for that no record of auditkit can hold: with it a row is never ``supported``."""

    @field_validator("families")
    @classmethod
    def _families_exist(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        return _known(names, QUESTIONS, "family")

    @field_validator("sections")
    @classmethod
    def _sections_exist(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        return _known(names, SECTIONS, "section")

    @field_validator("fields")
    @classmethod
    def _fields_exist(cls, paths: tuple[str, ...]) -> tuple[str, ...]:
        problems = [problem for path in paths if (problem := path_problem(path))]
        if problems:
            raise ValueError("; ".join(problems))
        return paths

    @model_validator(mode="after")
    def _says_something(self) -> ClauseEntry:
        if not (self.families or self.sections or self.fields or self.beyond):
            raise ValueError("needs families, sections or fields that answer it, or what is beyond the record")
        return self


class TextEntry(_Part):
    """One text: which version, and its clauses."""

    order: int
    """Place among the texts: law and regulators, then standards, then reporting guidelines."""
    key: Words
    title: Words
    version: Words
    date: Words
    note: Words
    rows: Annotated[tuple[ClauseEntry, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _clauses_differ(self) -> TextEntry:
        seen = [row.clause for row in self.rows]
        twice = sorted({clause for clause in seen if seen.count(clause) > 1})
        if twice:
            raise ValueError(f"clauses listed twice: {', '.join(twice)}")
        return self


def _known(names: tuple[str, ...], allowed: Iterable[str], what: str) -> tuple[str, ...]:
    allowed = list(allowed)
    for name in names:
        if name not in allowed:
            raise ValueError(f"unknown {what} {name!r}; allowed: {', '.join(allowed)}. {near(name, allowed)}".rstrip())
    return names


def read_text(content: str, file: str) -> TextEntry:
    """Validate one file.

    Parameters
    ----------
    content : str
        TOML.
    file : str
        Its name, for messages.

    Raises
    ------
    AuditkitError
        When it is not TOML, a key is missing or unknown, or a condition names what no record has.
    """
    try:
        return TextEntry.model_validate(tomllib.loads(content))
    except tomllib.TOMLDecodeError as error:
        raise AuditkitError(f"clause file {file} is not valid TOML: {error}.") from None
    except ValidationError as error:
        lines = [f"  {_place(fault['loc'])}: {fault['msg'].removeprefix('Value error, ')}" for fault in error.errors()]
        raise AuditkitError(f"clause file {file} is not valid:\n" + "\n".join(lines)) from None


def _place(location: Iterable[int | str]) -> str:
    """``("rows", 3, "families")`` as ``rows[4].families``: rows are counted from 1, as people count them."""
    words = ""
    for step in location:
        words += f"[{step + 1}]" if isinstance(step, int) else f".{step}"
    return words.lstrip(".") or "file"


@cache
def texts() -> tuple[TextEntry, ...]:
    """Return the texts that auditkit ships, in their order.

    Raises
    ------
    AuditkitError
        When a file is not valid, or two have the same key or place.
    """
    files = [f for f in resources.files("auditkit.report.clauses").iterdir() if f.name.endswith(".toml")]
    read = [read_text(f.read_text(encoding="utf-8"), f.name) for f in sorted(files, key=lambda f: f.name)]
    for what, names in (("key", [t.key for t in read]), ("order", [str(t.order) for t in read])):
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise AuditkitError(f"two clause files have the same {what}: {', '.join(twice)}.")
    return tuple(sorted(read, key=lambda text: text.order))
