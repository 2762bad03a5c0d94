"""Rows of a store changed by somebody who knows that each carries a digest, and makes it anew."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from auditkit.ask import tables


def seal(path: Path) -> None:
    """Make the digest of every row that of what it holds now."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.row_factory = sqlite3.Row
        for table in tables.metadata.sorted_tables:
            if tables.DIGEST not in table.columns:
                continue
            [key] = table.primary_key.columns
            for row in connection.execute(f"SELECT * FROM {table.name}").fetchall():
                digest = tables.with_digest(table, dict(row))[tables.DIGEST]
                values = (digest, row[key.name])
                connection.execute(f"UPDATE {table.name} SET {tables.DIGEST} = ? WHERE {key.name} = ?", values)
