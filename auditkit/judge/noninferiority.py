"""Gates on two versions of a model: what an audit measures must not have become worse by more than a margin."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from auditkit.evidence import Estimate, Outcomes
from auditkit.judge.draft import Draft
from auditkit.judge.means import seed_for
from auditkit.judge.prospects import POWER, of_mean, of_share
from auditkit.judge.rates import REFUSED, UNUSABLE
from auditkit.judge.rules import Rules
from auditkit.judge.version_effects import (
    KINDS,
    Effect,
    Kind,
    Pairs,
    Versions,
    answered,
    columns_of,
    effects,
    same_answers,
)
from auditkit.measure.columns import ALL, Column, count_outcomes
from auditkit.protocol.model import AgreementFamily, DiscriminationFamily, Family
from auditkit.stats.auroc_difference import AurocDifference, auroc_difference, auroc_difference_test
from auditkit.stats.planning import clusters_to_settle
from auditkit.stats.rates import against_cap, rate_difference
from auditkit.stats.reduce import cluster_means
from auditkit.stats.versions import IDENTICAL, ROUTES, Worsening, worsening
from auditkit.vocabulary import Comparison, Series

if TYPE_CHECKING:
    from numpy.typing import NDArray

HANGS_ON_MISSING = "with the missing scores at the worst they can be the margin is no longer met"


@dataclass(slots=True)
class VersionDraft(Draft):
    """A decision on two versions.

    Attributes
    ----------
    now, before : float or None
        The audit's own estimate in the new and in the old version, over the same images.
    """

    now: float | None = None
    before: float | None = None


def judge_versions(
    family: Family, comparisons: Sequence[Comparison], versions: Versions, rules: Rules
) -> dict[str, list[Draft]]:
    """Return what was found for every comparison: all patients together and each modality.

    ``outcomes`` of a draft are the new version's, ``control_outcomes`` the old one's, over all questions of the audit.
    """
    if family.gate in KINDS:
        drafts = _means(*effects(family, comparisons, versions, rules), KINDS[family.gate], versions, rules)
    elif isinstance(family, DiscriminationFamily):
        drafts = _areas(family, comparisons, versions, rules)
    else:
        drafts = _shares(family, comparisons, versions, rules)
    found: dict[str, list[Draft]] = {c.name: [] for c in comparisons}
    for name, draft in drafts:
        found[name].append(draft)
    return found


def _means(
    every: Sequence[Effect], largest: float, kind: Kind, versions: Versions, rules: Rules
) -> Iterator[tuple[str, VersionDraft]]:
    """One joint bootstrap per modality and route for all effects."""
    settings, data = rules.statistics, versions.new
    for modality in (ALL, *data.modalities):
        mask, margin = data.where(modality), rules.protocol.baseline.margin(kind.margin, together=modality == ALL)
        clusters = data.clusters(mask)

        def judged(some: Sequence[Effect], values: Callable[[Effect, int], NDArray[np.float64]]) -> list[Worsening]:
            return worsening(
                {
                    w: cluster_means(np.stack([values(e, w)[mask] for e in some], axis=1), clusters)  # noqa: B023
                    for w in ROUTES[kind.harm]
                },
                kind.harm,
                margin,  # noqa: B023 - called within this turn of the loop only
                alpha=rules.alpha(modality),  # noqa: B023
                seed=seed_for(rules.protocol.seed, modality),  # noqa: B023
                resamples=settings.resamples,
                value_range=largest,
                min_clusters=settings.min_clusters,
                min_informative=settings.min_informative,
            )

        if not every:
            return
        found = judged(every, Effect.move)
        gaps = [e for e in every if (e.counted & np.isnan(e.move(1)))[mask].any()]
        worst: dict[int, list[Worsening]] = {id(e): [] for e in gaps}
        for end in (0, 1) if gaps else ():
            for effect, result in zip(gaps, judged(gaps, lambda e, w: _filled(e, w, end)), strict=True):  # noqa: B023
                worst[id(effect)].append(result)
        for effect, result in zip(every, found, strict=True):
            imputed = worst.get(id(effect), [])
            draft = _mean_draft(effect, result, imputed, mask, modality, margin, kind, clusters)
            _accept_identical(draft, effect.pairs, mask, settings.min_clusters)
            draft.settle = _settle(result, imputed, margin, largest, rules)
            yield effect.comparison, draft


def _filled(effect: Effect, w: int, end: int) -> NDArray[np.float64]:
    """New - w old with what is missing at the least (end 0) or the most (end 1) that it can have been."""
    values = effect.move(w)
    return np.where(effect.counted & np.isnan(values), effect.span(w)[end], values)


def _mean_draft(
    effect: Effect,
    found: Worsening,
    imputed: Sequence[Worsening],
    mask: NDArray[np.bool_],
    modality: str,
    margin: float,
    kind: Kind,
    clusters: NDArray[np.int64],
) -> VersionDraft:
    survives = all(result.decision == "inside" for result in imputed)
    there = np.isfinite(effect.move(1))[mask]
    sides = np.stack([effect.new[mask], effect.old[mask]], axis=1)[there]
    means = cluster_means(sides, clusters[there]) if there.any() else np.empty((0, 2))
    now, before = np.nanmean(means, axis=0) if means.size else (np.nan, np.nan)
    draft = VersionDraft(
        modality=modality,
        condition=effect.condition,
        estimate=_estimate(found, kind.unit),
        met=found.decision == "inside" and survives,
        p_pass=max([found.p_pass, *(r.p_pass for r in imputed)]),
        p_fail=found.p_fail,
        margin_high=margin,
        obstacle=HANGS_ON_MISSING if found.decision == "inside" and not survives else "",
        n_images=int(there.sum()),
        n_clusters=found.n_clusters,
        worst_case=_range([found, *imputed], kind.unit) if imputed else None,
        sd=found.sd,
        rule=found.rule,
        now=float(now),
        before=float(before),
    )
    return _with_outcomes(draft, effect.pairs, mask)


def _settle(
    found: Worsening, imputed: Sequence[Worsening], margin: float, largest: float, rules: Rules
) -> Callable[[float], int | None]:
    """Return the way to the number of patients that would settle it: the cheapest route on each side."""

    def settle(fail_alpha: float) -> int | None:
        least, alpha = (rules.statistics.min_clusters, rules.statistics.min_informative), rules.protocol.alpha
        needed = []
        if found.estimate > margin:
            for side in found.sides:
                ends = {max(r.old for r in side), min(r.old for r in side)}
                some = [
                    of_mean(r.passing, (-np.inf, margin), largest * (1 + abs(r.old)), (alpha, fail_alpha), *least)
                    for r in side
                    if r.old in ends
                ]
                if all(p.fails and p.clusters is not None for p in some):
                    needed.append(max(p.clusters for p in some if p.clusters is not None))
            return min(needed, default=None)
        for side in (side for result in (found, *imputed) for side in result.sides):
            ways = [
                of_mean(r.passing, (-np.inf, margin), largest * (1 + abs(r.old)), (alpha * r.part, alpha), *least)
                for r in side
            ]
            clusters = [p.clusters for p in ways if not p.fails and p.clusters is not None]
            if not clusters:
                return None
            needed.append(min(clusters))
        return max(needed, default=None)

    return settle


def _shares(
    family: Family, comparisons: Sequence[Comparison], versions: Versions, rules: Rules
) -> Iterator[tuple[str, VersionDraft]]:
    """Share of unusable, or of changed, answers: new minus old over images answered throughout."""
    data = versions.new
    for comparison in comparisons:
        new, old = (columns_of(comparison, d, rules) for d in (versions.new, versions.old))
        pairs = tuple(zip(new, old, strict=True))
        for modality in (ALL, *data.modalities):
            where, alpha = data.where(modality), rules.alpha(modality)
            margin = rules.protocol.baseline.margin("share", together=modality == ALL)
            mask = where & answered(pairs)
            if isinstance(family, AgreementFamily):
                events = [(_changed(new)[mask], _changed(old)[mask])]
            else:
                codes = (REFUSED,) if comparison.name.endswith("-refused") else UNUSABLE
                events = [(np.isin(n.outcomes[mask], codes), np.isin(o.outcomes[mask], codes)) for n, o in pairs]
            now, before = (np.concatenate(side) for side in zip(*events, strict=True))
            clusters = np.tile(data.clusters(mask), len(events))
            share = against_cap(rate_difference(now, before, clusters, alpha), margin)
            enough = share.n_clusters >= rules.statistics.min_clusters
            draft = VersionDraft(
                modality=modality,
                condition="",
                estimate=Estimate(
                    value=share.estimate, low=share.low, high=share.high, level=share.level, unit="share"
                ),
                met=share.decision == "inside" and enough,
                p_pass=1.0 if share.p_pass is None or not enough else share.p_pass,
                p_fail=1.0 if share.p_fail is None else share.p_fail,
                margin_high=margin,
                n_images=int(mask.sum()),
                n_clusters=share.n_clusters,
                settle=lambda fail_alpha, share=share, margin=margin, alpha=alpha: (  # type: ignore[misc]
                    of_share(share, margin, (alpha, fail_alpha)).clusters
                ),
                rule=share.rule,
                now=float(now.mean()) if mask.any() else None,
                before=float(before.mean()) if mask.any() else None,
            )
            _accept_identical(_with_outcomes(draft, pairs, where), pairs, where, rules.statistics.min_clusters)
            yield comparison.name, draft


def _changed(columns: tuple[Column, ...]) -> NDArray[np.bool_]:
    control, treated = columns
    return ~same_answers(((treated, control),))


def _areas(
    family: DiscriminationFamily, comparisons: Sequence[Comparison], versions: Versions, rules: Rules
) -> Iterator[tuple[str, VersionDraft]]:
    """AUROC of clean against each severity that the family requires."""
    for series in comparisons:
        if not isinstance(series, Series):
            continue  # its own audit says what is wrong
        new, old = (columns_of(series, d, rules) for d in (versions.new, versions.old))
        for severity in family.severities:
            at = 1 + series.severities.index(severity)
            pairs = ((new[0], old[0]), (new[at], old[at]))
            for modality in (ALL, *versions.new.modalities):
                yield series.name, _area(pairs, f"severity {severity}", modality, versions, rules)


def _area(pairs: Pairs, condition: str, modality: str, versions: Versions, rules: Rules) -> VersionDraft:
    data, minimum, alpha = versions.new, rules.statistics.min_clusters_auroc, rules.alpha(modality)
    margin = rules.protocol.baseline.margin("auroc", together=modality == ALL)
    mask = data.where(modality)
    clusters = data.clusters(mask)
    # Over all modalities images are compared within theirs.
    strata = np.unique(data.modality[mask].astype(str), return_inverse=True)[1]

    def judged(fill: tuple[float, float] | None) -> AurocDifference:
        sides = [_scores(pair, mask, None if fill is None else fill[i]) for i, pair in enumerate(pairs)]
        (new_clean, old_clean), (new_treated, old_treated) = sides
        return auroc_difference((new_clean, new_treated), (old_clean, old_treated), clusters, alpha, strata)

    found = judged(None)
    every = [found]
    if any((np.isnan(new.scores) != np.isnan(old.scores))[mask].any() for new, old in pairs):
        every.append(judged((0.0, 100.0)))  # a missing score counts as wrong now, and as right before
    tests = [auroc_difference_test(result, margin, min_clusters=minimum) for result in every]
    inside = [p <= alpha and result.low > -margin for (p, _), result in zip(tests, every, strict=True)]
    draft = VersionDraft(
        modality=modality,
        condition=condition,
        estimate=_area_estimate(found),
        met=all(inside),
        p_pass=max(p for p, _ in tests),
        p_fail=tests[0][1],
        margin_low=-margin,
        obstacle=HANGS_ON_MISSING if inside[0] and not all(inside) else "",
        n_images=int(np.logical_and.reduce([np.isfinite(c.scores[mask]) for pair in pairs for c in pair]).sum()),
        n_clusters=found.n_clusters,
        worst_case=_area_estimate(every[1]) if len(every) > 1 else None,
        settle=lambda fail_alpha: _settle_area(every, margin, (rules.protocol.alpha, fail_alpha), minimum),
        rule="too few clusters" if found.n_clusters < minimum else "paired AUROC difference, t and skewness",
        now=found.new,
        before=found.old,
    )
    return _accept_identical(_with_outcomes(draft, pairs, mask), pairs, mask, minimum)


def _scores(
    pair: tuple[Column, Column], mask: NDArray[np.bool_], wrong: float | None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The scores of both versions; where only one is missing, the new one is put at ``wrong``, the old one opposite."""
    new, old = (column.scores[mask] for column in pair)
    if wrong is None:
        return new, old
    filled = np.where(np.isnan(new) & ~np.isnan(old) & (pair[0].outcomes[mask] >= 0), wrong, new)
    return filled, np.where(np.isnan(old) & ~np.isnan(new) & (pair[1].outcomes[mask] >= 0), 100.0 - wrong, old)


