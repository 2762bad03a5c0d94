"""A loaded checkpoint at work: what it needs to answer questions in batches, within memory.

Questions about one image that are answered together are in `shared_prefix`, questions one by one in `exact`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from auditkit.models.base import ModelOptions, Request
from auditkit.models.local.cache import Read
from auditkit.models.local.chat import rgb
from auditkit.models.local.choices import Choices, choices_of
from auditkit.models.local.cost import RowCost
from auditkit.models.local.greedy import LONGEST, Adjust, Answered, Guesses, Question, answer, kind_of, tree_of
from auditkit.models.local.loading import Loaded
from auditkit.models.local.prefill import on_device, read_first
from auditkit.models.local.tokens import PROCESSING
from auditkit.models.local.tree import Tree
from auditkit.models.memory import rows_within

if TYPE_CHECKING:
    import torch

_MOST = 64  # rows of one forward pass: their scores at 49 places take 3.3 GB with Gemma's 262,144 words
_LOOKED_AHEAD = 48  # tokens of a tree of guesses and choices, about; only the estimate of memory rests on it
_GUESSES = 16  # paths of a tree


class Engine:
    """Answers pieces of work on one thread.

    Parameters
    ----------
    loaded : Loaded
        The checkpoint.
    options : ModelOptions
        Memory bound.

    Attributes
    ----------
    halved : int
        How often memory ran out.
    """

    def __init__(self, loaded: Loaded, options: ModelOptions) -> None:
        self.loaded = loaded
        self._options = options
        self._cost = RowCost(loaded.model)
        self._guesses = Guesses()
        self._most = _MOST
        self.halved = 0
        self._choices: dict[tuple[str, ...], Choices] = {}
        penalty = getattr(loaded.model.generation_config, "repetition_penalty", None)
        self._adjust = None if penalty in (None, 1.0) else _penalised(float(penalty))

    def too_many(self, rows: int) -> None:
        """Note that memory ran out with so many rows: fewer are tried from now on."""
        self.halved += 1
        self._most = max(min(self._most, rows // 2), 1)

    def batch(self, requests: Sequence[Request]) -> list[Answered]:
        """Answer requests about any images, in as many batches as memory wants."""
        if len(requests) > self._most:
            return self._in_turn(requests, self._most)
        inputs = self.inputs(requests)
        length = inputs["input_ids"].shape[1]
        patches = _patches(inputs["pixel_values"], len(requests)) if "pixel_values" in inputs else 0
        cost = self._cost(length + _LOOKED_AHEAD, length + _LOOKED_AHEAD, 1 + _LOOKED_AHEAD, patches)
        [size, *more] = rows_within([cost] * len(requests), self._options.memory, self._most)
        if more:
            return self._in_turn(requests, size)
        if not self.loaded.greedy or not self.fits(length, requests):
            return self.generated(inputs, requests)
        prompts: list[list[int]] = [[]] * len(requests)
        if self._adjust is not None:
            seen = inputs["attention_mask"].bool()
            prompts = [ids[row].tolist() for ids, row in zip(inputs["input_ids"], seen, strict=True)]
        return self.answer(requests, prompts, lambda tree: read_first(self.loaded.model, inputs, tree=tree))

    def _in_turn(self, requests: Sequence[Request], size: int) -> list[Answered]:
        return [a for at in range(0, len(requests), size) for a in self.batch(requests[at : at + size])]

    def inputs(self, requests: Sequence[Request]) -> dict[str, Any]:
        """Return a network's inputs for requests about any images, padded on the left."""
        loaded = self.loaded
        texts = [loaded.chat(request) for request in requests]
        if loaded.fast is not None and all(len(request.images) == 1 for request in requests):
            made = loaded.fast(texts, [request.images[0] for request in requests])
            if made is not None:
                return made
        with PROCESSING:
            return loaded.tokens.process(texts, [[rgb(image) for image in request.images] for request in requests])

    def answer(
        self,
        requests: Sequence[Request],
        prompts: Sequence[Sequence[int]],
        look: Callable[[Tree], tuple[Read, torch.Tensor]],
    ) -> list[Answered]:
        """Answer rows, and remember the answers as guesses for the next.

        Parameters
        ----------
        requests : sequence of Request
            One per row.
        prompts : sequence of sequences of int
            All of each row's tokens before the answer; they matter only where the checkpoint's settings look at them.
        look : callable
            Reads what is left to be read and looks ahead along a tree: what has been read then, and the scores.
        """
        questions = [self.question(request, prompt) for request, prompt in zip(requests, prompts, strict=True)]
        kinds = [kind_of(request) for request in requests]
        guesses = (guess for kind in dict.fromkeys(kinds) for guess in self._guesses.likely(kind))
        tree = tree_of(questions, list(islice(guesses, _GUESSES)))
        read, scores = look(tree)
        ends = self.loaded.ends
        found = answer(read, questions, ends, tree, scores, self._adjust)
        for kind, one in zip(kinds, found, strict=True):
            self._guesses.note(kind, [token for token in one.tokens if token not in ends])
        return found

    def generated(self, inputs: dict[str, Any], requests: Sequence[Request]) -> list[Answered]:
        """Answer by the library's own ``generate``; nothing is known of the choices' probabilities then."""
        model = self.loaded.model
        limit = max(request.max_new_tokens for request in requests)
        output = model.generate(**on_device(model, inputs), max_new_tokens=limit, do_sample=False)
        new = output[:, inputs["input_ids"].shape[1] :].tolist()
        return [Answered(tokens[: r.max_new_tokens]) for tokens, r in zip(new, requests, strict=True)]

    def question(self, request: Request, prompt: Sequence[int]) -> Question:
        """Return what a row asks: its tokens, its limit, and the choices whose probabilities are wanted."""
        wanted = request.choices
        if wanted is not None and wanted not in self._choices:
            with PROCESSING:
                self._choices[wanted] = choices_of(self.loaded.processor, wanted, self.loaded.chat(request))
        return Question(prompt, request.max_new_tokens, None if wanted is None else self._choices[wanted])

    def fits(self, length: int, requests: Sequence[Request]) -> bool:
        """Whether everything stays within the narrowest attention window, the largest possible tree included."""
        if self.loaded.window is None:
            return True
        tree = len(tree_of([self.question(r, ()) for r in requests], ())) + _GUESSES * LONGEST
        return length + tree + max(r.max_new_tokens for r in requests) < self.loaded.window

    def chunks(self, rows: Sequence[int], totals: Sequence[int], ends: Sequence[int]) -> list[list[int]]:
        """Cut rows that go on from a shared beginning into as many batches as memory wants."""
        costs = [
            self._cost(total + _LOOKED_AHEAD, end + _LOOKED_AHEAD, 1 + _LOOKED_AHEAD)
            for total, end in zip(totals, ends, strict=True)
        ]
        left = iter(rows)
        return [list(islice(left, n)) for n in rows_within(costs, self._options.memory, self._most)]


def _patches(pixels: torch.Tensor, images: int) -> int:
    """Patches per image, from what the processor made: (n, 3, h, w), tiles of them, or Qwen's flat list of patches."""
    if pixels.ndim == 2:
        return int(pixels.shape[0] / images)
    return int(pixels.numel() / images / (3 * 14 * 14))


def _penalised(penalty: float) -> Adjust:
    """Return the repetition penalty as ``generate`` applies it (Keskar et al. 2019, CTRL)."""
    import torch
    from transformers import RepetitionPenaltyLogitsProcessor

    processor = RepetitionPenaltyLogitsProcessor(penalty)

    def adjust(scores: torch.Tensor, tokens: Sequence[int]) -> torch.Tensor:
        sofar = torch.tensor([tokens], device=scores.device)
        adjusted: torch.Tensor = processor(sofar, scores[None].clone())[0]
        return adjusted

    return adjust
