"""Titles and words of effects on right and wrong answers: accuracy, sensitivity, skill, and what is lost of them."""

from __future__ import annotations

from auditkit.protocol.catalogue import Catalogue
from auditkit.tasks import ABOVE_CHANCE, CORRECT, LIKELIEST_CORRECT
from auditkit.tasks.truth import COLUMN_OF
from auditkit.vocabulary import Effect, Part, Question

LOST = "lost"
_COUNTED = {
    CORRECT.name: "right answers",
    LIKELIEST_CORRECT.name: "right by the likeliest option",
    LOST: "lost answers",
    ABOVE_CHANCE.name: "above guessing",
}


def title_of(effect: Effect, catalogue: Catalogue) -> str:
    """Name an effect on right answers, or on answers lost between wordings; empty where it is about anything else.

    Parameters
    ----------
    effect : Effect
        As audits are parametrized with.
    catalogue : Catalogue
        Has the tasks.
    """
    if effect.between or effect.per:
        return ""
    questions = list(dict.fromkeys(catalogue.resolve(question) for question in effect.compared()))
    names = {value.name for part in effect.parts for _, value in part.terms}
    tasks = list(dict.fromkeys(catalogue.resolve(v.question).task for part in effect.parts for _, v in part.terms))
    if effect.statistic == "differs":
        done = {p.name for question in questions for p in question.condition}
        moved = all(catalogue.entry(one).stage in ("options", "order") for one in done)
        return f"{_words(tasks[0])}: {_label(effect, catalogue)}" if moved and len(tasks) == 1 else ""
    if len(names) != 1 or not names <= _COUNTED.keys():
        return ""
    name = next(iter(names))
    what = measure_of(effect.parts[0], catalogue) or _COUNTED[name]
    if len(tasks) == 2:
        return f"{_words(tasks[0])} vs {tasks[1].rpartition('.')[2]}: {what}"
    wordings = len({question.wording for question in questions})
    if len(tasks) == 1 and wordings > 1:
        return f"{_words(tasks[0])}, {wordings} wordings: {what}"
    if name == LOST or len(tasks) > 1:
        return ""
    task = _words(tasks[0])
    if all(not question.condition for question in questions):
        return f"{task}: {what}"
    changed = _label(effect, catalogue)
    return f"{task}, {what}: {changed}" if effect.parts[0].where else f"{task}: {changed}"


def counted(part: Part, *, change: bool, catalogue: Catalogue) -> str:
    """Say after a number what it counts: ``of the answers right``; empty where its unit says enough.

    Parameters
    ----------
    part : Part
        Resolved.
    change : bool
        Whether the number is a difference.
    catalogue : Catalogue
        Has the tasks.
    """
    names = {value.name for _, value in part.terms}
    if names == {ABOVE_CHANCE.name}:
        return "of the way from guessing to always right"
    if names == {LIKELIEST_CORRECT.name} and not change:
        return "of the likeliest options right"
    if names != {CORRECT.name}:
        return ""
    what = measure_of(part, catalogue)
    if change:  # a loss takes the treated question off, a difference of wordings the control
        first = next(value.question for weight, value in part.terms if weight > 0)
        conditions = {value.question.condition for _, value in part.terms}
        lost = len(conditions) > 1 and len(first.condition) == min(map(len, conditions))
        return f"{'loss of' if lost else 'difference in'} {what or 'right answers'}"
    return what or "of the answers right"


def measure_of(part: Part, catalogue: Catalogue) -> str:
    """Name what is right of a part: ``sensitivity`` or ``specificity``, the recall of a class, the balanced accuracy.

    Empty for the plain share of right answers, and for anything else.
    """
    _, value = part.terms[0]
    if value.name != CORRECT.name:
        return ""
    if part.balanced:
        return "balanced accuracy"
    if part.where is None:
        return ""
    column, level = part.where
    task = catalogue.task(catalogue.resolve(Question(value.question.task)).task)
    if column != COLUMN_OF + task.id:
        return ""
    if task.positive:
        return "sensitivity" if level == task.positive else "specificity"
    return f"recall of {level}"


def _label(effect: Effect, catalogue: Catalogue) -> str:
    """What is done to the items, with its severities."""
    done = [p for question in effect.compared() for p in catalogue.resolve(question).condition]
    names = list(dict.fromkeys(catalogue.entry(p.name).label for p in done))
    levels = sorted({p.level for p in done if p.level})
    severities = f", severity {' and '.join(map(str, levels))}" if levels else ""
    return " and ".join(names) + severities


def _words(task: str) -> str:
    text = task.replace("_", " ").replace(".", ", ")
    return text[:1].upper() + text[1:]
