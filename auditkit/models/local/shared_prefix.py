"""Many texts about one image: the tokens they share are processed once, and the answers stay the same.

The image's tokens and the common start of the texts are run once; the resulting key-value cache is repeated for every
text, the differing ends follow in one batch. In float32 the logits differ from one-by-one decoding by rounding only
(see tests/models/test_shared_prefix.py, which holds the answers to equality).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from auditkit.models.base import Request, Response
from auditkit.models.local.fast_inputs import PROCESSING

MIN_SHARED = 4
"""Fewer texts about one image are not worth the detour."""

_ARCHITECTURES = ("llava",)
"""Model types whose image tokens all stand before the text and whose cache may be continued by position ids."""


_WITHOUT_EFFECT = {
    *("bos_token_id", "eos_token_id", "pad_token_id", "max_length", "max_new_tokens", "use_cache"),
    *("do_sample", "temperature", "top_k", "top_p", "min_p", "typical_p"),
    *("output_attentions", "output_hidden_states", "_from_model_config", "transformers_version"),
}
"""Settings of generation_config.json that leave greedy decoding as it is; any other (a repetition penalty, beams,
suppressed tokens) is honoured by ``generate`` only, so such a checkpoint takes the plain path."""


def generate_shared(model: Any, processor: Any, requests: Sequence[Request]) -> list[Response] | None:
    """Answer requests about one image from one shared prefix.

    Parameters
    ----------
    model, processor
        A loaded transformers checkpoint.
    requests : sequence of Request
        All with the same single image.

    Returns
    -------
    list of Response or None
        None when the checkpoint or the texts do not allow the shared path; the caller then takes the plain one.
    """
    import torch

    from auditkit.models.local.model import chat_text, decoded

    if not _allowed(model) or len(requests[0].images) != 1:
        return None
    image = requests[0].images[0].convert("RGB")
    texts = [chat_text(processor, request) for request in requests]
    marker = processor.image_token
    if any(text.count(marker) != 1 for text in texts):
        return None
    with PROCESSING:
        first = processor(text=[texts[0]], images=[[image]], return_tensors="pt", add_special_tokens=False)
        marks = int((first["input_ids"] == model.config.image_token_id).sum())
        expanded = [text.replace(marker, marker * marks) for text in texts]
        tokens: list[list[int]] = processor.tokenizer(expanded, add_special_tokens=False)["input_ids"]
    if tokens[0] != first["input_ids"][0].tolist():
        return None
    shared = _common_start(tokens)
    if tokens[0][:shared].count(model.config.image_token_id) != marks:
        return None
    with torch.inference_mode():
        prefix = model(
            input_ids=torch.tensor([tokens[0][:shared]]), pixel_values=first["pixel_values"], use_cache=True,
            logits_to_keep=1,
        )  # fmt: skip
        cache = prefix.past_key_values
        cache.batch_repeat_interleave(len(tokens))
        limit = max(request.max_new_tokens for request in requests)
        new = _decode(model, cache, shared, [t[shared:] for t in tokens], limit)
    return [
        decoded(processor, some[: request.max_new_tokens], model) for some, request in zip(new, requests, strict=True)
    ]


def _allowed(model: Any) -> bool:
    """Whether greedy decoding from a continued cache is what the checkpoint's ``generate`` would do."""
    settings = set(model.generation_config.to_diff_dict())
    window = getattr(model.config.get_text_config(), "sliding_window", None)
    return model.config.model_type in _ARCHITECTURES and window is None and settings <= _WITHOUT_EFFECT


def _common_start(tokens: list[list[int]]) -> int:
    """Length of the common start, leaving every text at least one token of its own."""
    shortest = min(map(len, tokens)) - 1
    for i in range(shortest):
        if any(t[i] != tokens[0][i] for t in tokens):
            return i
    return shortest


def _decode(model: Any, cache: Any, shared: int, ends: list[list[int]], limit: int) -> list[list[int]]:
    """Greedy decoding of all texts after the shared prefix, differing ends padded on the left."""
    import torch

    from auditkit.models.local.model import end_tokens

    n, width = len(ends), max(map(len, ends))
    stops = torch.tensor(end_tokens(model), dtype=torch.long)
    pad = model.generation_config.pad_token_id or 0
    ids = torch.tensor([[pad] * (width - len(e)) + e for e in ends])
    own = torch.tensor([[0] * (width - len(e)) + [1] * len(e) for e in ends])
    mask = torch.cat([torch.ones(n, shared, dtype=torch.long), own], dim=1)
    positions = (shared + own.cumsum(dim=1) - 1).clamp(min=0)
    done = torch.zeros(n, dtype=torch.bool)
    found: list[list[int]] = [[] for _ in ends]
    for _ in range(limit):
        step = model(
            input_ids=ids, attention_mask=mask, position_ids=positions, past_key_values=cache, use_cache=True,
            logits_to_keep=1,
        )  # fmt: skip
        chosen = step.logits[:, -1].argmax(dim=-1)
        for i, token in enumerate(chosen.tolist()):
            if not done[i]:
                found[i].append(token)
        done |= torch.isin(chosen, stops)
        if bool(done.all()):
            break
        ids = chosen[:, None]
        mask = torch.cat([mask, torch.ones(n, 1, dtype=torch.long)], dim=1)
        positions = positions[:, -1:] + 1
    return found
