"""Reading what the commands are given."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from auditkit.errors import AuditkitError

if TYPE_CHECKING:
    from auditkit.evidence import Evidence


def read_evidence(path: Path) -> tuple[Evidence, bytes]:
    """Return a run's record and the bytes of its file.

    Raises
    ------
    AuditkitError
        When it cannot be read or is no evidence of this auditkit.
    """
    from pydantic import ValidationError

    from auditkit.evidence import Evidence

    try:
        raw = path.read_bytes()
        return Evidence.from_json(raw.decode("utf-8")), raw
    except OSError as error:
        raise AuditkitError(f"{path} cannot be read: {error.strerror or error}.") from None
    except (ValidationError, UnicodeDecodeError) as error:
        raise AuditkitError(
            f"{path} is no evidence of this auditkit: {str(error).splitlines()[0]}.",
            "Give the evidence.json that a run wrote (reports/<model>/latest/evidence.json).",
        ) from None
