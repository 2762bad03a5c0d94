"""The earlier runs that a record was held against: the hashes of their records, and the comparison made again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from auditkit.ask.plan import Plan
from auditkit.errors import AuditkitError
from auditkit.evidence import Evidence, Reference
from auditkit.measure.columns import Measurements
from auditkit.measure.faults import differences
from auditkit.measure.recorded import from_answers
from auditkit.records.baseline.earlier import EarlierRun
from auditkit.records.baseline.unlike import unlike_in_plan
from auditkit.records.verify.checks import DIFFERS, OPEN, Check, settled
from auditkit.records.verify.record import read_bytes, read_record, sha256
from auditkit.records.verify.verdicts import NEVER, Material, by_version, shortened, unjudged_faults
from auditkit.run.recorded import RecordedRole

PART = "references"
_OF_MODEL = {"name", "family", "revision", "fingerprint", "backend", "description", "limits"}


def read_references(evidence: Evidence, files: Sequence[Path]) -> tuple[list[Check], dict[str, Evidence]]:
    """Find the earlier runs' records among the files given, by their hashes.

    Parameters
    ----------
    evidence : Evidence
        The record.
    files : sequence of pathlib.Path
        Records of earlier runs, in any order.

    Returns
    -------
    checks : list of Check
    found : dict of str to Evidence
        The earlier records by their SHA-256.
    """
    given = {sha256(content): (path, content) for path in files for content in [read_bytes(path)]}
    checks = []
    found: dict[str, Evidence] = {}
    wanted = [(r.evidence_sha256, f"the {r.role}, run {r.run} of {r.model}") for r in evidence.references]
    wanted += [
        (other.evidence_sha256, f"the record that answers for {other.role}, run {other.run} of {other.name}")
        for other in evidence.models
        if other.given == "record"
    ]
    for digest, words in wanted:
        if digest not in given:
            why = f"{words}: give its evidence.json, SHA-256 {digest}, with --reference to repeat the comparison"
            checks.append(Check(PART, OPEN, why))
            continue
        path, content = given[digest]
        other, check = read_record(content, path.name)
        if other is not None:
            found[digest] = other
        checks.append(settled(PART, f"{words}, is {path.name}, SHA-256 {digest}", list(check.details)))
    known = {digest for digest, _ in wanted}
    for digest in given.keys() - known:
        detail = f"SHA-256 {digest}, recorded: {', '.join(sorted(known)) or 'none'}"
        checks.append(Check(PART, DIFFERS, f"the run was not held against {given[digest][0].name}", (detail,)))
    return checks, found


def check_recorded(evidence: Evidence, recorded: Measurements, found: Mapping[str, Evidence]) -> Iterator[Check]:
    """Hold the answers of roles that a record answered for against that record.

    Parameters
    ----------
    evidence : Evidence
        The record.
    recorded : Measurements
        Its answers.
    found : mapping of str to Evidence
        From `read_references`.
    """
    for other in evidence.models:
        record = found.get(other.evidence_sha256) if other.given == "record" else None
        if record is None:
            continue
        own = [question for question in recorded.asked() if question.role == other.role]
        words = f"the {len(own)} columns of {other.role} are those of the record of run {record.run.id}"
        try:
            there = RecordedRole(other.role, record, other.evidence_sha256, from_answers(record.answers))
        except ValueError as error:
            yield Check(PART, OPEN, f"the answers for {other.role} cannot be read: {error}")
            continue
        theirs = there.columns(recorded.records, own)
        faults = [
            f"{question}: {int((~recorded.column(question).says_the_same(theirs[question])).sum())} answers are others"
            for question in own
            if not recorded.column(question).says_the_same(theirs[question]).all()
        ]
        said, now = other.model_dump(include=_OF_MODEL), record.model.model_dump(include=_OF_MODEL)
        faults += differences(said, now, where=f"models[{other.role}]")
        yield settled(PART, words, faults)


def check_versions(material: Material, found: Mapping[str, Evidence]) -> Iterator[Check]:
    """Hold the run against the earlier ones again.

    Parameters
    ----------
    material : Material
        With the answers of the store, which alone knows the contents of the images.
    found : mapping of str to Evidence
        From `read_references`.
    """
    for reference in material.evidence.references:
        other = found.get(reference.evidence_sha256)
        if other is None:
            continue
        recorded = [audit for audit in material.evidence.audits if audit.family == reference.role]
        words = f"{len(recorded)} audits against the {reference.role} made again come to the same verdicts and numbers"
        if material.reader is None:
            why = f"{len(recorded)} audits against the {reference.role} take the contents of the images and the answers"
            yield Check(PART, OPEN, f"{why}: give the run's store with --store")
            continue
        try:
            earlier = _earlier(material, reference, other)
        except ValueError as error:
            yield Check(PART, OPEN, f"the answers of the {reference.role} cannot be read: {error}")
            continue
        faults = list(_faults(material, earlier))
        yield by_version(material, words, faults, f"the comparison with the {reference.role} comes out otherwise")


def _earlier(material: Material, reference: Reference, other: Evidence) -> EarlierRun:
    """Return the earlier run beside what the comparison needs of a run, taken from its record."""
    evidence = material.evidence
    run: Any = SimpleNamespace(
        protocol=material.protocol,
        plan=Plan(material.data.records, tuple(material.planned), material.protocol),
        judge=SimpleNamespace(data=material.data),
        batch_size=evidence.answers.batch_size,
        settings=SimpleNamespace(limit=evidence.data.limited_to),
        store=material.store,
    )
    answers = from_answers(other.answers)
    problem = unlike_in_plan(other, run)
    return EarlierRun(reference.role, other, reference.evidence_sha256, answers, run, problem)


def _faults(material: Material, earlier: EarlierRun) -> Iterator[str]:
    said = next(r for r in material.evidence.references if r.role == earlier.role)
    yield from differences(said.model_dump(), earlier.reference().model_dump(), where=f"references[{earlier.role}]")
    for recorded in material.evidence.audits:
        if recorded.family != earlier.role:
            continue
        effect = material.known.get(material.named[recorded.id])
        if effect is None:
            continue  # a third party's: said beside the audit itself
        try:
            audit = earlier.audit(effect, recorded.question)
        except AuditkitError as error:
            found = list(unjudged_faults(recorded, error))
        else:
            found = list(differences(recorded.model_dump(), audit.model_dump(), NEVER))
        yield from shortened(recorded.id, found)
