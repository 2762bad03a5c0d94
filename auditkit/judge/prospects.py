"""How many patients an undecided question would likely take: today's estimate is taken for the truth.

A PASS is planned at the protocol's alpha, a FAIL at the level that Holm's correction asks of the smallest p-value of
the family. Patients who were not seen count at alpha in both, except where the bounded mean decides. Computed only for
cells that stay undecided, because it takes up to tens of milliseconds.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from auditkit.stats.auroc import Auroc
from auditkit.stats.equivalence import UNION, Interval
from auditkit.stats.planning import clusters_to_settle
from auditkit.stats.planning_areas import clusters_to_settle_auroc

POWER = 0.9


@dataclass(frozen=True, slots=True)
class Prospect:
    """One condition for a PASS: where its estimate points, and the clusters that would show it.

    Attributes
    ----------
    fails : bool
        The estimate lies beyond the limit.
    clusters : int or None
        In total, those at hand included; None when no number can be promised.
    """

    fails: bool
    clusters: int | None


def of_mean(
    found: Interval,
    limits: tuple[float, float],
    ends: tuple[float, float],
    alphas: tuple[float, float],
    informative: int,
) -> Prospect:
    """Return the prospect of an interval of a mean; ``alphas`` are the levels of a PASS and of a FAIL."""
    low, high = limits
    n, value = found.n_clusters, found.estimate
    if n < 2 or not (math.isfinite(value) and math.isfinite(found.se)):
        return Prospect(False, None)
    fails = not low < value < high
    usual = found.rule == UNION
    unseen_alpha = alphas[0] if usual else alphas[fails]
    clusters = clusters_to_settle(
        found.se * math.sqrt(n), low, high, value, alphas[fails], POWER, ends=ends, unseen_alpha=unseen_alpha
    )
    if clusters is None or not usual:
        return Prospect(fails, clusters)
    # Below `informative` patients the sparse rule decides, which takes more than these to fail.
    return Prospect(fails, max(clusters, informative))


def of_area(found: Auroc, floor: float, alphas: tuple[float, float]) -> Prospect:
    """Return the prospect of an AUROC against its floor."""
    fails = not found.estimate > floor
    unseen_alpha = alphas[0] if found.spread > 0 else alphas[fails]
    clusters = clusters_to_settle_auroc(
        found.estimate, found.spread, found.n_clusters, floor, alphas[fails], POWER, unseen_alpha=unseen_alpha
    )
    return Prospect(fails, clusters)


def together(prospects: Sequence[Prospect]) -> int | None:
    """Return the clusters that settle a question with several conditions: one that fails, or all that pass."""
    failing = [p.clusters for p in prospects if p.fails and p.clusters is not None]
    if any(p.fails for p in prospects):
        return min(failing, default=None)
    passing = [p.clusters for p in prospects]
    return None if not passing or None in passing else max(c for c in passing if c is not None)
