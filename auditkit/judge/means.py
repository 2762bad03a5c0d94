"""Gates on means: equivalence (with its tail), "not raised", and sensitivity."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from auditkit.evidence import Estimate, Expected, Outcomes
from auditkit.judge.columns import (
    DecisionColumn,
    Side,
    contrast_columns,
    slope_columns,
    step_columns,
    wording_columns,
)
from auditkit.judge.draft import Adverse, Draft
from auditkit.judge.expected import expected_record
from auditkit.judge.prospects import of_mean, of_share, together
from auditkit.judge.rules import Rules
from auditkit.judge.wording import number
from auditkit.measure.columns import ALL, Measurements, count_outcomes
from auditkit.protocol.model import (
    EquivalenceFamily,
    MonotoneFamily,
    NotRaisedFamily,
    SensitivityFamily,
    TemplateFamily,
)
from auditkit.stats.equivalence import Interval, equivalence
from auditkit.stats.planning import minimum_detectable_effect
from auditkit.stats.proportion import Proportion
from auditkit.stats.reduce import cluster_means
from auditkit.stats.tail import tail_share
from auditkit.vocabulary import Comparison

if TYPE_CHECKING:
    from numpy.typing import NDArray

SHOWN_CASES = 4


@dataclass(frozen=True, slots=True)
class _Rule:
    """What distinguishes the three gates."""

    low: float
    high: float
    unit: str
    value_range: float
    sides: tuple[Side, ...]  # ends at which missing values are put; a PASS must survive each
    adverse: int  # +1: large values speak against the model, -1: small ones, 0: large absolute values


def seed_for(seed: int, *names: str) -> int:
    """Return a seed that depends on the protocol's seed and on stable names only."""
    digest = hashlib.sha256(f"{seed}:{':'.join(names)}".encode()).digest()
    return int.from_bytes(digest[:8], "big")


def judge_equivalence(
    family: EquivalenceFamily, comparisons: Sequence[Comparison], data: Measurements, rules: Rules
) -> dict[str, list[Draft]]:
    """Mean change within the margin either way, and few patients with a large change."""
    each = family.modality_margin or family.margin
    rule = _Rule(-each, each, "points", 100.0, ("lowest", "highest"), 0)
    together = replace(rule, low=-family.margin, high=family.margin)
    drafts = _judge_means(contrast_columns(comparisons, data, rules), rule, data, rules, together)
    for column, draft in drafts:
        _add_tail(draft, column, family, data, rules)
    return _by_comparison(drafts)


def judge_templates(
    family: TemplateFamily, comparisons: Sequence[Comparison], data: Measurements, rules: Rules
) -> dict[str, list[Draft]]:
    """Every pair of wordings within the margin either way; the wordings are fixed, nothing is said of others."""
    rule = _Rule(-family.margin, family.margin, "points", 100.0, ("lowest", "highest"), 0)
    return _by_comparison(_judge_means(wording_columns(comparisons, data, rules), rule, data, rules))


def judge_not_raised(
    family: NotRaisedFamily, comparisons: Sequence[Comparison], data: Measurements, rules: Rules
) -> dict[str, list[Draft]]:
    """Mean change not above the margin; one decision per severity."""
    rule = _Rule(-np.inf, family.margin, "points", 100.0, ("highest",), 1)
    return _by_comparison(_judge_means(contrast_columns(comparisons, data, rules), rule, data, rules))


def judge_monotone(
    family: MonotoneFamily, comparisons: Sequence[Comparison], data: Measurements, rules: Rules
) -> dict[str, list[Draft]]:
    """From each severity to the next the mean score must not rise by more than the tolerance."""
    rule = _Rule(-np.inf, family.tolerance, "points", 100.0, ("highest",), 1)
    return _by_comparison(_judge_means(step_columns(comparisons, data, rules), rule, data, rules))


def judge_sensitivity(
    family: SensitivityFamily, comparisons: Sequence[Comparison], data: Measurements, rules: Rules
) -> dict[str, list[Draft]]:
    """The score must fall by at least the floor per severity step."""
    columns, steepest = slope_columns(comparisons, data, rules)
    rule = _Rule(-np.inf, -family.floor, "points per severity step", steepest, ("highest",), 1)
    return _by_comparison(_judge_means(columns, rule, data, rules))


def _by_comparison(drafts: list[tuple[DecisionColumn, Draft]]) -> dict[str, list[Draft]]:
    found: dict[str, list[Draft]] = {}
    for column, draft in drafts:
        found.setdefault(column.comparison, []).append(draft)
    return found


