"""The wording that auditkit ships: several for every task, and no question that is taken for an answer."""

from __future__ import annotations

import subprocess
import sys

import pytest

from auditkit.perturbations import levels, placebos
from auditkit.tasks import SCORE, SLOT, Choice, Points, read, shipped

TASKS = shipped()
EVERY = pytest.mark.parametrize(("task", "wording"), [(t.id, w) for t in TASKS.values() for w in t.wordings])


def said_after(text: str, sentence: str) -> str:
    return text.replace(SLOT, sentence).rstrip()


def test_enough_wordings_of_every_task() -> None:
    count = {task.id: len(task.wordings) for task in TASKS.values()}
    assert count["quality"] >= 3
    assert count["rating"] >= 3
    assert min(count["grade"], count["yes_no"]) >= 2
    assert len([id for id in count if id.startswith("options.")]) >= 2
    assert all(id == task.id for id, task in TASKS.items())


def test_texts_differ() -> None:
    texts = [wording.text for task in TASKS.values() for wording in task.wordings.values()]
    assert len(set(texts)) == len(texts)


def test_the_tasks_are_one_object_that_cannot_be_changed() -> None:
    assert shipped() is shipped()
    with pytest.raises(TypeError):
        TASKS["new"] = TASKS["quality"]  # type: ignore[index]
    with pytest.raises(TypeError):
        TASKS["quality"].wordings["new"] = TASKS["quality"].wordings["direct"]  # type: ignore[index]


def test_quantities_and_choices() -> None:
    assert TASKS["quality"].scorer == Points("score_100")
    for id in ("quality", "rating", "grade", "yes_no", "options.quality"):
        assert TASKS[id].scorer.quantities == (SCORE,)
    assert TASKS["options.degradation"].scorer.quantities == ()
    assert [len(task.scorer.choices or ()) for task in TASKS.values()] == [101, 5, 3, 2, 4, 5, 5, 5]


def test_options_are_offered_in_both_orders() -> None:
    one, other = (TASKS[id].scorer for id in ("options.degradation", "options.degradation_reversed"))
    assert isinstance(one, Choice)
    assert isinstance(other, Choice)
    labels = [option.label for option in one.options]
    assert sorted(map(str, labels)) == sorted(str(option.label) for option in other.options)
    assert labels[0] == other.options[-1].label


@pytest.mark.parametrize("sentence", [*placebos().values(), *(level.sentence for level in levels().values())])
def test_no_task_takes_a_sentence_for_an_answer(sentence: str) -> None:
    for task in TASKS.values():
        assert read(task, "", sentence).outcome == "unparsed"


@EVERY
@pytest.mark.parametrize("sentence_id", ["", "institution.neutral", "institution.reputation.high"])
def test_echo_of_the_question_is_no_answer(task: str, wording: str, sentence_id: str) -> None:
    known = {**placebos(), **{level.id: level.sentence for level in levels().values()}, "": ""}
    asked = TASKS[task].wordings[wording]
    user = said_after(asked.text, known[sentence_id])
    assert read(TASKS[task], wording, user).outcome == "unparsed"
    # An echo that is not word for word is not taken out beforehand: the rules themselves must hold.
    for near in (user[:-1], user.upper(), user.partition(" ")[2], f"{asked.system}\n{user} "):
        answer = read(TASKS[task], wording, near.replace("image", "picture"))
        assert answer.outcome == "unparsed", (near, answer)


@EVERY
def test_answer_after_an_echo_is_read(task: str, wording: str) -> None:
    given = {"quality": "87", "rating": "4/5", "grade": "usable", "yes_no": "no"}.get(task, "B")
    echoed = read(TASKS[task], wording, f"{TASKS[task].wordings[wording].question}\n{given}")
    assert echoed == read(TASKS[task], wording, given)
    assert echoed.outcome == "scored"


@EVERY
def test_every_choice_is_an_answer(task: str, wording: str) -> None:
    choices = TASKS[task].scorer.choices or ()
    answers = [read(TASKS[task], wording, choice) for choice in choices]
    assert {answer.outcome for answer in answers} == {"scored"}
    assert len({answer.said for answer in answers}) == len(answers) > 1


def test_import_is_light() -> None:
    code = (
        "import sys, auditkit.tasks as t; t.shipped();"
        "heavy = {'numpy', 'scipy', 'torch', 'pydantic', 'pytest', 'PIL', 'transformers'} & set(sys.modules);"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
