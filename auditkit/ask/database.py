"""One database behind the store: opening it, waiting for others, and saying in words what went wrong.

SQLite by default (write-ahead log); any other database that SQLAlchemy speaks by its URL. Nothing is pickled.
"""

from __future__ import annotations

import hashlib
import re
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError, OperationalError, SQLAlchemyError

from auditkit.ask import tables
from auditkit.errors import AuditkitError
from auditkit.images.salt import PRIVATE, make_private
from auditkit.masked import MASK, masked_text, masked_url

_PATIENCE = 10  # seconds to wait for another process's transaction
_ATTEMPTS = 5
_PLACES = "Give a path such as .auditkit/answers.sqlite or a URL such as postgresql://host/name."
_SECRET = re.compile("pass|pwd|secret|token|key", re.IGNORECASE)
_LONG = 12  # characters: a value that stands in a driver's words by chance is shorter
_CHUNK = 500  # SQLite takes at most 999 variables per statement in older builds


class Database:
    """A database with the tables of `tables`, made when they are missing.

    Parameters
    ----------
    url : str
        SQLAlchemy URL, or the path of an SQLite file (created with its folder when missing).

    Attributes
    ----------
    url : str
        Where it is, without user, password and the values of a query.
    place : str
        SHA-256 of where it is: tells two databases apart that are shown as one.
    path : pathlib.Path or None
        Its file, where it is one.
    damaged : set of (str, str)
        Rows that were not as they were written when they were read, by table and key. They count as not there.

    Raises
    ------
    AuditkitError
        When it cannot be opened, is damaged, or was written by another program or schema version.
    """

    def __init__(self, url: str) -> None:
        self._parsed = _parsed_url(url)
        self.url = _shown(self._parsed)
        self.place = _place(self._parsed)
        self.damaged: set[tuple[str, str]] = set()
        self.path = Path(self._parsed.database) if self._is_file() and self._parsed.database else None
        with self._explained("opened"):
            if self.path is not None:
                if self.path.parent.name == PRIVATE:
                    make_private(self.path.parent)
                self.path.parent.mkdir(parents=True, exist_ok=True)
            self._engine = _engine(self._parsed)
            if self._parsed.get_backend_name() == "sqlite":
                sa.event.listen(self._engine, "connect", _use_write_ahead_log)
            self._prepare()

    def _is_file(self) -> bool:
        return self._parsed.get_backend_name() == "sqlite" and self._parsed.database not in (None, "", ":memory:")

    def _prepare(self) -> None:
        with self._engine.connect() as connection:
            if self._is_current(connection):
                return
        with self._engine.begin() as connection:
            if self._parsed.get_backend_name() == "sqlite":
                # Several workers open a new store at once; whoever comes first makes the tables, in one transaction.
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            if self._is_current(connection):
                return
            tables.metadata.create_all(connection)
            if _version(connection) is None:
                connection.execute(tables.meta.insert().values(name="schema", value=str(tables.SCHEMA_VERSION)))

    def _is_current(self, connection: sa.Connection) -> bool:
        """Whether all tables are there; refuses a database of another program or of another schema version."""
        inspector = sa.inspect(connection)
        names = set(inspector.get_table_names())
        ours = "meta" in names and {c["name"] for c in inspector.get_columns("meta")} == {"name", "value"}
        if self.path is not None and names and not ours:
            raise AuditkitError(
                f"{self.path} is a database of another program: it has the tables {', '.join(sorted(names)[:5])}.",
                "Give another file with --audit-store=FILE.",
            )
        if not ours:
            return False
        version = _version(connection)
        if version is not None and version != str(tables.SCHEMA_VERSION):
            raise AuditkitError(
                f"store {self._shown()} has schema version {version}; this auditkit reads {tables.SCHEMA_VERSION}.",
                "Give another file with --audit-store=FILE, or use the auditkit that wrote it.",
            )
        return version is not None and names.issuperset(tables.metadata.tables)

    def close(self) -> None:
        """Give the connections back."""
        self._engine.dispose()

    def _shown(self) -> str:
        return str(self.path) if self.path is not None else self.url

    def _said(self, words: object) -> str:
        """Return what a driver says, without what the address holds that nobody may see."""
        return _without_secrets(str(words), self._parsed)

    @contextmanager
    def _explained(self, what: str) -> Iterator[None]:
        """Turn what a database raises into a sentence; everything committed before stays."""
        try:
            yield
        except OperationalError as error:
            reason = self._said(error.orig)
            if any(words in reason for words in ("disk is full", "disk I/O", "No space")):
                raise AuditkitError(
                    f"store {self._shown()} could not be {what}: the disk is full or failing ({reason}). "
                    "Every answer committed before is kept.",
                    "Free some space and run the same command again, or give another place with --audit-store=FILE.",
                ) from None
            if "locked" in reason:
                raise AuditkitError(
                    f"store {self._shown()} is locked by another program ({reason}).",
                    "Wait for it to end, or give another file with --audit-store=FILE.",
                ) from None
            raise AuditkitError(
                f"store {self._shown()} could not be {what}: {reason}.",
                "Check that the folder exists and may be written, or give another with --audit-store=FILE.",
            ) from None
        except (SQLAlchemyError, ValueError, TypeError) as error:  # the last two: a row that cannot be read
            raise AuditkitError(
                f"store {self._shown()} is damaged or is not a database: {self._said(getattr(error, 'orig', error))}.",
                f"Move it away (mv {self._shown()} {self._shown()}.damaged) and run again, "
                "or give another with --audit-store=FILE.",
            ) from None
        except OSError as error:
            raise AuditkitError(
                f"store {self._shown()} could not be {what}: {self._said(error.strerror or error)}.",
                "Give a place that may be written with --audit-store=FILE.",
            ) from None

    # --- for the store ----------------------------------------------------------------------------------------------

    def _rows(self, table: sa.Table, by: sa.Column[Any], values: Iterable[str]) -> Iterator[sa.Row[Any]]:
        """Yield the sound rows whose column holds one of the values."""
        wanted = list(dict.fromkeys(values))
        for start in range(0, len(wanted), _CHUNK):
            with self._explained("read"), self._engine.connect() as connection:
                yield from self._sound(table, connection, by.in_(wanted[start : start + _CHUNK]))

    def _row(self, table: sa.Table, value: str) -> sa.Row[Any] | None:
        """Return the sound row with this key, if there is one."""
        rows = list(self._rows(table, _key(table), [value]))
        return rows[0] if rows else None

    def _sound(
        self, table: sa.Table, connection: sa.Connection, where: sa.ColumnElement[bool]
    ) -> Iterator[sa.Row[Any]]:
        for row in connection.execute(sa.select(table).where(where)):
            if tables.is_sound(row) and self._fits(table, row):
                yield row
            else:
                self.damaged.add((table.name, str(getattr(row, _key(table).name))))

    def _fits(self, table: sa.Table, row: sa.Row[Any]) -> bool:
        """Whether a row that is as it was written can be what its table holds."""
        return True

    def _insert_new(self, table: sa.Table, rows: list[dict[str, Any]]) -> None:
        """Insert the rows whose key is not there yet, in one commit; a damaged one is replaced.

        Looking first works on every database. Between the look and the insert another process may be faster (the
        workers of a run note the protocol at the same moment); then it is looked again.
        """
        if rows:
            complete = [tables.with_digest(table, row) for row in rows]
            self._repeated(lambda connection: self._insert_missing(connection, table, complete))

    def _repeated(self, write: Callable[[sa.Connection], None]) -> None:
        """Do something in one commit, and do it again where another process put in the same key meanwhile."""
        with self._explained("written"):
            for attempt in range(_ATTEMPTS):
                try:
                    with self._engine.begin() as connection:
                        write(connection)
                    return
                except IntegrityError:
                    if attempt == _ATTEMPTS - 1:
                        raise

    def _insert_missing(self, connection: sa.Connection, table: sa.Table, rows: list[dict[str, Any]]) -> None:
        key = _key(table)
        there: set[str] = set()
        for start in range(0, len(rows), _CHUNK):
            some = [row[key.name] for row in rows[start : start + _CHUNK]]
            there.update(getattr(row, key.name) for row in self._sound(table, connection, key.in_(some)))
        broken = {value for name, value in self.damaged if name == table.name}
        fresh = [row for row in rows if row[key.name] not in there]
        for row in fresh:
            if row[key.name] in broken:
                connection.execute(table.delete().where(key == row[key.name]))
        if fresh:
            connection.execute(table.insert(), fresh)


