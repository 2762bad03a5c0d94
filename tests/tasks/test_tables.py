"""The page about prompts says what the TOML files say."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest

from auditkit.errors import AuditkitError
from auditkit.perturbations import levels, placebos
from auditkit.perturbations import tables as of_sentences
from auditkit.tasks import shipped
from auditkit.tasks import tables as of_tasks

PAGE = Path(__file__).parents[2] / "docs" / "prompts.md"
BOTH = pytest.mark.parametrize("module", [of_tasks, of_sentences], ids=["tasks", "perturbations"])


@BOTH
def test_page_has_not_drifted(module: ModuleType) -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page == module.replaced(page), f"run: python -m {module.__name__} docs/prompts.md"


def test_tables_hold_every_entry() -> None:
    written = of_tasks.tables()
    assert all(f"`{task.id}.{wording}`" in written for task in shipped().values() for wording in task.wordings)
    written = of_sentences.tables()
    assert all(name in written and sentence in written for name, sentence in placebos().items())
    assert all(level.sentence in written and level.hazard in written for level in levels().values())


@BOTH
def test_page_without_marks_is_refused(module: ModuleType) -> None:
    with pytest.raises(AuditkitError, match="begin: written by"):
        module.replaced("# A page")
