import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditkit import tasks
from auditkit.models.endpoint.first_token import choice_logprobs, decided_at_once

GRADES = ("good", "usable", "reject")
STEPS = ("1/5", "2/5", "3/5", "4/5", "5/5")
LETTERS = ("A", "B", "C")


def listed(*tokens: tuple[str, float], chosen: int = 0) -> dict:
    """The documented field, from tokens and probabilities."""
    entries = [{"token": token, "logprob": math.log(p), "bytes": None} for token, p in tokens]
    return {"content": [{**entries[chosen], "top_logprobs": entries}]}


def shares(choices, tokens, text, chosen=0):
    found = choice_logprobs(choices, listed(*tokens, chosen=chosen), text)
    return found and {choice: round(math.exp(value), 6) for choice, value in found.items()}


@pytest.mark.parametrize(
    ("choices", "tokens", "text", "expected"),
    [
        (GRADES, [("good", 0.7), ("us", 0.2), ("reject", 0.05)], "good", {"good": 0.7, "usable": 0.2, "reject": 0.05}),
        (GRADES, [("good", 0.5), (" Good", 0.2), ("GO", 0.1)], "good", {"good": 0.8}),
        (GRADES, [("▁good", 0.5), ("Ġgood", 0.1)], "▁good", {"good": 0.6}),
        (GRADES, [("good.", 0.5), ("goodness", 0.2), ("great", 0.1)], "good.", {"good": 0.5}),
        (GRADES, [("I", 0.6), ("good", 0.4)], "I think good", {"good": 0.4}),
        (STEPS, [("4", 0.9), ("3/", 0.05), ("1.", 0.04)], "4/5", {"4/5": 0.9, "3/5": 0.05}),
        (LETTERS, [("B", 0.6), (" A", 0.2), ("a", 0.1), ("C.", 0.05)], "B", {"B": 0.6, "A": 0.2, "C": 0.05}),
        (("yes", "no"), [("No", 0.6), ("not", 0.2), ("n", 0.1), ("Yes", 0.1)], "No", {"yes": 0.1, "no": 0.7}),
        (("normal", "nodule"), [("norm", 0.6), ("nod", 0.4)], "normal", {"normal": 0.6, "nodule": 0.4}),
    ],
)
def test_tokens_that_lead_to_one_choice_are_summed(choices, tokens, text, expected):
    assert shares(choices, tokens, text) == expected


@pytest.mark.parametrize(
    ("why", "choices", "tokens", "text"),
    [
        ("a token begins two choices", ("normal", "nodule"), [("no", 0.6), ("norm", 0.4)], "normal"),
        ("one choice begins another", tuple(map(str, range(101))), [("85", 0.6), ("8", 0.4)], "85"),
        ("no choice is listed", GRADES, [("I", 0.6), ("The", 0.4)], "I see"),
        ("the text does not begin so", GRADES, [("good", 0.9)], "reject"),
        ("reasoning was taken out", GRADES, [("<think>", 0.9), ("good", 0.1)], "good"),
        ("space alone decides nothing", GRADES, [("▁", 0.9), ("good", 0.1)], "good"),
    ],
)
def test_what_cannot_be_told_is_not(why, choices, tokens, text):
    assert shares(choices, tokens, text) is None, why


@pytest.mark.parametrize(
    "field",
    [
        None,
        [],
        {},
        {"content": None},
        {"content": []},
        {"content": ["good"]},
        {"content": [{"token": "good", "logprob": -0.1}]},
        {"content": [{"token": "good", "logprob": -0.1, "top_logprobs": []}]},
        {"content": [{"token": "good", "logprob": -0.1, "top_logprobs": {"good": -0.1}}]},
        {"content": [{"token": 3, "logprob": -0.1, "top_logprobs": [{"token": "good", "logprob": -0.1}]}]},
        {"content": [{"token": "good", "logprob": -0.1, "top_logprobs": [{"token": "good", "logprob": "high"}]}]},
        {"content": [{"token": "good", "logprob": -0.1, "top_logprobs": [{"token": "good", "logprob": 2.0}]}]},
        {"content": [{"token": "good", "logprob": math.nan, "top_logprobs": [{"token": "good", "logprob": -1}]}]},
        {"tokens": ["good"], "token_logprobs": [-0.1], "top_logprobs": [{"good": -0.1}]},
    ],
)
def test_other_shapes_tell_nothing(field):
    assert choice_logprobs(GRADES, field, "good") is None


def test_chosen_token_counts_once_wherever_it_is():
    field = listed(("good", 0.6), ("us", 0.3))
    assert math.exp(choice_logprobs(GRADES, field, "good")["good"]) == pytest.approx(0.6)
    del field["content"][0]["top_logprobs"][0]
    assert math.exp(choice_logprobs(GRADES, field, "good")["good"]) == pytest.approx(0.6)


def test_impossible_tokens_are_left_out():
    field = listed(("good", 1.0), ("us", 0.5))
    field["content"][0]["top_logprobs"][1]["logprob"] = -math.inf
    assert choice_logprobs(GRADES, field, "good") == {"good": 0.0}


def test_formats_of_the_catalogue_that_one_token_decides():
    together = {task.id for task in tasks.shipped().values() if not decided_at_once(task.scorer.choices)}
    assert together == {"quality"}
    assert not decided_at_once(None)
    assert not decided_at_once(("yes", "Yes"))


@given(
    st.lists(st.tuples(st.text(alphabet="godusablerj ▁.", max_size=6), st.floats(1e-6, 1.0)), min_size=1, max_size=20)
)
def test_no_probability_is_gained(tokens):
    total = math.fsum(p for _, p in tokens)
    tokens = [(token, p / total) for token, p in tokens]
    found = choice_logprobs(GRADES, listed(*tokens), tokens[0][0])
    for value in (found or {}).values():
        assert value <= 0.0
    assert math.fsum(math.exp(value) for value in (found or {}).values()) <= 1.0 + 1e-9
