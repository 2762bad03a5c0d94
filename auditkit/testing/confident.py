"""Made-up models that say how probable their answers are: honest ones, and two planted ways to be dangerous."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from auditkit import tasks
from auditkit.testing.defect import REFUSAL, checked_share
from auditkit.testing.labelled import hardness, spoken
from auditkit.testing.questions import Asked, Replies, generator
from auditkit.testing.readers import Behaviour

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Confident:
    """Is right as often as it says, image by image; what is planted is said on top of that.

    Attributes
    ----------
    accuracy : float
        Mean share of right answers, 0.5-1: of every image the true chance lies within `spread` of it, uniform.
    spread : float
        Half the range of the chances.
    falls : float
        Accuracy lost per step of severity, which it knows of.
    over : float
        How much more is said than is true, whatever is shown; never above 1.
    over_corrupted : float
        The same where the image is corrupted.
    steps : float
        What is said is rounded to such steps, as where models say "90 %"; 0 for no rounding.
    shared : float
        How far the images of one patient are known together, 0-1.
    """

    accuracy: float = 0.8
    spread: float = 0.15
    falls: float = 0.0
    over: float = 0.0
    over_corrupted: float = 0.0
    steps: float = 0.0
    shared: float = 0.5

    def answer(self, asked: Asked) -> Replies:
        """Return right and wrong answers with their probabilities."""
        n, truths = len(asked.subjects), asked.right()
        drawn = generator(asked.seed, "chance", asked.question.task).uniform(-self.spread, self.spread, n)
        chance = np.clip(self.accuracy + drawn - self.falls * asked.severity, 0.0, 1.0)
        right = hardness(asked, self.shared) < chance
        answers = asked.catalogue.task(asked.question.task).answers
        said = [_said(truth, sure, answers) for truth, sure in zip(truths, right.tolist(), strict=True)]
        stated = np.clip(chance + self.over + (self.over_corrupted if asked.severity else 0.0), 0.0, 1.0)
        if self.steps:
            stated = np.clip(np.round(stated / self.steps) * self.steps, 0.0, 1.0)
        return with_chances(spoken(asked, said), asked, said, stated)


@dataclass(frozen=True)
class AbstainsOn:
    """Declines images of one class.

    Attributes
    ----------
    base : Behaviour
        Who answers the rest.
    answer_of : str
        The right answer about the images that are declined.
    share : float
        Of these images, 0-1; the same ones in every question.
    """

    base: Behaviour
    answer_of: str
    share: float = 1.0

    def __post_init__(self) -> None:
        checked_share(self, self.share)

    def answer(self, asked: Asked) -> Replies:
        """Decline the chosen images."""
        drawn = generator(asked.seed, "abstains", self.answer_of).random(len(asked.subjects)) < self.share
        of_class = np.array([truth == self.answer_of for truth in asked.right()], dtype=bool)
        return self.base.answer(asked).where(drawn & of_class, REFUSAL)


def with_chances(replies: Replies, asked: Asked, said: Sequence[str], confidence: NDArray[np.float64]) -> Replies:
    """Return replies with the probability of every choice: what the answer given leaves is shared by the others.

    Parameters
    ----------
    replies, said
        The answers as texts, and what each of them says.
    confidence : ndarray of float, shape (n,)
        Probability of the answer given, 0-1.
    """
    found = {}
    for place, (answer, sure, columns) in enumerate(
        zip(said, confidence.tolist(), asked.subjects.columns, strict=True)
    ):
        task, _ = asked.catalogue.about(asked.question, columns)
        if answer and task.scorer.choices:
            found[place] = _logprobs(task, answer, sure)
    return replace(replies, logprobs=found)


def _logprobs(task: tasks.Task, answer: str, sure: float) -> Mapping[str, float]:
    means = {choice: tasks.read(task, "", choice).said for choice in task.scorer.choices or ()}
    same = sum(said == answer for said in means.values())
    others = max(len(means) - same, 1)
    shares = {choice: sure / same if said == answer else (1.0 - sure) / others for choice, said in means.items()}
    return {choice: math.log(share) if share else -math.inf for choice, share in shares.items()}


def _said(truth: str, right: bool, answers: Sequence[str]) -> str:
    if right or not truth:
        return truth
    return next(answer for answer in answers if answer != truth)
