"""Whether the score falls more in the items whose embedding moves further, at equal severity: ranks against a floor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import rankdata

from auditkit.errors import AuditkitError
from auditkit.evidence import Estimate
from auditkit.judge.decisions import Decision, strata
from auditkit.judge.draft import SHOWN_CASES, Draft
from auditkit.judge.filled import HANGS_ON_MISSING, HARMLESS
from auditkit.judge.rules import Rules
from auditkit.measure.columns import ALL, MODALITY, Measurements, Stratum
from auditkit.protocol.model import Family
from auditkit.stats.ranks import Measured, rank_correlation
from auditkit.stats.spread import mean_difference
from auditkit.vocabulary import Effect
from auditkit.words import interval, number

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

RANK = "rank"
_SHOWN_AT = 0.0  # what is only shown has no floor; the interval does not depend on it
_STILL = 1.0  # nor has its movement
_SAME = 9  # decimals: a difference below 1e-9 is rounding, not a move
_NOTHING = "In no three patients of a modality were both numbers known, so there is nothing to follow."


def check_moves(effect: Effect, family: Family, where: str) -> None:
    """Refuse a correlation that says nothing of size, and a size of anything else.

    Raises
    ------
    AuditkitError
        With the line to give or to leave out.
    """
    if (effect.statistic == RANK) == (family.moves is not None):
        return
    if family.moves is not None:
        raise AuditkitError(
            f"{where}.moves is how far a score moves that follows in rank, and {effect.name} is no such correlation.",
            "Leave moves out.",
        )
    raise AuditkitError(
        f"{where} holds {effect.name} to a correlation alone, which is 1 too where the score moves by a tenth of a "
        "point.",
        "Give moves = 5.0 beside at_least: by how many points two images of one severity must be shown to move apart.",
    )


@dataclass(frozen=True, slots=True)
class _Rows:
    """One row per item and severity: how far the inside moved, by how much the score fell and can have fallen."""

    inside: Floats
    fall: Floats
    least: Floats
    most: Floats
    clusters: NDArray[np.int64]
    strata: NDArray[np.int64]
    items: NDArray[np.int64]

    @property
    def lost(self) -> NDArray[np.bool_]:
        """Where the score's fall is missing and the move inside is known."""
        return np.isnan(self.fall) & np.isfinite(self.inside) & np.isfinite(self.least)


def judge_tracking(
    decisions: Sequence[Decision], family: Family, data: Measurements, rules: Rules
) -> list[tuple[str, Draft]]:
    """Decide every rank correlation; over all modalities together it is only shown."""
    return [
        (decision.name, _draft(decision, stratum, floor, family, data, rules))
        for stratum, (floor, _) in strata(data, family)
        for decision in decisions
    ]


def _draft(
    decision: Decision, stratum: Stratum, floor: float, family: Family, data: Measurements, rules: Rules
) -> Draft:
    mask = data.where(stratum) & decision.where
    rows, alpha = _rows(decision, mask, data, rules), rules.alpha(stratum)
    floor = floor if np.isfinite(floor) else _SHOWN_AT
    few = rules.statistics.min_informative

    def ranked(fall: Floats) -> Measured:
        return rank_correlation(rows.inside, fall, rows.clusters, rows.strata, floor, alpha=alpha, min_informative=few)

    def moved(fall: Floats) -> Measured:
        known = np.where(np.isfinite(rows.inside), fall, np.nan)
        reach, size = _reach(decision, rules), family.moves or _STILL
        return mean_difference(known, rows.clusters, rows.strata, size, reach=reach, alpha=alpha, min_informative=few)

    found, size = ranked(rows.fall), moved(rows.fall)
    p_pass, p_below, p_still = max(found.p_above, size.p_above), found.p_below, size.p_below
    obstacle, worst = "", None
    if rows.lost.any() and family.verb:
        middle, further = _middle(rows, rows.fall), rows.inside > _middle(rows, rows.inside)
        worst = ranked(np.where(rows.lost, np.where(further, rows.least, rows.most), rows.fall))
        best = ranked(np.where(rows.lost, np.where(further, rows.most, rows.least), rows.fall))
        amidst = moved(np.where(rows.lost, np.clip(middle, rows.least, rows.most), rows.fall))
        far = np.where(rows.most - middle > middle - rows.least, rows.most, rows.least)
        p_pass, met = max(p_pass, worst.p_above, amidst.p_above), p_pass <= alpha
        p_below, p_still = max(p_below, best.p_below), max(p_still, moved(np.where(rows.lost, far, rows.fall)).p_below)
        if met and p_pass > alpha:
            obstacle = HANGS_ON_MISSING
        elif min(found.p_below, size.p_below) <= alpha / 2 < min(p_below, p_still):
            obstacle = HARMLESS
    apart = _apart(size, family.moves)
    if found.p_above <= alpha < size.p_above and not obstacle:
        obstacle = apart
    outcomes, control_outcomes = decision.outcomes(data, mask)
    return Draft(
        stratum=stratum,
        part=decision.part.label,
        estimate=_estimate(found, decision.unit),
        met=p_pass <= alpha,
        p_pass=p_pass,
        # Either of two shortfalls is a FAIL, so each is held to half the error.
        p_fail=min(1.0, 2 * min(p_below, p_still)),
        margin_low=floor,
        required=family.requires(decision.part.label) and stratum[1] != ALL,
        obstacle=obstacle,
        shortfall=apart if p_still < p_below else "",
        n_images=int(np.unique(rows.items[np.isfinite(rows.inside) & np.isfinite(rows.fall)]).size),
        n_clusters=found.n_clusters,
        outcomes=outcomes,
        control_outcomes=control_outcomes,
        worst_case=None if worst is None else _estimate(worst, decision.unit),
        rule=found.rule,
        remark=f"{apart[:1].upper()}{apart[1:]}." if found.n_clusters else _NOTHING,
        worst_cases=decision.cases(_unsaid(rows)),
    )


