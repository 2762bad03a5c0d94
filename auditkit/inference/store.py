"""Every answer, once, durable: a small database addressed by content.

SQLite by default (write-ahead log, one commit per batch, so that a killed run loses at most the batch in flight);
any other database that SQLAlchemy speaks by its URL. Nothing is pickled. Errors are never stored as answers.
"""

from __future__ import annotations

import json
import math
import re
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DatabaseError, IntegrityError, OperationalError, SQLAlchemyError

from auditkit.errors import AuditkitError

SCHEMA_VERSION = 2
_PATIENCE = 10  # seconds to wait for another process's transaction
_ATTEMPTS = 5
_PLACES = "Give a path such as .auditkit/answers.sqlite or a URL such as postgresql://user@host/name."
_CHUNK = 500  # SQLite takes at most 999 variables per statement in older builds

_metadata = sa.MetaData()
_meta = sa.Table("meta", _metadata, sa.Column("name", sa.Text, primary_key=True), sa.Column("value", sa.Text))
_answers = sa.Table(
    "answers",
    _metadata,
    sa.Column("key", sa.String(64), primary_key=True),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("finish_reason", sa.String(16), nullable=False),
    sa.Column("logprobs", sa.Text),
    sa.Column("model", sa.Text, nullable=False),
    sa.Column("created", sa.String(32), nullable=False),
)
_renders = sa.Table(
    "renders",
    _metadata,
    sa.Column("key", sa.String(64), primary_key=True),
    sa.Column("digest", sa.String(64), nullable=False),
    sa.Column("ssim", sa.Float),
    sa.Column("psnr", sa.Float),
)
_sources = sa.Table(
    "sources",
    _metadata,
    sa.Column("content", sa.String(64), primary_key=True),
    sa.Column("digest", sa.String(64), nullable=False),
)
_protocols = sa.Table(
    "protocols",
    _metadata,
    sa.Column("sha256", sa.String(64), primary_key=True),
    sa.Column("first_seen", sa.String(32), nullable=False),
)
_judged = sa.Table(
    "judged",
    _metadata,
    sa.Column("key", sa.String(200), primary_key=True),
    sa.Column("subject", sa.String(129), nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("criteria", sa.Text, nullable=False),
    sa.Column("first_judged", sa.String(32), nullable=False),
)
_sessions = sa.Table(
    "sessions",
    _metadata,
    sa.Column("uid", sa.String(64), primary_key=True),
    sa.Column("record", sa.Text, nullable=False),
)


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """An answer as the model gave it."""

    text: str
    finish_reason: str
    logprobs: Mapping[str, float] | None = None


@dataclass(frozen=True, slots=True)
class JudgedBefore:
    """A protocol by which a model and its images were judged."""

    sha256: str
    first_seen: str
    first_judged: str
    criteria: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Rendered:
    """What is remembered of a rendered image: its pixels' digest and its measured dose."""

    digest: str
    ssim: float | None
    psnr: float | None


class Store:
    """Answers and what is needed to find them again without rendering.

    Parameters
    ----------
    url : str
        SQLAlchemy URL, or the path of an SQLite file (created with its folder when missing).

    Raises
    ------
    AuditkitError
        When the store cannot be opened, is damaged, or was written by another schema version.
    """

    def __init__(self, url: str) -> None:
        self._parsed = _parsed_url(url)
        self.url = self._parsed.render_as_string(hide_password=True)
        self.path = Path(self._parsed.database) if self._is_file() and self._parsed.database else None
        with self._explained("opened"):
            if self.path is not None:
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
            _metadata.create_all(connection)
            connection.execute(_meta.insert().values(name="schema", value=str(SCHEMA_VERSION)))

    def _is_current(self, connection: sa.Connection) -> bool:
        """Whether the tables are there; refuses a database of another program or of another schema version."""
        inspector = sa.inspect(connection)
        tables = set(inspector.get_table_names())
        ours = "meta" in tables and {c["name"] for c in inspector.get_columns("meta")} == {"name", "value"}
        if self.path is not None and tables and not ours:
            raise AuditkitError(
                f"{self.path} is a database of another program: it has the tables {', '.join(sorted(tables)[:5])}.",
                "Give another file with --audit-store=FILE.",
            )
        if not ours:
            return False
        version = connection.execute(sa.select(_meta.c.value).where(_meta.c.name == "schema")).scalar()
        if version is not None and version != str(SCHEMA_VERSION):
            raise AuditkitError(
                f"store {self._shown()} has schema version {version}; this auditkit reads {SCHEMA_VERSION}.",
                "Give another file with --audit-store=FILE, or use the auditkit that wrote it.",
            )
        return version is not None

    def _shown(self) -> str:
        return str(self.path) if self.path is not None else self._parsed.render_as_string(hide_password=True)

    @contextmanager
    def _explained(self, what: str) -> Iterator[None]:
        """Turn what a database raises into a sentence; everything committed before stays."""
        try:
            yield
        except OperationalError as error:
            reason = str(error.orig)
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
        except (DatabaseError, json.JSONDecodeError) as error:
            raise AuditkitError(
                f"store {self._shown()} is damaged or is no database: {getattr(error, 'orig', error)}.",
                f"Move it away (mv {self._shown()} {self._shown()}.damaged) and run again, "
                "or give another with --audit-store=FILE.",
            ) from None
        except OSError as error:
            raise AuditkitError(
                f"store {self._shown()} could not be {what}: {error.strerror or error}.",
                "Give a place that may be written with --audit-store=FILE.",
            ) from None

    # --- answers ----------------------------------------------------------------------------------------------------

    def add_answers(self, answers: Mapping[str, StoredAnswer], model: str) -> None:
        """Commit answers; a key that is there already is left as it is (the first answer counts)."""
        now = _now()
        rows = [
            {
                "key": key,
                "text": answer.text,
                "finish_reason": answer.finish_reason,
                "logprobs": None if answer.logprobs is None else json.dumps(dict(answer.logprobs), sort_keys=True),
                "model": model,
                "created": now,
            }
            for key, answer in answers.items()
        ]
        self._insert_new(_answers, "key", rows)

    def answers(self, keys: Iterable[str]) -> dict[str, StoredAnswer]:
        """Return the stored answers among the keys."""
        columns = (_answers.c.key, _answers.c.text, _answers.c.finish_reason, _answers.c.logprobs)
        with self._explained("read"):
            return {
                row.key: StoredAnswer(row.text, row.finish_reason, json.loads(row.logprobs) if row.logprobs else None)
                for row in self._select(columns, _answers.c.key, keys)
            }

    def known(self, keys: Iterable[str]) -> set[str]:
        """Return which of the keys have an answer."""
        return {row.key for row in self._select((_answers.c.key,), _answers.c.key, keys)}

    def count(self) -> int:
        """Return the number of answers held."""
        with self._explained("read"), self._engine.connect() as connection:
            return int(connection.execute(sa.select(sa.func.count()).select_from(_answers)).scalar_one())

    # --- what images look like --------------------------------------------------------------------------------------

    def add_renders(self, renders: Mapping[str, Rendered]) -> None:
        """Remember digests and doses of rendered images; an infinite PSNR (identical images) is kept as null."""
        rows = [
            {"key": k, "digest": r.digest, "ssim": _finite(r.ssim), "psnr": _finite(r.psnr)} for k, r in renders.items()
        ]
        self._insert_new(_renders, "key", rows)

    def renders(self, keys: Iterable[str]) -> dict[str, Rendered]:
        """Return what is known of rendered images."""
        columns = (_renders.c.key, _renders.c.digest, _renders.c.ssim, _renders.c.psnr)
        return {r.key: Rendered(r.digest, r.ssim, r.psnr) for r in self._select(columns, _renders.c.key, keys)}

    def add_sources(self, sources: Mapping[str, str]) -> None:
        """Remember which pixels (digest) a content address decodes to."""
        self._insert_new(_sources, "content", [{"content": c, "digest": d} for c, d in sources.items()])

    def sources(self, contents: Iterable[str]) -> dict[str, str]:
        """Return the pixel digests known for content addresses."""
        columns = (_sources.c.content, _sources.c.digest)
        return {row.content: row.digest for row in self._select(columns, _sources.c.content, contents)}

    # --- protocol and sessions --------------------------------------------------------------------------------------

    def protocol_first_seen(self, sha256: str) -> str:
        """Return when this protocol was first seen here, noting it now if never."""
        self._insert_new(_protocols, "sha256", [{"sha256": sha256, "first_seen": _now()}])
        with self._explained("read"), self._engine.connect() as connection:
            return str(connection.execute(sa.select(_protocols.c.first_seen).filter_by(sha256=sha256)).scalar_one())

    def note_judged(self, subject: str, sha256: str, criteria: Mapping[str, Any]) -> list[JudgedBefore]:
        """Note that results exist for a model and its images under a protocol.

        Parameters
        ----------
        subject : str
            Stands for the model and the images together.
        sha256 : str
            The protocol's hash.
        criteria : mapping
            The protocol as plain data, to tell later what was changed.

        Returns
        -------
        list of JudgedBefore
            All protocols by which the subject was judged, the first of them first, this one included.
        """
        row = {"key": f"{subject}:{sha256}", "subject": subject, "sha256": sha256, "first_judged": _now("microseconds")}
        self._insert_new(_judged, "key", [{**row, "criteria": json.dumps(criteria, sort_keys=True)}])
        columns = (_judged.c.sha256, _judged.c.criteria, _judged.c.first_judged, _protocols.c.first_seen)
        seen = _judged.outerjoin(_protocols, _judged.c.sha256 == _protocols.c.sha256)
        query = sa.select(*columns).select_from(seen).where(_judged.c.subject == subject)
        with self._explained("read"), self._engine.connect() as connection:
            rows = connection.execute(query.order_by(_judged.c.first_judged, _judged.c.key)).all()
            return [JudgedBefore(r.sha256, r.first_seen or "", r.first_judged, json.loads(r.criteria)) for r in rows]

    def note_rate(self, model: str, rate: float) -> None:
        """Remember how many questions per second a model answered last, for estimates."""
        name = f"rate:{model}"
        with self._explained("written"), self._engine.begin() as connection:
            connection.execute(_meta.delete().where(_meta.c.name == name))
            connection.execute(_meta.insert().values(name=name, value=f"{rate:.6g}"))

    def rate(self, model: str) -> float | None:
        """Return the model's last rate in questions per second, if it was ever asked."""
        with self._explained("read"), self._engine.connect() as connection:
            value = connection.execute(sa.select(_meta.c.value).where(_meta.c.name == f"rate:{model}")).scalar()
        return None if value is None else float(value)

    def save_session(self, uid: str, record: Mapping[str, Any]) -> None:
        """Leave a record for the other processes of the same run; those of earlier runs are dropped."""
        with self._explained("written"), self._engine.begin() as connection:
            connection.execute(_sessions.delete())
            connection.execute(_sessions.insert().values(uid=uid, record=json.dumps(record)))

    def session(self, uid: str) -> dict[str, Any] | None:
        """Return the record another process of the same run left, if any."""
        with self._explained("read"), self._engine.connect() as connection:
            text = connection.execute(sa.select(_sessions.c.record).filter_by(uid=uid)).scalar()
            return None if text is None else dict(json.loads(text))

    def close(self) -> None:
        """Give the connections back."""
        self._engine.dispose()

    # --- helpers ----------------------------------------------------------------------------------------------------

    def _select(self, columns: Sequence[sa.Column[Any]], by: sa.Column[Any], values: Iterable[str]) -> Iterator[Any]:
        wanted = list(dict.fromkeys(values))
        for start in range(0, len(wanted), _CHUNK):
            with self._explained("read"), self._engine.connect() as connection:
                yield from connection.execute(sa.select(*columns).where(by.in_(wanted[start : start + _CHUNK])))

    def _insert_new(self, table: sa.Table, key: str, rows: list[dict[str, Any]]) -> None:
        """Insert the rows whose key is not there yet, in one commit.

        Looking first works on every database. Between the look and the insert another process may be faster (the
        workers of a run note the protocol at the same moment); then it is looked again.
        """
        if not rows:
            return
        with self._explained("written"):
            for attempt in range(_ATTEMPTS):
                try:
                    self._insert_missing(table, table.c[key], rows)
                    return
                except IntegrityError:
                    if attempt == _ATTEMPTS - 1:
                        raise

    def _insert_missing(self, table: sa.Table, column: sa.Column[Any], rows: list[dict[str, Any]]) -> None:
        with self._engine.begin() as connection:
            there: set[str] = set()
            for start in range(0, len(rows), _CHUNK):
                some = [row[column.name] for row in rows[start : start + _CHUNK]]
                there.update(connection.execute(sa.select(column).where(column.in_(some))).scalars())
            fresh = [row for row in rows if row[column.name] not in there]
            if fresh:
                connection.execute(table.insert(), fresh)


def _parsed_url(url: str) -> sa.URL:
    # A path is taken as it stands: read as a URL, "?" and "%" in a file name would mean something else.
    if "://" not in url:
        return sa.URL.create("sqlite", database=url)
    try:
        return sa.engine.make_url(url)
    except (SQLAlchemyError, ValueError):
        raise AuditkitError(f"--audit-store={_without_password(url)} is no database URL.", _PLACES) from None


def _engine(url: sa.URL) -> sa.Engine:
    shown = url.render_as_string(hide_password=True)
    try:
        return sa.create_engine(url)
    except SQLAlchemyError as error:
        raise AuditkitError(f"--audit-store={shown} names no kind of database known here: {error}.", _PLACES) from None
    except ImportError as error:
        raise AuditkitError(
            f"--audit-store={shown} needs a driver that is not installed: {error}.",
            f"Install it (pip install {error.name or 'DRIVER'}), or name another, as in postgresql+pg8000://.",
        ) from None


def _without_password(url: str) -> str:
    return re.sub(r"(://[^/@]*?):[^/@]*@", r"\1:***@", url)


def _use_write_ahead_log(connection: Any, _record: Any) -> None:
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


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _now(precision: str = "seconds") -> str:
    return datetime.now(UTC).isoformat(timespec=precision)
