"""The images that speak most against the model, with the raw answers."""

from __future__ import annotations

from collections.abc import Sequence

from auditkit.evidence import Case
from auditkit.images.thumbnail import jpeg_thumbnail
from auditkit.judge.draft import Adverse
from auditkit.judge.wording import condition_label
from auditkit.measure.columns import AnswerReader, Measurements
from auditkit.protocol.model import Protocol
from auditkit.tasks.answers import OUTCOMES
from auditkit.vocabulary import CLEAN, Comparison, Condition, Probe

MAX_CASES = 8
# Of a run that fails a hundred audits, four pictured cases each take some 3 MB of the record.
MAX_PICTURED = 4
MAX_TEXT = 400


def failing_cases(
    adverse: Sequence[Adverse],
    comparison: Comparison,
    reader: AnswerReader,
    data: Measurements,
    protocol: Protocol,
) -> list[Case]:
    """Return at most `MAX_CASES` cases, taken from the modalities in turn.

    Parameters
    ----------
    adverse : sequence of Adverse
        The worst of each modality first.
    comparison : Comparison
        The audit's comparison.
    reader : AnswerReader
        Fetches raw answers.
    data : Measurements
        Scores and outcomes.
    protocol : Protocol
        Resolves the template.
    """
    template = protocol.resolve_template(comparison.template)
    control = getattr(comparison, "control", Condition())
    return [
        _case(
            case.image,
            Probe(data.records[case.image].id, case.condition, case.template or template),
            Probe(data.records[case.image].id, control, case.control or template),
            reader,
            data,
            pictured=place < MAX_PICTURED,
        )
        for place, case in enumerate(_in_turn(adverse, data)[:MAX_CASES])
    ]


def _in_turn(adverse: Sequence[Adverse], data: Measurements) -> list[Adverse]:
    queues: dict[str, list[Adverse]] = {}
    for case in adverse:
        queue = queues.setdefault(data.records[case.image].modality, [])
        if all(case.image != other.image for other in queue):
            queue.append(case)
    longest = max(map(len, queues.values()), default=0)
    return [queue[turn] for turn in range(longest) for queue in queues.values() if turn < len(queue)]


def _case(
    index: int,
    treated: Probe,
    control: Probe,
    reader: AnswerReader,
    data: Measurements,
    *,
    pictured: bool,
) -> Case:
    record = data.records[index]
    texts = {f.probe: f.answer.text if f.answer else "" for f in reader.read(record, [control, treated])}
    before, after = (data.column(probe.condition, probe.template) for probe in (control, treated))
    outcome = OUTCOMES[after.outcomes[index]] if after.outcomes[index] >= 0 else "error"
    return Case(
        image=record.id,
        modality=record.modality,
        synthetic=record.synthetic,
        condition=_shown(treated, control),
        control_answer=_short(texts[control]),
        treated_answer=_short(texts[treated]),
        control_score=float(before.scores[index]),
        treated_score=float(after.scores[index]),
        outcome=outcome,
        control_jpeg=jpeg_thumbnail(reader.pixels(record, control.condition)) if pictured else "",
        treated_jpeg=jpeg_thumbnail(reader.pixels(record, treated.condition))
        if pictured and treated.condition.corruption != CLEAN
        else "",
        why=_why(float(before.scores[index]), float(after.scores[index]), outcome),
    )


def _shown(treated: Probe, control: Probe) -> str:
    label = condition_label(treated.condition)
    return label if treated.template == control.template else f"{label}, asked as {treated.template}"


def _why(before: float, after: float, outcome: str) -> str:
    if outcome != "scored":
        return outcome.replace("_", " ")
    change = after - before
    return f"score changed by {change:+.1f} points".replace("-", "−") if change == change else "control not scored"


def _short(text: str) -> str:
    return text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]} … ({len(text)} characters)"
