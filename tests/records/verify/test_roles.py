"""A run in which a second model answered: its entry, its answers and what was made of them are checked."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from auditkit.protocol.effects import behind, change, mean, versus
from auditkit.records.verify import exit_code
from auditkit.vocabulary import Perturbation
from tests.records.verify.conftest import IDS, Impressed, Made, run_once
from tests.records.verify.test_record_tampered import found, put

RENOWN = change(Perturbation("institution.reputation.high"))
MORE = (behind(mean(family="sibling")), versus(RENOWN.named(RENOWN.name, "sibling")))
FAMILIES = "[families.sibling]\nat_most = 4.0\nsize = 2\n"
BEHIND = "sibling/score-behind-sibling"


class Other(Impressed):
    """Is less impressed, and scores fifteen points higher."""

    name = "unmoved"

    def __init__(self) -> None:
        super().__init__(bonus=5, revision="9")

    def _one(self, request):
        response = super()._one(request)
        if not response.text.isdigit():
            return response
        return type(response)(str(min(int(response.text) + 15, 100)))


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory, pictures: Path, salt: None) -> dict[str, Made]:
    """The second model asked in the run, and answering by the record of a run of its own."""
    root = tmp_path_factory.mktemp("roles")
    own = {"ids": IDS[:1], "more": MORE, "families": FAMILIES}
    live = run_once(root, pictures, uid="live", others={"sibling": Other()}, page=True, **own)
    # The same questions put to it in a run of its own, in which it stands beside itself.
    alone = run_once(root, pictures, uid="alone", model=Other(), others={"sibling": Other()}, **own)
    paired = run_once(root, pictures, uid="paired", others={"sibling": alone.record}, **own)
    return {"live": live, "alone": alone, "paired": paired}


@pytest.fixture
def copy(runs: dict[str, Made], tmp_path: Path):
    def of(name: str) -> Made:
        made = runs[name]
        shutil.copytree(made.folder, tmp_path / name)
        return Made(tmp_path / name, made.store, made.images)

    return of


def test_what_two_models_answered_is_found_again_and_judged_again(runs):
    checks = runs["live"].verify()
    assert [check for check in checks if check.state != "ok"] == []
    assert any("all answers to 40 of 40 images are in the store" in check.words for check in checks)
    audit = next(audit for audit in runs["live"].evidence.audits if audit.id == BEHIND)
    assert audit.cases
    assert {term.role for part in audit.definition.parts for term in part.terms} == {"model", "sibling"}


def test_a_record_that_answered_is_held_against_the_columns(runs):
    made, record = runs["paired"], runs["alone"].record
    checks = made.verify(references=[record])
    assert [check for check in checks if check.state != "ok"] == []
    assert any("the 2 columns of sibling are those of the record of run" in check.words for check in checks)
    without = made.verify()
    assert exit_code(without) == 3
    assert any("the record that answers for sibling" in check.words for check in without)


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (put("models", 0, "name", "another"), "minus impressed"),
        (put("models", 0, "fingerprint", "another"), "models: not as the run noted it in the store"),
        (put("models", 0, "revision", "8"), "models: not as the run noted it in the store"),
        (put("models", 0, "outcomes", "scored", 3), "models[sibling].outcomes.scored: record 3, found"),
        (put("models", 0, "role", "cousin"), "nobody is named who answered as sibling"),
        (lambda tree: tree.update(models=[]), "nobody is named who answered as sibling"),
        (lambda tree: tree["models"].append(tree["models"][0]), "role sibling is there 2 times"),
    ],
)
def test_an_entry_that_was_changed_is_found(copy, edit, words):
    made = copy("live")
    made.change(edit)
    checks = made.verify()
    assert exit_code(checks) == 1
    assert words in found(checks)


def change_a_mark(tree):
    column = next(column for column in tree["answers"]["columns"] if column["role"] == "sibling")
    marks = column["values"][""].split()
    place = next(i for i, mark in enumerate(marks) if mark[0].isdigit())
    column["values"][""] = " ".join([*marks[:place], "1", *marks[place + 1 :]])


def test_an_answer_of_the_second_model_that_was_changed_is_found(copy):
    made = copy("live")
    made.change(change_a_mark)
    assert "by sibling: record 1, the store's answer reads" in found(made.verify())


def test_an_answer_from_a_record_that_was_changed_is_found_without_that_record(copy):
    made = copy("paired")
    made.change(change_a_mark)
    assert "models[sibling].marks_sha256" in found(made.verify())


def test_answers_of_another_record_are_found(copy, runs):
    made = copy("paired")

    def edit(tree):
        from auditkit.evidence import Answers
        from auditkit.measure.recorded import marks_sha256

        change_a_mark(tree)
        tree["models"][0]["marks_sha256"] = marks_sha256(Answers.model_validate(tree["answers"]), "sibling")

    made.change(edit)
    said = found(made.verify(references=[runs["alone"].record]))
    assert "1 answers are others" in said
    assert json.loads(made.record.read_text())["models"][0]["given"] == "record"
