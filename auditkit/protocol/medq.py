"""The effects of the medq pack: questions about image quality, descriptions that a judge rates, and the judge itself.

The families are declared in ``packs/medq/protocol.toml``. Every function gives its effects in the same order each time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from auditkit.protocol import effects, right_answers
from auditkit.vocabulary import Effect, Perturbation, Question, Value

PERCEPTION, BETTER = "medq.perception", "medq.better"
JUDGED = ("medq.reasoning.judged", "medq.comparison.judged")
RATED, PEOPLE = "medq.rated.judged", "medq.rated.people"
AXES = ("completeness", "preciseness", "consistency", "quality_accuracy")
AGAIN = Perturbation("again", 1)
PADDED, INSTRUCTED = Perturbation("answer_padded"), Perturbation("answer_instructed")


def accuracy() -> list[Effect]:
    """The share of right answers as they are written, and of the likeliest options that are right."""
    return [
        right_answers.accuracy(PERCEPTION, name="perception-as-written", family="accuracy"),
        effects.mean(PERCEPTION, "likeliest_correct", name="perception-by-likeliest-option", family="accuracy"),
    ]


def skill() -> list[Effect]:
    """How far the answers are from guessing among the options that each question offers."""
    return [effects.mean(PERCEPTION, "above_chance", name="perception-above-guessing", family="skill")]


def position() -> list[Effect]:
    """Answers that change with the order of the options or of two pictures, beyond the model's own noise."""
    options, pictures = (Perturbation(f"{what}_reversed") for what in ("options", "pictures"))
    return [
        effects.differs(options, alike=[AGAIN], task=PERCEPTION, name="position-of-options", family="position"),
        effects.differs(pictures, alike=[AGAIN], task=BETTER, name="position-of-pictures", family="position"),
    ]


def lost() -> list[Effect]:
    """Answers that were declined or cannot be read: the model's own, and the judge's on each judged task."""
    asked = (PERCEPTION, "medq.reasoning", "medq.comparison", BETTER, *JUDGED)
    return [effects.share("lost", task, name=_named(task, "lost"), family="lost") for task in asked]


def reasoning() -> list[Effect]:
    """What the judge gives the model's descriptions and comparisons, axis by axis: a sum would hide an axis."""
    return [effects.mean(task, axis, name=_named(task, axis), family="reasoning") for task in JUDGED for axis in AXES]


def judge_repeats() -> list[Effect]:
    """Whether the judge gives the same text the same again, axis by axis."""
    return [
        effects.agreement(
            Value(Question(task), axis),
            Value(Question(task).under(AGAIN), axis),
            name=_named(task, axis, "again"),
            family="judge_repeats",
        )
        for task in JUDGED
        for axis in AXES
    ]


def judge_differs() -> list[Effect]:
    """How often the judge gives the same text anything else on any axis."""
    return [effects.differs(AGAIN, task=task, name=_named(task, "again"), family="judge_differs") for task in JUDGED]


def judge_length() -> list[Effect]:
    """What sentences that say nothing, put behind the judged text, change on each axis."""
    found = []
    for task in JUDGED:
        for axis in AXES:
            each = effects.mean(task, axis, family="judge_length")
            found.append(each.under(PADDED).minus(each).named(_named(task, axis, "padded")))
    return found


def judge_obeys() -> list[Effect]:
    """What an order to the judge changes on each axis, against sentences that say nothing."""
    found = []
    for task in JUDGED:
        for axis in AXES:
            each = effects.mean(task, axis, family="judge_obeys")
            found.append(each.under(INSTRUCTED).minus(each.under(PADDED)).named(_named(task, axis, "ordered")))
    return found


def judge_and_people() -> list[Effect]:
    """How far the judge agrees with people who rated the same texts, axis by axis."""
    return [
        effects.agreement(
            Value(Question(RATED), axis),
            Value(Question(PEOPLE), axis),
            name=f"judge-and-people-{axis}",
            family="judge_and_people",
        )
        for axis in AXES
    ]


def _named(task: str, *what: str) -> str:
    return "-".join((*task.split(".")[1:], *what))


FAMILIES: Mapping[str, Callable[[], list[Effect]]] = {
    "accuracy": accuracy,
    "skill": skill,
    "position": position,
    "lost": lost,
    "reasoning": reasoning,
    "judge_repeats": judge_repeats,
    "judge_differs": judge_differs,
    "judge_length": judge_length,
    "judge_obeys": judge_obeys,
    "judge_and_people": judge_and_people,
}
"""From the name of a family to its effects."""
