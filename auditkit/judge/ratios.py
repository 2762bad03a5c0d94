"""Ratios of errors against a limit: what a model loses under a corruption, in units of what a reference loses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from auditkit.evidence import Estimate
from auditkit.judge.decisions import Decision, strata
from auditkit.judge.draft import SHOWN_CASES, Draft
from auditkit.judge.filled import HANGS_ON_MISSING, HARMLESS
from auditkit.judge.prospects import of_mean, together
from auditkit.judge.ratio_sides import sides_of
from auditkit.judge.rules import Rules
from auditkit.judge.sentences import say_too_few
from auditkit.measure.columns import Measurements, Stratum
from auditkit.measure.effects import PerItem, per_item
from auditkit.protocol.model import Family
from auditkit.stats.ratio import Ratio, ratio_of_sums, ratio_to_fixed
from auditkit.stats.reduce import cluster_means
from auditkit.stats.unseen import least_clusters, seen_share
from auditkit.vocabulary import Part
from auditkit.words import number

if TYPE_CHECKING:
    from numpy.typing import NDArray

SHORTFALL = "shortfall ratio"
"""The statistic whose errors are what the values lack of the top of their range: 1 less "correct"."""
_SHOWN_AT = 1.0  # what is only shown has no limit; the interval does not depend on it


@dataclass(frozen=True, slots=True)
class Errors:
    """Errors of the model and of what they are counted in, item by item.

    Attributes
    ----------
    new : PerItem
        Of the model.
    reference : PerItem or None
        None where the weights have fixed errors in them already.
    """

    new: PerItem
    reference: PerItem | None

    @classmethod
    def of(cls, decision: Decision, data: Measurements, rules: Rules) -> Errors:
        """Take a part's terms apart: another's answers, or else what has a negative weight, is the reference's."""
        ours, theirs = sides_of(decision.part)
        right = decision.effect.statistic == SHORTFALL
        found = [_errors(side, data, rules, right=right) if side.terms else None for side in (ours, theirs)]
        new, reference = found
        return cls(new or PerItem.none(len(data.records)), reference)

    @property
    def asked(self) -> NDArray[np.bool_]:
        """Items whose questions on both sides are part of the plan; shape (n,)."""
        return self.new.asked if self.reference is None else self.new.asked & self.reference.asked

    @property
    def values(self) -> NDArray[np.float64]:
        """The model's errors where both sides are known, else NaN; shape (n,)."""
        known = np.isfinite(self.new.values)
        if self.reference is not None:
            known &= np.isfinite(self.reference.values)
        return np.where(known, self.new.values, np.nan)

    def filled(self, *, adverse: bool) -> Errors:
        """Put what is missing at the worst that it can have been for the model, or at the most harmless."""
        new = self.new.highest if adverse else self.new.lowest
        if self.reference is None:
            return replace(self, new=_filled(self.new, new, self.asked))
        other = self.reference.lowest if adverse else self.reference.highest
        return Errors(_filled(self.new, new, self.asked), _filled(self.reference, other, self.asked))

    def ratio(self, mask: NDArray[np.bool_], clusters: NDArray[np.int64], limit: float, settings: Settings) -> Ratio:
        """Hold the ratio of the chosen items against a limit."""
        decide = partial(
            ratio_of_sums,
            limit=limit,
            alpha=settings.alpha,
            seed=settings.seed,
            resamples=settings.resamples,
            min_informative=settings.min_informative,
        )
        if self.reference is None:
            new = cluster_means(self.new.values[mask][:, None], clusters)
            return ratio_to_fixed(new, [1.0], new_ends=(self.new.least, self.new.most), **decide.keywords)
        both = np.stack([self.new.values[mask], self.reference.values[mask]], axis=1)
        both[~np.isfinite(both).all(axis=1)] = np.nan  # an item counts on both sides or on none
        means = cluster_means(both, clusters)
        ends = [(side.least, side.most) for side in (self.new, self.reference)]
        return decide(means[:, 0], means[:, 1], new_ends=ends[0], reference_ends=ends[1])


@dataclass(frozen=True, slots=True)
class Settings:
    """By what a stratum is decided: error per side, seed, resamples, and how few patients are sparse."""

    alpha: float
    seed: int
    resamples: int
    min_informative: int


def judge_ratios(
    decisions: Sequence[Decision], family: Family, data: Measurements, rules: Rules
) -> list[tuple[str, Draft]]:
    """Decide every ratio of errors, in every stratum."""
    found = [(decision, Errors.of(decision, data, rules)) for decision in decisions]
    return [
        (decision.name, _draft(decision, errors, stratum, limit, family, data, rules))
        for stratum, (_, limit) in strata(data, family)
        for decision, errors in found
    ]


