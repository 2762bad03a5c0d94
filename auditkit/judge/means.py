"""Means of an effect against a limit: an interval per decision, missing answers put to the test, and the tail."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from auditkit.evidence import Estimate, Expected
from auditkit.judge.balanced import absent, balanced, is_alone
from auditkit.judge.decisions import Decision, strata
from auditkit.judge.draft import SHOWN_CASES, Draft
from auditkit.judge.expected import expected_record
from auditkit.judge.prospects import Prospect, of_mean, together
from auditkit.judge.rules import Rules
from auditkit.judge.sentences import say_too_few
from auditkit.judge.tails import add_tail
from auditkit.measure.columns import ALL, Measurements, Stratum
from auditkit.measure.effects import per_item
from auditkit.measure.excess import excess_of
from auditkit.protocol.model import Family
from auditkit.stats.equivalence import Interval, equivalence
from auditkit.stats.planning import minimum_detectable_effect
from auditkit.stats.reduce import cluster_means
from auditkit.stats.unseen import least_clusters, mean_ends
from auditkit.tasks import CORRECT
from auditkit.vocabulary import MODEL, Value
from auditkit.words import count, number, some_of
from auditkit.words import interval as in_words

if TYPE_CHECKING:
    from numpy.typing import NDArray

Side = Literal["lowest", "highest"]
SIDES: tuple[Side, ...] = get_args(Side)
"""The ends at which missing values are put: a PASS must survive the bad one, and a FAIL the harmless one."""
HANGS_ON_MISSING = "with the missing answers at the worst they can be, the limit is no longer met"
HARMLESS = "with the missing answers at the most harmless they can be, it is not shown to be broken"
ADVERSE = {"within": 0, "at_most": 1, "at_least": -1}
"""By the verb: +1 where large values speak against the model, -1 where small ones do, 0 for large absolute ones."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What one stratum of one call is judged by.

    Attributes
    ----------
    stratum : Stratum
        Its items.
    mask : ndarray of bool, shape (n,)
        The same.
    clusters : ndarray of int, shape (mask.sum(),)
        Their patients.
    limits : (float, float)
        Ends of the region that the effects must stay in.
    middle, reach : float
        Every value lies within ``middle - reach`` and ``middle + reach``.
    """

    stratum: Stratum
    mask: NDArray[np.bool_]
    clusters: NDArray[np.int64]
    limits: tuple[float, float]
    middle: float
    reach: float


def judge_means(
    decisions: Sequence[Decision], family: Family, data: Measurements, rules: Rules
) -> list[tuple[str, Draft]]:
    """Decide every mean: one joint bootstrap per stratum; the result of a decision does not depend on its company."""
    drafts = []
    plain = [decision for decision in decisions if not decision.part.balanced]
    for reach in dict.fromkeys((d.items.least, d.items.most) for d in plain):
        chosen = [d for d in plain if (d.items.least, d.items.most) == reach]
        for stratum, limits in strata(data, family):
            drafts += _judged(chosen, _frame(stratum, limits, reach, data), family, data, rules)
    for decision in decisions:
        for stratum, limits in strata(data, family) if decision.part.balanced else ():
            drafts += _judged_balanced(decision, stratum, limits, family, data, rules)
    return drafts


def _frame(stratum: Stratum, limits: tuple[float, float], reach: tuple[float, float], data: Measurements) -> Frame:
    mask = data.where(stratum)
    middle, half = (reach[0] + reach[1]) / 2, (reach[1] - reach[0]) / 2
    return Frame(stratum, mask, data.clusters(mask), limits, middle, half)


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
    frame = _frame(stratum, limits, (scaled.items.least, scaled.items.most), data)
    drafts = _judged([scaled], frame, family, data, rules)
    for _, draft in drafts:  # an item that weighs more reaches further than the mean can
        draft.estimate = _within(draft.estimate, decision)
        draft.worst_case = None if draft.worst_case is None else _within(draft.worst_case, decision)
    for _, draft in drafts if family.verb else ():
        if draft.met and (lacking := absent(decision, mask, data, rules.protocol)):
            draft.met, draft.p_pass, draft.settle = False, 1.0, None
            _say_absent(draft, lacking)
    return drafts


def _within(estimate: Estimate, decision: Decision) -> Estimate:
    """Return an estimate whose ends lie within what a mean of a decision's items can be."""
    least, most = decision.items.least, decision.items.most
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
    intervals = _intervals(values, frame, rules)
    expected = _expected(decisions, frame, data, rules)
    missing = asked & ~np.isfinite(values)
    imputed: dict[int, dict[Side, Interval]] = {int(i): {} for i in np.flatnonzero(missing.any(axis=0))}
    for side in SIDES if imputed and family.verb else ():
        chosen = list(imputed)
        ends = np.stack([getattr(decisions[i].items, side)[mask] for i in chosen], axis=1)
        filled = np.where(missing[:, chosen], ends, values[:, chosen])
        for i, result in zip(chosen, _intervals(filled, frame, rules), strict=True):
            imputed[i][side] = result
    drafts = []
    for i, decision in enumerate(decisions):
        draft = _draft(decision, frame, intervals[i], imputed.get(i, {}), family, data, rules)
        draft.expected = expected.get(i)
        if decision.part.provided and draft.met:
            check_provided(draft, decision, frame, data, rules)
        # Over all patients together only: a level by itself has too few to tell some that jump from noise.
        if family.tail is not None and frame.mask.all():
            jumps = excess_of(decision.part, decision.items, family.tail.beyond, data)
            add_tail(draft, decision, jumps, family.tail, data, rules)
        drafts.append((decision.name, draft))
    return drafts


