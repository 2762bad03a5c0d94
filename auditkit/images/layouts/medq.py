"""MedQ-Bench and MedQ-Deg: tables of questions about pictures, which lie in the cells as base64 or in files beside.

An item is a picture with a question and its options. Degraded rows of MedQ-Deg are changed versions of the clean row
with the same source, question, options and answer: the tables have no other key.
"""

from __future__ import annotations

import ast
import base64
import binascii
import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from auditkit.errors import AuditkitError
from auditkit.images import raster
from auditkit.images.columns import ASKED, FILE_NAME, QUESTION, Columns
from auditkit.images.csv_rows import MOST_ROWS
from auditkit.images.files import shown_name
from auditkit.images.item import LeftOut, UnreadableImage
from auditkit.images.layouts import tsv
from auditkit.images.layouts.archive import status_of
from auditkit.images.layouts.layout import SPLIT, Held, Layout, Place
from auditkit.images.levels import check_content
from auditkit.images.manifest import Row, declared_by
from auditkit.images.quiet import guarded
from auditkit.images.scaling import fit
from auditkit.vocabulary import Perturbation

INDEX, ANSWER, SOURCE = "index", "answer", "source"
LETTERS = ASKED[1:]
PICTURES = ("image", "image_a", "image_b")
PATH = "image_path"
KIND, SEVERITY = "degradation_type", "degradation_severity"
_OWN = (INDEX, *PICTURES, PATH, SOURCE, KIND, SEVERITY)
_INDICES = tuple(map(str, range(len(LETTERS))))
_MOST_TEXT = 1 << 20
_SHORTEST = 65  # characters of a picture in base64; less is the index of the row that holds it
_LONGEST_LIST = 4096
_BASE64 = re.compile(rb"[A-Za-z0-9+/=]{%d,}" % _SHORTEST)
_INDEX = re.compile(r"(\d+)\.0+")
_LEVEL = re.compile(r"l?(\d)(?:\.0+)?", re.IGNORECASE)
_SPLIT = re.compile(r"(?:^|[_-])(dev|test|train|val)$")
_CLEAN = frozenset(("", "none", "clean", "no", "original", "good"))
_WORD = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Base64Reader:
    """Reads one picture of a table when called; what `Picture.read` is for cells.

    Attributes
    ----------
    path : str
        The table.
    start, length : int
        Where the picture lies in it, in base64.
    status : tuple of int
        Bytes and modification time (ns) of the table when it was listed.
    max_side, max_pixels : int
        As in `Settings`.
    """

    path: str
    start: int
    length: int
    status: tuple[int, int]
    max_side: int
    max_pixels: int

    def __call__(self) -> NDArray[np.uint8]:
        with guarded(lambda error: f"it cannot be read from its table ({type(error).__name__})"):
            if status_of(Path(self.path)) != self.status:
                raise UnreadableImage("its table has changed since it was listed")
            with Path(self.path).open("rb") as stream:
                stream.seek(self.start)
                data = decoded(stream.read(self.length))
        pixels = fit(raster.decode(data, self.max_pixels), self.max_side)
        check_content(pixels)
        return pixels


@dataclass(frozen=True, slots=True)
class _Source:
    """A picture in a cell: SHA-256 of its file, how to read it, and what its header makes note of."""

    digest: str
    read: Base64Reader
    notes: tuple[str, ...]


@dataclass(slots=True)
class _Table:
    """One table while it is read."""

    place: Place
    columns: tuple[str, ...]
    split: str
    status: tuple[int, int]
    sources: dict[str, tuple[_Source, ...]] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)

    def name(self, index: str) -> str:
        return f"{self.place.name}[{index}]"


def decoded(data: bytes) -> bytes:
    """Return the file that base64 stands for.

    Raises
    ------
    UnreadableImage
        It is damaged or cut off.
    """
    try:
        return base64.b64decode(data.translate(None, b"\r\n \t"), validate=True)
    except binascii.Error:
        raise UnreadableImage("its picture is no base64 that can be read: damaged or cut off") from None


def _is_one(path: Path) -> bool:
    try:
        with path.open("rb") as stream:
            return _fits(tsv.header(stream))
    except OSError:
        return False


def _fits(columns: Sequence[str]) -> bool:
    pictures, asked = {"image", "image_a", PATH}, {QUESTION, ANSWER, "description"}
    return bool(pictures.intersection(columns) and asked.intersection(columns))


