"""Areas under the ROC curve between classes: does the chance of an answer tell its items from the others?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from auditkit.evidence import Estimate
from auditkit.images.item import UNKNOWN
from auditkit.judge.areas import area_estimate
from auditkit.judge.decisions import Decision, strata
from auditkit.judge.draft import Draft
from auditkit.judge.means import NOT_GIVEN
from auditkit.judge.probabilities import NOT_USED
from auditkit.judge.rules import Rules
from auditkit.measure.columns import Measurements, Stratum
from auditkit.protocol.model import Family
from auditkit.stats.auroc import auroc
from auditkit.tasks import CHANCE

if TYPE_CHECKING:
    from numpy.typing import NDArray


def judge_separations(
    decisions: Sequence[Decision], family: Family, data: Measurements, rules: Rules
) -> list[tuple[str, Draft]]:
    """Measure every area over the items with probabilities; nothing is put in the place of one that is missing."""
    return [
        (decision.name, _draft(decision, stratum, family, data, rules))
        for stratum, _ in strata(data, family)
        for decision in decisions
    ]


def _draft(decision: Decision, stratum: Stratum, family: Family, data: Measurements, rules: Rules) -> Draft:
    [(_, value)] = decision.part.terms
    mask = data.where(stratum) & decision.where
    chances, level = data.value(value), data.level_of(decision.part.balanced)
    known = mask & np.isfinite(chances)
    inside = known & (level == value.name.removeprefix(CHANCE))
    others = known & ~inside & (level != UNKNOWN)
    result = auroc(chances[inside], chances[others], data.cluster[inside], data.cluster[others], rules.alpha(stratum))
    outcomes, control_outcomes = decision.outcomes(data, mask)
    there = np.isfinite(result.estimate)
    return Draft(
        stratum=stratum,
        part=decision.part.label,
        estimate=area_estimate(result) if there else Estimate(unit=decision.unit),
        met=False,
        p_pass=1.0,
        p_fail=1.0,
        required=family.requires(decision.part.label),
        n_images=int((inside | others).sum()),
        n_clusters=result.n_clusters,
        outcomes=outcomes,
        control_outcomes=control_outcomes,
        remark=_remark(decision, mask, inside, others),
        rule="clustered AUROC, logit t and skewness",
    )


def _remark(decision: Decision, asked: NDArray[np.bool_], inside: NDArray[np.bool_], others: NDArray[np.bool_]) -> str:
    """Say how many items of the class are compared with how many others, or why none is."""
    n, m = int(inside.sum()), int(others.sum())
    if n and m:
        missing = int(asked.sum()) - n - m
        left = f"; {missing} without usable probabilities are left out" if missing else ""
        return f"{n} of the class against {m} others{left}."
    if n or m:
        return "All are of one side, so there is nothing to compare."
    given = any(column.gave_probabilities for column in decision.columns)
    return NOT_USED if given else NOT_GIVEN
