"""``--audit-list``: what the audits that were collected ask, without a model and without an image.

Imported in every pytest session, so it imports the standard library and pytest only.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from auditkit.plugin.references import effects_of

if TYPE_CHECKING:
    from auditkit.planning.listing import Listed
    from auditkit.protocol.model import Protocol


def is_wanted(config: pytest.Config) -> bool:
    """Whether the session lists the audits instead of running them."""
    return bool(getattr(config.option, "audit_list", False) or getattr(config.option, "audit_list_json", None))


def show(session: pytest.Session, protocol: Callable[[], Protocol]) -> None:
    """Print the audits of a session, family by family, and write them as JSON where a file was named.

    Parameters
    ----------
    session : pytest.Session
        With what was collected and selected.
    protocol : callable
        Reads the criteria; called only where there is an audit.

    Raises
    ------
    AuditkitError
        When the audits do not fit the protocol.
    OSError
        When the file cannot be written.
    """
    config = session.config
    # What stands beside an audit, to hold it against an earlier run, asks the audit's own question.
    audits = [item for item in session.items if isinstance(item, pytest.Function) and effects_of(item)]
    if not audits:
        _say(config, ["auditkit: no audit was collected."])
        return
    from auditkit.planning.listing import as_json, as_lines
    from auditkit.run.prepare import checked
    from auditkit.words import count

    criteria = protocol()
    checked([effect for item in audits for effect in effects_of(item)], criteria)
    found = [listed for item in audits for listed in _of(item, criteria)]
    if config.option.audit_list:
        _say(config, ["", *as_lines(found, criteria), ""])
    if given := config.option.audit_list_json:
        path = config.invocation_params.dir / given
        path.write_text(json.dumps(as_json(found, criteria), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        _say(config, [f"auditkit: {count(len(found), 'audit')} listed in {given}"])


def _of(item: pytest.Function, protocol: Protocol) -> Iterator[Listed]:
    from auditkit.planning.listing import listed
    from auditkit.plugin.fixture import marked, question

    test = item.nodeid.partition("[")[0]
    for effect in effects_of(item):
        yield listed(
            effect,
            protocol,
            question=question(item),
            test=test,
            sources=tuple(marked(item, "source")),
            hazard_ids=tuple(marked(item, "hazard")),
        )


def _say(config: pytest.Config, lines: list[str]) -> None:
    terminal = config.pluginmanager.get_plugin("terminalreporter")
    write = print if terminal is None else terminal.write_line
    for line in lines:
        write(line)
