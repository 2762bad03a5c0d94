"""Every answer, once, durable: a small database addressed by content.

One commit per batch, so that a killed run loses at most the batch in flight. Errors are never stored as answers.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from auditkit.ask import history, tables
from auditkit.ask.database import Database
from auditkit.ask.half import DTYPE, Half, pack, unpack
from auditkit.ask.history import JudgedBefore
from auditkit.images.item import Item, Picture, address_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


_REASONS = ("stop", "length")


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """An answer as the model gave it."""

    text: str
    finish_reason: str
    logprobs: Mapping[str, float] | None = None


NO_RENDERING = "too small"
"""Stands in place of a digest where a perturbation cannot be applied to the picture."""
UNREADABLE = "unreadable"
"""Stands there where a picture in place of the item's own cannot be decoded; never stored, as it may be mended."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """What is remembered of a rendered image: its pixels' digest and its measured dose, or that there is none."""

    digest: str
    ssim: float | None
    psnr: float | None

    @property
    def exists(self) -> bool:
        """Whether there is such a picture: one that is too small, or that cannot be decoded, is not asked about."""
        return self.digest not in (NO_RENDERING, UNREADABLE)


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
        SHA-256 over the bytes the pixels come from and the reader's version (`Item.content`).
    unit : str
        What ``cluster`` rests on, as the record has it.
    given : tuple of (str, int, str)
        Name and level of the perturbations that show another picture, each with that picture's address.
    pictures : tuple of str
        Addresses of the pictures of an item that has several.
    second : tuple of (str, int, str)
        As `given`, of its second picture.
    versions : str
        As `Item.versions`.
    """

    id: str
    cluster: str
    modality: str
    synthetic: bool
    content: str
    unit: str = "patient"
    given: tuple[tuple[str, int, str], ...] = ()
    pictures: tuple[str, ...] = ()
    second: tuple[tuple[str, int, str], ...] = ()
    versions: str = ""

    @property
    def address(self) -> str:
        """As `Item.address`."""
        return address_of(self.content, self.versions)


def noted(records: Iterable[Item], unreadable: Container[str] = ()) -> list[NotedImage]:
    """Return what is noted of a run's images, so that its record can be checked without the images.

    Parameters
    ----------
    records : iterable of Item
        The images.
    unreadable : container of str
        Addresses of pictures that could not be shown in place of others.
    """
    return [_noted(record, unreadable) for record in records]


def _noted(record: Item, unreadable: Container[str]) -> NotedImage:
    first, second = (*(_given(picture, unreadable) for picture in record.pictures), (), ())[:2]
    several = tuple(picture.content for picture in record.pictures) if len(record.pictures) > 1 else ()
    return NotedImage(
        record.id,
        record.cluster,
        record.modality,
        record.synthetic,
        record.content,
        record.unit,
        given=first,
        pictures=several,
        second=second,
        versions=record.versions,
    )


