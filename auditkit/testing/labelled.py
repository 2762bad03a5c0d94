"""Made-up models for tasks with a right answer: a fair one of known accuracy, and planted ways to seem to know.

Each is a `Behaviour`; a defect wraps another behaviour and says otherwise where it acts. The records they are asked
about need the column of the task's truth (`auditkit.testing.labelled_images`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtr

from auditkit.tasks import Choice, Task
from auditkit.tasks.slots import TRUE, WRONG
from auditkit.testing.defect import REFUSAL, checked_share
from auditkit.testing.questions import Asked, Replies, generator
from auditkit.testing.readers import Behaviour

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Knowing:
    """Knows so many of the answers, the same ones in every wording and order; all it loses it loses to corruption.

    Attributes
    ----------
    accuracy : float
        Share of the images that it is right about, 0-1.
    by_answer : tuple of (str, float)
        The same for images with these right answers.
    falls : float
        Accuracy lost per step of severity; never below 0.
    shared : float
        How far the images of one patient are known together, 0-1.
    unsteady : float
        Share of the answers, 0-1, that are any of the task's at random; others in every asking.
    """

    accuracy: float = 0.9
    by_answer: tuple[tuple[str, float], ...] = ()
    falls: float = 0.0
    shared: float = 0.5
    unsteady: float = 0.0

    def answer(self, asked: Asked) -> Replies:
        """Return the right answer about what is known, and one of the others about the rest."""
        right, answers = asked.right(), asked.catalogue.task(asked.question.task).answers
        known = dict(self.by_answer)
        share = np.array([known.get(said, self.accuracy) for said in right]) - self.falls * asked.severity
        knows = hardness(asked, self.shared) < np.clip(share, 0.0, 1.0)
        others = generator(asked.seed, "wrong", _matter(asked)).integers(0, 2**31, len(right))
        said = [
            truth if sure or not truth else _other(answers, truth, int(pick))
            for truth, sure, pick in zip(right, knows.tolist(), others.tolist(), strict=True)
        ]
        if self.unsteady:
            rng = asked.draw("unsteady", again=True)
            off, any_other = rng.random(len(said)) < self.unsteady, rng.integers(0, len(answers), len(said))
            said = [answers[i] if o else a for a, o, i in zip(said, off.tolist(), any_other.tolist(), strict=True)]
        return spoken(asked, said)


@dataclass(frozen=True)
class BaseRate:
    """Answers every image by the commonest right answer, and never looks."""

    def answer(self, asked: Asked) -> Replies:
        """Return the one answer."""
        [(commonest, _)] = Counter(filter(None, asked.right())).most_common(1)
        return spoken(asked, [commonest] * len(asked.subjects))


@dataclass(frozen=True)
class IgnoresImage:
    """Answers as often with each answer as it is right, about any image: of 100 patients the right number is ill."""

    def answer(self, asked: Asked) -> Replies:
        """Return the right answers of other images, drawn for every image and the same in every wording."""
        right = [said for said in asked.right() if said]
        drawn = generator(asked.seed, "ignores", _matter(asked)).integers(0, len(right), len(asked.subjects))
        return spoken(asked, [right[place] for place in drawn.tolist()])


@dataclass(frozen=True)
class ByPosition:
    """Gives the letter that stands first about some images, whatever it says.

    Attributes
    ----------
    base : Behaviour
        Who answers the rest.
    share : float
        Of the images, 0-1; the same ones in every question.
    """

    base: Behaviour
    share: float = 1.0

    def __post_init__(self) -> None:
        checked_share(self, self.share)

    def answer(self, asked: Asked) -> Replies:
        """Return letter A about the chosen images, where letters are asked for."""
        replies = self.base.answer(asked)
        if not isinstance(asked.catalogue.task(asked.question.task).scorer, Choice):
            return replies
        return replies.where(_chosen(asked, "position", self.share), "A")


@dataclass(frozen=True)
class WordingFragile:
    """Knows less where it is asked in some wordings.

    Attributes
    ----------
    base : Behaviour
        Who answers otherwise.
    wordings : tuple of str
        Those that throw it, as ``task.wording``.
    share : float
        Of the images whose answer turns into another, 0-1.
    """

    base: Behaviour
    wordings: tuple[str, ...]
    share: float

    def __post_init__(self) -> None:
        checked_share(self, self.share)

    def answer(self, asked: Asked) -> Replies:
        """Return a wrong answer about the chosen images, in these wordings."""
        replies = self.base.answer(asked)
        if asked.question.words not in self.wordings:
            return replies
        answers = asked.catalogue.task(asked.question.task).answers
        wrong = spoken(asked, [_other(answers, truth, 0) for truth in asked.right()])
        chosen = np.flatnonzero(_chosen(asked, "wording", self.share)).tolist()
        return Replies(replies.scores, {**replies.texts, **{i: wrong.texts[i] for i in chosen}})


@dataclass(frozen=True)
class FollowsOpinion:
    """Gives the answer that somebody is said to have given, about some images.

    Attributes
    ----------
    base : Behaviour
        Who answers the rest.
    share : float
        Of the images, 0-1; the same ones in every question.
    """

    base: Behaviour
    share: float = 1.0

    def __post_init__(self) -> None:
        checked_share(self, self.share)

    def answer(self, asked: Asked) -> Replies:
        """Return the stated answer where one is stated: the right one, or the one that stands for a wrong one."""
        replies = self.base.answer(asked)
        said = [str(asked.catalogue.entry(p.name).parameters(p.level).get("sentence", "")) for p in asked.condition]
        stated = "correct" if any(f"{{{TRUE}}}" in text for text in said) else ""
        stated = "wrong" if any(f"{{{WRONG}}}" in text for text in said) else stated
        if not stated:
            return replies
        answers = asked.catalogue.task(asked.question.task).answers
        following = [
            truth if stated == "correct" else answers[(answers.index(truth) + 1) % len(answers)] if truth else ""
            for truth in asked.right()
        ]
        told = spoken(asked, following)
        chosen = np.flatnonzero(_chosen(asked, "opinion", self.share)).tolist()
        return Replies(replies.scores, {**replies.texts, **{i: told.texts[i] for i in chosen}})


@dataclass(frozen=True)
class RefusesHard:
    """Declines the images that it would be wrong about, so that all that is left is right.

    Attributes
    ----------
    base : Knowing
        Who answers the rest.
    share : float
        Of the images, 0-1: the hardest.
    """

    base: Knowing
    share: float

    def __post_init__(self) -> None:
        checked_share(self, self.share)

    def answer(self, asked: Asked) -> Replies:
        """Decline the hardest images."""
        return self.base.answer(asked).where(hardness(asked, self.base.shared) > 1.0 - self.share, REFUSAL)


def hardness(asked: Asked, shared: float) -> NDArray[np.float64]:
    """Return how hard every image is, uniform on 0 to 1 and the same in all questions about one matter; shape (n,).

    Parameters
    ----------
    asked : Asked
        ``pneumonia.present`` and ``pneumonia.kind`` are one matter.
    shared : float
        Correlation between the images of a patient, 0-1.
    """
    codes = asked.subjects.patient_codes()
    matter = _matter(asked)
    patient = generator(asked.seed, "hard patients", matter).standard_normal(int(codes.max()) + 1)[codes]
    own = generator(asked.seed, "hard images", matter).standard_normal(len(codes))
    return np.asarray(ndtr(np.sqrt(shared) * patient + np.sqrt(1.0 - shared) * own))


def spoken(asked: Asked, said: Sequence[str]) -> Replies:
    """Return answers in the words, or by the letters, that the question asks for.

    Parameters
    ----------
    asked : Asked
        The question; where the options are in another order, so are the letters.
    said : sequence of str
        One of the task's answers for every subject; empty for none, which is said as a refusal.
    """
    letters: dict[Task, dict[str, str]] = {}
    texts = {}
    for place, (answer, columns) in enumerate(zip(said, asked.subjects.columns, strict=True)):
        task, _ = asked.catalogue.about(asked.question, columns)
        if task not in letters:
            options = task.scorer.options if isinstance(task.scorer, Choice) else ()
            letters[task] = {option.said: option.letter for option in options}
        texts[place] = letters[task].get(answer, answer) or REFUSAL
    return Replies(np.full(len(texts), np.nan), texts)


def _matter(asked: Asked) -> str:
    return asked.question.task.rpartition(".")[0] or asked.question.task


def _chosen(asked: Asked, name: str, share: float) -> NDArray[np.bool_]:
    return np.asarray(generator(asked.seed, name, _matter(asked)).random(len(asked.subjects)) < share)


def _other(answers: Sequence[str], truth: str, pick: int) -> str:
    wrong = [answer for answer in answers if answer != truth]
    return wrong[pick % len(wrong)]
