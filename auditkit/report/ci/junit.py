"""Names and values of the properties in ``junit.xml``; other programs read them, so the names stay."""

from __future__ import annotations

from auditkit.evidence import Audit, Evidence

Properties = list[tuple[str, str | float | int]]


def audit_properties(audit: Audit, *, model: str, protocol_sha256: str) -> Properties:
    """Return the properties of an audit's test case; a number that was not measured is left out."""
    values: dict[str, str | float | int | None] = {
        "audit": audit.id,
        "verdict": audit.verdict,
        "estimate": audit.estimate.value,
        "low": audit.estimate.low,
        "high": audit.estimate.high,
        "unit": audit.estimate.unit if audit.estimate.value is not None else None,
        "margin": audit.limit.get(audit.verb),
        "p_pass": audit.p_pass,
        "p_fail": audit.p_fail,
        "n_images": audit.n_images,
        "n_clusters": audit.n_clusters,
        "model": model,
        "protocol_sha256": protocol_sha256,
    }
    return [(name, value) for name, value in values.items() if value is not None]


def suite_properties(evidence: Evidence) -> list[tuple[str, str]]:
    """Return the properties of the whole suite; prefixed, because other tests may be in it."""
    values = {
        "run": evidence.run.id,
        "verdict": evidence.verdict,
        "model": evidence.model.name,
        "revision": evidence.model.revision,
        "fingerprint": evidence.model.fingerprint,
        "protocol_sha256": evidence.protocol.sha256,
        "data_sha256": evidence.data.sha256,
    }
    return [(f"auditkit.{name}", value) for name, value in values.items()]
