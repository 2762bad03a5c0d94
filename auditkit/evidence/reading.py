"""Reading a record that a run wrote; one of another schema is refused with the same words everywhere."""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import ValidationError
from pydantic_core import from_json

from auditkit.errors import AuditkitError
from auditkit.evidence.possible import impossible, mark_faults
from auditkit.evidence.whole import SCHEMA_VERSION, Evidence

GIVE = "Give the evidence.json that a run wrote (reports/<model>/latest/evidence.json)."


class OtherSchema(AuditkitError):
    """A record that another auditkit wrote, to another schema."""


class Impossible(AuditkitError):
    """A record of this schema with what no record holds."""


def parse_evidence(text: str, named: str) -> Evidence:
    """Return the record that a text holds.

    Parameters
    ----------
    text : str
        The content of an evidence.json.
    named : str
        Where it came from, for the messages.

    Raises
    ------
    OtherSchema
        When its schema version is not this auditkit's.
    Impossible
        When it holds numbers that are none, or goes deeper than any record does.
    pydantic.ValidationError
        When it has this version and does not fit the schema all the same, or is not JSON.
    """
    try:
        evidence = Evidence.from_json(text)
    except ValidationError:
        version = _version(text)
        if version is None or version == SCHEMA_VERSION:
            raise
    else:
        version = evidence.schema_version
        if version == SCHEMA_VERSION:
            try:
                fault = impossible(from_json(text)) or next(mark_faults(evidence.answers), "")
            except (ValueError, RecursionError) as error:  # an integer of thousands of digits
                fault = str(error)
            if fault:
                raise Impossible(f"{named} is not evidence of this auditkit: {fault}.", GIVE)
            return evidence
    raise OtherSchema(
        f"{named} has schema version {version}, and this auditkit reads {SCHEMA_VERSION}.",
        "Use the auditkit that wrote it, or run the audits again with this one.",
    ) from None


def _version(text: str) -> str | None:
    """Return the schema version that a text names; None where it names none."""
    try:
        tree = json.loads(text)
    except (ValueError, RecursionError):
        return None
    version = tree.get("schema_version") if isinstance(tree, dict) else None
    return None if version is None else str(version)[:40]


def read_evidence(path: Path, option: str = "") -> tuple[Evidence, bytes]:
    """Return a run's record and the bytes of its file.

    Parameters
    ----------
    path : pathlib.Path
        The file, or a folder with an evidence.json.
    option : str
        What it was given by, such as ``--audit-baseline``; for the messages.

    Raises
    ------
    AuditkitError
        When it cannot be read or is not evidence of this auditkit.
    """
    path = path / "evidence.json" if path.is_dir() else path
    named = f"{option}={path}" if option else str(path)
    try:
        raw = path.read_bytes()
        return parse_evidence(raw.decode("utf-8"), named), raw
    except OSError as error:
        raise AuditkitError(f"{named} cannot be read: {error.strerror or error}.", GIVE) from None
    except UnicodeDecodeError:
        raise AuditkitError(f"{named} is not evidence of this auditkit: it is not text.", GIVE) from None
    except ValidationError as error:
        first, more = error.errors()[0], error.error_count() - 1
        where = ".".join(map(str, first["loc"]))
        why = f"{where}: {first['msg']}" if where else first["msg"]
        others = f" (and {more} more)" if more else ""
        raise AuditkitError(f"{named} is not evidence of this auditkit: {why}{others}.", GIVE) from None
