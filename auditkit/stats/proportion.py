"""The result that all functions about proportions return."""

from __future__ import annotations

from dataclasses import dataclass

from auditkit.stats.equivalence import Decision


@dataclass(frozen=True, slots=True)
class Proportion:
    """A proportion, or a difference of two proportions of the same images, with its interval.

    Attributes
    ----------
    estimate : float
        Share 0-1 (a difference: -1 to 1); NaN without data.
    low, high : float
        Ends of the interval.
    level : float
        Confidence of the interval, 1 - 2 alpha.
    n_events, n : int
        Events among n units (clusters for `tail.tail_share`, images otherwise). For a difference: images that have the
        event only when treated.
    n_reversed : int
        For a difference: images that have the event only under control; else 0.
    n_clusters : int
        Independent units.
    design_effect : float
        Variance relative to that of independent images; 1 when there is one image per cluster.
    rule : str
        The method.
    p_pass, p_fail : float or None
        P-values of "below the cap" and "above the cap", when a cap was given.
    decision : {"inside", "beyond", "open"} or None
        Interval below the cap, above it, or neither, when a cap was given.
    """

    estimate: float
    low: float
    high: float
    level: float
    n_events: int
    n: int
    n_clusters: int
    design_effect: float
    rule: str
    n_reversed: int = 0
    p_pass: float | None = None
    p_fail: float | None = None
    decision: Decision | None = None


def decide(low: float, high: float, cap: float) -> Decision:
    """Return where an interval lies with respect to a cap."""
    return "inside" if high < cap else "beyond" if low > cap else "open"
