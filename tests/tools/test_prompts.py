"""The page about prompts says what the TOML files say."""

import pytest

from auditkit import tasks
from auditkit.errors import AuditkitError
from auditkit.perturbations import levels, placebos, shipped
from tools.prompts import PAGE, replaced, sentences, statements, wordings


def test_page_has_not_drifted():
    page = PAGE.read_text(encoding="utf-8")
    assert page == replaced(page), "run: python -m tools.prompts"


def test_tables_hold_every_entry():
    assert all(f"`{task.id}.{name}`" in wordings() for task in tasks.shipped().values() for name in task.wordings)
    written = sentences()
    assert all(name in written and sentence in written for name, sentence in placebos().items())
    assert all(level.sentence in written and level.hazard in written for level in levels().values())


def test_every_sentence_of_the_catalogue_stands_on_the_page():
    written = statements() + sentences()
    said = [entry for entry in shipped().values() if entry.stage == "words"]
    assert all(f"`{entry.name}`" in written and entry.parameters(0)["sentence"] in written for entry in said)


@pytest.mark.parametrize(
    "mark", [f"{edge} {name}" for name in ("wordings", "sentences", "statements") for edge in ("begin", "end")]
)
def test_page_without_marks_is_refused(mark):
    page = PAGE.read_text(encoding="utf-8")
    with pytest.raises(AuditkitError, match=f"no place for the {mark.split()[1]}"):
        replaced(page.replace(f"<!-- {mark}", "<!--"))
