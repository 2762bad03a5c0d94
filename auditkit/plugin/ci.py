"""The session's side of CI: what is left for the machine that runs it, and when its runner may obey our output.

Imported in every pytest session, so it imports the standard library and pytest only.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from auditkit.plugin.state import STATE
from auditkit.report.ci import commands

if TYPE_CHECKING:
    import pytest

    from auditkit.evidence import Evidence
    from auditkit.plugin.state import State


def publish(config: pytest.Config, state: State, evidence: Evidence, folder: Path) -> None:
    """Leave what CI shows: properties in junit.xml, job summary, code quality report; annotations wait for `obey`."""
    from auditkit.report.ci.findings import Place
    from auditkit.report.ci.junit import suite_properties
    from auditkit.report.ci.publish import publish as write

    # What pytest offers for this, record_testsuite_property, does nothing in xdist's workers.
    for junit in [p for p in config.pluginmanager.get_plugins() if hasattr(p, "add_global_property")]:
        for name, value in suite_properties(evidence):
            junit.add_global_property(name, value)
    places = {audit: Place(config.rootpath / path, line + 1) for audit, (path, line) in state.places.items()}
    state.commands, remarks = write(evidence, folder, places, os.environ, excused=state.excused)
    state.remarks += remarks


def pause(config: pytest.Config) -> None:
    """Let GitHub's runner obey no line of the output from here on: it may be a model's."""
    if commands.on_github(os.environ):
        token = secrets.token_hex(16)
        config.stash[STATE].pause = token
        _print(config, commands.pause(token))


def obey(config: pytest.Config, problem: str = "") -> None:
    """Let GitHub's runner obey our own lines, the last of the session: its annotations, or why there are none.

    Parameters
    ----------
    config : pytest.Config
        The session's.
    problem : str
        Why the audits were not run; the session's own problem when empty.
    """
    state = config.stash.get(STATE, None)
    if state is None or not state.pause:
        return
    token, state.pause = state.pause, ""
    _print(config, commands.resume(token), *state.commands)
    problem = problem or state.problem
    if problem:
        from auditkit.report.ci.github import problem as annotation

        # pytest has yet to print the problem, which may quote a file's name: nothing is obeyed again, for good.
        _print(config, annotation(problem), commands.pause(secrets.token_hex(16)))


def _print(config: pytest.Config, *lines: str) -> None:
    terminal = config.pluginmanager.get_plugin("terminalreporter")
    for line in lines:
        if terminal is None:
            print(line, flush=True)
        else:
            terminal.write_line(line)
