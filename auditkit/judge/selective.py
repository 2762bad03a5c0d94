"""Right answers among the items that the model is most confident of, and the curve of risk against coverage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from auditkit.evidence import Estimate, Point
from auditkit.evidence import Stratum as EvidenceStratum
from auditkit.judge.decisions import Decision, decisions, strata
from auditkit.judge.draft import Draft
from auditkit.judge.means import judge_made, within, without_probabilities
from auditkit.judge.points import mean_estimates, moved
from auditkit.judge.rules import Rules
from auditkit.measure.columns import ALL, ERROR, NOT_ASKED, SCORED, Measurements
from auditkit.measure.effects import PerItem
from auditkit.protocol.model import Family, Protocol
from auditkit.stats.selective import SHARES, kept
from auditkit.tasks import CONFIDENCE, CORRECT
from auditkit.vocabulary import Effect, Part, Question

if TYPE_CHECKING:
    from numpy.typing import NDArray

RISK = "risk"
"""The statistic that takes the mean over all shares kept."""


def judge_kept(
    decisions: Sequence[Decision], family: Family, data: Measurements, rules: Rules
) -> list[tuple[str, Draft]]:
    """Decide every share of right answers kept, or how much smaller one is than another, as a mean over patients."""
    drafts = []
    for decision in decisions:
        ends = (-1.0 if len(_sides(decision.part)) > 1 else 0.0, 1.0)
        shares = SHARES if decision.effect.statistic == RISK else ()
        for stratum, limits in strata(data, family):
            made = replace(decision, items=kept_items(decision, data.where(stratum), data, shares))
            name, draft = judge_made(made, ends, stratum, limits, family, data, rules)
            draft.rule = f"most confident kept: {draft.rule}"
            draft.counted = _counted(decision)
            drafts.append((name, draft))
    return drafts


def kept_items(
    decision: Decision, mask: NDArray[np.bool_], data: Measurements, shares: Sequence[float] = ()
) -> PerItem:
    """Return one value per item of a stratum whose mean over patients is the number of a part.

    Where a model gave no probabilities nothing is known. An error is no answer: it is left missing, anywhere in the
    range.

    Parameters
    ----------
    decision : Decision
        Of a part with the confidence and the right answers of one or two questions.
    mask : ndarray of bool, shape (n,)
        The items of the stratum.
    data : Measurements
        The answers.
    shares : sequence of float
        Of these the mean is taken; by default the one that the part has.
    """
    n, sides = len(data.records), _sides(decision.part)
    columns = [data.column(question) for question in sides]
    inside = mask & decision.where & np.all([column.outcomes != NOT_ASKED for column in columns], axis=0)
    if without_probabilities(decision) or not inside.any():
        return replace(PerItem.none(n), most=1.0)
    known = inside & ~np.any([column.outcomes == ERROR for column in columns], axis=0)
    values, least, most = np.zeros(n), 0.0, 0.0
    for weight, column in zip(sides.values(), columns, strict=True):
        sure = column.value(CONFIDENCE.name)[known]
        right = np.where(column.outcomes == SCORED, np.nan_to_num(column.value(CORRECT.name)), 0.0)[known]
        each = shares or (abs(weight),)
        for share in each:
            made, factor = kept(sure, right, data.cluster[known], share), float(np.sign(weight)) / len(each)
            values[known] += factor * made.values
            low, high = sorted((factor * made.least, factor * made.most))
            least, most = least + low, most + high
    values[~known] = np.nan
    return PerItem(
        values=values,
        lowest=np.where(known, values, least),
        highest=np.where(known, values, most),
        asked=inside,
        expected=np.full(n, np.nan),
        known=known,
        least=least,
        most=most,
    )


def _sides(part: Part) -> dict[Question, float]:
    """Return of every question the share that is kept, below 0 where it is taken off."""
    return {value.question: weight for weight, value in part.terms if value.name == CONFIDENCE.name}


def _counted(decision: Decision) -> str:
    """Say what is right."""
    if decision.effect.statistic == RISK:
        return "right, as a mean over all shares kept"
    shares = {abs(weight) for weight in _sides(decision.part).values()}
    return f"right of the most confident {' or '.join(f'{100 * share:g} %' for share in sorted(shares))}"


def risk_points(effect: Effect, data: Measurements, protocol: Protocol) -> list[Point]:
    """Return the points of a curve: for every share kept the share of right answers, over all items together.

    The share kept stands as the point's score, in points of 100.
    """
    rules, by = Rules(protocol), protocol.families[effect.family].by
    found = decisions([protocol.resolved(effect)], data, rules)
    return [point for decision in found for share in SHARES for point in _points(decision, share, by, data, rules)]


def _points(decision: Decision, share: float, by: str, data: Measurements, rules: Rules) -> list[Point]:
    items = kept_items(decision, data.where((by, ALL)), data, (share,))
    known = np.isfinite(items.values)
    if not known.any():
        return []
    middle, reach = (items.least + items.most) / 2, (items.most - items.least) / 2
    values, clusters = (items.values[known] - middle)[:, None], data.cluster[known]
    [found] = mean_estimates(values, clusters, rules.protocol, rules.seed((by, ALL)), reach)
    observed = within(moved(found, middle), (0.0, 1.0)).model_copy(update={"unit": "share"})
    return [
        Point(
            stratum=EvidenceStratum(column=by),
            part=decision.part.label,
            condition=f"{100 * share:g} % kept",
            n_images=int(known.sum()),
            n_clusters=int(np.unique(clusters).size),
            score=Estimate(value=100 * share, unit="points"),
            observed=observed,
        )
    ]
