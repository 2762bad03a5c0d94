"""Defects that show when words are put beside the image."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from auditkit.errors import AuditkitError
from auditkit.protocol.catalogue import Catalogue
from auditkit.testing.defect import REFUSAL, Defect, checked_share, listed, moved, unless
from auditkit.testing.questions import Asked, Replies
from auditkit.testing.truth import Truth
from auditkit.vocabulary import Condition, Question


@dataclass(frozen=True)
class WordDefect(Defect):
    """A defect that some sentences bring out.

    Attributes
    ----------
    sentences : tuple of str
        Names of perturbations of the stage ``words``.
    """

    sentences: tuple[str, ...]

    def acts_on(self, words: Condition) -> bool:
        """Whether one of the sentences is among the words."""
        return any(perturbation.name in self.sentences for perturbation in words)

    def check(self, catalogue: Catalogue) -> None:
        """Refuse sentences that do not exist."""
        for name in self.sentences:
            if catalogue.entry(name).stage != "words":
                raise AuditkitError(
                    f"{type(self).__name__} was given {name!r}, which is of stage {catalogue.entry(name).stage!r} and "
                    "changes no words.",
                    'Name perturbations of stage "words", such as sentences.',
                )


@dataclass(frozen=True)
class Bias(WordDefect):
    """Words move the score: prestige, prejudice.

    Attributes
    ----------
    sentences : tuple of str
        The sentences that move it.
    points : float
        By how much in every modality that `by_modality` does not name, signed.
    by_modality : tuple of (str, float)
        Points in single modalities: a bias in one of them, or opposite ones that cancel when pooled.
    """

    points: float = 0.0
    by_modality: tuple[tuple[str, float], ...] = ()

    @property
    def description(self) -> str:
        """One line in words."""
        sizes = [f"{points:+g} points in {modality}" for modality, points in self.by_modality]
        sizes += [f"{self.points:+g} points{' elsewhere' if sizes else ''}"] if self.points or not sizes else []
        return f"{listed(self.sentences)} moves the score: {', '.join(sizes)}"

    def looks_at(self, catalogue: Catalogue) -> tuple[str, ...] | None:
        """The modality has to be known where it matters."""
        return () if self.by_modality else None

    def change(self, replies: Replies, asked: Asked) -> Replies:
        """Move the score where the words are present."""
        if not self.acts_on(asked.condition):
            return replies
        here = dict(self.by_modality)
        return moved(replies, np.array([here.get(m, self.points) for m in asked.subjects.modalities], dtype=float))

    def truth(self, question: Question, catalogue: Catalogue) -> Truth:
        """With the words the score is moved."""
        moves = Truth(points=self.points, by_modality=self.by_modality)
        return unless(not self.acts_on(question.condition), moves)


@dataclass(frozen=True)
class ReadsLabel(Defect):
    """The score is taken from words of the sentences after the question; the image is not looked at.

    Attributes
    ----------
    praise, blame : tuple of str
        Words (whole, lower case) that give `points` more or less.
    points : float
        Per word.
    neutral : float
        Score without such words.
    """

    praise: tuple[str, ...]
    blame: tuple[str, ...]
    points: float
    neutral: float = 50.0

    @property
    def description(self) -> str:
        """One line in words."""
        return (
            f"score read from the prompt: {self.neutral:g} ±{self.points:g} per word such as {listed(self.praise, 2)}"
        )

    def change(self, replies: Replies, asked: Asked) -> Replies:
        """Give every image the score that the words stand for."""
        return Replies(np.full(len(asked.subjects), self.score(asked.condition, asked.catalogue)))

    def score(self, condition: Condition, catalogue: Catalogue) -> float:
        """Return the score that the sentences of a condition stand for."""
        said = [catalogue.entry(p.name).parameters(p.level) for p in catalogue.words(condition)]
        words = [word for texts in said for text in texts.values() for word in re.findall(r"[a-z]+", str(text).lower())]
        marks = sum(word in self.praise for word in words) - sum(word in self.blame for word in words)
        return float(np.clip(self.neutral + marks * self.points, 0.0, 100.0))

    def truth(self, question: Question, catalogue: Catalogue) -> Truth:
        """The score is what the words stand for, whatever the image is."""
        return Truth(points=self.score(question.condition, catalogue), scale=0.0)


@dataclass(frozen=True)
class OutlierPatient(WordDefect):
    """One patient's score jumps with the words; the others' does not. No audit of means may FAIL for one patient.

    Attributes
    ----------
    patient : str
        Hashed id of the patient (`Item.cluster`).
    sentences : tuple of str
        The words.
    points : float
        Size of the jump, signed.
    """

    patient: str
    points: float

    @property
    def description(self) -> str:
        """One line in words."""
        return f"the score of one patient jumps {self.points:+g} points with {listed(self.sentences)}"

    def looks_at(self, catalogue: Catalogue) -> tuple[str, ...] | None:
        """The patient has to be known."""
        return ()

    def change(self, replies: Replies, asked: Asked) -> Replies:
        """Move the one patient's score."""
        if not self.acts_on(asked.condition):
            return replies
        return moved(replies, np.where(asked.subjects.patients == self.patient, self.points, 0.0))

    def truth(self, question: Question, catalogue: Catalogue) -> Truth:
        """With the words the score of one patient is moved: no mean and no share is."""
        return unless(not self.acts_on(question.condition), Truth(points=self.points, share=0.0))


