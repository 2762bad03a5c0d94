"""Defects that show when the image is corrupted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from auditkit.protocol.catalogue import Catalogue
from auditkit.testing.defect import REFUSAL, Defect, listed, moved, unless
from auditkit.testing.questions import Asked, Replies, severity
from auditkit.testing.truth import UNCHANGED, Truth
from auditkit.vocabulary import Condition, Perturbation, Question


def _worsens(name: str, catalogue: Catalogue) -> bool:
    """Whether an entry makes what is shown worse. By a blank picture no image is known: it is the same for all."""
    entry = catalogue.entry(name)
    return (entry.stage, entry.expects) == ("display", "notice")


@dataclass(frozen=True)
class BlindDefect(Defect):
    """A model that takes a corrupted image for the clean one; what it then says is the subclass's matter.

    Attributes
    ----------
    corruptions : tuple of str
        Names of perturbations of images; empty stands for all of the catalogue that should be noticed.
    """

    corruptions: tuple[str, ...] = ()

    def concerns(self, perturbation: Perturbation, catalogue: Catalogue) -> bool:
        """Whether it is blind to a perturbation."""
        return perturbation.name in self.corruptions if self.corruptions else _worsens(perturbation.name, catalogue)

    def looks_at(self, catalogue: Catalogue) -> tuple[str, ...] | None:
        """Return what it is blind to."""
        return self.corruptions or tuple(name for name in catalogue.perturbations if _worsens(name, catalogue))

    def shown(self, condition: Condition, catalogue: Catalogue) -> Condition:
        """Return the condition without what it is blind to."""
        return tuple(p for p in condition if not self.concerns(p, catalogue))

    def change(self, replies: Replies, asked: Asked) -> Replies:
        """Leave the answer to the image as `shown`, or move it by what is said of the severity."""
        level = self._severity(asked.condition, asked.catalogue)
        return moved(replies, self.seen(level)) if level else replies

    def truth(self, question: Question, catalogue: Catalogue) -> Truth:
        """The score is that of the image as `shown`, moved by what is said of the severity."""
        level = self._severity(question.condition, catalogue)
        return unless(not level, Truth(points=self.seen(level)))

    def seen(self, severity: int) -> float:
        """Return by how many points the score differs from that of the image as `shown`."""
        return 0.0

    def check(self, catalogue: Catalogue) -> None:
        """Refuse perturbations that do not exist."""
        for name in self.corruptions:
            catalogue.entry(name)

    def _severity(self, condition: Condition, catalogue: Catalogue) -> int:
        return severity(tuple(p for p in condition if self.concerns(p, catalogue)), catalogue)


@dataclass(frozen=True)
class Insensitive(BlindDefect):
    """A corruption does not change the score at all; parameters as in `BlindDefect`."""

    @property
    def description(self) -> str:
        """One line in words."""
        return f"does not see {listed(self.corruptions) or 'any corruption'}"


@dataclass(frozen=True)
class Silent(Insensitive):
    """A corruption moves what the model holds inside and not what it says; parameters as in `BlindDefect`.

    Its answers are those of `Insensitive`; planted into a model with embeddings (`plant`), it keeps these.
    """

    spares_inside: ClassVar[bool] = True

    @property
    def description(self) -> str:
        """One line in words."""
        return f"sees {listed(self.corruptions) or 'every corruption'} and does not say so"


@dataclass(frozen=True)
class ReadsPicture(Defect):
    """A text in the picture moves the score.

    Attributes
    ----------
    texts : tuple of str
        Names of perturbations that write one.
    points : float
        By how much, signed.
    """

    texts: tuple[str, ...]
    points: float

    @property
    def description(self) -> str:
        """One line in words."""
        return f"{listed(self.texts)} moves the score by {self.points:+g} points"

    def looks_at(self, catalogue: Catalogue) -> tuple[str, ...] | None:
        """The texts."""
        return self.texts

    def change(self, replies: Replies, asked: Asked) -> Replies:
        """Move the score where the text is in the picture."""
        return moved(replies, self.points) if self._read(asked.condition) else replies

    def truth(self, question: Question, catalogue: Catalogue) -> Truth:
        """With the text the score is moved."""
        return unless(not self._read(question.condition), Truth(points=self.points))

    def check(self, catalogue: Catalogue) -> None:
        """Refuse perturbations that do not exist."""
        for name in self.texts:
            catalogue.entry(name)

    def _read(self, condition: Condition) -> bool:
        return any(perturbation.name in self.texts for perturbation in condition)


@dataclass(frozen=True)
class Inverted(BlindDefect):
    """The score rises with severity.

    Attributes
    ----------
    corruptions : tuple of str
        As in `BlindDefect`.
    rise : float
        Points per step of severity, from the score of the clean image.
    """

    rise: float = 4.0

    @property
    def description(self) -> str:
        """One line in words."""
        return f"the score rises by {self.rise:g} points per step of {listed(self.corruptions) or 'every corruption'}"

    def seen(self, severity: int) -> float:
        """Return the rise."""
        return self.rise * severity


@dataclass(frozen=True)
class Threshold(BlindDefect):
    """No fall until a severity, then a large one: a good slope that hides blindness to moderate faults.

    Attributes
    ----------
    corruptions : tuple of str
        As in `BlindDefect`.
    severity : int
        The first at which the score falls, 1-5.
    fall : float
        Points by which it falls there and beyond.
    """

    severity: int = 5
    fall: float = 28.0

    @property
    def description(self) -> str:
        """One line in words."""
        what = listed(self.corruptions) or "every corruption"
        return f"the score does not fall before severity {self.severity} of {what}, and then by {self.fall:g} points"

    def seen(self, severity: int) -> float:
        """Return the fall."""
        return -self.fall if severity >= self.severity else 0.0


@dataclass(frozen=True)
class RefusesWorst(Defect):
    """Declines the images it would score lowest (informative missingness): what is left looks better than it is.

    Attributes
    ----------
    below : float
        Points; lower scores are not given.
    from_severity : int
        The mildest corruption at which nearly all images score lower, by the model it is planted in: `FairReader`
        gives 30 points at severity 5, 37 at 4 and 44 at 3.
    text : str
        What is said instead.
    """

    below: float = 40.0
    from_severity: int = 5
    text: str = REFUSAL

    @property
    def description(self) -> str:
        """One line in words."""
        return f"declines images that it would score below {self.below:g} points"

    def change(self, replies: Replies, asked: Asked) -> Replies:
        """Decline low scores."""
        return replies.where(replies.scores < self.below, self.text)

    def truth(self, question: Question, catalogue: Catalogue) -> Truth:
        """Strongly corrupted images are declined, and of milder ones nobody knows how many."""
        level = severity(question.condition, catalogue)
        declined = Truth(share=float(level >= self.from_severity), outcome="refused")
        return declined if level else UNCHANGED
