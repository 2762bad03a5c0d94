"""Whether a record agrees with itself: its bytes, its verdicts, its counts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError

from auditkit.errors import AuditkitError
from auditkit.evidence import ALL, Audit, Evidence, Outcomes, overall, whole_verdict
from auditkit.evidence.reading import Impossible, OtherSchema, parse_evidence
from auditkit.measure.faults import count_faults, differences, twice
from auditkit.protocol.declared import declared_ids
from auditkit.records.verify.checks import OPEN, Check, settled
from auditkit.records.verify.criteria import same_version
from auditkit.records.verify.described import limit_faults

PART = "record"


def sha256(record: bytes) -> str:
    """Return the SHA-256 of a record's bytes, 64 hex digits."""
    return hashlib.sha256(record).hexdigest()


def read_bytes(path: Path) -> bytes:
    """Return a file's content; raises `AuditkitError` when it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise AuditkitError(f"{path} cannot be read: {error.strerror or error}.") from None


def read_record(record: bytes, name: str) -> tuple[Evidence | None, Check]:
    """Return the record, where it fits the schema, and whether its bytes are those that auditkit writes.

    Parameters
    ----------
    record : bytes
        The content of an evidence.json.
    name : str
        Where it was found, for the messages.

    Raises
    ------
    AuditkitError
        When it is not JSON at all.
    """
    try:
        text = record.decode("utf-8")
        json.loads(text)
    except (ValueError, RecursionError) as error:
        raise AuditkitError(f"{name} holds no record: {error}.", "Give what a run of auditkit wrote.") from None
    try:
        evidence = parse_evidence(text, name)
    except OtherSchema as error:
        return None, Check(PART, OPEN, str(error))
    except Impossible as error:
        return None, settled(PART, f"{name} is no record", [error.problem])
    except ValidationError as error:
        faults = [f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors()]
        return None, settled(PART, f"{name} does not fit the schema", faults)
    # Keys given twice, spare digits and values that no field takes would be read as something other than they show.
    plain = evidence.model_dump(mode="json", exclude_unset=True)
    written = json.dumps(plain, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    faults = [] if written == text else ["the same content, written by auditkit, has other bytes"]
    return evidence, settled(PART, f"{name} fits the schema; its SHA-256 is {sha256(record)}", faults)


def check_record(evidence: Evidence) -> list[Check]:
    """Compare what the record says with what else it says."""
    return [
        settled(PART, "the overall verdict follows from the audits", list(_verdict_faults(evidence))),
        settled(PART, "the audits follow from their cells", [f for a in evidence.audits for f in _audit_faults(a)]),
        settled(PART, "the counts follow from the answers", list(count_faults(evidence))),
        _limits(evidence),
    ]


def _limits(evidence: Evidence) -> Check:
    """Another auditkit may say in other words what a run cannot tell."""
    words, faults = "the limits that follow from data and audits are said", limit_faults(evidence)
    if faults and not same_version(evidence):
        return Check(
            PART, OPEN, f"{words} otherwise than by this auditkit, which is not that of the run", tuple(faults)
        )
    return settled(PART, words, faults)


def _verdict_faults(evidence: Evidence) -> Iterator[str]:
    ran = [audit.id for audit in evidence.audits]
    yield from twice("audit", ran)
    verdict, sentence = whole_verdict(evidence.audits, evidence.not_run)
    yield from differences(
        {"verdict": evidence.verdict, "sentence": evidence.sentence}, {"verdict": verdict, "sentence": sentence}
    )
    declared = declared_ids(
        evidence.protocol.criteria,
        [reference.role for reference in evidence.references],
        [counts.modality for counts in evidence.data.modalities],
    )
    silent = sorted(set(declared).difference(ran, evidence.not_run))
    if silent:
        yield f"not_run: {len(silent)} audits that auditkit ships are neither in the record nor named as not run: " + (
            ", ".join(silent[:5])
        )
    for name in sorted(set(ran).intersection(evidence.not_run)):
        yield f"not_run: {name} was run"


def _audit_faults(audit: Audit) -> Iterator[str]:
    """Hold an audit against its required cells; one that could not be judged has none."""
    deciding = [cell for cell in audit.parts if cell.required or audit.shown]
    required = [cell for cell in deciding if cell.required]
    if not audit.parts and audit.verdict == "ERROR":
        return
    total = Outcomes()
    for cell in [cell for cell in deciding if cell.stratum.level != ALL] or deciding:
        total = total + cell.outcomes
    p_pass = [cell.p_pass for cell in required if cell.p_pass is not None]
    p_fail = [cell.p_fail_holm for cell in required if cell.p_fail_holm is not None]
    found = {
        "verdict": overall(cell.verdict for cell in deciding),
        "outcomes": total.model_dump(),
        "p_pass": max(p_pass, default=None),
        "p_fail": min(p_fail, default=None),
    }
    recorded = audit.model_dump(include=set(found))
    yield from (f"{audit.id}: {fault}" for fault in differences(recorded, found))
