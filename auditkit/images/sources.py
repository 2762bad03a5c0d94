"""Where images come from: one function that turns ``--audit-data`` into an `ImageSet`."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from auditkit.errors import AuditkitError
from auditkit.images import demo, dicom, layouts, manifest
from auditkit.images.files import (
    NO_FILE,
    Settings,
    assembled,
    content_key,
    described,
    file_digest,
    inside,
    shown_name,
    with_unit,
)
from auditkit.images.folder import Folder
from auditkit.images.identity import Identity, units_of
from auditkit.images.item import ImageSet, Item, LeftOut, UnreadableImage
from auditkit.images.layouts import Held
from auditkit.images.layouts.opened import no_such_layout, opened
from auditkit.images.strata import coarsened, known
from auditkit.masked import masked_url

DEMO = "demo"
_ACCEPTED = (
    "Accepted: demo, a folder of images or DICOM files, a manifest (.csv, .jsonl, .parquet) with a column "
    f'"file_name", or a public layout ({", ".join(one.label for one in layouts.LAYOUTS)}).'
)
_REASONS_SHOWN = 3


def load_images(
    source: str,
    *,
    salt: str,
    max_side: int = 256,
    max_pixels: int = 100_000_000,
    columns: Sequence[str] = (),
    strata: Sequence[str] = (),
) -> ImageSet:
    """List the images of a source; no pixel is decoded until a record's `read` is called.

    Parameters
    ----------
    source : str
        ``"demo"``, a folder (searched recursively; hidden files are skipped, links to files followed only within it
        and links to folders listed as left out; with metadata tables as Hugging Face's), or a manifest.
    salt : str
        Goes into every identifier, so that none can be looked up.
    max_side : int
        Longest side of the pixels that are read; images are made smaller where needed, never larger.
    max_pixels : int
        Files whose header declares more pixels are left out.
    columns, strata : sequence of str
        What the protocol names beside the columns that are always read (`Settings`).

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
    settings = Settings(salt, max_side, max_pixels, tuple(columns), tuple(strata))
    if source == DEMO:
        return demo.load_demo(settings)
    named = masked_url(source) if "://" in source else source
    if not source.strip():  # a path of nothing would mean the current folder
        raise AuditkitError("The data source is empty.", _ACCEPTED)
    try:
        path = Path(source).expanduser()
        is_folder, is_file = path.is_dir(), path.is_file()
    except (OSError, ValueError, RuntimeError):
        is_folder = is_file = False
        path = Path()
    public = opened(source, settings)
    if public is not None:
        return replace(_gather(source, public.root, public.entries(), settings, public.kind), unread=public.unread)
    if is_folder:
        listing = Folder(path.resolve(), settings.named)
        kind = "imagefolder" if listing.tables else "folder"
        return replace(_gather(source, path.resolve(), iter(listing), settings, kind), unread=listing.unread)
    if is_file and path.suffix.casefold() in manifest.SUFFIXES:
        table = path.parent.resolve() / path.name  # of a link the link's own name, whose suffix tells what it is
        listed = manifest.Manifest(table, named=settings.named)
        return replace(_gather(source, table.parent, iter(listed), settings, "manifest"), unread=listed.columns.unread)
    if is_file:
        raise AuditkitError(f'The data source "{named}" is a single file and no manifest.', _ACCEPTED)
    if (wrong := no_such_layout(source)) is not None:
        raise wrong
    foreign = ' "\\" separates no folders on this system: write "/".' if "\\" in source and os.sep != "\\" else ""
    raise AuditkitError(f'The data source "{named}" does not exist.{foreign}', f"--audit-data=SOURCE. {_ACCEPTED}")


def _gather(
    source: str, root: Path, entries: Iterator[manifest.Row | Held | LeftOut], settings: Settings, kind: str
) -> ImageSet:
    found: list[tuple[Item, Identity]] = []
    left_out: list[LeftOut] = []
    first_with: dict[bytes, manifest.Row | Held] = {}
    first_of: dict[str, Held] = {}
    seen: dict[str, bytes | str] = {}  # by name: its digest, or why it cannot be used; no file is read twice
    for entry in entries:
        if isinstance(entry, LeftOut):
            left_out.append(entry)
            continue
        try:
            if isinstance(entry, Held):
                found.append(_held(entry, first_with, first_of, settings))
                continue
            path = inside(root, entry.name)
            name = path.relative_to(root).as_posix()
            before = seen.get(name)
            if isinstance(before, str):
                raise UnreadableImage(before)
            if before is not None:
                raise UnreadableImage(_again(first_with[before], name, entry.declared))
            try:
                digest = file_digest(path)
                # A copy under a second name or a second row would count as a second patient: evidence out of nothing.
                key = bytes.fromhex(digest[0])
                if key in first_with:
                    seen[name] = key
                    raise UnreadableImage(_again(first_with[key], name, entry.declared))
                found.append(described(root, name, digest, settings, source=kind, declared=entry.declared))
            except UnreadableImage as error:
                seen.setdefault(name, str(error) + (_nearly(root, entry.name) if str(error) == NO_FILE else ""))
                raise
            seen[name] = key
            # Only what is used has copies: the same bytes under another name may be readable.
            first_with[key] = manifest.Row(name, entry.declared)
        except UnreadableImage as error:
            reason = str(error)
            if reason == NO_FILE:
                reason += _nearly(root, entry.name)
            left_out.append(LeftOut(shown_name(entry.name), reason))
    if not found:
        raise _nothing_readable(source, left_out)
    units = units_of([identity for _, identity in found])
    records = coarsened([with_unit(record, unit) for (record, _), unit in zip(found, units, strict=True)])
    records.sort(key=lambda record: record.id)
    return ImageSet(source=source, records=tuple(records), left_out=tuple(left_out))


def _held(
    entry: Held, first_with: dict[bytes, manifest.Row | Held], first_of: dict[str, Held], settings: Settings
) -> tuple[Item, Identity]:
    """Describe a picture that is no file of its own.

    Raises
    ------
    UnreadableImage
        It is a copy of another (a severity at which nothing changed is none); or a version of a picture with another
        label, so that the two are not of one picture.
    """
    known_as = first_of.setdefault(entry.unit, entry)
    if known_as.declared.get("label") != entry.declared.get("label"):
        raise UnreadableImage(f"its label is another than that of {known_as.name}, the same row: not of one picture")
    first = first_with.setdefault(bytes.fromhex(entry.digest), entry)
    version = isinstance(first, Held) and first.unit == entry.unit and first.declared != entry.declared
    if first is not entry and not version:
        raise UnreadableImage(_again(first, entry.name, entry.declared))
    content = content_key(entry.digest, settings.max_side)
    facts = dicom.Facts(notes=entry.notes)
    return assembled(
        entry.name,
        facts,
        entry.declared,
        settings,
        source=entry.source,
        content=content,
        read=entry.read,
        unit=entry.unit,
    )


def _again(first: manifest.Row | Held, name: str, declared: Mapping[str, object]) -> str:
    """Say of which entry another is the repetition, and whether the two say different things about it."""
    reason = "it is listed twice" if first.name == name else f"it is a copy of {shown_name(first.name)}"
    keys = sorted({*first.declared, *declared})
    others = [key for key in keys if known(first.declared.get(key)) != known(declared.get(key))]
    return f"{reason}, and the two rows differ in {', '.join(others)}: the first is used" if others else reason


def _nearly(root: Path, name: str) -> str:
    """Name the file that differs from a missing one in case or in how its letters are composed only."""

    def folded(text: str) -> str:
        return unicodedata.normalize("NFKC", text).casefold()

    own = Path(name).name
    try:
        names = [path.name for path in (root / name).parent.iterdir() if path.name != own]
    except (OSError, ValueError):
        return ""
    near = sorted(other for other in names if folded(other) == folded(own))
    return f"; there is {shown_name(near[0])}" if near else ""


def _nothing_readable(source: str, left_out: list[LeftOut]) -> AuditkitError:
    if not left_out:
        return AuditkitError(f'The data source "{source}" is empty: it names no files.', _ACCEPTED)
    shown = "; ".join(f"{item.name}: {item.reason}" for item in left_out[:_REASONS_SHOWN])
    more = f"; and {len(left_out) - _REASONS_SHOWN} more" if len(left_out) > _REASONS_SHOWN else ""
    return AuditkitError(
        f'The data source "{source}" holds no readable image among {len(left_out)} entries ({shown}{more}).', _ACCEPTED
    )
