"""A scorer of somebody else is kept to its word: whatever it does, an answer has one outcome and values in range."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from auditkit.tasks import Quantity, Score, Task, Wording, read, shipped

AXES = (Quantity("overall", "points", 0, 2), Quantity("clarity", "points", 0, 2))


@dataclass
class Giving:
    """Gives what it was made with, or raises it."""

    given: Any
    quantities: tuple[Quantity, ...] = AXES
    choices: None = None

    def read(self, text: str, finish: str, wording: Wording) -> Score:
        if isinstance(self.given, Exception):
            raise self.given
        score: Score = self.given
        return score


def reading(given: Any, quantities: tuple[Quantity, ...] = AXES, finish: str = "stop") -> Score:
    task = Task("own", {"direct": Wording("How?\n{context}")}, Giving(given, quantities), "own")
    return read(task, "direct", "text", finish)


def test_main_value_by_name_or_without() -> None:
    for main in ("", "overall"):
        assert reading(Score("scored", {main: 1, "clarity": 2}, "1")) == Score("scored", {"": 1.0, "clarity": 2.0}, "1")
    assert reading(Score("scored", {"clarity": 0.5})).values == {"clarity": 0.5}


@pytest.mark.parametrize("value", [np.float32(1.5), Fraction(3, 2), np.float64(1.5)])
def test_every_real_number_becomes_a_float(value: Any) -> None:
    score = reading(Score("scored", {"overall": value}))
    assert score.values == {"": 1.5}
    assert type(score.main) is float


def test_labels_have_no_values() -> None:
    assert reading(Score("scored", said="left"), ()) == Score("scored", said="left")


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (RuntimeError("no luck"), "the scorer failed with RuntimeError: no luck"),
        (RecursionError(), "failed with RecursionError"),
        (None, "gave None, which is not a Score"),
        ("87", "gave '87', which is not a Score"),
        (Score("fine"), "not a Score as declared"),  # type: ignore[arg-type]
        (Score("scored", {"": 1.0}, said=1), "not a Score as declared"),  # type: ignore[arg-type]
        (Score("scored", [1.0]), "together with values"),  # type: ignore[arg-type]
        (Score("refused", {"": 1.0}), "gave the outcome refused together with values"),
        (Score("scored"), "without a value and without what was said"),
        (Score("scored", {"noise": 1.0}), "gave a value 'noise' that is not among its quantities"),
        (Score("scored", {"": 1.0, "overall": 1.0}), "gave overall twice"),
        (Score("scored", {"": float("nan")}), "gave nan for overall, which is no number"),
        (Score("scored", {"": True}), "gave True for overall, which is no number"),
        (Score("scored", {"clarity": "2"}), "gave '2' for clarity"),  # type: ignore[dict-item]
        (Score("scored", {"clarity": None}), "gave None for clarity"),  # type: ignore[dict-item]
    ],
)
def test_a_scorer_that_breaks_its_word_leaves_the_answer_unparsed(given: Any, why: str) -> None:
    score = reading(given)
    assert (score.outcome, score.values, score.said) == ("unparsed", {}, "")
    assert why in score.why


@pytest.mark.parametrize("value", [2.1, -0.1, float("inf"), -float("inf"), 10**400])
def test_a_value_beyond_its_range_is_out_of_range(value: float) -> None:
    score = reading(Score("scored", {"": 1.0, "clarity": value}, "said"))
    assert (score.outcome, score.values, score.said) == ("out_of_range", {}, "said")
    assert score.why.startswith("clarity ")
    assert score.why.endswith("is outside 0 to 2")


def test_a_reason_is_never_missing() -> None:
    assert reading(Score("refused")) == Score("refused", why="the scorer gave no reason")
    assert reading(Score("refused", why="it says so")).why == "it says so"


def test_a_failed_request_is_not_shown_to_the_scorer() -> None:
    assert reading(RuntimeError(), finish="error").outcome == "error"


def test_an_unknown_wording_is_the_callers_mistake() -> None:
    with pytest.raises(KeyError):
        read(shipped()["quality"], "direkt", "87")
