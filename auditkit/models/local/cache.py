"""Going on from what a model has already read: a key-value cache with explicit masks and positions.

Masks and positions are given for every token, so that tokens may be padded, branch into a tree, or be forgotten again
without touching the cache: what is masked is never seen. That holds for every decoder whose layers look at the whole
cache; layers with a sliding window count places instead, so their window must be longer than all that is written
(`Prefix.fits`).
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from auditkit.models.local.tree import Tree

if TYPE_CHECKING:
    import torch

NO_TREE = Tree(())


@dataclass
class Read:
    """What a model has read so far, for b rows.

    Attributes
    ----------
    model
        The network.
    cache
        Its key-value cache, b rows.
    seen : torch.Tensor of bool, shape (b, n)
        Which of the n places of the cache a row may look at.
    position : torch.Tensor of int, shape (b,)
        Position of each row's next token.
    """

    model: Any
    cache: Any
    seen: torch.Tensor
    position: torch.Tensor

    def copied(self, rows: int = 1) -> Read:
        """Return a copy, each row repeated; the tensors are shared until something is added (which makes new ones)."""
        cache = copy.copy(self.cache)
        cache.layers = [copy.copy(layer) for layer in self.cache.layers]
        if rows > 1:
            cache.batch_repeat_interleave(rows)
        return Read(
            self.model, cache, self.seen.repeat_interleave(rows, dim=0), self.position.repeat_interleave(rows, dim=0)
        )

    def keep(self, rows: Sequence[int]) -> None:
        """Drop all rows but these."""
        import torch

        index = torch.tensor(rows, device=self.seen.device)
        self.cache.batch_select_indices(index)
        self.seen, self.position = self.seen[index], self.position[index]

    def extend(self, rows: Sequence[Sequence[int]], tree: Tree = NO_TREE) -> torch.Tensor:
        """Read more tokens and look ahead along a tree of possible answers, in one forward pass.

        Parameters
        ----------
        rows : sequence of sequences of int
            The tokens that follow in each row; lengths may differ, empty ones are not allowed beside longer ones.
        tree : Tree
            What may come after them, the same for every row; each of its m nodes sees the row and its own ancestors.

        Returns
        -------
        torch.Tensor of float32, shape (b, 1 + m, vocabulary)
            Scores of the next token after the row, then after each node. Without rows' tokens the first is missing.

        Notes
        -----
        The nodes of the tree stand in the cache unseen until `accept` says which of them were right.
        """
        import torch

        device = self.seen.device
        lengths = [len(row) for row in rows]
        width, nodes = max(lengths), len(tree)
        ids = torch.tensor([[0] * (width - len(row)) + [*row, *tree.tokens] for row in rows], device=device)
        own = torch.tensor([[False] * (width - n) + [True] * n for n in lengths], device=device, dtype=torch.bool)
        before = torch.ones(width, width, dtype=torch.bool, device=device).tril()
        b, past = self.seen.shape
        allowed = torch.zeros(b, width + nodes, past + width + nodes, dtype=torch.bool, device=device)
        allowed[:, :, :past] = self.seen[:, None, :]
        allowed[:, :width, past : past + width] = before & own[:, None, :]
        allowed[:, width:, past : past + width] = own[:, None, :]
        if nodes:
            allowed[:, width:, past + width :] = torch.from_numpy(tree.sees).to(device)
        chain = self.position[:, None] + own.cumsum(dim=1) - 1
        total = torch.tensor(lengths, device=device)
        ahead = (self.position + total)[:, None] + torch.tensor(tree.depths, device=device, dtype=torch.long) - 1
        kept = nodes + 1 if width else nodes
        output = self.model(
            input_ids=ids,
            attention_mask=additive(allowed, self.model.dtype),
            position_ids=torch.cat([chain, ahead], dim=1).clamp(min=0),
            past_key_values=self.cache,
            use_cache=True,
            logits_to_keep=kept,
        )
        self.seen = torch.cat([self.seen, own], dim=1)
        self.position = self.position + total
        self.leave_unseen(nodes)
        logits: torch.Tensor = output.logits[:, -kept:].float()
        return logits

    def leave_unseen(self, nodes: int) -> None:
        """Note that so many tokens stand at the end of the cache that no row may look at yet."""
        import torch

        self.seen = torch.cat([self.seen, self.seen.new_zeros(len(self.seen), nodes)], dim=1)

    def accept(self, row: int, nodes: Sequence[int], tree: Tree) -> None:
        """Let a row see the nodes of the tree that turned out to be its answer; to be called before the next tokens."""
        if nodes:
            places = [self.seen.shape[1] - len(tree) + node for node in nodes]
            self.seen[row, places] = True
            self.position[row] += len(nodes)


def additive(allowed: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """Turn a mask of what may be seen, shape (b, q, k), into what is added to the attention scores, (b, 1, q, k)."""
    import torch

    mask = torch.zeros(allowed.shape, dtype=dtype, device=allowed.device)
    return mask.masked_fill(~allowed, torch.finfo(dtype).min)[:, None]
