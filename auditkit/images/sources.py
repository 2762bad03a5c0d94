"""Where images come from: one function that turns ``--audit-data`` into an `ImageSet`."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from auditkit.errors import AuditkitError
from auditkit.images import demo, layouts, manifest
from auditkit.images.files import Settings
from auditkit.images.folder import Folder
from auditkit.images.gather import Gathering
from auditkit.images.item import ImageSet, LeftOut
from auditkit.images.layouts import Held
from auditkit.images.layouts.opened import no_such_layout, opened
from auditkit.images.manifest import Row
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
    without_picture: bool = False,
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
    without_picture : bool
        Whether something is asked that takes no picture: rows of tables that name no file are items then.

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
    settings = Settings(salt, max_side, max_pixels, tuple(columns), tuple(strata), without_picture)
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
        listing = Folder(path.resolve(), settings.named, without_picture=without_picture)
        kind = "imagefolder" if listing.tables else "folder"
        return replace(_gather(source, path.resolve(), iter(listing), settings, kind), unread=listing.unread)
    if is_file and path.suffix.casefold() in manifest.SUFFIXES:
        table = path.parent.resolve() / path.name  # of a link the link's own name, whose suffix tells what it is
        listed = manifest.Manifest(table, named=settings.named, without_picture=without_picture)
        return replace(_gather(source, table.parent, iter(listed), settings, "manifest"), unread=listed.columns.unread)
    if is_file:
        raise AuditkitError(f'The data source "{named}" is a single file and no manifest.', _ACCEPTED)
    if (wrong := no_such_layout(source)) is not None:
        raise wrong
    foreign = ' "\\" separates no folders on this system: write "/".' if "\\" in source and os.sep != "\\" else ""
    raise AuditkitError(f'The data source "{named}" does not exist.{foreign}', f"--audit-data=SOURCE. {_ACCEPTED}")


def _gather(
    source: str, root: Path, entries: Iterator[Row | Held | LeftOut], settings: Settings, kind: str
) -> ImageSet:
    gathering = Gathering(root, settings, kind)
    for entry in entries:
        if isinstance(entry, LeftOut):
            gathering.left_out.append(entry)
        else:
            gathering.take(entry)
    items = gathering.items()
    if not items:
        raise _nothing_readable(source, gathering.left_out)
    return ImageSet(source=source, records=tuple(items), left_out=tuple(gathering.left_out))


def _nothing_readable(source: str, left_out: list[LeftOut]) -> AuditkitError:
    if not left_out:
        return AuditkitError(f'The data source "{source}" is empty: it names no files.', _ACCEPTED)
    shown = "; ".join(f"{item.name}: {item.reason}" for item in left_out[:_REASONS_SHOWN])
    more = f"; and {len(left_out) - _REASONS_SHOWN} more" if len(left_out) > _REASONS_SHOWN else ""
    return AuditkitError(
        f'The data source "{source}" holds no readable image among {len(left_out)} entries ({shown}{more}).', _ACCEPTED
    )
