"""How much of what the answers vary by is the wording of the question: shown, never a gate."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from auditkit.evidence import Estimate
from auditkit.judge.decisions import Decision, strata
from auditkit.judge.draft import Draft
from auditkit.judge.rules import Rules
from auditkit.measure.columns import Measurements, Stratum
from auditkit.protocol.model import Family
from auditkit.stats.components import Components, components
from auditkit.stats.unseen import one_in
from auditkit.words import count, interval, number

FEW = 60
"""With fewer patients the interval is too short where few of them do what the others do not (docs/validation.md)."""


def judge_wording_shares(
    decisions: Sequence[Decision], family: Family, data: Measurements, rules: Rules
) -> list[tuple[str, Draft]]:
    """Measure the share of the wording for every decision, whose terms are the wordings."""
    return [
        (decision.name, _draft(decision, stratum, family, data, rules))
        for stratum, _ in strata(data, family)
        for decision in decisions
    ]


def _draft(decision: Decision, stratum: Stratum, family: Family, data: Measurements, rules: Rules) -> Draft:
    values = [value for _, value in decision.part.terms]
    asked = np.stack([data.column(value.question).outcomes >= 0 for value in values]).all(axis=0)
    mask = data.where(stratum) & decision.where & asked
    table = np.stack([data.value(value)[mask] for value in values], axis=1)
    found = components(table, data.clusters(mask), alpha=rules.protocol.alpha)
    outcomes, control_outcomes = decision.outcomes(data, mask)
    share = found.wording
    return Draft(
        stratum=stratum,
        part=decision.part.label,
        estimate=Estimate(value=share.estimate, low=share.low, high=share.high, level=found.level, unit=decision.unit),
        met=False,
        p_pass=1.0,
        p_fail=1.0,
        required=family.requires(decision.part.label),
        n_images=found.n_items,
        n_clusters=found.n_clusters,
        outcomes=outcomes,
        control_outcomes=control_outcomes,
        remark=_remark(found, rules.protocol.alpha),
        rule=found.rule,
    )


def _remark(found: Components, alpha: float) -> str:
    said = []
    if np.isfinite(found.image):
        other = found.interaction
        beside = Estimate(value=other.estimate, low=other.low, high=other.high, level=found.level, unit="share")
        said.append(
            f"A wording that does in one image what it does not in another, noise included: {interval(beside)}; the "
            f"images themselves: {number(found.image, 'share')}."
        )
    if 1 < found.n_clusters < FEW:
        said.append(f"One in {one_in(alpha, found.n_clusters)} of all patients could be quite unlike these.")
    if found.reason:
        said.append(f"{found.reason[:1].upper()}{found.reason[1:]}.")
    if found.n_left_out:
        said.append(f"{count(found.n_left_out, 'image')} left out: a wording got no score.")
    return " ".join(said)
