"""Titles and words of effects on right and wrong answers, and on the axes of a judge."""

from __future__ import annotations

from auditkit.judge.sides import pair_of
from auditkit.measure.effects import of_role
from auditkit.protocol.catalogue import Catalogue
from auditkit.tasks import ABOVE_CHANCE, BRIER, CONFIDENCE, CORRECT, LIKELIEST_CORRECT
from auditkit.tasks.axes import Axes
from auditkit.tasks.truth import COLUMN_OF
from auditkit.vocabulary import Effect, Part, Question, Value

LOST = "lost"
_RIGHT = "right answers"
_COUNTED = {
    CORRECT.name: _RIGHT,
    LIKELIEST_CORRECT.name: "right by the likeliest option",
    LOST: "lost answers",
    ABOVE_CHANCE.name: "above guessing",
    BRIER.name: "Brier score",
    CONFIDENCE.name: "confidence",
}
_OVERCONFIDENT = {CONFIDENCE.name, CORRECT.name}
"""The values whose difference, within one answer, is its overconfidence."""


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
    if effect.statistic == "mean" and (axis := axis_of(effect.parts[0], catalogue)):
        return _of_axis(effect, axis, catalogue)
    tasks = list(dict.fromkeys(catalogue.resolve(v.question).task for part in effect.parts for _, v in part.terms))
    if effect.statistic == "differs":
        done = {p.name for question in questions for p in question.condition}
        moved = all(catalogue.entry(one).stage in ("options", "order") for one in done)
        return f"{task_in_words(tasks[0])}: {done_to(effect, catalogue)}" if moved and len(tasks) == 1 else ""
    if names != _OVERCONFIDENT and (len(names) != 1 or not names <= _COUNTED.keys()):
        return ""
    name = "" if names == _OVERCONFIDENT else next(iter(names))
    what = "overconfidence" if not name else measure_of(effect.parts[0], catalogue) or _COUNTED[name]
    if len(tasks) == 2:
        return f"{task_in_words(tasks[0])} vs {tasks[1].rpartition('.')[2].replace('_', ' ')}: {what}"
    wordings = len({question.wording for question in questions})
    if len(tasks) == 1 and wordings > 1:
        return f"{task_in_words(tasks[0])}, {wordings} wordings: {what}"
    if name == LOST or len(tasks) > 1:
        return ""
    task = task_in_words(tasks[0])
    if all(not question.condition for question in questions):
        return f"{task}: {what}"
    control = effect.parts[0].control
    if control is not None and catalogue.resolve(control).condition:
        return ""  # two things that are done, one against the other: named as any such change
    changed = done_to(effect, catalogue)
    said = effect.parts[0].where or name not in (CORRECT.name, ABOVE_CHANCE.name, LIKELIEST_CORRECT.name)
    return f"{task}, {what}: {changed}" if said else f"{task}: {changed}"


def counted(part: Part, *, change: bool) -> str:
    """Say after a number what it counts: ``of the answers right``; empty where its unit or its name says enough.

    Parameters
    ----------
    part : Part
        Resolved.
    change : bool
        Whether the number is a difference.
    """
    names = {value.name for _, value in part.terms}
    if names == {ABOVE_CHANCE.name}:
        return "of the way from guessing to always right"
    if names == {LIKELIEST_CORRECT.name} and not change:
        return "of the likeliest options right"
    plain = names == {CORRECT.name} and not (change or part.balanced or part.where)
    return "of the answers right" if plain else ""


def named(part: Part, *, change: bool, catalogue: Catalogue) -> str:
    """Say before a number what it is: ``sensitivity``, ``loss of right answers``; empty where its unit says enough.

    Parameters
    ----------
    part : Part
        Resolved.
    change : bool
        Whether the number is a difference.
    catalogue : Catalogue
        Has the tasks.
    """
    axis = axis_of(part, catalogue)
    if over := _overconfidence(part):
        return over
    if not axis and {value.name for _, value in part.terms} != {CORRECT.name}:
        return ""
    what = axis or measure_of(part, catalogue)
    if not change:
        return what
    what = what or _RIGHT
    pair = pair_of(part)
    lost = not axis and _is_loss(of_role(part, pair[0]) if pair else part)
    if pair:
        return f"difference in the loss of {what}" if lost else f"difference in {what}"
    return f"loss of {what}" if lost else f"difference in {what}"


def _overconfidence(part: Part) -> str:
    """Name how much surer a model is than right, or how that changes; empty where a part is about anything else."""
    if {value.name for _, value in part.terms} != _OVERCONFIDENT:
        return ""
    several = len({value.question for _, value in part.terms}) > 1
    return "change in overconfidence" if several else "overconfidence"


def _is_loss(part: Part) -> bool:
    """Whether what is asked under a perturbation is taken off; a difference of wordings takes off the control."""
    first = next(value.question for weight, value in part.terms if weight > 0)
    conditions = {value.question.condition for _, value in part.terms}
    return len(conditions) > 1 and len(first.condition) == min(map(len, conditions))


def axis_of(part: Part, catalogue: Catalogue) -> str:
    """Name the axis of a judge's that a part counts, in words; empty where it counts anything else, or several."""
    found = {_axis(value, catalogue) for _, value in part.terms}
    return found.pop() if len(found) == 1 else ""


def _axis(value: Value, catalogue: Catalogue) -> str:
    scorer = catalogue.task(catalogue.resolve(value.question).task).scorer
    if not isinstance(scorer, Axes) or (value.name or scorer.names[0]) not in scorer.names:
        return ""
    return (value.name or scorer.names[0]).replace("_", " ")


def _of_axis(effect: Effect, axis: str, catalogue: Catalogue) -> str:
    """The task and its axis, and what is done; empty where the author's own name says more."""
    questions = [catalogue.resolve(question) for question in effect.compared()]
    if len({question.words for question in questions}) > 1:
        return ""
    about = f"{task_in_words(questions[0].task)}, {axis}"
    done = {question.condition for question in questions if question.condition}
    if not done:
        return f"{task_in_words(questions[0].task)}: {axis}"
    return f"{about}: {done_to(effect, catalogue)}" if len({p.name for c in done for p in c}) == 1 else ""


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


def done_to(effect: Effect, catalogue: Catalogue) -> str:
    """Say what is done to the items, with its severities; empty where nothing is."""
    done = [p for question in effect.compared() for p in catalogue.resolve(question).condition]
    names = list(dict.fromkeys(catalogue.entry(p.name).label for p in done))
    levels = sorted({p.level for p in done if p.level and catalogue.entry(p.name).stage != "asking"})
    severities = f", severity {' and '.join(map(str, levels))}" if levels else ""
    return " and ".join(names) + severities


def task_in_words(task: str) -> str:
    """Write a task's id for a title: ``Pneumonia, present``."""
    text = task.replace("_", " ").replace(".", ", ")
    return text[:1].upper() + text[1:]
