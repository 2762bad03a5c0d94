"""Tables of tab-separated values whose cells may be whole picture files: one line in memory at a time.

``csv`` has one limit for the length of a cell, for the whole process, and tells no places. Here a row knows where each
of its cells lies in the file, so that a picture can be read later without keeping it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

MOST_LINE = 1 << 26
"""Bytes of a row that is read: a picture of 48 MB in base64."""
MOST_LINES = 1000
"""Lines that one row may take, by line breaks within quotation marks."""
_CHUNK = 1 << 20
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Cell:
    """Where a cell lies in its row: without the quotation marks, if it has some."""

    start: int
    end: int
    quoted: bool

    def bytes(self, row: bytes) -> bytes:
        """Return what it says."""
        data = row[self.start : self.end]
        return data.replace(b'""', b'"') if self.quoted else data


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its line from 1, where it begins in the file, its bytes and cells; or what is wrong with it."""

    number: int
    start: int = 0
    data: bytes = b""
    cells: tuple[Cell, ...] = ()
    problem: str = ""


def header(stream: BinaryIO) -> tuple[str, ...]:
    """Return the columns that the first line names, and leave the stream behind it; empty where it names none."""
    line = stream.readline(_CHUNK)
    if not line.endswith((b"\n", b"\r")) and len(line) == _CHUNK:
        return ()
    line = line.removeprefix(_BOM).rstrip(b"\r\n")
    cells = cells_of(line) or ()
    try:
        return tuple(cell.bytes(line).decode("utf-8").strip() for cell in cells)
    except UnicodeDecodeError:
        return ()


def rows(stream: BinaryIO, columns: int) -> Iterator[Row]:
    """Yield every row after the header; lines without any character are none.

    A row that cannot be read costs itself and none after it: a quotation mark that is never closed does not swallow
    lines that are rows by themselves.

    Parameters
    ----------
    stream : binary file
        Behind the header.
    columns : int
        How many cells a row has.
    """
    number = 1
    while True:
        start = stream.tell()
        line = stream.readline(MOST_LINE)
        if not line:
            return
        number += 1
        if not line.strip():
            continue
        if _is_cut(line):
            _skip(stream)
            yield Row(number, problem=f"the row takes more than {MOST_LINE:,} bytes")
            continue
        first, behind = number, stream.tell()
        cells = cells_of(line.rstrip(b"\r\n"))
        more = 0
        while cells is None and more < MOST_LINES:
            further = stream.readline(MOST_LINE)
            if not further or len(line) + len(further) > MOST_LINE or _is_row(further, columns):
                break
            line += further
            more += 1
            cells = cells_of(line.rstrip(b"\r\n"))
        if cells is None or (more and len(cells) != columns):
            stream.seek(behind)
            yield Row(first, problem="the row opens a quotation mark that it does not close")
            continue
        number += more
        if len(cells) != columns:
            yield Row(first, problem=f"the row has {len(cells)} fields, the header {columns}")
        else:
            yield Row(first, start, line, cells)


def cells_of(row: bytes) -> tuple[Cell, ...] | None:
    """Return the cells of a row; None where a quotation mark that begins a cell is not closed.

    Examples
    --------
    >>> row = b'1\\t"Is it ""sharp""?"\\t5" high'
    >>> [cell.bytes(row) for cell in cells_of(row)]
    [b'1', b'Is it "sharp"?', b'5" high']
    """
    found = []
    at = 0
    while True:
        if row.startswith(b'"', at):
            end = _closing(row, at + 1)
            if end < 0:
                return None
            found.append(Cell(at + 1, end, quoted=True))
            at = end + 1
        else:
            end = row.find(b"\t", at)
            end = len(row) if end < 0 else end
            found.append(Cell(at, end, quoted=False))
            at = end
        if at >= len(row):
            return tuple(found)
        at += 1


def _closing(row: bytes, at: int) -> int:
    """Return where the quotation mark is that ends a cell: behind it the cell or the row is over."""
    while (at := row.find(b'"', at)) >= 0:
        behind = row[at + 1 : at + 2]
        if behind in (b"", b"\t"):
            return at
        at += 2 if behind == b'"' else 1
    return -1


def _is_row(line: bytes, columns: int) -> bool:
    """Tell whether a line is a row by itself: none of its cells looks like the end of one that began above."""
    line = line.rstrip(b"\r\n")
    cells = cells_of(line)
    if cells is None or len(cells) != columns:
        return False
    parts = [(cell.quoted, line[cell.start : cell.end]) for cell in cells]
    return not any(b'"' in part.replace(b'""', b"") if quoted else part.endswith(b'"') for quoted, part in parts)


def _is_cut(line: bytes) -> bool:
    return len(line) >= MOST_LINE and not line.endswith(b"\n")


def _skip(stream: BinaryIO) -> None:
    """Go to the end of the line."""
    while (piece := stream.readline(_CHUNK)) and not piece.endswith(b"\n"):
        pass
