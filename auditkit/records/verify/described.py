"""Whether a record describes its run as the run itself did: held against the digests that the store noted then."""

from __future__ import annotations

from collections.abc import Sequence

from auditkit.ask.store import Store
from auditkit.evidence import Evidence
from auditkit.records.verify.checks import OPEN, Check, settled
from auditkit.run.described import digests_of
from auditkit.run.limits import limits
from auditkit.words import not_embedded_sentence

PART = "run"


def following(evidence: Evidence) -> list[str]:
    """Return the limits that follow from what else a record says: its last ones."""
    return [*map(not_embedded_sentence, evidence.not_embedded), *limits(evidence.data, evidence.audits)]


def limit_faults(evidence: Evidence) -> list[str]:
    """Return the limits that follow from a record and are not its last ones."""
    expected = following(evidence)
    recorded = evidence.limits[-len(expected) :]
    return [f"limits: not the record's, or not in its place: {said}" for said in _unlike(expected, recorded)]


def check_described(evidence: Evidence, store: Store) -> Check:
    """Hold what a record says of model, data and run against what the store noted when the run ended.

    Parameters
    ----------
    evidence : Evidence
        The record.
    store : Store
        Of the run.
    """
    own = digests_of(evidence, evidence.limits[: -len(following(evidence))])
    noted = store.described(evidence.answers.sha256)
    if not noted:
        why = (
            "the store noted no run with these answers, so what the record says of model, data and run is not compared"
        )
        return Check(PART, OPEN, f"{why}: give that of the run with --store")
    # The same answers judged again are a run of their own.
    closest = min(([name for name in sorted({*own, *one}) if own.get(name) != one.get(name)] for one in noted), key=len)
    faults = [f"{name}: not as the run noted it in the store" for name in closest]
    return settled(PART, "what the record says of model, data and run is what the run noted in the store", faults)


def _unlike(expected: Sequence[str], recorded: Sequence[str]) -> list[str]:
    if len(expected) != len(recorded):
        return [f"{len(recorded)} sentences, expected {len(expected)}"]
    return [one for one, other in zip(expected, recorded, strict=True) if one != other]
