"""Probabilities of choices, held against enumerating every continuation of a made-up language."""

import itertools
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from auditkit.models.local.choices import FLOOR, Choices, choices_of

WORDS = 4


def language(seed: int):
    """Log-probabilities of the next of four tokens after any path, token 3 being the end."""
    known: dict[tuple[int, ...], np.ndarray] = {}

    def after(path: tuple[int, ...]) -> np.ndarray:
        if path not in known:
            rng = np.random.default_rng([seed, *path, 99])
            scores = rng.normal(size=WORDS) * 2
            known[path] = scores - np.log(np.exp(scores).sum())
        return known[path]

    return after


def by_enumeration(after, ways: dict[tuple[int, ...], str], depth: int) -> dict[str, float]:
    """Sum the probability of every continuation of a length by the longest way of a choice that it begins with."""
    found: dict[str, float] = {}
    for path in itertools.product(range(WORDS), repeat=depth):
        logp = sum(after(path[:n])[token] for n, token in enumerate(path))
        begun = [way for way in ways if path[: len(way)] == way]
        if begun:
            choice = ways[max(begun, key=len)]
            found[choice] = found.get(choice, 0.0) + float(np.exp(logp))
    return found


@settings(max_examples=60)
@given(st.data(), st.integers(0, 10_000))
def test_equal_to_enumeration(data, seed):
    paths = st.lists(st.integers(0, 2), min_size=1, max_size=3).map(tuple)
    names = data.draw(st.lists(paths, min_size=1, max_size=6, unique=True))
    ways = {path: f"c{data.draw(st.integers(0, 2))}" for path in names}
    options, after = Choices(ways), language(seed)
    scores = np.stack([after(place) for place in options.places])
    # Any constant may be added to the scores of a place: they are not normalised when they come from a network.
    shifted = scores + np.arange(len(scores))[:, None]
    [found] = options.logprobs(torch.tensor(shifted, dtype=torch.float32)[None])
    for choice, share in by_enumeration(after, ways, 4).items():
        assert np.exp(found.get(choice, FLOOR)) == pytest.approx(share, abs=2e-4)


def test_rows_are_independent():
    options = Choices({(0,): "a", (1, 2): "b", (1,): "c"})
    rows = torch.randn(5, len(options.places), WORDS)
    assert options.logprobs(rows) == [options.logprobs(row[None])[0] for row in rows]


def test_improbable_choices_are_left_out():
    [found] = Choices({(0,): "a", (1,): "b"}).logprobs(torch.tensor([[[20.0, 0.0, 0.0, 0.0]]]))
    assert set(found) == {"a"}
    assert found["a"] == pytest.approx(0.0, abs=1e-4)


class Letters:
    """A tokenizer of single characters, and of one pair that is a token of its own."""

    def __call__(self, texts, add_special_tokens):
        assert not add_special_tokens
        return {"input_ids": [[ord(c) for c in text.replace("85", "\x01")] for text in texts]}


def test_ways_of_saying():
    processor = SimpleNamespace(tokenizer=Letters())
    ways = choices_of(processor, ["yes", "85"], "Assistant:").ways
    said = {"".join(map(chr, path)).replace("\x01", "85"): choice for path, choice in ways.items()}
    assert said == {
        "yes": "yes", "Yes": "yes", "YES": "yes", " yes": "yes", " Yes": "yes", " YES": "yes", "85": "85", " 85": "85",
    }  # fmt: skip
