"""Slow drift: a line through an audit's effect in several versions of a model, paired within the patient.

Eight versions that each lose a little differ from one another by less than any of them can show; a line through all
of them uses every run. Each image's own value is weighted so that the weighted sum is the rise of the least-squares
line from the first version to the last; what an image has in common with itself in every run cancels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from auditkit.errors import AuditkitError
from auditkit.evidence import Audit, Estimate
from auditkit.evidence.history import Event, PastAudit, Trend
from auditkit.measure.columns import Measurements
from auditkit.measure.recorded import effect_from, from_answers
from auditkit.protocol.model import Protocol
from auditkit.records.compare.effects import effect_of
from auditkit.records.compare.estimates import direction_p
from auditkit.records.compare.joint import Settings, joint_intervals
from auditkit.records.compare.values import MeanEffect, ModelsEffect
from auditkit.records.history.alike import Runs
from auditkit.records.history.series import turned
from auditkit.stats.equivalence import Interval, equivalence
from auditkit.stats.reduce import FloatArray, cluster_means
from auditkit.vocabulary import MODEL

VERSIONS = 3
"""Through two points there is always a line: their difference is what `--audit-baseline` tests."""


@dataclass(frozen=True)
class Line:
    """An audit's line before anything is said of it.

    Attributes
    ----------
    id : str
        The audit.
    runs : list of int
        Places of the runs, from 0.
    patients : ndarray, shape (G,)
        Rise from first to last version in every patient; NaN where a value is missing.
    means : ndarray, shape (K,)
        Of every run, over the patients that count.
    weights : ndarray, shape (K,)
        Of the runs.
    """

    id: str
    family: str
    what: str
    unit: str
    runs: list[int]
    patients: FloatArray
    means: FloatArray
    weights: FloatArray
    n_images: int
    n_left_out: int


def trends(
    runs: Runs, versions: Sequence[int], audits: Sequence[PastAudit], events: Sequence[Event], settings: Settings
) -> dict[str, Trend]:
    """Return the trend of every audit that at least three versions measured alike on the same images, by its id.

    Parameters
    ----------
    runs : Runs
        The records.
    versions : sequence of int
        Place of every run's version.
    audits : sequence of PastAudit
        The audits over the runs.
    events : sequence of Event
        What moved from one run to the next.
    settings : Settings
        Error per side, resamples and seed.
    """
    data: dict[int, Measurements] = {}
    groups: dict[str, list[Line]] = {}
    for audit in audits:
        line = _line(runs, versions, audit.id, data)
        if line is not None:
            groups.setdefault(runs.data[line.runs[-1]], []).append(line)
    found: dict[str, Trend] = {}
    moved = [event for event in events if event.kind == "interval"]
    for lines in groups.values():
        # Lines of other patients have resamples of their own: each group pays its share of the error.
        adjusted = corrected(lines, settings, len(groups))
        for line, p in zip(lines, adjusted, strict=True):
            protocol = runs.protocol(line.runs[-1])
            jumped = {event.run for event in moved if event.audit == line.id}
            if protocol is not None:
                found[line.id] = _trend(line, versions, p, protocol, settings, jumped)
    return found


def weights_of(versions: Sequence[int]) -> FloatArray:
    """Return what every run counts in the rise of the least-squares line from the first version to the last.

    Parameters
    ----------
    versions : sequence of int, length K
        Place of every run's version; at least two differ.

    Examples
    --------
    >>> weights_of([1, 2, 3]).tolist()
    [-1.0, 0.0, 1.0]
    """
    x = np.asarray(versions, dtype=np.float64)
    x = x - x.mean()
    return np.asarray(x * (x.max() - x.min()) / (x * x).sum())


def _line(runs: Runs, versions: Sequence[int], identifier: str, data: dict[int, Measurements]) -> Line | None:
    own = [(n, a) for n, e in enumerate(runs.evidences) if e.answers.items for a in e.audits if a.id == identifier]
    if not own:
        return None
    alike, audit = max(_groups(runs, own), key=lambda group: (len({versions[n] for n in group[0]}), group[0][-1]))
    last = alike[-1]
    effect, protocol = effect_from(audit), runs.protocol(last)
    if effect is None or protocol is None or effect.family not in protocol.families or effect.between:
        return None
    if len({versions[n] for n in alike}) < VERSIONS or {q.role for q in effect.questions()} != {MODEL}:
        return None
    try:
        for n in alike:
            if n not in data:
                data[n] = from_answers(runs.evidences[n].answers)
        measured = effect_of(effect, [data[n] for n in alike], protocol)
    except (AuditkitError, ValueError):  # an audit of somebody's that this auditkit cannot measure again
        return None
    if measured is None:
        return None
    weights = weights_of([versions[n] for n in alike])
    values, n_images, total = _per_patient(measured)
    rise = (values * weights).sum(axis=1)  # no matrix product, whose last digit is the processor's affair
    complete = np.isfinite(rise)
    if not complete.any():
        return None
    return Line(
        identifier, effect.family, measured.what, measured.unit, alike, rise,
        values[complete].mean(axis=0), weights, n_images, total - n_images,
    )  # fmt: skip


def _groups(runs: Runs, own: Sequence[tuple[int, Audit]]) -> list[tuple[list[int], Audit]]:
    """Return sets of runs that measured an audit alike on the same images, each with the audit of its last run."""
    left, found = list(own), []
    while left:
        last, audit = left[-1]
        alike = [n for n, earlier in left if n == last or not runs.apart(n, last, audit, earlier)]
        found.append((alike, audit))
        left = [one for one in left if one[0] not in alike]
    return found


def _per_patient(measured: ModelsEffect) -> tuple[FloatArray, int, int]:
    """Return every patient's value in every run, shape (G, K), images in all runs, and images in any."""
    if isinstance(measured, MeanEffect):
        stacked = np.stack(measured.values, axis=1)
        whole: NDArray[np.bool_] = np.logical_and.reduce(np.isfinite(stacked), axis=1)
        values = cluster_means(np.where(whole[:, None], stacked, np.nan), measured.clusters)
        return values, int(whole.sum()), int(np.isfinite(stacked).any(axis=1).sum())
    clean = np.stack([np.isfinite(scores) for scores, _ in measured.scores], axis=1)
    values = np.stack([area.patients for area in measured.areas], axis=1)
    return values, int(clean.all(axis=1).sum()), int(clean.any(axis=1).sum())


