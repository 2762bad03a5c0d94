"""Areas under the ROC curve against a floor: does the value tell items as they are from treated ones?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from auditkit.evidence import Estimate, Expected
from auditkit.judge.decisions import Decision, strata
from auditkit.judge.draft import Draft
from auditkit.judge.expected import expected_record
from auditkit.judge.prospects import of_area, together
from auditkit.judge.rules import Rules
from auditkit.judge.sentences import say_too_few
from auditkit.measure.columns import ALL, Column, Measurements, Stratum
from auditkit.protocol.model import Family
from auditkit.stats.auroc import Auroc, auroc, auroc_test
from auditkit.stats.unseen import least_clusters, seen_share
from auditkit.words import number

if TYPE_CHECKING:
    from numpy.typing import NDArray


def judge_areas(
    decisions: Sequence[Decision], family: Family, data: Measurements, rules: Rules
) -> list[tuple[str, Draft]]:
    """Decide every area; over all modalities together it compares items across them and is only shown."""
    return [
        (decision.name, _draft(decision, stratum, floor, family, data, rules))
        for stratum, (floor, _) in strata(data, family)
        for decision in decisions
    ]


def _draft(
    decision: Decision, stratum: Stratum, floor: float, family: Family, data: Measurements, rules: Rules
) -> Draft:
    (_, first), (_, second) = decision.part.terms
    quantity = rules.protocol.catalogue.quantity(first)
    treated, clean = data.column(first.question), data.column(second.question)
    mask, alpha = data.where(stratum) & decision.where, rules.alpha(stratum)
    clusters = data.clusters(mask)
    x, y = data.value(second)[mask], data.value(first)[mask]
    asked_x, asked_y = clean.outcomes[mask] >= 0, treated.outcomes[mask] >= 0
    result = auroc(x, y, clusters, clusters, alpha)
    floor = floor if np.isfinite(floor) else 0.5
    p_pass, p_fail = auroc_test(result, floor)
    met = result.low > floor and p_pass <= alpha
    obstacle, worst = "", None
    if (asked_x & np.isnan(x)).any() or (asked_y & np.isnan(y)).any():
        worst, best = (
            _filled((x, y), (asked_x, asked_y), clusters, alpha, ends)
            for ends in ((quantity.low, quantity.high), (quantity.high, quantity.low))
        )
        p_pass = max(p_pass, auroc_test(worst, floor)[0])
        p_harmless = max(p_fail, auroc_test(best, floor)[1])
        if met and worst.low <= floor:
            met, obstacle = False, "with the missing scores counted as wrong the floor is no longer met"
        elif p_fail <= alpha < p_harmless:
            obstacle = "with the missing scores counted as right it is not shown to be broken"
        p_fail = p_harmless

    def settle(fail_alpha: float) -> int | None:
        every = [of_area(area, floor, (rules.protocol.alpha, fail_alpha)) for area in areas]
        if not every[0].fails and every[-1].fails:
            return None  # the missing scores alone keep it open
        return together(every[:1] if every[0].fails else every)

    areas = [result] if worst is None else [result, worst]
    outcomes, control_outcomes = decision.outcomes(data, mask)
    draft = Draft(
        stratum=stratum,
        part=decision.part.label,
        estimate=area_estimate(result),
        met=met,
        p_pass=p_pass,
        p_fail=p_fail,
        margin_low=floor,
        required=family.requires(decision.part.label) and stratum[1] != ALL,
        obstacle=obstacle,
        expected=_expected(clean, treated, mask, clusters, alpha) if not first.name else None,
        n_images=_both(x, y),
        n_clusters=result.n_clusters,
        outcomes=outcomes,
        control_outcomes=control_outcomes,
        worst_case=area_estimate(worst) if worst is not None else None,
        settle=settle,
        rule="clustered AUROC, logit t and skewness",
    )
    if not obstacle:
        _check_number(draft, result, floor, alpha)
    return draft


def _expected(
    clean: Column, treated: Column, mask: NDArray[np.bool_], clusters: NDArray[np.int64], alpha: float
) -> Expected | None:
    """Return the area between expected scores; None without log-probabilities."""
    x, y = clean.expected[mask], treated.expected[mask]
    n = _both(x, y)
    if not n:
        return None
    result = auroc(x, y, clusters, clusters, alpha)
    return expected_record(area_estimate(result), [treated], [clean], mask, (n, result.n_clusters))


def _both(x: NDArray[np.float64], y: NDArray[np.float64]) -> int:
    return int((np.isfinite(x) & np.isfinite(y)).sum())


def _filled(
    scores: tuple[NDArray[np.float64], NDArray[np.float64]],
    asked: tuple[NDArray[np.bool_], NDArray[np.bool_]],
    clusters: NDArray[np.int64],
    alpha: float,
    ends: tuple[float, float],
) -> Auroc:
    """The area with missing scores of clean and of treated items put at these ends of the scale."""
    x, y = (
        np.where(was_asked & np.isnan(values), end, values)
        for values, was_asked, end in zip(scores, asked, ends, strict=True)
    )
    return auroc(x, y, clusters, clusters, alpha)


def _check_number(draft: Draft, result: Auroc, floor: float, alpha: float) -> None:
    """Say so where patients who were not seen alone keep an area above its floor from passing."""
    n, area = result.n_clusters, result.estimate
    if n == 0 or not area > floor or area * float(seen_share(alpha, n)) ** 2 > floor:
        return
    away = f"an area {number(area - floor, 'AUROC', signed=False)} above its floor"
    say_too_few(draft, alpha, away, least_clusters(area - floor, area, alpha, power=2))


def area_estimate(result: Auroc) -> Estimate:
    """Return an area with its interval."""
    return Estimate(value=result.estimate, low=result.low, high=result.high, level=result.level, unit="AUROC")
