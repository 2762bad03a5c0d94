"""The tail beside a mean: a mean near zero must not hide patients whose score jumps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from auditkit.evidence import Estimate
from auditkit.judge.decisions import Decision
from auditkit.judge.draft import Draft
from auditkit.judge.prospects import of_share
from auditkit.judge.rules import Rules
from auditkit.measure.columns import Measurements
from auditkit.protocol.model import Tail
from auditkit.stats.proportion import Proportion
from auditkit.stats.tail import tail_share
from auditkit.words import number

if TYPE_CHECKING:
    from numpy.typing import NDArray


def add_tail(draft: Draft, decision: Decision, tail: Tail, data: Measurements, rules: Rules) -> None:
    """Add the second condition to a draft of the mean.

    For a PASS a missing score counts as a jump; for a FAIL only jumps that were seen count.
    """
    mask = data.where(draft.stratum) & decision.items.asked
    if not mask.any():
        return
    values, clusters = decision.items.values[mask], data.clusters(mask)
    alpha = rules.alpha(draft.stratum)
    seen = np.abs(values) > tail.beyond
    worst = _share_of_patients(seen | ~np.isfinite(values), clusters, tail, alpha)
    certain = _share_of_patients(seen, clusters, tail, alpha)
    draft.tail = Estimate(value=worst.estimate, low=certain.low, high=worst.high, level=1 - 2 * alpha, unit="share")
    if draft.met and worst.decision != "inside":
        draft.met = False
        draft.obstacle = (
            f"the share of patients with a change above {tail.beyond:g} {decision.unit} may be as large as "
            f"{number(worst.high, 'share')} (allowed {number(tail.share, 'share')})"
        )
    if certain.decision == "beyond":
        draft.shortfall = (
            f"{number(certain.estimate, 'share')} of the patients change by more than {tail.beyond:g} {decision.unit} "
            f"(allowed {number(tail.share, 'share')})"
        )
    draft.p_pass = max(draft.p_pass, 1.0 if worst.p_pass is None else worst.p_pass)
    mean_only = draft.settle

    def settle(fail_alpha: float) -> int | None:
        alphas = (rules.protocol.alpha, fail_alpha / 2)
        seen_only = of_share(certain, tail.share, alphas)
        if seen_only.fails:
            return seen_only.clusters
        prospect = of_share(worst, tail.share, alphas)
        mean = mean_only(fail_alpha / 2) if mean_only is not None else None
        if prospect.fails or prospect.clusters is None or mean is None:
            return None  # missing scores count as jumps against a PASS, but make no FAIL
        return max(mean, prospect.clusters)

    draft.settle = settle
    # Two ways to fail: Bonferroni over the mean and the tail.
    draft.p_fail = min(1.0, 2 * min(draft.p_fail, 1.0 if certain.p_fail is None else certain.p_fail))


def _share_of_patients(jumps: NDArray[np.bool_], clusters: NDArray[np.int64], tail: Tail, alpha: float) -> Proportion:
    return tail_share(np.bincount(clusters, weights=jumps) > 0, tail.share, alpha)
