"""The made-up models that whole hospitals ask: fair ones that respond to corruptions, and such with one defect."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from auditkit.testing import Asked, Knowing, Replies, Subjects
from auditkit.testing.questions import generator
from auditkit.vocabulary import Question
from validation.models import CLEAN, REFUSAL

if TYPE_CHECKING:
    from numpy.typing import NDArray

STEPS = {"whole": 1.0, "five levels": 25.0}
"""Distance of the scores that a model gives, in points."""
SHARED = 0.3
"""Share of the noise's variance that the images of one patient have in common."""


@dataclass(frozen=True)
class Fair:
    """Scores an image by its quality, lower as a corruption grows, and by nothing else; every answer scatters.

    Where nothing is left of the image it gives 0 points. Questions that have a right answer get it about as many images
    as it knows.

    Attributes
    ----------
    sd : float
        Standard deviation in points of an answer, before it is put on the scale.
    scale : {"whole", "five levels"}
        Key of `STEPS`: the nearest score is given.
    refuses : float
        Share of answers, 0-1, that are refused at random, whatever is asked.
    quality, spread, fall : float
        Mean score of clean images, its standard deviation between patients, and points lost per step of severity.
    knows, forgets : float
        Share of the images, 0-1, that it knows the right answer about, and how much of that is lost per step.
    """

    sd: float
    scale: str = "whole"
    refuses: float = 0.0
    quality: float = 65.0
    spread: float = 5.0
    fall: float = 7.0
    knows: float = 0.95
    forgets: float = 0.01

    def answer(self, asked: Asked) -> Replies:
        """Return a score, the right answer or a wrong one, or a refusal, for every subject."""
        if asked.catalogue.task(asked.question.task).truth is None or asked.nothing_to_see:
            return self.said(asked, self.exact(asked))
        return self._some_refused(asked, Knowing(self.knows, falls=self.forgets).answer(asked))

    def exact(self, asked: Asked) -> NDArray[np.float64]:
        """Return the scores before they are put on the scale; shape (n,)."""
        if asked.nothing_to_see:
            return np.zeros(len(asked.subjects))
        codes, n = codes_of(asked.subjects)
        quality = self.quality + self.spread * generator(asked.seed, "quality").standard_normal(n)[codes]
        rng = asked.draw("noise")
        noise = np.sqrt(SHARED) * rng.standard_normal(n)[codes] + np.sqrt(1 - SHARED) * rng.standard_normal(codes.size)
        return np.asarray(quality - self.fall * asked.severity + self.sd * noise)

    def said(self, asked: Asked, exact: NDArray[np.float64]) -> Replies:
        """Return scores on the scale, some of them refused."""
        step = STEPS[self.scale]
        return self._some_refused(asked, Replies(np.clip(step * np.round(exact / step), 0.0, 100.0)))

    def _some_refused(self, asked: Asked, replies: Replies) -> Replies:
        if not self.refuses:
            return replies
        return replies.where(asked.draw("refuses").random(replies.scores.size) < self.refuses, REFUSAL)


@dataclass(frozen=True)
class Biased:
    """A fair model whose scores some words move.

    Attributes
    ----------
    fair : Fair
        Who answers otherwise.
    moves : callable
        Whether a question moves them.
    shift : float
        Points by which it moves every image.
    share, jump : float
        Share of the patients, 0-1, whom it moves by so many points beside that, half of them up and half down.
    hides : float
        Share of the images, 0-1, that are refused under these words: those whose score moved most.
    """

    fair: Fair
    moves: Callable[[Question], bool]
    shift: float = 0.0
    share: float = 0.0
    jump: float = 40.0
    hides: float = 0.0

    def answer(self, asked: Asked) -> Replies:
        """Return a score, or a refusal, for every subject."""
        if not self.moves(asked.question):
            return self.fair.answer(asked)
        codes, n = codes_of(asked.subjects)
        rng = generator(asked.seed, "moved")
        moved = np.where(rng.random(n) < self.share, np.where(rng.random(n) < 0.5, -self.jump, self.jump), 0.0)
        replies = self.fair.said(asked, self.fair.exact(asked) + self.shift + moved[codes])
        if not self.hides:
            return replies
        before = self.fair.answer(replace(asked, question=replace(asked.question, condition=CLEAN)))
        most = np.argsort(-np.abs(replies.scores - before.scores), kind="stable")[: round(self.hides * codes.size)]
        return replies.where(np.isin(np.arange(codes.size), most), REFUSAL)


@lru_cache(maxsize=4)
def codes_of(subjects: Subjects) -> tuple[NDArray[np.int64], int]:
    """Return the patients as codes, and their number; looking them up takes longer than all the drawing."""
    codes = subjects.patient_codes()
    return codes, int(codes.max()) + 1
