"""Many texts about one image, or one pair: what they have in common is read once, and the answers stay the same.

The images and the common beginning of the texts are read once. Texts that have more in common (the variants of one
question, which differ in their last sentence) read that once too; the differing ends follow in one batch. In float32
the scores differ from asking one by one by rounding only (tests/models/local/test_same_answers.py holds the answers
equal for every architecture).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from auditkit.models.base import Request
from auditkit.models.local.cache import Read
from auditkit.models.local.chat import rgb
from auditkit.models.local.greedy import Answered, kind_of
from auditkit.models.local.prefill import read_first
from auditkit.models.local.tree import Tree

if TYPE_CHECKING:
    import torch

    from auditkit.models.local.engine import Engine

MIN_SHARED = 4
"""Fewer texts about one image are not worth the detour."""

_WORTH = 8  # tokens more in common than all texts have; for fewer a pass of its own does not pay


def answer_piece(engine: Engine, requests: Sequence[Request]) -> list[Answered]:
    """Answer one piece of work: on the shared path where all is about the same images and can be, else as a batch."""
    import torch

    first = requests[0]
    same = all(r.images == first.images and r.system == first.system for r in requests)
    with torch.inference_mode():
        if engine.loaded.greedy and same and first.images and len(requests) >= MIN_SHARED:
            shared = answer_shared(engine, requests)
            if shared is not None:
                return shared
        return engine.batch(requests)


def answer_shared(engine: Engine, requests: Sequence[Request]) -> list[Answered] | None:
    """Answer requests about the same images.

    Parameters
    ----------
    engine : Engine
        A loaded checkpoint.
    requests : sequence of Request
        All with the same images, one or more, and the same system turn.

    Returns
    -------
    list of Answered or None
        None when the texts do not allow the shared path; the caller then takes the plain one.
    """
    loaded = engine.loaded
    about = loaded.tokens([loaded.chat(r) for r in requests], [rgb(image) for image in requests[0].images])
    if about is None:
        return None
    tokens = about.tokens
    shared = _common_start(tokens)
    if shared < about.image_end or not engine.fits(max(map(len, tokens)), requests):
        return None
    base, _ = read_first(loaded.model, about.inputs, shared)
    found: dict[int, Answered] = {}
    for group in _groups(requests, tokens):
        start, begun = base, shared
        if len(group) >= MIN_SHARED:
            common = _common_start([tokens[i] for i in group])
            if common >= shared + _WORTH:
                start, begun = base.copied(), common
                start.extend([tokens[group[0]][shared:common]])
        for some in engine.chunks(group, [len(tokens[i]) for i in group], [len(tokens[i]) - begun for i in group]):
            read, ends = start.copied(len(some)), [tokens[i][begun:] for i in some]
            answers = engine.answer(
                [requests[i] for i in some],
                [tokens[i] for i in some],
                partial(_look, read, ends),
            )
            found.update(zip(some, answers, strict=True))
    return [found[i] for i in range(len(requests))]


def _look(read: Read, ends: Sequence[Sequence[int]], tree: Tree) -> tuple[Read, torch.Tensor]:
    return read, read.extend(ends, tree)


def _groups(requests: Sequence[Request], tokens: Sequence[Sequence[int]]) -> list[list[int]]:
    """Variants of one question together; questions with few variants are one group, in order of length."""
    groups: dict[str, list[int]] = {}
    for i, request in enumerate(requests):
        groups.setdefault(kind_of(request), []).append(i)
    large = [group for group in groups.values() if len(group) >= MIN_SHARED]
    few = (i for group in groups.values() if len(group) < MIN_SHARED for i in group)
    rest = sorted(few, key=lambda i: len(tokens[i]))
    return [*large, *([rest] if rest else [])]


def _common_start(tokens: Sequence[Sequence[int]]) -> int:
    """Length of the common beginning, leaving every text at least one token of its own."""
    shortest = min(map(len, tokens)) - 1
    for i in range(shortest):
        if any(some[i] != tokens[0][i] for some in tokens):
            return i
    return shortest
