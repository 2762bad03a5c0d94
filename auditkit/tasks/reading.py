"""Reading one answer to one task, with whatever scorer: the way that everybody takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from numbers import Real

from auditkit.tasks.quantity import ABOVE_CHANCE, CORRECT, FLAGGED, Quantity
from auditkit.tasks.score import OUTCOMES, Score, error_score
from auditkit.tasks.task import Task


def read(task: Task, wording: str, text: str, finish_reason: str = "stop", truth: str = "") -> Score:
    """Read the answer that a text gives to a task's question.

    Parameters
    ----------
    task : Task
        What was asked.
    wording : str
        In which of its wordings; empty for the first.
    text : str
        The raw text of the model.
    finish_reason : str
        ``"error"`` gives the outcome ``error``; ``"length"`` says that the text was cut.
    truth : str
        The right answer, as it would be said; empty where none is known.

    Returns
    -------
    Score
        The main value has the empty name. Exactly one outcome, for any text and any scorer: one that fails, or gives
        what it did not declare, leaves the answer ``unparsed``, and one that gives a value beyond its quantity's range
        leaves it ``out_of_range``, with the reason.
    """
    if finish_reason == "error":
        return error_score("the model reported an error")
    asked = task.wordings[wording or task.first]
    try:
        score = task.scorer.read(text, finish_reason, asked)
    except Exception as error:  # a scorer of somebody else may fail in any way
        return Score("unparsed", why=f"the scorer failed with {type(error).__name__}: {error}"[:400])
    problem, beyond = _problem(score, task.scorer.quantities)
    if problem:
        return Score("unparsed", why=f"the scorer {problem}")
    if beyond:
        return Score("out_of_range", said=score.said, why=beyond)
    return _with_derived(_tidy(score, task.scorer.quantities), task, truth)


def _with_derived(score: Score, task: Task, truth: str) -> Score:
    """Add what the truth and the flags make of an answer."""
    if score.outcome != "scored" or not (truth or task.flags):
        return score
    values = dict(score.values)
    if truth:
        correct = float(score.said == truth)
        values[CORRECT.name] = correct
        if (number := len(task.answers)) > 1:
            values[ABOVE_CHANCE.name] = (correct - 1 / number) / (1 - 1 / number)
    if task.flags:
        values[FLAGGED.name] = float(score.said in task.flags)
    return replace(score, values=values)


def _problem(score: object, quantities: tuple[Quantity, ...]) -> tuple[str, str]:
    """Say how a score breaks the rules of scores, and which of its values is beyond its range; empty when in order."""
    if not isinstance(score, Score):
        return f"gave {score!r:.80}, which is not a Score", ""
    if score.outcome not in OUTCOMES or not isinstance(score.said, str) or not isinstance(score.why, str):
        return f"gave {score!r:.200}, which is not a Score as declared", ""
    if not isinstance(score.values, Mapping) or (score.values and score.outcome != "scored"):
        return f"gave the outcome {score.outcome} together with values {score.values!r:.80}", ""
    known = {quantity.name: quantity for quantity in quantities}
    if quantities:
        known[""] = quantities[0]
        if "" in score.values and quantities[0].name in score.values:
            return f"gave {quantities[0].name} twice, once under its name and once under the empty one", ""
    if score.outcome == "scored" and not score.values and not score.said:
        return "gave the outcome scored without a value and without what was said", ""
    beyond = ""
    for name, value in score.values.items():
        if name not in known:
            return f"gave a value {name!r:.80} that is not among its quantities", ""
        if (type(value) is not float and (isinstance(value, bool) or not isinstance(value, Real))) or value != value:
            return f"gave {value!r:.80} for {known[name].name}, which is no number", ""
        quantity = known[name]
        if quantity.binary and value not in (0, 1):
            beyond = beyond or f"{quantity.name} {value!r:.40} is neither 0 nor 1"
        if not quantity.low <= value <= quantity.high:
            beyond = beyond or f"{quantity.name} {value!r:.40} is outside {quantity.low:g} to {quantity.high:g}"
    return "", beyond


def _tidy(score: Score, quantities: tuple[Quantity, ...]) -> Score:
    """Return the score with the main value under the empty name, floats for values, and a reason where one is due."""
    if score.outcome != "scored":
        return score if score.why else Score(score.outcome, said=score.said, why="the scorer gave no reason")
    main = quantities[0].name if quantities else ""
    if main not in score.values and all(type(value) is float for value in score.values.values()):
        return score
    return Score("scored", {"" if name == main else name: float(v) for name, v in score.values.items()}, score.said)
