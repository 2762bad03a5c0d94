"""Means of what the probabilities of the choices give: shown beside what was written, never a gate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from auditkit.evidence import Estimate
from auditkit.judge.decisions import Decision, strata
from auditkit.judge.draft import Draft
from auditkit.judge.means import NOT_GIVEN
from auditkit.judge.points import mean_estimates, moved
from auditkit.judge.rules import Rules
from auditkit.measure.columns import ALL, Measurements, Stratum
from auditkit.protocol.model import Family, Protocol
from auditkit.words import number

if TYPE_CHECKING:
    from numpy.typing import NDArray

ENTROPY = "entropy"
NOT_USED = "The probabilities that the model gave could not be used, so nothing was measured."


def judge_probabilities(
    decisions: Sequence[Decision], family: Family, data: Measurements, rules: Rules
) -> list[tuple[str, Draft]]:
    """Measure every mean over the items that have a value; nothing is put in the place of one that is missing."""
    drafts, alone = [], len(data.levels(family.by)) == 1
    for decision in decisions:
        for stratum, _ in strata(data, family):
            mask = data.where(stratum) & np.isfinite(decision.items.values)
            if mask.any() or alone or stratum[1] == ALL:
                drafts.append((decision.name, _draft(decision, stratum, mask, family, data, rules)))
    return drafts


def _draft(
    decision: Decision,
    stratum: Stratum,
    known: NDArray[np.bool_],
    family: Family,
    data: Measurements,
    rules: Rules,
) -> Draft:
    outcomes, control_outcomes = decision.outcomes(data, data.where(stratum))
    most = _entropy_of_equals(decision, rules.protocol)
    return Draft(
        stratum=stratum,
        part=decision.part.label,
        estimate=_estimate(decision, known, data, rules, stratum) if known.any() else Estimate(unit=decision.unit),
        met=False,
        p_pass=1.0,
        p_fail=1.0,
        required=family.requires(decision.part.label),
        n_images=int(known.sum()),
        n_clusters=int(np.unique(data.cluster[known]).size),
        outcomes=outcomes,
        control_outcomes=control_outcomes,
        reference=most,
        remark=_remark(decision, known, most),
        rule="answers with usable probabilities",
    )


def _estimate(
    decision: Decision, known: NDArray[np.bool_], data: Measurements, rules: Rules, stratum: Stratum
) -> Estimate:
    values, clusters, protocol = decision.items.values[known], data.clusters(known), rules.protocol
    middle = (decision.items.least + decision.items.most) / 2
    reach = decision.items.most - middle
    [found] = mean_estimates((values - middle)[:, None], clusters, protocol, rules.seed(stratum), reach)
    return moved(found, middle).model_copy(update={"unit": decision.unit})


def _entropy_of_equals(decision: Decision, protocol: Protocol) -> float | None:
    """The entropy if all choices were equally likely, in bits; None of anything but an entropy."""
    if [(weight, value.name) for weight, value in decision.part.terms] != [(1.0, ENTROPY)]:
        return None
    return protocol.catalogue.quantity(decision.part.terms[0][1]).high


def _remark(decision: Decision, known: NDArray[np.bool_], most: float | None) -> str:
    if not known.any():
        given = any(column.gave_probabilities for column in decision.columns)
        return NOT_USED if given else NOT_GIVEN
    if most is None:
        return ""
    return f"Equally likely choices would have {number(most, 'bits', signed=False)} bits."
