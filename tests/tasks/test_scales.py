"""One question on several scales: numbers up to 10 are read as strictly as those up to 100, and all become points."""

import pytest

from auditkit.perturbations import levels, placebos
from auditkit.protocol import prompt
from auditkit.tasks import SCORE, pack, read, shipped

TASKS = {**shipped(), **pack("prompt")}
TO_10 = TASKS["prompt.to_10"]
WORDINGS = [(task.id, wording) for task in pack("prompt").values() for wording in task.wordings]


@pytest.mark.parametrize(
    ("text", "points"),
    [
        ("7", 70), ("0", 0), ("10", 100), ("7.5", 75), ("7/10", 70), ("7 out of 10", 70), ("**8**", 80),
        ("Score: 6", 60), ("I would give this image a 9.", 90), ("10/10", 100),
        ("The quality is 3 on a scale from 0 to 10.", 30),
    ],
)  # fmt: skip
def test_a_number_up_to_10_counts_tenfold(text, points):
    found = read(TO_10, "", text)
    assert (found.outcome, found.main) == ("scored", points)


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ("12", "out_of_range"), ("-1", "out_of_range"), ("85", "out_of_range"),
        ("70/100", "unparsed"), ("4/5", "unparsed"), ("70 %", "unparsed"), ("0.7", "unparsed"), ("7,5", "unparsed"),
        ("6 or 7", "unparsed"), ("from 0 to 10", "unparsed"), ("7 on a 5-point scale", "unparsed"),
        ("seven", "unparsed"), ("I'm sorry, but I cannot rate this image.", "refused"),
    ],
)  # fmt: skip
def test_what_is_no_number_of_the_scale_is_never_converted(text, outcome):
    assert read(TO_10, "", text).outcome == outcome


def test_the_ends_of_every_scale_are_the_ends_of_the_points():
    said = {"0-100": ("0", "100"), "1-5": ("1/5", "5/5"), "0-10": ("0", "10"), "words": ("reject", "good")}
    assert tuple(said) == prompt.NAMES_OF_SCALES
    for row in prompt.SCALES.values():
        for question, ends in zip(row, said.values(), strict=True):
            task = TASKS[question.task]
            assert [read(task, question.wording, text).main for text in ends] == [0, 100], question
            assert task.scorer.quantities == (SCORE,)


def test_no_two_prompts_have_the_same_words():
    texts = [wording.text for task in TASKS.values() for wording in task.wordings.values()]
    assert len(set(texts)) == len(texts)
    assert len(prompt.PARAPHRASES) >= 6
    assert len(prompt.EVERY) == len(set(prompt.EVERY)) == 17


@pytest.mark.parametrize(("task", "wording"), WORDINGS)
def test_an_echo_of_the_question_is_no_answer(task, wording):
    asked = TASKS[task].wordings[wording].question
    known = [*placebos().values(), *(level.sentence for level in levels().values())]
    for text in (asked, asked[:-1], asked.upper(), asked.partition(" ")[2], f"{asked}\n{known[0]}"):
        found = read(TASKS[task], wording, text.replace("image", "picture"))
        assert found.outcome == "unparsed", (text, found)


@pytest.mark.parametrize(("task", "wording"), WORDINGS)
def test_every_choice_is_an_answer_after_an_echo_too(task, wording):
    for choice in TASKS[task].scorer.choices:
        alone = read(TASKS[task], wording, choice)
        assert alone.outcome == "scored"
        assert read(TASKS[task], wording, f"{TASKS[task].wordings[wording].question}\n{choice}") == alone
