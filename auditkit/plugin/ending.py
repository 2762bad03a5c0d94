"""What a session leaves when it ends: the record and its reports, or the reason why there is none.

Imported in every pytest session, so it imports the standard library and pytest only.
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from auditkit.plugin import bare, ci
from auditkit.plugin.options import out_of
from auditkit.plugin.state import TOLD_IN

if TYPE_CHECKING:
    from auditkit.evidence import Audit
    from auditkit.plugin.state import State
    from auditkit.run.record import Header


def describe(state: State) -> Header | None:
    """Describe the run, in a process that has measured it; None in one that has not."""
    if state.header is None and state.run is not None and state.run.judge is not None:
        from auditkit.run.record import header

        state.header = header(state.run, [earlier.reference() for earlier in state.references])
    return state.header


def take_description(state: State, sent: dict[str, Any] | None) -> None:
    """Keep the first description of the run that arrives; every worker sends the same one."""
    if state.header is None and sent is not None:
        from auditkit.run.record import Header

        state.header = Header.model_validate(sent)


def leave_record(session: pytest.Session, state: State) -> None:
    """Write the record of what was judged; where that cannot be, say why and end the session with exit code 4."""
    from auditkit.errors import AuditkitError, in_words
    from auditkit.words import count

    try:
        with in_words():
            description = describe(state)
            if description is None:
                judged = count(len(state.audits), "audit was", "audits were")
                raise AuditkitError(
                    f"{judged} judged, but no worker described the run, so no record was written.",
                    "Run the same command again: the answers are in the store.",
                )
            _write(session.config, state, description)
    except AuditkitError as error:
        state.problem = str(error)
        state.remarks.append(state.problem)
        session.exitstatus = pytest.ExitCode.USAGE_ERROR


def why_excused(report: pytest.TestReport, record: dict[str, Any], config: pytest.Config) -> str:
    """Say why an audit that does not pass fails no test; empty where it passes, is only shown, or does fail one."""
    if record["verdict"] == "PASS" or record["shown"] or report.outcome not in ("passed", "skipped"):
        return ""
    if record["verdict"] == "INCONCLUSIVE" and config.option.audit_allow_inconclusive:
        return "--audit-allow-inconclusive"
    if not hasattr(report, "wasxfail"):
        return "the test caught it"
    return " ".join(f"xfail {str(report.wasxfail).removeprefix('reason: ')}".split())


def say_none_judged(session: pytest.Session, state: State) -> None:
    """Say that audits were collected of which none was judged, and do not let the session end 0."""
    from auditkit.words import count

    state.problem = (
        f"{count(state.collected, 'audit was', 'audits were')} collected and none was judged, so nothing is said about "
        "the model and no record was written. -rs shows why they were skipped."
    )
    if session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        session.exitstatus = pytest.ExitCode.USAGE_ERROR


def summarise(terminalreporter: pytest.TerminalReporter, state: State) -> None:
    """Print what was decided and where the report is, or why there is none."""
    if state.left_out:
        from auditkit.words import count

        terminalreporter.write_line(f"auditkit: {count(state.left_out, 'audit')} skipped: {bare.WHY}")
    if state.problem and state.evidence is None:
        terminalreporter.section("auditkit", sep="=", red=True)
        terminalreporter.write_line(state.problem)
    if state.evidence is not None:
        from auditkit.report.excused import excused_lines
        from auditkit.report.terminal import summary_lines

        terminalreporter.section("auditkit", sep="=")
        width = terminalreporter._tw.fullwidth if sys.stdout.isatty() else 100
        pdf = Path(state.report).with_name("report.pdf")
        lines = summary_lines(state.evidence, width, state.report, str(pdf) if pdf.is_file() else "")
        for line in (*lines, *excused_lines(state.evidence, state.excused, width), *state.remarks):
            terminalreporter.write_line(line)


def _write(config: pytest.Config, state: State, header: Header) -> None:
    from auditkit.evidence import Audit
    from auditkit.run.command import command_line
    from auditkit.run.outputs import write_outputs
    from auditkit.run.record import evidence
    from auditkit.run.settings import REPORTS

    run_id = time.strftime("%Y%m%d-%H%M%S", time.gmtime()) + f"-{state.uid[:6]}"
    audits: list[Audit] = [Audit.model_validate(record) for record in state.audits.values()]
    words = map(str, config.invocation_params.args)
    command = f"pytest {command_line(words, config.rootpath)}"
    state.evidence = evidence(header, audits, run_id=run_id, command=command)
    out = out_of(config)
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", state.evidence.model.name).strip("-.") or "model"
    folder = out or config.rootpath / REPORTS / name / run_id
    state.report, state.remarks = write_outputs(
        state.evidence,
        folder,
        latest=None if out else folder.parent / "latest",
        pdf=config.option.audit_report == "both",
    )
    ci.publish(config, state, state.evidence, folder)
    if told := os.environ.get(TOLD_IN):
        counts = {
            "deciding": len(state.evidence.deciding),
            "not_run": len(state.evidence.not_run),
            "excused": len(state.excused),
        }
        Path(told).write_text(json.dumps(counts), encoding="utf-8")
