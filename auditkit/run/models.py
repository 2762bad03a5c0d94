"""Who answered in a run, as it stands in the record."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from auditkit.ask.roles import Answerer
from auditkit.evidence import Answers, ModelInfo, Probes, RoleInfo
from auditkit.measure.recorded import marks_sha256
from auditkit.models.base import Model
from auditkit.run.session import AuditRun
from auditkit.vocabulary import DATA, MODEL


def model_info(model: Model, given: str) -> ModelInfo:
    """Return what a model says of itself; where it has no name, what was typed for it."""
    return ModelInfo(
        name=str(getattr(model, "name", None) or given),
        family=str(getattr(model, "family", None) or ""),
        revision=str(getattr(model, "revision", None) or ""),
        fingerprint=str(getattr(model, "fingerprint", None) or ""),
        backend=str(getattr(model, "backend", None) or type(model).__name__),
        description=str(getattr(model, "description", None) or ""),
        limits=[str(sentence) for sentence in getattr(model, "limits", None) or ()],
    )


def probes_of(run: AuditRun, who: Answerer) -> Probes:
    """Return how much somebody was asked."""
    tally = who.tally
    return Probes(
        planned=tally.planned,
        asked=tally.asked,
        from_store=tally.held,
        errors=len(tally.errors),
        saved=max(run.plan.of(who.role).size() - tally.planned, 0) if run.looks_made else 0,
        damaged=tally.damaged,
        seconds=round(tally.seconds, 1),
    )


def role_infos(run: AuditRun, answers: Answers) -> list[RoleInfo]:
    """Return who else answered, sorted by role; whoever no audit asks is left out."""
    data = run.judge.data
    found = [
        RoleInfo(
            **model_info(who.model, who.given).model_dump(),
            role=who.role,
            given="data" if who.role == DATA else "server" if who.served else "model",
            batch_size=who.batch_size,
            probes=probes_of(run, who),
            outcomes=data.total(who.role, run.protocol.catalogue.asked_of),
        )
        for who in run.answerers
        if who.role in run.roles - {MODEL}
    ]
    for one in run.recorded:
        if one.role in run.roles:
            then = one.evidence
            found.append(
                RoleInfo(
                    **then.model.model_dump(),
                    role=one.role,
                    given="record",
                    batch_size=then.answers.batch_size,
                    outcomes=data.total(one.role),
                    run=then.run.id,
                    finished=then.run.finished,
                    evidence_sha256=one.sha256,
                    marks_sha256=marks_sha256(answers, one.role),
                )
            )
    return sorted(found, key=lambda info: info.role)


def limits_of_roles(run: AuditRun, model: ModelInfo, others: Sequence[RoleInfo]) -> Iterator[str]:
    """Yield what a reader must know of those who answered beside the audited model."""
    for other in others:
        yield from (
            f"{other.name} ({other.role}): {sentence}" for sentence in other.limits if sentence not in model.limits
        )
        if all(getattr(other, part) == getattr(model, part) for part in ("name", "revision", "fingerprint")):
            yield (
                f"{other.role} is the audited model itself, by name, revision and fingerprint: what is compared with "
                "it is the model with itself."
            )
    yield from run.unsure
