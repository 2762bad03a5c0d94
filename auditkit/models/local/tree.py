"""Possible answers as a tree of tokens, so that one forward pass looks at all of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

ROOT = -1
"""The place before the first token of an answer."""


class Tree:
    """Token paths, each beginning included.

    Parameters
    ----------
    paths : iterable of sequences of int
        Beginnings of answers; what they begin with is added.

    Attributes
    ----------
    paths : tuple of tuples of int
        One per node, parents before children.
    """

    def __init__(self, paths: Iterable[Sequence[int]]) -> None:
        every = {tuple(path[:n]) for path in paths for n in range(1, len(path) + 1)}
        self.paths: tuple[tuple[int, ...], ...] = tuple(sorted(every, key=lambda path: (len(path), path)))
        self._node = {path: node for node, path in enumerate(self.paths)}

    def __len__(self) -> int:
        return len(self.paths)

    def child(self, node: int, token: int) -> int | None:
        """Return the node reached from a node (or `ROOT`) by a token; None where the tree does not go on."""
        before = () if node == ROOT else self.paths[node]
        return self._node.get((*before, token))

    def node(self, path: Sequence[int]) -> int:
        """Return the node at the end of a path, `ROOT` for the empty one; raises KeyError when there is none."""
        return self._node[tuple(path)] if path else ROOT

    @cached_property
    def tokens(self) -> list[int]:
        """Last token of each node."""
        return [path[-1] for path in self.paths]

    @cached_property
    def depths(self) -> list[int]:
        """Tokens from the root to each node, 1 for the first."""
        return [len(path) for path in self.paths]

    @cached_property
    def sees(self) -> NDArray[np.bool_]:
        """Which nodes a node sees: itself and its ancestors; shape (m, m)."""
        found = np.eye(len(self), dtype=bool)
        for node, path in enumerate(self.paths):
            if len(path) > 1:
                found[node] |= found[self._node[path[:-1]]]
        return found
