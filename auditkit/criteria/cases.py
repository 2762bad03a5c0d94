"""The images that speak most against the model, with the raw answers."""

from __future__ import annotations

from collections.abc import Sequence

from auditkit.conditions import CLEAN, Comparison, Condition, Probe
from auditkit.criteria.wording import condition_label
from auditkit.evidence import Case
from auditkit.images.thumbnail import jpeg_thumbnail
from auditkit.measure import AnswerReader, Measurements
from auditkit.prompts.answers import OUTCOMES
from auditkit.protocol import Protocol

MAX_CASES = 8
MAX_PICTURED = 2
MAX_TEXT = 400


def failing_cases(
    adverse: Sequence[tuple[int, Condition]],
    comparison: Comparison,
    reader: AnswerReader,
    data: Measurements,
    protocol: Protocol,
) -> list[Case]:
    """Return at most `MAX_CASES` cases, taken from the modalities in turn.

    Parameters
    ----------
    adverse : sequence of (int, Condition)
        Image index and treated condition, the worst of each modality first.
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
    chosen = _in_turn(adverse, data)[:MAX_CASES]
    return [
        _case(index, treated, control, template, reader, data, pictured=place < MAX_PICTURED)
        for place, (index, treated) in enumerate(chosen)
    ]


def _in_turn(adverse: Sequence[tuple[int, Condition]], data: Measurements) -> list[tuple[int, Condition]]:
    queues: dict[str, list[tuple[int, Condition]]] = {}
    for case in adverse:
        queue = queues.setdefault(data.records[case[0]].modality, [])
        if all(case[0] != other for other, _ in queue):
            queue.append(case)
    longest = max(map(len, queues.values()), default=0)
    return [queue[turn] for turn in range(longest) for queue in queues.values() if turn < len(queue)]


def _case(
    index: int,
    treated: Condition,
    control: Condition,
    template: str,
    reader: AnswerReader,
    data: Measurements,
    *,
    pictured: bool,
) -> Case:
    record = data.records[index]
    probes = [Probe(record.id, condition, template) for condition in (control, treated)]
    texts = {f.probe: f.answer.text if f.answer else "" for f in reader.read(record, probes)}
    before, after = data.column(control, template), data.column(treated, template)
    outcome = OUTCOMES[after.outcomes[index]] if after.outcomes[index] >= 0 else "error"
    return Case(
        image=record.id,
        modality=record.modality,
        synthetic=record.synthetic,
        condition=condition_label(treated),
        control_answer=_short(texts[probes[0]]),
        treated_answer=_short(texts[probes[1]]),
        control_score=float(before.scores[index]),
        treated_score=float(after.scores[index]),
        outcome=outcome,
        control_jpeg=jpeg_thumbnail(reader.pixels(record, control)) if pictured else "",
        treated_jpeg=jpeg_thumbnail(reader.pixels(record, treated)) if pictured and treated.corruption != CLEAN else "",
        why=_why(float(before.scores[index]), float(after.scores[index]), outcome),
    )


def _why(before: float, after: float, outcome: str) -> str:
    if outcome != "scored":
        return outcome.replace("_", " ")
    change = after - before
    return f"score changed by {change:+.1f} points".replace("-", "−") if change == change else "control not scored"


def _short(text: str) -> str:
    return text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]} … ({len(text)} characters)"
