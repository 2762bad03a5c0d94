"""Where images come from: one function that turns ``--audit-data`` into an `ImageSet`."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from auditkit.errors import AuditkitError
from auditkit.images import demo, manifest
from auditkit.images.files import Settings, file_digest, inside, record_of, shown_name
from auditkit.images.record import ImageRecord, ImageSet, LeftOut, UnreadableImage

DEMO = "demo"
_ACCEPTED = (
    "Accepted today: demo, a folder of images or DICOM files, or a manifest (.csv, .jsonl, .parquet) with a column "
    '"file_name".'
)
# Two letters and more before the colon, so that a Windows drive is no layout.
_LAYOUT = re.compile(r"[A-Za-z][\w.-]+:.*", re.DOTALL)
_REASONS_SHOWN = 3


def load_images(source: str, *, salt: str, max_side: int = 256, max_pixels: int = 100_000_000) -> ImageSet:
    """List the images of a source; no pixel is decoded until a record's `read` is called.

    Parameters
    ----------
    source : str
        ``"demo"``, a folder (searched recursively; hidden files are skipped and links followed only within it), or a
        manifest.
    salt : str
        Goes into every identifier, so that none can be looked up.
    max_side : int
        Longest side of the pixels that are read; images are made smaller where needed, never larger.
    max_pixels : int
        Files whose header declares more pixels are left out.

    Returns
    -------
    ImageSet
        Records sorted by id; what could not be used, each with its reason.

    Raises
    ------
    AuditkitError
        The source as a whole cannot be used. A single bad file never raises: it is in `ImageSet.left_out`.
    """
    if max_side < 1 or max_pixels < 1:
        raise AuditkitError(
            f"max_side and max_pixels must be at least 1; they are {max_side} and {max_pixels}.",
            "Leave them out for 256 and 100,000,000.",
        )
    settings = Settings(salt, max_side, max_pixels)
    if source == DEMO:
        return demo.load_demo(settings)
    if not source.strip():  # a path of nothing would mean the current folder
        raise AuditkitError("The data source is empty.", _ACCEPTED)
    try:
        path = Path(source).expanduser()
        is_folder, is_file = path.is_dir(), path.is_file()
    except (OSError, ValueError, RuntimeError):
        is_folder = is_file = False
        path = Path()
    if is_folder:
        return _gather(source, path.resolve(), _folder_entries(path.resolve()), settings, "folder")
    if is_file and path.suffix.casefold() in manifest.SUFFIXES:
        table = path.resolve()
        return _gather(source, table.parent, manifest.rows(table), settings, "manifest")
    if is_file:
        raise AuditkitError(f'The data source "{source}" is a single file and not a manifest.', _ACCEPTED)
    if _LAYOUT.fullmatch(source):
        raise AuditkitError(f'Layouts of public benchmarks ("{source}") cannot be read yet.', _ACCEPTED)
    foreign = ' "\\" separates no folders on this system: write "/".' if "\\" in source and os.sep != "\\" else ""
    raise AuditkitError(f'The data source "{source}" does not exist.{foreign}', f"--audit-data SOURCE. {_ACCEPTED}")


def _folder_entries(root: Path) -> Iterator[manifest.Row | LeftOut]:
    def unreadable(error: OSError) -> None:
        failures.append(error)

    failures: list[OSError] = []
    for folder, subfolders, names in os.walk(root, onerror=unreadable, followlinks=False):
        subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
        relative = Path(folder).relative_to(root)
        for error in failures:
            shown = Path(str(error.filename)).name
            yield LeftOut(
                shown_name((relative / shown).as_posix()), f"the folder cannot be read ({type(error).__name__})"
            )
        failures.clear()
        for name in sorted(names):
            if not name.startswith("."):
                yield manifest.Row((relative / name).as_posix(), {})
    for error in failures:
        yield LeftOut(shown_name(Path(str(error.filename)).name), f"the folder cannot be read ({type(error).__name__})")


def _gather(
    source: str, root: Path, entries: Iterator[manifest.Row | LeftOut], settings: Settings, kind: str
) -> ImageSet:
    records: list[ImageRecord] = []
    left_out: list[LeftOut] = []
    first_with: dict[bytes, str] = {}
    for entry in entries:
        if isinstance(entry, LeftOut):
            left_out.append(entry)
            continue
        try:
            path = inside(root, entry.name)
            name = path.relative_to(root).as_posix()
            digest = file_digest(path)
            # A copy under a second name or a second row would count as a second patient: evidence out of nothing.
            key = bytes.fromhex(digest[0])
            if key in first_with:
                again = first_with[key] == name
                raise UnreadableImage(
                    "it is listed twice" if again else f"it is a copy of {shown_name(first_with[key])}"
                )
            first_with[key] = name
            records.append(record_of(root, name, digest, settings, source=kind, declared=entry.declared))
        except UnreadableImage as error:
            reason = str(error)
            if kind == "folder" and Path(entry.name).suffix.casefold() in manifest.SUFFIXES:
                reason = "it is a table, not an image; to use it as a manifest, give it as --audit-data itself"
            left_out.append(LeftOut(shown_name(entry.name), reason))
    if not records:
        raise _nothing_readable(source, left_out)
    records.sort(key=lambda record: record.id)
    return ImageSet(source=source, records=tuple(records), left_out=tuple(left_out))


def _nothing_readable(source: str, left_out: list[LeftOut]) -> AuditkitError:
    if not left_out:
        return AuditkitError(f'The data source "{source}" is empty: it names no files.', _ACCEPTED)
    shown = "; ".join(f"{item.name}: {item.reason}" for item in left_out[:_REASONS_SHOWN])
    more = f"; and {len(left_out) - _REASONS_SHOWN} more" if len(left_out) > _REASONS_SHOWN else ""
    return AuditkitError(
        f'The data source "{source}" holds no readable image among {len(left_out)} entries ({shown}{more}).', _ACCEPTED
    )
