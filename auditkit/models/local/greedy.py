"""Greedy answers with looking ahead: what an answer will be is guessed, and one forward pass shows whether it is.

The most probable token is taken at every step, as ``generate`` does; guesses only say which tokens are looked at
together (speculative decoding, Leviathan et al. 2023, doi:10.48550/arXiv.2211.17192, in its greedy form). A wrong guess
costs a step and changes nothing.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from auditkit.models.base import Request
from auditkit.models.local.cache import Read
from auditkit.models.local.choices import Choices
from auditkit.models.local.tree import ROOT, Tree

if TYPE_CHECKING:
    import torch

_GUESSES = 3  # most frequent answers per question that are looked at beside the declared beginnings
LONGEST = 8  # tokens; longer answers are prose, which is not guessed
_QUESTION = 64  # characters

Adjust = Callable[["torch.Tensor", Sequence[int]], "torch.Tensor"]
"""Scores of the next token and the tokens so far -> scores as the checkpoint's settings want them."""


def kind_of(request: Request) -> str:
    """Return what tells questions apart, whatever is added to them: task and wording, else the prompt's beginning."""
    return request.question.words if request.question else request.prompt[:_QUESTION]


@dataclass
class Guesses:
    """Answers given so far, by question, the end token left out."""

    _seen: dict[str, Counter[tuple[int, ...]]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)  # pieces of work run on several threads

    def note(self, question: str, answer: Sequence[int]) -> None:
        """Remember an answer."""
        if 0 < len(answer) <= LONGEST:
            with self._lock:
                self._seen.setdefault(question, Counter())[tuple(answer)] += 1

    def likely(self, question: str) -> list[tuple[int, ...]]:
        """Return the most frequent answers to a question."""
        with self._lock:
            return [answer for answer, _ in self._seen.get(question, Counter()).most_common(_GUESSES)]


@dataclass
class Answered:
    """One row's answer: its tokens, the end token included where it came, and the choices' log-probabilities."""

    tokens: list[int] = field(default_factory=list)
    logprobs: dict[str, float] | None = None


@dataclass(frozen=True)
class Question:
    """What one row asks.

    Attributes
    ----------
    prompt : sequence of int
        All tokens before the answer, for settings that look at them.
    limit : int
        Longest answer, in tokens.
    choices : Choices or None
        The declared answers, where their probabilities are wanted.
    """

    prompt: Sequence[int]
    limit: int
    choices: Choices | None = None


def tree_of(questions: Sequence[Question], guesses: Sequence[Sequence[int]]) -> Tree:
    """Return what to look ahead at: likely answers, and what the choices' probabilities need."""
    wanted = {id(q.choices): q.choices for q in questions if q.choices is not None}
    return Tree([*guesses, *(path for choices in wanted.values() for path in choices.places)])


def answer(
    read: Read,
    questions: Sequence[Question],
    ends: frozenset[int],
    tree: Tree,
    scores: torch.Tensor,
    adjust: Adjust | None = None,
) -> list[Answered]:
    """Answer greedily.

    Parameters
    ----------
    read : Read
        What has been read, one row per question, the tree last; it is used up.
    questions : sequence of Question
        One per row.
    ends : frozenset of int
        Tokens that end an answer.
    tree : Tree
        What was looked ahead at: `tree_of` the questions.
    scores : torch.Tensor of float32, shape (b, 1 + m, vocabulary)
        Scores of the first token, and after each of the tree's m nodes.
    adjust : callable, optional
        Of settings that change the scores, such as a repetition penalty.
    """
    wanted = {id(q.choices): q.choices for q in questions if q.choices is not None}
    found = [Answered() for _ in questions]
    for choices in wanted.values():
        rows = [row for row, question in enumerate(questions) if question.choices is choices]
        places = [tree.node(path) + 1 for path in choices.places]
        for row, logprobs in zip(rows, choices.logprobs(scores[rows][:, places]), strict=True):
            found[row].logprobs = logprobs
    open_rows: list[int] = []
    for row, question in enumerate(questions):
        nodes, ended = _walk(scores[row], tree, question, ends, adjust, found[row].tokens)
        read.accept(row, nodes, tree)
        if not ended and len(found[row].tokens) < question.limit:
            open_rows.append(row)
    _step_by_step(read, questions, found, open_rows, ends, adjust)
    return found


def _walk(
    scores: torch.Tensor,
    tree: Tree,
    question: Question,
    ends: frozenset[int],
    adjust: Adjust | None,
    tokens: list[int],
) -> tuple[list[int], bool]:
    """Follow the most probable tokens as far as the tree was looked at; the tokens are added to ``tokens``."""
    node, passed = ROOT, list[int]()
    best = scores.argmax(dim=-1).tolist()
    while len(tokens) < question.limit:
        token = best[node + 1]
        if adjust is not None:
            token = int(adjust(scores[node + 1], [*question.prompt, *tokens]).argmax())
        tokens.append(token)
        if token in ends:
            return passed, True
        child = tree.child(node, token)
        if child is None:
            return passed, False
        node = child
        passed.append(child)
    return passed, False


def _step_by_step(
    read: Read,
    questions: Sequence[Question],
    found: list[Answered],
    rows: list[int],
    ends: frozenset[int],
    adjust: Adjust | None,
) -> None:
    """Go on one token at a time with the rows that the guesses did not finish; the last token is not read yet."""
    if rows:
        read.keep(rows)
    while rows:
        scores = read.extend([found[row].tokens[-1:] for row in rows])[:, 0]
        if adjust is None:
            chosen = scores.argmax(dim=-1).tolist()
        else:
            sofar = [[*questions[row].prompt, *found[row].tokens] for row in rows]
            chosen = [int(adjust(s, t).argmax()) for s, t in zip(scores, sofar, strict=True)]
        still = []
        for place, (row, token) in enumerate(zip(rows, chosen, strict=True)):
            found[row].tokens.append(token)
            if token not in ends and len(found[row].tokens) < questions[row].limit:
                still.append(place)
        if 0 < len(still) < len(rows):
            read.keep(still)
        rows = [rows[place] for place in still]