def _draft(
    decision: Decision,
    errors: Errors,
    stratum: Stratum,
    limit: float,
    family: Family,
    data: Measurements,
    rules: Rules,
) -> Draft:
    mask, settings = data.where(stratum) & errors.asked, rules.statistics
    clusters = data.clusters(mask)
    by = Settings(rules.alpha(stratum), rules.seed(stratum), settings.resamples, settings.min_informative)
    limit = limit if np.isfinite(limit) else _SHOWN_AT
    result = errors.ratio(mask, clusters, limit, by)
    every, p_fail, obstacle = [result], result.p_fail, result.reason
    if np.isnan(errors.values[mask]).any() and family.verb:
        worst, best = (errors.filled(adverse=side).ratio(mask, clusters, limit, by) for side in (True, False))
        every.append(worst)
        p_fail = max(p_fail, best.p_fail)
        if result.decision == "inside" and worst.decision != "inside":
            obstacle = HANGS_ON_MISSING
        elif result.p_fail <= by.alpha < p_fail:
            obstacle = HARMLESS
    outcomes, control_outcomes = decision.outcomes(data, mask)
    draft = Draft(
        stratum=stratum,
        part=decision.part.label,
        estimate=_estimate(result, decision.unit),
        met=all(one.decision == "inside" for one in every),
        p_pass=max(one.p_pass for one in every),
        p_fail=p_fail,
        margin_high=limit,
        required=family.requires(decision.part.label),
        obstacle=obstacle,
        n_images=int(np.isfinite(errors.values[mask]).sum()),
        n_clusters=result.n_clusters,
        outcomes=outcomes,
        control_outcomes=control_outcomes,
        worst_case=_estimate(every[1], decision.unit) if len(every) > 1 else None,
        rule=result.rule,
        remark=f"{result.reason[:1].upper()}{result.reason[1:]}." if result.reason else "",
        worst_cases=decision.cases(_worst(errors.values, mask)),
    )
    draft.settle = lambda fail_alpha: _settle(every, (rules.protocol.alpha, fail_alpha), settings.min_informative)
    if not obstacle:
        _check_number(draft, result, limit, by.alpha)
    return draft


def _errors(side: Part, data: Measurements, rules: Rules, *, right: bool) -> PerItem:
    """The weighted sum of errors: of the values, or of what they lack of the top of their range."""
    found = per_item(side, data, rules.protocol)
    if not right:
        return found
    top = sum(weight * rules.protocol.catalogue.quantity(value).high for weight, value in side.terms)
    return replace(
        found,
        values=top - found.values,
        lowest=top - found.highest,
        highest=top - found.lowest,
        least=top - found.most,
        most=top - found.least,
    )


def _filled(side: PerItem, end: NDArray[np.float64], asked: NDArray[np.bool_]) -> PerItem:
    return replace(side, values=np.where(asked & np.isnan(side.values), end, side.values))


def _estimate(result: Ratio, unit: str) -> Estimate:
    return Estimate(value=result.estimate, low=result.low, high=result.high, level=result.level, unit=unit)


def _settle(every: Sequence[Ratio], alphas: tuple[float, float], informative: int) -> int | None:
    """The contrast at the limit is a mean, and is planned for as one; without a ratio no number can be promised."""
    if any(one.reason for one in every):
        return None
    prospects = [of_mean(one.contrast, (-np.inf, 0.0), one.ends, alphas, informative) for one in every]
    if any(prospect.fails != prospects[0].fails for prospect in prospects):
        return None
    return together(prospects)


def _check_number(draft: Draft, result: Ratio, limit: float, alpha: float) -> None:
    """Say so where patients who were not seen alone keep a ratio below its limit from passing."""
    n, mean, top = result.n_clusters, result.contrast.estimate, result.ends[1]
    if n == 0 or result.decision == "inside" or not mean < 0:
        return
    q = float(seen_share(alpha, n))
    if q * mean + (1 - q) * top >= 0:
        below = f"a ratio {number(limit - result.estimate, 'ratio')} below its limit"
        say_too_few(draft, alpha, below, least_clusters(-mean, top - mean, alpha))


def _worst(errors: NDArray[np.float64], mask: NDArray[np.bool_]) -> list[int]:
    """The items with the largest errors, unscored ones first."""
    indices = np.flatnonzero(mask)
    badness = np.where(np.isfinite(errors[indices]), errors[indices], np.inf)
    order = np.argsort(-badness, kind="stable")[:SHOWN_CASES]
    return [int(indices[i]) for i in order if badness[i] > 0]
