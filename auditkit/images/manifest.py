"""Manifests: tables (CSV, JSON lines, Parquet) that list images in the column ``file_name``.

The ``metadata.csv``, ``.jsonl`` or ``.parquet`` of a Hugging Face "imagefolder" is such a table as it stands. Rows are
yielded one by one; a row that cannot be used is yielded as a `LeftOut`, so that nothing is lost in silence.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from auditkit.errors import AuditkitError
from auditkit.images.columns import COLUMNS, FILE_NAME, Columns
from auditkit.images.csv_rows import MOST_BYTES, MOST_ROWS, header_of, read_csv, too_long
from auditkit.images.item import LeftOut
from auditkit.version import install_line

SUFFIXES = (".csv", ".jsonl", ".parquet")

_PARQUET_BATCH = 4096
_HEAD = 1 << 20  # characters of a table that are looked at for its columns
BETWEEN = " + "
_LONGEST_LIST = 4096
PICTURES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp", ".dcm", ".dicom")


@dataclass(frozen=True, slots=True)
class Row:
    """One usable row: the file's name, and those of `COLUMNS` and of the protocol's own columns that it fills."""

    name: str
    declared: Mapping[str, object]


class Manifest:
    """The rows of a table, in order.

    Parameters
    ----------
    path : Path
        The table, its format told by the suffix.
    shown : str, optional
        What it is called in messages; its file name by default.
    named : sequence of str
        Columns that the protocol names, read beside `COLUMNS`.

    Attributes
    ----------
    columns : Columns
        What its columns are taken for; complete when all rows have been read.
    """

    def __init__(self, path: Path, shown: str = "", named: Sequence[str] = ()) -> None:
        self.path = path
        self.shown = shown or path.name
        self.named = tuple(named)
        self.columns = Columns(self.shown, named)

    def __iter__(self) -> Iterator[Row | LeftOut]:
        """Yield every row, or what is wrong with it.

        Raises
        ------
        AuditkitError
            The table as a whole cannot be used: no ``file_name`` column, a column that is nearly called as one that is
            read, not UTF-8, not Parquet, pyarrow missing.
        """
        path = self.path
        read = {".csv": self._csv, ".jsonl": self._jsonl, ".parquet": self._parquet}[path.suffix.casefold()]
        try:
            if path.stat().st_size > MOST_BYTES:
                raise too_long(self.shown)
            yield from read()
        except UnicodeDecodeError as error:
            raise AuditkitError(
                f"{self.shown} is not UTF-8 text (byte {error.start} cannot be decoded).",
                "Save it with the encoding UTF-8.",
            ) from None
        except OSError as error:
            raise AuditkitError(f"{self.shown} cannot be read ({type(error).__name__}).", "Check the file.") from None

    def _csv(self) -> Iterator[Row | LeftOut]:
        columns: Sequence[str] = ()

        def is_row(cells: Sequence[str]) -> bool:
            return self._names_a_file(cells[columns.index(FILE_NAME)].strip())

        lines = read_csv(self.path, FILE_NAME, is_row)
        columns = next(lines).cells
        self.columns.see(columns)
        self.columns.once(columns)
        self.columns.check()
        for line in lines:
            label = f"{self.shown} row {line.number}"
            if line.problem:
                yield LeftOut(label, line.problem)
            else:
                yield _row(dict(zip(columns, line.cells, strict=True)), label, self.named)

    def _names_a_file(self, name: str) -> bool:
        try:
            return bool(name) and (name.casefold().endswith(PICTURES) or (self.path.parent / name).is_file())
        except (OSError, ValueError):
            return False

    def _jsonl(self) -> Iterator[Row | LeftOut]:
        with self.path.open(encoding="utf-8-sig") as stream:
            for number, line in enumerate(stream, start=1):
                if number > MOST_ROWS:
                    raise too_long(self.shown)
                if not line.strip():
                    continue
                label = f"{self.shown} line {number}"
                try:
                    entry = json.loads(line, object_pairs_hook=partial(_once, (*COLUMNS, *self.named)))
                except _TwiceError as error:
                    yield LeftOut(label, f'the line gives "{error}" more than once')
                    continue
                except (ValueError, RecursionError):
                    yield LeftOut(label, "the line is not valid JSON")
                    continue
                if not isinstance(entry, dict):
                    yield LeftOut(label, "the line is not a JSON object")
                    continue
                self.columns.see(entry)
                yield _row(entry, label, self.named)
        self.columns.check()

    def _parquet(self) -> Iterator[Row | LeftOut]:
        path = self.path
        try:
            import pyarrow
            from pyarrow import parquet
        except ImportError:
            raise AuditkitError(
                f"{self.shown} is a Parquet table, and pyarrow is not installed.",
                f"Install it with: {install_line('parquet')}",
            ) from None
        try:
            with parquet.ParquetFile(path) as table:
                if table.metadata.num_rows > MOST_ROWS:
                    raise too_long(self.shown)
                columns = list(table.schema_arrow.names)
                self.columns.see(columns)
                self.columns.once(columns)
                self.columns.check()
                wanted = [column for column in columns if column in COLUMNS or column in self.named]
                number = 0
                for batch in table.iter_batches(batch_size=_PARQUET_BATCH, columns=wanted):
                    for entry in batch.to_pylist():
                        number += 1
                        yield _row(entry, f"{self.shown} row {number}", self.named)
        except (pyarrow.ArrowException, OSError) as error:
            raise AuditkitError(
                f"{self.shown} cannot be read as Parquet ({type(error).__name__}).",
                "Write the table again, or give a CSV.",
            ) from None


def first_columns(path: Path) -> Sequence[str] | None:
    """Return the columns that the beginning of a table names; empty without any, None where it cannot be told."""
    if not path.is_file():  # a pipe would never end
        return []
    try:
        if path.suffix.casefold() == ".parquet":
            from pyarrow import parquet

            return list(parquet.read_schema(path).names)
        with path.open(encoding="utf-8-sig", errors="replace", newline="") as stream:
            head = stream.read(_HEAD)
    except ImportError:
        return None
    except Exception:  # pyarrow raises errors of many kinds; who reads the table says which
        return None
    if "\0" in head or "\N{REPLACEMENT CHARACTER}" in head:  # another encoding, or no text
        return None
    lines = head.splitlines(keepends=True)
    if path.suffix.casefold() == ".csv":
        return header_of(lines, FILE_NAME).columns
    try:
        entry = json.loads(next((line for line in lines if line.strip()), "{}"))
    except (ValueError, RecursionError):
        return []
    return list(entry) if isinstance(entry, dict) else []


class _TwiceError(ValueError):
    """A key of an object that is there more than once: which of its values holds is not known."""


def _once(columns: Sequence[str], pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    entry: dict[str, Any] = {}
    for key, value in pairs:
        if key in entry and key in columns:
            raise _TwiceError(key)
        entry[key] = value
    return entry


def _row(entry: Mapping[str, Any], label: str, named: Sequence[str]) -> Row | LeftOut:
    name = entry.get(FILE_NAME)
    if not isinstance(name, str) or not name.strip():
        return LeftOut(label, f'"{FILE_NAME}" is empty' if name in (None, "") else f'"{FILE_NAME}" is not a text')
    declared = declared_by(entry, label, named)
    return declared if isinstance(declared, LeftOut) else Row(name.strip(), declared)


def declared_by(entry: Mapping[str, Any], label: str, named: Sequence[str] = ()) -> dict[str, object] | LeftOut:
    """Return what a row says under the names of `COLUMNS` and of the protocol's, or why it cannot be used.

    `label` is what it is called.
    """
    wanted = dict.fromkeys((*COLUMNS[1:], *named))
    declared = {key: entry[key] for key in wanted if key != FILE_NAME and entry.get(key) is not None}
    if "label" in declared:
        declared["label"] = _labels(declared["label"])
    for key, value in declared.items():
        if isinstance(value, (list, tuple)) and len(value) == 1:
            declared[key] = value[0]
    if nested := [key for key, value in declared.items() if isinstance(value, (dict, list, tuple, bytes))]:
        return LeftOut(label, f'"{nested[0]}" is not a single value')
    return declared


def _labels(value: object) -> object:
    """Return several labels as one text, the same in whatever order they are listed.

    A list may also be written out: ``['mass', 'nodule']``.
    """
    if isinstance(value, str) and value.strip()[:1] == "[" and len(value) <= _LONGEST_LIST:
        try:
            value = ast.literal_eval(value.strip())
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            return value
    if not isinstance(value, (list, tuple)) or not all(isinstance(v, (str, int, float)) for v in value):
        return value
    return BETWEEN.join(sorted({text for v in value if (text := str(v).strip())}))
