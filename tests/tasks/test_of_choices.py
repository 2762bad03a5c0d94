"""Confidence and Brier score of an answer: by hand."""

import math

import pytest

from auditkit.protocol.catalogue import Catalogue
from auditkit.tasks import Expectation, classes, expect, of_choices, read
from auditkit.vocabulary import Question, Value
from tests.judge.build import protocol

THREE = {
    "scorer": {"choice": {"A": "bacteria", "B": "normal", "C": "virus"}},
    "truth": "label",
    "wordings": {"direct": "Which?\n{options}\nOne letter."},
}
FILLED = THREE | {"scorer": {"choice": {"A": "{first}", "B": "{second}"}}}


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return protocol(tasks={"kind": THREE, "own": FILLED}).catalogue


def of(catalogue, chances: dict[str, float], text: str, truth: str) -> dict[str, float]:
    task = catalogue.task("kind")
    expected = expect({letter: math.log(p) if p else -math.inf for letter, p in chances.items()}, task)
    score = read(task, "", text, truth=truth)
    return dict(of_choices(expected, score.said if score.outcome == "scored" else "", truth))


def test_the_confidence_is_that_in_the_answer_that_was_given(catalogue):
    """0.8 of the probability is on the choices; what was written is not the likeliest."""
    found = of(catalogue, {"A": 0.4, "B": 0.2, "C": 0.2}, "B", "bacteria")
    assert found["confidence"] == 0.25
    # Half of (0.5 - 1)^2 + 0.25^2 + 0.25^2.
    assert found["brier"] == pytest.approx(0.1875)


@pytest.mark.parametrize(("truth", "brier"), [("bacteria", 0.0), ("virus", 1.0)])
def test_who_is_sure_has_the_ends_of_the_brier_score(catalogue, truth, brier):
    assert of(catalogue, {"A": 1.0, "B": 0.0, "C": 0.0}, "A", truth) == {"brier": brier, "confidence": 1.0}


def test_of_an_answer_that_cannot_be_used_there_is_no_confidence(catalogue):
    assert of(catalogue, {"A": 0.6, "B": 0.4}, "I cannot say.", "normal") == {"brier": pytest.approx(0.36)}


def test_a_right_answer_that_is_not_listed_has_no_probability(catalogue):
    assert of(catalogue, {"A": 0.75, "B": 0.25}, "A", "virus")["brier"] == pytest.approx((1 + 0.75**2 + 0.25**2) / 2)


def test_too_little_probability_says_nothing(catalogue):
    assert of(catalogue, {"A": 0.2, "B": 0.1}, "A", "bacteria") == {}
    assert dict(of_choices(Expectation("invalid"), "bacteria", "bacteria")) == {}


def test_they_are_values_of_tasks_with_a_right_answer(catalogue):
    quantity = catalogue.quantity(Value(Question("kind", "direct"), "confidence"))
    assert (quantity.unit, quantity.low, quantity.high, quantity.binary) == ("share", 0.0, 1.0, False)
    assert catalogue.quantity(Value(Question("kind", "direct"), "brier")).unit == "Brier"
    assert classes(catalogue.task("kind")) == ("bacteria", "normal", "virus")
    assert classes(catalogue.task("own")) == ()  # what an item's columns fill in is no class
