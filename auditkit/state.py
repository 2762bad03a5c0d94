"""What the plugin's hooks and the fixture share within one process; as light to import as the plugin itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from auditkit.evidence import Evidence
    from auditkit.session import AuditRun


@dataclass
class State:
    """What one process of a session knows.

    Attributes
    ----------
    uid : str
        Id of the run, equal in all its processes.
    run : AuditRun or None
        The prepared run, once audits were collected.
    problem : str
        Why there is no run, in an xdist worker, or why nothing could be written.
    audits : dict
        Records of the audits by id, as they came in on the test reports.
    header : dict or None
        The rest of the evidence.
    evidence : Evidence or None
        The whole, once written.
    report : str
        Path of the report.
    remarks : list of str
        What could not be written, and why.
    """

    uid: str
    run: AuditRun | None = None
    problem: str = ""
    audits: dict[str, dict[str, Any]] = field(default_factory=dict)
    header: dict[str, Any] | None = None
    evidence: Evidence | None = None
    report: str = ""
    remarks: list[str] = field(default_factory=list)


STATE = pytest.StashKey[State]()
RECORD = pytest.StashKey[dict[str, Any]]()
