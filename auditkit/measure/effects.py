"""What an effect is in every item: a weighted sum of values, and the least and the most that it can have been.

One rule for what is missing: a missing value lies anywhere in its quantity's range, and an item of which no term is
known within the protocol's ``missing_points`` to either side. The mean of several answers alike is that of those given.
Terms that differ in their role only are bounded together: where one of two models, or of two versions, has answered,
that says how far the other's score can be away.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from auditkit.measure.columns import COUNTED, MAIN, Column, Measurements
from auditkit.protocol.model import Protocol
from auditkit.tasks import CONFIDENCE, Quantity
from auditkit.vocabulary import EARLIER, MODEL, Part, Value

if TYPE_CHECKING:
    from numpy.typing import NDArray

WHOLE = 100.0
"""The range that ``missing_points`` is counted in."""


@dataclass(frozen=True, slots=True)
class PerItem:
    """One decision, with the effect in every item.

    Attributes
    ----------
    values : ndarray, shape (n,)
        The weighted sum, in the unit of the quantity; NaN where a value is missing.
    lowest, highest : ndarray, shape (n,)
        The least and the most that it can have been.
    asked : ndarray of bool, shape (n,)
        Items that the decision is about and whose questions are part of the plan.
    expected : ndarray, shape (n,)
        The same sum of expected scores; NaN where there is none.
    known : ndarray of bool, shape (n,)
        Items of which at least one term is known.
    least, most : float
        Ends of the range of the sum.
    """

    values: NDArray[np.float64]
    lowest: NDArray[np.float64]
    highest: NDArray[np.float64]
    asked: NDArray[np.bool_]
    expected: NDArray[np.float64]
    known: NDArray[np.bool_]
    least: float
    most: float

    @classmethod
    def none(cls, n: int) -> PerItem:
        """Return what is known where no number is taken."""
        nothing, nowhere = np.full(n, np.nan), np.zeros(n, dtype=bool)
        return cls(nothing, nothing, nothing, nowhere, nothing, nowhere, 0.0, 0.0)

    def minus(self, other: PerItem) -> PerItem:
        """Return the difference of two, item by item."""
        return PerItem(
            values=self.values - other.values,
            lowest=self.lowest - other.highest,
            highest=self.highest - other.lowest,
            asked=self.asked & other.asked,
            expected=self.expected - other.expected,
            known=self.known | other.known,
            least=self.least - other.most,
            most=self.most - other.least,
        )


def per_item(part: Part, data: Measurements, protocol: Protocol) -> PerItem:
    """Return a part's effect in every item.

    Parameters
    ----------
    part : Part
        Its questions resolved (`Protocol.resolved`).
    data : Measurements
        The answers.
    protocol : Protocol
        Says the ranges, and how far an item may lie of which nothing is known.
    """
    ranges = [protocol.catalogue.quantity(value) for _, value in part.terms]
    numbers = _answered_alike(part, [data.value(value) for _, value in part.terms])
    weights = [weight for weight, _ in part.terms]
    least, most = zip(*(_ends(w, q) for w, q in zip(weights, ranges, strict=True)), strict=True)
    presumed = part.unknown * protocol.statistics.missing_points / WHOLE
    inside = _where(part, data)
    n = len(data.records)
    values, lowest, highest, known = np.zeros(n), np.zeros(n), np.zeros(n), np.zeros(n, dtype=bool)
    for places in _bounded_together(part):
        low, high, nothing = np.zeros(n), np.zeros(n), np.ones(n, dtype=bool)
        for i in places:  # one after the other: the sum must not depend on how a library orders it
            there = np.isfinite(numbers[i])
            term = weights[i] * numbers[i]
            values = values + term
            low = low + np.where(there, term, least[i])
            high = high + np.where(there, term, most[i])
            nothing &= ~there
        reach = None
        if not _is_overconfidence([part.terms[i][1] for i in places]):
            some = [weights[i] for i in places], [ranges[i] for i in places]
            reach = _reach(*some, presumed, alone=len(roles(part)) == 1)
        lowest += np.where(nothing, low if reach is None else -reach, low)
        highest += np.where(nothing, high if reach is None else reach, high)
        known |= ~nothing
    return PerItem(
        values=np.where(inside, values, np.nan),
        lowest=lowest,
        highest=highest,
        asked=inside & _asked(part, data),
        expected=np.where(inside, _expected(part, data), np.nan),
        known=inside & known,
        least=float(sum(least)),
        most=float(sum(most)),
    )


def _answered_alike(part: Part, numbers: list[NDArray[np.float64]]) -> list[NDArray[np.float64]]:
    """Let the mean of several answers alike be that of those that were given.

    One that was refused stands for nothing but its own words, which the answered ones stand for as well.
    """
    for role in roles(part):
        alike = {replace(value, question=replace(value.question, role=role)) for value in part.alike}
        places = [i for i, (_, value) in enumerate(part.terms) if value in alike]
        if len({part.terms[i][0] for i in places}) == 1 and len(places) > 1:
            some = np.stack([numbers[i] for i in places])
            given = np.isfinite(some)
            total = np.zeros(some.shape[1])
            for row in np.where(given, some, 0.0):  # in a fixed order, as all sums here
                total = total + row
            n = given.sum(axis=0)
            middle = np.where(n > 0, total / np.maximum(n, 1), np.nan)
            for i in places:
                numbers[i] = np.where(np.isfinite(numbers[i]), numbers[i], middle)
    return numbers


def differing(part: Part, data: Measurements) -> PerItem:
    """Return where the two answers of a part say something else: 1, or 0 where they say the same.

    What was said is compared, not a number, so that answers with labels count too. Answers alike take off the share of
    them that say something else than the control does: where what was done changes nothing, both differ equally often,
    so that the excess is 0 on average, however the model scatters. Against an earlier run the difference: where the
    model's two answers differ, minus where they did then.
    """
    if roles(part) != (MODEL, EARLIER):
        return _differing(part, data)
    now, then = (_differing(of_role(part, role), data) for role in roles(part))
    return now.minus(then)


def _differing(part: Part, data: Measurements) -> PerItem:
    a, b = columns_of(part, data)
    asked = _where(part, data) & a.answered & b.answered
    differ = np.where(a.says_the_same(b), 0.0, 1.0)
    if part.alike and part.control is not None:
        control = data.column(part.control)
        role = part.control.role
        again = [data.column(replace(value.question, role=role)) for value in part.alike]
        for column in again:
            asked &= column.answered
            differ = differ - np.where(control.says_the_same(column), 0.0, 1.0) / len(again)
    values = np.where(asked, differ, np.nan)
    least = -1.0 if part.alike else 0.0
    low, high = np.full_like(values, least), np.ones_like(values)
    return PerItem(values, low, high, asked, np.full_like(values, np.nan), asked, least, 1.0)


def _ends(weight: float, quantity: Quantity) -> tuple[float, float]:
    """The least and the most that a weighted value can be."""
    low, high = sorted((weight * quantity.low, weight * quantity.high))
    return low, high


def _is_overconfidence(values: Sequence[Value]) -> bool:
    """Whether a sum compares one answer's confidence with whether it is right.

    That is no change, which is small as a rule: of an answer that was not given it may be anything.
    """
    return len({value.question for value in values}) == 1 and any(value.name == CONFIDENCE.name for value in values)


def _reach(weights: Sequence[float], ranges: Sequence[Quantity], presumed: float, *, alone: bool) -> float | None:
    """How far from zero a difference may be of which nothing is known; None for what is no difference.

    A value that is not compared with anything may lie anywhere in its range.
    """
    if min(weights) >= 0 or max(weights) <= 0:
        return None
    widest = max(quantity.high - quantity.low for quantity in ranges)
    # Between two models or versions a term moves the effect by its weight.
    return presumed * widest * (1.0 if alone else max(map(abs, weights)))


def per_item_range(part: Part, protocol: Protocol) -> tuple[float, float]:
    """Return the least and the most that a part can be in one item."""
    ends = [
        _ends(w, protocol.catalogue.quantity(replace(v, question=protocol.resolve(v.question)))) for w, v in part.terms
    ]
    return sum(low for low, _ in ends), sum(high for _, high in ends)


def columns_of(part: Part, data: Measurements) -> tuple[Column, ...]:
    """Return the answers to every question of a part, each once, in order."""
    return tuple(data.column(question) for question in dict.fromkeys(v.question for _, v in part.terms))


def of_role(part: Part, role: str) -> Part:
    """Return the terms of one role, as a part of its own."""
    return replace(part, terms=tuple((w, v) for w, v in part.terms if v.question.role == role))


def roles(part: Part) -> tuple[str, ...]:
    """Return who answers the questions of a part, the audited model first."""
    return tuple(sorted({v.question.role for _, v in part.terms}, key=lambda role: (role != MODEL, role)))


def _bounded_together(part: Part) -> list[list[int]]:
    """Positions of the terms that are bounded together: of one role all, of several those that differ in role only."""
    if len({value.question.role for _, value in part.terms}) == 1:
        return [list(range(len(part.terms)))]
    groups: dict[Value, list[int]] = {}
    for place, (_, value) in enumerate(part.terms):
        groups.setdefault(replace(value, question=replace(value.question, role="")), []).append(place)
    return list(groups.values())


def _asked(part: Part, data: Measurements) -> NDArray[np.bool_]:
    """Where every question was asked; an error has no outcome that could be counted."""
    asked = np.ones(len(data.records), dtype=bool)
    for _, value in part.terms:
        column = data.column(value.question)
        asked &= column.answered if value.name in COUNTED else column.outcomes >= 0
    return asked


def _where(part: Part, data: Measurements) -> NDArray[np.bool_]:
    return np.ones(len(data.records), dtype=bool) if part.where is None else data.where(part.where)


def _expected(part: Part, data: Measurements) -> NDArray[np.float64]:
    """Of main values alone: the other values of an answer have no expectation."""
    total = np.zeros(len(data.records))
    for weight, value in part.terms:
        unknown = value.name not in (MAIN, "expected")
        total = total + (np.nan if unknown else weight * data.column(value.question).expected)
    return total
