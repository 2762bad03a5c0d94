"""From the log-probabilities of the declared answers to an expected score, and to how sure the model is of it.

The text that a model generates is one answer; the log-probabilities say how much it leaned towards each of the declared
ones. Like an answer's text, a mapping that cannot be what it claims to be is counted and never repaired.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from numbers import Real
from types import MappingProxyType
from typing import Literal, get_args

from auditkit.tasks.quantity import BRIER, CONFIDENCE, Quantity
from auditkit.tasks.reading import read
from auditkit.tasks.scorers import Choice
from auditkit.tasks.task import Task

Reading = Literal["read", "invalid", "low_mass"]
READINGS: tuple[Reading, ...] = get_args(Reading)

# Below this the model rather says something else, and the expectation would speak of answers it hardly gives. Above it,
# whatever the answers not listed would add moves the expected score by at most 100 (1 - mass) points.
LEAST_MASS = 0.5
# Probabilities of a softmax in bfloat16 are off by up to 1 part in 256. More than this above 1 is no rounding: the
# probabilities overlap, as when that of "1" as the first token ("1", "10", "100") is given for the answer "1".
ROUNDING = 0.01

PLACES = 6
"""Decimals of what is judged and recorded of probabilities: ten thousand times finer than bfloat16 tells them apart."""

OF_PROBABILITIES = ("expected", "gap", "entropy", "mass", "agrees", "read")
"""Names of the values that an answer has where the back end gave the probabilities of its choices."""


CHANCE = "chance of "
"""Begins the names of the values that say how probable an answer is among the choices: ``"chance of pneumonia"``."""


def is_of_probabilities(name: str) -> bool:
    """Whether a value is one of those that the probabilities of the choices give."""
    return name in OF_PROBABILITIES or name.startswith(CHANCE)


def of_probabilities(task: Task) -> Mapping[str, Quantity]:
    """Return the values that the probabilities of a task's choices give, with unit and range.

    ``expected``: the expected score; ``gap``: how far it is from the written one; ``entropy``; ``mass`` on the declared
    answers; ``agrees``: whether the likeliest choice says what was written; ``read``: whether the probabilities could
    be read. ``chance of X``: the share of the probability on the declared answers that X has, of a task with a right
    answer whose answers are the same for every item. Without the first two where answers have no number, and none
    without choices.
    """
    choices, numbers = task.scorer.choices, task.scorer.quantities
    if not choices:
        return {}
    found = [
        Quantity("entropy", "bits", 0.0, math.log2(len(choices))),
        Quantity("mass", "share", 0.0, 1.0),
        Quantity("agrees", "share", 0.0, 1.0, binary=True),
        Quantity("read", "share", 0.0, 1.0, binary=True),
    ]
    if numbers:
        main = numbers[0]
        found += [Quantity("expected", main.unit, main.low, main.high), Quantity("gap", main.unit, 0.0, main.span)]
    found += [Quantity(f"{CHANCE}{answer}", "share", 0.0, 1.0) for answer in classes(task)]
    return MappingProxyType({quantity.name: quantity for quantity in found})


def classes(task: Task) -> tuple[str, ...]:
    """Return the answers that are classes of items: of a task with a right answer whose options no item fills.

    Parameters
    ----------
    task : Task
        As it is declared, not as it is put about one item.
    """
    filled = isinstance(task.scorer, Choice) and bool(task.scorer.slots)
    return () if task.truth is None or filled else task.answers


@dataclass(frozen=True, slots=True)
class Expectation:
    """What the log-probabilities of the declared answers say.

    Attributes
    ----------
    reading : {"read", "invalid", "low_mass"}
        ``low_mass``: less than `LEAST_MASS` of the probability is on the declared answers.
    score : float or None
        Probability-weighted mean of the choices' main values, in the range of the task's main quantity (0-100 points
        for those that auditkit ships); set when read, None where choices have labels.
    entropy : float or None
        Of the listed choices, their probabilities taken to sum to 1, in bits; set when read.
    max_entropy : float
        What it would be if all choices of the task were equally likely, in bits.
    mass : float or None
        How much of the probability is on the declared answers, 0-1; set unless invalid.
    top : str or None
        The most likely choice, of equals the one declared first; set when read.
    why : str
        The reason of every reading but ``read``.
    chances : mapping of str to float
        By answer as it is said, its share of the mass; of tasks with a right answer, set when read.
    """

    reading: Reading
    score: float | None = None
    entropy: float | None = None
    max_entropy: float = 0.0
    mass: float | None = None
    top: str | None = None
    why: str = ""
    chances: Mapping[str, float] = field(default_factory=dict)


def expect(logprobs: Mapping[str, float], task: Task) -> Expectation:
    """Weigh a task's choices by their log-probabilities.

    Parameters
    ----------
    logprobs : mapping of str to float
        Natural log-probability of each choice as the whole answer, not normalised (`auditkit.models.base.Response`);
        minus infinity is a probability of 0. Choices may be missing, as where a server lists the likeliest only: the
        expectation is over those listed, and what is missing shows in ``mass``.
    task : Task
        What was asked.

    Returns
    -------
    Expectation
        Exactly one reading; never raises for any mapping. The same whatever the order of the mapping.
    """
    scores = _scores(task)
    most = math.log2(len(scores)) if scores else 0.0
    problem = _problem(logprobs, scores)
    if problem:
        return Expectation("invalid", max_entropy=most, why=problem)
    p = {choice: math.exp(logprobs[choice]) for choice in scores if choice in logprobs}
    mass = math.fsum(p.values())
    if mass > 1 + ROUNDING:
        return Expectation("invalid", max_entropy=most, why=f"the choices have a probability of {mass:.4g} together")
    if mass < LEAST_MASS:
        why = f"only {mass:.2g} of the probability is on the declared answers; {LEAST_MASS:g} is the least"
        return Expectation("low_mass", max_entropy=most, mass=mass, why=why)
    # Of shares x / mass: log2(mass) - sum(x log2(x)) / mass.
    entropy = math.log2(mass) - math.fsum([x * math.log2(x) for x in p.values() if x]) / mass
    chances: dict[str, float] = {}
    if task.truth is not None:
        for choice, x in p.items():  # two choices may say the same
            chances[_said(task)[choice]] = chances.get(_said(task)[choice], 0.0) + x / mass
    return Expectation(
        "read",
        _mean(p, scores, task),
        min(max(entropy, 0.0), most),
        most,
        min(mass, 1.0),
        max(p, key=lambda c: p[c]),
        chances=chances,
    )


def of_choices(expected: Expectation, said: str, truth: str) -> Mapping[str, float]:
    """Return what the probabilities make of an answer where the right one is known: `CONFIDENCE` and `BRIER`.

    Parameters
    ----------
    expected : Expectation
        Of a task with a right answer.
    said : str
        What was answered; empty where the answer cannot be used, which leaves the confidence out.
    truth : str
        The right answer. One that is not among the listed choices has a probability of 0.

    Returns
    -------
    mapping of str to float
        Rounded to `PLACES`; empty unless the probabilities were read.
    """
    chances = expected.chances
    if expected.reading != "read" or not chances:
        return {}
    squares = math.fsum([x * x for x in chances.values()])
    found = {BRIER.name: (1.0 - 2.0 * chances.get(truth, 0.0) + squares) / 2.0}
    if said:
        found[CONFIDENCE.name] = chances.get(said, 0.0)
    return {name: min(max(round(value, PLACES), 0.0), 1.0) for name, value in found.items()}


def _problem(logprobs: Mapping[str, float], scores: Mapping[str, float | None]) -> str:
    """Say why a mapping cannot be what it claims to be; empty when it can."""
    if not logprobs:
        return "no choice is listed"
    for choice in logprobs.keys() - scores.keys():
        return f"{choice!r:.40} is not among the task's choices"
    for choice, value in logprobs.items():
        # The look at the type first halves the time: 60 instead of 112 us for 101 choices, with the sums over lists.
        if (type(value) is not float and (isinstance(value, bool) or not isinstance(value, Real))) or value != value:
            return f"the log-probability of {choice!r} is {value!r:.40}, which is no number"
        if value > ROUNDING:
            return f"the log-probability of {choice!r} is {value:.4g}, above 0"
    return ""


def _mean(p: Mapping[str, float], scores: Mapping[str, float | None], task: Task) -> float | None:
    scored = [(x, s) for choice, x in p.items() if (s := scores[choice]) is not None]
    weight = math.fsum([x for x, _ in scored])
    if not weight:
        return None
    # A quotient of rounded sums can leave the scale by the last digit, which the procedures on means refuse.
    main = task.scorer.quantities[0]
    return min(max(math.fsum([x * s for x, s in scored]) / weight, main.low), main.high)


@lru_cache(maxsize=64)
def _said(task: Task) -> dict[str, str]:
    """Every choice with what it says as the generated answer."""
    return {choice: read(task, "", choice).said for choice in task.scorer.choices or ()}


@lru_cache(maxsize=64)
def _scores(task: Task) -> dict[str, float | None]:
    """Every choice with the main value that it gets when it is the generated answer: one scale for both."""
    return {choice: read(task, "", choice).main for choice in task.scorer.choices or ()}
