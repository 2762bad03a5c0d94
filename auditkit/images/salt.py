"""The salt of identifiers: a secret of the user, or of this folder."""

from __future__ import annotations

import os
import secrets
import time
from pathlib import Path

from auditkit.errors import AuditkitError

SALT_FILE = ".auditkit/salt"
DEMO_SALT = "auditkit-demo"
_PATIENCE = 2.0  # seconds for another worker to write the salt file it has just made


def salt_for(source: str, root: Path) -> str:
    """Return the salt of identifiers: from AUDITKIT_SALT, else a secret file made on first use.

    The demo's images are public, so their salt is too and their ids are the same everywhere.
    """
    if source == "demo":
        return DEMO_SALT
    given = os.environ.get("AUDITKIT_SALT")
    if given:
        return given
    path = root / SALT_FILE
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as stream:
            stream.write(secrets.token_hex(16))
    except FileExistsError:
        pass  # made before, or just now by another worker of this run
    except OSError as error:
        raise AuditkitError(
            f"the salt file {path} cannot be written: {error.strerror or error}.",
            "Set AUDITKIT_SALT to a secret of your own, or run from a folder that may be written.",
        ) from None
    salt = _read_salt(path)
    if not salt:
        raise AuditkitError(f"the salt file {path} is empty.", f"Remove it (rm {path}) or set AUDITKIT_SALT.")
    return salt


def _read_salt(path: Path) -> str:
    """Return the file's content; an empty file is given a moment, because its maker may be about to write."""
    until = time.monotonic() + _PATIENCE
    try:
        while not (salt := path.read_text(encoding="utf-8").strip()) and time.monotonic() < until:
            time.sleep(0.02)
    except (OSError, UnicodeDecodeError) as error:
        raise AuditkitError(f"the salt file {path} cannot be read: {error}.", "Set AUDITKIT_SALT instead.") from None
    return salt
