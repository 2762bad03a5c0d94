"""Shares of items against a limit: values that are 0 or 1, their paired differences, and answers that differ."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from auditkit.evidence import Estimate
from auditkit.judge.decisions import Decision, strata
from auditkit.judge.draft import Draft
from auditkit.judge.prospects import of_share
from auditkit.judge.rules import Rules
from auditkit.measure.columns import ALL, Measurements, Stratum
from auditkit.protocol.model import Family
from auditkit.stats.proportion import Proportion
from auditkit.stats.rates import against_cap, clustered_rate, rate_difference

if TYPE_CHECKING:
    from numpy.typing import NDArray

HANGS_ON_MISSING = "with the missing answers counted against the model the limit is no longer met"
Bound = Callable[["NDArray[np.bool_]", "NDArray[np.int64]", float], Proportion]


@dataclass(frozen=True, slots=True)
class Claim:
    """One claim about a share, turned so that it must lie below a cap.

    Attributes
    ----------
    bound : callable
        From the chosen items, their patients and an error per side to the share with its interval.
    worst : callable
        The same with everything missing counted against the model.
    cap : float
        What it must lie below.
    turned : callable
        From an end of that interval to one in the direction that people read.
    """

    bound: Bound
    worst: Bound
    cap: float
    turned: Callable[[float], float]


@dataclass(frozen=True, slots=True)
class Answers:
    """Which items a share is about.

    Attributes
    ----------
    known : ndarray of bool, shape (n,)
        Answered, with every value that it takes.
    missing : ndarray of bool, shape (n,)
        Answered, without one of them: a PASS must hold with all of these counted against the model.
    against : ndarray of bool, shape (n,)
        What speaks against the model.
    """

    known: NDArray[np.bool_]
    missing: NDArray[np.bool_]
    against: NDArray[np.bool_]


def judge_shares(
    decisions: Sequence[Decision], family: Family, data: Measurements, rules: Rules
) -> list[tuple[str, Draft]]:
    """Decide every share of items whose value is 1."""
    drafts = []
    for decision, stratum, limit in _each(decisions, family, data):
        [(_, value)] = decision.part.terms
        numbers = data.value(value)
        answers, hit = _answers(decision, numbers), numbers > 0.5
        events = hit if family.verb != "at_least" else ~hit
        claim = _share_of(events, np.isnan(numbers), limit, turned=family.verb == "at_least")
        answers = replace(answers, against=events)
        drafts.append((decision.name, _draft(decision, stratum, [claim], answers, family, data, rules)))
    return drafts


def judge_share_differences(
    decisions: Sequence[Decision], family: Family, data: Measurements, rules: Rules
) -> list[tuple[str, Draft]]:
    """Decide every difference of two shares, treated minus control, over the items answered on both sides."""
    drafts = []
    for decision, stratum, limit in _each(decisions, family, data):
        (_, first), (_, second) = sorted(decision.part.terms, key=lambda term: -term[0])
        treated, control = data.value(first), data.value(second)
        claims = []
        if family.verb != "at_least":
            claims.append(_difference_of(treated, control, limit, turned=False))
        if family.verb in ("at_least", "within"):
            cap = -limit if family.verb == "at_least" else limit
            claims.append(_difference_of(control, treated, cap, turned=True))
        more, less = (treated > 0.5) & (control <= 0.5), (control > 0.5) & (treated <= 0.5)
        against = {"within": more | less, "at_least": less}.get(str(family.verb), more)
        answers = replace(_answers(decision, treated, control), against=against)
        drafts.append((decision.name, _draft(decision, stratum, claims, answers, family, data, rules)))
    return drafts


def judge_differing(
    decisions: Sequence[Decision], family: Family, data: Measurements, rules: Rules
) -> list[tuple[str, Draft]]:
    """Decide every share of items whose two answers differ, over those answered both times."""
    drafts = []
    for decision, stratum, limit in _each(decisions, family, data):
        first, second = decision.columns
        differ = ~first.says_the_same(second)
        events = differ if family.verb != "at_least" else ~differ
        claim = _share_of(events, np.zeros_like(events), limit, turned=family.verb == "at_least")
        answers = replace(_answers(decision), against=events)
        drafts.append((decision.name, _draft(decision, stratum, [claim], answers, family, data, rules)))
    return drafts


def _each(
    decisions: Sequence[Decision], family: Family, data: Measurements
) -> Iterator[tuple[Decision, Stratum, float]]:
    """Yield every decision in every stratum, with the limit there; what is only shown is held to a limit of 1."""
    for decision in decisions:
        for stratum, (low, high) in strata(data, family):
            limit = low if family.verb == "at_least" else high
            yield decision, stratum, float(limit) if np.isfinite(limit) else 1 - 1e-9


def _share_of(events: NDArray[np.bool_], missing: NDArray[np.bool_], limit: float, *, turned: bool) -> Claim:
    return Claim(
        lambda mask, clusters, alpha: clustered_rate(events[mask], clusters, alpha),
        lambda mask, clusters, alpha: clustered_rate((events | missing)[mask], clusters, alpha),
        1 - limit if turned else limit,
        (lambda end: 1.0 - end) if turned else (lambda end: end),
    )


def _difference_of(more: NDArray[np.float64], less: NDArray[np.float64], cap: float, *, turned: bool) -> Claim:
    """More minus less, which must lie below the cap; at worst what is missing adds to the one and not to the other."""
    sides = more > 0.5, less > 0.5
    worst = sides[0] | np.isnan(more), sides[1] & ~np.isnan(less)
    return Claim(
        lambda mask, clusters, alpha: rate_difference(sides[0][mask], sides[1][mask], clusters, alpha),
        lambda mask, clusters, alpha: rate_difference(worst[0][mask], worst[1][mask], clusters, alpha),
        cap,
        (lambda end: -end) if turned else (lambda end: end),
    )


def _answers(decision: Decision, *numbers: NDArray[np.float64]) -> Answers:
    answered = decision.where & np.logical_and.reduce([column.answered for column in decision.columns])
    known = np.ones_like(answered)
    for values in numbers:
        known &= np.isfinite(values)
    return Answers(answered & known, answered & ~known, np.zeros_like(answered))


def _draft(
    decision: Decision,
    stratum: Stratum,
    claims: Sequence[Claim],
    answers: Answers,
    family: Family,
    data: Measurements,
    rules: Rules,
) -> Draft:
    """Bound the share, or both sides of a difference; every claim must hold, and one that does not is enough."""
    where, alpha = data.where(stratum), rules.alpha(stratum)
    mask = where & answers.known
    clusters = data.clusters(mask)
    results = [against_cap(claim.bound(mask, clusters, alpha), claim.cap) for claim in claims]
    low, high = family.ends(together=stratum[1] == ALL)
    outcomes, control_outcomes = decision.outcomes(data, where)
    against = where & (answers.missing | (answers.known & answers.against))
    draft = Draft(
        stratum=stratum,
        part=decision.part.label,
        estimate=estimate_of(results[0], claims[0]),
        met=all(result.decision == "inside" for result in results),
        p_pass=max(_or_one(result.p_pass) for result in results),
        p_fail=min(_or_one(result.p_fail) for result in results),
        margin_low=low if np.isfinite(low) else None,
        margin_high=high if np.isfinite(high) else None,
        required=family.requires(decision.part.label),
        n_images=results[0].n,
        n_clusters=results[0].n_clusters,
        outcomes=outcomes,
        control_outcomes=control_outcomes,
        rule=results[0].rule,
        worst_cases=decision.cases(np.flatnonzero(against).tolist()),
    )

    def settle(fail_alpha: float) -> int | None:
        prospects = [of_share(r, c.cap, (alpha, fail_alpha)) for r, c in zip(results, claims, strict=True)]
        failing = [p.clusters for p in prospects if p.fails]
        if failing:
            return min((n for n in failing if n is not None), default=None)
        needed = [p.clusters for p in prospects]
        return None if None in needed else max(n for n in needed if n is not None)

    draft.settle = settle
    if (where & answers.missing).any():
        _put_to_the_test(draft, claims, where & (answers.known | answers.missing), data, alpha)
    return draft


def _put_to_the_test(
    draft: Draft, claims: Sequence[Claim], mask: NDArray[np.bool_], data: Measurements, alpha: float
) -> None:
    """Let a PASS survive the missing answers counted against the model; they never make a FAIL."""
    clusters = data.clusters(mask)
    results = [against_cap(claim.worst(mask, clusters, alpha), claim.cap) for claim in claims]
    every = [draft.estimate, *(estimate_of(r, c) for r, c in zip(results, claims, strict=True))]
    ends = {
        "low": min((e.low for e in every if e.low is not None), default=None),
        "high": max((e.high for e in every if e.high is not None), default=None),
    }
    draft.worst_case = every[-1].model_copy(update=ends)
    draft.p_pass = max(draft.p_pass, *(_or_one(result.p_pass) for result in results))
    if draft.met and any(result.decision != "inside" for result in results):
        draft.met, draft.obstacle = False, HANGS_ON_MISSING


def estimate_of(share: Proportion, claim: Claim) -> Estimate:
    """Return a share with its interval, in the direction that people read."""
    low, high = sorted((claim.turned(share.low), claim.turned(share.high)))
    return Estimate(value=claim.turned(share.estimate), low=low, high=high, level=share.level, unit="share")


def _or_one(p: float | None) -> float:
    return 1.0 if p is None else p
