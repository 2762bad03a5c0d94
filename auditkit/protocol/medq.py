"""The effects of the medq pack: questions about image quality, descriptions that a judge rates, and the judge itself.

The families are declared in ``packs/medq/protocol.toml``. Every function gives its effects in the same order each time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise

from auditkit.protocol import effects, right_answers
from auditkit.vocabulary import Effect, Part, Perturbation, Question, Value

PERCEPTION, QUESTION, BETTER = "medq.perception", "medq.question", "medq.better"
JUDGED = ("medq.reasoning.judged", "medq.comparison.judged")
RATED, PEOPLE = "medq.rated.judged", "medq.rated.people"
AXES = ("completeness", "preciseness", "consistency", "quality_accuracy")
LEVELS = (1, 2)
"""Of degradation, in MedQ-Deg; 0 is the image as it is."""
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


def degraded_accuracy() -> list[Effect]:
    """The share of right answers about images as they are, and at every level of every kind of degradation."""
    clean = right_answers.accuracy(QUESTION, name="right-as-it-is", family="degraded_accuracy")
    return [clean, *(_at_every_level(kind, "correct", "degraded_accuracy") for kind in kinds())]


def degraded_skill() -> list[Effect]:
    """How far the answers are from guessing, about images as they are and at every level of every kind."""
    clean = effects.mean(QUESTION, "above_chance", name="skill-as-it-is", family="degraded_skill")
    return [clean, *(_at_every_level(kind, "above_chance", "degraded_skill") for kind in kinds())]


def degraded_loss() -> list[Effect]:
    """The right answers that are lost from one level to the next, of the images that are there at both."""
    found = []
    for kind in kinds():
        ladder = [Question(QUESTION), *(Question(QUESTION).under(Perturbation(kind, level)) for level in LEVELS)]
        parts = tuple(
            Part(f"severity {low} to {high}", ((1.0, Value(before, "correct")), (-1.0, Value(after, "correct"))))
            for (low, before), (high, after) in pairwise(zip((0, *LEVELS), ladder, strict=True))
        )
        found.append(Effect(f"lost-to-{_kind(kind)}", "degraded_loss", parts))
    return found


def kinds() -> tuple[str, ...]:
    """Return the kinds of degradation whose images MedQ-Deg publishes, as the catalogue names them."""
    return effects.corruptions("medq_deg")


def _at_every_level(kind: str, value: str, family: str) -> Effect:
    parts = tuple(
        Part(f"severity {level}", ((1.0, Value(Question(QUESTION).under(Perturbation(kind, level)), value)),))
        for level in LEVELS
    )
    return Effect(f"{'right' if value == 'correct' else 'skill'}-under-{_kind(kind)}", family, parts)


def _kind(name: str) -> str:
    return name.rpartition(".")[2].replace("_", "-")


def lost() -> list[Effect]:
    """Answers that were declined or cannot be read: the model's own, and the judge's on each judged task."""
    asked = (PERCEPTION, QUESTION, "medq.reasoning", "medq.comparison", BETTER, *JUDGED)
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
    "degraded_accuracy": degraded_accuracy,
    "degraded_skill": degraded_skill,
    "degraded_loss": degraded_loss,
    "lost": lost,
    "reasoning": reasoning,
    "judge_repeats": judge_repeats,
    "judge_differs": judge_differs,
    "judge_length": judge_length,
    "judge_obeys": judge_obeys,
    "judge_and_people": judge_and_people,
}
"""From the name of a family to its effects."""
