"""The page about prompts says what the TOML files say."""

import pytest

from auditkit import tasks
from auditkit.errors import AuditkitError
from auditkit.perturbations import levels, placebos
from tools.prompts import PAGE, replaced, sentences, wordings


def test_page_has_not_drifted():
    page = PAGE.read_text(encoding="utf-8")
    assert page == replaced(page), "run: python -m tools.prompts"


def test_tables_hold_every_entry():
    assert all(f"`{task.id}.{name}`" in wordings() for task in tasks.shipped().values() for name in task.wordings)
    written = sentences()
    assert all(name in written and sentence in written for name, sentence in placebos().items())
    assert all(level.sentence in written and level.hazard in written for level in levels().values())


@pytest.mark.parametrize("mark", ["begin wordings", "end wordings", "begin sentences", "end sentences"])
def test_page_without_marks_is_refused(mark):
    page = PAGE.read_text(encoding="utf-8")
    with pytest.raises(AuditkitError, match=f"no place for the {mark.split()[1]}"):
        replaced(page.replace(f"<!-- {mark}", "<!--"))
