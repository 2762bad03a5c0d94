"""The effect of every audit in every model: one number per patient, the same definition for all models.

A verdict rests on cells of its own; for a comparison each audit has one effect over all modalities. Where an audit
takes several decisions (levels, pairs of wordings) the effect is a mean over those that the protocol requires: the one
furthest from a pass would be another one in each model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from auditkit.judge.balanced import factors
from auditkit.measure.columns import Column, Measurements
from auditkit.measure.effects import columns_of, per_item, per_item_range
from auditkit.protocol.model import Family, Protocol
from auditkit.records.compare.describe import described, unit_in
from auditkit.records.compare.values import LOST, AreaEffect, MeanEffect, ModelsEffect, Values
from auditkit.stats.reduce import FloatArray
from auditkit.vocabulary import Effect, Part

_WITHOUT_MEAN = (
    "calibration", "follows", "rank", "ratio", "shortfall ratio", "agreement", "wording", "separation", "kept", "risk",
    "reliability", "covered", "referred",
)  # fmt: skip
"""Statistics that have no number per patient whose mean could be compared."""


def effect_of(effect: Effect, data: Sequence[Measurements], protocol: Protocol) -> ModelsEffect | None:
    """Return the effect of an audit in every model, or None where it has none that can be compared.

    Parameters
    ----------
    effect : Effect
        What the audit measures.
    data : sequence of Measurements, length M
        The models' answers to the same images.
    protocol : Protocol
        Its family says which parts are required; all parts count where the family is only shown.
    """
    family = protocol.families[effect.family]
    parts = tuple(part for part in effect.parts if family.shown or family.requires(part.label))
    if not parts or effect.statistic in _WITHOUT_MEAN:
        return None
    whole = protocol.resolved(replace(effect, parts=parts))
    if whole.statistic == "area":
        return _area_effect(whole, data, protocol)
    unsigned = is_distance(whole, family)
    what, unit = described(whole, protocol, distance=unsigned), unit_in(whole, protocol)
    if whole.statistic == "differs":
        found, low, high = [_differing(whole, each) for each in data], 0.0, 1.0
    else:
        found = [_means(whole, each, protocol, unsigned=unsigned) for each in data]
        low, high = _range(whole, protocol, unsigned=unsigned)
        largest = max((_largest(part, each, protocol) for part in whole.parts for each in data), default=1.0)
        low, high = min(low, low * largest), max(high, high * largest)
    counts, values = tuple(v.counts() for v in found), tuple(v.values for v in found)
    return MeanEffect(what, unit, counts, values, data[0].cluster, low, high)


def is_distance(effect: Effect, family: Family) -> bool:
    """Whether the sizes of the parts are averaged instead of the parts.

    Parts without a common control, such as the pairs of several wordings, have no common direction: which of a pair
    stands first is arbitrary, and differences to either side would cancel.
    """
    return family.verb == "within" and len({part.control for part in effect.parts}) > 1


def lost_share(data: Sequence[Measurements]) -> tuple[MeanEffect, int]:
    """Return the share of answers without a score over the questions put to every model, and how many were not."""
    asked = [set(each.answered()) for each in data]
    shared = sorted(set.intersection(*asked))
    found = []
    for each in data:
        columns = tuple(each.column(question) for question in shared)
        found.append(Values(_lost(columns), columns))
    effect = MeanEffect(
        "share of all answers without a score (refused, not readable, outside the scale, cut off)",
        "share",
        tuple(v.counts() for v in found),
        tuple(v.values for v in found),
        data[0].cluster,
        0.0,
        1.0,
    )
    return effect, len(set.union(*asked)) - len(shared)


def _lost(columns: Sequence[Column]) -> FloatArray:
    """Share of an image's answers that have no score; NaN without an answer."""
    answered = np.sum([column.answered for column in columns], axis=0)
    hits = np.sum([np.isin(column.outcomes, LOST) for column in columns], axis=0)
    return np.asarray(np.divide(hits, answered, out=np.full(answered.shape, np.nan), where=answered > 0))


def _means(effect: Effect, data: Measurements, protocol: Protocol, *, unsigned: bool) -> Values:
    values = [_balanced(part, data, protocol) for part in effect.parts]
    return Values(np.mean(np.abs(values) if unsigned else values, axis=0), _answers(effect, data))


def _balanced(part: Part, data: Measurements, protocol: Protocol) -> FloatArray:
    """A part's value in every image, weighted where the levels of a column count equally."""
    return np.asarray(per_item(part, data, protocol).values * _weights(part, data, protocol))


def _weights(part: Part, data: Measurements, protocol: Protocol) -> FloatArray:
    """What every image's value is multiplied by; 1 where no column is balanced."""
    if not part.balanced:
        return np.ones(len(data.records))
    return factors(part.balanced, per_item(part, data, protocol).asked, data)


def _largest(part: Part, data: Measurements, protocol: Protocol) -> float:
    """The most that a value of a part is multiplied by."""
    return float(_weights(part, data, protocol).max(initial=1.0))


def _range(effect: Effect, protocol: Protocol, *, unsigned: bool) -> tuple[float, float]:
    """Return the ends of the range that the mean of all parts has in one image."""
    low, high = np.mean([per_item_range(part, protocol) for part in effect.parts], axis=0).tolist()
    return (0.0, max(abs(low), abs(high))) if unsigned else (low, high)


def _differing(effect: Effect, data: Measurements) -> Values:
    """Return 1 where the two answers of a part differ, 0 where they are the same; the mean over the parts."""
    found = []
    for part in effect.parts:
        a, b = columns_of(part, data)
        differs = np.where(a.says_the_same(b), 0.0, 1.0)
        found.append(np.where(a.answered & b.answered & _inside(part, data), differs, np.nan))
    return Values(np.mean(found, axis=0), _answers(effect, data))


def _answers(effect: Effect, data: Measurements) -> tuple[Column, ...]:
    return tuple(data.column(question) for question in effect.questions())


def _inside(part: Part, data: Measurements) -> NDArray[np.bool_]:
    return np.ones(len(data.records), dtype=bool) if part.where is None else data.where(part.where)


def _area_effect(effect: Effect, data: Sequence[Measurements], protocol: Protocol) -> AreaEffect | None:
    """Return the area of the common control against all parts together; None where parts have other controls."""
    cleans = {(part.terms[1][1], part.where) for part in effect.parts}
    if len(cleans) > 1:
        return None
    [(value, _)] = cleans
    counts, scores = [], []
    for each in data:
        inside = _inside(effect.parts[0], each)
        clean = np.where(inside, each.value(value), np.nan)
        treated = [np.where(inside, each.value(part.terms[0][1]), np.nan) for part in effect.parts]
        together = np.stack(treated, axis=1)
        complete = np.where(np.isfinite(together).all(axis=1), clean, np.nan)
        counts.append(Values(complete, _answers(effect, each)).counts())
        scores.append((clean, together))
    what = described(effect, protocol)
    return AreaEffect(what, unit_in(effect, protocol), tuple(counts), tuple(scores), data[0].cluster)