def _judge_means(
    columns: Sequence[DecisionColumn], each: _Rule, data: Measurements, rules: Rules, together: _Rule | None = None
) -> list[tuple[DecisionColumn, Draft]]:
    """One joint bootstrap per modality for all columns; the result of a column does not depend on its company."""
    drafts = []
    for modality in (ALL, *data.modalities):
        rule = together if modality == ALL and together is not None else each
        mask = data.where(modality)
        clusters = data.clusters(mask)
        if not columns:
            continue
        values = np.stack([c.values[mask] for c in columns], axis=1)
        asked = np.stack([c.asked[mask] for c in columns], axis=1)
        found = _intervals(values, clusters, rule, rules, modality)
        expected = _expected(columns, mask, clusters, rule, rules, modality)
        missing = asked & ~np.isfinite(values)
        imputed: dict[int, list[Interval]] = {int(i): [] for i in np.flatnonzero(missing.any(axis=0))}
        for side in rule.sides if imputed else ():
            chosen = list(imputed)
            worst = np.stack([getattr(columns[i], side)[mask] for i in chosen], axis=1)
            filled = np.where(missing[:, chosen], worst, values[:, chosen])
            for i, result in zip(chosen, _intervals(filled, clusters, rule, rules, modality), strict=True):
                imputed[i].append(result)
        for i, column in enumerate(columns):
            draft = _draft(column, modality, mask, found[i], imputed.get(i, []), rule, data, rules)
            draft.expected = expected.get(i)
            drafts.append((column, draft))
    return drafts


def _expected(
    columns: Sequence[DecisionColumn],
    mask: NDArray[np.bool_],
    clusters: NDArray[np.int64],
    rule: _Rule,
    rules: Rules,
    modality: str,
) -> dict[int, Expected]:
    """Return the same estimates from expected scores, by position of the column; nothing without log-probabilities."""
    every = [column.expected[mask] for column in columns]
    known = {i: int(n) for i, values in enumerate(every) if (n := np.isfinite(values).sum())}
    if not known:
        return {}
    found = _intervals(np.stack([every[i] for i in known], axis=1), clusters, rule, rules, modality)
    records = {}
    for (i, n), interval in zip(known.items(), found, strict=True):
        sides = columns[i].treated_answers, columns[i].control_answers
        records[i] = expected_record(_estimate(interval, rule), *sides, mask, (n, interval.n_clusters))
    return records


def _estimate(found: Interval, rule: _Rule) -> Estimate:
    return Estimate(value=found.estimate, low=found.low, high=found.high, level=found.level, unit=rule.unit)


def _intervals(
    values: NDArray[np.float64], clusters: NDArray[np.int64], rule: _Rule, rules: Rules, modality: str
) -> list[Interval]:
    settings = rules.statistics
    return equivalence(
        cluster_means(values, clusters),
        rule.low,
        rule.high,
        alpha=rules.alpha(modality),
        resamples=settings.resamples,
        seed=seed_for(rules.protocol.seed, modality),
        value_range=rule.value_range,
        min_clusters=settings.min_clusters,
        min_informative=settings.min_informative,
    )


def _draft(
    column: DecisionColumn,
    modality: str,
    mask: NDArray[np.bool_],
    found: Interval,
    imputed: list[Interval],
    rule: _Rule,
    data: Measurements,
    rules: Rules,
) -> Draft:
    survives = all(result.decision == "inside" for result in imputed)
    obstacle = ""
    if found.decision == "inside" and not survives:
        obstacle = "with the missing scores at the worst they can be the margin is no longer met"
    draft = Draft(
        modality=modality,
        condition=column.condition,
        estimate=_estimate(found, rule),
        met=found.decision == "inside" and survives,
        p_pass=max([found.p_pass, *(r.p_pass for r in imputed)]),
        p_fail=found.p_fail,
        margin_low=rule.low,
        margin_high=rule.high,
        obstacle=obstacle,
        n_images=int(np.isfinite(column.values[mask]).sum()),
        n_clusters=found.n_clusters,
        outcomes=sum((count_outcomes(answers.outcomes[mask]) for answers in column.treated_answers), Outcomes()),
        control_outcomes=count_outcomes(column.control_answers.outcomes[mask]),
        worst_case=_worst_case(imputed, found, rule),
        rule=found.rule,
        adverse=_adverse(column, mask, rule),
    )
    _plan_ahead(draft, found, imputed, rule, rules)
    return draft


