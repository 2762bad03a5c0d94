"""What a planted defect is: a change of a model's answers, and what it makes of the true values of a question."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from auditkit.errors import AuditkitError
from auditkit.protocol.catalogue import Catalogue
from auditkit.protocol.model import Protocol
from auditkit.testing import truth as true_effects
from auditkit.testing.questions import Asked, Replies
from auditkit.testing.readers import Behaviour
from auditkit.testing.truth import UNCHANGED, Truth
from auditkit.vocabulary import Condition, Effect, Question

if TYPE_CHECKING:
    from numpy.typing import NDArray

REFUSAL = "I'm sorry, but I cannot assess medical images."


@dataclass(frozen=True)
class Defect(ABC):
    """A defect of known size: a frozen set of parameters, in points of 0-100 or shares of 0-1.

    `shown` and `change` say what the model does wrong, `truth` what that makes of the true values of a question. From
    `truth` alone follows what an audit may conclude, so that tests and detection matrices share one definition: where
    the defect `hits`, the true effect lies beyond the protocol's limit and the verdict should be FAIL; where it only
    `touches`, answers change or are lost and a PASS is not owed; anywhere else a FAIL would be blame.

    Attributes
    ----------
    spares_inside : bool
        Whether what the model holds inside is as it would be without the defect, so that its embeddings can be had.
    """

    spares_inside: ClassVar[bool] = False

    @property
    @abstractmethod
    def description(self) -> str:
        """One line in words, with the size."""

    def looks_at(self, catalogue: Catalogue) -> tuple[str, ...] | None:
        """Return the perturbations that must be told from the pixels to answer; none (clean images only) if empty.

        None where pixels do not matter. A made-up model is told the condition; `plant` has to find it out.
        """
        return None

    def acts_on(self, words: Condition) -> bool:
        """Whether the defect can change answers with these words, so that it is worth looking at the pixels."""
        return True

    def shown(self, condition: Condition, catalogue: Catalogue) -> Condition:
        """Return the condition under which the model takes in the question; another than asked if it is blind."""
        return condition

    @abstractmethod
    def change(self, replies: Replies, asked: Asked) -> Replies:
        """Return what is said instead of the replies that the model gives to the question as `shown`."""

    @abstractmethod
    def truth(self, question: Question, catalogue: Catalogue) -> Truth:
        """Return what is true of the answers to a question (resolved), in a model without any other fault."""

    def hits(self, effect: Effect, protocol: Protocol) -> bool:
        """Whether the true effect lies beyond the protocol's limit, so that its audit should FAIL."""
        return true_effects.hits(self._world(protocol), effect, protocol)

    def touches(self, effect: Effect, protocol: Protocol) -> bool:
        """Whether the defect can keep the audit of an effect from a PASS, beyond the limit or not."""
        return true_effects.touches(self._world(protocol), effect, protocol)

    def check(self, catalogue: Catalogue) -> None:  # noqa: B027 - most defects name nothing
        """Refuse names that the catalogue does not have: a misspelt one would be a defect that never shows.

        Raises
        ------
        AuditkitError
            Naming near ones.
        """

    def _world(self, protocol: Protocol) -> true_effects.World:
        catalogue = protocol.catalogue
        self.check(catalogue)
        return lambda question: (
            replace(question, condition=self.shown(question.condition, catalogue)),
            self.truth(question, catalogue),
        )


@dataclass(frozen=True)
class Planted:
    """A made-up model with a defect; models with several are made by planting again.

    Attributes
    ----------
    base : Behaviour
        Who answers.
    defect : Defect
        What is done to the answers.
    """

    base: Behaviour
    defect: Defect

    def answer(self, asked: Asked) -> Replies:
        """Answer a question, with the defect."""
        self.defect.check(asked.catalogue)
        shown = self.defect.shown(asked.condition, asked.catalogue)
        taken = asked if shown == asked.condition else replace(asked, question=replace(asked.question, condition=shown))
        return self.defect.change(self.base.answer(taken), asked)


def moved(replies: Replies, by: NDArray[np.float64] | float) -> Replies:
    """Return the replies with scores moved by so many points, kept within 0-100."""
    return Replies(np.clip(replies.scores + by, 0.0, 100.0), replies.texts)


def checked_share(defect: object, share: float) -> None:
    """Refuse a share outside 0 to 1, such as a percentage."""
    if not 0 <= share <= 1:
        raise AuditkitError(
            f"{type(defect).__name__} was given the share {share!r}; shares are 0 to 1.", "Write 20 % as 0.2."
        )


def unless(condition: bool, truth: Truth) -> Truth:
    """Return a truth; what is true without a defect where the condition holds."""
    return UNCHANGED if condition else truth


def listed(names: Iterable[str], shown: int = 3) -> str:
    """Return names for a description, the first few of many."""
    every = list(names)
    more = f" and {len(every) - shown} more" if len(every) > shown else ""
    return ", ".join(every[:shown]) + more
