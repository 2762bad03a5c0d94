"""What identifies the answers of a checkpoint on this machine: its files, the libraries, and how it is asked."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_LIBRARIES = ("torch", "transformers", "tokenizers", "pillow")


def fingerprint_of(path: Path, *parts: str, libraries: Sequence[str] = _LIBRARIES) -> str:
    """Return the SHA-256 (hex) over a checkpoint's files, the versions of the libraries that read it, and more.

    Parameters
    ----------
    path : pathlib.Path
        The checkpoint folder. Files in folders below it count too, under their relative name; what starts with a dot
        does not (``.git``, ``.cache`` of downloads: gigabytes without an effect on any answer).
    *parts : str
        Whatever else can change an answer: dtype, batching, texts. Their order and number count.
    libraries : sequence of str
        Packages whose versions count.
    """
    digest = hashlib.sha256()
    names = {file.relative_to(path): file for file in path.rglob("*") if file.is_file()}
    for name in sorted(names):
        if not any(part.startswith(".") for part in name.parts):
            digest.update(f"{name.as_posix()}:{_sha256(names[name])}\n".encode())
    for package in libraries:
        digest.update(f"{package} {installed(package)}\n".encode())
    for part in parts:
        digest.update(f"{len(part)} {part}\n".encode())
    return digest.hexdigest()


def _sha256(file: Path) -> str:
    # The hub's cache names large files by their SHA-256 and checks it after the download: reading 50 GB again at every
    # start would take a minute. The same weights in a folder of one's own are read, and give the same fingerprint.
    if file.is_symlink() and re.fullmatch("[0-9a-f]{64}", file.resolve().name):
        return file.resolve().name
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def installed(package: str) -> str:
    """Return the version of a package; ``missing`` where it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "missing"
