"""Hugging Face data sets as Parquet: shards in which a column holds each picture's file, as bytes and a path.

A shard is read in small batches, once when it is listed and from its row group on when a picture is wanted.
"""

from __future__ import annotations

import hashlib
import json
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from auditkit.errors import AuditkitError
from auditkit.images import raster
from auditkit.images.columns import ASKED, COLUMNS, FILE_NAME, Columns
from auditkit.images.csv_rows import MOST_ROWS
from auditkit.images.files import shown_name
from auditkit.images.item import LeftOut, UnreadableImage
from auditkit.images.layouts.archive import status_of
from auditkit.images.layouts.layout import SPLIT, Held, Layout, Place, named_class
from auditkit.images.levels import check_content
from auditkit.images.manifest import declared_by
from auditkit.images.quiet import guarded
from auditkit.images.scaling import fit

_BATCH = 16  # rows held at a time, each with its file
_BUFFER = 1 << 20
_MOST_GROUP = 1 << 34  # unpacked bytes of a row group; those of Hugging Face hold a hundred pictures
_SHARD = re.compile(r"(?P<split>[^-]+(?:-[^-]+)*?)-\d{5}-of-\d{5}.*")
_NUMBER = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class Shard:
    """One Parquet file: its path, the column of pictures, the first row of each row group, its size and time."""

    path: str
    column: str
    starts: tuple[int, ...]
    status: tuple[int, int]

    def picture(self, row: int) -> bytes:
        """Return the file that a row holds.

        Raises
        ------
        UnreadableImage
            The shard has changed or is damaged.
        """
        with guarded(lambda error: f"its shard cannot be read ({type(error).__name__})"):
            if status_of(Path(self.path)) != self.status:
                raise UnreadableImage("its shard has changed since it was listed")
            group = bisect_right(self.starts, row) - 1
            first = self.starts[group]
            with _opened(Path(self.path)) as table:
                batches = table.iter_batches(batch_size=_BATCH, row_groups=[group], columns=[self.column])
                for batch in batches:
                    if row < first + batch.num_rows:
                        return bytes(batch.column(0)[row - first].as_py()["bytes"])
                    first += batch.num_rows
        raise UnreadableImage("its shard has no such row")


@dataclass(frozen=True, slots=True)
class ShardReader:
    """Reads one picture of a shard when called; what `Picture.read` is for shards."""

    shard: Shard
    row: int
    max_side: int
    max_pixels: int

    def __call__(self) -> NDArray[np.uint8]:
        pixels = fit(raster.decode(self.shard.picture(self.row), self.max_pixels), self.max_side)
        check_content(pixels)
        return pixels


def _is_one(path: Path) -> bool:
    try:
        from pyarrow import parquet

        schema = parquet.read_schema(path)
    except Exception:  # pyarrow is missing, or raises errors of many kinds: who reads the table says which
        return False
    return FILE_NAME not in schema.names and bool(_picture_columns(schema))


def _picture_columns(schema: Any) -> list[str]:
    """Return the columns that are a struct of bytes and path, as `datasets` stores pictures."""
    import pyarrow

    def binary(kind: Any) -> bool:
        return bool(pyarrow.types.is_binary(kind) or pyarrow.types.is_large_binary(kind))

    return [
        one.name
        for one in schema
        if pyarrow.types.is_struct(one.type)
        and {part.name for part in one.type} == {"bytes", "path"}
        and binary(one.type.field("bytes").type)
    ]


def _opened(path: Path) -> Any:
    from pyarrow import parquet

    # With a buffer a row group's columns are streamed; without, they are taken into memory as a whole.
    return parquet.ParquetFile(path, buffer_size=_BUFFER, pre_buffer=False)


def _entries(place: Place) -> Iterator[Held | LeftOut]:
    split = _split(place)
    if not place.wants(split):
        return
    found: list[Held | LeftOut] = []
    try:
        with guarded(lambda error: f"it cannot be read as Parquet ({type(error).__name__})"):
            found += _rows(place, split)
    except UnreadableImage as error:  # the rows before the damage may be damaged too
        found = [LeftOut(shown_name(place.name), str(error))]
    yield from found


