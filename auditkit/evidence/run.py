"""The criteria, and everything about the run that may differ when it is repeated on the same data."""

from __future__ import annotations

from typing import Any

from auditkit.evidence.values import Number, Record, Verdict


class ProtocolInfo(Record):
    """The criteria, fixed before the data."""

    name: str
    sha256: str
    """Over ``criteria_sha256`` and ``entries``."""
    profile: str
    alpha: Number
    """Error rate per side."""
    criteria: dict[str, Any]
    """The protocol as resolved."""
    criteria_sha256: str = ""
    """Over ``criteria``."""
    entries: dict[str, str] = {}
    """Name (``perturbation pixelate``, ``wording quality.direct``, ``scorer quality``) -> SHA-256 of what defines it,
    for everything that the protocol covers."""
    toml: str = ""
    """The file as it was read; options of the command line are in ``criteria``, not here."""


class EarlierProtocol(Record):
    """Another protocol under which results for the same model and images existed before."""

    sha256: str
    """``unknown`` where the store's note of it was lost."""
    first_seen: str
    """When this store first saw it, by the clock of then."""
    first_judged: str
    """When these images were first judged by it."""
    changes: list[str] = []
    """What differs in the protocol used now: ``families.metadata.margin: 5.0, now 8.0``."""


class Reference(Record):
    """An earlier run that this one was held against."""

    role: str
    """``baseline`` (the previous version) or ``anchor`` (frozen)."""
    run: str
    """Its run id."""
    finished: str
    model: str
    revision: str = ""
    fingerprint: str = ""
    evidence_sha256: str
    """Over the bytes of its evidence.json."""
    verdict: Verdict | None = None
    """Its own verdict: no worse than a run that failed is not good."""
    sentence: str = ""
    """Its verdict in a sentence."""
    n_answers: int = 0
    """Answers on both sides."""
    n_same: int = 0
    """Of these, equal in score and outcome."""
    problem: str = ""
    """Why the two cannot be compared; empty when they can."""


class LookInfo(Record):
    """One look at the data (``--audit-looks``)."""

    number: int
    n_images: int
    """Images seen so far."""
    n_clusters: int
    """Patients seen so far."""
    n_questions: int
    """Questions that this look added."""
    n_settled: int
    """Audits settled by then; those shown for information never are."""
    levels: dict[str, Number] = {}
    """Nominal error per side at this look, by modality; a modality that is missing was not decided at this look."""


class Probes(Record):
    """How many questions the run needed and where the answers came from."""

    planned: int = 0
    asked: int = 0
    from_store: int = 0
    errors: int = 0
    saved: int = 0
    """Questions that early looks made unnecessary."""
    damaged: int = 0
    """Rows of the store that were not as they were written. None was used: what they held was asked or made again."""
    seconds: Number = None
    """Wall time of asking, rendering included."""


class Run(Record):
    """Everything about this run that may differ when it is repeated on the same data."""

    id: str
    started: str
    """ISO 8601, UTC."""
    finished: str
    command: str = ""
    git: dict[str, str | bool | None] = {}
    """In a checkout: ``commit``; ``dirty``, whether anything but outputs of runs differed from it when the run began;
    ``reason``, why one of them is not known or the history is not there."""
    packages: dict[str, str] = {}
    machine: dict[str, str | int] = {}
    probes: Probes = Probes()
    protocol_first_seen: str = ""
    """When this protocol's hash was first seen by this store: before the first answer."""
    protocol_first_judged: str = ""
    """When this model and these images were first judged by this protocol."""
    earlier_protocols: list[EarlierProtocol] = []
    """Protocols by which the same model and images were judged before, in the order of the store's notes, whatever the
    clock said: this one was changed after the first look."""