def is_there(url: str) -> bool:
    """Whether there is something to open: an SQLite file that does not exist would be made by opening it."""
    parsed = _parsed_url(url)
    named = parsed.database if parsed.get_backend_name() == "sqlite" else None
    return named is None or Path(named).is_file()


def _key(table: sa.Table) -> sa.Column[Any]:
    [key] = table.primary_key.columns
    return key


def _version(connection: sa.Connection) -> str | None:
    return connection.execute(sa.select(tables.meta.c.value).where(tables.meta.c.name == "schema")).scalar()


def _parsed_url(url: str) -> sa.URL:
    # A path is taken as it stands: read as a URL, "?" and "%" in a file name would mean something else.
    if "://" not in url:
        return sa.URL.create("sqlite", database=url)
    try:
        parsed = sa.engine.make_url(url)
    except (SQLAlchemyError, ValueError):
        raise AuditkitError(f"--audit-store={masked_url(url)} is not a database URL.", _PLACES) from None
    if parsed.get_backend_name() != "sqlite" and "@" in f"{parsed.host}{parsed.port}{parsed.database}":
        # The rest of a password, read as the name of a host.
        raise AuditkitError(
            f"--audit-store={masked_url(url)} can be read in more than one way.",
            "Write signs in a user or password as an address has them: %40 for @, %2F for /, %3A for :, %3F for ?.",
        )
    return parsed


