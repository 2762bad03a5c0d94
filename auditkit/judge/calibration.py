"""The score read as the chance that an item is undamaged: how often that is right. Shown, never a gate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from auditkit.ask.keys import digest_of
from auditkit.evidence import Estimate, Point
from auditkit.evidence import Stratum as EvidenceStratum
from auditkit.judge.decisions import Decision
from auditkit.judge.draft import Draft
from auditkit.judge.rules import Rules, seed_for
from auditkit.measure.columns import ALL, MAIN, NOT_ASKED, Measurements, count_outcomes
from auditkit.protocol.model import Family, Protocol
from auditkit.stats.calibration import errors_by_chance, expected_calibration_error, reliability
from auditkit.vocabulary import Effect, Part, Question, Value
from auditkit.words import count, number

BANDS = 10
_REPLICATES = 2_000
_BY_CHANCE = 0.95


@dataclass(frozen=True, slots=True)
class Pairs:
    """Every item as it is and once degraded.

    Attributes
    ----------
    clean, degraded : ndarray of float, shape (n,)
        Scores as shares of their range, 0-1; NaN where there is none.
    outcomes : (ndarray of int8, ndarray of int8)
        Of the degraded and of the clean answers; of items asked both ways, else "not asked".
    codes : ndarray of int, shape (n,)
        Patients.
    """

    clean: NDArray[np.float64]
    degraded: NDArray[np.float64]
    outcomes: tuple[NDArray[np.int8], NDArray[np.int8]]
    codes: NDArray[np.int64]

    @property
    def both(self) -> NDArray[np.bool_]:
        """Items scored both ways; shape (n,)."""
        asked: NDArray[np.bool_] = self.outcomes[0] != NOT_ASKED
        return asked & np.isfinite(self.clean) & np.isfinite(self.degraded)

    def pictures(self) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
        """Return stated chance, whether undamaged (0 or 1) and patient of every scored picture, clean ones first."""
        both = self.both
        chances = np.concatenate([self.clean[both], self.degraded[both]])
        return chances, np.repeat([1.0, 0.0], both.sum()), np.tile(self.codes[both], 2)


def judge_calibration(
    decisions: Sequence[Decision], family: Family, data: Measurements, rules: Rules
) -> list[tuple[str, Draft]]:
    """Measure the expected calibration error over all items together, and what chance alone would give."""
    return [(d.name, _draft(d.part, family, data, rules.protocol)) for d in decisions]


def calibration_points(effect: Effect, data: Measurements, protocol: Protocol) -> list[Point]:
    """Return one point per band of the score that holds pictures: the share of them that is undamaged."""
    by = protocol.families[effect.family].by
    return [point for part in effect.parts for point in _points(by, part, data, protocol)]


def _draft(part: Part, family: Family, data: Measurements, protocol: Protocol) -> Draft:
    pairs = _paired(part, data, protocol)
    chances, undamaged, codes = pairs.pictures()
    degraded, clean = map(count_outcomes, pairs.outcomes)
    chance = by_chance(chances, seed_for(protocol.seed, "reliability"))
    return Draft(
        stratum=(family.by, ALL),
        part=part.label,
        estimate=Estimate(value=expected_calibration_error(chances, undamaged, BANDS), unit="share"),
        met=False,
        p_pass=1.0,
        p_fail=1.0,
        required=family.requires(part.label),
        n_images=int(pairs.both.sum()),
        n_clusters=int(np.unique(codes).size),
        outcomes=degraded,
        control_outcomes=clean,
        reference=chance,
        remark=_remark(chance, degraded.total - int(pairs.both.sum())),
        rule="expected calibration error over ten bands",
    )


def _remark(chance: float | None, left_out: int) -> str:
    if chance is None:
        return "No image was scored both clean and degraded, so nothing was measured."
    beyond = number(chance, "share", signed=False)
    told = f"A perfectly calibrated model would exceed {beyond} one time in twenty."
    return told + (f" {count(left_out, 'image')} left out: an answer gave no score." if left_out else "")


def _points(by: str, part: Part, data: Measurements, protocol: Protocol) -> list[Point]:
    chances, undamaged, codes = _paired(part, data, protocol).pictures()
    level = 1 - 2 * protocol.alpha
    return [
        Point(
            stratum=EvidenceStratum(column=by),
            condition=f"{100 * band.low:g} to {100 * band.high:g} points",
            n_images=band.observed.n,
            n_clusters=band.observed.n_clusters,
            # In points of 0-100, whatever the range of the score: as a chance it is a share of that range.
            score=Estimate(value=100 * band.mean_probability, unit="points"),
            observed=Estimate(
                value=band.observed.estimate, low=band.observed.low, high=band.observed.high, level=level, unit="share"
            ),
        )
        for band in reliability(chances, undamaged, codes, BANDS, protocol.alpha)
    ]


def _paired(part: Part, data: Measurements, protocol: Protocol) -> Pairs:
    """Put every item beside itself, once degraded.

    Which of the degraded questions it was asked is drawn from the item's id and the protocol's seed, so that neither
    order nor subset of the items changes the picture of another item.
    """
    questions = sorted(protocol.resolve(value.question) for weight, value in part.terms if weight < 0)
    [control] = [protocol.resolve(value.question) for weight, value in part.terms if weight > 0]
    clean, columns = data.column(control), [data.column(question) for question in questions]
    outcomes = np.stack([column.outcomes for column in columns])
    drawn, rows = _drawn(outcomes != NOT_ASKED, data, protocol.seed), np.arange(len(data.records))
    inside = np.ones(rows.size, dtype=bool) if part.where is None else data.where(part.where)
    asked = inside & (outcomes[drawn, rows] != NOT_ASKED) & (clean.outcomes != NOT_ASKED)
    scores = np.stack([column.scores for column in columns])
    return Pairs(
        _chance(clean.scores, control, protocol),
        _chance(scores[drawn, rows], control, protocol),
        (np.where(asked, outcomes[drawn, rows], NOT_ASKED), np.where(asked, clean.outcomes, NOT_ASKED)),
        data.cluster,
    )


def _drawn(asked: NDArray[np.bool_], data: Measurements, seed: int) -> NDArray[np.int64]:
    """Return for every item the place of one of the questions that it was asked; (k, n) to (n,)."""
    numbers = np.array([int(digest_of(seed, record.id)[:8], 16) for record in data.records], dtype=np.int64)
    nth = numbers % np.maximum(asked.sum(axis=0), 1)
    places: NDArray[np.int64] = np.argmax(asked & (np.cumsum(asked, axis=0) - 1 == nth), axis=0)
    return places


def _chance(scores: NDArray[np.float64], question: Question, protocol: Protocol) -> NDArray[np.float64]:
    quantity = protocol.catalogue.quantity(Value(question, MAIN))
    return (scores - quantity.low) / quantity.span


def by_chance(chances: NDArray[np.float64], seed: int) -> float | None:
    """Simulate outcomes that happen just as often as stated and return the 95th percentile of their error.

    Parameters
    ----------
    chances : ndarray of float, shape (n,)
        0-1, none missing; the order does not matter.
    seed : int
        Of the draws.

    Returns
    -------
    float or None
        0-1; None without chances.
    """
    if not chances.size:
        return None
    chances = np.sort(chances)  # the order of the images must not matter
    rng = np.random.default_rng(seed)
    return float(np.quantile(errors_by_chance(chances, BANDS, _REPLICATES, rng), _BY_CHANCE))
