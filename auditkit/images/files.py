"""One image file: from a path to an `Item`, and from the record back to pixels.

Listing reads headers and hashes bytes; it decodes nothing. What a listing holds per file is a few short strings.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from auditkit.images import dicom, raster
from auditkit.images.columns import ASKED, COLUMNS
from auditkit.images.identity import Identity, Unit, units_of
from auditkit.images.item import UNKNOWN, Item, Picture, UnreadableImage, salted_hash
from auditkit.images.levels import check_content
from auditkit.images.scaling import Box, fit
from auditkit.images.strata import (
    attributes_of,
    identifier,
    known,
    modality_of,
    modality_of_folder,
    not_understood,
    written,
)
from auditkit.masked import shown

# Part of every record's `content`. Raise it with any change that alters a pixel: stored answers to the old pixels are
# then not taken for answers to the new ones.
VERSION = "2"

NO_FILE = "there is no such file"
LICENCE = "licence"
"""Under this name a layout or the table of the demo declares the licence of an image."""
_HEAD = 132
_LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class Settings:
    """How a data set is read.

    Attributes
    ----------
    salt : str
        Of its identifiers.
    max_side, max_pixels : int
        The longest side of its images, and the largest that are decoded.
    columns : tuple of str
        What the protocol's tasks need to know of every item: it is kept word for word (`Item.columns`).
    strata : tuple of str
        Columns whose levels the protocol compares or chooses items by, beside those that every item may have.
    without_picture : bool
        Whether something is asked that takes no picture, so that rows of tables need none.
    """

    salt: str
    max_side: int = 256
    max_pixels: int = 100_000_000
    columns: tuple[str, ...] = ()
    strata: tuple[str, ...] = ()
    without_picture: bool = False

    @property
    def named(self) -> tuple[str, ...]:
        """All columns that the protocol names."""
        return tuple(dict.fromkeys((*self.columns, *self.strata)))


@dataclass(frozen=True, slots=True)
class FileReader:
    """Reads one file's pixels when called; what `Picture.read` is for files.

    Attributes
    ----------
    folder, name : str
        The data's root (shared between records) and the file's path below it.
    is_dicom : bool
        Which decoder.
    max_side, max_pixels : int
        As in `Settings`.
    size, modified : int
        Bytes and modification time (ns) when the file was listed: the record's `content` speaks of that file.
    crop : tuple of int or None
        Left, top, right, bottom in native pixels.
    """

    folder: str
    name: str
    is_dicom: bool
    max_side: int
    max_pixels: int
    size: int
    modified: int
    crop: Box | None = None

    def __call__(self) -> NDArray[np.uint8]:
        path = Path(self.folder, self.name)
        try:
            now = path.stat()
        except OSError as error:
            raise UnreadableImage(f"it can no longer be opened ({type(error).__name__})") from None
        if (now.st_size, now.st_mtime_ns) != (self.size, self.modified):
            raise UnreadableImage("it has changed since it was listed")
        decode = dicom.decode if self.is_dicom else raster.decode
        pixels = fit(decode(path, self.max_pixels), self.max_side, self.crop)
        check_content(pixels)
        return pixels


def inside(root: Path, name: str) -> Path:
    """Return the path of `name` below `root`, refusing every way out of it.

    Parameters
    ----------
    root : Path
        The data's folder, resolved.
    name : str
        A relative file name out of a manifest or a listing.

    Raises
    ------
    UnreadableImage
        An absolute name, one with ``..``, a link that leads out, a name that no file can have.
    """
    relative = Path(name)
    if relative.is_absolute() or name[:1] in ("/", "\\") or name[1:3] in (":\\", ":/"):
        raise UnreadableImage("its name is absolute; names must be relative to the data's folder")
    if ".." in name.replace("\\", "/").split("/"):
        raise UnreadableImage('its name leads out of the data\'s folder ("..")')
    try:
        target = (root / relative).resolve()
    except (OSError, ValueError, RuntimeError):
        raise UnreadableImage("no file can have this name") from None
    if not target.is_relative_to(root):
        raise UnreadableImage("it is a link that leads out of the data's folder")
    return root / relative


def shown_name(name: str) -> str:
    """Return a file name that is safe to print: control characters and stray bytes escaped, its length bounded."""
    return shown(name, _LONGEST_NAME)


def file_digest(path: Path) -> tuple[str, bytes, os.stat_result]:
    """Return the SHA-256 of a regular file's bytes, its first bytes, and its status.

    Raises
    ------
    UnreadableImage
        Missing, empty, no regular file (a pipe would never end), or not permitted.
    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise UnreadableImage("it is a folder" if stat.S_ISDIR(status.st_mode) else "it is not a regular file")
        if status.st_size == 0:
            raise UnreadableImage("it is empty (zero bytes)")
        with path.open("rb") as stream:
            head = stream.read(_HEAD)
            stream.seek(0)
            return hashlib.file_digest(stream, "sha256").hexdigest(), head, status
    except UnreadableImage:
        raise
    except FileNotFoundError:
        if "\\" in path.name:  # a letter like others on this system
            raise UnreadableImage(f'{NO_FILE}; "\\" separates no folders here: write "/"') from None
        raise UnreadableImage(NO_FILE) from None
    except (OSError, ValueError) as error:
        raise UnreadableImage(f"it cannot be opened ({type(error).__name__})") from None


