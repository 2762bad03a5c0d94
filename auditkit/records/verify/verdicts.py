"""Whether the verdicts follow from the answers: every audit judged again, by the recorded criteria."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from auditkit.ask.plan import Plan, distinct, stages
from auditkit.ask.store import Store
from auditkit.errors import AuditkitError
from auditkit.evidence import NOT_ASKED, Answers, Audit, Evidence, LookInfo
from auditkit.images.item import Item
from auditkit.judge.cases import failing_cases
from auditkit.judge.judge import Judge
from auditkit.judge.looks import plan_looks
from auditkit.measure.columns import Measurements, level_of
from auditkit.measure.faults import differences
from auditkit.measure.reader import AnswerReader
from auditkit.measure.recorded import effect_from, from_answers
from auditkit.protocol.model import Protocol
from auditkit.protocol.shipped import SHIPPED
from auditkit.records.verify.checks import OPEN, Check, settled
from auditkit.records.verify.criteria import same_version
from auditkit.run.data import notes, strata
from auditkit.run.session import decided_levels
from auditkit.tasks import CHANCE, is_of_probabilities
from auditkit.vocabulary import MODEL, Effect, Question

PART = "verdicts"
# The question and the hazards are the audits' authors'; pictures take the images.
NEVER = {"question", "hazard_ids", "control_jpeg", "treated_jpeg"}
# Take the raw answers, their probabilities and the rendered pictures' doses, which are in the store.
_OF_STORE = {"expected", "ssim", "psnr", "cases"}
_SHOWN_PER_AUDIT = 3


@dataclass(frozen=True)
class Material:
    """What verdicts are made from.

    Attributes
    ----------
    evidence : Evidence
        The record.
    protocol : Protocol
        Its criteria.
    data : Measurements
        Its answers: from the store where all of them were found there, else from the record.
    reader : AnswerReader or None
        Of the store's answers; None where `data` is from the record.
    store : Store or None
        That store, open.
    """

    evidence: Evidence
    protocol: Protocol
    data: Measurements
    reader: AnswerReader | None = None
    store: Store | None = None

    @cached_property
    def known(self) -> dict[str, Effect]:
        """Effects by id: as auditkit ships them, and those of one's own as the record defines them."""
        recorded = {audit.id: effect_from(audit) for audit in self.evidence.audits}
        shipped = {f"{e.family}/{e.name}": e for listed in SHIPPED.values() for e in listed()}
        return {name: effect for name, effect in recorded.items() if effect is not None} | shipped

    @cached_property
    def named(self) -> dict[str, str]:
        """The id of the effect behind every audit; those against an earlier run have its role in front."""
        roles = {reference.role for reference in self.evidence.references}
        return {a.id: a.id.removeprefix(f"{a.family}/") if a.family in roles else a.id for a in self.evidence.audits}

    @cached_property
    def unknown(self) -> list[Audit]:
        """Audits whose effect is not at hand: the record does not define it."""
        return [a for a in self.evidence.audits if self.named[a.id] not in self.known]

    @cached_property
    def audits(self) -> list[Audit]:
        """The audits that can be judged again, from the run's own answers.

        A family with an audit that is not at hand cannot be corrected for multiplicity.
        """
        lost = {a.family for a in self.unknown}
        known = [a for a in self.evidence.audits if a.id in self.known and a.family not in lost]
        return [a for a in known if self.reader is not None or not _rests_on_probabilities(self.known[a.id])]

    @cached_property
    def planned(self) -> list[Effect]:
        """What was planned, as far as it is at hand, in the order of a run."""
        return list(distinct(self.known[name] for name in self.named.values() if name in self.known))

    @property
    def also_asked(self) -> list[Effect]:
        """Effects that were not judged but whose questions were asked: a run that was stopped planned them."""
        asked = set(self.data.asked())
        return [
            effect
            for name, effect in self.known.items()
            if name in self.evidence.not_run
            and effect.family in self.protocol.families
            and self.questions([effect]) <= asked
        ]

    def questions(self, effects: Iterable[Effect]) -> set[Question]:
        """Return what some effects ask about an item."""
        resolve = self.protocol.resolve
        return {resolve(q) for effect in effects for q in effect.questions()}


