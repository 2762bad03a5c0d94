"""The salt of identifiers: a secret of the user, or of this folder."""

from __future__ import annotations

import os
import secrets
import time
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

from auditkit.errors import AuditkitError

PRIVATE = ".auditkit"
"""Folder of the salt and, by default, the store."""
SALT_FILE = f"{PRIVATE}/salt"
DEMO_SALT = "auditkit-demo"
_LENGTH, _KINDS = 16, 6
_PATIENCE = 2.0  # seconds for another worker to write the salt file it has just made


def salt_for(source: str, root: Path) -> str:
    """Return the salt of identifiers: from AUDITKIT_SALT, else a secret file made on first use.

    The demo's images are public, so their salt is too and their ids are the same everywhere.

    Raises
    ------
    AuditkitError
        When it cannot be had, or is too easily guessed.
    """
    if source == "demo":
        return DEMO_SALT
    given = os.environ.get("AUDITKIT_SALT")
    if given:
        return _strong(given, "AUDITKIT_SALT")
    path = root / SALT_FILE
    try:
        make_private(path.parent)
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
    return _strong(salt, f"the salt in {path}")


def make_private(folder: Path) -> None:
    """Make a folder of secrets and answers, which git passes over wherever the project is."""
    folder.mkdir(parents=True, exist_ok=True)
    ignored = folder / ".gitignore"
    with suppress(FileExistsError), ignored.open("x", encoding="utf-8") as stream:
        stream.write("*\n")


def _strong(salt: str, what: str) -> str:
    """Refuse a salt that trying would find: with it, the names behind a record's ids can be looked up."""
    steps = {ord(later) - ord(earlier) for earlier, later in pairwise(salt)}
    repeated = salt in (salt + salt)[1:-1]
    if len(salt) < _LENGTH or min(len(set(salt)), len(steps)) < _KINDS or repeated:
        raise AuditkitError(
            f"{what} is too easily guessed: {len(salt)} characters, {len(set(salt))} different ones"
            f"{', repeated' * repeated}. Who guesses it can look up whose images a record speaks of.",
            "Make one by chance, of 16 characters or more, and keep it: export AUDITKIT_SALT=$(openssl rand -hex 32)",
        )
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
