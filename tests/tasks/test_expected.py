"""From log-probabilities to an expected score: the parser's scale, known values, and what is never guessed."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditkit.tasks import READINGS, Quantity, Score, expect, read, shipped
from auditkit.tasks.declared import task_of
from auditkit.tasks.expected import LEAST_MASS, ROUNDING

TASKS = shipped()
ALL = st.sampled_from(list(TASKS.values()))
RATING = TASKS["rating"]
SCORE = TASKS["quality"]
LABELS = TASKS["options.degradation"]


def logs(shares: dict[str, float]) -> dict[str, float]:
    return {choice: math.log(p) if p else -math.inf for choice, p in shares.items()}


@st.composite
def listed(draw):
    """A task, the choices that a server lists, and their probabilities."""
    task = draw(ALL)
    choices = draw(st.lists(st.sampled_from(task.scorer.choices), min_size=1, max_size=12, unique=True))
    weights = np.array(draw(st.lists(st.floats(1e-3, 1.0), min_size=len(choices), max_size=len(choices))))
    mass = draw(st.floats(LEAST_MASS + 1e-6, 1.0))
    return task, dict(zip(choices, (mass * weights / weights.sum()).tolist(), strict=True))


@pytest.mark.parametrize("name", TASKS)
def test_a_certain_choice_has_the_score_that_its_text_has(name):
    task = TASKS[name]
    for choice in task.scorer.choices:
        answer, found = read(task, "", choice), expect({choice: 0.0}, task)
        assert answer.outcome == "scored", (choice, answer.why)
        assert (found.reading, found.score, found.top) == ("read", answer.main, choice)
        assert (found.entropy, found.mass) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("name", "choice", "score"),
    [
        ("quality", "0", 0.0),
        ("quality", "1", 1.0),
        ("quality", "37", 37.0),
        ("quality", "100", 100.0),
        ("rating", "1/5", 0.0),
        ("rating", "4/5", 75.0),
        ("grade", "usable", 50.0),
        ("yes_no", "no", 0.0),
        ("options.quality", "B", 67.0),
        ("options.degradation", "B", None),
    ],
)
def test_the_scale_is_points_of_0_to_100(name, choice, score):
    assert expect({choice: 0.0}, TASKS[name]).score == score


def test_known_values():
    found = expect(logs({"4/5": 0.4, "5/5": 0.4, "1/5": 0.1}), RATING)
    assert found.score == pytest.approx((0.4 * 75 + 0.4 * 100 + 0.1 * 0) / 0.9)
    assert found.mass == pytest.approx(0.9)
    shares = [4 / 9, 4 / 9, 1 / 9]
    assert found.entropy == pytest.approx(-sum(s * math.log2(s) for s in shares))
    assert found.max_entropy == pytest.approx(math.log2(5))
    assert found.top == "4/5"  # of equals the one declared first
    assert found.why == ""


def test_equally_likely_choices_have_all_the_entropy_there_is():
    for task in TASKS.values():
        found = expect(logs(dict.fromkeys(task.scorer.choices, 1 / len(task.scorer.choices))), task)
        assert found.entropy == pytest.approx(found.max_entropy) == pytest.approx(math.log2(len(task.scorer.choices)))
    assert expect(logs(dict.fromkeys(SCORE.scorer.choices, 1 / 101)), SCORE).score == pytest.approx(50.0)


def test_labels_have_an_entropy_and_no_score():
    found = expect(logs({"A": 0.5, "C": 0.25, "E": 0.25}), LABELS)
    assert (found.score, found.top) == (None, "A")
    assert found.entropy == pytest.approx(1.5)


@given(listed(), st.randoms(use_true_random=False))
@settings(max_examples=150)
def test_any_distribution_stays_within_its_choices(drawn, random):
    task, shares = drawn
    found = expect(logs(shares), task)
    assert found.reading == "read"
    p = np.array(list(shares.values()))
    scores = [read(task, "", choice).main for choice in shares]
    if scores[0] is not None:
        assert found.score == pytest.approx(float(p @ np.array(scores) / p.sum()), abs=1e-9)
        assert 0.0 <= found.score <= 100.0
        assert min(scores) - 1e-9 <= found.score <= max(scores) + 1e-9
    assert 0.0 <= found.entropy <= math.log2(len(shares)) + 1e-9
    assert found.entropy <= found.max_entropy
    assert shares[found.top] == pytest.approx(p.max())
    moved = list(logs(shares).items())
    random.shuffle(moved)
    assert expect(dict(moved), task) == found


@given(listed(), st.lists(st.floats(0, 1, allow_subnormal=False), min_size=101, max_size=101))
@settings(max_examples=80)
def test_choices_that_were_not_listed_move_the_score_by_no_more_than_the_missing_mass(drawn, weights):
    task, shares = drawn
    some = expect(logs(shares), task)
    rest = [c for c in task.scorer.choices if c not in shares]
    total = sum(weights[: len(rest)])
    if some.score is None or not total:
        return
    scale = max(1 - sum(shares.values()), 0.0) / total
    whole = expect(logs(shares | {c: scale * w for c, w in zip(rest, weights, strict=False)}), task)
    assert abs(whole.score - some.score) <= 100 * (1 - some.mass) + 1e-6


@pytest.mark.parametrize(
    ("logprobs", "why"),
    [
        ({}, "no choice is listed"),
        ({"4/5": math.nan, "5/5": -1.0}, "no number"),
        ({"4/5": None}, "no number"),
        ({"4/5": "-0.1"}, "no number"),
        ({"4/5": True}, "no number"),
        ({"4/5": 0.5}, "above 0"),
        ({"4/5": math.inf}, "above 0"),
        ({"4/5": 1e300}, "above 0"),
        ({"4/5": -0.2, "4": -3.0}, "'4' is not among"),
        ({"4/5": -0.2, "5/5": -0.2}, "probability of 1.637 together"),
    ],
)
def test_what_cannot_be_log_probabilities_gives_nothing(logprobs, why):
    found = expect(logprobs, RATING)
    assert found.reading == "invalid"
    assert why in found.why
    assert (found.score, found.entropy, found.mass, found.top) == (None, None, None, None)


def test_first_tokens_in_place_of_answers_are_noticed():
    """The probability of "1" as the first token holds those of "10" to "19" and "100" as well."""
    whole = {"1": 0.01, "10": 0.3, "15": 0.4, "100": 0.25}
    first = dict(whole, **{"1": sum(whole.values())})
    assert expect(logs(whole), SCORE).reading == "read"
    assert expect(logs(first), SCORE).reading == "invalid"


def test_rounding_in_half_precision_is_no_fault():
    shares = np.full(5, 0.2)
    up = np.log(shares * (1 + 2.0**-8))  # each off by one part in 256, all upwards
    found = expect(dict(zip(RATING.scorer.choices, up.tolist(), strict=True)), RATING)
    assert (found.reading, found.mass) == ("read", 1.0)
    assert found.score == pytest.approx(50.0)
    assert expect({"4/5": 2 * ROUNDING}, RATING).reading == "invalid"
    assert expect({"4/5": np.float32(-0.1)}, RATING).reading == "read"


def test_little_on_the_declared_answers_gives_no_expectation_and_shows_its_mass():
    found = expect(logs({"4/5": 0.2, "5/5": 0.29}), RATING)
    assert (found.reading, found.score, found.entropy, found.top) == ("low_mass", None, None, None)
    assert found.mass == pytest.approx(0.49)
    assert "0.49" in found.why
    assert expect(logs({"4/5": 0.21, "5/5": 0.3}), RATING).reading == "read"
    nothing = expect(dict.fromkeys(RATING.scorer.choices, -math.inf), RATING)
    assert (nothing.reading, nothing.mass) == ("low_mass", 0.0)


def test_a_choice_of_no_probability_counts_as_none():
    assert expect(logs({"good": 0.6, "reject": 0.4, "usable": 0.0}), TASKS["grade"]) == expect(
        logs({"good": 0.6, "reject": 0.4}), TASKS["grade"]
    )


@given(
    ALL, st.dictionaries(st.sampled_from([*SCORE.scorer.choices, *RATING.scorer.choices, "A", "good", ""]), st.floats())
)
def test_any_mapping_has_exactly_one_reading(task, logprobs):
    found = expect(logprobs, task)
    assert found.reading in READINGS
    assert bool(found.why) == (found.reading != "read")
    assert (found.mass is None) == (found.reading == "invalid")
    assert (found.entropy is None) == (found.top is None) == (found.reading != "read")
    assert found.reading == "read" or found.score is None


class Tenths:
    """A scorer of somebody else: "low" and "high" on a range of its own."""

    quantities = (Quantity("confidence", "share", 0.1, 0.9),)
    choices = ("low", "high")

    def read(self, text, finish, wording):
        return Score("scored", {"confidence": {"low": 0.1, "high": 0.9}[text]}, text)


def test_the_scale_is_that_of_the_tasks_own_quantity():
    task = task_of("own", {"scorer": f"{__name__}:Tenths", "wordings": {"direct": "How sure?"}})
    assert expect({"low": 0.0}, task).score == 0.1
    assert expect(logs({"low": 0.25, "high": 0.75}), task).score == pytest.approx(0.7)
