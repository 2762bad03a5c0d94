"""Random weights that answer: in the format asked for, by what the image shows and the words say, and to an end.

A random decoder says the same token for ever. Here a few dimensions of the residual stream are kept free of everything
random and carry two facts: what the last token was (nothing yet, a digit that another may follow, the stroke of a
rating, ...), which its embedding says, and the format asked for, which one attention head of the last layer fetches
from the word of the prompt that tells it. The output rows of the tokens that can be part of an answer weigh the two, so
that all tokens which may come next are equal; among these, the random rest of the stream chooses.
"""

from __future__ import annotations

import re
from typing import Any, Final

from auditkit.testing.checkpoints.vocabulary import GRADES, LETTERS, MARKERS

_FORMATS: Final = tuple(MARKERS)
_STATES: Final = ("start", "open", "five", "stroke", "closed", "dot")
_MARKS: Final = slice(0, len(_FORMATS))
_ASKED: Final = slice(_MARKS.stop, 2 * len(_FORMATS))
_STATE: Final = slice(_ASKED.stop, _ASKED.stop + len(_STATES))
PLANNED: Final = _STATE.stop
"""Dimensions that carry facts; the rest is random."""

_SAID: Final = 6.0
"""Size of a fact in an embedding, beside random entries of size 1."""
_SURE: Final = 8.0
"""Weight of the facts in the output rows."""
_TASTE: Final = 0.35
"""Standard deviation of the random part of the output rows."""
_SHARP: Final = 1.8
"""Gain of queries and keys: below 1 attention is an average over all tokens, and hardly a word or patch is heard."""

_LAST: Final = ("0", "1", "2")
"""The digits that end a number."""

# What writes into the residual stream beside the decoder's own layers: the ends of the projectors.
_PROJECTED: Final = re.compile(
    r"(multi_modal_projector\.linear_2|mm_input_projection_weight|merger\.mlp\.2|merger\.linear_fc2"
    r"|deepstack_merger_list\.\d+\.linear_fc2|modality_projection\.proj|image_newline)"
)


def randomise(model: Any) -> None:
    """Draw all matrices anew from torch's generator, with the spread that keeps the size of what passes through them.

    The usual spread of 0.02 makes tiny towers blind: their output hardly depends on the image.
    """
    import torch

    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.dim() < 2:
                continue
            inputs = weight.shape[0] if name.endswith("projection_weight") else weight[0].numel()
            gain = _SHARP if re.search(r"\.[qk]_proj\.weight$", name) else 1.0
            weight.copy_(torch.randn(weight.shape) * gain * inputs**-0.5)


def teach(model: Any, tokenizer: Any, end: str, *, digits: bool) -> None:
    """Plant into random weights, of any architecture with rotary positions, what makes them answer.

    Parameters
    ----------
    model : transformers.PreTrainedModel
        A model as `randomise` leaves it, whose output rows are its own (untied), whose last layer attends to the whole
        context, and whose decoder is wider than ``PLANNED``.
    tokenizer
        Its tokenizer.
    end : str
        The token that ends an answer.
    digits : bool
        Whether the tokenizer splits numbers into digits.
    """
    import torch

    decoder = model.get_decoder()
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if _PROJECTED.search(name):
                # The one matrix that is applied from the right has its outputs in columns.
                (weight.T if name.endswith("projection_weight") else weight)[:PLANNED] = 0.0
        for layer in decoder.layers:
            layer.self_attn.o_proj.weight[:PLANNED] = 0.0
            layer.mlp.down_proj.weight[:PLANNED] = 0.0
        _plant_format_head(decoder.layers[-1].self_attn)
        _plant_words(model, tokenizer, end, digits=digits)


def _plant_format_head(attention: Any) -> None:
    """Let head 0 look for the word that tells the format, and write down which format it tells.

    Queries and keys use the pair of dimensions that rotary positions turn least, so distance does not matter.
    """
    width = attention.head_dim
    slow = width // 2 - 1
    q, k, v = attention.q_proj.weight, attention.k_proj.weight, attention.v_proj.weight
    q[:width] = k[:width] = 0.0
    found = _SAID / 4 * width**0.25  # scores are divided by the root of the width
    q[slow, _STATE] = k[slow, _MARKS] = found
    # "N is a whole number" asks for N/5: "number" weighs less, in size and, where a norm takes that away, in direction.
    k[slow - 1 : slow + 1, _MARKS.start] = found * 0.7
    v[: len(_FORMATS)] = 0.0
    for i in range(len(_FORMATS)):
        v[i, _MARKS.start + i] = 1.0
        attention.o_proj.weight[_ASKED.start + i, i] = 1.5
    for norm in (getattr(attention, "q_norm", None), getattr(attention, "k_norm", None)):
        if norm is not None:  # these take the size of queries and keys away
            norm.weight.add_(0.4)
            norm.weight[slow] += 0.8


