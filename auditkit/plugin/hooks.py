"""The pytest plugin: options, plan at collection, one pass of questions, verdicts on reports, files at the end.

Imported in every pytest session of an environment that has auditkit installed, so it imports the standard library and
pytest only; everything else waits until an audit has been collected.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import sys
import time
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from auditkit.plugin import ci
from auditkit.plugin.options import OPTIONS, out_of, settings_of
from auditkit.plugin.references import ReferenceItem, effects_of, looks_inside, with_references
from auditkit.plugin.state import RECORD, STATE, TOLD_IN, State

if TYPE_CHECKING:
    from auditkit.evidence import Audit
    from auditkit.plugin.fixture import AuditFixture
    from auditkit.run.record import Header

WORKER = "PYTEST_XDIST_WORKER"
RUN_UID = "PYTEST_XDIST_TESTRUNUID"
VERDICT_LETTERS = {"FAIL": "F", "INCONCLUSIVE": "I", "ERROR": "E"}


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("auditkit", "audits of vision-language models")
    for name, settings in OPTIONS.items():
        group.addoption(name, **settings)


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    from auditkit.plugin import hookspecs

    pluginmanager.add_hookspecs(hookspecs)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "hazard(id, ...): hazards of your risk file (ISO 14971) that this audit controls"
    )
    config.stash[STATE] = State(os.environ.get(RUN_UID) or secrets.token_hex(8))


@pytest.fixture
def audit(request: pytest.FixtureRequest) -> AuditFixture:
    """Judges the effect an audit is parametrized with; see docs/writing-audits.md."""
    from auditkit.plugin.fixture import AuditFixture

    return AuditFixture(request, request.config.stash[STATE])


# --- plan and ask ---------------------------------------------------------------------------------------------------


@pytest.hookimpl(wrapper=True)
def pytest_pycollect_makeitem(collector: pytest.Module | pytest.Class) -> Generator[None, Any, Any]:
    made = yield
    # Here and not in pytest_collection_modifyitems, so that the items can be named, selected and run again like others.
    return with_references(made, collector.config) if isinstance(made, list) else made


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not getattr(config.option, "audit_embeddings", False):
        inside = {item: None for item in items if looks_inside(item)}
        if inside:
            items[:] = [item for item in items if item not in inside]
            config.hook.pytest_deselected(items=[*inside])
    # What is only shown has no limit to keep against an earlier run. Which families are is known once everything is
    # collected, because the protocol lies beside the audits.
    if any(isinstance(item, ReferenceItem) for item in items):
        shown = _shown_families(config)
        items[:] = [item for item in items if not (isinstance(item, ReferenceItem) and item.effect.family in shown)]


def _shown_families(config: pytest.Config) -> set[str]:
    from auditkit.errors import AuditkitError
    from auditkit.protocol.read import load_protocol

    try:
        settings = settings_of(config, config.stash[STATE].uid)
        protocol = load_protocol(settings.protocol, settings.profile, settings.looks, _extensions(config.hook))
    except (AuditkitError, OSError):  # told when the run is prepared
        return set()
    return {name for name, family in protocol.families.items() if family.shown}


@pytest.hookimpl(trylast=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    config = session.config
    if config.option.collectonly:
        return
    effects = [effect for item in session.items for effect in effects_of(item)]
    if not effects:
        return
    from auditkit.errors import AuditkitError, of_the_system

    try:
        try:
            _plan_and_ask(config, effects)
        except OSError as error:
            raise of_the_system(error) from None
    except AuditkitError as error:
        if not _is_worker():
            ci.obey(config, str(error))
            raise pytest.UsageError(str(error)) from None
        # An exception in an xdist worker shows as a crash: every audit says the sentence instead.
        config.stash[STATE].problem = str(error)


def _plan_and_ask(config: pytest.Config, effects: list[Any]) -> None:
    from auditkit.plugin.progress import progress
    from auditkit.run.pictures import sent_away
    from auditkit.run.session import prepare

    state = config.stash[STATE]
    hook = config.hook
    run = prepare(
        settings_of(config, state.uid),
        effects,
        find_model=lambda name: hook.pytest_auditkit_model(name=name),
        find_images=lambda source, salt, side: hook.pytest_auditkit_items(source=source, salt=salt, max_side=side),
        extensions=_extensions(hook),
    )
    state.run = run
    _tell_first(config, sent_away(run.model, run.plan.records))
    if run.settings.references:
        from auditkit.records.baseline.earlier import earlier_runs

        state.references = earlier_runs(run)
        _tell(config, [f"auditkit: {r.name} cannot be compared: {r.problem}." for r in state.references if r.problem])
    if config.option.audit_dry_run:
        lines = run.estimate().lines()
        run.close()
        pytest.exit("\n".join(["auditkit dry run", *lines]), returncode=0)
    with progress(enabled=not _is_worker() and config.option.verbose >= 0) as show:
        run.fetch(show)
    run.measure()


def _extensions(hook: Any) -> Any:
    """Gather what installed plugins add to the catalogues.

    Raises
    ------
    AuditkitError
        Two plugins that give the same name to different things, or something that is no mapping.
    """
    from auditkit.protocol.extensions import Extensions, gathered

    return Extensions(
        perturbations=gathered("pytest_auditkit_perturbations", hook.pytest_auditkit_perturbations()),
        scorers=gathered("pytest_auditkit_scorers", hook.pytest_auditkit_scorers()),
    )


def _tell(config: pytest.Config, lines: list[str]) -> None:
    """Say what is known before anything is asked; a worker has no terminal, and its tests will say it."""
    terminal = config.pluginmanager.get_plugin("terminalreporter")
    if terminal is not None:
        for line in lines:
            terminal.write_line(line, red=True)


def _tell_first(config: pytest.Config, lines: list[str]) -> None:
    """Say what cannot be undone later; of several workers the first says it, past its captured output."""
    if not _is_worker():
        _tell(config, lines)
    elif os.environ[WORKER] == "gw0" and lines:
        with config.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
            print(*lines, sep="\n", file=sys.stderr, flush=True)


def _is_worker() -> bool:
    return WORKER in os.environ


# --- verdicts on reports --------------------------------------------------------------------------------------------


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    record = item.stash.get(RECORD, None)
    if record is not None and report.when == "call":
        report.auditkit = record  # type: ignore[attr-defined]  # plain JSON reaches the xdist controller
    return report


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    record = getattr(report, "auditkit", None)
    if record is not None and _CONFIG:
        state = _CONFIG[-1].stash[STATE]
        state.audits[record["id"]] = _joined(state.audits.get(record["id"]), record)
        state.places[record["id"]] = (report.location[0], report.location[1] or 0)


def _joined(held: dict[str, Any] | None, record: dict[str, Any]) -> dict[str, Any]:
    """Two tests of one comparison are one audit: the worse verdict, and all hazards, whichever test ended first."""
    if held is None:
        return record
    rank = ("FAIL", "ERROR", "INCONCLUSIVE", "PASS")
    worse, other = sorted((held, record), key=lambda r: (rank.index(r["verdict"]), r["question"]))
    return {**worse, "hazard_ids": sorted({*worse["hazard_ids"], *other["hazard_ids"]})}


_CONFIG: list[pytest.Config] = []


def pytest_sessionstart(session: pytest.Session) -> None:
    _CONFIG.append(session.config)
    if session.config.option.model and not _is_worker():
        ci.pause(session.config)


def pytest_unconfigure(config: pytest.Config) -> None:
    ci.obey(config)
    # Here, because a dry run, a refusal or Ctrl-C ends the session before its last hook; the workers are gone by now.
    if getattr(config.option, "audit_no_store", False) and not _is_worker() and STATE in config.stash:
        from auditkit.run.settings import remove_temporary_store

        remove_temporary_store(config.stash[STATE].uid)
    if config in _CONFIG:
        _CONFIG.remove(config)


def pytest_report_teststatus(report: pytest.TestReport) -> tuple[str, str, str] | None:
    record = getattr(report, "auditkit", None)
    if record is None or report.when != "call" or report.passed or record["shown"]:
        return None
    verdict = record["verdict"]
    expected = hasattr(report, "wasxfail") and verdict != "INCONCLUSIVE"  # allowed INCONCLUSIVE audits are xfailed
    if verdict == "PASS" or expected:
        return None  # what failed, or was expected to, is the test around the audit: pytest's own words fit
    category = "failed" if verdict == "FAIL" else verdict.lower()
    return category, VERDICT_LETTERS.get(verdict, "?"), verdict


# --- files at the end -----------------------------------------------------------------------------------------------


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    sent = getattr(node, "workeroutput", {}).get("auditkit")
    if sent and _CONFIG:
        state = _CONFIG[-1].stash[STATE]
        if state.header is None and sent.get("header") is not None:
            from auditkit.run.record import Header

            state.header = Header.model_validate(sent["header"])
        state.problem = state.problem or sent.get("problem", "")


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    state = session.config.stash.get(STATE, None)
    if state is None:
        return
    if state.run is not None and state.run.judge is not None and _writes_header():
        from auditkit.run.record import header

        state.header = header(state.run, [earlier.reference() for earlier in state.references])
    if state.run is not None:
        state.run.close()
    if hasattr(session.config, "workeroutput"):
        header_sent = None if state.header is None else state.header.model_dump(mode="json")
        session.config.workeroutput["auditkit"] = {"header": header_sent, "problem": state.problem}
        return
    if state.header is not None and state.audits:
        from auditkit.errors import AuditkitError, of_the_system

        try:
            _write(session.config, state, state.header)
        except (AuditkitError, OSError) as error:
            state.problem = str(of_the_system(error) if isinstance(error, OSError) else error)
            state.remarks.append(state.problem)
            session.exitstatus = pytest.ExitCode.USAGE_ERROR


def _writes_header() -> bool:
    """One process describes the run: the only one, or the first worker."""
    return os.environ.get(WORKER, "gw0") == "gw0"


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
        counts = {"deciding": len(state.evidence.deciding), "not_run": len(state.evidence.not_run)}
        Path(told).write_text(json.dumps(counts), encoding="utf-8")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    state = config.stash.get(STATE, None)
    if state is None:
        return
    if state.problem and state.evidence is None:
        terminalreporter.section("auditkit", sep="=", red=True)
        terminalreporter.write_line(state.problem)
    if state.evidence is not None:
        from auditkit.report.terminal import summary_lines

        terminalreporter.section("auditkit", sep="=")
        width = terminalreporter._tw.fullwidth if sys.stdout.isatty() else 100
        pdf = Path(state.report).with_name("report.pdf")
        lines = summary_lines(state.evidence, width, state.report, str(pdf) if pdf.is_file() else "")
        for line in (*lines, *state.remarks):
            terminalreporter.write_line(line)
