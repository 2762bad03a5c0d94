"""Who is best, how sure is that, and who cannot be told apart."""

from __future__ import annotations

import string
from collections.abc import Callable, Collection, Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from auditkit.stats.bootstrap import group_seed, multiplicities
from auditkit.stats.exact import on_grid
from auditkit.stats.reduce import FloatArray

# Resamples times patients drawn at once: 16 MB.
CELLS = 4_000_000

Pair = tuple[int, int]


def ties(n: int, apart: Collection[Pair]) -> list[tuple[int, ...]]:
    """Return the largest sets of models no two of which are told apart, a model that is told from all others alone.

    Parameters
    ----------
    n : int
        Models 0..n-1.
    apart : collection of (int, int)
        Pairs told apart, smaller number first.

    Notes
    -----
    These are the maximal cliques of the graph of ties. "Cannot be told apart" is not an equivalence: A and B, B and C
    may be tied while A and C are not, so a model can be in several sets.
    """
    told = {frozenset(pair) for pair in apart}
    tied = [{j for j in range(n) if j != i and frozenset((i, j)) not in told} for i in range(n)]
    found: list[tuple[int, ...]] = []

    def grow(clique: set[int], candidates: set[int], done: set[int]) -> None:
        if not candidates and not done:
            found.append(tuple(sorted(clique)))
            return
        pivot = max(candidates | done, key=lambda i: len(tied[i] & candidates))
        for i in sorted(candidates - tied[pivot]):
            grow(clique | {i}, candidates & tied[i], done & tied[i])
            candidates = candidates - {i}
            done = done | {i}

    grow(set(), set(range(n)), set())
    return sorted(found)


def letters(sets: Sequence[Sequence[int]], n: int) -> list[str]:
    """Return one letter per set and model: those that share a letter cannot be told apart (compact letter display)."""
    names = [*string.ascii_lowercase, *(f"{a}{b}" for a in string.ascii_lowercase for b in string.ascii_lowercase)]
    return ["".join(names[at] for at, some in enumerate(sets) if i in some) for i in range(n)]


def rank_bounds(n: int, better: Collection[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the ranks that the differences told leave open to each model.

    Parameters
    ----------
    n : int
        Models.
    better : collection of (int, int)
        Pairs told apart, the better one first.

    Notes
    -----
    If the differences are simultaneous, so are these: all true ranks are inside with the same probability (Mogstad,
    Romano, Shaikh and Wilhelm 2024, Review of Economic Studies 91, 476-518).
    """
    return [(1 + sum(worse == i for _, worse in better), n - sum(best == i for best, _ in better)) for i in range(n)]


def rank_shares(
    statistic: Callable[[FloatArray], FloatArray], G: int, models: int, resamples: int, seed: int
) -> FloatArray:
    """Return how often each model has each rank when the patients are drawn again.

    Parameters
    ----------
    statistic : callable
        From multiplicities, shape (b, G), to one number per resample and model, shape (b, M), smaller is better.
    G, models : int
        Patients and models.
    resamples, seed : int
        Draws.

    Returns
    -------
    ndarray, shape (M, M)
        Row: model; column: rank 1..M; rows sum to 1. Ties share the ranks they take. It describes how much ranks
        depend on which patients were drawn; it is not the probability that a model is best.
    """
    counts = np.zeros((models, models))
    rows = max(1, CELLS // G)
    for start in range(0, resamples, rows):
        drawn = multiplicities(group_seed(seed, "ranks", start), min(rows, resamples - start), G).astype(np.float64)
        counts += _rank_counts(np.round(statistic(drawn), 9))
    return counts / resamples


def _rank_counts(values: FloatArray) -> FloatArray:
    """Count ranks over rows; k models that tie over ranks r to r + k - 1 count 1 / k in each."""
    models = values.shape[1]
    lowest = rankdata(values, method="min", axis=1)
    highest = rankdata(values, method="max", axis=1)
    counts = np.zeros((models, models))
    for rank in range(1, models + 1):
        inside = (lowest <= rank) & (rank <= highest)
        counts[:, rank - 1] = np.where(inside, 1.0 / (highest - lowest + 1), 0.0).sum(axis=0)
    return counts


def resampled_means(P: FloatArray) -> Callable[[NDArray[np.float64]], FloatArray]:
    """Return a function from multiplicities, shape (b, G), to the means of P's columns, shape (b, C); NaN = missing."""
    present = np.isfinite(P)
    filled = on_grid(np.where(present, P, 0.0), len(P))
    complete = bool(present.all())
    weight = present.astype(np.float64)

    def means(drawn: NDArray[np.float64]) -> FloatArray:
        below = drawn.sum(axis=1, keepdims=True) if complete else drawn @ weight
        return np.divide(drawn @ filled, below, out=np.zeros((len(drawn), P.shape[1])), where=below > 0)

    return means


def pairs_of(n: int) -> list[Pair]:
    """All pairs of models, in the order of every list of differences."""
    return list(combinations(range(n), 2))
