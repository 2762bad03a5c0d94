"""What lies in a folder: files by themselves, or, beside a Hugging Face ``metadata`` table, the rows that name them.

The table may lie in any folder (``train/metadata.csv``); for a file the nearest one on the way up to the root holds.
What it does not name is no part of the data set. Another table that names files and patients is refused with the line
to type: unread, it would leave every file a patient of its own.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from auditkit.errors import AuditkitError
from auditkit.images.columns import names_files, names_patients
from auditkit.images.files import inside, shown_name
from auditkit.images.item import LeftOut, UnreadableImage
from auditkit.images.manifest import SUFFIXES, Manifest, Row, first_columns

METADATA = "metadata"

_LINKED = "it is a link to a folder, and such links are not followed: give the folder it leads to as --audit-data"
_ARCHIVE = "it is an archive of arrays, not an image; to read it as a public layout, give it as --audit-data itself"
_TABLE = "it is a table, not an image; to use it as a manifest, give it as --audit-data itself"


class Folder:
    """The entries of a folder: hidden files are skipped, links to folders listed as left out.

    Parameters
    ----------
    root : Path
        The folder, resolved.
    named, without_picture
        As of `Manifest`.

    Attributes
    ----------
    tables : mapping of str to Manifest
        The metadata tables by the folder they lie in, relative to the root (``"."`` for the root itself).
    unread : dict of str to str
        As `Columns.unread`, of all tables; complete when all entries have been read.

    Raises
    ------
    AuditkitError
        A folder with two metadata tables, one that leads out of the root, or a table of files and patients by another
        name.
    """

    def __init__(self, root: Path, named: Sequence[str] = (), *, without_picture: bool = False) -> None:
        self._root = root
        self._named = named
        self._without_picture = without_picture
        self._names: list[str] = []
        self._left_out: list[LeftOut] = []
        self._walk()
        self.tables = self._find_tables()
        self.unread: dict[str, str] = {}

    def __iter__(self) -> Iterator[Row | LeftOut]:
        """Yield every file and every row of the tables, or what is wrong with it."""
        yield from self._left_out
        listed: set[str] = set()
        # The innermost first: of two rows about one file the nearer table's is used.
        for place in sorted(self.tables, key=lambda place: (-place.count("/") - (place != "."), place)):
            table = self.tables[place]
            for entry in table:
                if isinstance(entry, Row) and not entry.words:
                    name, second, of = (_below(place, name) for name in (entry.name, entry.second, entry.of))
                    entry = replace(entry, name=name, second=second, of=of)
                    listed |= {name, second}
                yield entry
            self.unread.update(table.columns.unread)
            listed.add((PurePosixPath(place) / table.path.name).as_posix())
        for name in self._names:
            if name in listed:
                continue
            table_above = self._above(name)
            if _is_table(name):
                yield LeftOut(shown_name(name), _TABLE)
            elif _is_archive(name):
                yield LeftOut(shown_name(name), _ARCHIVE)
            elif table_above is not None:
                yield LeftOut(shown_name(name), f"{table_above.shown} does not list it")
            else:
                yield Row(name, {})

    def _walk(self) -> None:
        failures: list[OSError] = []
        for folder, subfolders, names in os.walk(self._root, onerror=failures.append, followlinks=False):
            subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
            relative = Path(folder).relative_to(self._root)
            self._left_out += [
                LeftOut(shown_name((relative / name).as_posix()), _LINKED)
                for name in subfolders
                if Path(folder, name).is_symlink()
            ]
            self._names += [(relative / name).as_posix() for name in sorted(names) if not name.startswith(".")]
        for error in failures:
            place = Path(str(error.filename))
            shown = place.relative_to(self._root).as_posix() if place.is_relative_to(self._root) else place.name
            self._left_out.append(LeftOut(shown_name(shown), f"the folder cannot be read ({type(error).__name__})"))

    def _find_tables(self) -> Mapping[str, Manifest]:
        found: dict[str, Manifest] = {}
        for name in filter(_is_table, self._names):
            path = self._root / name
            columns = first_columns(path)
            if PurePosixPath(name).stem.casefold() == METADATA:
                if columns is not None and not names_files(columns):
                    continue  # of another kind: downloads from archives have a metadata.csv too
                place = PurePosixPath(name).parent.as_posix()
                if place in found:
                    raise AuditkitError(
                        f"The folder holds {found[place].shown} and {shown_name(name)}, and each lists its images.",
                        "Keep the one that holds.",
                    )
                try:
                    inside(self._root, name)
                except UnreadableImage as error:
                    raise AuditkitError(f"{shown_name(name)} cannot be read: {error}.", "Copy it there.") from None
                found[place] = Manifest(path, shown_name(name), self._named, without_picture=self._without_picture)
            elif columns and names_files(columns) and names_patients(columns):
                raise AuditkitError(
                    f"The folder holds the table {shown_name(name)}, which says whose the images are: unread, every "
                    "file without an id in its header would count as a patient.",
                    f"Give the table: --audit-data={shown_name(str(path))}, or keep it elsewhere.",
                )
        return found

    def _above(self, name: str) -> Manifest | None:
        """Return the table that a file's folder has, or the nearest folder above it."""
        if not self.tables:
            return None
        parents = (parent.as_posix() for parent in PurePosixPath(name).parents)
        return next((self.tables[parent] for parent in parents if parent in self.tables), None)


def _is_table(name: str) -> bool:
    return PurePosixPath(name).suffix.casefold() in SUFFIXES


def _is_archive(name: str) -> bool:
    return PurePosixPath(name).suffix.casefold() == ".npz"


def _below(place: str, name: str) -> str:
    return (PurePosixPath(place) / name).as_posix() if name and _relative(name) else name


def _relative(name: str) -> bool:
    """Whether a name can be put below another folder without losing what is wrong with it."""
    return not (name[:1] in ("/", "\\") or name[1:3] in (":\\", ":/"))
