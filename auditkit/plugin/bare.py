"""Sessions of other tests that come across audits: without a model these are skipped, and nothing else is changed.

Imported in every pytest session, so it imports the standard library and pytest only.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from auditkit.plugin.references import effects_of, uses_audit

WHY = "no model was named. `pytest audits/ --model=NAME` runs them."


def is_for_other_tests(config: pytest.Config, items: Sequence[pytest.Item]) -> bool:
    """Whether a session was started for other tests than the audits it has collected.

    It was not when a model or another option of the audits was typed, when nothing but audits was collected, or when a
    path that was typed is their file or folder: a gate that forgets its model must not be green.
    """
    typed = [str(word) for word in config.invocation_params.args]
    if config.option.audit_model or any(word.startswith("--audit-") for word in typed):
        return False
    audits = [item for item in items if uses_audit(item)]
    if len(audits) == len(items):
        return False
    if config.args_source is not pytest.Config.ArgsSource.ARGS:
        return True
    places = {place for item in audits for place in (item.path, item.path.parent)}
    paths = [Path(config.invocation_params.dir, word.split("::")[0]).resolve() for word in config.args]
    return not any(path in places or (path / "protocol.toml").is_file() for path in paths)


def leave_out(items: Sequence[pytest.Item]) -> int:
    """Skip the audits among a session's tests; return how many they are."""
    audits = [item for item in items if effects_of(item)]
    for item in audits:
        item.add_marker(pytest.mark.skip(reason=WHY))
    return len(audits)
