"""From similarities to an answer in the format that was asked for, with the probabilities behind it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from auditkit.models.base import Response


def answer(logits: Mapping[str, float], steps: Sequence[str] = ()) -> Response:
    """Return the most probable answer and the log-probabilities of the choices.

    Parameters
    ----------
    logits : mapping of str to float
        Per class: cosine similarity times the checkpoint's scale. What is common to all classes, such
        as SigLIP's bias, cancels. Of equals the one declared first is the answer, as `tasks.expect` has it.
    steps : sequence of str
        The steps of an ascending scale, where the classes are ``high`` and ``low``; else the classes are the answers.

    Returns
    -------
    Response
        ``logprobs`` sum to 1 over the choices; choices of probability 0 are left out. On a scale the whole mass lies
        on the two steps around the share of ``high``, in the proportion that makes the mean score exactly
        100 P(high): what rounding to a step takes from the text, the probabilities keep. An error when a similarity
        is not finite.
    """
    values = np.array(list(logits.values()), dtype=np.float64)
    if not np.isfinite(values).all():
        return Response(
            error="the checkpoint's similarities are not finite numbers", finish_reason="error", again=False
        )
    chances = dict(zip(logits, (values - np.logaddexp.reduce(values)).tolist(), strict=True))
    if steps:
        chances = _steps(steps, math.exp(chances["high"]))
    return Response(max(chances, key=lambda choice: chances[choice]), chances)


def _steps(choices: Sequence[str], high: float) -> dict[str, float]:
    """Spread a share of 0 to 1 over the two steps of an ascending scale that it lies between."""
    place = high * (len(choices) - 1)
    below = min(math.floor(place), len(choices) - 2)
    parts = {choices[below]: 1.0 - (place - below), choices[below + 1]: place - below}
    return {choice: math.log(part) for choice, part in parts.items() if part > 0.0}
