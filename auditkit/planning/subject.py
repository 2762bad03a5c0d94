"""What is planned for: the kind of value that a decision rests on, from an effect or from the record of its audit."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from auditkit.errors import AuditkitError
from auditkit.evidence import Audit, Evidence
from auditkit.judge.decisions import unit_of
from auditkit.judge.procedures import is_change, kind_of, row_of
from auditkit.judge.rules import Rules
from auditkit.judge.versions import STATISTIC
from auditkit.measure.effects import per_item_range
from auditkit.measure.recorded import effect_from
from auditkit.protocol.model import Protocol
from auditkit.protocol.shipped import SHIPPED
from auditkit.tasks import ABOVE_CHANCE, CORRECT
from auditkit.vocabulary import Effect

Kind = Literal["mean", "share", "share difference", "differs", "area"]
KINDS: Mapping[tuple[str, str], Kind] = {
    ("mean", "number"): "mean",
    ("mean", "share"): "share",
    ("mean", "share difference"): "share difference",
    ("differs", "number"): "differs",
    ("area", "number"): "area",
}
"""By the row of the table that an effect is decided by."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What decisions are about.

    Attributes
    ----------
    kind : str
        How they are decided.
    unit : str
        Of the estimate, as in the record.
    change : bool
        Whether the estimate is a difference.
    per : bool
        Whether it is counted by something, as a fall per step is.
    middle, reach : float
        The value of an image lies within ``middle - reach`` and ``middle + reach``; of means only.
    """

    kind: Kind
    unit: str
    change: bool = False
    per: bool = False
    middle: float = 0.0
    reach: float = 1.0

    @property
    def in_points(self) -> bool:
        """Whether it is a mean of differences of scores in points."""
        return self.kind == "mean" and self.change and self.unit == "points"


def can_be_planned(effect: Effect, protocol: Protocol) -> bool:
    """Whether it is known how many patients an effect takes."""
    return (effect.statistic, kind_of(effect, protocol)) in KINDS


def subject_of(effect: Effect, protocol: Protocol) -> Subject:
    """Return what an effect is.

    Raises
    ------
    AuditkitError
        When there is no such statistic, or nothing is known of the patients it takes.
    """
    row_of(effect, protocol)  # refuses a statistic that there is not
    kind = KINDS.get((effect.statistic, kind_of(effect, protocol)))
    if kind is None:
        raise AuditkitError(f"{effect.name}: how many patients a {effect.statistic} takes is not known.")
    whole = protocol.resolved(effect)
    unit, change = unit_of(whole, Rules(protocol)), is_change(whole)
    if kind != "mean":
        return Subject(kind, unit, change)
    ends = [per_item_range(part, protocol) for part in whole.parts]
    low, high = min(low for low, _ in ends), max(high for _, high in ends)
    return Subject(kind, unit, change, bool(effect.per), (low + high) / 2, (high - low) / 2)


def counts_right(effect: Effect, protocol: Protocol) -> bool:
    """Whether answers count as right or wrong, so that how many are right must be known."""
    values = (value for part in protocol.resolved(effect).parts for _, value in part.terms)
    return any(value.name in (CORRECT.name, ABOVE_CHANCE.name) for value in values)


def own_audits(evidence: Evidence) -> list[Audit]:
    """Return the audits of a run that decide by themselves and are planned for by what they measure.

    Comparisons with an earlier run are not, nor gaps between groups, which say themselves what they take.
    """
    return [audit for audit in evidence.deciding if audit.statistic != STATISTIC and not audit.between]


def recorded_subject(audit: Audit, protocol: Protocol) -> Subject:
    """Return what a recorded audit is about; raises as `recorded_effect`."""
    return subject_of(recorded_effect(audit), protocol)


def recorded_effect(audit: Audit) -> Effect:
    """Return the effect of a recorded audit.

    Raises
    ------
    AuditkitError
        When the record does not define it.
    """
    effect = effect_from(audit)
    if effect is None:
        raise AuditkitError(
            f"the pilot's record does not say what {audit.id} measures.",
            "Run the audits again with the same store; nothing is asked again.",
        )
    return effect


def shipped_effects(family: str) -> list[Effect]:
    """Return the effects that auditkit ships of a family."""
    return SHIPPED[family]() if family in SHIPPED else []


def spread_of(effect: Effect) -> float:
    """Return the standard deviation of an effect in an image, in those of a difference of two scores.

    Scores of an image that scatter alike and without regard to each other; of several parts the widest.
    """
    return max(math.sqrt(sum(weight**2 for weight, _ in part.terms) / 2) for part in effect.parts)
