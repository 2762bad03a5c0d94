"""Named parts of the record that clauses ask for: how much of each a record holds, and what is missing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from auditkit.evidence import Evidence
from auditkit.report.clauses.families import of_family
from auditkit.report.clauses.found import Found, decided, found, nothing, of_decided
from auditkit.report.clauses.people import SECTIONS as PEOPLE
from auditkit.report.right_answers import by_kind, by_label
from auditkit.report.views import BASELINE, calibrations
from auditkit.words import OUTCOME_NAMES, column_name, count, moment, plain_name, whole

CONVENTIONAL_LEVEL = 0.95
INTENDED_USE = ("purpose", "users", "population", "out_of_scope")


def _protocol(evidence: Evidence) -> Found:
    """Criteria were fixed before the data and not changed after a look at them."""
    protocol, run = evidence.protocol, evidence.run
    if not protocol.sha256:
        return nothing("protocol", "no protocol hash")
    gaps = []
    if not run.protocol_first_seen:
        gaps.append("when the protocol was first seen is not recorded")
    if run.earlier_protocols:
        n = count(len(run.earlier_protocols), "earlier protocol")
        gaps.append(f"the protocol was changed after the same model and images had been judged ({n})")
    seen = f", first seen {moment(run.protocol_first_seen)}" if run.protocol_first_seen else ""
    return found(f"protocol {protocol.sha256[:16]}{seen}", gaps)


def _acceptance(evidence: Evidence) -> Found:
    return of_decided(
        evidence,
        "declared acceptance limits",
        lambda a: any(c.margin_low is not None or c.margin_high is not None for c in a.parts),
    )


def _multiplicity(evidence: Evidence) -> Found:
    return of_decided(
        evidence,
        "Holm's correction within the family",
        lambda a: any(c.p_fail_holm is not None for c in a.parts),
    )


def _intervals(evidence: Evidence) -> Found:
    return of_decided(evidence, "intervals", lambda a: a.estimate.low is not None and a.estimate.high is not None)


def _level_95(evidence: Evidence) -> Found:
    return of_decided(evidence, "intervals of at least 95 %", lambda a: (a.estimate.level or 0.0) >= CONVENTIONAL_LEVEL)


def _power(evidence: Evidence) -> Found:
    return of_decided(evidence, "a smallest limit that the data could have passed (mde)", lambda a: a.mde is not None)


def _modalities(evidence: Evidence) -> Found:
    return of_decided(evidence, "results by modality", lambda a: bool(a.parts))


def _severities(evidence: Evidence) -> Found:
    """Scores by severity, with the measured dose."""
    points = [p for a in evidence.audits for p in a.series if p.level and p.score.value is not None]
    if not points:
        return nothing("scores by severity", "no scores by severity")
    without = sum(p.ssim is None for p in points)
    label = f"scores by severity with measured similarity (SSIM), up to severity {max(p.level for p in points)}"
    return found(label, ["the similarity of some pictures was not measured"] if without else [])


def _audits(evidence: Evidence) -> Found:
    """All that was declared ran and came to an answer."""
    audits, left = evidence.deciding, len(evidence.not_run)
    answered = len(decided(evidence))
    if not answered:
        return nothing("audits", "no audit came to an answer")
    gaps = []
    if answered < len(audits):
        gaps.append(f"{count(len(audits) - answered, 'audit')} undecided or in error")
    if left:
        gaps.append(f"{count(left, 'declared audit')} not run")
    return found(f"{whole(answered)} of {count(len(audits) + left, 'declared audit')} came to an answer", gaps)


def _answers(evidence: Evidence) -> Found:
    answers = evidence.answers
    if not (answers.items and answers.columns):
        return nothing("answers", "the single answers are not in the record")
    label = f"every answer as score or outcome: {count(len(answers.items), 'image')}, "
    label += count(len(answers.columns), "condition")
    return found(label, [] if answers.sha256 else ["no hash over the raw answers"])


def _outcomes(evidence: Evidence) -> Found:
    outcomes = evidence.outcomes
    if not outcomes.total:
        return nothing("outcomes", "no answer was counted")
    parts = [f"{whole(getattr(outcomes, k))} {v.lower()}" for k, v in OUTCOME_NAMES.items() if getattr(outcomes, k)]
    gap = f"{count(outcomes.error, 'question')} ended in an error" if outcomes.error else ""
    return found(f"outcomes of all answers: {', '.join(parts)}", [gap])


def _provenance(evidence: Evidence) -> Found:
    run = evidence.run
    if not (run.id and run.started):
        return nothing("provenance", "the run is not identified")
    gaps = [
        "" if run.finished else "no end time",
        "" if run.packages else "no package versions",
        "" if run.machine else "no machine",
        "" if run.git.get("commit") else f"no commit{f' ({why})' if (why := run.git.get('reason')) else ''}",
        "the code had uncommitted changes" if run.git.get("dirty") else "",
    ]
    return found(f"run {run.id}, {moment(run.started)}", gaps)


def _model(evidence: Evidence) -> Found:
    model = evidence.model
    if not model.name:
        return nothing("model", "the model is not named")
    gaps = [
        "" if model.revision else "no revision",
        "" if model.fingerprint else "no fingerprint of weights and set-up",
        *(f"no fingerprint of {other.name} ({other.role})" for other in evidence.models if not other.fingerprint),
    ]
    version = f" {model.revision}" if model.revision else ""
    beside = "".join(f", beside {other.name} ({other.role})" for other in evidence.models)
    return found(f"model {model.name}{version}{beside}", gaps)


def _prompts(evidence: Evidence) -> Found:
    if not evidence.prompts:
        return nothing("prompts", "the prompts are not in the record")
    return found(f"{count(len(evidence.prompts), 'prompt')} word for word")


def _baseline(evidence: Evidence) -> Found:
    """An earlier version was given, every earlier run given can be compared, and the comparison came to an answer."""
    if not any(reference.role == BASELINE for reference in evidence.references):
        return nothing("baseline", "no baseline was given")
    apart = [r for r in evidence.references if r.problem or not r.n_answers]
    compared = [r for r in evidence.references if r not in apart]
    gaps = [f"{r.role} run {r.run} cannot be compared" for r in apart]
    if not any(reference.role == BASELINE for reference in compared):
        return nothing("baseline", *gaps)
    judged = of_family(evidence, BASELINE)
    label = "; ".join(f"{r.role} run {r.run}: {whole(r.n_answers)} answers on both sides" for r in compared)
    return found(label if judged.level == "none" else f"{label}; {judged.label}", [*gaps, *judged.gaps])


def _calibration(evidence: Evidence) -> Found:
    measured = [audit for audit in calibrations(evidence) if audit.estimate.value is not None]
    if not measured:
        return nothing("calibration", "calibration was not measured")
    return found(f"calibration: {count(len(measured), 'curve')}")


def _right_answers(evidence: Evidence) -> Found:
    """Answers were held against labels of the data: accuracy, recall, what corruption costs of them."""
    audits = by_label(evidence)
    pieces = [of_family(evidence, name) for name in dict.fromkeys(audit.family for audit in audits)]
    held = [piece.label for piece in pieces if piece.level != "none"]
    gaps = [gap for piece in pieces for gap in piece.gaps]
    if held:
        return found(f"answers held against labels: {'; '.join(held)}", dict.fromkeys(gaps))
    kind = "; only what kind of image it is was asked" if by_kind(evidence) else ""
    return nothing(
        "right answers", *(gaps or [f"no answer was held against a label, so accuracy was not measured{kind}"])
    )


def _right_by_group(evidence: Evidence) -> Found:
    """Right answers were compared between the levels of a column."""
    groups = [a for a in by_label(evidence) if a.between and a.estimate.value is not None]
    if not groups:
        return nothing("right answers by group", "right answers were not compared between groups")
    return found(
        f"right answers compared by {', '.join(dict.fromkeys(column_name(a.between).lower() for a in groups))}"
    )


def _hazards(evidence: Evidence) -> Found:
    """Audits carry ids of the risk management file."""
    named = [a for a in evidence.deciding if a.hazard_ids]
    worded = [a for a in evidence.deciding if a.hazard or a.hazard_ids]
    if not worded:
        return nothing("hazards", "no audit names a hazard")
    ids = {i for a in named for i in a.hazard_ids}
    label = f"hazards named for {count(len(worded), 'audit')}, {count(len(ids), 'id')} of the risk file"
    without = len(evidence.deciding) - len(named)
    return found(label, [f"{count(without, 'audit')} without an id of the risk file"] if without else [])


def _limits(evidence: Evidence) -> Found:
    if not evidence.limits:
        return nothing("limits", "no limits are stated")
    return found(f"{count(len(evidence.limits), 'stated limit')}")


def _cases(evidence: Evidence) -> Found:
    shown = sum(len(a.cases) for a in evidence.audits)
    if not shown:
        return nothing("cases", "no single case is shown")
    without = sum(a.verdict == "FAIL" and not a.cases for a in evidence.deciding)
    gap = f"{count(without, 'failed audit')} without a case" if without else ""
    return found(f"{count(shown, 'case')} that speak against the model", [gap])


def _intended_use(evidence: Evidence) -> Found:
    stated = evidence.protocol.criteria.get("intended_use")
    stated = stated if isinstance(stated, dict) else {}
    missing = [plain_name(key).lower() for key in INTENDED_USE if not str(stated.get(key) or "").strip()]
    if len(missing) == len(INTENDED_USE):
        return nothing("intended use", "the protocol does not state the intended use")
    return found("intended use, as the protocol states it", [f"not stated: {', '.join(missing)}"] if missing else [])


SECTIONS: Mapping[str, Callable[[Evidence], Found]] = MappingProxyType(
    {
        "acceptance": _acceptance,
        "answers": _answers,
        "audits": _audits,
        "baseline": _baseline,
        "calibration": _calibration,
        "cases": _cases,
        "hazards": _hazards,
        "intended_use": _intended_use,
        "intervals": _intervals,
        "level_95": _level_95,
        "limits": _limits,
        "modalities": _modalities,
        "model": _model,
        "multiplicity": _multiplicity,
        "outcomes": _outcomes,
        "power": _power,
        "prompts": _prompts,
        "protocol": _protocol,
        "provenance": _provenance,
        "right_answers": _right_answers,
        "right_by_group": _right_by_group,
        "severities": _severities,
        **PEOPLE,
    }
)
"""The names that clause files may use under ``sections``."""
