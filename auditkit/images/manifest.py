"""Manifests: tables (CSV, JSON lines, Parquet) that list images in the column ``file_name``.

The ``metadata.csv``, ``.jsonl`` or ``.parquet`` of a Hugging Face "imagefolder" is such a table as it stands. Rows are
yielded one by one; a row that cannot be used is yielded as a `LeftOut`, so that nothing is lost in silence.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from auditkit.errors import AuditkitError
from auditkit.images.columns import ASKED, COLUMNS, FILE_NAME, FURTHER, GIVEN, OF, PATIENT, QUESTION, SECOND, Columns
from auditkit.images.csv_rows import MOST_BYTES, MOST_ROWS, header_of, read_csv, too_long
from auditkit.images.item import LeftOut
from auditkit.images.strata import known, written
from auditkit.version import install_line
from auditkit.vocabulary import Perturbation

SUFFIXES = (".csv", ".jsonl", ".parquet")

_PARQUET_BATCH = 4096
_HEAD = 1 << 20  # characters of a table that are looked at for its columns
BETWEEN = " + "
_LONGEST_LIST = 4096
_CHANGE = re.compile(r"(?P<name>[A-Za-z0-9_]+(?:\.[A-Za-z0-9_]+)*)(?:-s(?P<level>[1-9][0-9]{0,2}))?")
_WHOSE = (PATIENT, "study_id")
_NO_PICTURE = f'"{FILE_NAME}" is empty; name its picture or, if it has none, ask a task with pictures = 0'
PICTURES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp", ".dcm", ".dicom")


@dataclass(frozen=True, slots=True)
class Row:
    """One usable row.

    Attributes
    ----------
    name : str
        The file's name; of a row without a picture what the row is called.
    declared : mapping of str to object
        Those of `COLUMNS`, of the protocol's own columns and, with a question, of `ASKED` that it fills.
    second : str
        The file of a second picture; empty where there is none.
    of : str
        What the picture is a changed version of: a file, or the `key` of another row; empty where it is an item.
    given : Perturbation or None
        How it was changed.
    key : str
        What changed versions call it by, beside the names of its files.
    words : tuple of (str, str)
        Of a row without a picture: its filled columns and what they say, but for those that say who it is of. Empty
        where there is a picture.
    """

    name: str
    declared: Mapping[str, object]
    second: str = ""
    of: str = ""
    given: Perturbation | None = None
    key: str = ""
    words: tuple[tuple[str, str], ...] = ()


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
    without_picture : bool
        Whether a row may name no file: it is an item without a picture then.

    Attributes
    ----------
    columns : Columns
        What its columns are taken for; complete when all rows have been read.
    """

    def __init__(
        self, path: Path, shown: str = "", named: Sequence[str] = (), *, without_picture: bool = False
    ) -> None:
        self.path = path
        self.shown = shown or path.name
        self.named = tuple(named)
        self._without_picture = without_picture
        self.columns = Columns(self.shown, named, FURTHER)

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
            name = cells[columns.index(FILE_NAME)].strip()
            if name or not self._without_picture or PATIENT not in columns:
                return self._names_a_file(name)
            return len(cells[columns.index(PATIENT)].split()) == 1  # prose has no such id beside an empty name

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
                yield self._row(dict(zip(columns, line.cells, strict=True)), label)

    def _row(self, entry: Mapping[str, Any], label: str) -> Row | LeftOut:
        name = entry.get(FILE_NAME)
        if isinstance(name, str) and name.strip():
            return _row(entry, label, self.named)
        if name not in (None, "") and not isinstance(name, str) and known(name) is not None:
            return LeftOut(label, f'"{FILE_NAME}" is not a text')
        return _without_picture(entry, label, self.named) if self._without_picture else LeftOut(label, _NO_PICTURE)

    @property
    def _may_be_read(self) -> Sequence[str]:
        return (*COLUMNS, *FURTHER, *ASKED, *self.named)

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
                    entry = json.loads(line, object_pairs_hook=partial(_once, self._may_be_read))
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
                yield self._row(entry, label)
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
                flat = {field.name for field in table.schema_arrow if not pyarrow.types.is_nested(field.type)}
                also = flat if self._without_picture else ()  # a row without a picture is what all its columns say
                wanted = [column for column in columns if column in self._may_be_read or column in also]
                number = 0
                for batch in table.iter_batches(batch_size=_PARQUET_BATCH, columns=wanted):
                    for entry in batch.to_pylist():
                        number += 1
                        yield self._row(entry, f"{self.shown} row {number}")
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


