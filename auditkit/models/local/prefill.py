"""The first forward pass, with the image in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from auditkit.models.local.cache import NO_TREE, Read, additive
from auditkit.models.local.tree import Tree

if TYPE_CHECKING:
    import torch


def read_first(
    model: Any, inputs: Mapping[str, Any], upto: int | None = None, tree: Tree = NO_TREE
) -> tuple[Read, torch.Tensor]:
    """Read a batch's inputs, or their first tokens, and look ahead along a tree of possible answers.

    Parameters
    ----------
    model
        The network.
    inputs : mapping
        A processor's inputs, padded on the left.
    upto : int, optional
        Only so many tokens; all image tokens must be among them.
    tree : Tree
        What may come after them, as for `Read.extend`.

    Returns
    -------
    Read
        What has been read, one row per input.
    torch.Tensor of float32, shape (b, 1 + m, vocabulary)
        Scores of the next token, then after each of the m nodes.
    """
    import torch

    cut = on_device(model, inputs, upto)
    positions, following = _positions(model, cut)
    seen = cut["attention_mask"].bool()
    # Gemma's image tokens see each other both ways, which its own code arranges: its mask is left to it.
    together = len(tree) > 0 and "token_type_ids" not in cut
    if together:
        cut, positions = _with_tree(model, cut, positions, following, tree)
    output = model(**cut, position_ids=positions, use_cache=True, logits_to_keep=len(tree) + 1 if together else 1)
    read = Read(model, output.past_key_values, seen, following)
    if together:
        read.leave_unseen(len(tree))
        return read, output.logits[:, -len(tree) - 1 :].float()
    first = output.logits[:, -1:].float()
    return read, torch.cat([first, read.extend([()] * len(seen), tree)], dim=1) if len(tree) else first


def _with_tree(
    model: Any, inputs: Mapping[str, Any], positions: torch.Tensor, following: torch.Tensor, tree: Tree
) -> tuple[dict[str, Any], torch.Tensor]:
    """Put the nodes of a tree after every input, each seeing the input and its own ancestors only."""
    import torch

    ids, mask = inputs["input_ids"], inputs["attention_mask"].bool()
    (b, n), m, device = ids.shape, len(tree), ids.device
    allowed = torch.zeros(b, n + m, n + m, dtype=torch.bool, device=device)
    allowed[:, :n, :n] = torch.ones(n, n, dtype=torch.bool, device=device).tril() & mask[:, None, :]
    allowed[:, n:, :n] = mask[:, None, :]
    allowed[:, n:, n:] = torch.from_numpy(tree.sees).to(device)
    nodes = torch.tensor(tree.tokens, device=device).expand(b, m)
    ahead = following[:, None] + torch.tensor(tree.depths, device=device) - 1
    if positions.ndim == 3:
        ahead = ahead.expand(3, b, m)
    more = {
        # What tells image from text, where the family has it: the nodes are text.
        name: torch.cat([value, value.new_zeros(b, m)], dim=1)
        for name, value in inputs.items()
        if name not in ("input_ids", "attention_mask") and value.ndim == 2 and value.shape == (b, n)
    }
    given = {"input_ids": torch.cat([ids, nodes], dim=1), "attention_mask": additive(allowed, model.dtype)}
    return {**inputs, **more, **given}, torch.cat([positions, ahead], dim=-1)


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