def definition_faults(evidence: Evidence, protocol: Protocol) -> Iterator[str]:
    """Yield what audits are defined by that the record's own protocol does not have: no run writes that."""
    for audit in evidence.audits:
        effect = effect_from(audit)
        try:
            for part in () if effect is None else protocol.resolved(effect).parts:
                for _, value in part.terms:
                    protocol.catalogue.quantity(value)
        except AuditkitError as error:
            yield f"{audit.id}: {error.problem}"


def check_verdicts(material: Material) -> list[Check]:
    """Judge every audit again and compare verdicts, sentences, estimates, p-values and figures."""
    checks = []
    if material.unknown:
        listed = Counter(audit.family for audit in material.unknown)
        words = ", ".join(f"{n} of {family}" for family, n in listed.items())
        why = f"audits whose effect the record does not define, and with them their whole family: {words}"
        checks.append(Check(PART, OPEN, f"{why}. Run them again on the same store; nothing is asked again"))
    checks += _left_out(material)
    if material.protocol.looks.number > 1:
        return [*checks, *_after_looks(material)]
    judges = (
        Judge(material.protocol, material.data, planned, names=material.evidence.names)
        for planned in (material.planned, [*material.planned, *material.also_asked])
    )
    return [*checks, _compared(material, judges)]


def _rests_on_probabilities(effect: Effect) -> bool:
    """Whether any of its values is one of the probabilities that no record holds: of those it has the chances."""
    names = {value.name for part in effect.parts for _, value in part.terms}
    return any(is_of_probabilities(name) and not name.startswith(CHANCE) for name in names)


def _left_out(material: Material) -> list[Check]:
    """Nobody asks what no audit needs: the run was stopped before it judged, or audits were taken out afterwards."""
    needed = material.questions(material.planned)
    left = [f"{e.family}/{e.name}" for e in material.also_asked if not material.questions([e]) <= needed]
    if not left:
        return []
    why = f"{len(left)} audits are said not to be run, but the questions that only they need were asked"
    remedy = "the run was stopped, or they were left out. Run the same command again; nothing is asked a second time"
    return [Check(PART, OPEN, f"{why}: {remedy}", tuple(left))]


def _after_looks(material: Material) -> list[Check]:
    """Go through the early looks again, which takes every image that was planned."""
    evidence, protocol = material.evidence, material.protocol
    staged = stages(material.data.records, protocol.looks.number, protocol.seed)
    if evidence.data.n_left_out or len(evidence.looks) != len(staged):
        why = "the run looked early, and not every image planned is in its record, so its looks cannot be made again"
        return [Check(PART, OPEN, f"{why}. Run the same command on the same store: nothing is asked again")]
    judge: Judge | None = None
    asked = (MODEL, *(other.role for other in evidence.models if other.given != "record"))
    seen: set[str] = set()
    looks: list[LookInfo] = []
    for look, stage in zip(plan_looks(staged, protocol), staged, strict=True):
        wanted = material.planned if judge is None else list(judge.undecided())
        seen |= {record.id for record in stage}
        data = from_answers(_of(evidence.answers, seen))
        judge = Judge(protocol, data, material.planned, look, before=judge, names=evidence.names)
        records = judge.data.records
        looks.append(
            LookInfo(
                number=look.number,
                n_images=len(records),
                n_clusters=len({r.cluster for r in records}),
                n_questions=Plan(stage, tuple(wanted), protocol, asked).size(),
                n_settled=judge.n_settled,
                levels=decided_levels(look, protocol),
            )
        )
    recorded = [look.model_dump() for look in evidence.looks]
    faults = list(differences(recorded, [look.model_dump() for look in looks], where="looks"))
    material = replace(material, reader=None)  # of the data the judges had
    complete = not material.unknown
    words = f"the {len(looks)} looks at the data were made as recorded"
    made = [settled(PART, words, faults)] if complete else []
    return [*made, _compared(material, [judge] if judge is not None else [])]


def _of(answers: Answers, ids: set[str]) -> Answers:
    """Return the answers about some of the images."""
    chosen = [i for i, item in enumerate(answers.items) if item.id in ids]
    columns = []
    for column in answers.columns:
        marks = {name: text.split() for name, text in column.values.items()}
        kept = {name: [every[i] for i in chosen] for name, every in marks.items()}
        if any(mark != NOT_ASKED for every in kept.values() for mark in every):
            values = {name: " ".join(every) for name, every in kept.items()}
            columns.append(column.model_copy(update={"values": values}))
    return answers.model_copy(update={"items": [answers.items[i] for i in chosen], "columns": columns})