def content_key(digest: str, max_side: int, crop: Box | None = None) -> str:
    """Return the SHA-256 of all that the pixels depend on: the file's bytes, this reader's version, its settings."""
    parts = ("auditkit.images.file", VERSION, digest, str(max_side), "" if crop is None else ",".join(map(str, crop)))
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def record_of(
    root: Path,
    name: str,
    digest: tuple[str, bytes, os.stat_result],
    settings: Settings,
    *,
    source: str,
    declared: Mapping[str, object] | None = None,
    crop: Box | None = None,
) -> Item:
    """Describe one file by itself, as `described` does."""
    record, identity = described(root, name, digest, settings, source=source, declared=declared, crop=crop)
    return with_unit(record, units_of([identity])[0])


def described(
    root: Path,
    name: str,
    digest: tuple[str, bytes, os.stat_result],
    settings: Settings,
    *,
    source: str,
    declared: Mapping[str, object] | None = None,
    crop: Box | None = None,
) -> tuple[Item, Identity]:
    """Describe one file without decoding its pixels.

    Parameters
    ----------
    root : Path
        The data's folder, resolved.
    name : str
        The file's name below it, with ``/`` between folders.
    digest : tuple
        What `file_digest` returned for it.
    settings : Settings
        How the data set is read.
    source : str
        `Item.source`.
    declared : mapping, optional
        What a manifest says: ``patient_id``, ``study_id``, ``modality``, ``licence`` and the strata. It outranks the
        file's header.
    crop : tuple of int, optional
        Left, top, right, bottom in native pixels.

    Returns
    -------
    record : Item
        Without a cluster, which the other files of the data have a say in.
    identity : Identity
        What is said about whose image it is.

    Raises
    ------
    UnreadableImage
        With the reason in words.
    """
    facts, picture = opened(root, name, digest, settings, crop)
    return assembled(name, facts, declared or {}, settings, source=source, pictures=(picture,))


def opened(
    root: Path,
    name: str,
    digest: tuple[str, bytes, os.stat_result],
    settings: Settings,
    crop: Box | None = None,
) -> tuple[dicom.Facts, Picture]:
    """Return what a file's header says and its picture, as `described` does."""
    sha, head, status = digest
    path = root / name
    is_dicom = dicom.looks_like_dicom(path, head)
    if is_dicom:
        facts = dicom.inspect(path, settings.max_pixels)
    else:
        facts = dicom.Facts(notes=raster.inspect(path, settings.max_pixels))
    read = FileReader(
        folder=str(root),
        name=name,
        is_dicom=is_dicom,
        max_side=settings.max_side,
        max_pixels=settings.max_pixels,
        size=status.st_size,
        modified=status.st_mtime_ns,
        crop=crop,
    )
    return facts, Picture(content_key(sha, settings.max_side, crop), read)


