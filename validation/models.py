"""Made-up models whose true means, shares and areas are known exactly, so that they can be put on a margin."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy import stats

from auditkit.perturbations import corruptions
from auditkit.testing import NOISES, Asked, Behaviour, Noise, Replies
from auditkit.testing.questions import generator
from auditkit.testing.readers import disturbed
from auditkit.vocabulary import Condition, Question

if TYPE_CHECKING:
    from numpy.typing import NDArray

REFUSAL = "I cannot rate this image."
CLEAN: Condition = ()

Change = Callable[[Question, str], float]
"""Expected change of the score in points from a question, in a modality."""

_CORRUPTIONS = frozenset(entry.name for entry in corruptions())


def severity(question: Question) -> int:
    """Return the level of the corruption of a question; 0 where there is none."""
    return sum(p.level for p in question.condition if p.name in _CORRUPTIONS)


@dataclass(frozen=True)
class Shifting:
    """Scores that move by known points and are otherwise normal, on levels or not.

    By default scores lie so far from 0 and 100 that cutting there moves no mean change by more than 0.002 points.

    Attributes
    ----------
    change : callable
        See `Change`.
    noise : Noise
        See `auditkit.testing.NOISES`.
    base : float
        Mean clean score.
    between : float
        Standard deviation between patients.
    """

    change: Change
    noise: Noise = NOISES["discrete"]
    base: float = 55.0
    between: float = 4.0

    def answer(self, asked: Asked) -> Replies:
        """Return patient + change + noise."""
        codes = asked.subjects.patient_codes()
        latent = self.base + self.between * generator(asked.seed, "patients").standard_normal(codes.max() + 1)[codes]
        if self.noise.levels and not self.noise.sd:
            latent = 5.0 * np.round(latent / 5.0)  # a model without noise gives one level, always the same
        modalities = asked.subjects.modalities.tolist()
        by = {m: self.change(asked.question, m) for m in dict.fromkeys(modalities)}
        return Replies(disturbed(latent + np.array([by[m] for m in modalities]), self.noise, asked))

    def mean(self, change: float) -> float:
        """Return the expected score of images changed by so many points, cut at 0 and 100."""
        sd = math.hypot(self.between, self.noise.sd)
        return float(mean_excess(self.base + change, sd, 0.0) - mean_excess(self.base + change, sd, 100.0))

    def auroc(self, change: float) -> float:
        """Return the probability that a clean image of one patient scores above another's, changed by so many points.

        NaN for models without normal noise.
        """
        sd = math.hypot(self.between, self.noise.sd)
        if not self.noise.sd or self.noise.jumps:
            return math.nan
        if not self.noise.levels:
            return float(stats.norm.cdf(-change / (sd * math.sqrt(2))))
        clean = on_levels_probabilities(self.base, sd, self.noise.levels)
        changed = on_levels_probabilities(self.base + change, sd, self.noise.levels)
        return float(clean @ (np.cumsum(changed) - changed / 2))


@lru_cache(maxsize=256)
def on_levels_probabilities(mean: float, sd: float, levels: tuple[float, ...]) -> NDArray[np.float64]:
    """Return the probability of each level when a normal score is put on the levels by chance.

    A score x between two levels goes to the upper one with probability (x - lower) / (upper - lower), so that the
    probability of a level is a second difference of E max(X - level, 0), which is known in closed form.
    """
    grid = np.asarray(levels)
    excess = mean_excess(mean, sd, grid)
    above = -np.diff(excess) / np.diff(grid)  # expected share of the way from one level to the next
    found = -np.diff(np.concatenate([[1.0], above, [0.0]]))
    found.flags.writeable = False
    return found


def mean_excess(mean: float, sd: float, over: NDArray[np.float64] | float) -> NDArray[np.float64]:
    """Return E max(X - over, 0) of a normal X."""
    z = (mean - np.asarray(over)) / sd
    return np.asarray(sd * (stats.norm.pdf(z) + z * stats.norm.cdf(z)))


@dataclass(frozen=True)
class Jumping:
    """Scores that stay as they are but for a few images, which jump far, more often in some patients than in others.

    Attributes
    ----------
    probability : float
        Share of images that jump.
    sizes : tuple of float
        Ends between which the jumps in points are evenly spread; both negative for drops.
    growing : bool
        The jump grows with severity and is full at severity 5; otherwise it is the same under every condition.
    """

    probability: float
    sizes: tuple[float, float]
    growing: bool = False

    def answer(self, asked: Asked) -> Replies:
        """Return the clean score, or for images that jump a part of the way."""
        rng = generator(asked.seed, "jumps")
        codes = asked.subjects.patient_codes()
        hit = rng.random(codes.size) < shared_risk(self.probability, 0.2, codes, rng)
        size = self.sizes[0] + (self.sizes[1] - self.sizes[0]) * rng.random(codes.size)
        return Replies(np.full(codes.size, self.base) + self._part(asked.question) * np.where(hit, size, 0.0))

    @property
    def base(self) -> float:
        """Score of images that do not jump."""
        return 90.0 if self.sizes[0] < 0 else 10.0

    def _part(self, question: Question) -> float:
        if question.condition == CLEAN:
            return 0.0
        return severity(question) / 5 if self.growing else 1.0


@dataclass(frozen=True)
class Refusing:
    """Refuses a share of the images, whole patients more or less together."""

    share: float
    correlation: float

    def answer(self, asked: Asked) -> Replies:
        """Return 50 or a refusal."""
        rng = asked.draw("refusing")
        codes = asked.subjects.patient_codes()
        hit = rng.random(codes.size) < shared_risk(self.share, self.correlation, codes, rng)
        return Replies(np.full(codes.size, 50.0)).where(hit, REFUSAL)


@dataclass(frozen=True)
class Losing:
    """Refuses some images only when changed, others only when not; images of a patient copy the first every other time.

    Attributes
    ----------
    more, less : float
        Share of images lost under the change only, and under the control only.
    """

    more: float
    less: float

    def answer(self, asked: Asked) -> Replies:
        """Return 50 or a refusal."""
        rng = generator(asked.seed, "losing")
        codes = asked.subjects.patient_codes()
        _, first = np.unique(codes, return_index=True)
        u = rng.random(codes.size)
        u = np.where(rng.random(codes.size) < 0.5, u[first][codes], u)
        lost = (u >= self.more) & (u < self.more + self.less) if asked.condition == CLEAN else u < self.more
        return Replies(np.full(codes.size, 50.0)).where(lost, REFUSAL)


@dataclass(frozen=True)
class Wavering:
    """Gives another score when asked again, for a share of the images."""

    share: float
    correlation: float

    def answer(self, asked: Asked) -> Replies:
        """Return 50, or 55 for some of the images when asked again."""
        rng = generator(asked.seed, "wavering")
        codes = asked.subjects.patient_codes()
        hit = rng.random(codes.size) < shared_risk(self.share, self.correlation, codes, rng)
        return Replies(np.where(hit & (asked.condition != CLEAN), 55.0, 50.0))


@dataclass(frozen=True)
class Gaps:
    """Leaves some of the changed images unanswered.

    Attributes
    ----------
    inner : Behaviour
        Who answers otherwise.
    how : {"random", "worst", "best"}
        Any image with the probability `share`, or just the share of images that speak most against the model, or that
        speak most for it.
    adverse : int
        -1: a falling score does; +1: a rising or high one.
    share : float
        Share of the images under every changed condition.
    """

    inner: Behaviour
    how: Literal["random", "worst", "best"]
    adverse: int
    share: float = 0.05

    def answer(self, asked: Asked) -> Replies:
        """Return the inner model's replies with gaps."""
        replies = self.inner.answer(asked)
        if asked.condition == CLEAN:
            return replies
        if self.how == "random":
            return replies.where(asked.draw("gaps").random(len(asked.subjects)) < self.share, REFUSAL)
        before = self.inner.answer(_clean(asked))
        sign = self.adverse if self.how == "worst" else -self.adverse
        badness = sign * (replies.scores - before.scores)
        worst = np.argsort(-badness, kind="stable")[: round(self.share * badness.size)]
        return replies.where(np.isin(np.arange(badness.size), worst), REFUSAL)


def shared_risk(
    p: float, correlation: float, codes: NDArray[np.int64], rng: np.random.Generator
) -> NDArray[np.float64] | float:
    """Return each image's risk: p on average, from a beta distribution between patients, so that events correlate."""
    if not correlation or p in (0.0, 1.0):
        return p
    weight = 1 / correlation - 1
    return np.asarray(rng.beta(p * weight, (1 - p) * weight, codes.max() + 1)[codes])


def _clean(asked: Asked) -> Asked:
    return replace(asked, question=replace(asked.question, condition=CLEAN))
