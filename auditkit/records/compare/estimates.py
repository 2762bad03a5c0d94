"""From intervals to the record: what is said of one model, and of two."""

from __future__ import annotations

from auditkit.evidence import Estimate
from auditkit.evidence.comparison import Difference
from auditkit.records.compare.joint import Settings
from auditkit.stats.equivalence import Interval


def estimate_of(found: Interval, unit: str, settings: Settings, offset: float = 0.0) -> Estimate:
    """Return a mean with its joint interval; ``offset`` is what was taken off the values."""
    level = 1 - 2 * settings.alpha
    if not found.n_clusters:
        return Estimate(unit=unit, level=level)
    return Estimate(
        value=found.estimate + offset, low=found.low + offset, high=found.high + offset, level=level, unit=unit
    )


def direction_p(found: Interval) -> float:
    """Return the p-value of the direction seen, not corrected."""
    return min(found.p_pass, found.p_fail)


def told(first: str, second: str, estimate: Estimate, n: tuple[int, int], p: float, settings: Settings) -> Difference:
    """Return a difference of two models with what may be said of it; ``n`` is images and patients."""
    beyond = estimate.low is not None and estimate.high is not None and (estimate.low > 0 or estimate.high < 0)
    return Difference(
        first=first,
        second=second,
        estimate=estimate,
        n_images=n[0],
        n_clusters=n[1],
        p=p,
        apart=beyond and p <= settings.alpha and n[1] >= settings.min_clusters,
    )
