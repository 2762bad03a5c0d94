"""New patients month by month: what all patients so far say of an audit, with a band that holds at every look."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from auditkit.errors import AuditkitError
from auditkit.evidence import Audit
from auditkit.evidence.history import Monitored, MonitoredPoint
from auditkit.measure.columns import Measurements
from auditkit.measure.recorded import effect_from, from_answers
from auditkit.protocol.model import Protocol
from auditkit.records.compare.effects import effect_of
from auditkit.records.compare.values import MeanEffect, ModelsEffect
from auditkit.records.history.alike import Runs
from auditkit.stats.anytime import bounds, first_beyond
from auditkit.stats.reduce import FloatArray, cluster_means
from auditkit.vocabulary import MODEL, Effect

FIRST = 2
"""The band drawn is that of the bet that began with the first run, which has half of the error."""


def monitored(runs: Runs, versions: Sequence[int]) -> list[Monitored]:
    """Return the bands of every audit that is a mean, over the runs of the last version.

    Parameters
    ----------
    runs : Runs
        The records.
    versions : sequence of int
        Place of every run's version: patients that another version judged say nothing of this one.
    """
    last = len(runs.evidences) - 1
    own = [n for n, version in enumerate(versions) if version == versions[last] and runs.evidences[n].answers.items]
    protocol = runs.protocol(last)
    if protocol is None or not own:
        return []
    data = {n: from_answers(runs.evidences[n].answers) for n in own}
    found = []
    for audit in runs.evidences[own[-1]].audits:
        effect = effect_from(audit)
        family = protocol.families.get(audit.family)
        if effect is None or family is None or effect.between:
            continue
        if {question.role for question in effect.questions()} != {MODEL}:
            continue
        alike = [n for n in own if _same(runs, n, own[-1], audit)]
        every = [(n, _measured(effect, data[n], protocol)) for n in alike]
        measured = [(n, one) for n, one in every if isinstance(one, MeanEffect)]
        if measured:
            found.append(_band(runs, audit, measured, protocol))
    return found


def _same(runs: Runs, before: int, after: int, audit: Audit) -> bool:
    """Whether another run has the audit and measured the same, whatever the patients were."""
    earlier = next((one for one in runs.evidences[before].audits if one.id == audit.id), None)
    return earlier is not None and (before == after or not runs.measured_otherwise(before, after, audit, earlier))


def _measured(effect: Effect, data: Measurements, protocol: Protocol) -> ModelsEffect | None:
    try:
        return effect_of(effect, [data], protocol)
    except (AuditkitError, ValueError):  # an audit of somebody's that this auditkit cannot measure again
        return None


def _band(runs: Runs, audit: Audit, measured: Sequence[tuple[int, MeanEffect]], protocol: Protocol) -> Monitored:
    family = protocol.families[audit.family]
    ends = family.ends(together=True)
    margin_low, margin_high = (end if math.isfinite(end) else None for end in ends)
    seen: set[str] = set()
    values: FloatArray = np.empty(0)
    points: list[MonitoredPoint] = []
    low = min(effect.low for _, effect in measured)
    high = max(effect.high for _, effect in measured)
    looks: list[int] = []
    for n, effect in measured:
        new = _new(runs, n, effect, seen)
        values = np.concatenate([values, new])
        looks.append(values.size)
        lower, upper = bounds(values, low, high, protocol.alpha / FIRST)
        points.append(
            MonitoredPoint(
                run=n + 1,
                mean=float(values.mean()) if values.size else None,
                low=lower,
                high=upper,
                n_clusters=int(values.size),
                n_new=int(new.size),
            )
        )
    told = _told(values, looks, (low, high), ends, protocol.alpha)
    return Monitored(
        id=audit.id,
        title=audit.title or audit.id,
        verb=family.verb or "",
        unit=measured[-1][1].unit,
        change=audit.change,
        margin_low=margin_low,
        margin_high=margin_high,
        points=points,
        beyond=0 if told is None else points[told[0]].run,
        since=0 if told is None else points[told[1]].run,
        what=measured[-1][1].what,
    )


def _told(
    values: FloatArray, looks: Sequence[int], span: tuple[float, float], ends: tuple[float, float], alpha: float
) -> tuple[int, int] | None:
    """Return the first run at which one end of what is accepted is left, and the run from which on; each at alpha."""
    low, high = span
    sides = []
    if low <= ends[1] < high:
        sides.append(first_beyond(values, looks, low, high, ends[1], alpha))
    if low < ends[0] <= high:
        sides.append(first_beyond(-values, looks, -high, -low, -ends[0], alpha))
    return min((side for side in sides if side is not None), default=None)


def _new(runs: Runs, run: int, effect: MeanEffect, seen: set[str]) -> FloatArray:
    """Return the values of patients who were in no run before, by their hashed names: an order that no value makes."""
    means = cluster_means(effect.values[0][:, None], effect.clusters)[:, 0]
    items = runs.evidences[run].answers.items
    names = {int(code): item.cluster for code, item in zip(effect.clusters, items, strict=True)}
    new = sorted((name, means[code]) for code, name in names.items() if name not in seen and np.isfinite(means[code]))
    seen.update(name for name, _ in new)
    return np.array([value for _, value in new], dtype=np.float64)
