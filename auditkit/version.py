"""Which auditkit this is, to the letter of its files: two commits of one version may judge otherwise."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from auditkit import __version__

_SUFFIXES = {".py", ".toml", ".j2", ".css", ".js", ".json"}


@cache
def code_version() -> str:
    """Return the version with 12 hex digits of a SHA-256 over the package's code, templates and wording.

    As ``0.1.0+1f2e3d4c5b6a``; the same for a wheel, a checkout and an editable install of the same files.
    """
    folder = Path(__file__).parent
    digest = hashlib.sha256()
    # The shipped audits are the user's copy, and lie elsewhere in a checkout.
    files = (p for p in folder.rglob("*") if p.suffix in _SUFFIXES and "audits" not in p.relative_to(folder).parts)
    for path in sorted(files, key=lambda p: p.relative_to(folder).as_posix()):
        digest.update(f"{path.relative_to(folder).as_posix()}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return f"{__version__}+{digest.hexdigest()[:12]}"
