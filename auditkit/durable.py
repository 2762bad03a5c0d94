"""Files that are whole or not there: written beside, forced to the disk, and put in place in one step."""

from __future__ import annotations

import os
import re
import secrets
import time
from contextlib import suppress
from pathlib import Path

_SETTLED = 60.0  # seconds
_PART = re.compile(r"\.auditkit-(\d+)-[0-9a-f]{8}\.part")


def part_name() -> str:
    """Return a name for a file that is about to be put in place; short, however long the name of the file itself."""
    return f".auditkit-{os.getpid()}-{secrets.token_hex(4)}.part"


def write(path: Path, content: str | bytes) -> None:
    """Put a file in place of what was there, once it is complete and on the disk.

    A reader never sees half a file, and neither does one after a power cut. What a killed process left beside is
    removed by the next one that writes into the folder.

    Parameters
    ----------
    path : pathlib.Path
        The file; its folder must be there.
    content : str or bytes
        A text is written in UTF-8, with the line ends that it has.

    Raises
    ------
    OSError
        When it cannot be written; nothing is left beside.
    """
    data = content.encode() if isinstance(content, str) else content
    _remove_left(path.parent)
    part = path.with_name(part_name())
    try:
        # Not through a link that somebody else put there.
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(path)
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
    _force(path.parent)


def _force(folder: Path) -> None:
    """Force the names in a folder to the disk; systems that cannot open folders do it by themselves."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _remove_left(folder: Path) -> None:
    """Remove what processes that are gone have left."""
    with suppress(OSError):
        for path in folder.iterdir():
            found = _PART.fullmatch(path.name)
            # The age, because a process of another machine or container has a number of its own.
            if found and not _runs(int(found[1])) and time.time() - path.stat().st_mtime > _SETTLED:
                path.unlink(missing_ok=True)


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        return True
    return True
