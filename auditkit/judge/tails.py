"""The tail beside a mean: a mean near zero must not hide patients whose score jumps, more than it does by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from auditkit.evidence import Estimate
from auditkit.judge.decisions import Decision
from auditkit.judge.draft import Draft
from auditkit.judge.prospects import of_mean
from auditkit.judge.rules import Rules
from auditkit.measure.columns import Measurements
from auditkit.measure.excess import Excess
from auditkit.protocol.model import Tail
from auditkit.stats.equivalence import Interval
from auditkit.stats.reduce import cluster_means
from auditkit.stats.tail import ENDS, excess_of_jumps
from auditkit.words import number

if TYPE_CHECKING:
    from numpy.typing import NDArray

MEAN_PART, TAIL_PART = 0.25, 0.75
"""Parts of the error of a FAIL: a shifted mean is seen easily, a few patients who jump are not."""


def add_tail(draft: Draft, decision: Decision, jumps: Excess, tail: Tail, data: Measurements, rules: Rules) -> None:
    """Add the second condition to a draft of the mean.

    For a PASS a missing score counts as a jump; for a FAIL only jumps that were seen count.
    """
    mask = data.where(draft.stratum) & decision.items.asked
    if not mask.any():
        return
    alpha, clusters = rules.alpha(draft.stratum), data.clusters(mask)
    certain, worst = (_interval(values[mask], clusters, tail, alpha) for values in (jumps.certain, jumps.worst))
    what = f"by more than {tail.beyond:g} {decision.unit}"
    draft.tail = Estimate(value=certain.estimate, low=certain.low, high=worst.high, level=1 - 2 * alpha, unit="share")
    if draft.met and worst.decision != "inside":
        draft.met = False
        draft.obstacle = (
            f"the share of answers that jump {what}, beyond the model's own noise, may be as large as "
            f"{number(worst.high, 'share')} (allowed {number(tail.share, 'share')})"
        )
    if certain.decision == "beyond":
        draft.shortfall = (
            f"{number(certain.estimate, 'share')} more of a patient's answers jump {what} than do by the model's own "
            f"noise (allowed {number(tail.share, 'share')})"
        )
    draft.p_pass = max(draft.p_pass, worst.p_pass)
    draft.p_fail = min(1.0, draft.p_fail / MEAN_PART, certain.p_fail / TAIL_PART)
    mean_only = draft.settle

    def settle(fail_alpha: float) -> int | None:
        alphas = (rules.protocol.alpha, fail_alpha * TAIL_PART)
        seen_only, prospect = (of_mean(one, (-1.0, tail.share), ENDS, alphas, 2) for one in (certain, worst))
        if seen_only.fails:
            return seen_only.clusters
        mean = mean_only(fail_alpha * MEAN_PART) if mean_only is not None else None
        if prospect.fails or prospect.clusters is None or mean is None:
            return None  # missing scores count as jumps against a PASS, but make no FAIL
        return max(mean, prospect.clusters)

    draft.settle = settle


def _interval(values: NDArray[np.float64], clusters: NDArray[np.int64], tail: Tail, alpha: float) -> Interval:
    return excess_of_jumps(cluster_means(values[:, None], clusters)[:, 0], tail.share, alpha)
