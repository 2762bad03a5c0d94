"""One process at a time asks the model: the holder computes, the others of the same run wait and read."""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from auditkit.ask.store import Store
from auditkit.errors import AuditkitError

_POLL = 0.2  # seconds


@contextmanager
def exclusive(store: Store, uid: str, patience: float = 5.0) -> Iterator[None]:
    """Hold the store for this process.

    Parameters
    ----------
    store : Store
        The store; the lock is a file beside it (in the temporary folder for a database server).
    uid : str
        Id of the run. Processes of one run (pytest-xdist workers) wait for each other without limit.
    patience : float
        Seconds to wait for a holder of another run.

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
    while True:
        try:
            lock.acquire(timeout=_POLL)
            break
        except Timeout:
            who = _holder(holder)
            # Only time under another run's hold counts; between two workers of one run no holder is noted for a moment.
            strange_since = None if who.get("uid") == uid else strange_since or time.monotonic()
            if strange_since is not None and time.monotonic() - strange_since > patience:
                raise AuditkitError(
                    f"store {shown} is in use by another run (process {who.get('pid', 'unknown')}).",
                    "Wait for it to end, or give another store with --audit-store=FILE.",
                ) from None
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
