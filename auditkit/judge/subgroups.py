"""Results by sex, age, site, manufacturer and label, for information: what can be told, and what cannot."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from auditkit.ask.plan import Plan
from auditkit.evidence import Estimate, Subgroup, SubgroupLevel
from auditkit.images.record import UNKNOWN
from auditkit.judge.points import mean_estimates, moved
from auditkit.judge.rules import seed_for
from auditkit.measure.columns import Measurements
from auditkit.measure.effects import per_item
from auditkit.protocol.model import Protocol
from auditkit.stats.rates import clustered_rate
from auditkit.stats.subgroups import subgroup_gap
from auditkit.vocabulary import Question

MAX_LEVELS = 12
MIDDLE = 50.0  # scores are counted from here, so that what bounds them is the same to either side


def subgroups(data: Measurements, plan: Plan) -> list[Subgroup]:
    """Return the results by every attribute that the source of the images knows.

    Parameters
    ----------
    data : Measurements
        The answers; the attributes are those of its records.
    plan : Plan
        What was asked.

    Notes
    -----
    No verdict rests on these: which attributes are known is an accident of the data. A level with fewer patients than
    the protocol's ``min_clusters`` is shown and said to be too small. The gap is that of the two levels furthest
    apart, with the Bonferroni interval over all pairs of levels that are large enough.
    """
    names = sorted({name for r in data.records for name in r.attributes})
    if not names:
        return []
    protocol = plan.protocol
    clean = data.column(protocol.resolve(Question()))
    slopes = _mean_slopes(data, plan)
    return [_by(name, data, protocol, clean.scores, slopes, clean.outcomes >= 0) for name in names]


def _mean_slopes(data: Measurements, plan: Plan) -> NDArray[np.float64]:
    """Return each image's fall per severity step, averaged over the corruptions at which it is complete."""
    score = plan.protocol.resolve(Question()).words
    parts = {}
    for effect in map(plan.protocol.resolved, plan.effects):
        if effect.per and all(question.words == score for question in effect.questions()):
            parts[effect.parts[0].terms] = effect.parts[0]
    if not parts:
        return np.full(len(data.records), np.nan)
    values = np.stack([per_item(part, data, plan.protocol).values for part in parts.values()])
    known = np.isfinite(values)
    total = np.where(known, values, 0.0).sum(axis=0)
    return np.where(known.any(axis=0), total / np.maximum(known.sum(axis=0), 1), np.nan)


def _by(
    name: str,
    data: Measurements,
    protocol: Protocol,
    scores: NDArray[np.float64],
    slopes: NDArray[np.float64],
    asked: NDArray[np.bool_],
) -> Subgroup:
    level_of = np.array([r.attributes.get(name) or UNKNOWN for r in data.records], dtype=object)
    sizes = {level: int(np.unique(data.cluster[level_of == level]).size) for level in sorted(set(level_of.tolist()))}
    # The largest levels, then by name; what nobody knows stands last.
    shown = sorted(sizes, key=lambda level: (level == UNKNOWN, -sizes[level], level))[: MAX_LEVELS + 1]
    levels = []
    for level in shown:
        mask = asked & (level_of == level)
        clusters = data.clusters(mask)
        seed = seed_for(protocol.seed, f"{name}={level}")
        score, fall = (
            mean_estimates(values[mask][:, None], clusters, protocol, seed, spread)[0]
            for values, spread in ((scores - MIDDLE, MIDDLE), (slopes, 100.0))
        )
        unusable = clustered_rate(np.isnan(scores[mask]), clusters, protocol.alpha)
        interval = 1 - 2 * protocol.alpha
        levels.append(
            SubgroupLevel(
                level=level,
                n_images=int(mask.sum()),
                n_clusters=int(np.unique(clusters).size),
                too_few=int(np.unique(clusters).size) < protocol.statistics.min_clusters,
                score=score if score.value is None else moved(score, MIDDLE),
                fall=fall.model_copy(update={"unit": "points per severity step"}),
                unusable=Estimate(
                    value=unusable.estimate, low=unusable.low, high=unusable.high, level=interval, unit="share"
                ),
            )
        )
    gap, sentence = _gap(name, data, protocol, scores, level_of, sizes)
    left_out = len(sizes) - len(shown)
    more = f" {left_out} smaller levels are not shown." if left_out else ""
    return Subgroup(attribute=name, levels=levels, gap=gap, sentence=sentence + more)


def _gap(
    name: str,
    data: Measurements,
    protocol: Protocol,
    scores: NDArray[np.float64],
    level_of: NDArray[np.object_],
    sizes: dict[str, int],
) -> tuple[Estimate | None, str]:
    """Return the largest difference between two levels large enough, and what can be told."""
    if all(level == UNKNOWN for level in sizes):
        return None, f"No image has a known {name}: nothing can be told about it."
    scored = {
        level: int(np.unique(data.cluster[(level_of == level) & np.isfinite(scores)]).size)
        for level in sizes
        if level != UNKNOWN
    }
    needed = protocol.statistics.min_clusters
    large = [level for level, n in scored.items() if n >= needed]
    few = [f"{level} ({n})" for level, n in scored.items() if n < needed]
    said = f" Too few patients (fewer than {needed}): {_listed(few)}." if few else ""
    if len(large) < 2:
        return None, f"Fewer than two levels of {name} have {needed} patients: no difference can be told.{said}"
    mask = np.isin(level_of.astype(str), large) & np.isfinite(scores)
    if _in_two(level_of[mask], data.cluster[mask]):
        return None, f"Some patients have images of two levels of {name}: the levels cannot be compared.{said}"
    pairs = len(large) * (len(large) - 1) // 2
    alpha = protocol.alpha / pairs
    found = subgroup_gap(
        scores[mask] - MIDDLE,
        level_of[mask].astype(str),
        data.clusters(mask),
        margin=MIDDLE,  # nothing is decided here; the interval does not depend on it
        alpha=alpha,
        seed=seed_for(protocol.seed, name),
        resamples=max(protocol.statistics.resamples, int(np.ceil(2 / alpha))),
        value_range=MIDDLE,
        min_clusters=needed,
        min_informative=protocol.statistics.min_informative,
    ).largest
    if found is None:
        return None, f"No difference between levels of {name} could be computed.{said}"
    interval = found.interval
    estimate = Estimate(value=interval.estimate, low=interval.low, high=interval.high, level=1 - 2 * protocol.alpha)
    return estimate, f"Furthest apart of {len(large)} levels: {found.first} minus {found.second}.{said}"


def _in_two(levels: NDArray[np.object_], clusters: NDArray[np.int64]) -> bool:
    return len(set(zip(clusters.tolist(), levels.tolist(), strict=True))) > np.unique(clusters).size


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