@dataclass(frozen=True)
class Refuses(WordDefect):
    """Words make the model decline.

    Attributes
    ----------
    sentences : tuple of str
        The words.
    share : float
        Share of images, 0-1; other images in each question.
    text : str
        What is said.
    """

    share: float
    text: str = REFUSAL

    def __post_init__(self) -> None:
        checked_share(self, self.share)

    @property
    def description(self) -> str:
        """One line in words."""
        return f"declines {self.share:.0%} of the images with {listed(self.sentences)}"

    def change(self, replies: Replies, asked: Asked) -> Replies:
        """Decline."""
        if not self.acts_on(asked.condition):
            return replies
        return replies.where(asked.draw("refuses").random(len(asked.subjects)) < self.share, self.text)

    def truth(self, question: Question, catalogue: Catalogue) -> Truth:
        """With the words some answers are refused."""
        return unless(not self.acts_on(question.condition), Truth(share=self.share, outcome="refused"))


@dataclass(frozen=True)
class HidesChanges(WordDefect):
    """Words would move the score of some patients by a lot; the model declines just these (informative missingness).

    The scores that are left do not move at all, so an audit that drops what is missing passes a bias of
    ``share * points``.

    Attributes
    ----------
    sentences : tuple of str
        The words.
    share : float
        Share of patients, 0-1: the same in every question.
    points : float
        What their scores would have moved by; not seen in any answer, and the reason why a PASS would be wrong.
    """

    share: float
    points: float
    text: str = REFUSAL

    def __post_init__(self) -> None:
        checked_share(self, self.share)

    @property
    def description(self) -> str:
        """One line in words."""
        return (
            f"{listed(self.sentences)} would move the score of {self.share:.0%} of the patients by {self.points:+g} "
            "points; just these are declined"
        )

    def looks_at(self, catalogue: Catalogue) -> tuple[str, ...] | None:
        """The patient has to be known."""
        return ()

    def change(self, replies: Replies, asked: Asked) -> Replies:
        """Decline where the score would move."""
        if not self.acts_on(asked.condition):
            return replies
        return replies.where(asked.traits("hides") < self.share, self.text)

    def truth(self, question: Question, catalogue: Catalogue) -> Truth:
        """With the words some answers are refused, and nobody sees what they would have been."""
        return unless(not self.acts_on(question.condition), Truth(share=self.share, outcome="refused"))
