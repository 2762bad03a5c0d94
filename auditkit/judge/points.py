"""Figure data per level, over all items together and per stratum.

Of a score its mean, change, AUROC and dose. Of right answers under a corruption their share, its change and dose.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from auditkit.evidence import Estimate, Point
from auditkit.evidence import Stratum as EvidenceStratum
from auditkit.judge.rules import Rules
from auditkit.judge.titles import ladder_of
from auditkit.measure.columns import MAIN, Measurements, Stratum
from auditkit.protocol.model import Protocol
from auditkit.stats.auroc import auroc
from auditkit.stats.equivalence import equivalence
from auditkit.stats.reduce import cluster_means
from auditkit.vocabulary import Effect, Perturbation, Question, Value, condition_name

if TYPE_CHECKING:
    from numpy.typing import NDArray


RIGHT = "correct"


@dataclass(frozen=True, slots=True)
class Ladder:
    """What a series is drawn from; effects with equal ladders have equal points.

    Attributes
    ----------
    levels : tuple of int
        0 for the clean item, then those of the perturbation.
    questions : tuple of Question
        One per level.
    by : str
        The column of the strata.
    value : str
        The score, or ``"correct"``.
    where : tuple of str, optional
        Column and level of the items it is about; None for all.
    """

    levels: tuple[int, ...]
    questions: tuple[Question, ...]
    by: str
    value: str = MAIN
    where: tuple[str, str] | None = None


def ladder_points(effect: Effect, protocol: Protocol) -> Ladder | None:
    """Return what the points of an effect are drawn from; None where it has none.

    A gap between levels is one number for all of the ladder, and two models have two ladders. Of what is compared
    inside the model the points are the protocol's score, to be seen beside it.
    """
    first = effect.parts[0]
    value, lost = first.terms[0][1].name, first.provided is not None
    ladder = ladder_of(effect, protocol.catalogue, one=lost)
    if len({question.role for question in effect.compared()}) > 1:
        return None
    if ladder is None or effect.between or (value != MAIN and not (lost and value == RIGHT)):
        return None
    question = first.control or replace(first.treated[0], condition=())
    clean = protocol.resolve(question if protocol.catalogue.asks(question) else Question())
    entry, levels = ladder
    questions = (clean, *(clean.under(Perturbation(entry, level)) for level in levels))
    by = protocol.families[effect.family].by
    return Ladder((0, *levels), questions, by, value, first.where)


def series_points(effect: Effect, data: Measurements, protocol: Protocol) -> list[Point]:
    """Return one point per stratum and level of what an effect climbs, the clean item included; none for any other."""
    ladder = ladder_points(effect, protocol)
    if ladder is None:
        return []
    strata = data.strata(ladder.by)
    return [p for stratum in strata for p in _points(ladder, stratum, data, protocol)]


def _points(ladder: Ladder, stratum: Stratum, data: Measurements, protocol: Protocol) -> Iterator[Point]:
    questions, scored = ladder.questions, ladder.value == MAIN
    mask = data.where(stratum) & (True if ladder.where is None else data.where(ladder.where))
    clusters = data.clusters(mask)
    scores = np.stack([data.value(Value(question, ladder.value))[mask] for question in questions], axis=1)
    probable = np.stack([data.column(question).expected[mask] for question in questions], axis=1)
    expected = cluster_means(probable if scored else np.full_like(scores, np.nan), clusters)
    clean = scores[:, :1]
    quantity = protocol.catalogue.quantity(Value(questions[0], ladder.value))
    unit = {} if scored else {"unit": quantity.unit}
    middle, reach = (quantity.low + quantity.high) / 2, quantity.high - quantity.low
    seed = Rules(protocol).seed(stratum)
    means = mean_estimates(scores - middle, clusters, protocol, seed, reach / 2)
    changes = mean_estimates(scores[:, 1:] - clean, clusters, protocol, seed, reach)
    for at, (level, question) in enumerate(zip(ladder.levels, questions, strict=True)):
        pictures = protocol.catalogue.pictures(question.condition)
        dose = data.doses.get(pictures, np.full((len(data.records), 2), np.nan))[mask]
        present = np.isfinite(scores[:, at])
        found = None
        if level and scored:
            area = auroc(clean[:, 0], scores[:, at], clusters, clusters, protocol.alpha)
            found = Estimate(value=area.estimate, low=area.low, high=area.high, level=area.level, unit="AUROC")
        yield Point(
            stratum=EvidenceStratum(column=stratum[0], level=stratum[1]),
            condition=condition_name(question.condition),
            level=level,
            n_images=int(present.sum()),
            n_clusters=int(np.unique(clusters[present]).size),
            score=moved(means[at], middle).model_copy(update=unit),
            expected=_mean(expected[:, at]),
            change=changes[at - 1].model_copy(update=unit) if level else None,
            auroc=found,
            ssim=_mean(dose[:, 0]),
            psnr=_mean(dose[:, 1]) if np.isfinite(dose[:, 1]).all() else None,
        )


def mean_estimates(
    values: NDArray[np.float64], clusters: NDArray[np.int64], protocol: Protocol, seed: int, value_range: float
) -> list[Estimate]:
    """Return the mean over patients of every column with the interval that the gates use.

    Student's interval alone misses the truth in up to 25 % of the figures of scores that jump in a few patients (24
    patients, 400 replicates: the first run of the validation suite).
    """
    settings = protocol.statistics
    found = equivalence(
        cluster_means(values, clusters),
        -value_range,
        value_range,
        alpha=protocol.alpha,
        resamples=settings.resamples,
        seed=seed,
        value_range=value_range,
        min_informative=settings.min_informative,
    )
    level = 1 - 2 * protocol.alpha
    return [
        Estimate(value=i.estimate, low=i.low, high=i.high, level=level) if i.n_clusters else Estimate(level=level)
        for i in found
    ]


def moved(estimate: Estimate, by: float) -> Estimate:
    """Return an estimate with value and ends moved."""
    ends = (estimate.value, estimate.low, estimate.high)
    value, low, high = (None if end is None else end + by for end in ends)
    return Estimate(value=value, low=low, high=high, level=estimate.level)


def _mean(values: NDArray[np.float64]) -> float | None:
    present = values[np.isfinite(values)]
    return float(present.mean()) if present.size else None
