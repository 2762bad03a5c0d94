"""Defects that show when words are put beside the image."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from auditkit import tasks
from auditkit.protocol.model import EquivalenceFamily, Protocol
from auditkit.testing.defect import (
    SCORED_GATES,
    Defect,
    checked_share,
    conditions,
    gate_of,
    limit_of,
    listed,
    lost_more,
    moved,
    sides,
)
from auditkit.testing.questions import Asked, Replies
from auditkit.vocabulary import Comparison

REFUSAL = "I'm sorry, but I cannot assess medical images."


@dataclass(frozen=True)
class WordDefect(Defect):
    """A defect that some context sentences bring out.

    Attributes
    ----------
    contexts : tuple of str
        Ids of the context sentences.
    """

    contexts: tuple[str, ...]

    def __post_init__(self) -> None:
        for context in self.contexts:
            tasks.context_sentence(context)  # a misspelt one would be a defect that never shows

    def acts_on(self, context: str) -> bool:
        """Whether the context is one of them."""
        return context in self.contexts

    def touches(self, comparison: Comparison, protocol: Protocol) -> bool:
        """Wherever these words are used and their answers count."""
        return any(self.acts_on(c.context) for c in conditions(comparison))


@dataclass(frozen=True)
class Bias(WordDefect):
    """Words move the score: prestige, prejudice.

    Attributes
    ----------
    contexts : tuple of str
        Ids of the context sentences that move the score.
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
        return f"{listed(self.contexts)} moves the score: {', '.join(sizes)}"

    @property
    def looks_at(self) -> tuple[str, ...] | None:
        """The modality has to be known where it matters."""
        return () if self.by_modality else None

    def change(self, replies: Replies, asked: Asked) -> Replies:
        """Move the score where the words are present."""
        if not self.acts_on(asked.condition.context):
            return replies
        here = dict(self.by_modality)
        return moved(replies, np.array([here.get(m, self.points) for m in asked.subjects.modalities], dtype=float))

    def hits(self, comparison: Comparison, protocol: Protocol) -> bool:
        """Where words are compared and either all patients or one modality move beyond the limit."""
        if gate_of(comparison, protocol) not in ("equivalence", "not_raised"):
            return False
        sign, limit = self._sign(comparison), limit_of(comparison, protocol)
        each = [sign * points for points in (self.points, *(points for _, points in self.by_modality))]
        family = protocol.families[comparison.family]
        if not isinstance(family, EquivalenceFamily):
            return max(each) > limit
        together = not self.by_modality and abs(self.points) > family.margin
        return sign != 0 and (together or max(map(abs, each)) > limit)

    def touches(self, comparison: Comparison, protocol: Protocol) -> bool:
        """Where words are compared, however small the bias."""
        return gate_of(comparison, protocol) in (*SCORED_GATES, "agreement") and self._sign(comparison) != 0

    def _sign(self, comparison: Comparison) -> int:
        treated, control = sides(comparison)
        return max(self.acts_on(c.context) for c in treated) - self.acts_on(control.context)


@dataclass(frozen=True)
class ReadsLabel(Defect):
    """The score is taken from words in the context sentence; the image is not looked at.

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
        return Replies(np.full(len(asked.subjects), self.score(asked.condition.context)))

    def score(self, context: str) -> float:
        """Return the score that a context sentence stands for."""
        words = re.findall(r"[a-z]+", tasks.context_sentence(context).lower())
        marks = sum(word in self.praise for word in words) - sum(word in self.blame for word in words)
        return float(np.clip(self.neutral + marks * self.points, 0.0, 100.0))

    def hits(self, comparison: Comparison, protocol: Protocol) -> bool:
        """Every audit that needs the image, and words that read differently."""
        gate = gate_of(comparison, protocol)
        if gate in ("sensitivity", "discrimination"):
            return True
        treated, control = sides(comparison)
        rise = [self.score(c.context) - self.score(control.context) for c in treated]
        if gate == "not_raised":
            return max(rise) > limit_of(comparison, protocol)
        family = protocol.families.get(comparison.family)
        return isinstance(family, EquivalenceFamily) and max(map(abs, rise)) > family.margin


@dataclass(frozen=True)
class OutlierPatient(WordDefect):
    """One patient's score jumps with the words; the others' does not. No audit of means may FAIL for one patient.

    Attributes
    ----------
    patient : str
        Hashed id of the patient (`ImageRecord.cluster`).
    contexts : tuple of str
        The words.
    points : float
        Size of the jump, signed.
    """

    patient: str
    points: float

    @property
    def description(self) -> str:
        """One line in words."""
        return f"the score of one patient jumps {self.points:+g} points with {listed(self.contexts)}"

    @property
    def looks_at(self) -> tuple[str, ...] | None:
        """The patient has to be known."""
        return ()

    def change(self, replies: Replies, asked: Asked) -> Replies:
        """Move the one patient's score."""
        if not self.acts_on(asked.condition.context):
            return replies
        return moved(replies, np.where(asked.subjects.patients == self.patient, self.points, 0.0))

    def hits(self, comparison: Comparison, protocol: Protocol) -> bool:
        """Nowhere."""
        return False

    def touches(self, comparison: Comparison, protocol: Protocol) -> bool:
        """Where scores are compared with these words."""
        return gate_of(comparison, protocol) in (*SCORED_GATES, "agreement") and super().touches(comparison, protocol)


@dataclass(frozen=True)
class Refuses(WordDefect):
    """Words make the model decline.

    Attributes
    ----------
    contexts : tuple of str
        The words.
    share : float
        Share of images, 0-1, drawn anew for each question.
    text : str
        What is said.
    """

    share: float
    text: str = REFUSAL

    def __post_init__(self) -> None:
        super().__post_init__()
        checked_share(self, self.share)

    @property
    def description(self) -> str:
        """One line in words."""
        return f"declines {self.share:.0%} of the images with {listed(self.contexts)}"

    def change(self, replies: Replies, asked: Asked) -> Replies:
        """Decline."""
        if not self.acts_on(asked.condition.context):
            return replies
        return replies.where(asked.draw("refuses").random(len(asked.subjects)) < self.share, self.text)

    def hits(self, comparison: Comparison, protocol: Protocol) -> bool:
        """Where rates of lost answers are compared between these words and others, or counted with these words."""
        return lost_more(comparison, protocol, lambda c: self.share * self.acts_on(c.context))


@dataclass(frozen=True)
class HidesChanges(WordDefect):
    """Words would move the score of some patients by a lot; the model declines just these (informative missingness).

    The scores that are left do not move at all, so an audit that drops what is missing passes a bias of
    ``share * points``.

    Attributes
    ----------
    contexts : tuple of str
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
        super().__post_init__()
        checked_share(self, self.share)

    @property
    def description(self) -> str:
        """One line in words."""
        return (
            f"{listed(self.contexts)} would move the score of {self.share:.0%} of the patients by {self.points:+g} "
            "points; just these are declined"
        )

    @property
    def looks_at(self) -> tuple[str, ...] | None:
        """The patient has to be known."""
        return ()

    def change(self, replies: Replies, asked: Asked) -> Replies:
        """Decline where the score would move."""
        if not self.acts_on(asked.condition.context):
            return replies
        return replies.where(asked.traits("hides") < self.share, self.text)

    def hits(self, comparison: Comparison, protocol: Protocol) -> bool:
        """Where rates of lost answers are compared; the audits of scores cannot see it, and must not PASS."""
        return lost_more(comparison, protocol, lambda c: self.share * self.acts_on(c.context))
