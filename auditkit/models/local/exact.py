"""One question at a time, without any shortcut: what the fast path is held to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditkit.models.base import Request
from auditkit.models.local.greedy import Answered
from auditkit.models.local.prefill import read_first

if TYPE_CHECKING:
    from auditkit.models.local.engine import Engine


def answer_exactly(engine: Engine, request: Request) -> Answered:
    """Answer by the processor's own inputs and the library's own ``generate``; choices are followed token by token."""
    import torch

    loaded = engine.loaded
    with torch.inference_mode():
        inputs = engine.inputs([request])
        [found] = engine.generated(inputs, [request])
        question = engine.question(request, ())
        if question.choices is None or not engine.fits(inputs["input_ids"].shape[1], [request]):
            return found
        begun, first = read_first(loaded.model, inputs)
        scores = []
        for path in question.choices.places:
            read, after = begun.copied(), first[:, 0]
            for token in path:
                after = read.extend([[token]])[:, -1]
            scores.append(after)
        found.logprobs = question.choices.logprobs(torch.stack(scores, dim=1))[0]
    return found
