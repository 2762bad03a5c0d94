"""How effects about right answers are made, for tasks that have a truth. Standard library only.

`auditkit.protocol.effects` has all the others; names and families are given as there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from auditkit.protocol.effects import LEVELS, mean
from auditkit.tasks import CHANCE
from auditkit.tasks.truth import COLUMN_OF
from auditkit.vocabulary import Effect, Part, Perturbation, Question, Value, condition_name


def accuracy(task: str, *, wording: str = "", name: str = "", family: str = "") -> Effect:
    """Return the share of items whose answer is right, 0-1.

    An answer that was declined or cannot be read is neither right nor wrong: a PASS must survive it as wrong.
    """
    return mean(task, "correct", wording=wording, name=name, family=family)


def recall(task: str, answer: str, *, wording: str = "", name: str = "", family: str = "") -> Effect:
    """Return the share of the items of one class that get the right answer: of two classes sensitivity, specificity."""
    found = accuracy(task, wording=wording, family=family).where(COLUMN_OF + task, answer)
    return found.named(name or f"{Question(task, wording).words}-recall-{answer}")


def balanced_accuracy(task: str, *, wording: str = "", name: str = "", family: str = "") -> Effect:
    """Return the mean of the recalls of all classes: an answer by the commonest class gains nothing."""
    found = _balanced(accuracy(task, wording=wording, family=family), task)
    return found.named(name or f"{Question(task, wording).words}-balanced-accuracy")


def skill(task: str, *, wording: str = "", name: str = "", family: str = "") -> Effect:
    """Return how far the balanced accuracy is from guessing (0) to always right (1)."""
    found = _balanced(mean(task, "above_chance", wording=wording, family=family), task)
    return found.named(name or f"{Question(task, wording).words}-skill")


def loss(
    *treated: Perturbation,
    task: str,
    against: Sequence[Perturbation] = (),
    wording: str = "",
    name: str = "",
    family: str = "",
) -> Effect:
    """Return by how much fewer items get the right answer under perturbations than without them, or under others.

    A PASS takes that the model is shown to be better than guessing without them: who guesses has nothing to lose.
    """
    right = accuracy(task, wording=wording, family=family)
    provided = skill(task, wording=wording).parts[0]
    found = right.under(*against).minus(right.under(*treated))
    parts = tuple(replace(part, provided=provided) for part in found.parts)
    return replace(found, parts=parts).named(name or f"{Question(task, wording).words}-{condition_name(treated)}")


def relies(*without: Perturbation, task: str = "", value: str = "", name: str = "", family: str = "") -> Effect:
    """Return how much of a value is gone where its evidence is: the item as it is, minus the item under perturbations.

    ``value="correct"`` is balanced over the right answers: who gives one answer to whatever is shown loses nothing.
    """
    whole = mean(task, value, family=family)
    whole = _balanced(whole, task) if value == "correct" else whole
    return whole.minus(whole.under(*without)).named(name or condition_name(without))


def loses(
    entry: str,
    levels: Sequence[int] = LEVELS,
    *,
    task: str,
    answer: str = "",
    wording: str = "",
    name: str = "",
    family: str = "",
) -> Effect:
    """Return the `loss` at every level, each a decision of its own; of the items of one class where one is named."""
    parts = []
    for level in levels:
        [part] = loss(Perturbation(entry, level), task=task, wording=wording).parts
        chosen = (COLUMN_OF + task, answer) if answer else None
        parts.append(replace(part, label=f"severity {level}", where=chosen))
    named = "-".join(filter(None, (Question(task, wording).words, entry, answer)))
    return Effect(name or named, family, tuple(parts))


def separation(task: str, *answers: str, wording: str = "", name: str = "", family: str = "") -> Effect:
    """Return how well the chance that the model gives to an answer tells the items of that class from the others.

    The area under the ROC curve, a part for each answer: of two classes one is enough, because the area of the other is
    the same. It takes the probabilities of the choices, and a model that gives none is not measured. It is only shown:
    declare its family with ``shown = true``.
    """
    question = Question(task, wording)
    parts = tuple(
        Part(answer, ((1.0, Value(question, f"{CHANCE}{answer}")),), balanced=COLUMN_OF + task) for answer in answers
    )
    return Effect(name or f"{question.words}-auroc", family, parts, statistic="separation")


def _balanced(effect: Effect, task: str) -> Effect:
    return replace(effect, parts=tuple(replace(part, balanced=COLUMN_OF + task) for part in effect.parts))
