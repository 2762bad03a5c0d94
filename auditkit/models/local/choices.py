"""How probable each declared answer is, read from the scores of a few next tokens.

An answer is a path of tokens ("85" may be one token or two), and may be said in several ways ("yes", "Yes", " yes").
The probability of a choice is the sum over its ways of the product along the path; where one choice begins another
("8" begins "85"), the share that goes on to a longer choice is taken from the shorter one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from auditkit.models.local.tree import Tree

if TYPE_CHECKING:
    import torch

FLOOR = -12.0
"""Choices less probable than exp(-12), six in a million, are left out: 101 numbers per answer would fill the store."""

_DIGITS = 4
_END_OF_CHAT = 16  # characters of the chat that decide how the answer's first letters are cut into tokens


@dataclass(frozen=True)
class Choices:
    """The ways of saying each choice.

    Attributes
    ----------
    ways : mapping of tuple of int to str
        Token path -> the choice it says.
    """

    ways: Mapping[tuple[int, ...], str]

    @cached_property
    def places(self) -> tuple[tuple[int, ...], ...]:
        """Paths after which the next token's scores must be known: the empty one, then beginnings of the choices."""
        return ((), *Tree(path[:-1] for path in self.ways if len(path) > 1).paths)

    @cached_property
    def _steps(self) -> dict[tuple[int, ...], int]:
        """Every path that is the beginning of a choice, or a choice, by its number."""
        return {path: number for number, path in enumerate(Tree(self.ways).paths)}

    def logprobs(self, scores: torch.Tensor) -> list[dict[str, float]]:
        """Return the natural log-probabilities of the choices.

        Parameters
        ----------
        scores : torch.Tensor of float32, shape (b, len(places), vocabulary)
            Scores of the next token after each of `places`.

        Returns
        -------
        list of dict of str to float
            Per row; choices below `FLOOR` are left out.
        """
        import torch

        number = {path: n for n, path in enumerate(self.places)}
        paths = list(self._steps)
        place = torch.tensor([number[path[:-1]] for path in paths], device=scores.device)
        token = torch.tensor([path[-1] for path in paths], device=scores.device)
        whole = torch.logsumexp(scores, dim=-1)
        steps: NDArray[np.float64] = (scores[:, place, token] - whole[:, place]).double().cpu().numpy()
        rows = self._shares(steps)
        with np.errstate(divide="ignore"):
            logs = np.minimum(np.log(rows), 0.0).round(_DIGITS)
        names = self._names
        return [{names[i]: float(row[i]) for i in np.flatnonzero(row > FLOOR)} for row in logs]

    def _shares(self, steps: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the probability of each choice, shape (b, choices), from the log-probabilities of the steps."""
        along, longer, shorter, starts = self._tables
        padded = np.concatenate([steps, np.zeros((len(steps), 1))], axis=1)
        said = np.exp(padded[:, along].sum(axis=2))
        own = said.copy()
        np.subtract.at(own.T, shorter, said.T[longer])
        # Sums, not matrix products: those wake all threads of the linear algebra, which cost more than they bring here.
        shares: NDArray[np.float64] = np.add.reduceat(np.maximum(own, 0.0), starts, axis=1)
        return shares

    @cached_property
    def _names(self) -> list[str]:
        return list(dict.fromkeys(self.ways.values()))

    @cached_property
    def _tables(self) -> tuple[NDArray[np.int64], list[int], list[int], list[int]]:
        """The steps along each way, which ways go on from which, and where the ways of each choice begin.

        Ways are in order of their choices; the steps are padded by one that costs nothing.
        """
        ordered = [way for name in self._names for way, choice in self.ways.items() if choice == name]
        number = {way: place for place, way in enumerate(ordered)}
        along = np.full((len(number), max(map(len, number))), len(self._steps))
        pairs = []
        for way, place in number.items():
            along[place, : len(way)] = [self._steps[way[: n + 1]] for n in range(len(way))]
            shorter = next((way[:n] for n in range(len(way) - 1, 0, -1) if way[:n] in number), None)
            if shorter is not None:
                pairs.append((place, number[shorter]))
        counts = [sum(choice == name for choice in self.ways.values()) for name in self._names]
        starts = [sum(counts[:place]) for place in range(len(counts))]
        return along, [place for place, _ in pairs], [place for _, place in pairs], starts


def choices_of(processor: Any, choices: Sequence[str], chat: str) -> Choices:
    """Return the ways in which a tokenizer may write the choices after a chat.

    Parameters
    ----------
    processor
        A transformers processor.
    choices : sequence of str
        The declared answers.
    chat : str
        A request as the model reads it; its end decides how the first letters of an answer become tokens.
    """
    tokenizer = processor.tokenizer
    end = chat[-_END_OF_CHAT:]
    said = [
        (choice, text)
        for choice in choices
        for way in dict.fromkeys((choice, choice.capitalize(), choice.upper()))
        for text in (way, f" {way}")
    ]
    before: list[int] = tokenizer([end], add_special_tokens=False)["input_ids"][0]
    after = tokenizer([end + text for _, text in said], add_special_tokens=False)["input_ids"]
    ways: dict[tuple[int, ...], str] = {}
    for (choice, _), tokens in zip(said, after, strict=True):
        if tokens[: len(before)] == before and len(tokens) > len(before):
            ways.setdefault(tuple(tokens[len(before) :]), choice)
    return Choices(ways)