def assembled(
    name: str,
    facts: dicom.Facts,
    declared: Mapping[str, object],
    settings: Settings,
    *,
    source: str,
    pictures: tuple[Picture, ...],
    unit: str = "",
    apart: Sequence[str] = (),
) -> tuple[Item, Identity]:
    """Join what a header and a table say of one item, as `described` does; `declared` outranks `facts`.

    Parameters
    ----------
    name : str
        What the source calls the picture.
    facts : Facts
        What its header says.
    declared : mapping
        What a table says: the columns of manifests, ``licence``, and whatever else a layout knows.
    settings : Settings
        How the data set is read.
    source, pictures
        As in `Item`.
    unit : str
        What it counts as where nothing tells the patient; the picture itself where empty.
    apart : sequence of str
        What tells it from other items whose picture has the same name.
    """
    stated = known(declared.get("modality"))
    modality = modality_of(stated) or facts.modality or modality_of_folder(name) or "other"
    notes = facts.notes
    if stated and modality_of(stated) is None:
        notes += ("the manifest's modality is not one that auditkit knows",)
    institution = known(facts.strata.get("institution"))
    sex = known(declared.get("sex")) or facts.strata.get("sex")
    age = known(declared.get("age")) or facts.strata.get("age")
    attributes = attributes_of(
        {key: value for key, value in declared.items() if _is_stratum(key, settings)},
        sex=sex,
        age=age,
        # an institution's name can name a place of treatment: it stays a stratum, without its name
        site=known(declared.get("site"))
        or (f"site-{salted_hash(settings.salt, 'site', institution)[:8]}" if institution else None),
        manufacturer=known(declared.get("manufacturer")) or facts.strata.get("manufacturer"),
        label=declared.get("label"),
    )
    strata = {**attributes, "modality": modality}
    columns = {
        key: text for key in settings.columns if (text := written(declared.get(key)) or _stratum(strata.get(key)))
    }
    record = Item(
        id=salted_hash(settings.salt, "image", name, *apart),
        cluster="",
        modality=modality,
        pictures=pictures,
        synthetic=False,
        source=source,
        name=shown_name(name),
        licence=known(declared.get(LICENCE)) or UNKNOWN,
        attributes=attributes,
        columns=columns,
        notes=notes + not_understood(sex, age),
        identifiable=facts.identifiable,
        declared_by=facts.declared_by,
    )
    known_sex = attributes["sex"] if attributes["sex"] != UNKNOWN else None
    return record, _identity(unit or name, facts, declared, known_sex, settings.salt)


def _is_stratum(key: str, settings: Settings) -> bool:
    """Whether something that a table says is a level to compare: what a layout knows, or the protocol names as such."""
    if key in COLUMNS or key == LICENCE:
        return False
    return key in settings.strata or (key not in settings.columns and key not in ASKED)


def _stratum(level: str | None) -> str:
    return "" if level is None or level == UNKNOWN else level


def _identity(name: str, facts: dicom.Facts, declared: Mapping[str, object], sex: str | None, salt: str) -> Identity:
    """Return what is said about whose image it is, hashed."""

    def hashed(kind: str, value: object) -> str | None:
        text = identifier(value)
        return None if text is None else salted_hash(salt, kind, text)

    declared_id, header_id = hashed("patient", declared.get("patient_id")), hashed("patient", facts.patient)
    written = declared.get("patient_id") if declared_id else facts.patient
    return Identity(
        file=salted_hash(salt, "file", name),
        declared=declared_id,
        header=header_id,
        study=hashed("study", declared.get("study_id")) or hashed("study", facts.study),
        series=hashed("series", facts.series),
        spelling=salted_hash(salt, "spelling", str(written)) if declared_id or header_id else None,
        sex=sex,
        birth=hashed("birth", facts.birth),
    )


def with_unit(record: Item, unit: Unit) -> Item:
    """Return a record that counts as the unit says."""
    return replace(record, cluster=unit.cluster, unit=unit.kind, notes=record.notes + unit.notes)
