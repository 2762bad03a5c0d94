"""The page about prompts says what the TOML files say."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditkit.errors import AuditkitError
from auditkit.tasks import levels, placebos, templates
from auditkit.tasks.tables import replaced, tables

PAGE = Path(__file__).parents[2] / "docs" / "prompts.md"


def test_page_has_not_drifted() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page == replaced(page), "run: python -m auditkit.tasks.tables docs/prompts.md"


def test_tables_hold_every_entry() -> None:
    written = tables()
    assert all(f"`{name}`" in written for name in [*templates(), *placebos()])
    assert all(level.sentence in written and level.hazard in written for level in levels().values())


def test_page_without_marks_is_refused() -> None:
    with pytest.raises(AuditkitError, match="begin: written by"):
        replaced("# A page")
