"""Measurements made by hand: scores per condition, no model, no image."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from auditkit.evidence import Audit, Cell
from auditkit.images.item import Item, Picture
from auditkit.judge.judge import Judge
from auditkit.measure.columns import MAIN, Column, Measurements
from auditkit.protocol.model import Protocol
from auditkit.tasks import OUTCOMES
from auditkit.vocabulary import Condition, Effect, Perturbation, Question

SCORE = Question("quality", "direct")
HIGH, LOW = Perturbation("institution.reputation.high"), Perturbation("institution.reputation.low")
NEUTRAL = Perturbation("institution.neutral")
AGAIN = Perturbation("again", 1)
SCORED = OUTCOMES.index("scored")
FAMILIES = {
    "metadata": {"within": 5.0, "tail": {"beyond": 25.0, "share": 0.1}},
    "sensitivity": {"at_least": 2.0},
    "discrimination": {"at_least": 0.7, "required": ["severity 3", "severity 4", "severity 5"]},
    "monotone": {"at_most": 3.0, "size": 10},
    "templates": {"within": 5.0},
    "direction": {"at_most": 5.0},
    "answers": {"at_most": 0.1},
    "differential": {"at_most": 0.1},
    "repeatability": {"at_most": 0.1},
}


def protocol(**changes) -> Protocol:
    raw = {
        "name": "test",
        "seed": 3,
        "profiles": {"ci": {"alpha": 0.05}},
        "prompts": {"score": "quality.direct"},
        "statistics": {"resamples": 1000},
        "families": FAMILIES,
    }
    return Protocol.model_validate(raw | changes)


def own(name: str = "mine", **family) -> Protocol:
    """A protocol with one family more, of one decision unless it says otherwise."""
    return protocol(families={**FAMILIES, name: {"size": 1, **family}})


def images(n: int, modalities=("ct",), per_patient: int = 1, column=None) -> list[Item]:
    """Records by modality; `column` gives an image's other columns from its place within the modality."""
    found = []
    for modality in modalities:
        for i in range(n):
            name = f"{modality}{i:03d}"
            patient = f"{modality}-{i // per_patient}"
            found.append(
                Item(
                    id=name,
                    cluster=patient,
                    modality=modality,
                    pictures=(Picture(name, lambda: np.zeros((8, 8), np.uint8)),),
                    synthetic=False,
                    source="test",
                    attributes={} if column is None else column(i),
                )
            )
    return found


def answered(scores, outcome: str = "refused") -> Column:
    """A column: NaN scores get the outcome given."""
    scores = np.asarray(scores, dtype=float)
    codes = np.where(np.isfinite(scores), SCORED, OUTCOMES.index(outcome)).astype(np.int8)
    return Column({MAIN: scores}, codes)


def measured(records, columns: Mapping[Condition, Column], question: Question = SCORE) -> Measurements:
    """The answers to one question under the conditions given."""
    return Measurements(records, {question.under(*condition): column for condition, column in columns.items()})


def judged(effect: Effect, data: Measurements, rules: Protocol | None = None, planned=None, verb=None) -> Audit:
    judge = Judge(rules or protocol(), data, planned or [effect])
    return judge.audit(effect, "Question?", verb)


def by_level(audit: Audit) -> dict[str, Cell]:
    """The cells of an audit of one part, by what they are about."""
    return {cell.stratum.level: cell for cell in audit.parts}


def by_part(audit: Audit, level: str = "ct") -> dict[str, Cell]:
    """The cells of one stratum, by part."""
    return {cell.part: cell for cell in audit.parts if cell.stratum.level == level}
