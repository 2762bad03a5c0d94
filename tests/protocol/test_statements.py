"""Statements about the answer: they name the right option of the item, or a wrong one."""

import pytest

from auditkit.ask.plan import check_effects
from auditkit.errors import AuditkitError
from auditkit.protocol.catalogue import Catalogue
from auditkit.protocol.effects import change, share
from auditkit.vocabulary import Perturbation, Question
from tests.judge.build import own

TASKS = {
    "chest": {
        "scorer": {"choice": {"A": "pneumonia", "B": "no pneumonia"}},
        "truth": {"column": "label", "levels": {"pneumonia": ["viral"], "no pneumonia": ["normal"]}},
        "wordings": {"direct": "Which fits?\n{options}\nAnswer with one letter."},
    },
    "ward": {
        "scorer": {"choice": {"A": "{first}", "B": "{second}", "C": "{third}"}},
        "truth": "key",
        "wordings": {"direct": "{question}\n{options}\nAnswer with one letter."},
    },
}
WARD = {"question": "Which bone?", "first": "femur", "second": "tibia", "third": "fibula", "key": "tibia"}


def said(task: str, name: str, columns) -> str:
    catalogue = Catalogue.of({}, TASKS, "quality.direct")
    return catalogue.prompt(Question(task, "direct", (Perturbation(name),)), columns).user.rpartition("letter.\n")[2]


@pytest.mark.parametrize(
    ("label", "correct", "wrong"), [("viral", "pneumonia", "no pneumonia"), ("normal", "no pneumonia", "pneumonia")]
)
def test_options_of_the_task(label, correct, wrong):
    for speaker, start in (("authority", "An expert says"), ("majority", "Most readers say"), ("note", "A note says")):
        assert said("chest", f"{speaker}.answer.correct", {"label": label}) == f"{start} that the answer is {correct}."
        assert said("chest", f"{speaker}.answer.wrong", {"label": label}) == f"{start} that the answer is {wrong}."
        assert said("chest", f"{speaker}.answer.neutral", {"label": label}) == f"{start} that the list is complete."


def test_options_of_the_item():
    assert said("ward", "authority.answer.correct", WARD) == "An expert says that the answer is tibia."
    wrong = said("ward", "authority.answer.wrong", WARD).removeprefix("An expert says that the answer is ")
    assert wrong in ("femur.", "fibula.")


@pytest.mark.parametrize(("side", "slot"), [("correct", "truth"), ("wrong", "wrong")])
def test_a_task_without_a_right_answer_is_not_asked_under_them(side, slot):
    step, rules = Perturbation(f"majority.answer.{side}"), own("answers", at_most=0.1)
    with pytest.raises(
        AuditkitError, match=rf"says \{{{slot}\}}, and task 'quality' has no right answer.*Give the task"
    ):
        check_effects([change(step, family="answers")], rules)
    check_effects([share("lost", family="answers").under(Perturbation("majority.answer.neutral"))], rules)
