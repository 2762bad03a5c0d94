"""The audits that ship with auditkit: copied once by ``auditkit init``, and from then on their user's own.

What was copied is noted beside the copies, so that a later version can tell what it changed from what the user changed.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, NamedTuple

from auditkit import __version__, tasks
from auditkit.errors import AuditkitError
from auditkit.lookup import near
from auditkit.parsed import json_value

NOTE = ".auditkit-init.json"
PACKS = tasks.PACKS
"""Audits beside the general ones, which are copied where no pack is named."""
_ABOUT = (
    "Written by `auditkit init`: what was copied. `auditkit init --diff` compares with it; keep it with the audits."
)


class Note(NamedTuple):
    """What was copied.

    Attributes
    ----------
    version : str
        Of auditkit.
    pack : str
        As in `shipped_folder`.
    texts : dict of str to str
        By name of the file.
    """

    version: str
    pack: str
    texts: dict[str, str]


def shipped_folder(pack: str = "") -> Path:
    """Return where the shipped audits and their protocol are: in the installed package, or in the checkout beside it.

    Parameters
    ----------
    pack : str
        One of `PACKS`; the general audits where it is empty.

    Raises
    ------
    AuditkitError
        When there is no such pack, or when it is in neither place, because the installation is incomplete.
    """
    if pack and pack not in PACKS:
        raise AuditkitError(f"there is no pack {pack!r}.", near(pack, PACKS) or f"There is {', '.join(PACKS)}.")
    here, name = Path(__file__).resolve().parent, f"packs/{pack}" if pack else "audits"
    for folder in (here / name, here.parents[2] / name):
        if (folder / "protocol.toml").is_file():
            return folder
    raise AuditkitError("the audits that ship with auditkit are not in this installation.", "Install auditkit again.")


def shipped(pack: str = "") -> dict[str, str]:
    """Return the shipped files by name, sorted: the protocol and the audits."""
    folder = shipped_folder(pack)
    return {path.name: read(path) for path in sorted([*folder.glob("*.py"), folder / "protocol.toml"])}


def read(path: Path) -> str:
    r"""Return a file's text with ``\n`` as line end, so that a checkout that writes other line ends is no edit.

    Raises
    ------
    AuditkitError
        When it cannot be read or is not UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise AuditkitError(f"{path} cannot be read: {error.strerror or error}.") from None
    except UnicodeDecodeError:
        raise AuditkitError(f"{path} is not UTF-8, as the shipped files are.", "Save it as UTF-8.") from None


def copy(folder: Path, pack: str = "") -> list[Path]:
    """Copy the shipped files into a folder that holds none of them yet.

    Parameters
    ----------
    folder : pathlib.Path
        Made when missing; files of other names in it are left alone.
    pack : str
        As in `shipped_folder`.

    Returns
    -------
    list of pathlib.Path
        What was written, the note among it.

    Raises
    ------
    AuditkitError
        When any of the files is there already (nothing is written then), or when the folder cannot be written.
    """
    files = shipped(pack)
    there = [name for name in (*files, NOTE) if (folder / name).exists()]
    if there:
        raise AuditkitError(
            f"{folder} already has {', '.join(there)}; nothing was written.",
            f"See what a newer auditkit changed with `auditkit init {folder} --diff`, or give another folder.",
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (folder / name).write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise AuditkitError(f"{folder} cannot be written: {error.strerror or error}.", "Give another folder.") from None
    write_note(folder, files, pack)
    return [folder / name for name in (*files, NOTE)]


def write_note(folder: Path, files: dict[str, str], pack: str = "") -> None:
    """Note which texts of which auditkit, and of which pack, a folder's files are to be compared with.

    Raises
    ------
    AuditkitError
        When the note cannot be written.
    """
    note = {
        "about": _ABOUT,
        "auditkit": __version__,
        **({"pack": pack} if pack else {}),
        "files": {name: {"sha256": sha256(text), "text": text} for name, text in files.items()},
    }
    try:
        (folder / NOTE).write_text(
            json.dumps(note, indent=1, ensure_ascii=False) + "\n", encoding="utf-8", newline="\n"
        )
    except OSError as error:
        raise AuditkitError(f"{folder / NOTE} cannot be written: {error.strerror or error}.") from None


def read_note(folder: Path) -> Note:
    """Return what was noted of a folder when it was copied.

    Raises
    ------
    AuditkitError
        When there is no note, or when it is not as it was written.
    """
    path = folder / NOTE
    if not path.is_file():
        raise AuditkitError(
            f"{folder} has no {NOTE}, so it is not known which version its files were copied from.",
            f"`auditkit init NEW-FOLDER` writes today's files with such a note; compare {folder} with them.",
        )
    try:
        note: Any = json_value(read(path))
        texts = {str(name): str(entry["text"]) for name, entry in note["files"].items()}
        intact = all(note["files"][name]["sha256"] == sha256(text) for name, text in texts.items())
        version, pack = str(note["auditkit"]), str(note.get("pack", ""))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise AuditkitError(f"{path} is not a note of `auditkit init` ({type(error).__name__}: {error}).") from None
    if not intact:
        raise AuditkitError(f"{path} was edited: a text in it is not what its SHA-256 says.", "Restore it from git.")
    return Note(version, pack, texts)


def sha256(text: str) -> str:
    """Return the SHA-256 of a text in UTF-8."""
    return hashlib.sha256(text.encode()).hexdigest()
