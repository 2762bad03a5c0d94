"""The tables of the store. Whoever changes one raises `SCHEMA_VERSION`: a store of another version is refused.

A new table is not a change of schema: it is added to a store that lacks it, and an earlier auditkit leaves it alone.

Every row carries the SHA-256 over its other columns (`row_sha256`), because a database returns whatever its file holds:
a bit that turned on the disk made another answer of one answer in a few files of a hundred.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

SCHEMA_VERSION = 4
DIGEST = "row_sha256"

metadata = sa.MetaData()
meta = sa.Table("meta", metadata, sa.Column("name", sa.Text, primary_key=True), sa.Column("value", sa.Text))


def _table(name: str, *columns: sa.Column[Any] | sa.UniqueConstraint) -> sa.Table:
    # Without SQLite's row numbers a row is found by its key alone: with them it is found by way of an index, and where
    # one of the two is damaged neither reading nor mending says which row was meant.
    digest = sa.Column(DIGEST, sa.String(64), nullable=False)
    return sa.Table(name, metadata, *columns, digest, sqlite_with_rowid=False)


answers = _table(
    "answers",
    sa.Column("key", sa.String(64), primary_key=True),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("finish_reason", sa.String(16), nullable=False),
    sa.Column("logprobs", sa.Text),
    sa.Column("model", sa.Text, nullable=False),
    sa.Column("created", sa.String(32), nullable=False),
)
embeddings = _table(
    "embeddings",
    sa.Column("key", sa.String(64), primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("d", sa.Integer, nullable=False),
    sa.Column("dtype", sa.String(16), nullable=False),
    sa.Column("scale", sa.Double, nullable=False),
    sa.Column("blob", sa.LargeBinary, nullable=False),
    sa.Column("model", sa.Text, nullable=False),
    sa.Column("created", sa.String(32), nullable=False),
)
renders = _table(
    "renders",
    sa.Column("key", sa.String(64), primary_key=True),
    sa.Column("digest", sa.String(64), nullable=False),
    sa.Column("ssim", sa.Double),
    sa.Column("psnr", sa.Double),
)
sources = _table(
    "sources",
    sa.Column("content", sa.String(64), primary_key=True),
    sa.Column("digest", sa.String(64), nullable=False),
)
protocols = _table(
    "protocols",
    sa.Column("sha256", sa.String(64), primary_key=True),
    sa.Column("first_seen", sa.String(32), nullable=False),
)
judged = _table(
    "judged",
    sa.Column("key", sa.String(200), primary_key=True),
    sa.Column("subject", sa.String(129), nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("criteria", sa.Text, nullable=False),
    sa.Column("first_judged", sa.String(32), nullable=False),
    sa.Column("before", sa.String(64), nullable=False),
)
manifests = _table(
    "manifests",
    sa.Column("key", sa.String(64), primary_key=True),
    sa.Column("sha256", sa.String(64), nullable=False, index=True),
    sa.Column("images", sa.Text, nullable=False),
)
described = _table(
    "described",
    sa.Column("key", sa.String(64), primary_key=True),
    sa.Column("answers", sa.String(64), nullable=False, index=True),
    sa.Column("parts", sa.Text, nullable=False),
)
sessions = _table(
    "sessions",
    sa.Column("uid", sa.String(64), primary_key=True),
    sa.Column("record", sa.Text, nullable=False),
)


def with_digest(table: sa.Table, row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row with the digest over all its other columns."""
    return {**row, DIGEST: _digest(row.get(column.name) for column in list(table.columns)[:-1])}


def is_sound(row: Sequence[Any]) -> bool:
    """Whether a row, all columns in their order, is as it was written: types too."""
    try:
        return bool(row[-1] == _digest(row[:-1]))
    except (TypeError, ValueError):
        return False


def _digest(values: Iterable[Any]) -> str:
    plain = [value.hex() if isinstance(value, bytes) else value for value in values]
    return hashlib.sha256(json.dumps(plain).encode()).hexdigest()
