"""Regular expressions that are compiled when they are first used.

Audits are collected without reading an answer, and the readers' expressions take as long to compile as all else that
is imported for it.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import Any, cast


class _Pattern:
    """Stands in for a compiled expression, and has its methods."""

    def __init__(self, text: str, flags: int) -> None:
        self._text, self._flags = text, flags

    @cached_property
    def compiled(self) -> re.Pattern[str]:
        """The expression itself."""
        return re.compile(self._text, self._flags)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.compiled, name)
        setattr(self, name, found)  # the next use does not come here
        return found


def pattern(text: str, flags: int = 0) -> re.Pattern[str]:
    """Return what `re.compile` returns, but compiled when it is first used: an error in it is raised there."""
    return cast("re.Pattern[str]", _Pattern(text, flags))
