"""Defects in how a model answers, whatever is in the image or the words beside it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from auditkit import tasks
from auditkit.protocol.model import Protocol
from auditkit.tasks.numeric import SCALES
from auditkit.testing.defect import SCORED_GATES, Defect, checked_share, gate_of, limit_of, listed, moved, sides
from auditkit.testing.questions import Asked, Replies
from auditkit.vocabulary import Comparison


@dataclass(frozen=True)
class TemplateFragile(Defect):
    """The wording of the question moves the score.

    Attributes
    ----------
    templates : tuple of str
        Ids of the prompt templates that move it.
    points : float
        By how much, signed.
    """

    templates: tuple[str, ...]
    points: float

    def __post_init__(self) -> None:
        for template in self.templates:
            tasks.render(template)  # a misspelt one would be a defect that never shows

    @property
    def description(self) -> str:
        """One line in words."""
        return f"{listed(self.templates)} moves the score by {self.points:+g} points"

    def change(self, replies: Replies, asked: Asked) -> Replies:
        """Move the score under the templates."""
        return moved(replies, self.points) if asked.template in self.templates else replies

    def hits(self, comparison: Comparison, protocol: Protocol) -> bool:
        """Where one of the templates is compared with one that is not among them."""
        if gate_of(comparison, protocol) != "template_equivalence":
            return False
        asked = {protocol.resolve_template(p.template) for p in comparison.probes(("image",))}
        mixed = bool(asked & set(self.templates)) and bool(asked - set(self.templates))
        return mixed and abs(self.points) > limit_of(comparison, protocol)


@dataclass(frozen=True)
class BatchDependent(Defect):
    """An image asked alone gets another score than in a batch.

    Attributes
    ----------
    share : float
        Share of images, 0-1, drawn anew for each question.
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
        if not asked.condition.alone:
            return replies
        chosen = asked.draw("batch").random(len(asked.subjects)) < self.share
        return moved(replies, np.where(chosen, self.points, 0.0))

    def hits(self, comparison: Comparison, protocol: Protocol) -> bool:
        """Where answers given alone are compared with answers given in company."""
        if gate_of(comparison, protocol) != "agreement":
            return False
        treated, control = sides(comparison)
        return treated[0].alone != control.alone and self.share > limit_of(comparison, protocol)


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

    def hits(self, comparison: Comparison, protocol: Protocol) -> bool:
        """Where two askings of one question are compared."""
        return gate_of(comparison, protocol) == "agreement" and self.differ > limit_of(comparison, protocol)

    def touches(self, comparison: Comparison, protocol: Protocol) -> bool:
        """Wherever scores count: the noise on them widens every interval."""
        return gate_of(comparison, protocol) in (*SCORED_GATES, "agreement")


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

    def hits(self, comparison: Comparison, protocol: Protocol) -> bool:
        """Where the score has to see something."""
        return gate_of(comparison, protocol) in ("sensitivity", "discrimination")


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

    def hits(self, comparison: Comparison, protocol: Protocol) -> bool:
        """Where a fall is wanted that would need more room than is left, even if all of it were used."""
        if gate_of(comparison, protocol) != "sensitivity":
            return False
        severities = [c.severity for c in sides(comparison)[0]]
        return (self.high - self.low) / max(severities) < limit_of(comparison, protocol)

    def touches(self, comparison: Comparison, protocol: Protocol) -> bool:
        """Where a fall is wanted: with more room left, it depends on how much of the scale the model used before."""
        return gate_of(comparison, protocol) == "sensitivity"


@dataclass(frozen=True)
class OutOfRange(Defect):
    """Some answers leave the scale that was asked for.

    Attributes
    ----------
    share : float
        Share of images, 0-1, drawn anew for each question.
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

    def hits(self, comparison: Comparison, protocol: Protocol) -> bool:
        """Where unusable answers to a question with a numeric scale are counted."""
        if gate_of(comparison, protocol) != "rate" or comparison.name.endswith("-refused"):
            return False
        template = tasks.templates()[protocol.resolve_template(comparison.template)]
        return template.format in SCALES and self.share > limit_of(comparison, protocol)

    def touches(self, comparison: Comparison, protocol: Protocol) -> bool:
        """Wherever scores or their loss count."""
        gates = (*SCORED_GATES, "rate_difference", "agreement")
        return self.hits(comparison, protocol) or gate_of(comparison, protocol) in gates