def _worst_case(imputed: list[Interval], found: Interval, rule: _Rule) -> Estimate | None:
    if not imputed:
        return None
    every = [found, *imputed]
    return Estimate(
        value=imputed[-1].estimate,
        low=min(r.low for r in every),
        high=max(r.high for r in every),
        level=found.level,
        unit=rule.unit,
    )


def _plan_ahead(draft: Draft, found: Interval, imputed: list[Interval], rule: _Rule, rules: Rules) -> None:
    """Smallest margin these data could pass, and the way to the number of patients that would settle the question."""
    n = found.n_clusters
    if n >= 2 and np.isfinite(found.se):
        draft.sd = float(found.se * np.sqrt(n))
        if np.isfinite(rule.low):
            draft.mde = draft.sd * _mde_of_unit_sd(n, rules.alpha(draft.modality))

    def settle(fail_alpha: float) -> int | None:
        alphas, settings = (rules.protocol.alpha, fail_alpha), rules.statistics
        least = settings.min_clusters, settings.min_informative
        every = [of_mean(i, (rule.low, rule.high), rule.value_range, alphas, *least) for i in (found, *imputed)]
        # Imputed scores can only keep a PASS away: they never make a FAIL.
        if not every[0].fails and any(prospect.fails for prospect in every):
            return None
        return together(every[:1] if every[0].fails else every)

    draft.settle = settle


@lru_cache(maxsize=1024)
def _mde_of_unit_sd(n: int, alpha: float) -> float:
    """The effect scales with the standard deviation; solving for it takes 50 ms, and a run asks a thousand times."""
    return minimum_detectable_effect(1.0, n, alpha)


def _adverse(column: DecisionColumn, mask: NDArray[np.bool_], rule: _Rule) -> list[Adverse]:
    """The images with the largest changes to the bad side, unscored ones first: they are what readers ask for."""
    indices = np.flatnonzero(mask & column.asked)
    values = column.values[indices]
    badness = np.where(np.isfinite(values), np.abs(values) if rule.adverse == 0 else rule.adverse * values, np.inf)
    order = np.argsort(-badness, kind="stable")[:SHOWN_CASES]
    return [column.at(int(indices[i])) for i in order if badness[i] > 0]


def _add_tail(
    draft: Draft, column: DecisionColumn, family: EquivalenceFamily, data: Measurements, rules: Rules
) -> None:
    """Co-primary: a mean near zero must not hide patients whose score jumps.

    For a PASS a missing score counts as a jump; for a FAIL only jumps that were seen count.
    """
    mask = data.where(draft.modality) & column.asked
    if not mask.any():
        return
    values, clusters = column.values[mask], data.clusters(mask)
    alpha = rules.alpha(draft.modality)
    seen = np.abs(values) > family.tail_points
    worst = _share_of_patients(seen | ~np.isfinite(values), clusters, family, alpha)
    certain = _share_of_patients(seen, clusters, family, alpha)
    draft.tail = Estimate(value=worst.estimate, low=certain.low, high=worst.high, level=1 - 2 * alpha, unit="share")
    if draft.met and worst.decision != "inside":
        draft.met = False
        draft.obstacle = (
            f"the share of patients with a change above {family.tail_points:g} points may be as large as "
            f"{number(worst.high, 'share')} (allowed {number(family.tail_share, 'share')})"
        )
    if certain.decision == "beyond":
        draft.shortfall = (
            f"{number(certain.estimate, 'share')} of the patients change by more than {family.tail_points:g} points "
            f"(allowed {number(family.tail_share, 'share')})"
        )
    draft.p_pass = max(draft.p_pass, 1.0 if worst.p_pass is None else worst.p_pass)
    mean_only = draft.settle

    def settle(fail_alpha: float) -> int | None:
        alphas = (rules.protocol.alpha, fail_alpha / 2)
        seen_only = of_share(certain, family.tail_share, alphas)
        if seen_only.fails:
            return seen_only.clusters
        prospect = of_share(worst, family.tail_share, alphas)
        mean = mean_only(fail_alpha / 2) if mean_only is not None else None
        if prospect.fails or prospect.clusters is None or mean is None:
            return None  # missing scores count as jumps against a PASS, but make no FAIL
        return max(mean, prospect.clusters)

    draft.settle = settle
    # Two ways to fail: Bonferroni over the mean and the tail.
    draft.p_fail = min(1.0, 2 * min(draft.p_fail, 1.0 if certain.p_fail is None else certain.p_fail))


def _share_of_patients(
    jumps: NDArray[np.bool_], clusters: NDArray[np.int64], family: EquivalenceFamily, alpha: float
) -> Proportion:
    return tail_share(np.bincount(clusters, weights=jumps) > 0, family.tail_share, alpha)
