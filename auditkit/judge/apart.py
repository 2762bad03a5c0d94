"""Images whose inside moved while the score stayed, and the reverse: counted, named and made into dots of a figure."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from auditkit.evidence import Apart, Estimate
from auditkit.evidence import Stratum as EvidenceStratum
from auditkit.judge.points import mean_estimates, moved
from auditkit.judge.rules import Rules
from auditkit.measure.columns import ALL, MAIN, Measurements, Stratum
from auditkit.protocol.model import Family, Protocol
from auditkit.tasks import OTHERS
from auditkit.vocabulary import Effect, Value

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

STATISTICS = ("follows", "rank")
"""Those that hold what is inside a model against what it says."""
UNSAID, UNSEEN = "unsaid", "unseen"
_WITHIN = 0.95  # of changes by noise
_NAMED = 5
_FAR, _STEP, _POINTS = 2.0, 0.1, 5.0  # of the figure: the end of the axis, and how finely dots are placed
_SAME = 1e-9


def held_apart(effect: Effect, family: Family, data: Measurements, protocol: Protocol) -> list[Apart]:
    """Hold the inside against the score, image by image at the strongest level; empty where that is not asked.

    "Further than another patient's image" is a cosine similarity to the clean image below the mean similarity of the
    clean image to those of other patients. The score's noise is the change that 95 of 100 changes between answers
    alike (`Part.alike`) do not exceed, a patient's answers weighing one together.
    """
    if effect.statistic not in STATISTICS:
        return []
    part = protocol.resolved(effect).parts[0]
    task = part.terms[0][1].question.task
    inside = [value.question for _, value in part.terms if value.question.task == task]
    said = {value.question.condition: value for _, value in part.terms if value.question.task != task}
    last = max((q for q in inside if q.condition), key=lambda q: sum(p.level for p in q.condition))
    clean = min(said, key=len)
    own = data.value(Value(replace(last, condition=()), OTHERS.name))
    room = np.where(own < 1 - _SAME, 1 - own, np.nan)
    far = (1 - data.value(Value(last, MAIN))) / room
    change = data.value(said[last.condition]) - data.value(said[clean])
    if part.where is not None:
        far = np.where(data.where(part.where), far, np.nan)
    alike = np.array([data.value(value) - data.value(said[clean]) for value in part.alike])
    level = max(p.level for p in last.condition)
    return [_apart(far, change, alike, level, stratum, data, protocol) for stratum in data.strata(family.by)]


def _apart(
    far: Floats, change: Floats, alike: Floats, level: int, stratum: Stratum, data: Measurements, protocol: Protocol
) -> Apart:
    mask = data.where(stratum) & np.isfinite(far) & np.isfinite(change)
    items, clusters = np.flatnonzero(mask), data.clusters(mask)
    noise = _noise(alike[:, data.where(stratum)], data.cluster[data.where(stratum)]) if len(alike) else None
    x, y = far[mask], change[mask]
    kinds = np.full(x.size, "", dtype=object)
    told: dict[str, Any] = {}
    if noise is not None:
        kinds[(x > 1) & (np.abs(y) <= noise + _SAME)] = UNSAID
        kinds[(x < 1) & (np.abs(y) > noise + _SAME)] = UNSEEN
        counted = np.stack([kinds == UNSAID, kinds == UNSEEN], axis=1) - 0.5
        shares = mean_estimates(counted, clusters, protocol, Rules(protocol).seed(stratum), 0.5) if x.size else ()
        for kind, share, size in zip((UNSAID, UNSEEN), shares, (x, np.abs(y)), strict=False):
            own = np.flatnonzero(kinds == kind)
            first = own[np.argsort(-size[own], kind="stable")][:_NAMED]
            told |= {kind: _as_share(share), f"n_{kind}": int(own.size)}
            told |= {f"first_{kind}": [data.records[items[i]].id for i in first]}
    return Apart(
        stratum=EvidenceStratum(column=stratum[0], level=stratum[1]),
        level=level,
        noise=noise,
        n_images=int(items.size),
        n_clusters=int(np.unique(clusters).size),
        dots=_dots(x, y, kinds) if stratum[1] == ALL else [],
        **told,
    )


def _as_share(estimate: Estimate) -> Estimate:
    return moved(estimate, 0.5).model_copy(update={"unit": "share"})


def _noise(alike: Floats, clusters: NDArray[np.int64]) -> float | None:
    """The size that 95 of 100 changes by noise do not exceed; `alike` of shape (words, n). None where none is known."""
    size, owner = np.abs(alike).ravel(), np.tile(clusters, len(alike))
    known = np.isfinite(size)
    if not known.any():
        return None
    _, place, count = np.unique(owner[known], return_inverse=True, return_counts=True)
    order = np.argsort(size[known], kind="stable")
    running = np.cumsum((1.0 / count[place])[order])
    return float(size[known][order][np.searchsorted(running, _WITHIN * running[-1] - _SAME)])


def _dots(x: Floats, y: Floats, kinds: NDArray[np.object_]) -> list[tuple[float, float, int, str]]:
    """Put images that lie beside one another into one dot, so that a record does not grow with them."""
    across = np.round(np.clip(x, 0, _FAR) / _STEP) * _STEP
    up = np.round(y / _POINTS) * _POINTS
    counted = Counter(zip(np.round(across, 1).tolist(), (up + 0.0).tolist(), kinds.tolist(), strict=True))
    return [(a, b, n, kind) for (a, b, kind), n in sorted(counted.items())]
