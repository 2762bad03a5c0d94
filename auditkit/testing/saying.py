"""From a score to a text in the format that a task asks for: the way back from `auditkit.tasks.read`."""

from __future__ import annotations

from auditkit import tasks
from auditkit.protocol.catalogue import Catalogue
from auditkit.tasks import SCORE, Points, Quantity, Task
from auditkit.tasks.axes import Axes, Words
from auditkit.tasks.numeric import SCALES
from auditkit.vocabulary import Question


def say(score: float, question: Question, catalogue: Catalogue) -> str:
    """Return the answer that gives a score in the words of a task.

    Parameters
    ----------
    score : float
        Points of 0-100, whatever range the task's own value has; outside them the answer leaves the declared scale,
        where the format has one.
    question : Question
        What is asked; the condition does not matter.
    catalogue : Catalogue
        Where the task stands.

    Returns
    -------
    str
        ``"73.5"``, ``"4/5"``, ``"good"``, ``"yes"`` or an option's letter: the nearest that the format can say. Where
        options have labels instead of scores, always the first. Of axes a line each, all with the same number; where
        anything may be said, a sentence with the score.
    """
    asked = catalogue.resolve(question)
    task = catalogue.task(asked.task)
    scorer = task.scorer
    if isinstance(scorer, Points) and scorer.format == "score_100":
        # Between 0 and 1 a text could be read as a share of one, so a whole number is said.
        return _number(round(score, 0 if abs(score) < 1 else 2))
    if isinstance(scorer, Points) and scorer.format in SCALES:
        scale = SCALES[scorer.format]
        step = round(scale.low + score * (scale.high - scale.low) / 100)
        return f"{step}/{scale.high:g}" if scorer.format == "rating_5" else str(step)
    if isinstance(scorer, Axes):
        return "\n".join(f"{axis.name}: {_number(round(of_points(score, axis), 2))}" for axis in scorer.quantities)
    if isinstance(scorer, Words):
        return f"The quality of the image is {_number(round(score, 2))}."
    if scorer.choices is None:
        return _number(round(of_points(score, main_quantity(task)), 2))
    read = {choice: tasks.read(task, asked.wording, choice).main for choice in scorer.choices}
    scored = {choice: to_points(value, main_quantity(task)) for choice, value in read.items() if value is not None}
    return min(scored, key=lambda choice: (abs(scored[choice] - score), choice)) if scored else scorer.choices[0]


def main_quantity(task: Task) -> Quantity:
    """Return unit and range of a task's main value; the score's where its answers have labels only."""
    return task.scorer.quantities[0] if task.scorer.quantities else SCORE


def to_points(value: float, quantity: Quantity) -> float:
    """Return a value as points of 0-100 of its range."""
    return (value - quantity.low) * 100.0 / quantity.span


def of_points(points: float, quantity: Quantity) -> float:
    """Return points of 0-100 as a value of a range."""
    return quantity.low + points * quantity.span / 100.0


def _number(value: float) -> str:
    return f"{value + 0.0:.10g}"
