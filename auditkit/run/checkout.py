"""The checkout that a run is made in: its commit, and whether the code differs from it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

from auditkit.report.ci.gitlab import FILE_NAME
from auditkit.run.settings import REPORTS, Settings

_SECONDS = 10
_WRITTEN = frozenset(("evidence.json", "report.html", "report.pdf", FILE_NAME, "latest", "latest.txt"))
"""What a run leaves in its output folder."""
_CACHES = frozenset(("__pycache__", ".pytest_cache"))
_REASONS = {
    "dubious ownership": "git refuses the checkout because it belongs to another user (see safe.directory)",
    "Needed a single revision": "the checkout has no commit yet",
}

Git = dict[str, str | bool | None]


def checkout(settings: Settings) -> Git:
    """Look at the git checkout that the run is made in, before anything is written into it.

    What runs leave themselves is no change of the code: reports, the store and the salt, the records this run is held
    against, and the caches of Python and pytest.

    Parameters
    ----------
    settings : Settings
        Of the run.

    Returns
    -------
    dict
        ``commit`` and ``dirty``, as far as they are known, and ``reason`` where something is not; empty outside of a
        checkout.
    """
    root = settings.root
    top, why = _ask(root, "rev-parse", "--show-toplevel")
    if top is None:
        return {"reason": why} if why else {}
    commit, why = _ask(root, "rev-parse", "--verify", "HEAD")
    found: Git = {} if commit is None else {"commit": commit}
    reasons = [why]
    status, why = _ask(root, "status", "--porcelain", "--no-renames", "-z", "--untracked-files=all")
    if status is None:
        reasons.append(f"files that git does not know were not looked at: {why}")
        status, why = _ask(root, "status", "--porcelain", "--no-renames", "-z", "--untracked-files=no")
    if status is None:
        reasons.append(f"changes are not known: {why}")
    else:
        own = _Own(settings)
        found["dirty"] = any(not own.wrote(Path(top, name)) for name in _names(status))
    if _ask(root, "rev-parse", "--is-shallow-repository")[0] == "true":
        reasons.append("the checkout is shallow: it does not hold the commits before")
    reason = "; ".join(filter(None, reasons))
    return {**found, "reason": reason} if reason else found


class _Own:
    """Tells what runs with these settings write from all other files."""

    def __init__(self, settings: Settings) -> None:
        self._kept = settings.root.resolve() / ".auditkit"
        store = settings.store
        self._store = "" if store is None or "://" in store else str((settings.root / store).resolve())
        self._outputs = frozenset(path.resolve() for path in settings.outputs)
        self._folders = tuple(_folders(settings))

    def wrote(self, path: Path) -> bool:
        if _CACHES.intersection(path.parts) or path in self._outputs or path.is_relative_to(self._kept):
            return True
        if self._store and str(path).startswith(self._store):  # its log, its lock
            return True
        written = path.name in _WRITTEN or path.name.startswith((".latest-", ".auditkit-"))
        return written and any(path.is_relative_to(folder) for folder in self._folders)


def _folders(settings: Settings) -> Iterator[Path]:
    """Yield where runs leave their records: this one and those that it is held against."""
    yield (settings.out or settings.root / REPORTS).resolve()
    yield (settings.root / REPORTS).resolve()
    for path in settings.references.values():
        yield (path if path.is_dir() else path.parent).resolve()


def _names(status: str) -> Iterator[str]:
    """Yield the paths of `git status --porcelain -z`: two letters, a blank, the path from the top."""
    return (entry[3:] for entry in status.split("\0") if entry)


def _ask(root: Path, *arguments: str) -> tuple[str | None, str]:
    """Return what git says, and else why it says nothing; no reason where there is no checkout."""
    try:
        done = subprocess.run(  # noqa: S603 - fixed arguments
            ["git", "--no-optional-locks", "-C", str(root), *arguments],  # noqa: S607 - git from the PATH is the user's
            capture_output=True,
            encoding="utf-8",
            errors="surrogateescape",
            timeout=_SECONDS,
            check=False,
            env={**os.environ, "LC_ALL": "C"},
        )
    except subprocess.TimeoutExpired:
        return None, f"git gave no answer within {_SECONDS} s"
    except OSError:
        above = (root, *root.parents)
        return None, "git is not installed" if any((folder / ".git").exists() for folder in above) else ""
    if done.returncode == 0:
        return done.stdout.rstrip("\n"), ""
    if "not a git repository" in done.stderr:
        return None, ""
    known = (reason for words, reason in _REASONS.items() if words in done.stderr)
    return None, next(known, f"git ended with code {done.returncode}")
