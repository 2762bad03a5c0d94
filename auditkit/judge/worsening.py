"""Two versions of a model: what an audit measures must not have become worse by more than a margin."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from auditkit.evidence import Estimate
from auditkit.judge.balanced import factors, scaled
from auditkit.judge.decisions import Decision, items_of, other_role
from auditkit.judge.draft import Draft
from auditkit.judge.prospects import of_mean
from auditkit.judge.rules import Rules
from auditkit.measure.columns import ALL, Column, Measurements, Stratum, total_outcomes
from auditkit.measure.effects import PerItem, of_role
from auditkit.protocol.model import Family, Protocol, Unit
from auditkit.stats.reduce import cluster_means
from auditkit.stats.versions import ROUTES, Harm, Worsening, worsening
from auditkit.vocabulary import MODEL, Effect, Part

if TYPE_CHECKING:
    from numpy.typing import NDArray

HANGS_ON_MISSING = "with the missing scores at the worst they can be the margin is no longer met"
HARMLESS = "with the missing answers at the most harmless they can be, it is not shown to be worse"
HARMS: dict[str, Harm] = {"within": "away from zero", "at_most": "above zero", "at_least": "upwards"}
"""By the verb of the limit, what of a mean is harmful; what must be at least something is turned round first."""


@dataclass(frozen=True, slots=True)
class Move:
    """One decision on two versions, with the effect in every item.

    Attributes
    ----------
    decision : Decision
        Of the difference; its terms have two roles.
    new, old : PerItem
        The effect in either version.
    sign : int
        -1 where more is better: then less of it is what became worse.
    """

    decision: Decision
    new: PerItem
    old: PerItem
    sign: int

    @property
    def counted(self) -> NDArray[np.bool_]:
        """Items that say something: asked of both versions, and not left without any score by both."""
        return self.decision.items.asked & self.decision.items.known

    @property
    def unit(self) -> Unit:
        """Which margin of ``[baseline]`` applies."""
        return unit_key(self.decision.unit, self.decision.effect.per)

    @property
    def ends(self) -> tuple[float, float]:
        """The least and the most that the effect of one version can be, what is harmful counted upwards."""
        low, high = sorted((self.sign * self.new.least, self.sign * self.new.most))
        return low, high

    def values(self, w: int) -> NDArray[np.float64]:
        """Return new - w old; NaN where a score that it takes is missing, or the item does not count."""
        # 0 times a missing value is no missing value: without the old effect the new one is all that is needed.
        moved = self.new.values - w * self.old.values if w else self.new.values
        return np.where(self.counted, self.sign * moved, np.nan)

    def filled(self, w: int, end: int) -> NDArray[np.float64]:
        """Return the same with what is missing at the least (end 0) or the most (end 1) that it can have been."""
        values = self.values(w)
        return np.where(self.counted & np.isnan(values), self._span(w)[end], values)

    def _span(self, w: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The least and the most of new - w old.

        With w = 1 they are bounded question by question: where one version has answered, that says how far the other's
        score can be away.
        """
        new, old, both = self.new, self.old, self.decision.items
        ends = {
            0: (new.lowest, new.highest),
            -1: (new.lowest + old.lowest, new.highest + old.highest),
            1: (both.lowest, both.highest),
        }[w]
        return ends if self.sign > 0 else (-ends[1], -ends[0])


@dataclass(frozen=True, slots=True)
class Scope:
    """Where several moves are judged together.

    Attributes
    ----------
    stratum : Stratum
        Its items.
    mask : ndarray of bool, shape (n,)
        The same.
    clusters : ndarray of int, shape (mask.sum(),)
        Their patients.
    margin : float
        Largest worsening to be accepted.
    ends : (float, float)
        The least and the most that the effect of one version can be.
    """

    stratum: Stratum
    mask: NDArray[np.bool_]
    clusters: NDArray[np.int64]
    margin: float
    ends: tuple[float, float]