def _compared(material: Material, judges: Iterable[Judge]) -> Check:
    """Compare with what a judge says; where several may have judged, one that agrees is enough."""
    faults: list[str] = []
    for judge in judges:
        found = list(_faults(material, judge))
        if not found:
            faults = []
            break
        faults = faults or found
    n = len(material.audits)
    words = f"{n} audits judged again come to the same verdicts, estimates and p-values"
    if material.reader is None:
        words += ", by the record's answers; similarities, cases and what rests on probabilities take the store"
    return by_version(material, words, faults, f"of {n} audits judged again, {_count(faults)} differ")


def by_version(material: Material, words: str, faults: Sequence[str], otherwise: str) -> Check:
    """Another version may judge otherwise without anybody's doing."""
    if faults and not same_version(material.evidence):
        made = material.evidence.run.packages.get("auditkit", "another version")
        why = f"{otherwise}. The record was made with auditkit {made}: install that one to tell a change of the code"
        return Check(PART, OPEN, f"{why} from one of the record", tuple(faults))
    return settled(PART, words, faults, otherwise)


def _count(faults: Sequence[str]) -> int:
    return len({fault.partition(": ")[0] for fault in faults})


def _faults(material: Material, judge: Judge) -> Iterator[str]:
    skip = NEVER if material.reader is not None else NEVER | _OF_STORE
    for recorded in material.audits:
        yield from shortened(recorded.id, list(_audit_faults(material, judge, recorded, skip)))


def shortened(name: str, faults: Sequence[str]) -> Iterator[str]:
    """Yield the first faults of an audit, and how many more there are."""
    yield from (f"{name}: {fault}" for fault in faults[:_SHOWN_PER_AUDIT])
    if len(faults) > _SHOWN_PER_AUDIT:
        yield f"{name}: {len(faults) - _SHOWN_PER_AUDIT} more"


def unjudged_faults(recorded: Audit, error: AuditkitError) -> Iterator[str]:
    """Compare an audit with one that could not be judged."""
    unjudged = {"verdict": "ERROR", "sentence": f"It could not be judged: {error}"}
    yield from differences(recorded.model_dump(include=set(unjudged)), unjudged)


def _audit_faults(material: Material, judge: Judge, recorded: Audit, skip: set[str]) -> Iterator[str]:
    effect = material.known[recorded.id]
    try:
        audit = judge.audit(effect, recorded.question)
    except AuditkitError as error:
        yield from unjudged_faults(recorded, error)
        return
    if material.reader is not None and audit.verdict != "PASS" and not audit.shown:
        worst = judge.worst_cases(effect)  # without their pictures, which are not compared
        cases = failing_cases(
            worst, material.reader, judge.data, material.protocol, lambda record: False, material.evidence.names
        )
        audit = audit.model_copy(update={"cases": cases})
    # What the verdict is, before what it rests on.
    first = {"verdict", "sentence", "estimate", "p_pass", "p_fail"}
    yield from differences(recorded.model_dump(include=first), audit.model_dump(include=first), skip)
    yield from differences(recorded.model_dump(exclude=first), audit.model_dump(exclude=first), skip)


def _of_all(material: Material, words: str, faults: Sequence[str]) -> Check:
    """Figures over all effects of a run, some of which may not be at hand."""
    if faults and material.unknown:
        why = "come out otherwise without the audits that this auditkit does not ship"
        return Check(PART, OPEN, f"{words} {why}", tuple(faults))
    return by_version(material, f"{words} as recorded", faults, f"{words} not as recorded")


def check_attributes(evidence: Evidence, records: Sequence[Item]) -> Check:
    """Compare the attributes of the images, one by one and as counted, with those that their source gives.

    Parameters
    ----------
    evidence : Evidence
        The record.
    records : sequence of Item
        The images with their attributes, which only their source knows; empty when it was not given.
    """
    words = "the attributes of the images"
    if not records:
        return Check(PART, OPEN, f"{words}: only their source tells whether they are as recorded: give --audit-data")
    faults = list(differences(_plain(evidence.data.strata), _plain(strata(records)), where="data.strata"))
    faults += differences(evidence.data.notes, notes(records), where="data.notes")
    for item, record in zip(evidence.answers.items, records, strict=True):
        found = {column: level_of(record, column) for column in item.columns}
        faults += differences(item.columns, found, where=f"image {item.id}: columns")
    return settled(PART, f"{words} and what the reader noted are those that their source gives", faults)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    return [entry.model_dump() for entry in value]
