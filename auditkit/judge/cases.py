"""The images that speak most against the model, with the raw answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from auditkit.evidence import Case
from auditkit.images.item import Item
from auditkit.images.thumbnail import jpeg_thumbnail
from auditkit.judge.draft import WorstCase
from auditkit.judge.titles import Titles
from auditkit.measure.columns import Column, Measurements
from auditkit.measure.reader import AnswerReader
from auditkit.protocol.model import Protocol
from auditkit.tasks import OUTCOMES
from auditkit.vocabulary import MODEL, Probe, Question

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MAX_CASES = 8
# Of a run that fails a hundred audits, four pictured cases each take some 3 MB of the record.
MAX_PICTURED = 4
MAX_TEXT = 400
NO_TEXT = "(its text is not in the record that answers for it)"


def failing_cases(
    worst: Sequence[WorstCase],
    reader: AnswerReader,
    data: Measurements,
    protocol: Protocol,
    may_show: Callable[[Item], bool],
    names: Mapping[str, str] | None = None,
) -> list[Case]:
    """Return at most `MAX_CASES` cases, taken from the modalities in turn.

    Parameters
    ----------
    worst : sequence of WorstCase
        The worst of each stratum first.
    reader : AnswerReader
        Fetches raw answers.
    data : Measurements
        Scores and outcomes.
    protocol : Protocol
        Its catalogue has the words.
    may_show : callable
        Whether the picture of an image may stand in the record.
    names : mapping of str to str, optional
        What the models are called, by role.
    """
    titles = Titles(protocol.catalogue, names or {})
    worst = [case for case in worst if protocol.catalogue.asks(case.treated)]  # else there is no answer to show
    return [
        _case(case, reader, data, titles, pictured=place < MAX_PICTURED and may_show(data.records[case.item]))
        for place, case in enumerate(_in_turn(worst, data)[:MAX_CASES])
    ]


def _in_turn(worst: Sequence[WorstCase], data: Measurements) -> list[WorstCase]:
    queues: dict[str, list[WorstCase]] = {}
    for case in worst:
        queue = queues.setdefault(data.records[case.item].modality, [])
        if all(case.item != other.item for other in queue):
            queue.append(case)
    longest = max(map(len, queues.values()), default=0)
    return [queue[turn] for turn in range(longest) for queue in queues.values() if turn < len(queue)]


def _case(case: WorstCase, reader: AnswerReader, data: Measurements, titles: Titles, *, pictured: bool) -> Case:
    record = data.records[case.item]
    # Where nothing is compared, the item as it is stands beside the answer.
    control = case.control or replace(case.treated, condition=())
    asked = [question for question in (control, case.treated) if question.role in reader.plan.roles]
    probes = [Probe(record.id, question) for question in asked]
    # A record has scores only.
    texts = dict.fromkeys((control, case.treated), NO_TEXT)
    texts |= dict.fromkeys(asked, "")
    texts |= {one.probe.question: one.answer.text if one.answer else "" for one in reader.read(record, probes)}
    before, after = data.column(control), data.column(case.treated)
    outcome = OUTCOMES[after.outcomes[case.item]] if after.outcomes[case.item] >= 0 else "error"
    truth = titles.catalogue.about(case.treated, record.columns)[1]
    changed = titles.catalogue.pictures(case.treated.condition) != titles.catalogue.pictures(control.condition)
    return Case(
        item=record.id,
        modality=record.modality,
        synthetic=record.synthetic,
        condition=_shown(case.treated, control, titles),
        control_answer=_short(texts[control]),
        treated_answer=_short(texts[case.treated]),
        expected=truth,
        control_score=float(before.scores[case.item]),
        treated_score=float(after.scores[case.item]),
        outcome=outcome,
        control_jpeg=_thumbnail(reader.shown(record, control.condition)) if pictured else "",
        treated_jpeg=_thumbnail(reader.shown(record, case.treated.condition)) if pictured and changed else "",
        why=_wrong(after, case.item, truth, outcome)
        if truth
        else _why(
            float(before.scores[case.item]), float(after.scores[case.item]), outcome, control.role == case.treated.role
        ),
    )


def _thumbnail(shown: Sequence[NDArray[np.uint8]]) -> str:
    """The first picture; empty where none was shown."""
    return jpeg_thumbnail(shown[0]) if shown else ""


def _shown(treated: Question, control: Question, titles: Titles) -> str:
    label = titles.condition(treated.condition)
    if treated.words != control.words:
        label = f"{label}, asked as {treated.words}"
    if treated.role != control.role:
        return f"{label}; {titles.name(control.role)}, then {titles.name(treated.role)}"
    return label if treated.role == MODEL else f"{label}; {titles.name(treated.role)}"


def _why(before: float, after: float, outcome: str, one_model: bool) -> str:
    if outcome != "scored":
        return outcome.replace("_", " ")
    change = after - before
    moved = "score changed by" if one_model else "the second score differs by"
    return f"{moved} {change:+.1f} points".replace("-", "−") if change == change else "control not scored"


def _wrong(after: Column, item: int, truth: str, outcome: str) -> str:
    """Say what was said, and what is right."""
    if outcome != "scored":
        return f"{outcome.replace('_', ' ')}, where {truth!r} is right"
    said = after.labels[item] if after.labels is not None else f"{after.scores[item]:g}"
    return f"said {said!r}, which is right" if said == truth else f"said {said!r}, where {truth!r} is right"


def _short(text: str) -> str:
    return text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]} … ({len(text)} characters)"
