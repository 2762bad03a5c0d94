"""Has a mean become worse from one version of a model to the next? What is harmless does not count as worse."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from auditkit.stats.bootstrap import Seed
from auditkit.stats.equivalence import EMPTY, Decision, Interval, equivalence

Harm = Literal["upwards", "above zero", "away from zero"]

ROUTES: dict[Harm, dict[int, float]] = {
    "upwards": {1: 1.0},
    "above zero": {1: 0.2, 0: 0.8},
    "away from zero": {1: 0.15, 0: 0.8, -1: 0.05},
}
"""By what is harmful, the multiples w of the old mean that are taken off the new one, and their parts of alpha."""


@dataclass(frozen=True, slots=True)
class Route:
    """One way to show that a mean is not worse on one side: new - w old lies below the margin.

    Attributes
    ----------
    old : int
        w: how often the old mean is taken off.
    part : float
        Of alpha, 0-1.
    passing : Interval
        At this part of alpha; on the lower side of zero both means are turned round.
    ends : (float, float)
        The least and the most that new - w old can be.
    """

    old: int
    part: float
    passing: Interval
    ends: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Worsening:
    """How much worse a mean became, and what that says about the margin.

    Attributes
    ----------
    estimate : float
        New harm minus old harm in the unit of the input; below 0 is better. NaN without data.
    low, high : float
        Ends of the interval: each errs with probability alpha at most.
    level : float
        1 - 2 alpha.
    sd : float
        Standard deviation between clusters of new minus old; NaN with fewer than two.
    n_clusters : int
        Clusters with a value from both versions.
    p_pass, p_fail : float
        P-values of "worse by less than the margin" and of "worse by more".
    decision : {"inside", "beyond", "open"}
        ``high`` below the margin, ``low`` above it, or neither. "inside" goes with ``p_pass <= alpha``, "beyond" with
        ``p_fail <= alpha``.
    rule : str
        How the interval of the deciding route was had.
    sides : tuple of tuple of Route
        The routes on each harmful side; a pass takes one on every side.
    p_sides : tuple of float
        P-value of "worse by more" on each harmful side; the smallest is ``p_fail``.
    """

    estimate: float
    low: float
    high: float
    level: float
    sd: float
    n_clusters: int
    p_pass: float
    p_fail: float
    decision: Decision
    rule: str
    sides: tuple[tuple[Route, ...], ...]
    p_sides: tuple[float, ...] = ()


def worsening(
    moves: Mapping[int, ArrayLike],
    harm: Harm,
    margin: float,
    *,
    alpha: float,
    seed: Seed,
    resamples: int = 10_000,
    ends: tuple[float, float] = (-100.0, 100.0),
    min_informative: int = 10,
) -> list[Worsening]:
    """Decide for each effect whether it is worse in the new version by less than a margin.

    Parameters
    ----------
    moves : mapping of int to array_like, shape (G, C)
        For every w of ``ROUTES[harm]`` the cluster means of new - w old, one column per effect, NaN = missing.
    harm : {"upwards", "above zero", "away from zero"}
        What of a mean m is harmful: m itself, max(m, 0), or |m|.
    margin : float
        Largest increase of the harm to be accepted, above 0, in the unit of ``moves``.
    alpha : float
        Error per side, 0 < alpha < 0.5.
    seed, resamples, min_informative
        As in `equivalence.equivalence`.
    ends : (float, float)
        The least and the most that the effect of one version can be: 0 and 1 for a share.

    Returns
    -------
    list of Worsening
        One per column.

    Raises
    ------
    ValueError
        A route that is missing, a margin that is not positive, and what `equivalence` refuses.

    Notes
    -----
    Let n and o be the means and h the harm. "Worse by the margin d or more" is n >= h(o) + d, or, away from zero, also
    -n >= h(o) + d. Since h(o) >= w o for every w between the ends of the routes, it implies n - w o >= d for each of
    them: excluding one of these by a one-sided test excludes it. The tests share alpha (Bonferroni), so the claim errs
    with probability alpha at most, and of the two sides of zero each must be excluded (intersection-union [1]_). With
    w = 1 alone a mean that returns from -8 to 0 would count as moved by 8; with the better of w = 1 and w = -1, each at
    alpha, two versions without any effect before would pass at the margin with probability .10.

    The parts of alpha are unequal on purpose. A change of the change has twice the range of a change, and words move
    few scores: on the demonstration's images 65 to 96 % of the differences between two models' effects are 0. Where
    fewer than 10 patients say anything the bounded mean decides, and there w = 0 is by far the sharpest: without any
    change 32 patients bound it at 9.6 points, and w = 1 at 27 (21 if it had half of alpha).

    "Worse by more" takes n - w o > d for the largest and the smallest w, each at alpha: together they are
    n > h(o) + d.

    References
    ----------
    .. [1] Berger, R. L. (1982). Multiparameter hypothesis testing and acceptance sampling. Technometrics 24, 295-300.
    """
    if not 0 < margin < np.inf:
        raise ValueError(f"margin is the largest worsening to be accepted, above 0; got {margin:g}")
    routes = ROUTES[harm]
    absent = [w for w in routes if w not in moves]
    if absent:
        raise ValueError(f"{harm} needs new - w old for w in {list(routes)}; missing: {absent}")
    signs = (1, -1) if harm == "away from zero" else (1,)
    extremes = (max(routes), min(routes))
    means = {w: np.asarray(moves[w], dtype=np.float64) for w in routes}
    spans = {(w, sign): _span(ends, w, sign) for w in routes for sign in signs}
    C = means[1].shape[1]

    def intervals(w: int, level: float) -> list[list[Interval]]:
        """Return one list of intervals per side."""
        middles = [sum(spans[w, sign]) / 2 for sign in signs]
        found = equivalence(
            np.concatenate([sign * means[w] - middle for sign, middle in zip(signs, middles, strict=True)], axis=1),
            -np.inf,
            np.repeat([margin - middle for middle in middles], C),
            alpha=level,
            seed=seed,
            resamples=resamples,
            value_range=(ends[1] - ends[0]) * (1 + abs(w)) / 2,
            min_informative=min_informative,
        )
        return [[_moved(one, middle) for one in found[s * C : (s + 1) * C]] for s, middle in enumerate(middles)]

    passing = {w: intervals(w, alpha * part) for w, part in routes.items()}
    failing = {w: passing[w] if routes[w] == 1.0 else intervals(w, alpha) for w in extremes}
    results = []
    for c in range(C):
        sides = tuple(
            tuple(Route(w, part, passing[w][s][c], spans[w, sign]) for w, part in routes.items())
            for s, sign in enumerate(signs)
        )
        against = [[failing[w][s][c] for w in extremes] for s in range(len(signs))]
        joined = _joined(sides, against, 1 - 2 * alpha)
        results.append(_floored(joined) if harm == "above zero" else joined)
    return results


def _joined(sides: tuple[tuple[Route, ...], ...], against: list[list[Interval]], level: float) -> Worsening:
    """Join the routes: the best of each side, and of the sides the worst."""
    change = next(route.passing for route in sides[0] if route.old == 1)
    n = change.n_clusters
    if n == 0:
        return Worsening(np.nan, -np.inf, np.inf, level, np.nan, 0, 1.0, 1.0, "open", EMPTY, sides, (1.0,) * len(sides))
    deciding = max((min(side, key=lambda r: r.passing.high) for side in sides), key=lambda r: r.passing.high)
    inside = all(any(r.passing.decision == "inside" for r in side) for side in sides)
    beyond = any(all(interval.decision == "beyond" for interval in some) for some in against)
    p_pass = max(min(min(1.0, r.passing.p_pass / r.part) for r in side) for side in sides)
    p_sides = tuple(max(interval.p_fail for interval in some) for some in against)
    return Worsening(
        estimate=max(min(interval.estimate for interval in some) for some in against),
        low=max(min(interval.low for interval in some) for some in against),
        high=deciding.passing.high,
        level=level,
        sd=float(change.se * np.sqrt(n)),
        n_clusters=n,
        p_pass=p_pass,
        p_fail=min(p_sides),
        decision="inside" if inside else "beyond" if beyond else "open",
        rule=deciding.passing.rule,
        sides=sides,
        p_sides=p_sides,
    )


def _span(ends: tuple[float, float], w: int, sign: int) -> tuple[float, float]:
    """Return the least and the most of sign * (new - w old), both between the ends."""
    corners = [sign * (new - w * old) for new in ends for old in ends]
    return min(corners), max(corners)


def _moved(interval: Interval, by: float) -> Interval:
    """Return an interval about values that were counted from ``by``."""
    return replace(interval, estimate=interval.estimate + by, low=interval.low + by, high=interval.high + by)


def _floored(found: Worsening) -> Worsening:
    """Count a new mean below zero as no harm: the joined routes say how far it lies below what was harmful before."""
    at = {route.old: route.passing.estimate for route in found.sides[0]}
    harmless = min(0.0, at[1] - at[0])  # minus the harm of the old mean
    return replace(found, estimate=max(found.estimate, harmless), high=max(found.high, 0.0))
