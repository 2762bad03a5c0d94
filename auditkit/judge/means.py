"""Means of an effect against a limit: an interval per decision, missing answers put to the test, and the tail."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from auditkit.evidence import Estimate, Expected
from auditkit.judge.balanced import balanced, is_alone
from auditkit.judge.decisions import Decision, strata
from auditkit.judge.draft import SHOWN_CASES, Draft
from auditkit.judge.expected import expected_record
from auditkit.judge.filled import HANGS_ON_MISSING, HARMLESS, SIDES, Side
from auditkit.judge.frames import Frame, estimate_in, frame_of, intervals_in
from auditkit.judge.prospects import Prospect, of_mean, together
from auditkit.judge.provided import check_classes, check_provided
from auditkit.judge.rules import Rules
from auditkit.judge.sentences import say_too_few
from auditkit.judge.tails import add_tail
from auditkit.measure.columns import ALL, Measurements, Stratum
from auditkit.measure.excess import excess_of
from auditkit.protocol.model import Family
from auditkit.stats.equivalence import Interval, p_beyond
from auditkit.stats.planning import minimum_detectable_effect
from auditkit.stats.reduce import cluster_means
from auditkit.stats.unseen import least_clusters, mean_ends
from auditkit.tasks import CHANCE, CORRECT, OF_CHOICES
from auditkit.vocabulary import Value
from auditkit.words import count, number

if TYPE_CHECKING:
    from numpy.typing import NDArray

NOT_GIVEN = "The model gave no probabilities, so nothing was measured."
ADVERSE = {"within": 0, "at_most": 1, "at_least": -1}
"""By the verb: +1 where large values speak against the model, -1 where small ones do, 0 for large absolute ones."""


def judge_means(
    decisions: Sequence[Decision], family: Family, data: Measurements, rules: Rules
) -> list[tuple[str, Draft]]:
    """Decide every mean: one joint bootstrap per stratum; the result of a decision does not depend on its company."""
    drafts = []
    plain = [decision for decision in decisions if not decision.part.balanced]
    for reach in dict.fromkeys((d.items.least, d.items.most) for d in plain):
        chosen = [d for d in plain if (d.items.least, d.items.most) == reach]
        for stratum, limits in strata(data, family):
            drafts += _judged(chosen, frame_of(stratum, limits, reach, data), family, data, rules)
    for decision in decisions:
        for stratum, limits in strata(data, family) if decision.part.balanced else ():
            drafts += _judged_balanced(decision, stratum, limits, family, data, rules)
    return drafts


def _judged_balanced(
    decision: Decision,
    stratum: Stratum,
    limits: tuple[float, float],
    family: Family,
    data: Measurements,
    rules: Rules,
) -> list[tuple[str, Draft]]:
    """Decide a balanced mean: of a level that has one class only there is none."""
    mask = data.where(stratum)
    if is_alone(decision, mask, data) and stratum[1] != ALL:
        return []
    scaled = balanced(decision, mask, data)
    ends = decision.items.least, decision.items.most  # an item that weighs more reaches further than the mean can
    name, draft = judge_made(scaled, ends, stratum, limits, family, data, rules)
    if family.verb and draft.met:
        check_classes(draft, decision, mask, data, rules.protocol)
    return [(name, draft)]


def judge_made(
    decision: Decision,
    ends: tuple[float, float],
    stratum: Stratum,
    limits: tuple[float, float],
    family: Family,
    data: Measurements,
    rules: Rules,
) -> tuple[str, Draft]:
    """Decide a number of a whole stratum that was put as the mean of one value per item.

    Parameters
    ----------
    decision : Decision
        With these values.
    ends : (float, float)
        What the number can be; a single value may reach further.
    stratum, limits : Stratum, (float, float)
        As `strata` gives them.
    """
    frame = frame_of(stratum, limits, (decision.items.least, decision.items.most), data)
    [(name, draft)] = _judged([decision], frame, family, data, rules)
    draft.estimate = within(draft.estimate, ends)
    draft.worst_case = None if draft.worst_case is None else within(draft.worst_case, ends)
    return name, draft


def within(estimate: Estimate, reachable: tuple[float, float]) -> Estimate:
    """Return an estimate whose ends lie within what a mean can be."""
    least, most = reachable
    ends = {name: end if end is None else min(max(end, least), most) for name, end in (
        ("low", estimate.low), ("high", estimate.high),
    )}  # fmt: skip
    return estimate.model_copy(update=ends)


def _judged(
    decisions: Sequence[Decision], frame: Frame, family: Family, data: Measurements, rules: Rules
) -> list[tuple[str, Draft]]:
    mask = frame.mask
    values = np.stack([d.items.values[mask] for d in decisions], axis=1)
    asked = np.stack([d.items.asked[mask] for d in decisions], axis=1)
    intervals = intervals_in(values, frame, rules)
    expected = _expected(decisions, frame, data, rules)
    missing = asked & ~np.isfinite(values)
    imputed: dict[int, dict[Side, Interval]] = {int(i): {} for i in np.flatnonzero(missing.any(axis=0))}
    for side in SIDES if imputed and family.verb else ():
        chosen = list(imputed)
        ends = np.stack([getattr(decisions[i].items, side)[mask] for i in chosen], axis=1)
        filled = np.where(missing[:, chosen], ends, values[:, chosen])
        for i, result in zip(chosen, intervals_in(filled, frame, rules), strict=True):
            imputed[i][side] = result
    drafts = []
    for i, decision in enumerate(decisions):
        draft = _draft(decision, frame, intervals[i], imputed.get(i, {}), family, data, rules)
        draft.expected = expected.get(i)
        if draft.met:
            check_provided(draft, decision, frame, data, rules)
        # Over all patients together only: a level by itself has too few to tell some that jump from noise.
        if family.tail is not None and frame.mask.all():
            jumps = excess_of(decision.part, decision.items, family.tail.beyond, data)
            add_tail(draft, decision, jumps, family.tail, data, rules)
        drafts.append((decision.name, draft))
    return drafts


def _expected(decisions: Sequence[Decision], frame: Frame, data: Measurements, rules: Rules) -> dict[int, Expected]:
    """Return the same estimates from expected scores, by position; nothing without log-probabilities."""
    every = [decision.items.expected[frame.mask] for decision in decisions]
    known = {i: int(n) for i, values in enumerate(every) if (n := np.isfinite(values).sum())}
    if not known:
        return {}
    intervals = intervals_in(np.stack([every[i] for i in known], axis=1), frame, rules)
    records = {}
    for (i, n), interval in zip(known.items(), intervals, strict=True):
        sides = decisions[i].treated(data), decisions[i].control(data)
        estimate = estimate_in(interval, frame, decisions[i].unit)
        records[i] = expected_record(estimate, *sides, frame.mask & decisions[i].where, (n, interval.n_clusters))
    return records


def _draft(
    decision: Decision,
    frame: Frame,
    interval: Interval,
    filled: Mapping[Side, Interval],
    family: Family,
    data: Measurements,
    rules: Rules,
) -> Draft:
    low, high = frame.limits
    adverse = [filled[side] for side, limit in zip(SIDES, (low, high), strict=True) if filled and np.isfinite(limit)]
    survives = all(result.decision == "inside" for result in adverse)
    p_fail = p_beyond(interval, *(filled[side] for side in SIDES if filled))
    obstacle = ""
    if interval.decision == "inside" and not survives:
        obstacle = HANGS_ON_MISSING
    elif interval.p_fail <= rules.alpha(frame.stratum) < p_fail:
        obstacle = HARMLESS
    outcomes, control_outcomes = decision.outcomes(data, frame.mask)
    reference = _reference(decision, frame, data, rules)
    draft = Draft(
        stratum=frame.stratum,
        part=decision.part.label,
        estimate=estimate_in(interval, frame, decision.unit),
        met=interval.decision == "inside" and survives,
        p_pass=max([interval.p_pass, *(r.p_pass for r in adverse)]),
        p_fail=p_fail,
        margin_low=low,
        margin_high=high,
        required=family.requires(decision.part.label),
        obstacle=obstacle,
        n_images=int(np.isfinite(decision.items.values[frame.mask]).sum()),
        n_clusters=interval.n_clusters,
        outcomes=outcomes,
        control_outcomes=control_outcomes,
        worst_case=_worst_case(adverse, interval, frame, decision.unit),
        rule=interval.rule,
        reference=reference,
        remark=_if_lost(decision, frame) or without_probabilities(decision)
        if reference is None
        else f"Others, for comparison: {number(reference, decision.unit)}.",
        worst_cases=decision.cases(_adverse(decision, frame.mask, ADVERSE.get(str(family.verb), 0))),
    )
    if not obstacle:
        _check_number(draft, interval, frame, rules)
    _plan_ahead(draft, interval, filled, adverse, frame, rules)
    return draft


def _check_number(draft: Draft, interval: Interval, frame: Frame, rules: Rules) -> None:
    """Say so where patients who were not seen alone keep a mean inside its limits from passing."""
    n, alpha = interval.n_clusters, rules.alpha(frame.stratum)
    low, high = (limit - frame.middle for limit in frame.limits)
    mean = interval.estimate
    if n == 0 or not low < mean < high or interval.decision == "inside":
        return
    ends = mean_ends(mean, n, frame.reach, alpha)
    short = [(high - mean, frame.reach - mean)] if ends[1] >= high else []
    short += [(mean - low, frame.reach + mean)] if ends[0] <= low else []
    needed = max((least_clusters(margin, reach, alpha) for margin, reach in short if margin < reach), default=0)
    if needed:
        unit = draft.estimate.unit
        limit = number(min(margin for margin, _ in short), unit, signed=False)
        limit = limit.replace("%", "percentage points")  # between two shares
        say_too_few(draft, alpha, f"a limit {limit} from the estimate", needed)


def _worst_case(imputed: Sequence[Interval], interval: Interval, frame: Frame, unit: str) -> Estimate | None:
    if not imputed:
        return None
    every = [interval, *imputed]
    return Estimate(
        value=imputed[-1].estimate + frame.middle,
        low=min(r.low for r in every) + frame.middle,
        high=max(r.high for r in every) + frame.middle,
        level=interval.level,
        unit=unit,
    )


def _reference(decision: Decision, frame: Frame, data: Measurements, rules: Rules) -> float | None:
    """Mean over patients of what a single value is to be seen beside, where its quantity names such a value."""
    [(_, value), *others] = decision.part.terms
    if others:  # answers with labels alone have no quantity, and can only differ
        return None
    beside = rules.protocol.catalogue.quantity(value).beside
    if not beside:
        return None
    known = data.value(Value(replace(value.question, condition=()), beside))
    chosen = np.where(decision.where, known, np.nan)[frame.mask]
    found = cluster_means(chosen[:, None], frame.clusters)
    return float(np.nanmean(found)) if np.isfinite(found).any() else None


def _if_lost(decision: Decision, frame: Frame) -> str:
    """Say between what a share of right answers lies, whatever the lost ones would have been; empty where none is lost.

    What decides says so by its worst case; of what is only shown, this is all that keeps a model that declines the hard
    images from looking good.
    """
    [(_, value), *others] = decision.part.terms
    items, mask = decision.items, frame.mask
    lost = mask & items.asked & ~np.isfinite(items.values)
    if others or value.name != CORRECT.name or not lost.any():
        return ""
    ends = np.stack([np.where(lost, end, items.values)[mask] for end in (items.lowest, items.highest)], axis=1)
    means = np.nanmean(cluster_means(ends, frame.clusters), axis=0)
    wrong, right = (number(float(end), decision.unit) for end in means)
    answers = count(int(lost.sum()), "answer was", "answers were")
    return f"{answers} lost: {wrong} if all of them were wrong, {right} if they were right."


def without_probabilities(decision: Decision) -> str:
    """Say so where a decision rests on probabilities of which there are none; empty where it does not."""
    names = {value.name for _, value in decision.part.terms}
    if not any(name in OF_CHOICES or name.startswith(CHANCE) for name in names):
        return ""
    return "" if all(column.gave_probabilities for column in decision.columns) else NOT_GIVEN


def _plan_ahead(
    draft: Draft,
    interval: Interval,
    filled: Mapping[Side, Interval],
    adverse: Sequence[Interval],
    frame: Frame,
    rules: Rules,
) -> None:
    """Smallest margin these data could pass, and the way to the number of patients that would settle the question."""
    n = interval.n_clusters
    low, high = (limit - frame.middle for limit in frame.limits)
    if n >= 2 and np.isfinite(interval.se):
        draft.sd = float(interval.se * np.sqrt(n))
        if np.isfinite(low) and np.isfinite(high):
            alpha = rules.alpha(frame.stratum)
            # With no effect at all, patients who were not seen alone ask for the other.
            draft.mde = max(draft.sd * _mde_of_unit_sd(n, alpha), float(mean_ends(0.0, n, frame.reach, alpha)[1]))

    def settle(fail_alpha: float) -> int | None:
        alphas, informative = (rules.protocol.alpha, fail_alpha), rules.statistics.min_informative

        def prospects(intervals: Iterable[Interval]) -> list[Prospect]:
            return [of_mean(i, (low, high), (-frame.reach, frame.reach), alphas, informative) for i in intervals]

        [own] = prospects([interval])
        # A FAIL must be beyond the limit at the harmless end too, a PASS within it at the bad one.
        every = [own, *prospects(filled.values() if own.fails else adverse)]
        if any(prospect.fails != own.fails for prospect in every):
            return None
        return together(every)

    draft.settle = settle


@lru_cache(maxsize=1024)
def _mde_of_unit_sd(n: int, alpha: float) -> float:
    """The effect scales with the standard deviation; solving for it takes 50 ms, and a run asks a thousand times."""
    return minimum_detectable_effect(1.0, n, alpha)


def _adverse(decision: Decision, mask: NDArray[np.bool_], adverse: int) -> list[int]:
    """The items with the largest changes to the bad side, unscored ones first: they are what readers ask for."""
    indices = np.flatnonzero(mask & decision.items.asked)
    values = decision.items.values[indices]
    if decision.part.control is None and np.isfinite(values).any():
        # Without a comparison, how far from the middle of what is there; where all are alike, from the best there is.
        alike = np.nanmin(values) == np.nanmax(values)
        best = decision.items.most if adverse < 0 else decision.items.least
        values = values - (best if alike else np.nanmean(values))
    badness = np.where(np.isfinite(values), np.abs(values) if adverse == 0 else adverse * values, np.inf)
    order = np.argsort(-badness, kind="stable")[:SHOWN_CASES]
    return [int(indices[i]) for i in order if badness[i] > 0]
