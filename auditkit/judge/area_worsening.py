"""Two versions of a model: an area under the ROC curve must not have become smaller by more than a margin."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from auditkit.evidence import Estimate
from auditkit.judge.decisions import Decision, other_role
from auditkit.judge.draft import Draft
from auditkit.judge.prospects import POWER
from auditkit.judge.rules import Rules
from auditkit.judge.worsening import HANGS_ON_MISSING, HARMLESS, finish, margin_of
from auditkit.measure.columns import ALL, MODALITY, Measurements, Stratum
from auditkit.measure.effects import of_role
from auditkit.protocol.model import Family
from auditkit.stats.auroc_difference import AurocDifference, auroc_difference, auroc_difference_test
from auditkit.stats.planning import clusters_to_settle
from auditkit.vocabulary import MODEL, Value

if TYPE_CHECKING:
    from numpy.typing import NDArray


def judge_area_worsening(
    decisions: Sequence[Decision], family: Family, data: Measurements, rules: Rules
) -> list[tuple[str, Draft]]:
    """Decide for every area whether it is smaller by more than the margin."""
    drafts = []
    for decision in decisions:
        for stratum in data.strata(family.by):
            drafts.append((decision.name, _area(decision, stratum, data, rules)))
    return drafts


def _area(decision: Decision, stratum: Stratum, data: Measurements, rules: Rules) -> Draft:
    alpha = rules.alpha(stratum)
    margin = margin_of(decision, rules, together=stratum[1] == ALL)
    mask = data.where(stratum) & decision.where
    clusters = data.clusters(mask)
    # Over all modalities items are compared within theirs.
    modalities = np.unique(data.level_of(MODALITY)[mask].astype(str), return_inverse=True)[1]
    new, old = (of_role(decision.part, role).terms for role in (MODEL, other_role(decision.part)))
    treated, clean = ((n, o) for (_, n), (_, o) in zip(new, old, strict=True))
    quantity = rules.protocol.catalogue.quantity(new[0][1])

    def judged(fill: tuple[float, float] | None) -> AurocDifference:
        sides = [
            _scores(pair, data, mask, None if fill is None else (fill[i], quantity.low + quantity.high - fill[i]))
            for i, pair in enumerate((clean, treated))
        ]
        (new_clean, old_clean), (new_treated, old_treated) = sides
        return auroc_difference((new_clean, new_treated), (old_clean, old_treated), clusters, alpha, modalities)

    result = judged(None)
    every = [result]
    numbers = [[data.value(value)[mask] for value in pair] for pair in (clean, treated)]
    p_fail = auroc_difference_test(result, margin)[1]
    p_harmless = p_fail
    if any((np.isnan(now) != np.isnan(before)).any() for now, before in numbers):
        every.append(judged((quantity.low, quantity.high)))  # a missing score counts as wrong now, and as right before
        harmless = judged((quantity.high, quantity.low))
        p_harmless = max(p_fail, auroc_difference_test(harmless, margin)[1])
    tests = [auroc_difference_test(one, margin) for one in every]
    inside = [p <= alpha and one.low > -margin for (p, _), one in zip(tests, every, strict=True)]
    obstacle = HANGS_ON_MISSING if inside[0] and not all(inside) else ""
    if p_fail <= alpha < p_harmless:
        obstacle = HARMLESS
    draft = Draft(
        stratum=stratum,
        part=decision.part.label,
        estimate=_area_estimate(result),
        met=all(inside),
        p_pass=max(p for p, _ in tests),
        p_fail=p_harmless,
        margin_low=-margin,
        obstacle=obstacle,
        n_images=int(np.logical_and.reduce([np.isfinite(side) for pair in numbers for side in pair]).sum()),
        n_clusters=result.n_clusters,
        worst_case=_area_estimate(every[1]) if len(every) > 1 else None,
        settle=lambda fail_alpha: _settle_area(every, margin, (rules.protocol.alpha, fail_alpha)),
        rule="paired AUROC difference, t and skewness",
        now=result.new,
        before=result.old,
    )
    return finish(draft, decision, mask, data)


def _scores(
    pair: tuple[Value, Value], data: Measurements, mask: NDArray[np.bool_], fill: tuple[float, float] | None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The values of both versions; where only one is missing, it is put at its end of ``fill`` (new, old)."""
    new, old = (data.value(value)[mask] for value in pair)
    if fill is None:
        return new, old
    asked = [data.column(value.question).outcomes[mask] >= 0 for value in pair]
    filled = np.where(np.isnan(new) & ~np.isnan(old) & asked[0], fill[0], new)
    return filled, np.where(np.isnan(old) & ~np.isnan(new) & asked[1], fill[1], old)


def _settle_area(every: Sequence[AurocDifference], margin: float, alphas: tuple[float, float]) -> int | None:
    def needed(result: AurocDifference, alpha: float) -> int | None:
        if not result.spread > 0:
            return None
        sd = result.spread * np.sqrt(result.n_clusters)
        # A patient counts twice in the pairs, so that unseen ones move a difference nearly twice as far.
        return clusters_to_settle(
            sd, -margin, np.inf, result.estimate, alpha, POWER, ends=(-2.0, 2.0), unseen_alpha=alphas[0]
        )

    if every[0].estimate < -margin:
        return needed(every[0], alphas[1])
    clusters = [needed(result, alphas[0]) if result.estimate > -margin else None for result in every]
    return None if None in clusters else max(c for c in clusters if c is not None)


def _area_estimate(result: AurocDifference) -> Estimate:
    return Estimate(value=result.estimate, low=result.low, high=result.high, level=result.level, unit="AUROC")
