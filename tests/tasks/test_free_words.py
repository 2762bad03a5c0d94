"""Answers in free words: what is a description, and what declines to give one."""

import pytest

from auditkit import tasks

TASK = tasks.pack("medq")["medq.reasoning"]


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ("The image is sharp, with little noise. It is good.", "scored"),
        ("The cause of the noise is unclear; I cannot determine it from one image. The image is usable.", "scored"),
        ("Edges are blurred, so fine detail cannot be assessed. It is to be rejected.", "scored"),
        ("I cannot see the left border, which is cut off. Contrast is low.", "scored"),
        ("I'm sorry, but I cannot describe medical images.", "refused"),
        ("I can't assist with that.", "refused"),
        ("As an AI model, I am not able to evaluate this image.", "refused"),
        ("Unfortunately, I'm unable to compare these images.", "refused"),
        ("I cannot see any image.", "no_image"),
        ("   ", "unparsed"),
        ("word " * 2000, "unparsed"),
    ],
)
def test_a_description_or_none(text, outcome):
    score = tasks.read(TASK, "direct", text)
    assert score.outcome == outcome
    assert not score.values


def test_a_description_that_was_cut_is_none():
    assert tasks.read(TASK, "direct", "The image is sharp and", "length").outcome == "truncated"


def test_the_same_words_say_the_same():
    said = [tasks.read(TASK, "direct", text).said for text in ("Sharp.  Good.", "Sharp.\nGood.", "Sharp. Usable.")]
    assert said[0] == said[1] != said[2]
