"""The protocol as a file: read from TOML, and every fault named with its key, the value seen and what is allowed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from auditkit.errors import AuditkitError
from auditkit.lookup import near
from auditkit.parsed import ParseError, toml
from auditkit.protocol.extensions import NONE, Extensions, as_recorded, with_extensions
from auditkit.protocol.model import VERBS, Family, Protocol

_BEFORE = {
    "equivalence": "within = {margin}",
    "template_equivalence": "within = {margin}",
    "not_raised": "at_most = {margin}",
    "monotone": "at_most = {tolerance}",
    "sensitivity": "at_least = {floor}",
    "discrimination": "at_least = {floor}",
    "rate": "at_most = {cap}",
    "rate_difference": "at_most = {margin}",
    "agreement": "at_most = {cap}",
}
"""How the limit of a family was written in the first protocols, and how it is written now."""


def load_protocol(
    path: Path, profile: str | None = None, looks: int | None = None, extensions: Extensions = NONE
) -> Protocol:
    """Read and validate a protocol.

    Parameters
    ----------
    path : pathlib.Path
        TOML file.
    profile : str, optional
        Profile to use instead of the file's own choice.
    looks : int, optional
        Number of looks instead of the file's own; part of the hash like all the rest.
    extensions : Extensions
        What installed plugins add to the catalogues.

    Raises
    ------
    AuditkitError
        When the file is missing, is not TOML, or holds an unknown key or a value that is not allowed.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")  # some editors on Windows put a mark in front
    except FileNotFoundError:
        raise AuditkitError(f"protocol {path} does not exist.", "Give one with --audit-protocol=FILE.") from None
    except UnicodeDecodeError:
        raise AuditkitError(
            f"protocol {path} is no text file in UTF-8.", "Give a protocol.toml with --audit-protocol=FILE."
        ) from None
    except OSError as error:
        raise AuditkitError(f"protocol {path} cannot be read: {error.strerror or error}.") from None
    return read_protocol(text, str(path), profile, looks, extensions)


def read_protocol(
    text: str, path: str, profile: str | None = None, looks: int | None = None, extensions: Extensions = NONE
) -> Protocol:
    """Validate the text of a protocol, as `load_protocol` does.

    ``path`` is for the messages, and its folder is where the files lie that the protocol names.
    """
    try:
        raw = toml(text)
    except ParseError as error:
        raise AuditkitError(f"protocol {path} is not valid TOML: {error}.") from None
    protocol = _validated(raw, path, profile, looks, Path(path).parent, extensions)
    protocol._source = text
    return protocol


def _validated(
    raw: dict[str, Any],
    path: str,
    profile: str | None,
    looks: int | None,
    folder: Path,
    extensions: Extensions,
) -> Protocol:
    if profile is not None:
        raw["profile"] = profile
    if looks is not None:
        raw["looks"] = {**raw.get("looks", {}), "number": looks}
    try:
        raw = with_extensions(raw, folder, extensions)
        protocol = Protocol.model_validate(raw)
    except ValidationError as error:
        raise AuditkitError(f"protocol {path} is not valid:\n" + "\n".join(_explain(error, raw))) from None
    except AuditkitError as error:
        raise AuditkitError(f"protocol {path} is not valid:\n  {error.problem}", error.remedy) from None
    _check_catalogue(protocol, path)
    return protocol


def read_recorded(text: str, profile: str, looks: int | None, criteria: dict[str, Any]) -> Protocol:
    """Read the text of a protocol from a record: what it refers to outside of it is taken from the recorded criteria.

    Raises
    ------
    AuditkitError
        As `read_protocol`.
    """
    try:
        raw = toml(text)
    except ParseError as error:
        raise AuditkitError(f"the protocol in the record is not valid TOML: {error}.") from None
    return _validated(as_recorded(raw, criteria), "in the record", profile, looks, Path(), NONE)


