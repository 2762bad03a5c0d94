"""Made-up models without defects: what is known of their answers is what an audit should find."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from auditkit.testing.questions import Asked, Replies, generator

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Behaviour(Protocol):
    """Anything that answers a question for all subjects at once."""

    def answer(self, asked: Asked) -> Replies: ...


@dataclass(frozen=True, slots=True)
class Noise:
    """How a score differs from question to question although nothing that matters has changed.

    Attributes
    ----------
    sd : float
        Standard deviation in points of normal noise, drawn for every image, condition and wording by itself.
    shared : float
        Share of its variance that the images of one patient have in common, 0-1.
    levels : tuple of float
        Scores that the model gives, ascending; a score between two levels goes to either at random so that its
        expectation stays what it was. Empty: any number.
    jumps : float
        Share of answers, 0-1, that are off by `jump` points up or down, each equally often.
    jump : float
        Size of a jump in points.
    """

    sd: float = 0.0
    shared: float = 0.3
    levels: tuple[float, ...] = ()
    jumps: float = 0.0
    jump: float = 30.0


FIVES = tuple(float(level) for level in range(0, 101, 5))
STICKY = (0.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0, 75.0, 80.0, 85.0, 90.0, 92.0, 95.0, 98.0, 100.0)

NOISES: dict[str, Noise] = {
    "none": Noise(),
    "fine": Noise(sd=4.0),
    "discrete": Noise(sd=4.0, levels=FIVES),
    "sticky": Noise(sd=3.0, levels=STICKY),
    "noisy": Noise(sd=10.0, levels=FIVES),
    "sparse": Noise(levels=FIVES, jumps=0.02, jump=30.0),
}
"""Kinds of noise by name. Paired differences have sd 5.7 (fine), about 6.6 (discrete) and 14.6 points (noisy); under
"sparse" 96 % of them are 0."""


@dataclass(frozen=True, slots=True)
class FairReader:
    """Scores an image by its quality, lower as a corruption grows, and by nothing else.

    Where nothing is left of the image it gives 0 points. A question with a right answer gets it while there is one.

    Attributes
    ----------
    quality : float
        Mean score of clean images, 0-100 points.
    spread : float
        Standard deviation of the clean score between patients.
    fall : float
        Points lost per step of severity.
    noise : Noise
        See `NOISES`.
    """

    quality: float = 65.0
    spread: float = 5.0
    fall: float = 7.0
    noise: Noise = NOISES["discrete"]

    def answer(self, asked: Asked) -> Replies:
        """Return a score for every subject, or the right answer."""
        if asked.nothing_to_see:
            return Replies(np.zeros(len(asked.subjects)))
        score = self._clean(asked) - self.fall * asked.severity
        replies = Replies(disturbed(score, self.noise, asked))
        if asked.catalogue.task(asked.question.task).truth is not None and any(asked.subjects.columns):
            from auditkit.testing.labelled import spoken  # which builds upon readers

            replies.texts.update(spoken(asked, asked.right()).texts)
        return replies

    def _clean(self, asked: Asked) -> NDArray[np.float64]:
        """Quality of each patient's images: the same whatever is asked."""
        patients, codes = np.unique(asked.subjects.patients.astype(str), return_inverse=True)
        if len(asked.subjects) == 1:
            drawn = generator(asked.seed, "quality", *patients).standard_normal(1)
        else:
            drawn = generator(asked.seed, "quality").standard_normal(patients.size)
        clean = self.quality + self.spread * np.clip(drawn, -2.5, 2.5)
        if self.noise.levels and not self.noise.sd:
            clean = 5.0 * np.round(clean / 5.0)  # a model without noise gives one level, always the same
        return np.asarray(clean[codes.reshape(-1)])


def disturbed(scores: NDArray[np.float64], noise: Noise, asked: Asked) -> NDArray[np.float64]:
    """Add noise to scores, their expectation unchanged as long as they stay clear of 0 and 100.

    Parameters
    ----------
    scores : ndarray, shape (n,)
        Points.
    noise : Noise
        What is added.
    asked : Asked
        The question, which the noise depends on.
    """
    rng = asked.draw("noise")
    out = scores.astype(np.float64)
    if noise.sd:
        codes = asked.subjects.patient_codes()
        patient = rng.standard_normal(codes.max() + 1)[codes]
        own = rng.standard_normal(len(codes))
        out = out + noise.sd * (np.sqrt(noise.shared) * patient + np.sqrt(1 - noise.shared) * own)
    if noise.jumps:
        hit = rng.random(len(out)) < noise.jumps
        out = out + hit * noise.jump * np.where(rng.random(len(out)) < 0.5, -1.0, 1.0)
    out = np.clip(out, 0.0, 100.0)
    return on_levels(out, noise.levels, rng) if noise.levels else out


def on_levels(scores: NDArray[np.float64], levels: tuple[float, ...], rng: np.random.Generator) -> NDArray[np.float64]:
    """Put scores on the levels by chance, so that the mean of many equal scores stays where it was."""
    grid = np.asarray(levels)
    at = np.clip(np.searchsorted(grid, scores, side="right") - 1, 0, grid.size - 2)
    low, high = grid[at], grid[at + 1]
    return np.asarray(np.where(rng.random(scores.size) < (scores - low) / (high - low), high, low))
