"""Reading a record that a run wrote."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from auditkit.errors import AuditkitError
from auditkit.evidence.whole import Evidence

_GIVE = "Give the evidence.json that a run wrote (reports/<model>/latest/evidence.json)."


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
        When it cannot be read or is no evidence of this auditkit.
    """
    path = path / "evidence.json" if path.is_dir() else path
    named = f"{option}={path}" if option else str(path)
    try:
        raw = path.read_bytes()
        return Evidence.from_json(raw.decode("utf-8")), raw
    except OSError as error:
        raise AuditkitError(f"{named} cannot be read: {error.strerror or error}.", _GIVE) from None
    except UnicodeDecodeError:
        raise AuditkitError(f"{named} is no evidence of this auditkit: it is not text.", _GIVE) from None
    except ValidationError as error:
        first, more = error.errors()[0], error.error_count() - 1
        where = ".".join(map(str, first["loc"]))
        why = f"{where}: {first['msg']}" if where else first["msg"]
        others = f" (and {more} more)" if more else ""
        raise AuditkitError(f"{named} is no evidence of this auditkit: {why}{others}.", _GIVE) from None
