"""One decision to take: a part of an effect, with what it is in every item and the limit it is held to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from auditkit.evidence import Outcomes
from auditkit.judge.draft import SHOWN_CASES, WorstCase
from auditkit.judge.rules import Rules
from auditkit.measure.columns import ALL, MODALITY, NOT_ASKED, Column, Measurements, Stratum, total_outcomes
from auditkit.measure.effects import PerItem, columns_of, differing, of_role, per_item, roles
from auditkit.protocol.model import Family, Protocol
from auditkit.vocabulary import EARLIER, MODEL, Effect, Part

if TYPE_CHECKING:
    from numpy.typing import NDArray

# No weighted sum per item: what was said is compared, and answers with labels have no number; of a calibration every
# item counts one of many terms; a correlation is of values in different units; ratio, kappa and share of the variance
# are of two sums or more; what is kept or left by a threshold is a matter of all items.
WITHOUT_SUM = {
    "differs": "share",
    "calibration": "share",
    "follows": "correlation",
    "rank": "correlation",
    "ratio": "ratio",
    "shortfall ratio": "ratio",
    "agreement": "kappa",
    "wording": "share",
    "kept": "share",
    "risk": "share",
    "reliability": "share",
    "covered": "share",
    "referred": "share",
}
"""Statistics that are no sum of an item's values, and the unit of their estimates."""


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision to take.

    Attributes
    ----------
    effect : Effect
        Resolved.
    part : Part
        One of its parts.
    items : PerItem
        The effect in every item.
    columns : tuple of Column
        The answers to all its questions.
    unit : str
        Of the estimate.
    where : ndarray of bool, shape (n,)
        The items that the part chooses.
    due : ndarray of bool, shape (n,)
        Items about which whoever the part names is to be asked all of its questions.
    """

    effect: Effect
    part: Part
    items: PerItem
    columns: tuple[Column, ...]
    unit: str
    where: NDArray[np.bool_]
    due: NDArray[np.bool_]

    @property
    def about(self) -> NDArray[np.bool_]:
        """Items that the part chooses and whose questions are to be asked; shape (n,).

        What an earlier run, or a model of which there is a record only, was not asked is missing there, and no reason
        to leave a level out.
        """
        return self.where & self.due

    @property
    def name(self) -> str:
        """Name of the effect."""
        return self.effect.name

    def treated(self, data: Measurements) -> list[Column]:
        """Return the answers under the treated conditions."""
        return [data.column(question) for question in self.part.treated]

    def control(self, data: Measurements) -> list[Column]:
        """Return the answers that they are compared with; none where nothing is compared."""
        return [] if self.part.control is None else [data.column(self.part.control)]

    def outcomes(self, data: Measurements, mask: NDArray[np.bool_]) -> tuple[Outcomes, Outcomes]:
        """Count the outcomes of the treated and of the control answers."""
        chosen = mask & self.where
        return total_outcomes(self.treated(data), chosen), total_outcomes(self.control(data), chosen)

    def cases(self, items: Sequence[int]) -> list[WorstCase]:
        """Return answers to show, of at most so many items as are pictured."""
        blamed = max(self.part.treated, key=lambda question: sum(p.level for p in question.condition))
        return [WorstCase(int(item), blamed, self.part.control) for item in items[:SHOWN_CASES]]


def decisions(effects: Sequence[Effect], data: Measurements, rules: Rules) -> list[Decision]:
    """Return every decision of the effects, in order."""
    return [_decision(effect, part, data, rules) for effect in effects for part in effect.parts]


def strata(data: Measurements, family: Family) -> Iterator[tuple[Stratum, tuple[float, float]]]:
    """Yield all items together and every level that the family decides, with the region the effect must stay in."""
    for stratum in data.strata(family.by):
        yield stratum, family.ends(together=stratum[1] == ALL)


def unit_of(effect: Effect, rules: Rules) -> str:
    """Return the unit of an effect's estimates: ``points``, ``points per severity step``, ``share``, ``AUROC``."""
    if effect.statistic in ("area", "separation"):
        return "AUROC"
    if effect.statistic in WITHOUT_SUM:
        return WITHOUT_SUM[effect.statistic]
    _, value = effect.parts[0].terms[0]
    unit = rules.protocol.catalogue.quantity(value).unit
    return f"{unit} per {effect.per}" if effect.per else unit


def items_of(effect: Effect, part: Part, data: Measurements, protocol: Protocol) -> PerItem:
    """Return what an effect's statistic is made of in every item, for one of its parts."""
    if effect.statistic == "differs":
        return differing(part, data)
    return PerItem.none(len(data.records)) if effect.statistic in WITHOUT_SUM else per_item(part, data, protocol)


def other_role(part: Part) -> str:
    """Return who answers beside the audited model; empty when nobody does."""
    others = roles(part)[1:]
    return others[0] if others else ""


def _decision(effect: Effect, part: Part, data: Measurements, rules: Rules) -> Decision:
    where = np.ones(len(data.records), dtype=bool) if part.where is None else data.where(part.where)
    items = items_of(effect, part, data, rules.protocol)
    return Decision(
        effect, part, items, columns_of(part, data), unit_of(effect, rules), where, _due(part, data, rules.protocol)
    )


def _due(part: Part, data: Measurements, protocol: Protocol) -> NDArray[np.bool_]:
    due = np.ones(len(data.records), dtype=bool)
    for column in columns_of(of_role(part, MODEL), data):
        due &= column.outcomes != NOT_ASKED
    modalities = data.level_of(MODALITY)
    for condition in {v.question.condition for _, v in part.terms if v.question.role not in (MODEL, EARLIER)}:
        due &= [protocol.catalogue.applies_to(condition, modality) for modality in modalities]
    return due
