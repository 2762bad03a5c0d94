"""Whether the criteria are those of the protocol's text, and their hash is theirs."""

from __future__ import annotations

from collections.abc import Iterator

from auditkit.ask.keys import digest_of
from auditkit.ask.requests import model_identity
from auditkit.ask.store import Store
from auditkit.errors import AuditkitError
from auditkit.evidence import Evidence
from auditkit.measure.faults import differences
from auditkit.measure.prompts import prompt_info
from auditkit.protocol.catalogue import Catalogue
from auditkit.protocol.changes import ABSENT, changes
from auditkit.protocol.hash import digest
from auditkit.protocol.read import read_recorded
from auditkit.protocol.recorded import own_protocol
from auditkit.records.verify.checks import OPEN, Check, settled
from auditkit.run.history import earlier_protocols
from auditkit.version import code_version
from auditkit.words import some_of

PART = "protocol"


def same_version(evidence: Evidence) -> bool:
    """Whether the auditkit installed is, to the letter, the one that made the record."""
    return evidence.run.packages.get("auditkit") == code_version()


def check_protocol(evidence: Evidence) -> list[Check]:
    """Go from the protocol's text to the criteria, from these to their hash, and from the hashes to the protocol's."""
    return [_text(evidence), _hashes(evidence), _entries(evidence)]


def _text(evidence: Evidence) -> Check:
    recorded = evidence.protocol
    if not recorded.toml:
        return Check(PART, OPEN, "the record holds no text of the protocol to compare the criteria with")
    looks = recorded.criteria.get("looks")
    number = looks.get("number") if isinstance(looks, dict) else None
    words = "the criteria are those of the protocol's text, with the profile and the looks of the run"
    try:
        resolved = read_recorded(recorded.toml, recorded.profile, number, recorded.criteria)
    except AuditkitError as error:
        return settled(PART, words, [error.problem])
    criteria = resolved.model_dump(mode="json")
    if criteria == recorded.criteria:
        return Check(PART, "ok", words)
    lines = changes(recorded.criteria, criteria)
    if all(f": {ABSENT}, now " in line for line in lines):
        why = "this auditkit has criteria that the record's had not, so that the text means more than it did then"
        return Check(PART, OPEN, f"{why}: use the auditkit that made the record", tuple(lines))
    return settled(PART, words, [line.replace(", now ", " in the record, but by the text ", 1) for line in lines])


def _hashes(evidence: Evidence) -> Check:
    recorded = evidence.protocol
    words = f"the protocol's SHA-256 is that of its criteria and entries: {recorded.sha256}"
    return settled(PART, words, list(_hash_faults(evidence)), "the protocol's SHA-256 does not follow from its parts")


def _hash_faults(evidence: Evidence) -> Iterator[str]:
    recorded = evidence.protocol
    parts = {"criteria": recorded.criteria_sha256, **recorded.entries}
    found = {"criteria_sha256": digest(recorded.criteria), "sha256": digest(parts)}
    yield from differences(recorded.model_dump(include=set(found)), found)
    try:
        protocol = own_protocol(evidence)
    except AuditkitError as error:
        yield error.problem
        return
    named = {"name": protocol.name, "profile": protocol.profile, "alpha": protocol.alpha}
    yield from differences(recorded.model_dump(include=set(named)), named)


def _entries(evidence: Evidence) -> Check:
    """Other words or laws are not a forgery, but the answers cannot be found again with them."""
    words = "the questions and perturbations are those of the auditkit installed"
    recorded = evidence.protocol.entries
    try:
        protocol = own_protocol(evidence)
        installed = protocol.entries
        other = sorted(name for name in {*recorded, *installed} if recorded.get(name) != installed.get(name))
        faults = [] if other else list(_prompt_faults(evidence, protocol.catalogue))
    except AuditkitError as error:
        return Check(PART, OPEN, f"questions and perturbations: {error.problem}")
    if other:
        return Check(
            PART,
            OPEN,
            f"the auditkit installed has other entries than the record was made with, {some_of(other)}: install "
            f"auditkit {evidence.run.packages.get('auditkit', 'of that time')}, commit "
            f"{evidence.run.git.get('commit', 'unknown')}, to compare the questions",
        )
    return settled(PART, words, faults)


def _prompt_faults(evidence: Evidence, catalogue: Catalogue) -> Iterator[str]:
    """Compare the prompts shown with those that the entries give."""
    for shown in evidence.prompts:
        task, _, wording = shown.id.rpartition(".")
        try:
            known = prompt_info(catalogue, task, wording)
        except AuditkitError as error:
            yield f"{shown.id}: {error.problem}"
            continue
        yield from (f"{shown.id}: {fault}" for fault in differences(shown.model_dump(), known.model_dump()))


def check_history(evidence: Evidence, store: Store) -> Check:
    """Hold when the criteria were first seen and applied against what the store noted then.

    Parameters
    ----------
    evidence : Evidence
        The record.
    store : Store
        Where the run noted it.
    """
    run, protocol = evidence.run, evidence.protocol.sha256
    words = f"the protocol was first seen {run.protocol_first_seen}, first applied {run.protocol_first_judged}"
    judged = store.judged(digest_of(model_identity(evidence.model), evidence.data.sha256))  # type: ignore[arg-type]
    place = next((i for i, known in enumerate(judged) if known.sha256 == protocol), None)
    if place is None:
        why = "the store did not note when these criteria were applied to these images"
        left = " (of runs with images that cannot be decoded it notes all images together)"
        return Check(PART, OPEN, why + (left if evidence.data.n_left_out else "") + ": look at the times by eye")
    if any(known.criteria is None for known in judged[: place + 1]):
        why = "the store's notes of protocols are damaged, or one was taken out"
        return Check(PART, OPEN, f"{why}: which were applied to these images before cannot be told")
    earlier = earlier_protocols(judged[:place], evidence.protocol.criteria)
    found = {
        "protocol_first_seen": judged[place].first_seen,
        "protocol_first_judged": judged[place].first_judged,
        "earlier_protocols": [one.model_dump() for one in earlier],
    }
    return settled(PART, words, list(differences(run.model_dump(include=set(found)), found)))
