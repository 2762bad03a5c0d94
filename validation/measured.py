"""Every gate that is measured, by name."""

from __future__ import annotations

from collections.abc import Callable

from validation.setting import Setting, Situation
from validation.situations import ALONE
from validation.versions import VERSIONS

GATES: dict[str, Callable[[Setting], Situation]] = {**ALONE, **VERSIONS}


def situation(setting: Setting) -> Situation:
    """Build the situation that a setting names."""
    return GATES[setting.gate](setting)