def _without_picture(entry: Mapping[str, Any], label: str, named: Sequence[str]) -> Row | LeftOut:
    if filled := [key for key in FURTHER if known(entry.get(key)) is not None]:
        return LeftOut(label, f'"{filled[0]}" is filled and "{FILE_NAME}" is empty')
    declared = declared_by(entry, label, named)
    if isinstance(declared, LeftOut):
        return declared
    said = {key: _in_words(declared.get(key, value)) for key, value in entry.items() if key not in (FILE_NAME, *_WHOSE)}
    words = tuple(sorted((key, text) for key, text in said.items() if text))
    return Row(label, declared, words=words) if words else LeftOut(label, f'"{FILE_NAME}" is empty, and so is the rest')


def _in_words(value: object) -> str:
    """Return what a cell says, the same whether a CSV or another table has it."""
    return written(json.dumps(value, sort_keys=True, default=str) if isinstance(value, (dict, list, tuple)) else value)


def _row(entry: Mapping[str, Any], label: str, named: Sequence[str]) -> Row | LeftOut:
    declared = declared_by(entry, label, named)
    if isinstance(declared, LeftOut):
        return declared
    further = {key: entry.get(key) for key in FURTHER}
    if wrong := [key for key, value in further.items() if not isinstance(value, str) and known(value) is not None]:
        return LeftOut(label, f'"{wrong[0]}" is not a text')
    second, of, given = ("" if known(value) is None else str(value).strip() for value in further.values())
    if bool(of) != bool(given):
        filled, empty = (OF, GIVEN) if of else (GIVEN, OF)
        return LeftOut(label, f'"{filled}" is filled and "{empty}" is empty: a changed picture needs both')
    if second and of:
        return LeftOut(label, f'"{SECOND}" and "{OF}" are both filled: each changed picture has a row of its own')
    change = changed(given) if given else None
    if given and change is None:
        return LeftOut(label, f'"{GIVEN}" is no name of a perturbation, nor one with its level as in "old_scanner-s2"')
    return Row(str(entry[FILE_NAME]).strip(), declared, second, of, change)


def changed(text: str) -> Perturbation | None:
    """Return what a word says was done to a picture, or None.

    Examples
    --------
    >>> changed("old_scanner-s2"), changed("old_scanner"), changed("old scanner")
    (Perturbation(name='old_scanner', level=2), Perturbation(name='old_scanner', level=0), None)
    """
    found = _CHANGE.fullmatch(text)
    return None if found is None else Perturbation(found["name"], int(found["level"] or 0))


def declared_by(entry: Mapping[str, Any], label: str, named: Sequence[str] = ()) -> dict[str, object] | LeftOut:
    """Return what a row says under the names of `COLUMNS` and of the protocol's, or why it cannot be used.

    `label` is what it is called.
    """
    asked = ASKED if known(_single(entry.get(QUESTION))) is not None else ()
    wanted = dict.fromkeys((*COLUMNS[1:], *named, *asked))
    declared = {key: entry[key] for key in wanted if key != FILE_NAME and entry.get(key) is not None}
    if "label" in declared:
        declared["label"] = _labels(declared["label"])
    declared = {key: _single(value) for key, value in declared.items()}
    if nested := [key for key, value in declared.items() if isinstance(value, (dict, list, tuple, bytes))]:
        return LeftOut(label, f'"{nested[0]}" is not a single value')
    return declared


def _single(value: object) -> object:
    return value[0] if isinstance(value, (list, tuple)) and len(value) == 1 else value


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
