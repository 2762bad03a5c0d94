"""Manifests: tables (CSV, JSON lines, Parquet) that list images in the column ``file_name``.

A Hugging Face "imagefolder" with its ``metadata.csv``, ``.jsonl`` or ``.parquet`` is such a table as it stands. Rows
are yielded one by one; a row that cannot be used is yielded as a `LeftOut`.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from auditkit.errors import AuditkitError
from auditkit.images.record import LeftOut
from auditkit.vocabulary import ATTRIBUTES

SUFFIXES = (".csv", ".jsonl", ".parquet")
FILE_NAME = "file_name"
COLUMNS = (FILE_NAME, "patient_id", "study_id", "modality", *ATTRIBUTES)

_PARQUET_BATCH = 4096


@dataclass(frozen=True, slots=True)
class Row:
    """One usable row: the file's name and those of `COLUMNS` that it fills."""

    name: str
    declared: Mapping[str, object]


def rows(path: Path) -> Iterator[Row | LeftOut]:
    """Yield the rows of a manifest in order.

    Parameters
    ----------
    path : Path
        The table, its format told by the suffix.

    Raises
    ------
    AuditkitError
        The table as a whole cannot be used: no ``file_name`` column, not UTF-8, not Parquet, pyarrow missing.
    """
    read = {".csv": _csv_rows, ".jsonl": _jsonl_rows, ".parquet": _parquet_rows}[path.suffix.casefold()]
    try:
        yield from read(path)
    except UnicodeDecodeError as error:
        raise AuditkitError(
            f"{path.name} is not UTF-8 text (byte {error.start} cannot be decoded).",
            "Save it with the encoding UTF-8.",
        ) from None
    except OSError as error:
        raise AuditkitError(f"{path.name} cannot be read ({type(error).__name__}).", "Check the file.") from None


def _require_file_name(path: Path, columns: Sequence[str]) -> None:
    if FILE_NAME not in columns:
        seen = ", ".join(column[:40] for column in columns[:20] if column) or "none"
        raise AuditkitError(
            f'{path.name} has no column "{FILE_NAME}"; its columns are: {seen}.',
            f'Name the column that holds the image files "{FILE_NAME}", with paths relative to the table\'s folder.',
        )


def _csv_rows(path: Path) -> Iterator[Row | LeftOut]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        header = stream.readline()
        # spreadsheets of half of Europe write semicolons; the header tells
        delimiter = max(",;\t", key=header.count)
        stream.seek(0)
        table = csv.reader(stream, delimiter=delimiter, strict=True)
        try:
            columns = [column.strip() for column in next(table, [])]
        except csv.Error:
            columns = []
        _require_file_name(path, columns)
        number = 1
        while True:
            number += 1
            label = f"{path.name} row {number}"
            try:
                cells = next(table)
            except StopIteration:
                return
            except csv.Error:
                yield LeftOut(label, "the row is not valid CSV")
                continue
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(columns):
                yield LeftOut(label, f"the row has {len(cells)} fields, the header {len(columns)}")
                continue
            yield _row(dict(zip(columns, cells, strict=True)), label)


def _jsonl_rows(path: Path) -> Iterator[Row | LeftOut]:
    columns: dict[str, None] = {}
    found = False
    with path.open(encoding="utf-8-sig") as stream:
        for number, line in enumerate(stream, start=1):
            if not line.strip():
                continue
            label = f"{path.name} line {number}"
            try:
                entry = json.loads(line)
            except (ValueError, RecursionError):
                yield LeftOut(label, "the line is not valid JSON")
                continue
            if not isinstance(entry, dict):
                yield LeftOut(label, "the line is not a JSON object")
                continue
            if not found:
                columns.update(dict.fromkeys(map(str, entry)))
                found = FILE_NAME in entry
            yield _row(entry, label)
    if not found:
        _require_file_name(path, list(columns))


def _parquet_rows(path: Path) -> Iterator[Row | LeftOut]:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise AuditkitError(
            f"{path.name} is a Parquet table, and pyarrow is not installed.",
            'Install it with: pip install "auditkit[parquet]"',
        ) from None
    try:
        with parquet.ParquetFile(path) as table:
            columns = list(table.schema_arrow.names)
            _require_file_name(path, columns)
            wanted = [column for column in columns if column in COLUMNS]
            number = 0
            for batch in table.iter_batches(batch_size=_PARQUET_BATCH, columns=wanted):
                for entry in batch.to_pylist():
                    number += 1
                    yield _row(entry, f"{path.name} row {number}")
    except (pyarrow.ArrowException, OSError) as error:
        raise AuditkitError(
            f"{path.name} cannot be read as Parquet ({type(error).__name__}).", "Write the table again, or give a CSV."
        ) from None


def _row(entry: Mapping[str, Any], label: str) -> Row | LeftOut:
    name = entry.get(FILE_NAME)
    if not isinstance(name, str) or not name.strip():
        return LeftOut(label, f'"{FILE_NAME}" is empty' if name in (None, "") else f'"{FILE_NAME}" is not a text')
    declared = {key: entry[key] for key in COLUMNS[1:] if entry.get(key) is not None}
    if nested := [key for key, value in declared.items() if isinstance(value, (dict, list, tuple, bytes))]:
        return LeftOut(label, f'"{nested[0]}" is not a single value')
    return Row(name.strip(), declared)
