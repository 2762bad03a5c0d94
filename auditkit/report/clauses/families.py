"""What a family of audits gives to a clause."""

from __future__ import annotations

from auditkit.evidence import Evidence
from auditkit.report.clauses.found import Found, found, nothing
from auditkit.report.clauses.people import patients
from auditkit.report.views import verdict_counts
from auditkit.words import whole


def of_family(evidence: Evidence, name: str) -> Found:
    """Return what one family of audits gives.

    An audit covers what it asks when it ended in PASS or FAIL. INCONCLUSIVE and ERROR leave it open, and so does an
    audit that was declared and not run. What is only shown has no verdict: it covers what it measured. Whatever an
    audit is about, it was seen on these images: where they are phantoms or for demonstration, that is a gap.
    """
    measured = [a for a in evidence.informing if a.family == name and a.estimate.value is not None]
    if measured:
        return found(f"{name}: {whole(len(measured))} shown for information", patients(evidence).gaps)
    own = [audit for audit in evidence.deciding if audit.family == name]
    left = sum(audit.partition("/")[0] == name for audit in evidence.not_run)
    counts = verdict_counts(own)
    label = f"{name}: " + ", ".join(f"{whole(n)} {verdict}" for verdict, n in counts.items() if n)
    parts = ((counts["INCONCLUSIVE"], "undecided"), (counts["ERROR"], "ended in an error"), (left, "not run"))
    gaps = [f"{name}: {whole(n)} {what}" for n, what in parts if n]
    if not any(a.verdict != "ERROR" and a.estimate.value is not None for a in own):
        return nothing(name, *(gaps or [f"{name}: no such audit was run"]))
    return found(label, [*gaps, *patients(evidence).gaps])
