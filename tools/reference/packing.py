"""Several questions about one image in one row, each seeing the image and itself but not the others.

The image is 64 tokens and a question about 30, so eight questions per row cost a third of eight rows.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from tools.reference.architecture import EOS_ID
from tools.reference.questions import LETTERS, Exchange
from tools.reference.tokenizer import ASSISTANT

_IGNORED = -100


@dataclass(frozen=True)
class Packed:
    """Token rows that follow a common prefix of ``prefix`` positions.

    Attributes
    ----------
    tokens, labels, weights
        ``(rows, length)``; labels are -100 except at answers, where weights say how much each token counts.
    positions
        ``(rows, prefix + length)``: each question starts again right after the prefix.
    mask
        ``(rows, 1, prefix + length, prefix + length)``, 0 where attention is allowed and a large negative elsewhere.
    options
        ``(k, 4)``: row, position (prefix included), letter and whether it is right, of every option offered.
    """

    tokens: torch.Tensor
    labels: torch.Tensor
    weights: torch.Tensor
    positions: torch.Tensor
    mask: torch.Tensor
    options: torch.Tensor


@dataclass(frozen=True)
class Encoded:
    """Token ids of one exchange.

    Attributes
    ----------
    question
        With the assistant's mark at the end.
    answer
        With the end mark.
    options
        For an option question: where in ``question`` the last token of each option's text is.
    right
        Index of the right option, -1 for other questions.
    """

    question: list[int]
    answer: list[int]
    options: tuple[int, ...] = ()
    right: int = -1


def encode(tokenizer: Any, exchange: Exchange) -> Encoded:
    """Turn an exchange into token ids and find its options among them."""
    made = tokenizer(exchange.question + ASSISTANT, add_special_tokens=False, return_offsets_mapping=True)
    answer = [*tokenizer.encode(exchange.answer, add_special_tokens=False), EOS_ID]
    ends: list[int] = []
    at = 0
    for letter, text in zip(LETTERS, exchange.options, strict=False):
        found = re.compile(re.escape(letter) + "[.):] " + re.escape(text)).search(exchange.question, at)
        if found is None:  # the wording was changed around it
            return Encoded(made["input_ids"], answer)
        at = found.end()
        ends.append(max(i for i, (first, _) in enumerate(made["offset_mapping"]) if first < at))
    right = LETTERS.index(exchange.answer) if ends else -1
    return Encoded(made["input_ids"], answer, tuple(ends), right)


def pack(rows: Sequence[Sequence[Encoded]], prefix: int, reading: float = 0.0) -> Packed:
    """Lay out encoded exchanges.

    Parameters
    ----------
    rows
        For every image its encoded exchanges.
    prefix
        Number of positions before the first question: start, system text and image.
    reading
        Weight of predicting the question's own tokens; 0 leaves them out.
    """
    count, length = len(rows), max(sum(len(e.question) + len(e.answer) for e in row) for row in rows)
    tokens = torch.zeros(count, length, dtype=torch.long)
    labels = torch.full((count, length), _IGNORED)
    weights = torch.zeros(count, length)
    positions = torch.zeros(count, prefix + length, dtype=torch.long)
    positions[:, :prefix] = torch.arange(prefix)
    owner = torch.full((count, length), -1)
    marks: list[tuple[int, int, int, int]] = []
    for i, row in enumerate(rows):
        at = 0
        for k, exchange in enumerate(row):
            start = at + len(exchange.question)
            end = start + len(exchange.answer)
            tokens[i, at:end] = torch.tensor(exchange.question + exchange.answer)
            labels[i, start:end] = torch.tensor(exchange.answer)
            if reading > 0:  # not the first: what stands before it belongs to another question
                labels[i, at + 1 : start] = torch.tensor(exchange.question[1:])
                weights[i, at + 1 : start] = reading
            # The first token carries the decision in every format but the description; the rest is grammar.
            weights[i, start], weights[i, start + 1 : end] = 1.0, 0.2
            positions[i, prefix + at : prefix + end] = torch.arange(prefix, prefix + end - at)
            owner[i, at:end] = k
            marks += [
                (i, prefix + at + place, letter, int(letter == exchange.right))
                for letter, place in enumerate(exchange.options)
            ]
            at = end
    total = prefix + length
    allowed = torch.zeros(count, total, total, dtype=torch.bool)
    allowed[:, :prefix, :prefix] = torch.ones(prefix, prefix, dtype=torch.bool).tril()
    allowed[:, prefix:, :prefix] = True
    same = owner[:, :, None] == owner[:, None, :]
    allowed[:, prefix:, prefix:] = same & torch.ones(length, length, dtype=torch.bool).tril()
    mask = torch.zeros(count, 1, total, total).masked_fill(~allowed[:, None], -1e9)
    options = torch.tensor(marks, dtype=torch.long).reshape(-1, 4)
    return Packed(tokens, labels, weights, positions, mask, options)
