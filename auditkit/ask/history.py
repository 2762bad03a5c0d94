"""By which protocols a model and its images were judged, in the order of the store's notes: no clock is asked.

The notes about a subject are numbered, and each holds the digest of the one before. So a clock that was set back
changes no order, and a note that was lost, changed or taken out from among them is missed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import sqlalchemy as sa

from auditkit.ask import tables

UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class JudgedBefore:
    """A protocol by which a model and its images were judged.

    Attributes
    ----------
    sha256 : str
        Its hash; ``"unknown"`` where the note is lost.
    first_seen, first_judged : str
        What the clock said when the store first saw it, and when it was first applied to this subject.
    criteria : mapping or None
        The protocol as plain data; None where the note is lost or not what it was.
    """

    sha256: str
    first_seen: str
    first_judged: str
    criteria: Mapping[str, Any] | None


def about(subject: str) -> sa.ColumnElement[bool]:
    """Return which rows are notes about a subject, also where one of the two places that say so is damaged."""
    table = tables.judged.c
    return sa.or_(table.subject == subject, table.key.startswith(f"{subject}:", autoescape=True))


def in_order(subject: str, rows: Sequence[sa.Row[Any]], first_seen: Mapping[str, str]) -> list[JudgedBefore]:
    """Return the notes about a subject, the first of them first.

    Parameters
    ----------
    subject : str
        Model and images.
    rows : sequence of rows of ``tables.judged``
        All notes about it, damaged ones too, in any order.
    first_seen : mapping of str to str
        By the protocol's hash.
    """
    numbered: dict[int, sa.Row[Any]] = {}
    strays = []
    for row in rows:
        number = _number(subject, row)
        if number is None:
            strays.append(row)  # nobody knows when: it counts as the first
        else:
            numbered[number] = row
    places = range(1, max(numbered, default=0) + 1)
    chain = [*strays, *(numbered.get(place) for place in places)]
    return [_known(row, follower, first_seen) for row, follower in pairwise([*chain, None])]


def next_note(subject: str, sha256: str, criteria: str, now: str, rows: Sequence[sa.Row[Any]]) -> dict[str, Any]:
    """Return the row that notes a protocol after all others.

    Parameters
    ----------
    subject, rows
        As for `in_order`.
    sha256, criteria, now : str
        The protocol's hash, the protocol as JSON, and what the clock says.
    """
    numbered = {number: row for row in rows if (number := _number(subject, row)) is not None}
    last = max(numbered, default=0)
    note = {
        "key": f"{subject}:{last + 1}",
        "subject": subject,
        "sha256": sha256,
        "criteria": criteria,
        "first_judged": now,
        "before": str(numbered[last].row_sha256) if last else "",
    }
    return tables.with_digest(tables.judged, note)


def _number(subject: str, row: sa.Row[Any]) -> int | None:
    own, _, number = str(row.key).rpartition(":")
    known = own == subject and number.isascii() and number.isdigit() and number[0] != "0" and len(number) < 10
    return int(number) if known else None


def _known(row: sa.Row[Any] | None, follower: sa.Row[Any] | None, first_seen: Mapping[str, str]) -> JudgedBefore:
    if row is None:
        return JudgedBefore(UNKNOWN, "", "", None)
    # The one that follows was written when this one was as it was; where it is damaged itself it tells nothing.
    other = follower is not None and tables.is_sound(follower) and follower.before != row.row_sha256
    criteria = None if other or not tables.is_sound(row) else json.loads(row.criteria)
    return JudgedBefore(str(row.sha256), first_seen.get(str(row.sha256), ""), str(row.first_judged), criteria)
