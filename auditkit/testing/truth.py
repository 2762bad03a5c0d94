"""What a defect makes of the true values of an effect, and what an audit of the effect may conclude from it.

A few items stand for all: those that the defect concerns and those that it does not, each with its weight. Their values
go through the code that measures real answers (`auditkit.measure.effects.per_item`), so whatever is an effect there is
one here, and nothing is known here of kinds of audits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise, product
from typing import TYPE_CHECKING

import numpy as np

from auditkit.images.item import Item, Picture
from auditkit.measure.columns import COUNTED, MODALITY, Column, Measurements
from auditkit.measure.effects import per_item
from auditkit.protocol.model import Family, Protocol
from auditkit.tasks import FLAGGED, OUTCOMES, Outcome
from auditkit.testing.questions import severity
from auditkit.testing.saying import say
from auditkit.vocabulary import Effect, Part, Question, Value

if TYPE_CHECKING:
    from numpy.typing import NDArray

ELSEWHERE = "elsewhere"
"""Stands for every modality that a defect does not name."""
EXACT = 1e-9


@dataclass(frozen=True, slots=True)
class Truth:
    """What is true of the answers to one question, in a model that has one defect and no other fault.

    Attributes
    ----------
    points : float
        By how much the score is moved, in every modality that `by_modality` does not name.
    by_modality : tuple of (str, float)
        The same in single modalities.
    scale : float
        What the model's own score is multiplied by before: 0 where the image is not looked at.
    share : float
        Share of the items, 0-1, that this is true of, the same items in every question; 0 for so few that no mean and
        no share moves.
    outcome : str
        What becomes of their answers: ``"scored"``, ``"refused"``, ``"out_of_range"``, ...
    spread : float
        Standard deviation of a further part of the score, in points, that is another in every asking; so are the items.
    """

    points: float = 0.0
    by_modality: tuple[tuple[str, float], ...] = ()
    scale: float = 1.0
    share: float = 1.0
    outcome: Outcome = "scored"
    spread: float = 0.0


UNCHANGED = Truth()
World = Callable[[Question], tuple[Question, Truth]]
"""From a question (resolved) to the question as the model takes it in, and to what is true of its answers."""


@dataclass(frozen=True, slots=True)
class Items:
    """The items that stand for all.

    Attributes
    ----------
    records : tuple of Item, length n
        One for every combination of modality and of what is true.
    weights : ndarray, shape (n,)
        Their shares of all items of their modality; adding up to 1 in each.
    true, fair : Measurements
        Their true values with the defect, and without.
    """

    records: tuple[Item, ...]
    weights: NDArray[np.float64]
    true: Measurements
    fair: Measurements

    def modalities(self) -> Iterator[NDArray[np.bool_]]:
        """Yield the items of every modality."""
        names = np.array([record.modality for record in self.records])
        for name in dict.fromkeys(names.tolist()):
            yield names == name


def hits(world: World, effect: Effect, protocol: Protocol) -> bool:
    """Whether the true effect lies beyond the limit that the protocol declares.

    As good a model as can be is taken, the defect apart: where at least something is asked, its score falls over the
    whole scale, elsewhere it does not move. Where that model breaks the limit by itself, the defect is not to blame.
    """
    family = protocol.families.get(effect.family)
    if family is None or effect.between:  # all items together say nothing of a gap between groups
        return False
    for part in protocol.resolved(effect).parts:
        if family.requires(part.label):
            items = _items(world, part, family, protocol)
            if _beyond(items.true, items, part, effect.statistic, family, protocol) and not _beyond(
                items.fair, items, part, effect.statistic, family, protocol
            ):
                return True
    return False


def touches(world: World, effect: Effect, protocol: Protocol) -> bool:
    """Whether the effect is another than without the defect in any item, or answers that it needs are lost."""
    family = protocol.families.get(effect.family)
    if family is None:
        return False
    for part in protocol.resolved(effect).parts:
        items = _items(world, part, family, protocol)
        if _loses(items, part) or _moves(items, part, effect.statistic, protocol):
            return True
        if effect.statistic == "area" and any(world(value.question)[1].spread for _, value in part.terms):
            return True
    return False


def _loses(items: Items, part: Part) -> bool:
    """Whether other answers are lost: scores that are missing, or answers that are counted for being lost."""

    def lost(data: Measurements, value: Value) -> NDArray[np.bool_]:
        found = data.value(value)
        return found > 0 if value.name in COUNTED else np.isnan(found)

    return any((lost(items.true, value) != lost(items.fair, value)).any() for _, value in part.terms)


def _moves(items: Items, part: Part, statistic: str, protocol: Protocol) -> bool:
    true, fair = (_contributions(data, part, statistic, protocol) for data in (items.true, items.fair))
    return not np.allclose(true, fair, rtol=0, atol=EXACT, equal_nan=True)


def _contributions(data: Measurements, part: Part, statistic: str, protocol: Protocol) -> NDArray[np.float64]:
    """What every item, or for an area every pair of items, adds to the statistic; NaN where something is missing."""
    if statistic == "mean":
        return per_item(part, data, protocol).values
    first, second = (value for _, value in part.terms)
    if statistic == "differs":
        treated, control = data.column(first.question), data.column(second.question)
        return np.where(treated.answered & control.answered, ~treated.says_the_same(control), np.nan)
    above = data.value(second)[:, None] - data.value(first)[None, :]
    return np.where(np.isnan(above), np.nan, (np.sign(np.where(np.abs(above) < EXACT, 0.0, above)) + 1) / 2)


def _beyond(data: Measurements, items: Items, part: Part, statistic: str, family: Family, protocol: Protocol) -> bool:
    """Whether the effect, or the tail beside it, lies beyond the limit of one modality or of all together."""
    values = _contributions(data, part, statistic, protocol)

    def average(chosen: NDArray[np.bool_], of: NDArray[np.float64]) -> float:
        weights = np.where(chosen, items.weights, 0.0)
        weights = np.outer(weights, weights) if of.ndim == 2 else weights
        weights = np.where(np.isnan(of), 0.0, weights)
        return float((weights * np.nan_to_num(of)).sum() / weights.sum()) if weights.sum() else np.nan

    def outside(value: float, *, together: bool) -> bool:
        low, high = family.ends(together=together)
        return value < low - EXACT or value > high + EXACT

    found = [average(chosen, values) for chosen in items.modalities()]
    if family.by == MODALITY and any(outside(value, together=False) for value in found):
        return True
    # How many patients a modality has is not known here: over all of them the effect is, where it is the same in each.
    # An area over all modalities compares items across them and is only shown.
    alike = np.ptp(found) < EXACT
    if alike and outside(found[0], together=values.ndim == 1):
        return True
    if family.tail is None or statistic != "mean":
        return False
    jumps = (np.abs(np.nan_to_num(values)) > family.tail.beyond + EXACT).astype(float)
    return any(average(chosen, jumps) > family.tail.share + EXACT for chosen in items.modalities())


def _items(world: World, part: Part, family: Family, protocol: Protocol) -> Items:
    """Make the items that a part's questions need, with their true values."""
    questions = tuple(dict.fromkeys(value.question for _, value in part.terms))
    taken = {question: world(question) for question in questions}
    named = dict.fromkeys(m for _, truth in taken.values() for m, _ in truth.by_modality)
    column, level = part.where or ("", "")
    modalities = [level] if column == MODALITY else [*named, ELSEWHERE]
    rows = [
        (modality, below, signs, weight * chance)
        for modality in modalities
        for below, weight in _cells([truth.share for _, truth in taken.values() if not truth.spread])
        for signs, chance in _askings(taken)
    ]
    records = tuple(
        Item(f"i{i}", f"i{i}", row[0], (Picture("", _unread),), True, "made up", attributes={column: level})
        for i, row in enumerate(rows)
    )
    falling = family.verb == "at_least"
    deepest = max((severity(q.condition, protocol.catalogue) for q in questions), default=0)

    def own(question: Question) -> float:
        depth = severity(question.condition, protocol.catalogue) / deepest if deepest else 0.0
        return 100.0 * (1.0 - depth) if falling else 50.0

    def column_of(question: Question, shown: Question, truth: Truth) -> Column:
        added = np.array([signs[question] if truth.spread else 0.0 for _, _, signs, _ in rows])
        concerned = added != 0 if truth.spread else np.array([below < truth.share for _, below, _, _ in rows])
        points = np.array([dict(truth.by_modality).get(modality, truth.points) for modality, *_ in rows])
        scores = np.where(concerned, points + added + truth.scale * own(shown), own(shown))
        outcomes = np.where(concerned, OUTCOMES.index(truth.outcome), 0).astype(np.int8)
        values = {"": np.where(outcomes == 0, scores, np.nan)}
        flags = protocol.catalogue.task(question.task).flags
        if flags:
            said = [say(score, question, protocol.catalogue) in flags for score in scores.tolist()]
            values[FLAGGED.name] = np.where(outcomes == 0, said, np.nan)
        return Column(values, outcomes)

    true = {question: column_of(question, *taken[question]) for question in questions}
    fair = {question: column_of(question, question, UNCHANGED) for question in questions}
    weights = np.array([row[3] for row in rows])
    return Items(records, weights, Measurements(records, true), Measurements(records, fair))


def _cells(shares: Sequence[float]) -> list[tuple[float, float]]:
    """Cut the items where a share ends: where each piece begins, and its size. The first is nobody, and always there.

    It stands for single items: what is true of so few that no mean moves shows in it alone.
    """
    edges = sorted({0.0, *shares, 1.0})
    return [(-1.0, 0.0), *((low, high - low) for low, high in pairwise(edges))]


def _askings(taken: Mapping[Question, tuple[Question, Truth]]) -> Iterator[tuple[dict[Question, float], float]]:
    """Yield by question what a new asking adds to the score, in points, and how likely that is."""
    states = []
    for place, (question, (_, truth)) in enumerate(taken.items()):
        # No two askings add the same, and on average nothing is added.
        by = truth.spread * (1 + place / 1000)
        half = truth.share / 2
        every = ((by, half), (-by, half), (0.0, 1 - truth.share)) if truth.spread else ((0.0, 1.0),)
        states.append([(question, added, chance) for added, chance in every])
    for found in product(*states):
        yield {question: added for question, added, _ in found}, float(np.prod([chance for *_, chance in found]))


def _unread() -> NDArray[np.uint8]:
    raise NotImplementedError("items that stand for others have no pixels")
