"""CSV as people and spreadsheets write it: every line of the file ends in a row or in a reason.

A quotation mark that is never closed would make one cell of all the lines after it. So where a quoted cell runs over
lines that are rows by themselves, or never ends, only the line that opened it is given up.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from auditkit.errors import AuditkitError

MOST_ROWS = 1_000_000
"""Lines of a table that is read; the largest public data sets of one modality have some hundred thousand images."""
MOST_BYTES = 1 << 30
DELIMITERS = ",;\t|"
_SEPARATOR = re.compile(r"\s*sep=(.)\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Line:
    """A row of the table, or what is wrong with it.

    Attributes
    ----------
    number : int
        Of the line it begins on, from 1.
    cells : tuple of str
        Empty where there is a problem.
    problem : str
        In words.
    """

    number: int
    cells: tuple[str, ...] = ()
    problem: str = ""


def too_long(name: str) -> AuditkitError:
    """Return what to say of a table with more rows or bytes than are read."""
    return AuditkitError(
        f"{name} has more than {MOST_ROWS:,} rows or {MOST_BYTES:,} bytes.", "Give a table of the images to audit."
    )


@dataclass(frozen=True, slots=True)
class Header:
    """The header: its line (from 1), the stripped cells, the delimiter, and the index of the line after it."""

    number: int
    columns: tuple[str, ...]
    delimiter: str
    end: int


def header_of(lines: Sequence[str], wanted: str) -> Header:
    """Find the header among the lines of a table, of which the first are enough; `wanted` as in `read_csv`."""
    start, delimiter = 0, None
    if lines and (named := _SEPARATOR.fullmatch(lines[0])):
        start, delimiter = 1, named[1]
    while start < len(lines) and not lines[start].strip():
        start += 1
    if delimiter is None:
        delimiter = _delimiter(lines[start] if start < len(lines) else "", wanted)
    cells, used = _record(lines, start, delimiter)
    return Header(start + 1, tuple(cell.strip() for cell in cells or ()), delimiter, start + used)


def read_csv(path: Path, wanted: str, is_row: Callable[[Sequence[str]], bool]) -> Iterator[Line]:
    """Yield the header, then every row; lines without any character between the rows are none.

    Parameters
    ----------
    path : Path
        UTF-8, with or without a byte order mark. A first line ``sep=;`` is understood as spreadsheets do.
    wanted : str
        A column that tells which of the delimiters is used.
    is_row : callable
        Whether cells of the header's number look like a row of their own.
    """
    with path.open(encoding="utf-8-sig", newline="") as stream:
        lines = list(islice(stream, MOST_ROWS + 1))
    if len(lines) > MOST_ROWS:
        raise too_long(path.name)
    header = header_of(lines, wanted)
    columns, delimiter, place = header.columns, header.delimiter, header.end
    yield Line(header.number, columns)
    while place < len(lines):
        if not lines[place].strip():
            place += 1
            continue
        cells, used = _record(lines, place, delimiter)
        if used > 1 and (cells is None or _swallows(lines[place + 1 : place + used], delimiter, len(columns), is_row)):
            yield Line(place + 1, problem="the row opens a quotation mark that it does not close")
            place += 1
            continue
        if cells is None:
            yield Line(place + 1, problem="the row is not valid CSV")
        elif not any(cell.strip() for cell in cells):
            yield Line(place + 1, problem="the row is empty")
        elif len(cells) != len(columns):
            yield Line(place + 1, problem=f"the row has {len(cells)} fields, the header {len(columns)}")
        else:
            yield Line(place + 1, tuple(cells))
        place += used


def _delimiter(header: str, wanted: str) -> str:
    """Spreadsheets of half of Europe write semicolons; the header tells."""
    for delimiter in DELIMITERS:
        try:
            cells = next(csv.reader([header], delimiter=delimiter), [])
        except csv.Error:
            continue
        if wanted in (cell.strip() for cell in cells):
            return delimiter
    return max(DELIMITERS, key=header.count)


def _record(lines: Sequence[str], start: int, delimiter: str) -> tuple[list[str] | None, int]:
    """Return the cells of the row that begins on a line (None: not readable), and how many lines it takes."""
    reader = csv.reader((lines[i] for i in range(start, len(lines))), delimiter=delimiter, strict=True)
    try:
        return next(reader, []), max(reader.line_num, 1)
    except csv.Error:
        return None, max(reader.line_num, 1)


def _swallows(lines: Sequence[str], delimiter: str, columns: int, is_row: Callable[[Sequence[str]], bool]) -> bool:
    """Tell whether lines within a quoted cell are rows by themselves."""
    for line in lines:
        cells, _ = _record([line], 0, delimiter)
        if cells is not None and len(cells) == columns and is_row(cells):
            return True
    return False
