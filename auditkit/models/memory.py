"""How many rows may be worked on at once, and what to do when they were too many."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def rows_within(costs: Sequence[int], budget: int | None, most: int) -> list[int]:
    """Cut rows into consecutive chunks.

    Parameters
    ----------
    costs : sequence of int
        Bytes per row; a chunk costs its dearest row times its length, because shorter rows are padded.
    budget : int or None
        Bytes that a chunk may take; a single row is always let through.
    most : int
        Rows per chunk at most.

    Returns
    -------
    list of int
        Lengths of the chunks.
    """
    lengths: list[int] = []
    length, dearest = 0, 0
    for cost in costs:
        dearest = max(dearest, cost)
        if length and (length >= most or (budget is not None and (length + 1) * dearest > budget)):
            lengths.append(length)
            length, dearest = 0, cost
        length += 1
    return [*lengths, length] if length else lengths


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an exception says that memory ran out, on a GPU or on the host."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    text = str(error).lower()
    return isinstance(error, RuntimeError) and any(
        said in text for said in ("can't allocate memory", "out of memory", "not enough memory")
    )


def by_halves(
    work: Callable[[Sequence[T]], list[R]],
    items: Sequence[T],
    give_up: Callable[[T, str], R],
    on_halved: Callable[[int], None] = lambda n: None,
) -> list[R]:
    """Do the work on all items at once; where memory runs out, on one half after the other.

    Parameters
    ----------
    work : callable
        Items to results, in order.
    items : sequence
        What is to be done.
    give_up : callable
        Result of an item for which memory does not even suffice alone, from the item and the reason.
    on_halved : callable, optional
        Told the number of items that were too many.
    """
    try:
        return work(items)
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        reason = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else 'out of memory'}"
    _release()
    if len(items) == 1:
        return [give_up(items[0], reason)]
    on_halved(len(items))
    half = len(items) // 2
    return [done for some in (items[:half], items[half:]) for done in by_halves(work, some, give_up, on_halved)]


def _release() -> None:
    """Give cached blocks back, so that the next attempt finds them."""
    import gc

    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