def _engine(url: sa.URL) -> sa.Engine:
    shown = _shown(url)
    try:
        return sa.create_engine(url)
    except SQLAlchemyError as error:
        raise AuditkitError(
            f"--audit-store={shown} names no kind of database known here: {_without_secrets(str(error), url)}.", _PLACES
        ) from None
    except ImportError as error:
        # The module's name alone: what a short password is made of would be masked within it.
        missing = error.name or _without_secrets(str(error), url)
        raise AuditkitError(
            f"--audit-store={shown} needs a driver that is not installed: {missing}.",
            f"Install it (pip install {error.name or 'DRIVER'}), or name another, as in postgresql+pg8000://.",
        ) from None


def _shown(url: sa.URL) -> str:
    """Return an address as SQLAlchemy reads it, without user, password and the values of its query."""
    return masked_url(url.render_as_string(hide_password=True))


def _place(url: sa.URL) -> str:
    return hashlib.sha256(url.render_as_string(hide_password=True).encode()).hexdigest()


def _without_secrets(text: str, url: sa.URL) -> str:
    values = [
        value
        for name, told in url.query.items()
        for value in ([told] if isinstance(told, str) else told)
        if _SECRET.search(name) or len(value) >= _LONG
    ]
    for secret in sorted(filter(None, (str(url.password or ""), *values)), key=len, reverse=True):
        for form in (secret, quote(secret, safe=""), quote_plus(secret), repr(secret)[1:-1]):
            text = text.replace(form, MASK)
    return masked_text(text)


def _use_write_ahead_log(connection: Any, _record: Any) -> None:
    # A text that is no UTF-8 any more would end the whole query; read like this it fails its row's digest.
    connection.text_factory = lambda content: content.decode("utf-8", "surrogateescape")
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={1000 * _PATIENCE}")
    # SQLite does not wait by itself when two processes switch a new file to the write-ahead log at once.
    until = time.monotonic() + _PATIENCE
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
            break
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > until:
                raise
            time.sleep(0.02)
    # NORMAL loses nothing when the process is killed; only a power cut can take the last commits.
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.close()
