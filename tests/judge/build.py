"""Measurements made by hand: scores per condition, no model, no image."""

from __future__ import annotations

import numpy as np

from auditkit.images.record import ImageRecord
from auditkit.judge.judge import Judge
from auditkit.measure.columns import Column, Measurements
from auditkit.protocol.model import Protocol
from auditkit.tasks.answers import OUTCOMES
from auditkit.vocabulary import Condition

TEMPLATE = "score_100.direct"
SCORED = OUTCOMES.index("scored")


def protocol(**changes) -> Protocol:
    families = {
        "metadata": {"gate": "equivalence", "margin": 5.0},
        "sensitivity": {"gate": "sensitivity", "floor": 2.0},
        "discrimination": {"gate": "discrimination", "floor": 0.7, "severities": [3, 4, 5]},
        "monotone": {"gate": "monotone", "tolerance": 3.0, "size": 10},
        "templates": {"gate": "template_equivalence", "margin": 5.0},
        "direction": {"gate": "not_raised", "margin": 5.0},
        "answers": {"gate": "rate", "cap": 0.1},
        "differential": {"gate": "rate_difference", "margin": 0.1},
        "repeatability": {"gate": "agreement", "cap": 0.1},
    }
    raw = {
        "name": "test",
        "seed": 3,
        "profiles": {"ci": {"alpha": 0.05}},
        "prompts": {"score": TEMPLATE},
        "statistics": {"resamples": 1000},
        "families": families,
    }
    return Protocol.model_validate(raw | changes)


def images(n: int, modalities=("ct",), per_patient: int = 1) -> list[ImageRecord]:
    found = []
    for modality in modalities:
        for i in range(n):
            name = f"{modality}{i:03d}"
            patient = f"{modality}-{i // per_patient}"
            found.append(ImageRecord(name, patient, modality, name, False, "test", lambda: np.zeros((8, 8), np.uint8)))
    return found


def answered(scores, outcome: str = "refused") -> Column:
    """A column: NaN scores get the outcome given."""
    scores = np.asarray(scores, dtype=float)
    codes = np.where(np.isfinite(scores), SCORED, OUTCOMES.index(outcome)).astype(np.int8)
    return Column(scores, codes)


def measured(records, columns: dict[Condition, Column], template: str = TEMPLATE) -> Measurements:
    return Measurements(records, {(condition, template): column for condition, column in columns.items()}, {})


def judged(comparison, data: Measurements, gate: str, rules: Protocol | None = None, planned=None):
    judge = Judge(rules or protocol(), data, planned or [comparison])
    return judge.audit(comparison, gate, "Question?")
