"""Two ratings of the same items against a floor: quadratic weighted kappa."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from auditkit.evidence import Estimate
from auditkit.judge.decisions import Decision, strata
from auditkit.judge.draft import SHOWN_CASES, Draft
from auditkit.judge.filled import HANGS_ON_MISSING, HARMLESS
from auditkit.judge.rules import Rules
from auditkit.measure.columns import ALL, Measurements, Stratum
from auditkit.protocol.model import Family
from auditkit.stats.agreement import Agreement, agreement

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SHOWN_AT = 0.0  # what is only shown has no floor; the interval does not depend on it
_SAME = "more patients who all get one grade would not change that"


def judge_agreements(
    decisions: Sequence[Decision], family: Family, data: Measurements, rules: Rules
) -> list[tuple[str, Draft]]:
    """Decide every agreement; over all modalities together it compares items across them and is only shown."""
    return [
        (decision.name, _draft(decision, stratum, floor, family, data, rules))
        for stratum, (floor, _) in strata(data, family)
        for decision in decisions
    ]


def _draft(
    decision: Decision, stratum: Stratum, floor: float, family: Family, data: Measurements, rules: Rules
) -> Draft:
    (_, first), (_, second) = decision.part.terms
    quantity, alpha = rules.protocol.catalogue.quantity(first), rules.alpha(stratum)
    asked = [data.column(value.question).outcomes >= 0 for value in (first, second)]
    mask = data.where(stratum) & decision.where & asked[0] & asked[1]
    ratings = data.value(first)[mask], data.value(second)[mask]
    clusters = data.clusters(mask)
    floor = floor if np.isfinite(floor) else _SHOWN_AT

    def judged(pair: tuple[NDArray[np.float64], NDArray[np.float64]]) -> Agreement:
        return agreement(
            *pair,
            clusters,
            floor,
            ends=(quantity.low, quantity.high),
            alpha=alpha,
            seed=rules.seed(stratum),
            resamples=rules.statistics.resamples,
            min_informative=rules.statistics.min_informative,
        )

    result = judged(ratings)
    every, p_fail, obstacle = [result], result.p_below, result.reason
    if np.isnan(ratings).any() and family.verb:
        worst, best = (judged(_filled(ratings, (quantity.low, quantity.high), apart=apart)) for apart in (True, False))
        every.append(worst)
        p_fail = max(p_fail, best.p_below)
        if result.p_above <= alpha < worst.p_above:
            obstacle = HANGS_ON_MISSING
        elif result.p_below <= alpha < p_fail:
            obstacle = HARMLESS
    outcomes, control_outcomes = decision.outcomes(data, mask)
    return Draft(
        stratum=stratum,
        part=decision.part.label,
        estimate=_estimate(result, decision.unit),
        met=all(one.p_above <= alpha for one in every),
        p_pass=max(one.p_above for one in every),
        p_fail=p_fail,
        margin_low=floor,
        required=family.requires(decision.part.label) and stratum[1] != ALL,
        obstacle=obstacle,
        remedy=_SAME if result.reason else "",
        n_images=int(np.isfinite(ratings).all(axis=0).sum()),
        n_clusters=result.n_clusters,
        outcomes=outcomes,
        control_outcomes=control_outcomes,
        worst_case=_estimate(every[1], decision.unit) if len(every) > 1 else None,
        rule=result.rule,
        remark=f"{result.reason[:1].upper()}{result.reason[1:]}." if result.reason else "",
        worst_cases=decision.cases(_furthest(ratings, mask)),
    )


def _filled(
    ratings: tuple[NDArray[np.float64], NDArray[np.float64]], ends: tuple[float, float], *, apart: bool
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Put a missing rating as far from the other as it can be, or where the other is; of two, the ends or one end."""
    first, second = ratings
    known = np.where(np.isnan(first), second, first)
    if apart:
        missing = np.where(known - ends[0] > ends[1] - known, ends[0], ends[1])
        first, second = (np.where(np.isnan(rating), missing, rating) for rating in (first, second))
        neither = np.isnan(known)
        return np.where(neither, ends[0], first), np.where(neither, ends[1], second)
    # An agreement far from all others' grades speaks most for the two: the end further from their mean.
    middle = np.nanmean(known) if np.isfinite(known).any() else ends[0]
    known = np.where(np.isnan(known), ends[0] if middle - ends[0] > ends[1] - middle else ends[1], known)
    return np.where(np.isnan(first), known, first), np.where(np.isnan(second), known, second)


def _estimate(result: Agreement, unit: str) -> Estimate:
    return Estimate(value=result.estimate, low=result.low, high=result.high, level=result.level, unit=unit)


def _furthest(ratings: tuple[NDArray[np.float64], NDArray[np.float64]], mask: NDArray[np.bool_]) -> list[int]:
    """The items whose ratings lie furthest apart, those without both first."""
    indices = np.flatnonzero(mask)
    apart = np.abs(ratings[0] - ratings[1])
    badness = np.where(np.isfinite(apart), apart, np.inf)
    order = np.argsort(-badness, kind="stable")[:SHOWN_CASES]
    return [int(indices[i]) for i in order if badness[i] > 0]