def _given(picture: Picture, unreadable: Container[str]) -> tuple[tuple[str, int, str], ...]:
    alone = ((c[0], other.content) for c, other in picture.given.items() if len(c) == 1)
    return tuple(sorted((step.name, step.level, content) for step, content in alone if content not in unreadable))


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
        self._insert_new(tables.answers, rows)

    def answers(self, keys: Iterable[str]) -> dict[str, StoredAnswer]:
        """Return the stored answers among the keys, without those that are damaged."""
        rows = self._rows(tables.answers, tables.answers.c.key, keys)
        return {row.key: StoredAnswer(row.text, row.finish_reason, _logprobs(row)) for row in rows}

    def known(self, keys: Iterable[str]) -> set[str]:
        """Return which of the keys have an answer that `answers` gives: a damaged one is to be asked again."""
        return {row.key for row in self._rows(tables.answers, tables.answers.c.key, keys)}

    def _fits(self, table: sa.Table, row: sa.Row[Any]) -> bool:
        if table is tables.embeddings:
            return len(row.blob) == 2 * int(row.d)
        if table is not tables.answers:
            return True
        try:
            return isinstance(row.text, str) and row.finish_reason in _REASONS and _are_numbers(_logprobs(row))
        except (TypeError, ValueError, RecursionError):
            return False

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
        self._insert_new(tables.embeddings, rows)

    def embeddings(self, keys: Iterable[str]) -> dict[str, NDArray[np.float64]]:
        """Return the stored embeddings among the keys, each of shape (d,), without those that are damaged."""
        rows = self._rows(tables.embeddings, tables.embeddings.c.key, keys)
        with self._explained("read"):
            return {row.key: unpack(Half(row.d, row.scale, row.blob)) for row in rows}

    def known_embeddings(self, keys: Iterable[str]) -> set[str]:
        """Return which of the keys have an embedding that `embeddings` gives."""
        return {row.key for row in self._rows(tables.embeddings, tables.embeddings.c.key, keys)}

    # --- what images look like --------------------------------------------------------------------------------------

    def add_renders(self, renders: Mapping[str, Rendered]) -> None:
        """Remember digests and doses of rendered images; an infinite PSNR (identical images) is kept as null."""
        rows = [
            {"key": k, "digest": r.digest, "ssim": _finite(r.ssim), "psnr": _finite(r.psnr)}
            for k, r in renders.items()
            if r.digest != UNREADABLE
        ]
        self._insert_new(tables.renders, rows)

    def renders(self, keys: Iterable[str]) -> dict[str, Rendered]:
        """Return what is known of rendered images."""
        rows = self._rows(tables.renders, tables.renders.c.key, keys)
        return {row.key: Rendered(row.digest, row.ssim, row.psnr) for row in rows}

    def add_sources(self, sources: Mapping[str, str]) -> None:
        """Remember which pixels (digest) a content address decodes to."""
        self._insert_new(tables.sources, [{"content": c, "digest": d} for c, d in sources.items()])

    def sources(self, contents: Iterable[str]) -> dict[str, str]:
        """Return the pixel digests known for content addresses."""
        return {row.content: row.digest for row in self._rows(tables.sources, tables.sources.c.content, contents)}

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
        self._insert_new(tables.manifests, [{"key": key, "sha256": sha256, "images": text}])

    def manifests(self, sha256: str) -> list[tuple[NotedImage, ...]]:
        """Return what was noted of data with this hash, each sorted by id; empty when nothing was."""
        found = {row.key: row.images for row in self._rows(tables.manifests, tables.manifests.c.sha256, [sha256])}
        with self._explained("read"):
            return [tuple(map(_noted_image, json.loads(found[key]))) for key in sorted(found)]

    def note_described(self, answers: str, parts: Mapping[str, str]) -> None:
        """Note how a run describes itself: digests of the parts of its record, under the SHA-256 of its answers."""
        text = json.dumps(dict(parts), sort_keys=True)
        key = hashlib.sha256(f"{answers}{text}".encode()).hexdigest()
        self._insert_new(tables.described, [{"key": key, "answers": answers, "parts": text}])

    def described(self, answers: str) -> list[dict[str, str]]:
        """Return what runs with these answers noted of themselves."""
        rows = list(self._rows(tables.described, tables.described.c.answers, [answers]))
        with self._explained("read"):
            return [dict(json.loads(row.parts)) for row in rows]

    # --- protocol and sessions --------------------------------------------------------------------------------------

    def protocol_first_seen(self, sha256: str) -> str:
        """Return when this protocol was first seen here, noting it now if never."""
        self._insert_new(tables.protocols, [{"sha256": sha256, "first_seen": _now()}])
        return self.when_first_seen(sha256)

    def when_first_seen(self, sha256: str) -> str:
        """Return when this protocol was first seen here; empty if never."""
        found = self._row(tables.protocols, sha256)
        return "" if found is None else str(found.first_seen)

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
            All protocols by which the subject was judged in the order of their notes, this one included.
        """
        plain, now = json.dumps(criteria, sort_keys=True), _now()

        def note(connection: sa.Connection) -> None:
            rows = connection.execute(sa.select(tables.judged).where(history.about(subject))).all()
            if not any(row.sha256 == sha256 for row in rows):
                connection.execute(tables.judged.insert(), history.next_note(subject, sha256, plain, now, rows))

        self._repeated(note)  # another process may take the same number
        return self.judged(subject)

    def judged(self, subject: str) -> list[JudgedBefore]:
        """Return all protocols by which a subject was judged, the first of them first; see `note_judged`."""
        with self._explained("read"), self._engine.connect() as connection:
            rows = connection.execute(sa.select(tables.judged).where(history.about(subject))).all()
        seen = self._rows(tables.protocols, tables.protocols.c.sha256, [str(row.sha256) for row in rows])
        times = {row.sha256: row.first_seen for row in seen}
        with self._explained("read"):
            return history.in_order(subject, rows, times)

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
        try:
            return None if value is None else float(value)
        except ValueError:
            return None  # it only tells how long a run may take

    def save_session(self, uid: str, record: Mapping[str, Any]) -> None:
        """Leave a record for the other processes of the same run; those of earlier runs are dropped."""
        with self._explained("written"), self._engine.begin() as connection:
            connection.execute(tables.sessions.delete())
            row = tables.with_digest(tables.sessions, {"uid": uid, "record": json.dumps(record)})
            connection.execute(tables.sessions.insert().values(row))

    def session(self, uid: str) -> dict[str, Any] | None:
        """Return the record another process of the same run left, if any."""
        found = self._row(tables.sessions, uid)
        return None if found is None else dict(json.loads(found.record))


def _noted_image(entry: Sequence[Any]) -> NotedImage:
    found = NotedImage(*entry)
    given, second = (
        tuple((name, level, content) for name, level, content in some) for some in (found.given, found.second)
    )
    return replace(found, given=given, pictures=tuple(found.pictures), second=second)


def _logprobs(row: sa.Row[Any]) -> dict[str, float] | None:
    return None if row.logprobs is None else json.loads(row.logprobs)


def _are_numbers(value: object) -> bool:
    if value is None:
        return True
    return isinstance(value, dict) and all(type(number) in (int, float) for number in value.values())


def _finite(value: float | None) -> float | None:
    return float(value) if value is not None and math.isfinite(value) else None


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