def _check_catalogue(protocol: Protocol, path: str) -> None:
    """Build the catalogue and the hash once, so that what cannot be read is refused before anything is asked."""
    try:
        catalogue = protocol.catalogue
        scoring = {
            f"{task.id}.{wording}"
            for task in catalogue.tasks.values()
            for wording in task.wordings
            if task.asks and task.scorer.quantities
        }
        wanted = protocol.prompts.score
        if wanted not in scoring:
            known = {f"{task.id}.{wording}" for task in catalogue.tasks.values() for wording in task.wordings}
            problem = "answers have no score under the wording" if wanted in known else "unknown wording"
            raise AuditkitError(
                f"prompts.score: {problem} {wanted!r}; allowed: {', '.join(sorted(scoring))}.", near(wanted, scoring)
            )
        protocol.sha256()
    except AuditkitError as error:
        raise AuditkitError(f"protocol {path} is not valid:\n  {error.problem}", error.remedy) from None


def _explain(error: ValidationError, raw: dict[str, Any]) -> list[str]:
    """One line per fault: key, value seen, what is allowed."""
    lines = []
    before = {name for name, family in _tables(raw.get("families")).items() if "gate" in _tables(family)}
    for fault in error.errors():
        keys = [str(key) for key in fault["loc"]]
        if keys[:1] == ["families"] and keys[1:2] and keys[1] in before and keys[2:] != ["gate"]:
            continue  # the line about gate says how to write all of the family
        where = ".".join(keys) or "protocol"
        if keys[:1] == ["families"] and keys[2:] == ["gate"]:
            lines.append(f"  {where}: a family has a limit instead; write")
            lines += [f"    {line}" for line in (f"[families.{keys[1]}]", *_rewritten(raw["families"][keys[1]]))]
        elif fault["type"] == "extra_forbidden":
            allowed = _allowed_keys(fault["loc"])
            lines.append(f"  {where}: unknown key; allowed: {', '.join(allowed)}. {near(keys[-1], allowed)}".rstrip())
        elif fault["type"] == "missing":
            lines.append(f"  {where}: missing")
        elif fault["type"] == "value_error":
            lines.append(f"  {where}: {fault['msg'].removeprefix('Value error, ')}")
        else:
            lines.append(f"  {where}: {fault['msg']} (value seen: {repr(fault['input'])[:80]})")
    return lines


def _tables(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _rewritten(family: dict[str, Any]) -> list[str]:
    """Return the lines to write instead of ``gate = ...`` and what went with it."""
    line = _BEFORE.get(str(family.get("gate")))
    if line is None:
        return [" or ".join(f"{verb} = ..." for verb in VERBS)]
    try:
        lines = [line.format(**family)]
    except KeyError:
        lines = [line.partition("=")[0] + "= ..."]
    if "modality_margin" in family:
        lines.append(f"in_each = {family['modality_margin']}")
    if family["gate"] == "equivalence":
        tail = family.get("tail_points", 25.0), family.get("tail_share", 0.1)
        lines.append("tail = {{ beyond = {}, share = {} }}".format(*tail))
    if "severities" in family:
        required = ", ".join(f'"severity {severity}"' for severity in family["severities"])
        lines.append(f"required = [{required}]")
    lines += [f"{key} = {json.dumps(family[key])}" for key in ("size", "hazard") if key in family]
    return lines


def _allowed_keys(location: tuple[int | str, ...]) -> list[str]:
    """Return the keys of the table that a fault lies in, read off the models themselves."""
    model: type[BaseModel] = Protocol
    for key in location[:-1]:
        if model is Protocol and key == "families":
            model = Family
            continue
        field = model.model_fields.get(str(key))
        inner = [] if field is None else [field.annotation, *getattr(field.annotation, "__args__", ())]
        model = next((m for m in inner if isinstance(m, type) and issubclass(m, BaseModel)), model)
    return sorted(model.model_fields)
