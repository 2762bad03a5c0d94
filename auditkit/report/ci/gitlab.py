"""GitLab's code quality report: findings that a merge request shows beside the lines of the audits."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from auditkit.report.ci.findings import Finding
from auditkit.words import audit_name, shortened

FILE_NAME = "gl-code-quality.json"
_LENGTH = 1000
_SEVERITIES = {"FAIL": "critical", "ERROR": "major", "INCONCLUSIVE": "major"}
_ALLOWED = "minor"


def code_quality(found: Sequence[Finding], model: str, project: Path) -> str:
    """Return the report as JSON.

    Parameters
    ----------
    found : sequence of Finding
        The audits that do not pass.
    model : str
        Name of the model audited; two models' audits of one pipeline are different findings.
    project : pathlib.Path
        Root of the checkout; paths are given from here.

    Returns
    -------
    str
        A list sorted by audit, empty when everything passed. The fingerprint is over model, audit and verdict: a run
        repeated gives the same, so that a merge request shows what it changed.
    """
    entries = [_entry(finding, model, project) for finding in sorted(found, key=lambda f: f.audit.id)]
    return json.dumps(entries, indent=1, ensure_ascii=False) + "\n"


def _entry(finding: Finding, model: str, project: Path) -> dict[str, object]:
    audit, place = finding.audit, finding.place
    known = " / ".join(("auditkit", model, audit.id, audit.verdict)).encode("utf-8", "backslashreplace")
    inside = place.within(project) if place else None
    return {
        "description": shortened(f"{audit.verdict}: {audit_name(audit)}: {audit.sentence}", _LENGTH),
        "check_name": shortened(audit.id),
        "fingerprint": hashlib.sha256(known).hexdigest(),
        "severity": _SEVERITIES[audit.verdict] if finding.blocks else _ALLOWED,
        # A path is required; audits of an installed package are in no checkout and go by their file's name.
        "location": {
            "path": inside or (place.path.name if place else "audits"),
            "lines": {"begin": place.line if place else 1},
        },
    }