def _rows(decision: Decision, mask: NDArray[np.bool_], data: Measurements, rules: Rules) -> _Rows:
    """Put the severities of all items under each other."""
    terms = decision.part.terms
    task = terms[0][1].question.task
    inside = {value.question.condition: (weight, value) for weight, value in terms if value.question.task == task}
    said = {value.question.condition: value for _, value in terms if value.question.task != task}
    [clean] = [value for condition, value in said.items() if condition not in inside]
    quantity, modalities = rules.protocol.catalogue.quantity(clean), data.level_of(MODALITY)
    place = np.unique(modalities[mask].astype(str), return_inverse=True)[1]
    before, items = data.value(clean)[mask], np.flatnonzero(mask)
    columns = []
    for step, (condition, (weight, value)) in enumerate(inside.items()):
        after = data.value(said[condition])[mask]
        asked = (data.column(clean.question).outcomes >= 0) & (data.column(said[condition].question).outcomes >= 0)
        low = np.where(np.isnan(before), quantity.low, before) - np.where(np.isnan(after), quantity.high, after)
        high = np.where(np.isnan(before), quantity.high, before) - np.where(np.isnan(after), quantity.low, after)
        ends = (np.where(asked[mask], end, np.nan) for end in (low, high))
        moved = weight * np.round(data.value(value)[mask], _SAME)
        columns.append((moved, before - after, *ends, data.cluster[mask], place * len(inside) + step, items))
    return _Rows(*(np.concatenate(some) for some in zip(*columns, strict=True)))


def _reach(decision: Decision, rules: Rules) -> float:
    """How far two falls can lie apart: twice the range of what is said."""
    return 2 * rules.protocol.catalogue.quantity(decision.part.terms[-1][1]).span


def _middle(rows: _Rows, values: Floats) -> Floats:
    """The median of each row's stratum; 0 where nothing is known."""
    middle = np.zeros(values.size)
    for stratum in np.unique(rows.strata):
        own = rows.strata == stratum
        known = values[own & np.isfinite(values)]
        middle[own] = np.median(known) if known.size else 0.0
    return middle


def _apart(size: Measured, wanted: float | None) -> str:
    if not size.n_clusters:
        return ""
    found = interval(_estimate(size, "points"), signed=False)
    said = f"scores of two images move {found} apart at one severity"
    return said if wanted is None else f"{said}, which must be above {number(wanted, 'points', signed=False)}"


def _estimate(result: Measured, unit: str) -> Estimate:
    return Estimate(value=result.estimate, low=result.low, high=result.high, level=result.level, unit=unit)


def _unsaid(rows: _Rows) -> list[int]:
    """The items whose inside moved most and whose score fell least, by ranks within the stratum."""
    known = np.isfinite(rows.inside) & np.isfinite(rows.fall)
    behind: dict[int, float] = {}
    for stratum in np.unique(rows.strata[known]):
        own = known & (rows.strata == stratum)
        gap = (rankdata(rows.inside[own]) - rankdata(rows.fall[own])) / own.sum()
        for item, some in zip(rows.items[own].tolist(), gap.tolist(), strict=True):
            behind[item] = behind.get(item, 0.0) + some
    return [item for item in sorted(behind, key=lambda i: (-behind[i], i))[:SHOWN_CASES] if behind[item] > 0]
