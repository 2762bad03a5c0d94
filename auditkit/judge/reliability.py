"""The confidence in an answer held against how often such answers are right, band by band. Shown, never a gate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from auditkit.evidence import Estimate, Point
from auditkit.evidence import Stratum as EvidenceStratum
from auditkit.judge.calibration import BANDS, by_chance
from auditkit.judge.decisions import Decision, decisions
from auditkit.judge.draft import Draft
from auditkit.judge.means import without_probabilities
from auditkit.judge.rules import Rules, seed_for
from auditkit.measure.columns import ALL, Measurements
from auditkit.protocol.model import Family, Protocol
from auditkit.stats.calibration import expected_calibration_error, reliability
from auditkit.vocabulary import Effect
from auditkit.words import count, number

if TYPE_CHECKING:
    from numpy.typing import NDArray


def judge_reliability(
    decisions: Sequence[Decision], family: Family, data: Measurements, rules: Rules
) -> list[tuple[str, Draft]]:
    """Measure the expected calibration error over all items together, and what chance alone would give."""
    return [(decision.name, _draft(decision, family, data, rules.protocol)) for decision in decisions]


def reliability_points(effect: Effect, data: Measurements, protocol: Protocol) -> list[Point]:
    """Return one point per part and band of the confidence that holds answers: the share of them that is right."""
    by, level = protocol.families[effect.family].by, 1 - 2 * protocol.alpha
    found = []
    for decision in decisions([protocol.resolved(effect)], data, Rules(protocol)):
        sure, right, clusters = _known(decision, data)
        for band in reliability(sure, right, clusters, BANDS, protocol.alpha):
            seen = band.observed
            found.append(
                Point(
                    stratum=EvidenceStratum(column=by),
                    part=decision.part.label,
                    condition=f"{100 * band.low:g} to {100 * band.high:g} %",
                    n_images=seen.n,
                    n_clusters=seen.n_clusters,
                    score=Estimate(value=100 * band.mean_probability, unit="points"),
                    observed=Estimate(value=seen.estimate, low=seen.low, high=seen.high, level=level, unit="share"),
                )
            )
    return found


def _known(
    decision: Decision, data: Measurements
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Return confidence, whether right, and patient of every answer that has the first two."""
    sure, right = (data.value(value) for _, value in decision.part.terms)
    known = decision.where & np.isfinite(sure) & np.isfinite(right)
    return sure[known], right[known], data.cluster[known]


def _draft(decision: Decision, family: Family, data: Measurements, protocol: Protocol) -> Draft:
    sure, right, clusters = _known(decision, data)
    chance = by_chance(sure, seed_for(protocol.seed, "reliability"))
    outcomes, _ = decision.outcomes(data, np.ones(len(data.records), dtype=bool))
    remark = without_probabilities(decision)
    if chance is not None:
        left = outcomes.total - sure.size
        beyond = number(chance, "share", signed=False)
        remark = f"A perfectly calibrated model would exceed {beyond} one time in twenty."
        remark += f" {count(left, 'answer')} without a confidence left out." if left else ""
    return Draft(
        stratum=(family.by, ALL),
        part=decision.part.label,
        estimate=Estimate(value=expected_calibration_error(sure, right, BANDS), unit="share"),
        met=False,
        p_pass=1.0,
        p_fail=1.0,
        required=family.requires(decision.part.label),
        n_images=sure.size,
        n_clusters=int(np.unique(clusters).size),
        outcomes=outcomes,
        reference=chance,
        remark=remark,
        rule="expected calibration error over ten bands of the confidence",
    )
