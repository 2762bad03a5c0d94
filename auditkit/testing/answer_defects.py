"""Defects in how a model answers, whatever is in the image or the words beside it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from auditkit.protocol.catalogue import Catalogue
from auditkit.tasks import Points
from auditkit.tasks.numeric import SCALES
from auditkit.testing.defect import Defect, checked_share, listed, moved, unless
from auditkit.testing.questions import Asked, Replies
from auditkit.testing.truth import Truth
from auditkit.vocabulary import Question


@dataclass(frozen=True)
class TemplateFragile(Defect):
    """The wording of the question moves the score.

    Attributes
    ----------
    wordings : tuple of str
        Those that move it, as ``task.wording``.
    points : float
        By how much, signed.
    """

    wordings: tuple[str, ...]
    points: float

    @property
    def description(self) -> str:
        """One line in words."""
        return f"{listed(self.wordings)} moves the score by {self.points:+g} points"

    def change(self, replies: Replies, asked: Asked) -> Replies:
        """Move the score under the wordings."""
        return moved(replies, self.points) if asked.question.words in self.wordings else replies

    def truth(self, question: Question, catalogue: Catalogue) -> Truth:
        """Under the wordings the score is moved."""
        return unless(question.words not in self.wordings, Truth(points=self.points))

    def check(self, catalogue: Catalogue) -> None:
        """Refuse wordings that do not exist."""
        for words in self.wordings:
            task, _, wording = words.rpartition(".")
            catalogue.resolve(Question(task or words, wording))


@dataclass(frozen=True)
class BatchDependent(Defect):
    """An image asked alone gets another score than in a batch.

    Attributes
    ----------
    share : float
        Share of images, 0-1; other images in each question.
    points : float
        By how much, signed.
    """

    share: float
    points: float = 10.0

    def __post_init__(self) -> None:
        checked_share(self, self.share)

    @property
    def description(self) -> str:
        """One line in words."""
        return f"{self.share:.0%} of the answers differ by {self.points:+g} points when asked alone"

    def change(self, replies: Replies, asked: Asked) -> Replies:
        """Move some scores of questions asked alone."""
        if not _alone(asked.question):
            return replies
        chosen = asked.draw("batch").random(len(asked.subjects)) < self.share
        return moved(replies, np.where(chosen, self.points, 0.0))

    def truth(self, question: Question, catalogue: Catalogue) -> Truth:
        """Asked alone, the score of some items is moved."""
        return unless(not _alone(question), Truth(points=self.points, share=self.share))


@dataclass(frozen=True)
class Unsteady(Defect):
    """The same question gets another answer each time it is asked.

    Attributes
    ----------
    share : float
        Share of askings, 0-1, whose score is off; 1 for noise on every answer.
    sd : float
        Standard deviation of how far, in points; normal with mean 0.
    """

    share: float
    sd: float = 10.0

    def __post_init__(self) -> None:
        checked_share(self, self.share)

    @property
    def description(self) -> str:
        """One line in words."""
        return f"{self.differ:.0%} of the answers change when asked again, by about {self.sd:g} points"

    @property
    def differ(self) -> float:
        """Share of questions to which two askings give different scores."""
        return 1 - (1 - self.share) ** 2

    @classmethod
    def between(cls, differ: float, sd: float = 10.0) -> Unsteady:
        """Return the defect of which two askings differ in a given share of images."""
        return cls(1 - (1 - differ) ** 0.5, sd)

    def change(self, replies: Replies, asked: Asked) -> Replies:
        """Disturb some scores, in every asking others."""
        rng = asked.draw("unsteady", again=True)
        n = len(asked.subjects)
        off = np.where(rng.random(n) < self.share, self.sd * rng.standard_normal(n), 0.0)
        return moved(replies, off)

    def truth(self, question: Question, catalogue: Catalogue) -> Truth:
        """In every asking the score of other items is off, by nothing on average."""
        return Truth(share=self.share, spread=self.sd)


@dataclass(frozen=True)
class Constant(Defect):
    """Every image gets the same score.

    Attributes
    ----------
    score : float
        Points.
    """

    score: float = 70.0

    @property
    def description(self) -> str:
        """One line in words."""
        return f"answers {self.score:g} to everything"

    def change(self, replies: Replies, asked: Asked) -> Replies:
        """Give the one score."""
        return Replies(np.full(len(asked.subjects), self.score))

    def truth(self, question: Question, catalogue: Catalogue) -> Truth:
        """Every question has the same score."""
        return Truth(points=self.score, scale=0.0)


@dataclass(frozen=True)
class Squeezed(Defect):
    """All scores lie at the bottom (a floor model) or at the top (a ceiling model) of the scale.

    The order of the images is kept, so clean is still told from corrupted; what is lost is the size of the fall.

    Attributes
    ----------
    low, high : float
        Where scores of 0 and 100 end up, in points.
    """

    low: float
    high: float

    @property
    def description(self) -> str:
        """One line in words."""
        return f"all scores lie between {self.low:g} and {self.high:g}"

    def change(self, replies: Replies, asked: Asked) -> Replies:
        """Squeeze the scores."""
        return Replies(self.low + replies.scores * (self.high - self.low) / 100.0, replies.texts)

    def truth(self, question: Question, catalogue: Catalogue) -> Truth:
        """A part of the model's own score is left."""
        return Truth(points=self.low, scale=(self.high - self.low) / 100.0)


@dataclass(frozen=True)
class OutOfRange(Defect):
    """Some answers leave the scale that was asked for.

    Attributes
    ----------
    share : float
        Share of images, 0-1; other images in each question.
    score : float
        What is said, in points; formats that only know words cannot say it and give their best word.
    """

    share: float
    score: float = 150.0

    def __post_init__(self) -> None:
        checked_share(self, self.share)

    @property
    def description(self) -> str:
        """One line in words."""
        return f"{self.share:.0%} of the answers are {self.score:g} on a scale up to 100"

    def change(self, replies: Replies, asked: Asked) -> Replies:
        """Leave the scale."""
        chosen = asked.draw("range").random(len(asked.subjects)) < self.share
        texts = {i: text for i, text in replies.texts.items() if not chosen[i]}
        return Replies(np.where(chosen, self.score, replies.scores), texts)

    def truth(self, question: Question, catalogue: Catalogue) -> Truth:
        """Where the scale is one of numbers, some answers are beyond it; words give their best one."""
        scorer = catalogue.task(question.task).scorer
        if isinstance(scorer, Points) and scorer.format in SCALES:
            return Truth(share=self.share, outcome="out_of_range")
        return Truth(points=100.0, scale=0.0, share=self.share)


def _alone(question: Question) -> bool:
    return any(perturbation.name == "alone" for perturbation in question.condition)
