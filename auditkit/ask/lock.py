"""One process at a time asks the model: the holder computes, the others of the same run wait and read."""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from auditkit.ask.store import Store
from auditkit.errors import AuditkitError

_POLL = 0.2  # seconds
_SILENT = 2.0
"""Seconds of waiting that need no word."""


@contextmanager
def exclusive(
    store: Store, uid: str, patience: float = 5.0, on_wait: Callable[[str], None] = lambda said: None
) -> Iterator[None]:
    """Hold the store for this process.

    Parameters
    ----------
    store : Store
        The store; the lock is a file beside it (in the temporary folder for a database server).
    uid : str
        Id of the run. Processes of one run (pytest-xdist workers) wait for each other without limit.
    patience : float
        Seconds to wait for a holder of another run.
    on_wait : callable
        Told once who is waited for, where that takes longer than a few seconds.

    Raises
    ------
    AuditkitError
        When another run holds the store for longer than that.
    """
    base = store.path or Path(tempfile.gettempdir()) / f"auditkit-{store.place[:16]}"
    shown = store.path or store.url
    lock = FileLock(f"{base}.lock")
    holder = Path(f"{base}.holder")
    strange_since: float | None = None
    told = False
    while True:
        try:
            lock.acquire(timeout=_POLL)
            break
        except Timeout:
            who = _holder(holder)
            # Only time under another run's hold counts; between two workers of one run no holder is noted for a moment.
            strange_since = None if who.get("uid") == uid else strange_since or time.monotonic()
            if strange_since is None:
                continue
            waited, busy = (
                time.monotonic() - strange_since,
                f"in use by another run (process {who.get('pid', 'unknown')})",
            )
            if waited > patience:
                raise AuditkitError(
                    f"store {shown} is {busy}, which had not ended after {patience:g} s.",
                    "Wait longer with --audit-wait=SECONDS, or give another store with --audit-store=FILE.",
                ) from None
            if waited > _SILENT and not told:
                told = True
                on_wait(f"auditkit: store {shown} is {busy}; waiting up to {patience:g} s for it to end.")
        except OSError as error:
            raise AuditkitError(
                f"store {shown} cannot be locked: {error.strerror or error}.",
                "Give a place that may be written with --audit-store=FILE.",
            ) from None
    try:
        with suppress(OSError):  # it only helps others to say who holds the lock; a full disk must not stop us here
            holder.write_text(json.dumps({"uid": uid, "pid": os.getpid()}), encoding="utf-8")
        yield
    finally:
        with suppress(OSError):
            holder.unlink(missing_ok=True)
        lock.release()


def _holder(path: Path) -> dict[str, object]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return found if isinstance(found, dict) else {}
    except (OSError, ValueError):
        return {}
