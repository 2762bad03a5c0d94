"""Made-up models with a few patients unlike the others, beside answers that scatter: what few patients cannot show."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from auditkit.testing import Asked, Behaviour, Noise, Replies
from auditkit.testing.questions import generator
from auditkit.testing.readers import disturbed
from auditkit.vocabulary import Question
from validation.jobs import seed
from validation.models import CLEAN, severity

if TYPE_CHECKING:
    from numpy.typing import NDArray

WHOLE = tuple(float(level) for level in range(101))
"""Scores that are whole numbers."""


def scattering(sd: float) -> Noise:
    """Return noise of this standard deviation in points on whole scores, whose differences have 1.4 times it."""
    return Noise(sd=sd, levels=WHOLE)


QUIET = scattering(2.0)


@dataclass(frozen=True)
class Struck:
    """Scores that scatter, and a share of patients that is hit hard, exactly and always.

    Attributes
    ----------
    share : float
        Of the patients.
    by : float
        Change of their score in points: from 100 downwards, or from 0 upwards.
    others : float
        Change of everybody else's.
    noise : Noise
        Of everybody else.
    growing : bool
        Changes are those per step of severity; otherwise they are the same under every condition.
    """

    share: float
    by: float
    others: float = 0.0
    noise: Noise = QUIET
    growing: bool = False

    def answer(self, asked: Asked) -> Replies:
        """Return the scores."""
        codes = asked.subjects.patient_codes()
        hit = struck(self.share, asked, codes)
        steps = severity(asked.question) if self.growing else float(asked.question.condition != CLEAN)
        scores = disturbed(np.full(codes.size, 50.0 + steps * self.others), self.noise, asked)
        return Replies(np.where(hit, (100.0 if self.by < 0 else 0.0) + steps * self.by, scores))


def struck(share: float, asked: Asked, codes: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return whose patient is one of a share that is the same for every question and version; shape (n,)."""
    return np.asarray((generator(asked.seed, "struck").random(codes.max() + 1) < share)[codes])


@dataclass(frozen=True)
class Jolting:
    """The mean change is 0, but a share of the patients moves up or down by a jump, beyond the noise of all answers.

    Attributes
    ----------
    moves : callable
        Whether a question moves them.
    share : float
        Of the patients; each moves one way or the other.
    noise : float
        Standard deviation of every answer in points.
    jump : float
        In points.
    """

    moves: Callable[[Question], bool]
    share: float
    noise: float
    jump: float = 40.0

    def answer(self, asked: Asked) -> Replies:
        """Return scores around 50."""
        codes = asked.subjects.patient_codes()
        patients = generator(asked.seed, "patients").standard_normal(codes.max() + 1)[codes]
        ways = np.where(generator(asked.seed, "ways").random(codes.max() + 1) < 0.5, -1.0, 1.0)[codes]
        jumps = self.jump * ways * struck(self.share, asked, codes) * self.moves(asked.question)
        return Replies(disturbed(50.0 + 2.0 * patients + jumps, scattering(self.noise), asked))


def share_of_jolted(excess: float, noise: float, jump: float, beyond: float, others: int) -> float:
    """Return the share of patients who must move so that the excess of jumps over those by noise is as given.

    Parameters
    ----------
    excess : float
        0-1.
    noise, jump, beyond : float
        See `Jolting`; beyond is what a difference must exceed to be a jump.
    others : int
        Against the mean of how many answers alike one is held.

    Notes
    -----
    Putting scores on whole numbers by chance adds a variance of 1/6, and means of k of them lie 1/k apart, so that
    "more than 25" is 25 + 1/(2k) of what could lie anywhere.
    """
    sd = ((noise**2 + 1 / 6) * (1 + 1 / others)) ** 0.5
    least = beyond + 0.5 / others
    by_noise = 2 * stats.norm.sf(least / sd)
    moved = stats.norm.sf((least - jump) / sd) + stats.norm.cdf((-least - jump) / sd)
    return float(excess / (moved - by_noise))


@dataclass(frozen=True)
class Swapping:
    """Clean and changed images that differ in their scores, and patients in whom they change places.

    Attributes
    ----------
    area : float
        Area under the ROC curve of all other patients, 0.5 to 1.
    share : float
        Of the patients who change places, wholly: their clean images score below all others' changed ones.
    version : str
        Another one has noise of its own; the patients are the same.
    """

    area: float
    share: float = 0.0
    version: str = ""
    sd: float = 5.0

    def answer(self, asked: Asked) -> Replies:
        """Return scores around 65 and below, or 3 and 99."""
        codes = asked.subjects.patient_codes()
        patients = self.sd * generator(asked.seed, "patients").standard_normal(codes.max() + 1)[codes]
        changed = asked.question.condition != CLEAN
        drop = float(stats.norm.ppf(self.area)) * 2.0 * self.sd if changed else 0.0
        own = replace(asked, seed=seed("version", self.version, str(asked.seed))) if self.version else asked
        scores = disturbed(65.0 - drop + patients, Noise(sd=self.sd), own)
        return Replies(np.where(struck(self.share, asked, codes), 99.0 if changed else 3.0, scores))

    @property
    def whole_area(self) -> float:
        """Area of everybody."""
        return (1 - self.share) ** 2 * self.area


@dataclass(frozen=True)
class Earlier:
    """The same model as it answered before, with chance of its own."""

    inner: Behaviour

    def answer(self, asked: Asked) -> Replies:
        """Return what the inner model says of another seed."""
        return self.inner.answer(replace(asked, seed=seed("earlier", str(asked.seed))))


@dataclass(frozen=True)
class BySize:
    """Patients of whom there is one image are answered by one model, those of whom there are more by another."""

    single: Behaviour
    several: Behaviour

    def answer(self, asked: Asked) -> Replies:
        """Return either's replies."""
        codes = asked.subjects.patient_codes()
        many = np.bincount(codes)[codes] > 1
        one, other = self.single.answer(asked), self.several.answer(asked)
        texts = {i: text for i, text in one.texts.items() if not many[i]}
        texts |= {i: text for i, text in other.texts.items() if many[i]}
        return Replies(np.where(many, other.scores, one.scores), texts)
