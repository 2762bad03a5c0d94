"""Every audit over all models: verdicts as recorded, effects with joint intervals, and who can be told from whom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from auditkit.evidence import Audit, Estimate
from auditkit.evidence.comparison import ComparedAudit, ModelEffect
from auditkit.judge.rules import Rules
from auditkit.measure.columns import ALL
from auditkit.protocol.model import Family, Protocol
from auditkit.records.compare.area import difference
from auditkit.records.compare.effects import AreaEffect, Effect, effect_of, shipped
from auditkit.records.compare.estimates import direction_p, estimate_of, told
from auditkit.records.compare.joint import Joint, Settings, Tails, joint_intervals
from auditkit.records.compare.ranks import letters, pairs_of, ties
from auditkit.records.compare.runs import Contestant


@dataclass(frozen=True, slots=True)
class Measured:
    """An audit with its effect in every model and what the joint resamples say of it."""

    id: str
    family: str
    gate: str
    effect: Effect
    alone: list[Estimate]
    n_clusters: list[int]
    pairs: list[tuple[Estimate, int, float]]  # interval, patients, p of the direction seen
    tails: Tails


def measure(runs: Sequence[Contestant], protocol: Protocol, settings: Settings) -> list[Measured]:
    """Measure every audit that is shipped and that a run judged, in all models."""
    rules, data = Rules(protocol), [run.data for run in runs]
    known = {audit.id: audit.gate for run in runs for audit in run.evidence.audits}
    found = []
    for identifier, comparison in shipped(protocol.families):
        family = protocol.families[comparison.family]
        if known.get(identifier) != family.gate:
            continue
        effect = effect_of(comparison, family, data, rules)
        if effect is not None and any(counts.n_images for counts in effect.counts):
            found.append(_measure(identifier, family, comparison.family, effect, settings))
    return found


def _measure(identifier: str, family: Family, name: str, effect: Effect, settings: Settings) -> Measured:
    alone, offset, reach = effect.alone()
    single = joint_intervals(alone, reach, settings)
    values, reach = effect.pairs()
    paired = joint_intervals(values, reach, settings)
    if isinstance(effect, AreaEffect):
        ends = [_area(effect, at, single) for at in range(alone.shape[1])]
        pairs = [_area_pair(effect, at, paired, settings) for at in range(values.shape[1])]
    else:
        ends = [estimate_of(i, effect.unit, settings, offset) for i in single.intervals]
        pairs = [(estimate_of(i, effect.unit, settings), i.n_clusters, direction_p(i)) for i in paired.intervals]
    n_clusters = [i.n_clusters for i in single.intervals]
    return Measured(identifier, name, family.gate, effect, ends, n_clusters, pairs, paired.tails)


def _area(effect: AreaEffect, at: int, joint: Joint) -> Estimate:
    """An area alone has the interval of its gate, at the level that holds for all models at once."""
    area = effect.areas[at].interval(joint.level)
    level = joint.intervals[at].level
    if not np.isfinite(area.estimate):
        return Estimate(unit="AUROC", level=level)
    return Estimate(value=area.estimate, low=area.low, high=area.high, level=level, unit="AUROC")


def _area_pair(effect: AreaEffect, at: int, joint: Joint, settings: Settings) -> tuple[Estimate, int, float]:
    found, level = joint.intervals[at], 1 - 2 * settings.alpha
    if not found.n_clusters:
        return Estimate(unit="AUROC", level=level), 0, 1.0
    low, high, p = found.low, found.high, direction_p(found)
    if joint.sparse[at]:
        low, high, p = difference(*effect.paired[at], joint.level)
    ends = {"low": max(low, -1.0), "high": min(high, 1.0)}
    return Estimate(value=found.estimate, level=level, unit="AUROC", **ends), found.n_clusters, p


def compared(measured: Sequence[Measured], runs: Sequence[Contestant], settings: Settings) -> list[ComparedAudit]:
    """Correct over all pairs and all audits of a family, and put the audits' words beside the numbers."""
    labels = [run.label for run in runs]
    families: dict[str, Tails] = {}
    for name in dict.fromkeys(m.family for m in measured):
        families[name] = Tails.joined(m.tails for m in measured if m.family == name)
    found = []
    for m in measured:
        own = [_audit(run, m.id) for run in runs]
        words = next(audit for audit in own if audit is not None)
        differences = [
            told(labels[a], labels[b], estimate, (n_images, n_clusters), families[m.family].adjusted(p), settings)
            for (a, b), (estimate, n_clusters, p), n_images in zip(
                pairs_of(len(runs)), m.pairs, m.effect.n_both(), strict=True
            )
        ]
        sets = ties(len(runs), [pair for pair, d in zip(pairs_of(len(runs)), differences, strict=True) if d.apart])
        low, high = _accepted(words)
        models = [
            ModelEffect(
                verdict=None if audit is None else audit.verdict,
                estimate=estimate,
                n_images=counts.n_images,
                n_clusters=n,
                n_missing=counts.n_missing,
                unusable=counts.unusable,
                letters=letter,
            )
            for audit, estimate, counts, n, letter in zip(
                own, m.alone, m.effect.counts, m.n_clusters, letters(sets, len(runs)), strict=True
            )
        ]
        found.append(
            ComparedAudit(
                id=m.id,
                family=m.family,
                gate=m.gate,
                title=words.title,
                what=m.effect.what,
                margin_low=low,
                margin_high=high,
                models=models,
                differences=differences,
            )
        )
    return found


def verdicts_only(runs: Sequence[Contestant], known: set[str]) -> list[ComparedAudit]:
    """Audits whose definition is not shipped: their verdicts and estimates stand as recorded."""
    every: dict[str, Audit] = {}
    for run in runs:
        for audit in run.evidence.audits:
            # Against an earlier run of one model: no matter between models.
            if audit.family not in ("baseline", "anchor"):
                every.setdefault(audit.id, audit)
    found = []
    for identifier in sorted(set(every) - known):
        own = [_audit(run, identifier) for run in runs]
        low, high = _accepted(every[identifier])
        models = [
            ModelEffect(
                verdict=None if audit is None else audit.verdict,
                estimate=Estimate() if audit is None else audit.estimate,
                n_images=0 if audit is None else audit.n_images,
                n_clusters=0 if audit is None else audit.n_clusters,
            )
            for audit in own
        ]
        words = every[identifier]
        found.append(
            ComparedAudit(
                id=identifier,
                family=words.family,
                gate=words.gate,
                title=words.title,
                margin_low=low,
                margin_high=high,
                models=models,
            )
        )
    return found


def _audit(run: Contestant, identifier: str) -> Audit | None:
    return next((audit for audit in run.evidence.audits if audit.id == identifier), None)


def _accepted(audit: Audit) -> tuple[float | None, float | None]:
    """What the gate accepts over all modalities."""
    ends = {(c.margin_low, c.margin_high) for c in audit.by_modality if c.modality == ALL}
    return next(iter(ends)) if len(ends) == 1 else (None, None)