def _settle_area(
    every: Sequence[AurocDifference], margin: float, alphas: tuple[float, float], least: int
) -> int | None:
    def needed(result: AurocDifference, alpha: float) -> int | None:
        if not result.spread > 0:
            return None
        sd = result.spread * np.sqrt(result.n_clusters)
        return clusters_to_settle(sd, -margin, np.inf, result.estimate, alpha, POWER, min_clusters=least)

    if every[0].estimate < -margin:
        return needed(every[0], alphas[1])
    clusters = [needed(result, alphas[0]) if result.estimate > -margin else None for result in every]
    return None if None in clusters else max(c for c in clusters if c is not None)


def _accept_identical(draft: VersionDraft, pairs: Pairs, mask: NDArray[np.bool_], minimum: int) -> VersionDraft:
    """What has not changed has not become worse; a few equal answers are chance, so it takes the usual minimum."""
    if draft.n_clusters >= minimum and same_answers(pairs)[mask].all():
        draft.met, draft.obstacle, draft.rule = True, "", IDENTICAL
    return draft


def _with_outcomes(draft: VersionDraft, pairs: Pairs, mask: NDArray[np.bool_]) -> VersionDraft:
    draft.outcomes = sum((count_outcomes(new.outcomes[mask]) for new, _ in pairs), Outcomes())
    draft.control_outcomes = sum((count_outcomes(old.outcomes[mask]) for _, old in pairs), Outcomes())
    return draft


def _estimate(found: Worsening, unit: str) -> Estimate:
    return Estimate(value=found.estimate, low=found.low, high=found.high, level=found.level, unit=unit)


def _range(every: Sequence[Worsening], unit: str) -> Estimate:
    low, high = min(r.low for r in every), max(r.high for r in every)
    return Estimate(value=every[-1].estimate, low=low, high=high, level=every[0].level, unit=unit)


def _area_estimate(found: AurocDifference) -> Estimate:
    return Estimate(value=found.estimate, low=found.low, high=found.high, level=found.level, unit="AUROC")