def _entries(place: Place) -> Iterator[Held | Row | LeftOut]:
    found = _SPLIT.search(place.path.stem)
    split = found[1] if found else ""
    if not place.wants(split):
        return
    try:
        with place.path.open("rb") as stream:
            columns = tsv.header(stream)
            _check(place, columns)
            table = _Table(place, columns, split, status_of(place.path))
            waiting: list[tuple[Held, str]] = []
            for count, row in enumerate(tsv.rows(stream, len(columns))):
                if count >= MOST_ROWS:
                    raise AuditkitError(f"{shown_name(place.name)} has more than {MOST_ROWS:,} rows.", "Divide it.")
                yield from _row(table, row, waiting)
    except OSError as error:
        raise AuditkitError(
            f"{shown_name(place.name)} cannot be read ({type(error).__name__}).", "Check the file."
        ) from None
    for entry, index in waiting:
        if (sources := table.sources.get(index)) is None:
            reason = f'its picture is that of the row with the index "{shown_name(index)}", and no such row has one'
            yield LeftOut(shown_name(entry.name), reason)
        else:
            yield _with(entry, sources)


def _check(place: Place, columns: Sequence[str]) -> None:
    if not _fits(columns):
        named = ", ".join(map(shown_name, columns[:20])) or "none"
        raise AuditkitError(
            f"{shown_name(place.name)} is no table of MedQ-Bench or MedQ-Deg: it needs the columns question and image "
            f"(or image_path, or image_a and image_b), separated by tabs; its columns are: {named}.",
            "Give a table as its authors publish it, or a manifest (.csv) with pictures in files.",
        )
    seen = Columns(place.name, place.settings.named, _OWN)
    seen.see(columns)
    seen.once(columns)
    seen.check_patients()
    place.unread.update({name: "" if near == FILE_NAME else near for name, near in seen.unread.items()})


def _row(table: _Table, row: tsv.Row, waiting: list[tuple[Held, str]]) -> Iterator[Held | Row | LeftOut]:
    if row.problem:
        yield LeftOut(shown_name(f"{table.place.name} row {row.number}"), row.problem)
        return
    cells = dict(zip(table.columns, row.cells, strict=True))
    name = f"{table.place.name} row {row.number}"
    try:
        said = {column: text for column in table.columns if (text := _text(column, cells, row))}
        if said.get(ANSWER) in _INDICES:  # what the tables may have in place of a letter
            said[ANSWER] = LETTERS[int(said[ANSWER])]
        index = said.get(INDEX, str(row.number))
        name = table.name(index)
        if (first := table.rows.setdefault(index, row.number)) != row.number:
            raise UnreadableImage(f"its index is that of row {first}")
        declared = declared_by(said, shown_name(name), table.place.settings.named)
        if isinstance(declared, LeftOut):
            yield declared
            return
        key, change = _joined(said)
        shared = {"key": "" if change else key, "of": key if change else "", "given": change}
        declared = {**declared, SPLIT: table.split}
        reference, sources = _pictures(table, cells, row)
        if sources or reference:
            kind = table.place.kind
            entry = Held(name, "", _unread, declared, "", kind, **shared)  # type: ignore[arg-type]
            if reference:
                waiting.append((entry, reference))
                return
            table.sources[index] = sources
            yield _with(entry, sources)
        else:
            yield _of_files(table.place, said.get(PATH, ""), declared, shared)
    except UnreadableImage as error:
        yield LeftOut(shown_name(name), str(error))


def _unread() -> NDArray[np.uint8]:
    raise UnreadableImage("it has no picture")


def _with(entry: Held, sources: tuple[_Source, ...]) -> Held | LeftOut:
    first, *others = sources
    if others and entry.given:
        return LeftOut(shown_name(entry.name), "it has two pictures, and a degraded row has one")
    notes = tuple(dict.fromkeys(note for one in sources for note in one.notes))
    second = (others[0].digest, others[0].read) if others else None
    return replace(entry, digest=first.digest, read=first.read, notes=notes, second=second)


def _text(column: str, cells: Mapping[str, tsv.Cell], row: tsv.Row) -> str:
    """Return what a column of words says; empty where it says nothing."""
    cell = cells[column]
    if column in PICTURES:
        return ""
    if cell.end - cell.start > _MOST_TEXT:
        raise UnreadableImage(f'its column "{shown_name(column)}" holds more than {_MOST_TEXT:,} bytes')
    try:
        text = cell.bytes(row.data).decode("utf-8").strip()
    except UnicodeDecodeError:
        raise UnreadableImage(f'its column "{shown_name(column)}" is not UTF-8 text') from None
    if text.casefold() == "nan":  # what pandas writes where nothing is
        return ""
    whole = _INDEX.fullmatch(text) if column in (INDEX, ANSWER) else None
    return whole[1] if whole else text


