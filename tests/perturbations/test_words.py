"""Words: one sentence as it always was, several one after the other, and laws of one's own."""

import pytest

from auditkit.perturbations import Entry, PerturbationError, levels, shipped
from auditkit.perturbations.words import SLOT, closed, reworded, sentence
from auditkit.tasks import SLOT as SLOT_OF_TASKS
from auditkit.tasks import shipped as shipped_tasks

TEXT = "Rate this.\n{context}"
FIRST, SECOND = shipped()["institution.reputation.high"], shipped()["expertise.routine.low"]


def test_questions_and_sentences_agree_on_the_slot():
    assert SLOT == SLOT_OF_TASKS


@pytest.mark.parametrize("entry", [e for e in shipped().values() if e.stage == "words"], ids=lambda e: e.name)
def test_one_sentence_gives_the_bytes_that_replacing_the_slot_gives(entry):
    said = entry.parameters(0)["sentence"]
    for task in shipped_tasks().values():
        for wording in task.wordings.values():
            assert closed(reworded(wording.text, entry)) == wording.text.replace(SLOT, said).rstrip()


def test_sentences_follow_each_other_in_the_order_given():
    first, second = levels()[FIRST.name].sentence, levels()[SECOND.name].sentence
    assert closed(reworded(reworded(TEXT, FIRST), SECOND)) == f"Rate this.\n{first} {second}"
    assert closed(reworded(reworded(TEXT, SECOND), FIRST)) == f"Rate this.\n{second} {first}"


def test_without_a_sentence_the_text_ends_with_the_question():
    assert closed(TEXT) == "Rate this."


def test_the_law_keeps_the_slot():
    assert sentence(TEXT, sentence="It is late.") == "Rate this.\nIt is late. {context}"


def shouted(text, *, marks=1):
    return text.replace("Rate", "RATE").replace(".", "!" * marks)


def emptied(text):
    return "Rate this."


def failing(text):
    raise KeyError("x")


def own(name: str, *level: dict) -> Entry:
    return Entry(name=name, label="", stage="words", levels=level or ({},), function=f"{__name__}:{name}")


def test_a_law_of_ones_own_with_levels():
    entry = own("shouted", {"marks": 1}, {"marks": 3})
    assert closed(reworded(TEXT, entry, 2)) == "RATE this!!!"
    assert closed(reworded(reworded(TEXT, entry, 1), FIRST)).startswith("RATE this!\nThis image was acquired")


@pytest.mark.parametrize(
    ("entry", "level", "message"),
    [
        (own("emptied"), 0, r"perturbation 'emptied': its law .* gave 'Rate this\.'\. It must .* one \{context\}"),
        (own("failing"), 0, "perturbation 'failing': its law .* failed with KeyError"),
        (own("absent"), 0, "perturbation 'absent': its law .* has no "),
        (own("shouted", {"loud": 1}), 0, r"cannot be called as shouted\(text, loud=\.\.\.\)"),
        (own("shouted"), 1, "single strength"),
        (shipped()["jpeg"], 1, "perturbation 'jpeg' changes display, not words"),
    ],
)
def test_what_cannot_be_said_is_named(entry, level, message):
    with pytest.raises(PerturbationError, match=message):
        reworded(TEXT, entry, level)
