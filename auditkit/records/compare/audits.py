"""Every audit over all models: verdicts as recorded, effects with joint intervals, and who can be told from whom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from auditkit.evidence import Audit, Estimate
from auditkit.evidence.comparison import ComparedAudit, Difference, ModelEffect
from auditkit.judge.titles import Titles
from auditkit.judge.versions import STATISTIC
from auditkit.measure.columns import ALL
from auditkit.measure.recorded import effect_from
from auditkit.protocol.model import Protocol, Verb
from auditkit.protocol.shipped import SHIPPED
from auditkit.records.compare.effects import effect_of
from auditkit.records.compare.estimates import told
from auditkit.records.compare.joint import Settings, Tails, joint_intervals
from auditkit.records.compare.ranks import letters, pairs_of, ties
from auditkit.records.compare.runs import Contestant
from auditkit.records.compare.values import Gap, ModelsEffect
from auditkit.vocabulary import MODEL, Effect


@dataclass(frozen=True, slots=True)
class Measured:
    """An audit with its effect in every model and what the joint resamples say of it."""

    id: str
    family: str
    verb: Verb | None
    statistic: str
    per: str
    effect: ModelsEffect
    alone: list[Estimate]
    n_clusters: list[int]
    pairs: list[Gap]
    tails: Tails


def measure(runs: Sequence[Contestant], protocol: Protocol, settings: Settings) -> list[Measured]:
    """Measure every audit that a run judged, in all models."""
    data = [run.data for run in runs]
    found = []
    for identifier, effect in common(runs, protocol).items():
        measured = effect_of(effect, data, protocol)
        if measured is not None and any(counts.n_images for counts in measured.counts):
            found.append(_measure(identifier, effect, protocol, measured, settings))
    return found


def common(runs: Sequence[Contestant], protocol: Protocol) -> dict[str, Effect]:
    """Return the effects that the runs judged, by the audit's id: the shipped ones first, then the others by name.

    An id that stands for different effects in different runs, or for a comparison with other models, is left out: the
    verdicts would be about other things.
    """
    recorded: dict[str, set[Effect]] = {}
    others = _same_beside(runs)
    for audit in (audit for run in runs for audit in run.evidence.audits if audit.family in protocol.families):
        effect = effect_from(audit)
        if effect is not None and not effect.between and _roles(effect) <= others.keys() | {MODEL}:
            recorded.setdefault(audit.id, set()).add(effect)
    agreed = {identifier: effects.pop() for identifier, effects in recorded.items() if len(effects) == 1}
    order = [f"{effect.family}/{effect.name}" for listed in SHIPPED.values() for effect in listed()]
    place = {identifier: i for i, identifier in enumerate(order)}
    return {name: agreed[name] for name in sorted(agreed, key=lambda name: (place.get(name, len(place)), name))}


def _roles(effect: Effect) -> set[str]:
    return {question.role for question in effect.questions()}


def _same_beside(runs: Sequence[Contestant]) -> dict[str, str]:
    """Return the names of those who answered beside the model, by role, where they are the same in all runs."""
    known = [{o.role: (o.name, o.revision, o.fingerprint) for o in run.evidence.models} for run in runs]
    return {role: who[0] for role, who in known[0].items() if all(each.get(role) == who for each in known)}


def titled(found: Sequence[ComparedAudit], runs: Sequence[Contestant], protocol: Protocol) -> list[ComparedAudit]:
    """Give audits that compare with another model a title in which the models of the runs stand for themselves."""
    titles = Titles(protocol.catalogue, {MODEL: "each model", **_same_beside(runs)})
    effects = {audit.id: effect_from(audit) for run in runs for audit in run.evidence.audits}
    return [
        audit.model_copy(update={"title": titles.title(effect)})
        if (effect := effects.get(audit.id)) is not None and _roles(effect) != {MODEL}
        else audit
        for audit in found
    ]


def _measure(
    identifier: str, effect: Effect, protocol: Protocol, measured: ModelsEffect, settings: Settings
) -> Measured:
    alone, offset, reach = measured.alone()
    single = joint_intervals(alone, reach, settings)
    values, reach = measured.pairs()
    paired = joint_intervals(values, reach, settings)
    return Measured(
        id=identifier,
        family=effect.family,
        verb=protocol.families[effect.family].verb,
        statistic=effect.statistic,
        per=effect.per,
        effect=measured,
        alone=measured.estimates(single, offset, settings),
        n_clusters=[i.n_clusters for i in single.intervals],
        pairs=measured.gaps(paired, settings),
        tails=paired.tails,
    )


def compared(measured: Sequence[Measured], runs: Sequence[Contestant], settings: Settings) -> list[ComparedAudit]:
    """Correct over all pairs and all audits of a family, and put the audits' words beside the numbers."""
    labels = [run.label for run in runs]
    families: dict[str, Tails] = {}
    for name in dict.fromkeys(m.family for m in measured):
        families[name] = Tails.joined(m.tails for m in measured if m.family == name)
    found = []
    for m in measured:
        own = [_audit(run, m.id) for run in runs]
        differences = [
            told(labels[a], labels[b], gap.estimate, (n, gap.n_clusters), families[m.family].adjusted(gap.p), settings)
            for (a, b), gap, n in zip(pairs_of(len(runs)), m.pairs, m.effect.n_both(), strict=True)
        ]
        sets = ties(len(runs), [pair for pair, d in zip(pairs_of(len(runs)), differences, strict=True) if d.apart])
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
        found.append(_compared(_judged(own), models, differences, m.effect.what))
    return found


def verdicts_only(runs: Sequence[Contestant], known: set[str]) -> list[ComparedAudit]:
    """Audits that the runs define differently, or not at all: their verdicts and estimates stand as recorded."""
    # Against an earlier run of one model: no matter between models.
    every = {a.id for run in runs for a in run.evidence.audits if a.statistic != STATISTIC and not a.between}
    found = []
    for identifier in sorted(every - known):
        own = [_audit(run, identifier) for run in runs]
        models = [
            ModelEffect(
                verdict=None if audit is None else audit.verdict,
                estimate=Estimate() if audit is None else audit.estimate,
                n_images=0 if audit is None else audit.n_images,
                n_clusters=0 if audit is None else audit.n_clusters,
            )
            for audit in own
        ]
        found.append(_compared(_judged(own), models))
    return found


def _compared(
    words: Audit, models: list[ModelEffect], differences: Sequence[Difference] = (), what: str = ""
) -> ComparedAudit:
    """Put the words of an audit beside the numbers."""
    low, high = _accepted(words)
    return ComparedAudit(
        id=words.id,
        family=words.family,
        verb=words.verb,
        statistic=words.statistic,
        quantity=words.quantity,
        unit=words.unit,
        change=words.change,
        title=words.title,
        what=what,
        margin_low=low,
        margin_high=high,
        models=models,
        differences=list(differences),
    )


def _judged(own: Sequence[Audit | None]) -> Audit:
    """The first record of an audit that could be judged, else the first there is: one that could not has no words."""
    there = [audit for audit in own if audit is not None]
    return next((audit for audit in there if audit.parts), there[0])


def _audit(run: Contestant, identifier: str) -> Audit | None:
    return next((audit for audit in run.evidence.audits if audit.id == identifier), None)


def _accepted(audit: Audit) -> tuple[float | None, float | None]:
    """What is accepted over all modalities."""
    ends = {(c.margin_low, c.margin_high) for c in audit.parts if c.stratum.level == ALL}
    return next(iter(ends)) if len(ends) == 1 else (None, None)
