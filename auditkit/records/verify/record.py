"""Whether a record agrees with itself: its bytes, its verdicts, its counts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from pydantic import ValidationError

from auditkit.errors import AuditkitError
from auditkit.evidence import SCHEMA_VERSION, Audit, Evidence, Outcomes, overall
from auditkit.measure.columns import ALL
from auditkit.protocol.shipped import SHIPPED
from auditkit.records.faults import count_faults, differences, twice
from auditkit.records.verify.checks import OPEN, Check, settled
from auditkit.run.assemble import whole_verdict

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
        When it is no JSON at all.
    """
    try:
        text = record.decode("utf-8")
        tree = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise AuditkitError(f"{name} holds no record: {error}.", "Give what a run of auditkit wrote.") from None
    try:
        evidence = Evidence.model_validate_json(text)
    except ValidationError as error:
        faults = [f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors()]
        version = tree.get("schema_version") if isinstance(tree, dict) else None
        if version != SCHEMA_VERSION:
            return None, _of_another_schema(name, version, faults)
        return None, settled(PART, f"{name} does not fit the schema", faults)
    if evidence.schema_version != SCHEMA_VERSION:
        return evidence, _of_another_schema(name, evidence.schema_version)
    # Keys given twice, spare digits and values that no field takes would be read as something else than they show.
    plain = evidence.model_dump(mode="json", exclude_unset=True)
    written = json.dumps(plain, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    faults = [] if written == text else ["the same content, written by auditkit, has other bytes"]
    return evidence, settled(PART, f"{name} fits the schema; its SHA-256 is {sha256(record)}", faults)


def _of_another_schema(name: str, version: object, faults: Sequence[str] = ()) -> Check:
    why = f"{name} has schema version {version}, and this auditkit writes {SCHEMA_VERSION}: use the one that wrote it"
    return Check(PART, OPEN, why, tuple(faults))


def check_record(evidence: Evidence) -> list[Check]:
    """Compare what the record says with what else it says."""
    return [
        settled(PART, "the overall verdict follows from the audits", list(_verdict_faults(evidence))),
        settled(PART, "the audits follow from their cells", [f for a in evidence.audits for f in _audit_faults(a)]),
        settled(PART, "the counts follow from the answers", list(count_faults(evidence))),
    ]


def _verdict_faults(evidence: Evidence) -> Iterator[str]:
    ran = [audit.id for audit in evidence.audits]
    yield from twice("audit", ran)
    verdict, sentence = whole_verdict(evidence.audits, evidence.not_run)
    yield from differences(
        {"verdict": evidence.verdict, "sentence": evidence.sentence}, {"verdict": verdict, "sentence": sentence}
    )
    declared = {f"{family}/{c.name}" for family, listed in SHIPPED.items() for c in listed()}
    declared |= {f"{reference.role}/{name}" for reference in evidence.references for name in declared}
    silent = sorted(declared.difference(ran, evidence.not_run))
    if silent:
        yield f"not_run: {len(silent)} audits that auditkit ships are neither in the record nor named as not run: " + (
            ", ".join(silent[:5])
        )
    for name in sorted(set(ran).intersection(evidence.not_run)):
        yield f"not_run: {name} was run"


def _audit_faults(audit: Audit) -> Iterator[str]:
    """Hold an audit against its required cells; one that could not be judged has none."""
    required = [cell for cell in audit.by_modality if cell.required]
    if not audit.by_modality and audit.verdict == "ERROR":
        return
    total = Outcomes()
    for cell in required:
        total = total + (cell.outcomes if cell.modality != ALL else Outcomes())
    p_pass = [cell.p_pass for cell in required if cell.p_pass is not None]
    p_fail = [cell.p_fail_holm for cell in required if cell.p_fail_holm is not None]
    found = {
        "verdict": overall(cell.verdict for cell in required),
        "outcomes": total.model_dump(),
        "p_pass": max(p_pass, default=None),
        "p_fail": min(p_fail, default=None),
    }
    recorded = audit.model_dump(include=set(found))
    yield from (f"{audit.id}: {fault}" for fault in differences(recorded, found))