def judge_mean_worsening(
    decisions: Sequence[Decision], family: Family, data: Measurements, rules: Rules
) -> list[tuple[str, Draft]]:
    """Decide for every mean whether it is worse than before: one joint bootstrap per stratum and route."""
    harm = HARMS[str(family.verb)]
    moves = [_move(decision, family, data, rules) for decision in decisions]
    drafts = []
    for stratum in data.strata(family.by):
        mask = data.where(stratum)
        here = [_balanced(move, mask, data) for move in moves]
        for ends, unit in dict.fromkeys((move.ends, move.unit) for move in here):
            some = [move for move in here if (move.ends, move.unit) == (ends, unit)]
            margin = margin_of(some[0].decision, rules, together=stratum[1] == ALL)
            scope = Scope(stratum, mask, data.clusters(mask), margin, ends)
            results = _worsenings(some, Move.values, scope, harm, rules)
            gaps = [m for m in some if (m.counted & np.isnan(m.values(1)))[mask].any()]
            sides = [_worsenings(gaps, partial(Move.filled, end=end), scope, harm, rules) for end in (0, 1) if gaps]
            worst = {id(move): list(both) for move, *both in zip(gaps, *sides, strict=True)}
            for move, result in zip(some, results, strict=True):
                imputed = worst.get(id(move), [])
                draft = _mean_draft(move, result, imputed, scope)
                finish(draft, move.decision, mask, data)
                draft.settle = _settle(result, imputed, margin, rules)
                drafts.append((move.decision.name, draft))
    return drafts


def _worsenings(
    moves: Sequence[Move],
    values: Callable[[Move, int], NDArray[np.float64]],
    scope: Scope,
    harm: Harm,
    rules: Rules,
) -> list[Worsening]:
    """Judge moves together; ``values`` gives new - w old of one of them in every item."""
    return worsening(
        {
            w: cluster_means(np.stack([values(move, w)[scope.mask] for move in moves], axis=1), scope.clusters)
            for w in ROUTES[harm]
        },
        harm,
        scope.margin,
        alpha=rules.alpha(scope.stratum),
        seed=rules.seed(scope.stratum),
        resamples=rules.statistics.resamples,
        ends=scope.ends,
        min_informative=rules.statistics.min_informative,
    )


def margin_of(decision: Decision, rules: Rules, *, together: bool) -> float:
    """Return how much worse is accepted of an effect, in its unit."""
    return accepted(decision.effect, decision.unit, rules.protocol, together=together)


def accepted(effect: Effect, unit: str, protocol: Protocol, *, together: bool) -> float:
    """Return how much worse is accepted of an effect: points are hundredths of the range of what it counts."""
    key = unit_key(unit, effect.per)
    margin = protocol.baseline.margin(key, together=together)
    if key not in ("points", "points_per_step"):
        return margin
    _, value = protocol.resolved(effect).parts[0].terms[0]
    return margin * protocol.catalogue.quantity(value).span / 100


def unit_key(unit: str, per: str = "") -> Unit:
    """Return the key of ``[baseline]`` for a unit of estimates."""
    if unit == "AUROC":
        return "auroc"
    if unit == "share":
        return "share"
    return "points_per_step" if per else "points"


def _move(decision: Decision, family: Family, data: Measurements, rules: Rules) -> Move:
    role = other_role(decision.part)
    new = items_of(decision.effect, of_role(decision.part, MODEL), data, rules.protocol)
    # The old terms stand with the opposite sign in the difference.
    before = items_of(decision.effect, of_role(decision.part, role).weighted(-1.0), data, rules.protocol)
    return Move(decision, new, before, -1 if family.verb == "at_least" else 1)


def _balanced(move: Move, mask: NDArray[np.bool_], data: Measurements) -> Move:
    """The same with the levels of the part's column counting equally, where it names one."""
    column = move.decision.part.balanced
    if not column:
        return move
    factor = factors(column, mask & move.decision.items.asked, data)
    decision = replace(move.decision, items=scaled(move.decision.items, factor))
    return replace(move, decision=decision, new=scaled(move.new, factor), old=scaled(move.old, factor))


