"""What a planted defect is: a change of a model's answers, and the comparisons at which an audit should find it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

import numpy as np

from auditkit.errors import AuditkitError
from auditkit.protocol.model import EquivalenceFamily, Protocol
from auditkit.testing.questions import Asked, Replies
from auditkit.testing.readers import Behaviour
from auditkit.vocabulary import Comparison, Condition

if TYPE_CHECKING:
    from numpy.typing import NDArray

SCORED_GATES = ("equivalence", "template_equivalence", "not_raised", "sensitivity", "discrimination")
"""Gates that need scores: what loses answers keeps these from a PASS."""


@dataclass(frozen=True)
class Defect(ABC):
    """A defect of known size: a frozen set of parameters, in points of 0-100 or shares of 0-1.

    `shown` and `change` say what the model does wrong. `hits` and `touches` say what an audit may conclude from it, so
    that tests and detection matrices share one definition: where it hits, the true value lies beyond the protocol's
    limit and the verdict should be FAIL; where it only touches, answers change or are lost and a PASS is not owed;
    anywhere else a FAIL would be blame.
    """

    @property
    @abstractmethod
    def description(self) -> str:
        """One line in words, with the size."""

    @property
    def looks_at(self) -> tuple[str, ...] | None:
        """Corruptions that must be told from the pixels to answer; none (clean images only) if empty.

        None where pixels do not matter. A made-up model is told the condition; `plant` has to find it out.
        """
        return None

    def acts_on(self, context: str) -> bool:
        """Whether the defect can change answers with these words, so that it is worth looking at the pixels."""
        return True

    def shown(self, condition: Condition) -> Condition:
        """Return the condition under which the model takes in the question; another than asked if it is blind."""
        return condition

    @abstractmethod
    def change(self, replies: Replies, asked: Asked) -> Replies:
        """Return what is said instead of the replies that the model gives to the question as `shown`."""

    @abstractmethod
    def hits(self, comparison: Comparison, protocol: Protocol) -> bool:
        """Whether the defect breaks the protocol's criterion for the comparison, so that its audit should FAIL."""

    def touches(self, comparison: Comparison, protocol: Protocol) -> bool:
        """Whether the defect can keep the comparison from a PASS without breaking its criterion."""
        return self.hits(comparison, protocol)


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
        said = self.base.answer(replace(asked, condition=self.defect.shown(asked.condition)))
        return self.defect.change(said, asked)


def moved(replies: Replies, by: NDArray[np.float64] | float) -> Replies:
    """Return the replies with scores moved by so many points, kept within 0-100."""
    return Replies(np.clip(replies.scores + by, 0.0, 100.0), replies.texts)


def checked_share(defect: Defect, share: float) -> None:
    """Refuse a share that is none, such as a percentage."""
    if not 0 <= share <= 1:
        raise AuditkitError(
            f"{type(defect).__name__} was given the share {share!r}; shares are 0 to 1.", "Write 20 % as 0.2."
        )


def gate_of(comparison: Comparison, protocol: Protocol) -> str:
    """Return the gate of a comparison's family; empty where the protocol does not declare the family."""
    family = protocol.families.get(comparison.family)
    return "" if family is None else family.gate


def limit_of(comparison: Comparison, protocol: Protocol) -> float:
    """Return the limit that one modality is held to: margin, floor or cap."""
    family = protocol.families[comparison.family]
    if isinstance(family, EquivalenceFamily) and family.modality_margin is not None:
        return family.modality_margin
    return float(next(getattr(family, name) for name in ("margin", "floor", "cap") if hasattr(family, name)))


def sides(comparison: Comparison) -> tuple[tuple[Condition, ...], Condition]:
    """Return the treated conditions and the control of a comparison (a clean image without one)."""
    treated: object = getattr(comparison, "treated", None) or getattr(comparison, "conditions", ())
    several = (treated,) if isinstance(treated, Condition) else tuple(cast(Iterable[Condition], treated))
    control = getattr(comparison, "control", Condition())
    return several or (control,), control


def conditions(comparison: Comparison) -> set[Condition]:
    """Return all conditions under which a comparison asks."""
    return {probe.condition for probe in comparison.probes(("image",))}


def lost_more(comparison: Comparison, protocol: Protocol, lost: Callable[[Condition], float]) -> bool:
    """Whether the share of lost answers breaks a comparison's criterion.

    Parameters
    ----------
    comparison, protocol
        What is compared, and the limit.
    lost : callable
        From a condition to the true share of answers lost under it, 0-1.
    """
    gate = gate_of(comparison, protocol)
    treated, control = sides(comparison)
    if gate == "rate_difference":
        return max(lost(c) for c in treated) - lost(control) > limit_of(comparison, protocol)
    if gate == "rate" and comparison.name.endswith("-refused"):
        return bool(np.mean([lost(c) for c in treated]) > limit_of(comparison, protocol))
    return False


def listed(names: Iterable[str], shown: int = 3) -> str:
    """Return names for a description, the first few of many."""
    every = list(names)
    more = f" and {len(every) - shown} more" if len(every) > shown else ""
    return ", ".join(every[:shown]) + more
