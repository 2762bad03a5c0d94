"""The pytest plugin: options, plan at collection, one pass of questions, verdicts on reports, files at the end.

Imported in every pytest session of an environment that has auditkit installed, so it imports the standard library and
pytest only; everything else waits until an audit has been collected.
"""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import pytest

from auditkit.plugin import alias, bare, ci, criterion, ending, listing, profiles, root
from auditkit.plugin.options import OPTIONS, out_of, protocol_path, settings_of
from auditkit.plugin.references import ReferenceItem, asks_others, effects_of, looks_inside, with_references
from auditkit.plugin.state import RECORDS, STATE, State

if TYPE_CHECKING:
    from auditkit.plugin.fixture import AuditFixture
    from auditkit.protocol.model import Protocol

WORKER = "PYTEST_XDIST_WORKER"
RUN_UID = "PYTEST_XDIST_TESTRUNUID"
# Options of sessions that collect tests and run none.
_ONLY_LOOKS = ("collectonly", "setuponly", "setupplan", "showfixtures", "show_fixtures_per_test")
_WORST = ("FAIL", "ERROR", "INCONCLUSIVE", "PASS")
VERDICT_LETTERS = {"FAIL": "F", "INCONCLUSIVE": "I", "ERROR": "E"}


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("auditkit", "audits of vision-language models")
    for name, settings in OPTIONS.items():
        group.addoption(name, **settings)


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(
    early_config: pytest.Config, parser: pytest.Parser, args: list[str]
) -> Generator[None, None, None]:
    meant = alias.spelt_out(args)
    if meant is None:
        return (yield)
    if not alias.is_taken(parser):
        alias.look_past_the_name(early_config, parser, meant)
    yield
    if not alias.is_taken(parser):  # by a conftest.py
        args[:] = meant


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    from auditkit.plugin import hookspecs

    pluginmanager.add_hookspecs(hookspecs)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "hazard(id, ...): hazards of your risk file (ISO 14971) that this audit controls"
    )
    config.addinivalue_line(
        "markers", "source(text, ...): where the question of this audit comes from, such as an arXiv id or a DOI"
    )
    if listing.is_wanted(config):
        config.option.dist = "no"  # one process lists as fast as many; xdist reads this after all other plugins
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
    if not (getattr(config.option, "audit_embeddings", False) or listing.is_wanted(config)):
        inside = {item: None for item in items if looks_inside(item)}
        if inside:
            items[:] = [item for item in items if item not in inside]
            config.hook.pytest_deselected(items=[*inside])
    if (asked := _families_asked(config, items)) is not None:
        left = {item: None for item in items if any(e.family not in asked for e in effects_of(item))}
        if left:
            items[:] = [item for item in items if item not in left]
            config.hook.pytest_deselected(items=[*left])
    # What is only shown has no limit to keep against an earlier run, gaps between groups have no procedure for it, and
    # what compares two models of today is no property of the one whose versions are held against each other. Which
    # families are shown is known once everything is collected, because the protocol lies beside the audits.
    if any(isinstance(item, ReferenceItem) for item in items):
        shown = _shown_families(config)
        items[:] = [
            item
            for item in items
            if not isinstance(item, ReferenceItem)
            or not (item.effect.family in shown or item.effect.between or asks_others(item.effect))
        ]


def _families_asked(config: pytest.Config, items: list[pytest.Item]) -> frozenset[str] | None:
    """The families that the profile asks; None for all, and where the protocol cannot be read: that is told later."""
    if not any(map(effects_of, items)):
        return None
    try:
        return profiles.families_asked(protocol_path(config), config.option.audit_profile)
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return None


def _shown_families(config: pytest.Config) -> set[str]:
    from auditkit.errors import AuditkitError

    try:
        protocol = _protocol(config)
    except (AuditkitError, OSError):  # told when the run is prepared
        return set()
    return {name for name, family in protocol.families.items() if family.shown}


def _protocol(config: pytest.Config) -> Protocol:
    from auditkit.protocol.read import load_protocol

    option = config.option
    return load_protocol(protocol_path(config), option.audit_profile, option.audit_looks, _extensions(config.hook))