# --- pictures ---------------------------------------------------------------------------------------------------------


def _pictures(table: _Table, cells: Mapping[str, tsv.Cell], row: tsv.Row) -> tuple[str, tuple[_Source, ...]]:
    """Return the pictures of a row, or the index of the row that has them; both empty where there are none."""
    spans: list[tuple[int, int]] = []
    for column in PICTURES:
        if column not in cells:
            continue
        start, end = cells[column].start, cells[column].end
        head = row.data[start : min(end, start + _SHORTEST)].strip()
        if not head or head.lower() == b"nan":
            continue
        if end - start < _SHORTEST and not head.startswith(b"["):
            return _reference(head), ()
        if head.startswith(b"["):
            found = [one.span() for one in _BASE64.finditer(row.data, start, end)]
        elif head.startswith(b"data:"):
            found = [(row.data.index(b",", start, end) + 1, end)] if b"," in row.data[start:end] else []
        else:
            found = [(start, end)]
        if not found:
            raise UnreadableImage(f'its column "{column}" holds no picture')
        spans += found
    if len(spans) > 2:
        raise UnreadableImage(f"it has {len(spans)} pictures; one or two are read")
    return "", tuple(_source(table, row, start, end) for start, end in spans)


def _reference(head: bytes) -> str:
    text = head.decode("utf-8", "replace")
    return whole[1] if (whole := _INDEX.fullmatch(text)) else text


def _source(table: _Table, row: tsv.Row, start: int, end: int) -> _Source:
    data = decoded(row.data[start:end])
    settings = table.place.settings
    notes = raster.inspect(data, settings.max_pixels)
    read = Base64Reader(
        str(table.place.path), row.start + start, end - start, table.status, settings.max_side, settings.max_pixels
    )
    return _Source(hashlib.sha256(data).hexdigest(), read, notes)


def _of_files(place: Place, text: str, declared: Mapping[str, object], shared: Mapping[str, object]) -> Row:
    """Return a row whose pictures lie in files; a list may be written out: ``['a.png', 'b.png']``."""
    names: object = [text]
    if text.startswith("["):
        try:
            names = ast.literal_eval(text) if len(text) <= _LONGEST_LIST else None
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            names = None
    if not isinstance(names, list) or not all(isinstance(one, str) and one for one in names):
        raise UnreadableImage(f'its column "{PATH}" names no file' if text else "it has no picture")
    if not 1 <= len(names) <= (1 if shared["given"] else 2):
        raise UnreadableImage(f"it has {len(names)} pictures; one or two are read, of a degraded row one")
    folder = place.path.parent.relative_to(place.root).as_posix()
    first, *second = (name if folder == "." else f"{folder}/{name}" for name in names)
    return Row(first, declared, second[0] if second else "", **shared)  # type: ignore[arg-type]


# --- what belongs together --------------------------------------------------------------------------------------------


def _joined(said: Mapping[str, str]) -> tuple[str, Perturbation | None]:
    """Return what a row shares with its degraded versions, and what was done to it; nothing in MedQ-Bench.

    Raises
    ------
    UnreadableImage
        The severity of a degraded row is not understood.
    """
    kind = _WORD.sub("_", said.get(KIND, "").casefold()).strip("_")
    level = _LEVEL.fullmatch(said.get(SEVERITY, ""))
    parts = [said.get(name, "") for name in (SOURCE, *ASKED, ANSWER)]
    digest = hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:16]
    key = f"the row with the same source, question, options and answer, {digest}"
    severity = int(level[1]) if level else None
    if kind in _CLEAN and not severity:
        return key, None
    if severity == 0:
        return key, None
    if kind in _CLEAN or severity is None:
        raise UnreadableImage(f'its "{KIND}" and "{SEVERITY}" do not fit: a degraded row has a kind and 1, 2, L1 or L2')
    return key, Perturbation(f"medq_deg.{kind}", severity)


LAYOUT = Layout("medq", "MedQ-Bench and MedQ-Deg", ".tsv", _is_one, _entries)
