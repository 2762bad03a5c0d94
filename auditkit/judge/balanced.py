"""Means in which the levels of a column count equally."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from auditkit.judge.decisions import Decision
from auditkit.measure.columns import Measurements
from auditkit.measure.effects import PerItem
from auditkit.protocol.model import Protocol
from auditkit.tasks.truth import COLUMN_OF

if TYPE_CHECKING:
    from numpy.typing import NDArray


def balanced(decision: Decision, mask: NDArray[np.bool_], data: Measurements) -> Decision:
    """Return a decision whose plain mean over the patients of a stratum is its balanced mean.

    With patients of equal weight, an item of level k is multiplied by G / (K G_k): G patients, K levels, and G_k the
    sum over patients of their share of items of level k. The mean over patients of such values is the mean over levels
    of the weighted means of each level. The G_k are taken as fixed, as where so many patients of each class were
    chosen; that the interval knows nothing of the fixed numbers makes it wider, not narrower.

    Parameters
    ----------
    decision : Decision
        Of a part with ``balanced``.
    mask : ndarray of bool, shape (n,)
        The items of the stratum.
    data : Measurements
        Has the levels.
    """
    factor = factors(decision.part.balanced, mask & decision.items.asked, data)
    return replace(decision, items=scaled(decision.items, factor))


def factors(column: str, asked: NDArray[np.bool_], data: Measurements) -> NDArray[np.float64]:
    """Return what every item is multiplied by so that the mean over patients is the mean over the levels of a column.

    Parameters
    ----------
    column : str
        Whose levels count equally.
    asked : ndarray of bool, shape (n,)
        The items that count; all others get 1.
    data : Measurements
        Has the levels.
    """
    levels = data.level_of(column)
    clusters = data.cluster
    of_patient = np.bincount(clusters[asked], minlength=int(clusters.max(initial=0)) + 1)
    share = np.zeros(len(levels))
    share[asked] = 1.0 / of_patient[clusters[asked]]
    present = sorted(set(levels[asked].tolist()))
    factor = np.ones(len(levels))
    patients = float((of_patient > 0).sum())
    for level in present:
        of_level = asked & (levels == level)
        factor[of_level] = patients / (len(present) * float(share[of_level].sum()))
    return factor


def scaled(items: PerItem, factor: NDArray[np.float64]) -> PerItem:
    """Multiply the values of items, and widen their range to what the largest factor makes of it."""
    largest = float(factor.max(initial=1.0))
    return PerItem(
        values=items.values * factor,
        lowest=items.lowest * factor,
        highest=items.highest * factor,
        asked=items.asked,
        expected=items.expected * factor,
        known=items.known,
        least=min(items.least, items.least * largest),
        most=max(items.most, items.most * largest),
    )


def absent(decision: Decision, mask: NDArray[np.bool_], data: Measurements, protocol: Protocol) -> tuple[str, ...]:
    """Return the answers to the task that are right for no item of a stratum.

    Where one is absent, who always gives another is right more often than by guessing among all.
    """
    column = decision.part.balanced
    if not column.startswith(COLUMN_OF):
        return ()
    answers: Sequence[str] = protocol.catalogue.task(column.removeprefix(COLUMN_OF)).answers
    there = set(data.level_of(column)[mask & decision.items.asked].tolist())
    return tuple(answer for answer in answers if answer not in there)


def is_alone(decision: Decision, mask: NDArray[np.bool_], data: Measurements) -> bool:
    """Whether a stratum has items of one level only, so that there is nothing to balance."""
    levels = data.level_of(decision.part.balanced)[mask & decision.items.asked]
    return len(set(levels.tolist())) < 2
