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

FLOOR = -14.0
"""Choices less probable than exp(-14), one in a million, are left out: 101 numbers per answer would fill the store."""

_DIGITS = 4
_END_OF_CHAT = 16  # characters of the chat that decide how the answer's first letters are cut into tokens


@dataclass(frozen=True)
class Options:
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
        shares = self._shares(steps)
        least = float(np.exp(FLOOR))
        names = list(dict.fromkeys(self.ways.values()))
        return [
            {n: min(round(float(np.log(p)), _DIGITS), 0.0) for n, p in zip(names, row, strict=True) if p > least}
            for row in shares
        ]

    def _shares(self, steps: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the probability of each choice, shape (b, choices), from the log-probabilities of the steps."""
        names = {name: column for column, name in enumerate(dict.fromkeys(self.ways.values()))}
        shares = np.zeros((len(steps), len(names)))
        said = {way: np.exp(sum(steps[:, self._steps[way[: n + 1]]] for n in range(len(way)))) for way in self.ways}
        for way, choice in self.ways.items():
            longer = sum(said[other] for other in self._longer[way])
            shares[:, names[choice]] += np.maximum(said[way] - longer, 0.0)
        return shares

    @cached_property
    def _longer(self) -> dict[tuple[int, ...], list[tuple[int, ...]]]:
        """Per way, the ways that go on from it without another in between: their share is not counted here."""
        found: dict[tuple[int, ...], list[tuple[int, ...]]] = {way: [] for way in self.ways}
        for way in self.ways:
            shorter = next((way[:n] for n in range(len(way) - 1, 0, -1) if way[:n] in found), None)
            if shorter is not None:
                found[shorter].append(way)
        return found


def options_of(processor: Any, choices: Sequence[str], chat: str) -> Options:
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
    before: list[int] = tokenizer(end, add_special_tokens=False)["input_ids"]
    ways: dict[tuple[int, ...], str] = {}
    for choice in choices:
        for said in dict.fromkeys((choice, choice.capitalize(), choice.upper())):
            for text in (said, f" {said}"):
                after: list[int] = tokenizer(end + text, add_special_tokens=False)["input_ids"]
                if after[: len(before)] == before and len(after) > len(before):
                    ways.setdefault(tuple(after[len(before) :]), choice)
    return Options(ways)
