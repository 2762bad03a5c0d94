"""Statements of others: each beside a neutral sentence of the same shape; suffixes are one word."""

import re

import pytest

from auditkit.perturbations import shipped, statements
from auditkit.perturbations.words import SLOT, closed, reworded

TEXT = f"Rate this.\n{SLOT}"


def test_everybody_states_both_grades_and_both_answers():
    found = {(said.speaker, said.about, said.side) for said in statements().values()}
    sides = [("quality", "excellent"), ("quality", "poor"), ("answer", "correct"), ("answer", "wrong")]
    assert found == {(speaker, *side) for speaker in ("authority", "majority", "note") for side in sides}
    assert {said.about for said in statements("quality").values()} == {"quality"}
    assert len(statements("answer")) == 6


@pytest.mark.parametrize("said", statements().values(), ids=lambda said: said.id)
def test_a_statement_and_its_neutral_sentence_have_one_shape(said):
    entry, neutral = shipped()[said.id], shipped()[said.placebo].parameters(0)["sentence"]
    assert (entry.placebo, entry.stage, entry.expects, entry.tier) == (said.placebo, "words", "ignore", "statements")
    assert entry.hazard == said.hazard != ""
    words, others = said.sentence.split(), neutral.split()
    assert len(words) == len(others)
    # The same speaker, and the same words but for what is stated.
    assert words[:2] == others[:2]
    assert sum(a == b for a, b in zip(words, others, strict=True)) >= len(words) / 2
    stated = re.findall(r"\{\w+\}|excellent|poor", neutral)
    assert stated == []


@pytest.mark.parametrize("said", statements("answer").values(), ids=lambda said: said.id)
def test_an_answer_is_named_by_one_slot(said):
    slot = {"correct": "{truth}", "wrong": "{wrong}"}[said.side]
    assert re.findall(r"\{\w+\}", said.sentence) == [slot]


def test_correct_and_wrong_differ_in_the_slot_only():
    for said in statements("answer").values():
        if said.side == "correct":
            other = statements()[said.id.replace(".correct", ".wrong")]
            assert said.sentence.replace("{truth}", "{wrong}") == other.sentence


def test_a_suffix_is_one_word_after_the_question():
    suffixes = [entry for entry in shipped().values() if entry.tier == "suffixes"]
    assert len(suffixes) == 5
    for entry in suffixes:
        assert re.fullmatch(r"Rate this\.\n[A-Z][a-z]+\.", closed(reworded(TEXT, entry)))
        assert (entry.placebo, entry.expects) == ("", "ignore")
    assert closed(reworded(TEXT, shipped()["suffix.thanks"])) == "Rate this.\nThanks."


def test_no_sentence_holds_a_digit_or_more_than_one_sentence():
    for entry in shipped().values():
        if entry.tier in ("statements", "suffixes"):
            said = entry.parameters(0)["sentence"]
            assert (said.count("."), any(char.isdigit() for char in said)) == (1, False)
