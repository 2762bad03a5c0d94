"""How many bytes one row of a batch takes."""

from __future__ import annotations

from typing import Any

_SLACK = 2.0
"""A cache is copied when it grows, so twice its size is held for a moment."""

_WIDTHS = 12
"""Hidden vectors held per new token: residual, normalised, query, key, value, attention output, gate, up, product.
Chosen so that the rise of memory stays below ``--audit-memory`` (docs/fast-path.md)."""


class RowCost:
    """Estimates the bytes that one row of a batch takes beside the weights.

    Parameters
    ----------
    model
        A transformers network.
    """

    def __init__(self, model: Any) -> None:
        config = model.config.get_text_config()
        heads = config.num_attention_heads
        size = model.dtype.itemsize
        head = getattr(config, "head_dim", None) or config.hidden_size // heads
        groups = getattr(config, "num_key_value_heads", None) or heads
        self._cached: int = 2 * config.num_hidden_layers * groups * head * size
        inner = getattr(config, "intermediate_size", None) or 4 * config.hidden_size
        self._new: int = (_WIDTHS * config.hidden_size + 3 * inner) * size
        self._scores: int = 2 * 4 * config.vocab_size
        self._heads: int = heads
        vision = getattr(model.config, "vision_config", None)
        wide = getattr(vision, "hidden_size", 0) or getattr(vision, "embed_dim", 0)
        self._patch: int = 16 * wide * size

    def __call__(self, total: int, new: int, scored: int, patches: int = 0) -> int:
        """Return bytes.

        Parameters
        ----------
        total : int
            Tokens in the cache at the end.
        new : int
            Tokens of the longest forward pass.
        scored : int
            Tokens of which all scores are wanted.
        patches : int
            Image patches that go through the vision tower with the row.
        """
        attention = 4 * new * total * (self._heads + 2)
        cached = int(_SLACK * total * self._cached)
        return cached + new * self._new + scored * self._scores + attention + patches * self._patch
