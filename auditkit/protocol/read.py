"""The protocol as a file: read from TOML, and every fault named with its key, the value seen and what is allowed."""

from __future__ import annotations

import difflib
import tomllib
from pathlib import Path
from typing import Any, get_args

from pydantic import ValidationError

from auditkit.errors import AuditkitError
from auditkit.protocol.model import (
    Baseline,
    FamilyBase,
    Images,
    IntendedUse,
    Looks,
    Profile,
    Prompts,
    Protocol,
    Section,
    Statistics,
)


def load_protocol(path: Path, profile: str | None = None, looks: int | None = None) -> Protocol:
    """Read and validate a protocol.

    Parameters
    ----------
    path : pathlib.Path
        TOML file.
    profile : str, optional
        Profile to use instead of the file's own choice.
    looks : int, optional
        Number of looks instead of the file's own; part of the hash like all the rest.

    Raises
    ------
    AuditkitError
        When the file is missing, is not TOML, or holds an unknown key or a value that is not allowed.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")  # some editors on Windows put a mark in front
    except FileNotFoundError:
        raise AuditkitError(f"protocol {path} does not exist.", "Give one with --audit-protocol=FILE.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise AuditkitError(f"protocol {path} cannot be read: {error}.") from None
    return read_protocol(text, str(path), profile, looks)


def read_protocol(text: str, path: str, profile: str | None = None, looks: int | None = None) -> Protocol:
    """Validate the text of a protocol, as `load_protocol` does; `path` is for the messages."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise AuditkitError(f"protocol {path} is not valid TOML: {error}.") from None
    if profile is not None:
        raw["profile"] = profile
    if looks is not None:
        raw["looks"] = {**raw.get("looks", {}), "number": looks}
    try:
        protocol = Protocol.model_validate(raw)
    except ValidationError as error:
        raise AuditkitError(f"protocol {path} is not valid:\n" + "\n".join(_explain(error, raw))) from None
    _check_templates(protocol, path)
    protocol._source = text
    return protocol


def _check_templates(protocol: Protocol, path: str) -> None:
    from auditkit import tasks

    scoring = {name: t for name, t in tasks.templates().items() if all(o.score is not None for o in t.options)}
    wanted = protocol.prompts.score
    if wanted not in scoring:
        near = difflib.get_close_matches(wanted, scoring, n=1)
        problem = "unknown template" if wanted not in tasks.templates() else "answers have no score under the template"
        raise AuditkitError(
            f"protocol {path} is not valid:\n  prompts.score: {problem} {wanted!r}; allowed: {', '.join(scoring)}"
            + (f"; did you mean {near[0]!r}?" if near else "")
        )


def _explain(error: ValidationError, raw: dict[str, Any]) -> list[str]:
    """One line per fault: key, value seen, what is allowed."""
    lines = []
    for fault in error.errors():
        # Pydantic puts the chosen member of a union into the location; it is no key of the file.
        keys = [str(k) for i, k in enumerate(fault["loc"]) if not (i == 2 and fault["loc"][0] == "families")]
        where = ".".join(keys) or "protocol"
        if fault["type"] == "extra_forbidden":
            allowed = _allowed_keys(fault["loc"])
            near = difflib.get_close_matches(keys[-1], allowed, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            lines.append(f"  {where}: unknown key; allowed: {', '.join(allowed)}{hint}")
        elif fault["type"] == "missing":
            lines.append(f"  {where}: missing")
        elif fault["type"] == "union_tag_invalid":
            context = fault.get("ctx", {})
            lines.append(
                f"  {where}.gate: {context.get('tag')!r} is not a gate; allowed: {context.get('expected_tags')}"
            )
        elif fault["type"] == "union_tag_not_found":
            lines.append(f"  {where}.gate: missing; it says which criterion the family uses")
        elif fault["type"] == "value_error":
            lines.append(f"  {where}: {fault['msg'].removeprefix('Value error, ')}")
        else:
            lines.append(f"  {where}: {fault['msg']} (value seen: {repr(fault['input'])[:80]})")
    return lines


def _allowed_keys(location: tuple[int | str, ...]) -> list[str]:
    sections: dict[str, type[Section]] = {
        "images": Images,
        "prompts": Prompts,
        "statistics": Statistics,
        "looks": Looks,
        "baseline": Baseline,
        "intended_use": IntendedUse,
        "profiles": Profile,
    }
    if len(location) == 1:
        return sorted(Protocol.model_fields)
    if location[0] == "families":
        for family in FamilyBase.__subclasses__():
            if len(location) > 2 and location[2] in get_args(family.model_fields["gate"].annotation):
                return sorted(family.model_fields)
    section = sections.get(str(location[0]))
    return sorted(section.model_fields) if section else []
