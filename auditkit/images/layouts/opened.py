"""From what a user typed to the files of a layout: ``PATH``, ``NAME:PATH``, and ``#SPLIT`` after either."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from auditkit.errors import AuditkitError
from auditkit.images.dicom import looks_like_dicom
from auditkit.images.files import Settings, shown_name
from auditkit.images.item import LeftOut, UnreadableImage
from auditkit.images.layouts import LAYOUTS, Held, Layout, Place, archive, layout_of, named, outside, within
from auditkit.images.manifest import PICTURES, Row

_HEAD = 132
_NAMES = ", ".join(f"{one.name}:PATH" for one in LAYOUTS)


@dataclass(slots=True)
class Opened:
    """The files and folders of one or several layouts, in one data set.

    Attributes
    ----------
    root : Path
        The data's folder.
    places : sequence of (Layout, Place)
    unread : dict of str to str
        As `Columns.unread`, complete when all entries have been read.
    split : str
        The only one that is read; all where empty.
    is_folder : bool
        Whether the whole folder is the data set, so that what lies beside is left out of it.
    """

    root: Path
    places: Sequence[tuple[Layout, Place]]
    split: str = ""
    is_folder: bool = False
    unread: dict[str, str] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """What the records call their source."""
        return " + ".join(dict.fromkeys(layout.name for layout, _ in self.places))

    def entries(self) -> Iterator[Held | Row | LeftOut]:
        """Yield every picture, and what lies beside them.

        Raises
        ------
        AuditkitError
            When there is no such split.
        """
        splits: dict[str, None] = {}
        for layout, place in self.places:
            yield from layout.entries(place)
            splits.update(place.splits)
            self.unread.update(place.unread)
        for name in _beside(self.root, {place.path for _, place in self.places}) if self.is_folder else ():
            reason = (
                outside(self.root, self.root / name) or f"it is no part of the data set ({self.kind}) that lies here"
            )
            yield LeftOut(shown_name(name), reason)
        if self.split and self.split not in splits:
            there = ", ".join(shown_name(split) for split in splits if split) or "none"
            raise AuditkitError(
                f'The data has no split "{shown_name(self.split)}"; its splits are: {there}.',
                "Name one of them after #, or leave #SPLIT out for all.",
            )


def parted(source: str) -> tuple[str, Path, str]:
    """Return the layout's name, the path and the split of a source; the first and the last may be empty.

    What exists as it is written is taken as it is written, so a ``#`` or ``:`` may stand in a file's name. The path is
    empty where nothing exists.
    """
    for text, split in ((source, ""), (source.rpartition("#")[0], source.rpartition("#")[2])):
        if text and _exists(text):
            return "", _placed(text), split
        name, colon, path = text.partition(":")
        if colon and named(name) and _exists(path):
            return name, _placed(path), split
    return "", Path(), ""


def opened(source: str, settings: Settings) -> Opened | None:
    """Return the layout that a source is, or None where it is none.

    Raises
    ------
    AuditkitError
        An archive of arrays that is not told to be of a layout, or cannot be read at all; a split of what has none.
    """
    name, path, split = parted(source)
    if path == Path():
        return None
    layout = named(name)
    if layout is not None:
        found = [(layout, each) for each in _all(layout, path)]
        if not found:
            raise AuditkitError(
                f"There is no {layout.label} in {shown_name(path.name)}: it has no {layout.suffix or 'such folder'}.",
                "Give the file or folder that holds it.",
            )
    elif path.is_dir():
        found = list(within(path))
        if any(_may_be_picture(path / other) for other in _beside(path, {each for _, each in found})):
            found = []  # a folder of pictures, in which an archive happens to lie
    else:
        one = layout_of(path)
        found = [(one, path)] if one else []
        if one is None and path.suffix.casefold() == ".npz":
            raise _not_told(path)
    if not found:
        if split:
            raise AuditkitError(
                f"{shown_name(path.name)} is of no layout that has splits, so #{shown_name(split)} names nothing.",
                "Leave it out.",
            )
        return None
    root = path if path.is_dir() else path.parent
    return Opened(
        root,
        [(layout, Place(root, each, layout.name, settings, split)) for layout, each in found],
        split,
        path.is_dir(),
    )


def no_such_layout(source: str) -> AuditkitError | None:
    """Return what is wrong with ``NAME:PATH`` where no layout has the name, or nothing lies at the path."""
    name, colon, path = source.partition(":")
    if not colon or len(name) < 2 or not name.replace("-", "").replace("_", "").isalnum() or path.startswith("//"):
        return None
    if named(name):
        return AuditkitError(f'"{shown_name(path)}" does not exist.', f"--audit-data={name}:PATH[#SPLIT]")
    return AuditkitError(
        f'There is no file of this name, and no layout is called "{shown_name(name)}".', f"Layouts: {_NAMES}."
    )


def _exists(text: str) -> bool:
    try:
        return Path(text).expanduser().exists()
    except (OSError, ValueError, RuntimeError):
        return False


def _placed(text: str) -> Path:
    """Return an absolute path; of a file that is a link the name of the link, which tells what it is."""
    path = Path(text).expanduser()
    return path.resolve() if path.is_dir() else path.parent.resolve() / path.name


def _not_told(path: Path) -> AuditkitError:
    try:
        names = ", ".join(shown_name(name) for name in list(archive.listed(path))[:20]) or "none"
    except UnreadableImage as error:
        return AuditkitError(f"{shown_name(path.name)} cannot be read: {error}.", "Download or write it again.")
    return AuditkitError(
        f"{shown_name(path.name)} holds arrays that, with its name, tell no layout; the arrays are: {names}.",
        f"Name the layout: {_NAMES}. Archives of your own are not read: write pictures and a manifest.",
    )


def _all(layout: Layout, path: Path) -> Iterator[Path]:
    if not path.is_dir():
        if path.suffix.casefold() == layout.suffix:
            yield path
    elif not layout.suffix:
        if layout.is_one(path):
            yield path
    else:
        for name in _files(path):
            if name.casefold().endswith(layout.suffix) and not outside(path, path / name):
                yield path / name


def _files(root: Path) -> Iterator[str]:
    for folder, subfolders, names in os.walk(root, followlinks=False):
        subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
        yield from (
            (Path(folder) / name).relative_to(root).as_posix() for name in sorted(names) if not name.startswith(".")
        )


def _beside(root: Path, own: Collection[Path]) -> Iterator[str]:
    """Yield the files of a folder that are no part of a layout in it; nothing where there is none in it."""
    for name in _files(root) if own else ():
        path = root / name
        if path not in own and not any(parent in own for parent in path.parents):
            yield name


def _may_be_picture(path: Path) -> bool:
    if path.suffix:
        return path.suffix.casefold() in PICTURES
    try:
        with path.open("rb") as stream:
            return looks_like_dicom(path, stream.read(_HEAD))
    except OSError:
        return False
