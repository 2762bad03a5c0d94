"""The first forward pass, with the image in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from auditkit.models.local.cache import Read

if TYPE_CHECKING:
    import torch


def read_first(model: Any, inputs: Mapping[str, Any], upto: int | None = None) -> tuple[Read, torch.Tensor]:
    """Read a batch's inputs, or their first tokens.

    Parameters
    ----------
    model
        The network.
    inputs : mapping
        A processor's inputs, padded on the left.
    upto : int, optional
        Only so many tokens; all image tokens must be among them.

    Returns
    -------
    Read
        What has been read, one row per input.
    torch.Tensor of float32, shape (b, vocabulary)
        Scores of the next token.
    """
    cut = on_device(model, inputs, upto)
    positions, following = _positions(model, cut)
    output = model(**cut, position_ids=positions, use_cache=True, logits_to_keep=1)
    read = Read(model, output.past_key_values, cut["attention_mask"].bool(), following)
    return read, output.logits[:, -1].float()


def last_hidden(model: Any, inputs: Mapping[str, Any]) -> torch.Tensor:
    """Return the last hidden layer at every input's last token, shape (b, d); arguments as for `read_first`."""
    there = on_device(model, inputs)
    positions, _ = _positions(model, there)
    output = model(**there, position_ids=positions, use_cache=False, logits_to_keep=1, output_hidden_states=True)
    states: torch.Tensor = output.hidden_states[-1][:, -1].float()
    return states


def on_device(model: Any, inputs: Mapping[str, Any], upto: int | None = None) -> dict[str, Any]:
    """Return the inputs where the network is, in its dtype, those that are as long as the text cut to a length."""
    length = inputs["input_ids"].shape[1]
    cut = {
        name: value[:, :upto] if value.ndim == 2 and value.shape[1] == length else value
        for name, value in inputs.items()
    }
    return {
        name: value.to(model.device, model.dtype if value.is_floating_point() else value.dtype)
        for name, value in cut.items()
    }


def _positions(model: Any, inputs: Mapping[str, Any]) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the tokens' positions as the family counts them, and the position of each row's next token, shape (b,)."""
    mask = inputs["attention_mask"]
    rope_index = getattr(model.model, "get_rope_index", None)
    if rope_index is None:
        return (mask.cumsum(dim=1) - 1).clamp(min=0), mask.sum(dim=1)
    # Qwen counts an image's tokens by row and column; what follows goes on after the largest of the three numbers.
    known = {k: inputs[k] for k in ("image_grid_thw", "mm_token_type_ids") if k in inputs}
    positions = rope_index(inputs["input_ids"], attention_mask=mask, **known)[0]
    return positions, positions.masked_fill(mask[None] == 0, 0).amax(dim=(0, 2)) + 1