def _plant_words(model: Any, tokenizer: Any, end: str, *, digits: bool) -> None:
    """Let embeddings say what a token is, and output rows what may follow."""
    embedding, output = model.get_input_embeddings(), model.get_output_embeddings()
    embedded, rows = embedding.weight, output.weight
    width = embedded.shape[1]
    embedded.mul_(width**0.5)
    embedded[:, :PLANNED] = 0.0
    state = {name: _STATE.start + i for i, name in enumerate(_STATES)}
    after = {_token(tokenizer, text): kind for text, kind in _states(digits).items()}
    embedded[list(after), PLANNED:] = 0.0  # what follows in an answer is settled by what came before it
    for token in range(len(embedded)):
        embedded[token, state[after.get(token, "start")]] = _SAID
    for i, words in enumerate(MARKERS.values()):
        for word in words:
            embedded[_token(tokenizer, f" {word}"), _MARKS.start + i] = _SAID
    embedded.div_(float(getattr(embedding, "embed_scale", 1.0)))

    tastes = rows.clone() * (width**0.5 * _TASTE)
    rows.zero_()
    for text, weights in _follows(end, digits).items():
        token = _token(tokenizer, text)
        rows[token, PLANNED:] = tastes[token, PLANNED:]
        for name, weight in weights.items():
            column = state[name] if name in state else _ASKED.start + _FORMATS.index(name)
            rows[token, column] += _SURE * weight


def _token(tokenizer: Any, text: str) -> int:
    found: list[int] = tokenizer.encode(text, add_special_tokens=False)
    if len(found) != 1:
        raise ValueError(f"{text!r} is {len(found)} tokens; a tiny checkpoint needs it as one")
    return found[0]


def _states(digits: bool) -> dict[str, str]:
    """What is known after a token of an answer."""
    numbers = range(10) if digits else range(101)
    known = {str(n): "open" if digits and str(n) not in _LAST else "closed" for n in numbers}
    known |= dict.fromkeys((*GRADES, *LETTERS, "yes", "no"), "closed")
    return known | {"5": "five", "/": "stroke", ".": "dot"}


def _follows(end: str, digits: bool) -> dict[str, dict[str, float]]:
    """Weights of the facts for every token that can be part of an answer.

    Of the tokens that may come next, the sums are equal, and what is random settles; all others are at least 2 behind.

    Where digits are tokens, 0, 1 or 2 may follow one of 3 to 9, and after these nothing can but a full stop. So two
    digits are said at most, and the last token alone tells how far an answer is.
    """
    openers: dict[str, tuple[str, ...]] = {
        "score_100": tuple(map(str, range(1, 10 if digits else 98))),
        "rating_5": ("1", "2", "3", "4"),
        "grade": GRADES,
        "yes_no": ("yes", "no"),
        "options": LETTERS,
    }
    rows: dict[str, dict[str, float]] = {}
    for text in {text for words in openers.values() for text in words}:
        rows[text] = {"start": 1.0} | {kind: 1.0 if text in words else -1.0 for kind, words in openers.items()}
    if digits:
        rows["0"] = {"start": -1.0, "score_100": 1.0, "rating_5": -1.0}
        for text in _LAST:
            rows[text]["open"] = 2.0
    rows["5"]["stroke"] = 4.0
    rows["/"] = dict.fromkeys(_FORMATS, -3.0) | {"rating_5": 1.0, "open": 4.0, "closed": 4.0, "start": -2.0}
    rows["."] = {"closed": 3.0, "score_100": 1.0, "start": -2.0}
    rows[end] = {"open": 2.0, "five": 3.0, "closed": 3.0, "dot": 3.0, "score_100": 1.0, "start": -2.0}
    return rows
