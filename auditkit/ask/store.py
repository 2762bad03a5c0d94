"""Every answer, once, durable: a small database addressed by content.

One commit per batch, so that a killed run loses at most the batch in flight. Errors are never stored as answers.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from auditkit.ask import tables
from auditkit.ask.database import Database
from auditkit.ask.half import DTYPE, Half, pack, unpack

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


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


@dataclass(frozen=True, slots=True, order=True)
class NotedImage:
    """An image of a run, with the address of its bytes, which no record holds.

    Attributes
    ----------
    id, cluster : str
        Salted hashes, as the record has them.
    modality : str
        As the record has it.
    synthetic : bool
        True for phantoms.
    content : str
        SHA-256 over the bytes the pixels come from and the reader's version (`images.record.ImageRecord.content`).
    unit : str
        What ``cluster`` rests on, as the record has it.
    """

    id: str
    cluster: str
    modality: str
    synthetic: bool
    content: str
    unit: str = "patient"


class Store(Database):
    """Answers, embeddings, and what is needed to find them again without rendering.

    Parameters
    ----------
    url : str
        SQLAlchemy URL, or the path of an SQLite file (created with its folder when missing).

    Raises
    ------
    AuditkitError
        When the store cannot be opened, is damaged, or was written by another schema version.
    """

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
        self._insert_new(tables.answers, "key", rows)

    def answers(self, keys: Iterable[str]) -> dict[str, StoredAnswer]:
        """Return the stored answers among the keys."""
        columns = (
            tables.answers.c.key,
            tables.answers.c.text,
            tables.answers.c.finish_reason,
            tables.answers.c.logprobs,
        )
        with self._explained("read"):
            return {
                row.key: StoredAnswer(row.text, row.finish_reason, json.loads(row.logprobs) if row.logprobs else None)
                for row in self._select(columns, tables.answers.c.key, keys)
            }

    def known(self, keys: Iterable[str]) -> set[str]:
        """Return which of the keys have an answer."""
        return {row.key for row in self._select((tables.answers.c.key,), tables.answers.c.key, keys)}

    def count(self) -> int:
        """Return the number of answers held."""
        with self._explained("read"), self._engine.connect() as connection:
            return int(connection.execute(sa.select(sa.func.count()).select_from(tables.answers)).scalar_one())

    # --- embeddings -------------------------------------------------------------------------------------------------

    def add_embeddings(self, vectors: Mapping[str, NDArray[np.floating[Any]]], kind: str, model: str) -> None:
        """Commit embeddings as float16 (see `half.pack`); a key that is there already is left as it is.

        Parameters
        ----------
        vectors : mapping of str to ndarray of float, shape (d,)
            By key (`keys.embedding_key`).
        kind : str
            Which of the model's embeddings, ``"vision"`` or ``"language"``.
        model : str
            Its name, for people who look into the database.

        Raises
        ------
        ValueError
            When a vector has another shape, NaN or infinities; nothing is stored then.
        """
        now = _now()
        rows = [
            {
                "key": key,
                "kind": kind,
                "d": half.d,
                "dtype": DTYPE,
                "scale": half.scale,
                "blob": half.blob,
                "model": model,
                "created": now,
            }
            for key, half in ((key, pack(vector)) for key, vector in vectors.items())
        ]
        self._insert_new(tables.embeddings, "key", rows)

    def embeddings(self, keys: Iterable[str]) -> dict[str, NDArray[np.float64]]:
        """Return the stored embeddings among the keys, each of shape (d,)."""
        table = tables.embeddings.c
        columns = (table.key, table.d, table.scale, table.blob)
        with self._explained("read"):
            return {r.key: unpack(Half(r.d, r.scale, r.blob)) for r in self._select(columns, table.key, keys)}

    def known_embeddings(self, keys: Iterable[str]) -> set[str]:
        """Return which of the keys have an embedding."""
        column = tables.embeddings.c.key
        return {row.key for row in self._select((column,), column, keys)}

    # --- what images look like --------------------------------------------------------------------------------------

    def add_renders(self, renders: Mapping[str, Rendered]) -> None:
        """Remember digests and doses of rendered images; an infinite PSNR (identical images) is kept as null."""
        rows = [
            {"key": k, "digest": r.digest, "ssim": _finite(r.ssim), "psnr": _finite(r.psnr)} for k, r in renders.items()
        ]
        self._insert_new(tables.renders, "key", rows)

    def renders(self, keys: Iterable[str]) -> dict[str, Rendered]:
        """Return what is known of rendered images."""
        columns = (tables.renders.c.key, tables.renders.c.digest, tables.renders.c.ssim, tables.renders.c.psnr)
        return {r.key: Rendered(r.digest, r.ssim, r.psnr) for r in self._select(columns, tables.renders.c.key, keys)}

    def add_sources(self, sources: Mapping[str, str]) -> None:
        """Remember which pixels (digest) a content address decodes to."""
        self._insert_new(tables.sources, "content", [{"content": c, "digest": d} for c, d in sources.items()])

    def sources(self, contents: Iterable[str]) -> dict[str, str]:
        """Return the pixel digests known for content addresses."""
        columns = (tables.sources.c.content, tables.sources.c.digest)
        return {row.content: row.digest for row in self._select(columns, tables.sources.c.content, contents)}

    def note_manifest(self, sha256: str, images: Iterable[NotedImage]) -> None:
        """Note which images a run was judged on.

        Parameters
        ----------
        sha256 : str
            The hash of the data in the run's record. Other ids, patients or modalities of the same bytes make a
            manifest of their own beside the first.
        images : iterable of NotedImage
            All of them.
        """
        text = json.dumps([astuple(image) for image in sorted(images)])
        key = hashlib.sha256(f"{sha256}{text}".encode()).hexdigest()
        self._insert_new(tables.manifests, "key", [{"key": key, "sha256": sha256, "images": text}])

    def manifests(self, sha256: str) -> list[tuple[NotedImage, ...]]:
        """Return what was noted of data with this hash, each sorted by id; empty when nothing was."""
        columns = (tables.manifests.c.key, tables.manifests.c.images)
        with self._explained("read"):
            found = sorted(self._select(columns, tables.manifests.c.sha256, [sha256]))
            return [tuple(NotedImage(*entry) for entry in json.loads(row.images)) for row in found]

    # --- protocol and sessions --------------------------------------------------------------------------------------

    def protocol_first_seen(self, sha256: str) -> str:
        """Return when this protocol was first seen here, noting it now if never."""
        self._insert_new(tables.protocols, "sha256", [{"sha256": sha256, "first_seen": _now()}])
        return self.when_first_seen(sha256)

    def when_first_seen(self, sha256: str) -> str:
        """Return when this protocol was first seen here; empty if never."""
        with self._explained("read"), self._engine.connect() as connection:
            found = connection.execute(sa.select(tables.protocols.c.first_seen).filter_by(sha256=sha256)).scalar()
            return found or ""

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
        self._insert_new(tables.judged, "key", [{**row, "criteria": json.dumps(criteria, sort_keys=True)}])
        return self.judged(subject)

    def judged(self, subject: str) -> list[JudgedBefore]:
        """Return all protocols by which a subject was judged, the first of them first; see `note_judged`."""
        columns = (
            tables.judged.c.sha256,
            tables.judged.c.criteria,
            tables.judged.c.first_judged,
            tables.protocols.c.first_seen,
        )
        seen = tables.judged.outerjoin(tables.protocols, tables.judged.c.sha256 == tables.protocols.c.sha256)
        query = sa.select(*columns).select_from(seen).where(tables.judged.c.subject == subject)
        with self._explained("read"), self._engine.connect() as connection:
            rows = connection.execute(query.order_by(tables.judged.c.first_judged, tables.judged.c.key)).all()
            return [JudgedBefore(r.sha256, r.first_seen or "", r.first_judged, json.loads(r.criteria)) for r in rows]

    def note_rate(self, model: str, rate: float) -> None:
        """Remember how many questions per second a model answered last, for estimates."""
        name = f"rate:{model}"
        with self._explained("written"), self._engine.begin() as connection:
            connection.execute(tables.meta.delete().where(tables.meta.c.name == name))
            connection.execute(tables.meta.insert().values(name=name, value=f"{rate:.6g}"))

    def rate(self, model: str) -> float | None:
        """Return the model's last rate in questions per second, if it was ever asked."""
        with self._explained("read"), self._engine.connect() as connection:
            value = connection.execute(
                sa.select(tables.meta.c.value).where(tables.meta.c.name == f"rate:{model}")
            ).scalar()
        return None if value is None else float(value)

    def save_session(self, uid: str, record: Mapping[str, Any]) -> None:
        """Leave a record for the other processes of the same run; those of earlier runs are dropped."""
        with self._explained("written"), self._engine.begin() as connection:
            connection.execute(tables.sessions.delete())
            connection.execute(tables.sessions.insert().values(uid=uid, record=json.dumps(record)))

    def session(self, uid: str) -> dict[str, Any] | None:
        """Return the record another process of the same run left, if any."""
        with self._explained("read"), self._engine.connect() as connection:
            text = connection.execute(sa.select(tables.sessions.c.record).filter_by(uid=uid)).scalar()
            return None if text is None else dict(json.loads(text))


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _now(precision: str = "seconds") -> str:
    return datetime.now(UTC).isoformat(timespec=precision)
