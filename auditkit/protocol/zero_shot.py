"""The effects of the zero-shot pack: which class of a public data set an image belongs to, clean and corrupted.

Every function gives the effects of all data sets, in the same order each time. Their names begin with the task, so that
``-k bloodmnist`` selects those of one. The families are declared in ``packs/zero_shot/protocol.toml``.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources

from auditkit import tasks
from auditkit.protocol import effects, right_answers
from auditkit.tasks import Task
from auditkit.vocabulary import Effect, Part, Perturbation, Question, Value

SEVERITIES = (3, 5)
REFERENCE = "reference"
"""Who the errors are counted in: ``--audit-with=reference=MODEL`` or the evidence.json of its run."""
MEDMNIST_C, MEDIMETA_C = "medmnist_c", "medimeta_c"
IN_MEDIMETA_C = (
    "gaussian_noise", "impulse_noise", "motion_blur", "zoom_blur", "brightness", "contrast", "pixelate",
)  # fmt: skip
"""The corruptions that MediMeta-C publishes of every data set."""


def questions() -> list[Task]:
    """Return the task of every data set."""
    return list(tasks.pack("zero_shot").values())


@cache
def alexnet() -> Mapping[str, Mapping[str, float]]:
    """Return the errors of AlexNet that MedMNIST-C publishes, by data set and corruption: balanced, 0-1."""
    text = resources.files("auditkit.protocol").joinpath("zero_shot.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def published(task: Task) -> list[str]:
    """Return the corruptions whose pictures are published of a task's data set, as the catalogue names them."""
    name = set_of(task)
    if name in alexnet():
        return [f"{MEDMNIST_C}.{corruption}" for corruption in alexnet()[name]]
    return [f"{MEDIMETA_C}.{corruption}" for corruption in IN_MEDIMETA_C]


def set_of(task: Task) -> str:
    """Return the data set that a task is about."""
    return task.id.rpartition(".")[2]


def accuracies() -> list[Effect]:
    """The share of right answers (top-1), and the mean of the shares of every class."""
    made = right_answers.accuracy, right_answers.balanced_accuracy
    return [make(task.id, family="accuracy") for task in questions() for make in made]


def skill() -> list[Effect]:
    """Every data set, for how far the answers are from guessing."""
    return [right_answers.skill(task.id, family="skill") for task in questions()]


def auroc() -> list[Effect]:
    """How well the probabilities tell each class from the others; of two classes once, because both are the same."""
    found = []
    for task in questions():
        answers = task.answers if len(task.answers) > 2 else (task.positive or task.answers[-1],)
        found.append(right_answers.separation(task.id, *answers, family="auroc"))
    return found


def recall() -> list[Effect]:
    """Every class of every data set."""
    return [
        right_answers.recall(task.id, answer, family="recall_of_kinds")
        for task in questions()
        for answer in task.answers
    ]


def corrupted() -> list[Effect]:
    """The share of right answers under every corruption that auditkit computes, mean of its severities.

    What it lacks of 1 is the corruption error. It asks all severities, so that the record of a run can be a reference.
    """
    return [_corrupted(task, entry, "corrupted") for task in questions() for entry in effects.corruptions()]


def corrupted_published() -> list[Effect]:
    """The same under every corruption whose pictures the data set publishes."""
    return [_corrupted(task, entry, "corrupted_published") for task in questions() for entry in published(task)]


def loss() -> list[Effect]:
    """Every corruption that auditkit computes, for the right answers that are lost under it."""
    return [
        right_answers.loses(entry, SEVERITIES, task=task.id, family="loss")
        for task in questions()
        for entry in effects.corruptions()
    ]


def loss_published() -> list[Effect]:
    """Every corruption whose pictures the data set publishes, for the right answers that are lost under it."""
    return [
        right_answers.loses(entry, SEVERITIES, task=task.id, family="loss_published")
        for task in questions()
        for entry in published(task)
    ]


def errors() -> list[Effect]:
    """The errors under all computed corruptions, in units of those of the reference (mCE), and relative to clean."""
    both = False, True
    return [_errors(task, effects.corruptions(), "", relative=relative) for task in questions() for relative in both]


def errors_published() -> list[Effect]:
    """The same under all corruptions whose pictures the data set publishes."""
    return [
        _errors(task, published(task), "_published", relative=relative)
        for task in questions()
        for relative in (False, True)
    ]


def errors_over_alexnet() -> list[Effect]:
    """The mean over the corruptions of MedMNIST-C of error / published error of AlexNet."""
    found = []
    for task in questions():
        if fixed := alexnet().get(set_of(task)):
            name = f"{task.id}-mce-over-alexnet"
            entries = [f"{MEDMNIST_C}.{corruption}" for corruption in fixed]
            one = effects.errors_over("correct", entries, reference=list(fixed.values()), right=True, task=task.id)
            found.append(one.named(name, "errors_over_alexnet"))
    return found


def _corrupted(task: Task, entry: str, family: str) -> Effect:
    right = Question(task.id)
    levels = [Value(right.under(Perturbation(entry, level)), "correct") for level in effects.LEVELS]
    part = Part("", tuple((1 / len(levels), value) for value in levels))
    return Effect(f"{task.id}-under-{entry}", family, (part,))


def _errors(task: Task, entries: list[str] | tuple[str, ...], kind: str, *, relative: bool) -> Effect:
    return effects.errors_over(
        "correct",
        entries,
        reference=REFERENCE,
        right=True,
        relative=relative,
        task=task.id,
        name=f"{task.id}-{'relative-' * relative}mce",
        family=f"errors{kind}",
    )


FAMILIES = {
    "accuracy": accuracies,
    "skill": skill,
    "auroc": auroc,
    "recall_of_kinds": recall,
    "corrupted": corrupted,
    "corrupted_published": corrupted_published,
    "loss": loss,
    "loss_published": loss_published,
    "errors": errors,
    "errors_published": errors_published,
    "errors_over_alexnet": errors_over_alexnet,
}
"""From the name of a family to its effects."""
