"""A role whose model was asked in another run: its answers are taken from that run's record, item by item."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from auditkit.ask.store import NotedImage, Store
from auditkit.errors import AuditkitError
from auditkit.evidence import Evidence, ItemEntry
from auditkit.evidence.reading import read_evidence
from auditkit.images.item import Item
from auditkit.measure.columns import NOT_ASKED, Column, Measurements, level_of
from auditkit.measure.faults import count_faults
from auditkit.measure.marks import refuse_marks_beyond
from auditkit.measure.recorded import data_sha256, from_answers
from auditkit.protocol.changes import changed_entries
from auditkit.protocol.entries import entries_used
from auditkit.protocol.model import Protocol
from auditkit.vocabulary import MODEL, Effect, Question
from auditkit.words import some_of


@dataclass(frozen=True)
class RecordedRole:
    """Answers of a model from the record of its run.

    Attributes
    ----------
    role : str
        What it answers as.
    evidence : Evidence
        The record.
    sha256 : str
        Over the bytes of the file.
    answers : Measurements
        What its model answered.
    """

    role: str
    evidence: Evidence
    sha256: str
    answers: Measurements

    def lacks(self, effect: Effect, protocol: Protocol) -> str:
        """Say what of an effect's questions to this role the record does not hold; empty where it holds all."""
        own = [protocol.resolve(question) for question in effect.questions() if question.role == self.role]
        used = entries_used(protocol.catalogue, own)
        then = self.evidence.protocol.entries
        unknown = sorted(used.keys() - then.keys())
        if unknown:
            return f"{effect} cannot be answered by {self.name}: its protocol did not cover {some_of(unknown)}."
        changed = changed_entries({name: then[name] for name in used}, used)
        if changed:
            return f"{effect} cannot be answered by {self.name}: it was asked with another {some_of(changed)}."
        if any((self.answers.column(as_model(question)).outcomes == NOT_ASKED).all() for question in own):
            return f"{effect} cannot be answered by {self.name}: it was not asked these questions."
        return ""

    @property
    def name(self) -> str:
        """The run in words."""
        words = f"the run {self.evidence.run.id} of {self.evidence.model.name}, named for {self.role}"
        # The file is somebody's: what it says must not drive a terminal or a CI log.
        return " ".join("".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in words).split())

    def columns(self, records: Sequence[Item], questions: Sequence[Question]) -> dict[Question, Column]:
        """Return its answers to questions about these items; an item that it has not was not asked about."""
        place = {record.id: i for i, record in enumerate(self.answers.records)}
        places = np.array([place.get(record.id, -1) for record in records], dtype=np.int64)
        return {question: _taken(self.answers.column(as_model(question)), places) for question in questions}


def as_model(question: Question) -> Question:
    """Return a question as it was put to the model of the run that recorded it."""
    return Question(question.task, question.wording, question.condition, MODEL)


def _taken(column: Column, places: np.ndarray) -> Column:
    there = places >= 0
    values = {name: np.where(there, some[places], np.nan) for name, some in column.values.items()}
    labels = None if column.labels is None else np.where(there, column.labels[places], "")
    return Column(values, np.where(there, column.outcomes[places], NOT_ASKED).astype(np.int8), labels)


def read_role(role: str, path: Path, protocol: Protocol) -> RecordedRole:
    """Read the record that answers in a role.

    Raises
    ------
    AuditkitError
        A file that cannot be read or is not evidence, or answers about pictures that were made otherwise.
    """
    typed = f"--audit-with={role}"
    evidence, raw = read_evidence(path, typed)
    typed = f"{typed}={path}"
    if not evidence.answers.items or not evidence.answers.columns:
        raise AuditkitError(f"{typed}: its record holds no answers.", "Give the evidence.json of a run of that model.")
    fault = next(count_faults(evidence), None)
    if fault is not None:
        raise AuditkitError(f"{typed}: its answers are damaged: {fault}.", "Give the file as the run wrote it.")
    refuse_marks_beyond(evidence, f"{typed}")
    criteria, own = evidence.protocol.criteria, protocol.model_dump(mode="json")
    made = (("seed", criteria.get("seed"), own["seed"]), ("images.max_side", _side(criteria), _side(own)))
    for key, then, now in made:
        if then != now:
            raise AuditkitError(
                f"{typed}: its pictures were made otherwise: {key} was {then}, and is {now} here.",
                "Give the record of a run with a protocol that makes the same pictures.",
            )
    return RecordedRole(role, evidence, hashlib.sha256(raw).hexdigest(), from_answers(evidence.answers))


def _side(criteria: Mapping[str, object]) -> object:
    images = criteria.get("images")
    return images.get("max_side") if isinstance(images, Mapping) else None


def check_items(one: RecordedRole, records: Sequence[Item], store: Store) -> str:
    """Refuse a record of other images; say what cannot be told of those that both have.

    Parameters
    ----------
    one : RecordedRole
        Whose items are held against these.
    records : sequence of Item
        Those of this run.
    store : Store
        May have noted the bytes that the recorded run was about.

    Returns
    -------
    str
        Empty where the pictures are known to be the same.

    Raises
    ------
    AuditkitError
        When none is there, or some are of other patients, modalities or pixels.
    """
    then = {item.id: item for item in one.evidence.answers.items}
    both = [record for record in records if record.id in then]
    typed = f"--audit-with={one.role}: "
    if not both:
        raise AuditkitError(
            f"{typed}none of the {len(then)} images of {one.name} is among these {len(records)}.",
            "Give the record of a run on these images. If they should be the same, set AUDITKIT_SALT to what it was "
            "then.",
        )
    moved = sum(_is_moved(then[record.id], record) for record in both)
    if moved:
        raise AuditkitError(
            f"{typed}{moved} of the {len(both)} images that {one.name} has too belong to other patients, modalities "
            "or levels of a column there.",
            "Give the record of a run on these images.",
        )
    whole = len(both) == len(then)  # the hash is over all images of that run
    if whole and one.evidence.data.sha256 == data_sha256(r.address for r in both):
        return ""
    noted = _noted(store.manifests(one.evidence.data.sha256), then.keys())
    changed = sum(noted[r.id] != r.address for r in both) if noted is not None else 0
    if changed or whole:
        some = f"{changed} of the " if changed else "some of the "
        raise AuditkitError(
            f"{typed}the pixels of {some}{len(both)} images that {one.name} has too are other ones now.",
            "Give the record of a run on these images.",
        )
    if noted is not None:
        return ""
    return (
        f"{len(both)} of the {len(records)} images are in the record that answers for {one.role} too, by their ids; "
        "whether their pixels are the same, only the store of that run can tell."
    )


def _is_moved(then: ItemEntry, now: Item) -> bool:
    """Whether an item is another's, or has another level in a column that both know: a right answer, a site."""
    known = [column for column in then.columns if column in now.attributes]
    other = any(then.columns[column] != level_of(now, column) for column in known)
    return other or (then.cluster, then.modality) != (now.cluster, now.modality)


def _noted(manifests: Sequence[Sequence[NotedImage]], ids: object) -> dict[str, str] | None:
    for images in manifests:
        found = {image.id: image.address for image in images}
        if found.keys() == ids:
            return found
    return None
