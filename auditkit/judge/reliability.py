"""The score read as the chance that an image is undamaged: how often that is right, for information."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from auditkit.ask.keys import digest_of
from auditkit.ask.plan import Plan
from auditkit.evidence import CalibrationCurve, CalibrationPoint, Estimate
from auditkit.judge.rules import seed_for
from auditkit.measure.columns import ALL, Measurements
from auditkit.stats.calibration import errors_by_chance, expected_calibration_error, reliability
from auditkit.vocabulary import Question

BANDS = 10
# Severities that a reader would call degraded; the discrimination audits require theirs from 3 on.
SEVERITIES = (3, 4, 5)
_REPLICATES = 2_000


def calibration_curves(data: Measurements, plan: Plan) -> list[CalibrationCurve]:
    """Return the reliability curve over all images; empty when no image was degraded and scored.

    Every image enters clean and once degraded. Which corruption and severity is drawn from the image's id and the
    protocol's seed, so that neither order nor subset of the images changes the picture of another image.

    Parameters
    ----------
    data : Measurements
        The answers.
    plan : Plan
        What was asked.
    """
    protocol = plan.protocol
    degraded = _degraded(plan)
    if not degraded or not data.records:
        return []
    clean = data.column(protocol.resolve(Question()))
    columns = [data.column(question) for question in degraded]
    drawn = np.array([int(digest_of(protocol.seed, r.id)[:8], 16) % len(columns) for r in data.records])
    rows = np.arange(len(data.records))
    other = np.stack([c.scores for c in columns])[drawn, rows]
    asked = (np.stack([c.outcomes for c in columns])[drawn, rows] >= 0) & (clean.outcomes >= 0)
    if not asked.any():
        return []
    both = asked & np.isfinite(clean.scores) & np.isfinite(other)
    codes = data.clusters(both)
    probabilities = np.concatenate([clean.scores[both], other[both]]) / 100
    undamaged = np.repeat([1.0, 0.0], both.sum())
    points = reliability(probabilities, undamaged, np.tile(codes, 2), BANDS, protocol.alpha) if both.any() else []
    level = 1 - 2 * protocol.alpha
    return [
        CalibrationCurve(
            modality=ALL,
            levels=sorted({q.condition[0].level for q in degraded}),
            n_images=int(both.sum()),
            n_clusters=int(np.unique(codes).size),
            n_missing=int((asked & ~both).sum()),
            error=expected_calibration_error(probabilities, undamaged, BANDS),
            by_chance=_by_chance(probabilities, seed_for(protocol.seed, "reliability")),
            points=[
                CalibrationPoint(
                    predicted=p.mean_probability,
                    observed=Estimate(
                        value=p.observed.estimate, low=p.observed.low, high=p.observed.high, level=level, unit="share"
                    ),
                    n_images=p.observed.n,
                    n_clusters=p.observed.n_clusters,
                )
                for p in points
            ],
        )
    ]


def _degraded(plan: Plan) -> list[Question]:
    """List the questions about degraded items that every item was asked for a score, in a stable order."""
    score = plan.protocol.resolve(Question())
    questions = {q for effect in map(plan.protocol.resolved, plan.effects) if effect.per for q in effect.questions()}
    degraded = (q for q in questions if q.words == score.words and len(q.condition) == 1)
    return sorted(q for q in degraded if q.condition[0].level in SEVERITIES)


def _by_chance(probabilities: NDArray[np.float64], seed: int) -> float | None:
    """Simulate outcomes that happen just as often as stated and return the 95th percentile of their error."""
    if not probabilities.size:
        return None
    probabilities = np.sort(probabilities)  # the order of the images must not matter
    rng = np.random.default_rng(seed)
    return float(np.quantile(errors_by_chance(probabilities, BANDS, _REPLICATES, rng), 0.95))