def corrected(lines: Sequence[Line], settings: Settings, groups: int) -> list[float]:
    """Return the p-value of every line's direction, corrected over all lines.

    Parameters
    ----------
    lines : sequence of Line
        About the same patients.
    settings : Settings
        Error, resamples, seed.
    groups : int
        Sets of patients there are; each pays its share of the error.
    """
    reach = [_reach(line.patients) for line in lines]
    moved = [line.patients / r for line, r in zip(lines, reach, strict=True) if r > 0]
    if not moved:
        return [1.0] * len(lines)
    joint = joint_intervals(np.stack(moved, axis=1), 1.0, settings)
    p = iter(joint.tails.adjusted(direction_p(interval)) for interval in joint.intervals)
    return [min(1.0, groups * next(p)) if r > 0 else 1.0 for r in reach]


def _reach(patients: FloatArray) -> float:
    """How far the furthest patient rose or fell: nobody who was not seen is taken to be further out.

    The range of the scores would be the safe choice, and the interval of a line through ten versions would then be
    wider than any drift that matters: 273 points times the room for patients who were not seen.
    """
    return float(np.nanmax(np.abs(patients)))


def _trend(
    line: Line, versions: Sequence[int], p: float, protocol: Protocol, settings: Settings, jumped: set[int]
) -> Trend:
    reach, family = _reach(line.patients), protocol.families[line.family]
    level = 1 - 2 * settings.alpha
    if reach > 0:
        [found] = equivalence(
            line.patients[:, None],
            -np.inf,
            0.0,
            alpha=settings.alpha,
            resamples=settings.resamples,
            seed=settings.seed,
            value_range=reach,
            min_informative=settings.min_informative,
        )
        estimate = Estimate(value=found.estimate, low=found.low, high=found.high, level=level, unit=line.unit)
        named = p <= settings.alpha and not found.low <= 0 <= found.high and _enough(found, settings)
    else:  # every answer the same in every version
        estimate, named = Estimate(value=0.0, level=level, unit=line.unit), False
    rise = estimate.value or 0.0
    x = np.array([versions[n] for n in line.runs], dtype=np.float64)
    at = (x - x.mean()) / (x.max() - x.min())
    start = float(line.means.mean() + rise * at.min())
    return Trend(
        estimate=estimate,
        runs=[n + 1 for n in line.runs],
        n_versions=len(set(x.tolist())),
        n_images=line.n_images,
        n_left_out=line.n_left_out,
        n_clusters=int(np.isfinite(line.patients).sum()),
        p=p,
        fit=_fit(line.means, rise * at),
        of_limit=abs(rise) / family.limit if family.limit and family.verb != "at_least" else None,
        direction=turned(family.verb or "", start, start + rise),
        start=start,
        means=line.means.tolist(),
        jumps=sorted(jumped & {n + 1 for n in line.runs[1:]}),
        named=named,
        what=line.what,
    )


def _enough(found: Interval, settings: Settings) -> bool:
    return found.n_clusters >= settings.min_clusters


def _fit(means: FloatArray, line: FloatArray) -> float | None:
    """Return the share of the variation between the runs' means that the line explains; None where they do not vary."""
    around = means - means.mean()
    total = float((around * around).sum())
    return float((line * line).sum() / total) if total > 0 else None
