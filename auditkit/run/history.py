"""Which protocols were applied to the same model and images before, as the record says it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from auditkit.ask.history import JudgedBefore
from auditkit.evidence import EarlierProtocol
from auditkit.protocol.changes import changes

DAMAGED = "not known: the store's note of it is damaged or was taken out"


def earlier_protocols(before: Sequence[JudgedBefore], criteria: Mapping[str, Any]) -> list[EarlierProtocol]:
    """Return what the record says of the protocols applied before.

    Parameters
    ----------
    before : sequence of JudgedBefore
        Those before this run's own, the first of them first.
    criteria : mapping
        The protocol applied now, as plain data.
    """
    return [
        EarlierProtocol(
            sha256=known.sha256,
            first_seen=known.first_seen,
            first_judged=known.first_judged,
            changes=[DAMAGED] if known.criteria is None else changes(known.criteria, criteria),
        )
        for known in before
    ]