def _mean_draft(move: Move, result: Worsening, imputed: Sequence[Worsening], scope: Scope) -> Draft:
    decision = move.decision
    survives = all(one.decision == "inside" for one in imputed)
    p_fail = _p_fail(result, imputed)
    obstacle = ""
    if result.decision == "inside" and not survives:
        obstacle = HANGS_ON_MISSING
    elif result.decision == "beyond" and p_fail > result.p_fail:
        obstacle = HARMLESS
    there = np.isfinite(move.values(1))[scope.mask]
    sides = np.stack([move.new.values[scope.mask], move.old.values[scope.mask]], axis=1)[there]
    means = cluster_means(sides, scope.clusters[there]) if there.any() else np.empty((0, 2))
    now, before = np.nanmean(means, axis=0) if means.size else (np.nan, np.nan)
    return Draft(
        stratum=scope.stratum,
        part=decision.part.label,
        estimate=_estimate(result, decision.unit),
        met=result.decision == "inside" and survives,
        p_pass=max([result.p_pass, *(r.p_pass for r in imputed)]),
        p_fail=p_fail,
        margin_high=scope.margin,
        obstacle=obstacle,
        n_images=int(there.sum()),
        n_clusters=result.n_clusters,
        worst_case=_range([result, *imputed], decision.unit) if imputed else None,
        sd=result.sd,
        rule=result.rule,
        now=float(now),
        before=float(before),
    )


def _p_fail(result: Worsening, imputed: Sequence[Worsening]) -> float:
    """P-value of "worse by more" with what is missing at its most harmless: the least, on the lower side the most."""
    if not imputed:
        return result.p_fail
    return min(max(own, imputed[side].p_sides[side]) for side, own in enumerate(result.p_sides))


def _settle(
    result: Worsening, imputed: Sequence[Worsening], margin: float, rules: Rules
) -> Callable[[float], int | None]:
    """Return the way to the number of patients that would settle it: the cheapest route on each side."""

    def settle(fail_alpha: float) -> int | None:
        informative, alpha, limits = rules.statistics.min_informative, rules.protocol.alpha, (-np.inf, margin)
        needed = []
        if result.estimate > margin:
            for side in result.sides:
                ends = {max(r.old for r in side), min(r.old for r in side)}
                some = [
                    of_mean(r.passing, limits, r.ends, (alpha, fail_alpha), informative) for r in side if r.old in ends
                ]
                if all(p.fails and p.clusters is not None for p in some):
                    needed.append(max(p.clusters for p in some if p.clusters is not None))
            return min(needed, default=None)
        for side in (side for one in (result, *imputed) for side in one.sides):
            ways = [of_mean(r.passing, limits, r.ends, (alpha * r.part, alpha), informative) for r in side]
            clusters = [p.clusters for p in ways if not p.fails and p.clusters is not None]
            if not clusters:
                return None
            needed.append(min(clusters))
        return max(needed, default=None)

    return settle


def _pairs(part: Part, data: Measurements) -> list[tuple[Column, Column]]:
    """The answers of both versions to every question of a part."""
    old = {v.question for _, v in of_role(part, other_role(part)).terms}
    by_words = {(q.task, q.wording, q.condition): q for q in old}
    new = dict.fromkeys(v.question for _, v in of_role(part, MODEL).terms)
    return [(data.column(q), data.column(by_words[q.task, q.wording, q.condition])) for q in new]


def finish(draft: Draft, decision: Decision, mask: NDArray[np.bool_], data: Measurements) -> Draft:
    """Count the outcomes, and note whether any answer has changed.

    That none has is no reason to pass: of 32 patients, none is one of the 5 % in whom a version can differ by the whole
    range in 0.19 of the draws. The interval knows how many that can be, the equality does not.
    """
    pairs = _pairs(decision.part, data)
    chosen = mask & decision.where
    draft.outcomes = total_outcomes((new for new, _ in pairs), chosen)
    draft.control_outcomes = total_outcomes((old for _, old in pairs), chosen)
    draft.unchanged = all(new.says_the_same(old)[chosen].all() for new, old in pairs)
    return draft


def _estimate(result: Worsening, unit: str) -> Estimate:
    return Estimate(value=result.estimate, low=result.low, high=result.high, level=result.level, unit=unit)


def _range(every: Sequence[Worsening], unit: str) -> Estimate:
    low, high = min(r.low for r in every), max(r.high for r in every)
    return Estimate(value=every[-1].estimate, low=low, high=high, level=every[0].level, unit=unit)
