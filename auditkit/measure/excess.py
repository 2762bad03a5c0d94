"""Which answers jump under a perturbation, and how many do by the model's own noise; item by item.

The noise is seen in answers to questions that mean the same (`Part.alike`). What is compared is compared alike on both
sides, so that a perturbation without any effect has an excess of zero on average, however the model scatters, whatever
its scale, and in every item by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice, permutations
from typing import TYPE_CHECKING

import numpy as np

from auditkit.measure.columns import Measurements
from auditkit.measure.effects import PerItem
from auditkit.vocabulary import Part, Value

if TYPE_CHECKING:
    from numpy.typing import NDArray

FEWEST = 3
"""Answers alike that it takes: with two, each is compared with a single other one."""

MOST = 1000
"""Ways to put answers alike in the places of a sum that are looked at. Any will do, as they are exchangeable: five in
four places have 120, ten in six 151,200."""


@dataclass(frozen=True, slots=True)
class Excess:
    """Jumps less jumps by noise in every item, -1 to 1.

    Attributes
    ----------
    certain : ndarray, shape (n,)
        What was seen: without a score there is no jump, and where nothing tells the noise every answer may jump by it.
    worst : ndarray, shape (n,)
        What may be: without a score there is a jump, and none by noise.
    """

    certain: NDArray[np.float64]
    worst: NDArray[np.float64]


def excess_of(part: Part, items: PerItem, beyond: float, data: Measurements) -> Excess:
    """Return by how much more often than by noise an effect jumps in every item.

    Parameters
    ----------
    part : Part
        Its questions resolved.
    items : PerItem
        The effect in every item.
    beyond : float
        What an answer must differ by to jump, in the unit of the effect.
    data : Measurements
        The answers.

    Notes
    -----
    Against the mean of k answers alike, an answer a is held against the mean of every k - 1 of them, and so is the one
    that was left out: jump j is ``|a - mean of the others| > beyond``, noise j is ``|p_j - mean of the others| >
    beyond``, and the excess the mean difference over j. Where a has no effect it is one more of them, so that both have
    the same distribution. Of anything else, the jump is held against those of the same weighted sum of answers alike,
    whichever of them take the places: two in a change, four in an interaction, which scatters more than a change does.
    Where nothing tells the noise, every jump counts.
    """
    alike = np.array([data.value(value) for value in part.alike]).reshape(-1, len(items.values)).T
    single = _held_against_alike(part)
    if single is None:
        jumps = np.where(np.isfinite(items.values), np.abs(items.values) > beyond, np.nan)
        noise = _by_noise([w for w, _ in part.terms], alike, beyond) if part.alike else np.zeros(len(alike))
    else:
        weight, value = single
        others = _mean_of_others(alike)
        jumps = _share(weight * data.value(value)[:, None] - others, beyond)
        noise = _share(alike - others, beyond)
    certain = np.nan_to_num(jumps, nan=0.0) - np.nan_to_num(noise, nan=1.0)
    return Excess(certain, np.where(np.isfinite(jumps) & np.isfinite(noise), certain, 1.0))


def alike_needed(part: Part) -> int:
    """Return how many answers that mean the same it takes to tell the noise of a part: one for each place at least."""
    return FEWEST if _held_against_alike(part) else max(FEWEST, len(part.terms))


def _held_against_alike(part: Part) -> tuple[float, Value] | None:
    """The one value that is held against the mean of those alike; None where the part compares anything else."""
    taken_off = {value: weight for weight, value in part.terms if weight < 0}
    [*others] = [(weight, value) for weight, value in part.terms if weight >= 0]
    same = bool(part.alike) and taken_off.keys() == set(part.alike)
    same = same and np.allclose(list(taken_off.values()), -1 / len(part.alike))
    return others[0] if same and len(others) == 1 and others[0][0] == 1.0 else None


def _mean_of_others(alike: NDArray[np.float64]) -> NDArray[np.float64]:
    """For every answer the mean of the others that were given; NaN where it was not given itself, or fewer than two."""
    there = np.isfinite(alike)
    known = np.where(there, alike, 0.0)
    n = there.sum(axis=1, keepdims=True)
    others = (known.sum(axis=1, keepdims=True) - known) / np.maximum(n - 1, 1)
    return np.where(there & (n >= FEWEST), others, np.nan)


def _share(apart: NDArray[np.float64], beyond: float) -> NDArray[np.float64]:
    """Share of the known distances that are larger; NaN where none is known."""
    known = np.isfinite(apart)
    n = known.sum(axis=1)
    large = (known & (np.abs(np.where(known, apart, 0.0)) > beyond)).sum(axis=1)
    return np.where(n > 0, large / np.maximum(n, 1), np.nan)


def _by_noise(weights: Sequence[float], alike: NDArray[np.float64], beyond: float) -> NDArray[np.float64]:
    """Share of the ways to put answers alike in the places of a sum that take it far off; NaN where none is known."""
    n = len(alike)
    known, large = np.zeros(n), np.zeros(n)
    for places in islice(permutations(range(alike.shape[1]), len(weights)), MOST):
        total = np.zeros(n)
        for weight, place in zip(weights, places, strict=True):
            total += weight * alike[:, place]
        there = np.isfinite(total)
        known += there
        large += there & (np.abs(np.where(there, total, 0.0)) > beyond)
    return np.where(known > 0, large / np.maximum(known, 1), np.nan)