def _intervals(values: NDArray[np.float64], frame: Frame, rules: Rules) -> list[Interval]:
    """Return the interval of every column; what bounds a value is the same to either side of the middle."""
    settings = rules.statistics
    low, high = (limit - frame.middle for limit in frame.limits)
    open_ended = np.isinf(low) and np.isinf(high)
    intervals = equivalence(
        cluster_means(values - frame.middle, frame.clusters),
        -frame.reach - 1 if open_ended else low,  # what is only shown has no limit; any beyond the range will do
        high,
        alpha=rules.alpha(frame.stratum),
        resamples=settings.resamples,
        seed=rules.seed(frame.stratum),
        value_range=frame.reach,
        min_informative=settings.min_informative,
    )
    return intervals


def _estimate(interval: Interval, frame: Frame, unit: str) -> Estimate:
    value, low, high = (end + frame.middle for end in (interval.estimate, interval.low, interval.high))
    return Estimate(value=value, low=low, high=high, level=interval.level, unit=unit)


def _expected(decisions: Sequence[Decision], frame: Frame, data: Measurements, rules: Rules) -> dict[int, Expected]:
    """Return the same estimates from expected scores, by position; nothing without log-probabilities."""
    every = [decision.items.expected[frame.mask] for decision in decisions]
    known = {i: int(n) for i, values in enumerate(every) if (n := np.isfinite(values).sum())}
    if not known:
        return {}
    intervals = _intervals(np.stack([every[i] for i in known], axis=1), frame, rules)
    records = {}
    for (i, n), interval in zip(known.items(), intervals, strict=True):
        sides = decisions[i].treated(data), decisions[i].control(data)
        estimate = _estimate(interval, frame, decisions[i].unit)
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
    p_fail = _p_fail(interval, filled)
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
        estimate=_estimate(interval, frame, decision.unit),
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
        remark=_if_lost(decision, frame)
        if reference is None
        else f"Others, for comparison: {number(reference, decision.unit)}.",
        worst_cases=decision.cases(_adverse(decision, frame.mask, ADVERSE.get(str(family.verb), 0))),
    )
    if not obstacle:
        _check_number(draft, interval, frame, rules)
    _plan_ahead(draft, interval, filled, adverse, frame, rules)
    return draft


def _p_fail(interval: Interval, filled: Mapping[Side, Interval]) -> float:
    """P-value of "beyond a limit" that the missing values cannot undo, at the harmless end of their range."""
    if not filled:
        return interval.p_fail
    over = max(interval.p_over, filled["lowest"].p_over)
    return min(over, max(interval.p_under, filled["highest"].p_under))


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


def _say_absent(draft: Draft, lacking: Sequence[str]) -> None:
    draft.obstacle = f"no item has the right answer {some_of(lacking)}, so guessing cannot be told from knowing"
    draft.remedy = "give items of every class"


def check_provided(draft: Draft, decision: Decision, frame: Frame, data: Measurements, rules: Rules) -> None:
    """Take a PASS back where it is not shown that there was something to lose (assay sensitivity, ICH E10).

    Two models that guess are as good as each other under any corruption. So a PASS takes both that the loss is small
    and that what could be lost lies above zero; each at the level of the stratum, which needs no correction as both
    must hold.
    """
    part = decision.part.provided
    if part is None:
        return
    first = replace(decision, part=part, items=per_item(part, data, rules.protocol))
    if part.balanced and is_alone(first, frame.mask, data):
        # Of a level with one right answer it cannot be told; whether the model guesses is told by all of them.
        everything = (frame.stratum[0], ALL)
        frame = replace(frame, stratum=everything, mask=data.where(everything), clusters=data.cluster)
    aim = first if not part.balanced else balanced(first, frame.mask, data)
    items = aim.items
    values = np.where(items.asked & ~np.isfinite(items.values), items.lowest, items.values)
    ends = (items.least + items.most) / 2, (items.most - items.least) / 2
    above = Frame(frame.stratum, frame.mask, frame.clusters, (0.0, np.inf), *ends)
    [shown] = _intervals(values[frame.mask][:, None], above, rules)
    draft.p_pass = max(draft.p_pass, shown.p_pass)
    lacking = absent(first, frame.mask, data, rules.protocol) if part.balanced else ()
    if shown.decision == "inside" and not lacking:
        return
    draft.met, draft.settle = False, None
    if lacking:
        _say_absent(draft, lacking)
        return
    found = in_words(_estimate(shown, above, "share"), signed=False)
    asked = rules.protocol.catalogue.asked_of(part.terms[0][1].question)
    guesses = f"not shown to be better than guessing ({found} of the way to always right)"
    if asked == MODEL:
        draft.obstacle = f"unchanged it is {guesses}"
        draft.remedy = "who guesses has nothing to lose, so no small loss counts"
    else:
        draft.obstacle = f"the {asked} is {guesses}"
        draft.remedy = f"a {asked} that guesses would find nothing in any answer"


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
