"""Whole audits of made-up models in milliseconds: texts in, verdicts out, by the code that judges real runs.

Nothing is rendered and no store is used; everything from the text of an answer to the sentence of a verdict is what a
run uses (`auditkit.measure.reader.AnswerTable`, `auditkit.judge.judge.Judge`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache, partial

import numpy as np
from numpy.typing import NDArray

from auditkit.ask.plan import Plan
from auditkit.ask.store import StoredAnswer
from auditkit.evidence import Audit
from auditkit.images.item import Item, Picture, salted_hash
from auditkit.judge.judge import Judge
from auditkit.measure.columns import Measurements
from auditkit.measure.reader import AnswerTable
from auditkit.protocol.model import Protocol
from auditkit.run.truths import truths_of
from auditkit.testing.questions import Asked, Subjects, generator
from auditkit.testing.readers import Behaviour
from auditkit.testing.saying import say
from auditkit.vocabulary import Effect


def made_up_images(patients: Mapping[str, int], per_patient: Sequence[int] = (1,)) -> tuple[Item, ...]:
    """Return image records of made-up patients, sorted by id.

    Parameters
    ----------
    patients : mapping of str to int
        Number of patients by modality.
    per_patient : sequence of int
        Images of the first patient, the second and so on, over again from the start.

    Returns
    -------
    tuple of Item
        Their pixels are noise of 48 x 48, made when they are read.
    """
    records = []
    for modality, count in patients.items():
        for patient in range(count):
            for image in range(per_patient[patient % len(per_patient)]):
                name = f"{modality}-{patient}-{image}"
                identifier = salted_hash("made-up", name)
                records.append(
                    Item(
                        id=identifier,
                        cluster=salted_hash("made-up", modality, str(patient)),
                        modality=modality,
                        pictures=(Picture(identifier * 4, partial(_noise, name)),),
                        synthetic=True,
                        source="made up",
                        name=name,
                    )
                )
    return tuple(sorted(records, key=lambda record: record.id))


def labelled_images(records: Sequence[Item], column: str, levels: Sequence[str]) -> tuple[Item, ...]:
    """Return records with what a column says of each.

    Parameters
    ----------
    records : sequence of Item
        As `made_up_images` gives them.
    column : str
        Name of the column, as a task's ``truth`` names it.
    levels : sequence of str
        One for every record.
    """
    return tuple(
        replace(record, columns={**record.columns, column: level})
        for record, level in zip(records, levels, strict=True)
    )


def _noise(name: str) -> NDArray[np.uint8]:
    return generator(0, name).integers(0, 256, (48, 48)).astype(np.uint8)


def simulate(
    behaviour: Behaviour, records: Sequence[Item], effects: Sequence[Effect], protocol: Protocol, seed: int
) -> Measurements:
    """Put every question of the effects to a made-up model and read what it says.

    Parameters
    ----------
    behaviour : Behaviour
        Who answers.
    records : sequence of Item
        The images.
    effects : sequence of Effect
        What is to be judged.
    protocol : Protocol
        Its catalogue has the tasks and the perturbations.
    seed : int
        Equal seeds give equal answers.

    Raises
    ------
    AuditkitError
        When an effect or a planted defect names what is not in the catalogue.
    """
    catalogue = protocol.catalogue
    records = truths_of(records, effects, protocol)
    plan = Plan(tuple(records), tuple(effects), protocol)
    subjects = Subjects.of(records)
    table = AnswerTable(len(records), catalogue)
    planned = {modality: plan.questions(modality) for modality in dict.fromkeys(subjects.modalities.tolist())}
    asked = [frozenset(plan.about(record)) for record in records]
    for question in dict.fromkeys(question for questions in planned.values() for question in questions):
        replies = behaviour.answer(Asked(subjects, question, catalogue, seed))
        # Many items get the same score: putting it into words once is enough.
        in_words = lru_cache(maxsize=1024)(partial(say, question=question, catalogue=catalogue))
        for i, score in enumerate(replies.scores.tolist()):
            if question in asked[i]:
                text = replies.texts.get(i)
                text = in_words(score) if text is None else text
                table.put(i, question, StoredAnswer(text, "stop", replies.logprobs.get(i)), records[i].columns)
    return Measurements(records, table.columns)


def audit_all(data: Measurements, effects: Sequence[Effect], protocol: Protocol) -> dict[str, Audit]:
    """Judge every effect by the limit that the protocol declares for its family.

    Returns
    -------
    dict of str to Audit
        By audit id, ``family/name``.
    """
    judge = Judge(protocol, data, effects)
    audits = (judge.audit(effect, effect.name) for effect in effects)
    return {audit.id: audit for audit in audits}
