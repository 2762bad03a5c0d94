"""What the plugin's hooks and the fixture share within one process; as light to import as the plugin itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from auditkit.evidence import Evidence
    from auditkit.run.record import Header
    from auditkit.run.session import AuditRun

TOLD_IN = "AUDITKIT_TOLD_IN"
"""Environment variable with the file in which ``auditkit run`` is told how many audits decided: an exit code of 0 does
not say whether any did."""


@dataclass
class State:
    """What one process of a session knows.

    Attributes
    ----------
    uid : str
        Id of the run, equal in all its processes.
    run : AuditRun or None
        The prepared run, once audits were collected.
    references : list of auditkit.records.baseline.earlier.EarlierRun
        The earlier runs that it is held against.
    problem : str
        Why there is no run, in an xdist worker, or why nothing could be written.
    collected : int
        Effects of the audits that were collected, once the run is ready to judge them.
    left_out : int
        Audits left out because no model was named, in a session of other tests.
    audits : dict
        Records of the audits by id, as they came in on the test reports.
    header : auditkit.run.record.Header or None
        The rest of the evidence.
    evidence : Evidence or None
        The whole, once written.
    report : str
        Path of the report.
    remarks : list of str
        What could not be written, and why.
    excused : dict
        Why an audit that does not pass fails no test, by audit id.
    places : dict
        File (from the root folder) and line (from 0) of each audit's test, by audit id.
    commands : list of str
        Workflow commands for GitHub's runner, printed last of all.
    pause : str
        The token that lets GitHub's runner obey commands again; empty while it does.
    """

    uid: str
    run: AuditRun | None = None
    references: list[Any] = field(default_factory=list)
    problem: str = ""
    collected: int = 0
    left_out: int = 0
    audits: dict[str, dict[str, Any]] = field(default_factory=dict)
    header: Header | None = None
    evidence: Evidence | None = None
    report: str = ""
    remarks: list[str] = field(default_factory=list)
    excused: dict[str, str] = field(default_factory=dict)
    places: dict[str, tuple[str, int]] = field(default_factory=dict)
    commands: list[str] = field(default_factory=list)
    pause: str = ""


STATE = pytest.StashKey[State]()
RECORDS = pytest.StashKey[list[dict[str, Any]]]()
"""On a test item: the records of its audits that no report has taken along yet."""
STATED = pytest.StashKey[set[Any]]()
"""On a test item that uses the fixture ``audit``: the effects it has stated a criterion about."""