def _split(place: Place) -> str:
    """Return the split that the name of a shard tells, or that of its folder where shards are only numbered."""
    if found := _SHARD.fullmatch(place.path.stem):
        return found["split"]
    return place.path.parent.name if _NUMBER.fullmatch(place.path.stem) else ""


def _rows(place: Place, split: str) -> Iterator[Held | LeftOut]:
    with _opened(place.path) as table:
        metadata, schema = table.metadata, table.schema_arrow
        groups = [metadata.row_group(i) for i in range(metadata.num_row_groups)]
        if metadata.num_rows > MOST_ROWS:
            raise UnreadableImage(f"it has more than {MOST_ROWS:,} rows")
        if any(group.total_byte_size > _MOST_GROUP for group in groups):
            raise UnreadableImage(f"it has a row group of more than {_MOST_GROUP:,} bytes")
        column = _column(_picture_columns(schema), place)
        columns = Columns(place.name, place.settings.named)
        columns.see(schema.names)
        columns.once(schema.names)
        columns.check_patients()
        unread = {name: "" if near == FILE_NAME else near for name, near in columns.unread.items()}
        place.unread.update({name: near for name, near in unread.items() if name != column})
        classes = _classes(schema)
        starts = (0, *np.cumsum([group.num_rows for group in groups]).tolist())[: len(groups)]
        shard = Shard(str(place.path), column, starts, status_of(place.path))
        wanted = [
            column,
            *(name for name in schema.names if name != column and name in (*COLUMNS, *ASKED, *place.settings.named)),
        ]
        row = 0
        for batch in table.iter_batches(batch_size=_BATCH, columns=wanted):
            for entry in batch.to_pylist():
                yield _entry(place, shard, row, entry, {SPLIT: split}, classes)
                row += 1


def _entry(
    place: Place, shard: Shard, row: int, entry: dict[str, Any], own: dict[str, object], classes: Sequence[str]
) -> Held | LeftOut:
    name = f"{place.name}[{row}]"
    data = (entry.get(shard.column) or {}).get("bytes")
    if not data:
        return LeftOut(shown_name(name), f'"{shard.column}" holds no picture, at most the path of one')
    label = entry.get("label")
    if isinstance(label, int) and 0 <= label < len(classes):
        entry["label"] = classes[label]
    elif isinstance(label, list) and all(isinstance(one, int) and 0 <= one < len(classes) for one in label):
        entry["label"] = [classes[one] for one in label]
    declared = declared_by(entry, shown_name(name), place.settings.named)
    if isinstance(declared, LeftOut):
        return declared
    try:
        notes = raster.inspect(data, place.settings.max_pixels)
    except UnreadableImage as error:
        return LeftOut(shown_name(name), str(error))
    reader = ShardReader(shard, row, place.settings.max_side, place.settings.max_pixels)
    return Held(name, hashlib.sha256(data).hexdigest(), reader, {**declared, **own}, name, place.kind, notes)


def _column(found: Sequence[str], place: Place) -> str:
    if len(found) > 1 and "image" not in found:
        names = ", ".join(map(shown_name, found))
        raise AuditkitError(
            f'{shown_name(place.name)} has several columns of pictures and none called "image": {names}.',
            'Call the one to audit "image".',
        )
    if not found:
        raise UnreadableImage("it has no column of pictures (a struct of bytes and path)")
    return "image" if "image" in found else found[0]


def _classes(schema: Any) -> Sequence[str]:
    """Return the names of the classes of the column ``label``, which `datasets` notes in the schema."""
    try:
        features = json.loads((schema.metadata or {})[b"huggingface"])["info"]["features"]
        label = features["label"]
        label = label.get("feature", label)
        names = label["names"] if label["_type"] == "ClassLabel" else []
        return [named_class(number, name) for number, name in enumerate(names)]
    except (KeyError, TypeError, AttributeError, ValueError, RecursionError):
        return []


LAYOUT = Layout("hf-parquet", "Hugging Face Parquet", ".parquet", _is_one, _entries)