@pytest.hookimpl(trylast=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    config = session.config
    if listing.is_wanted(config):
        _list(session)
        return
    if any(getattr(config.option, name, False) for name in _ONLY_LOOKS):
        return
    effects = [effect for item in session.items for effect in effects_of(item)]
    if not effects:
        return
    if bare.is_for_other_tests(config, session.items):
        config.stash[STATE].left_out = bare.leave_out(session.items)
        return
    from auditkit.errors import AuditkitError, in_words

    try:
        with in_words():
            _plan_and_ask(config, effects)
    except AuditkitError as error:
        if not _is_worker():
            ci.obey(config, str(error))
            raise pytest.UsageError(str(error)) from None
        # An exception in an xdist worker shows as a crash: every audit says the sentence instead.
        config.stash[STATE].problem = str(error)


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool | None:
    # What could not be collected still ends the session as it always does.
    return True if listing.is_wanted(session.config) and not session.testsfailed else None


def _list(session: pytest.Session) -> None:
    from auditkit.errors import AuditkitError, in_words

    try:
        with in_words():
            listing.show(session, lambda: _protocol(session.config))
    except AuditkitError as error:
        raise pytest.UsageError(str(error)) from None


def _plan_and_ask(config: pytest.Config, effects: list[Any]) -> None:
    from auditkit.plugin.progress import progress
    from auditkit.run.outputs import remove_earlier
    from auditkit.run.pictures import sent_away
    from auditkit.run.prepare import prepare
    from auditkit.run.roles import not_needed

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
    asked = [who for who in run.answerers if run.plan.of(who.role).size()]
    leaving = [line for who in asked for line in sent_away(who.model, run.plan.records)]
    leaving += not_needed(run.plan.effects, run.settings.roles, run.protocol)
    _tell(config, leaving)
    if run.settings.references:
        from auditkit.records.baseline.earlier import earlier_runs

        state.references = earlier_runs(run)
        _tell(config, [r.cannot_be_compared() for r in state.references if r.problem])
    if config.option.audit_dry_run:
        lines = run.estimate().lines()
        run.close()
        pytest.exit("\n".join(["auditkit dry run", *lines]), returncode=0)
    if (out := out_of(config)) is not None:
        remove_earlier(out)

    def say(line: str) -> None:
        _tell(config, [line])
        _tell_from_worker(config, [line])

    # Of several workers only the one that asks has anything to show. `auditkit run` says -q, and -qq is for silence.
    with progress(enabled=config.option.verbose >= -1, bar=not _is_worker()) as show:
        run.fetch(show, lambda: _tell_from_worker(config, leaving), say)
    run.measure()
    state.collected = len(effects)


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


def _tell_from_worker(config: pytest.Config, lines: list[str]) -> None:
    """Say what cannot be undone later, past a worker's captured output; called in the one that asks."""
    if _is_worker() and lines:
        with config.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
            print(*lines, sep="\n", file=sys.stderr, flush=True)


def _is_worker() -> bool:
    return WORKER in os.environ


# --- verdicts on reports --------------------------------------------------------------------------------------------


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, Any, Any]:
    try:
        called = yield
    except BaseException as error:
        criterion.check_ended(pyfuncitem, error)
        raise
    criterion.check_ended(pyfuncitem, None)
    return called


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.when == "setup" and report.failed and call.excinfo is not None:
        criterion.note_setup(item, call.excinfo.value)
    records = item.stash.get(RECORDS, None)
    if records:
        report.auditkit = [*records]  # type: ignore[attr-defined]  # plain JSON reaches the xdist controller
        records.clear()
        state = item.config.stash[STATE]
        if _is_worker() and state.header is None and ending.describe(state) is not None:
            # With the first audit, because a worker that is killed later sends nothing at its end.
            report.auditkit_run = state.header.model_dump(mode="json")  # type: ignore[attr-defined]
    return report


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    records = getattr(report, "auditkit", None)
    if not records or not _CONFIG:
        return
    state = _CONFIG[-1].stash[STATE]
    for record in records:
        state.audits[record["id"]] = _joined(state.audits.get(record["id"]), record)
        state.places[record["id"]] = (report.location[0], report.location[1] or 0)
        if why := ending.why_excused(report, record, _CONFIG[-1]):
            state.excused[record["id"]] = why
    if not _is_worker():
        ending.take_description(state, report.__dict__.pop("auditkit_run", None))


def _joined(held: dict[str, Any] | None, record: dict[str, Any]) -> dict[str, Any]:
    """Two tests of one comparison are one audit: the worse verdict, and all hazards, whichever test ended first."""
    if held is None:
        return record
    worse, other = sorted((held, record), key=lambda r: (_WORST.index(r["verdict"]), r["question"]))
    return {**worse, "hazard_ids": sorted({*worse["hazard_ids"], *other["hazard_ids"]})}


_CONFIG: list[pytest.Config] = []


def pytest_sessionstart(session: pytest.Session) -> None:
    _CONFIG.append(session.config)
    if session.config.option.audit_model and not _is_worker():
        ci.pause(session.config)
        if note := root.moved(session.config):
            _tell(session.config, [note])


def pytest_unconfigure(config: pytest.Config) -> None:
    ci.obey(config)
    # Here, because a dry run, a refusal or Ctrl-C ends the session before its last hook; the workers are gone by now.
    if getattr(config.option, "audit_no_store", False) and not _is_worker() and STATE in config.stash:
        from auditkit.run.settings import remove_temporary_store

        remove_temporary_store(config.stash[STATE].uid)
    if config in _CONFIG:
        _CONFIG.remove(config)


def pytest_report_teststatus(report: pytest.TestReport) -> tuple[str, str, str] | None:
    records = [record for record in getattr(report, "auditkit", ()) if not record["shown"]]
    if not records or report.when != "call" or report.passed:
        return None
    verdict = min((record["verdict"] for record in records), key=_WORST.index)
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
        state.problem = state.problem or sent["problem"]
        state.collected = max(state.collected, sent["collected"])
        state.left_out = max(state.left_out, sent["left_out"])


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    state = session.config.stash.get(STATE, None)
    if state is None:
        return
    if hasattr(session.config, "workeroutput"):
        sent = {"problem": state.problem, "collected": state.collected, "left_out": state.left_out}
        session.config.workeroutput["auditkit"] = sent
    elif state.audits:
        ending.leave_record(session, state)
    elif state.collected and not state.problem:
        ending.say_none_judged(session, state)
    if state.run is not None:
        state.run.close()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    state = config.stash.get(STATE, None)
    if state is not None:
        ending.summarise(terminalreporter, state)
