"""The command of a run as it may stand in its record: no password, no folder of the user's machine, no user name."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path, PurePosixPath, PureWindowsPath

from auditkit.masked import MASK, masked_text, masked_url

_USER = re.compile(r"(?<![\w@])[^\s/@:=]*:\S+@(?=[\w.-])")
_WINDOWS = re.compile(r"[A-Za-z]:[\\/]|\\\\")
_GLUED = re.compile(r"(-[A-Za-z])([/~].*)", re.DOTALL)  # -c/etc/pytest.ini
_INSIDE_A_WORD = re.compile(r"(?<![\w.:/\\~-])(?:~[\w.-]*)?/(?:[^/\s:,;=\"']+/)*([^/\s:,;=\"']*)")


def command_line(words: Iterable[str], root: Path) -> str:
    """Return a command as one line: paths below `root` relative to it, of all others the last part only.

    Parameters
    ----------
    words : iterable of str
        The arguments.
    root : Path
        The project's folder, which the command is repeated in.
    """
    return " ".join(masked_text(_clean(word, root)) for word in words)


def _clean(word: str, root: Path) -> str:
    """Clean what stands after each ``=`` and before each ``::`` by itself."""
    name, equals, value = word.partition("=")
    if equals and "/" not in name and "\\" not in name:
        return f"{name}={_clean(value, root)}"
    scheme, slashes, rest = word.partition("://")  # first, because a password may hold "::"
    if slashes and scheme.replace("+", "").isalnum():
        return _clean_url(scheme, rest, root)
    path, colons, test = word.partition("::")
    if colons:
        return f"{_clean(path, root)}::{test}"
    return _clean_path(word, root)


def _clean_url(scheme: str, rest: str, root: Path) -> str:
    """A store's URL may hold a user and a password, or a file of this machine (``sqlite:////home/...``)."""
    if scheme == "file" or scheme.startswith("sqlite"):
        if rest[:1] not in ("", "/"):  # an authority: the passphrase of an encrypted file
            return f"{scheme}://{MASK}"
        path, mark, _ = rest.partition("?")
        slash = "/" if rest.startswith("/") else ""
        shown = _clean_path(path.removeprefix("/") if scheme != "file" else path, root)
        return f"{scheme}://{slash}{shown}" + f"?{MASK}" * bool(mark)
    return masked_url(f"{scheme}://{rest}")


def _clean_path(word: str, root: Path) -> str:
    if _WINDOWS.match(word) and os.name != "nt":
        return PureWindowsPath(word).name
    absolute = word.startswith(("/", "~")) or Path(word).is_absolute()
    if absolute or ".." in PurePosixPath(word.replace("\\", "/")).parts:
        return _within(Path(word), root) or Path(word).name
    if glued := _GLUED.fullmatch(word):
        return glued[1] + _clean_path(glued[2], root)
    word = _USER.sub(f"{MASK}@", word)
    for mark in (",", ":", ";"):  # lists of paths
        if mark in word:
            return mark.join(_clean_path(part, root) for part in word.split(mark))
    return _INSIDE_A_WORD.sub(lambda found: found[1], word)


def _within(path: Path, root: Path) -> str:
    """Return a path relative to the root, or nothing where it does not lie in it."""
    try:
        return (root / path.expanduser()).resolve().relative_to(root.resolve()).as_posix()
    except (ValueError, OSError, RuntimeError):
        return ""
