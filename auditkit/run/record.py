"""Putting a run's record together: what was asked of what, the audits, and the verdict of the whole."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from auditkit.evidence import (
    Answers,
    Audit,
    Data,
    Evidence,
    Example,
    LookInfo,
    ModelInfo,
    Outcomes,
    PromptInfo,
    ProtocolInfo,
    Record,
    Reference,
    RoleInfo,
    Run,
    Unscored,
    whole_verdict,
)
from auditkit.measure.prompts import prompt_info
from auditkit.measure.recorded import chances_needed, columns_needed, to_answers
from auditkit.protocol.declared import declared_ids
from auditkit.run import provenance
from auditkit.run.data import data_of
from auditkit.run.described import digests_of
from auditkit.run.examples import examples, not_embedded, unscored
from auditkit.run.history import earlier_protocols
from auditkit.run.limits import limits
from auditkit.run.models import limits_of_roles, model_info, probes_of, role_infos
from auditkit.run.pictures import limits_of
from auditkit.run.session import AuditRun, all_left_out
from auditkit.words import not_embedded_sentence


class Header(Record):
    """Everything of a record but the audits: one process describes the run, others may have judged.

    The fields are those of `Evidence`, which they become.
    """

    run: Run
    """Without id, end and command, which `evidence` adds."""
    model: ModelInfo
    models: list[RoleInfo]
    protocol: ProtocolInfo
    data: Data
    prompts: list[PromptInfo]
    outcomes: Outcomes
    unscored: list[Unscored]
    not_embedded: list[Unscored]
    examples: list[Example]
    looks: list[LookInfo]
    references: list[Reference]
    answers: Answers
    limits: list[str]
    """What is known before the audits are: of the model, of names in the pictures, and of what went wrong."""


def header(run: AuditRun, references: Sequence[Reference] = ()) -> Header:
    """Return everything of the record but the audits, and note its digests in the store.

    Parameters
    ----------
    run : AuditRun
        Measured.
    references : sequence of Reference
        The earlier runs it was held against.
    """
    data, model = run.judge.data, model_info(run.model, run.settings.model)
    columns = columns_needed(run.protocol, run.plan.effects)
    chances = chances_needed(run.protocol, run.plan.effects)
    answers = to_answers(data, run.batch_size, columns, chances=chances, probabilities=run.probabilities)
    models = role_infos(run, answers)
    described = Header(
        run=_run(run),
        model=model,
        models=models,
        protocol=_protocol(run),
        data=data_of(data.records, all_left_out(run), run.images, run.settings, run.not_asked),
        prompts=_prompts(run),
        outcomes=data.total(asked_of=run.protocol.catalogue.asked_of),
        unscored=unscored(run),
        not_embedded=not_embedded(run),
        examples=examples(run),
        looks=run.looks_made,
        references=list(references),
        answers=answers,
        limits=[*model.limits, *limits_of_roles(run, model, models), *limits_of(run.settings, data.records)],
    )
    # For `verify`: most of it takes the model, the images or the clock to be said again.
    run.store.note_described(described.answers.sha256, digests_of(described, described.limits))
    return described


def evidence(header: Header, audits: Sequence[Audit], *, run_id: str, command: str) -> Evidence:
    """Return the record of a run.

    Parameters
    ----------
    header : Header
        From the process that described the run.
    audits : sequence of Audit
        The judged audits, in any order.
    run_id, command : str
        For the provenance.
    """
    ordered = sorted(audits, key=lambda audit: audit.id)
    declared = declared_ids(
        header.protocol.criteria,
        [reference.role for reference in header.references],
        [counts.modality for counts in header.data.modalities],
    )
    not_run = sorted(set(declared) - {audit.id for audit in ordered})
    verdict, sentence = whole_verdict(ordered, not_run)
    finished = {
        "id": run_id,
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": command,
        "packages": provenance.packages(),
        "machine": provenance.machine(),
    }
    described = {name: getattr(header, name) for name in Header.model_fields}
    described["run"] = header.run.model_copy(update=finished)
    missing = map(not_embedded_sentence, header.not_embedded)
    described["limits"] = [*header.limits, *missing, *limits(header.data, ordered)]
    return Evidence(**described, audits=ordered, not_run=not_run, verdict=verdict, sentence=sentence)


def _run(run: AuditRun) -> Run:
    """Say how much was asked, when these criteria were first applied to these images, and which were before."""
    place = next(i for i, known in enumerate(run.judged_by) if known.sha256 == run.protocol_sha256)
    return Run(
        id="",
        started=run.started,
        finished="",
        git=run.git,
        probes=probes_of(run, run.answerers[0]),
        protocol_first_seen=run.protocol_first_seen,
        protocol_first_judged=run.judged_by[place].first_judged,
        earlier_protocols=earlier_protocols(run.judged_by[:place], run.protocol.model_dump(mode="json")),
    )


def _protocol(run: AuditRun) -> ProtocolInfo:
    protocol = run.protocol
    parts = protocol.parts()
    return ProtocolInfo(
        name=protocol.name,
        sha256=run.protocol_sha256,
        profile=protocol.profile,
        alpha=protocol.alpha,
        criteria=protocol.model_dump(mode="json"),
        criteria_sha256=parts.pop("criteria"),
        entries=parts,
        toml=protocol.source,
    )


def _prompts(run: AuditRun) -> list[PromptInfo]:
    """Return every wording that the audits use, as it is put about a clean image."""
    catalogue = run.protocol.catalogue
    questions = {q for effect in run.plan.effects for q in map(run.protocol.resolve, effect.questions())}
    return [prompt_info(catalogue, *w) for w in sorted({(q.task, q.wording) for q in questions if catalogue.asks(q)})]
