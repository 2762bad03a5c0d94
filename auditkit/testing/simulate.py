"""Whole audits of made-up models in milliseconds: texts in, verdicts out, by the code that judges real runs.

Nothing is rendered and no store is used; everything from the text of an answer to the sentence of a verdict is what a
run uses (`auditkit.measure.columns.AnswerTable`, `auditkit.judge.judge.Judge`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from auditkit.ask.plan import Plan
from auditkit.ask.store import StoredAnswer
from auditkit.evidence import Audit
from auditkit.images.record import ImageRecord, salted_hash
from auditkit.judge.judge import Judge
from auditkit.measure.columns import AnswerTable, Measurements
from auditkit.protocol.model import Protocol
from auditkit.testing.questions import Asked, Subjects, generator
from auditkit.testing.readers import Behaviour
from auditkit.testing.saying import say
from auditkit.vocabulary import Comparison


def made_up_images(patients: Mapping[str, int], per_patient: Sequence[int] = (1,)) -> tuple[ImageRecord, ...]:
    """Return image records of made-up patients, sorted by id.

    Parameters
    ----------
    patients : mapping of str to int
        Number of patients by modality.
    per_patient : sequence of int
        Images of the first patient, the second and so on, over again from the start.

    Returns
    -------
    tuple of ImageRecord
        Their pixels are noise of 48 x 48, made when they are read.
    """
    records = []
    for modality, count in patients.items():
        for patient in range(count):
            for image in range(per_patient[patient % len(per_patient)]):
                name = f"{modality}-{patient}-{image}"
                identifier = salted_hash("made-up", name)
                records.append(
                    ImageRecord(
                        id=identifier,
                        cluster=salted_hash("made-up", modality, str(patient)),
                        modality=modality,
                        content=identifier * 4,
                        synthetic=True,
                        source="made up",
                        read=lambda name=name: generator(0, name).integers(0, 256, (48, 48)).astype(np.uint8),  # type: ignore[misc]
                        name=name,
                    )
                )
    return tuple(sorted(records, key=lambda record: record.id))


def simulate(
    behaviour: Behaviour,
    records: Sequence[ImageRecord],
    comparisons: Sequence[Comparison],
    protocol: Protocol,
    seed: int,
) -> Measurements:
    """Put every question of the comparisons to a made-up model and parse what it says.

    Parameters
    ----------
    behaviour : Behaviour
        Who answers.
    records : sequence of ImageRecord
        The images.
    comparisons : sequence of Comparison
        What is compared; `Contrast`, `Series`, `Group` or others that ask the same of every image.
    protocol : Protocol
        Resolves ``@score``.
    seed : int
        Equal seeds give equal answers.
    """
    plan = Plan(tuple(records), tuple(comparisons), protocol)
    subjects = Subjects.of(records)
    table = AnswerTable(len(records))
    for probe in plan.probes(records[0]):
        replies = behaviour.answer(Asked(subjects, probe.condition, probe.template, seed))
        for i, score in enumerate(replies.scores.tolist()):
            text = replies.texts.get(i)
            text = say(score, probe.template) if text is None else text
            table.put(i, probe.condition, probe.template, StoredAnswer(text, "stop"))
    return Measurements(records, table.columns, {})


def audit_all(data: Measurements, comparisons: Sequence[Comparison], protocol: Protocol) -> dict[str, Audit]:
    """Judge every comparison by the gate that the protocol declares for its family.

    Returns
    -------
    dict of str to Audit
        By audit id, ``family/name``.
    """
    judge = Judge(protocol, data, comparisons)
    audits = (judge.audit(c, protocol.families[c.family].gate, c.name) for c in comparisons)
    return {audit.id: audit for audit in audits}
