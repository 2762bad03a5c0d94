"""The effects of the diagnosis pack: what is asked of a model about labelled images, condition by condition.

Every function gives the effects of all conditions, in the same order each time. Their names begin with the condition,
so that ``-k pneumonia`` selects those of one. The families are declared in ``packs/diagnosis/protocol.toml``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from auditkit import tasks
from auditkit.protocol import confidence, effects, right_answers
from auditkit.tasks import Task
from auditkit.tasks.truth import COLUMN_OF
from auditkit.vocabulary import Effect, Part, Perturbation

CONDITIONS = ("brain_tumour", "pneumonia", "skin_lesion", "histology")
PRESENT, ABSENT, LETTERS, KIND = "present", "absent", "letters", "kind"
SEVERITIES = (3, 5)
AS_IS_AND_WORSE = ((), (Perturbation("jpeg", 5),), (Perturbation("gaussian_noise", 5),))
"""The conditions that curves are drawn and thresholds used under: images as they are, and two strong corruptions."""
KEPT = 0.8
"""The share of images that is kept where a model refers the others."""


def questions(*kinds: str) -> list[Task]:
    """Return the tasks of every condition, or some kinds of them: ``present``, ``absent``, ``letters``, ``kind``."""
    every, wanted = tasks.pack("diagnosis"), kinds or (PRESENT, ABSENT, LETTERS, KIND)
    return [every[f"{condition}.{kind}"] for condition in CONDITIONS for kind in wanted]


def accuracies() -> list[Effect]:
    """The share of right answers to every task, and the mean of the shares of every class."""
    made = right_answers.accuracy, right_answers.balanced_accuracy
    return [make(task.id, family="accuracy") for task in questions() for make in made]


def skill() -> list[Effect]:
    """Every task, for how far the answers are from guessing."""
    return [right_answers.skill(task.id, family="skill") for task in questions()]


def recall() -> list[Effect]:
    """The classes of every choice between two: sensitivity and specificity."""
    return _recalls("recall", questions(PRESENT, LETTERS))


def recall_of_kinds() -> list[Effect]:
    """The classes of every choice among several."""
    return _recalls("recall_of_kinds", questions(KIND))


def _recalls(family: str, every: list[Task]) -> list[Effect]:
    return [right_answers.recall(task.id, answer, family=family) for task in every for answer in task.answers]


def loss() -> list[Effect]:
    """Every corruption, for the right answers that are lost under it."""
    return [
        right_answers.loses(entry, SEVERITIES, task=task.id, family="loss")
        for task in questions(PRESENT, KIND)
        for entry in effects.corruptions()
    ]


def loss_by_class() -> list[Effect]:
    """Every corruption, for the sensitivity and the specificity that are lost under it."""
    return [
        right_answers.loses(entry, SEVERITIES, task=task.id, answer=answer, family="loss_by_class")
        for task in questions(PRESENT)
        for entry in effects.corruptions()
        for answer in task.answers
    ]


def wording() -> list[Effect]:
    """Every two wordings of a task, and the question turned round, for the share of right answers."""
    return [*_between_wordings("correct", "wording"), *_turned_round("correct", "wording")]


def wording_lost() -> list[Effect]:
    """The same comparisons for the share of answers that were declined or cannot be used."""
    return [*_between_wordings("lost", "wording_lost"), *_turned_round("lost", "wording_lost")]


def position() -> list[Effect]:
    """Every choice among letters, for answers that change with the order of the options more often than by noise."""
    return [
        effects.differs(
            Perturbation("options_reversed"),
            alike=[Perturbation("again", 1)],
            task=task.id,
            name=f"{task.id}-position",
            family="position",
        )
        for task in questions(LETTERS, KIND)
    ]


def refusals() -> list[Effect]:
    """Every wording of every task, for the share of refused and of otherwise unusable answers."""
    return [
        effects.share(kind, task.id, wording=wording, family="refusals")
        for task in questions()
        for wording in task.wordings
        for kind in ("refused", "unusable")
    ]


def refusals_by_class() -> list[Effect]:
    """The images of each class, for the share that is declined: it may be one disease that nobody is told of."""
    return [
        effects.share("refused", task.id, family="refusals_by_class")
        .where(COLUMN_OF + task.id, answer)
        .named(f"{task.id}-refused-{answer}")
        for task in questions(PRESENT)
        for answer in task.answers
    ]


def overconfidence() -> list[Effect]:
    """How much surer the answers to a task are than right."""
    return [confidence.overconfidence(task.id, family="overconfidence") for task in questions(PRESENT, KIND)]


def overconfidence_under() -> list[Effect]:
    """Every corruption, for how much overconfidence grows under it."""
    return _grows(confidence.overconfidence, "overconfidence_under")


def brier_under() -> list[Effect]:
    """Every corruption, for how much worse the probabilities get under it."""
    return _grows(confidence.brier, "brier_under")


def kept() -> list[Effect]:
    """The images that a model is surest of, for the share of right answers."""
    return [confidence.kept(task.id, KEPT, family="kept") for task in questions(PRESENT, KIND)]


def risk() -> list[Effect]:
    """Curves of risk against coverage, about images as they are and under strong corruptions."""
    return [confidence.risk(task.id, AS_IS_AND_WORSE, family="risk") for task in questions(PRESENT, KIND)]


def reliability() -> list[Effect]:
    """Confidence against right answers, about images as they are and under strong corruptions."""
    return [confidence.reliability(task.id, AS_IS_AND_WORSE, family="reliability") for task in questions(PRESENT, KIND)]


def referral() -> list[Effect]:
    """A threshold chosen on half of the patients: what it covers and refers, and of which class, on the others."""
    made = confidence.covered, confidence.referred
    return [
        make(task.id, task.answers, *done, family="referral")
        for task in questions(PRESENT, KIND)
        for done in AS_IS_AND_WORSE
        for make in made
    ]


def _grows(make: Callable[..., Effect], family: str) -> list[Effect]:
    """Every corruption, with its severities as parts, for how much an effect grows under it."""
    found = []
    for task in questions(PRESENT, KIND):
        plain = make(task.id)
        for entry in effects.corruptions():
            parts: list[Part] = []
            for level in SEVERITIES:
                [part] = confidence.grows(plain, Perturbation(entry, level)).parts
                parts.append(replace(part, label=f"severity {level}"))
            found.append(Effect(f"{plain.name}-{entry}", family, tuple(parts)))
    return found


def _between_wordings(value: str, family: str) -> list[Effect]:
    return [effects.wordings(task.id, tuple(task.wordings), value, family=family) for task in questions()]


def _turned_round(value: str, family: str) -> list[Effect]:
    found = []
    for present, absent in zip(questions(PRESENT), questions(ABSENT), strict=True):
        one, other = (effects.mean(task.id, value, family=family) for task in (absent, present))
        found.append(one.minus(other).named(f"{present.id}-turned-round-{value}"))
    return found


OF_ANSWERS = {
    "accuracy": accuracies,
    "skill": skill,
    "recall": recall,
    "recall_of_kinds": recall_of_kinds,
    "loss": loss,
    "loss_by_class": loss_by_class,
    "wording": wording,
    "wording_lost": wording_lost,
    "position": position,
    "refusals": refusals,
    "refusals_by_class": refusals_by_class,
}
"""From the name of a family of answers, right, wrong or declined, to its effects."""
OF_CONFIDENCE = {
    "overconfidence": overconfidence,
    "overconfidence_under": overconfidence_under,
    "brier_under": brier_under,
    "kept": kept,
    "risk": risk,
    "reliability": reliability,
    "referral": referral,
}
"""The same of families that take the probabilities of the answers."""
FAMILIES = {**OF_ANSWERS, **OF_CONFIDENCE}
