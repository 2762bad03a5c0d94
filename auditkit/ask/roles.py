"""Who is asked: the audited model, and those who are named for other roles, each through its own back end."""

from __future__ import annotations

import gc
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from auditkit.ask.plan import Plan
from auditkit.ask.requests import Keys
from auditkit.ask.store import Rendered
from auditkit.ask.tally import Tally
from auditkit.models.base import Model, ModelOptions
from auditkit.protocol.catalogue import NOTHING, Catalogue
from auditkit.vocabulary import Probe

BATCH_SIZE = 128


@dataclass
class Answerer:
    """Who answers in one role.

    Attributes
    ----------
    role : str
        ``"model"`` for the audited one.
    given : str
        What was typed for it.
    model : Model
        Its back end.
    options : ModelOptions
        How it is loaded and asked.
    tally : Tally
        Where its questions stand.
    """

    role: str
    given: str
    model: Model
    options: ModelOptions
    tally: Tally = field(default_factory=Tally)

    @property
    def name(self) -> str:
        """What it is called in reports."""
        return str(getattr(self.model, "name", None) or self.given)

    @property
    def batch_size(self) -> int:
        """Requests per call: the option's, else what suits the model."""
        return int(self.options.batch_size or getattr(self.model, "batch_size", None) or BATCH_SIZE)

    @property
    def deadline(self) -> float:
        """Seconds per call: longer than the option's where the model keeps a deadline per request itself."""
        return max(float(getattr(self.model, "call_deadline", None) or 0.0), self.options.deadline)

    @property
    def served(self) -> bool:
        """Whether a server answers for it."""
        return bool(getattr(self.model, "base_url", ""))

    def keys(self, catalogue: Catalogue, *, probabilities: bool) -> Keys:
        """Return what gives the keys of its answers."""
        return Keys(self.model, self.batch_size, catalogue, probabilities=probabilities)

    def release(self) -> None:
        """Let go of its weights, where its back end can load them again."""
        letting_go = getattr(self.model, "release", None)
        if callable(letting_go):
            letting_go()
            gc.collect()  # networks hold themselves in cycles


class RoleKeys:
    """Keys of questions, each by whom it is put to.

    Parameters
    ----------
    by_role : mapping of str to Keys
        Of everybody who is asked.
    catalogue : Catalogue
        Says who is asked what.
    """

    def __init__(self, by_role: Mapping[str, Keys], catalogue: Catalogue) -> None:
        self._by_role = by_role
        self._catalogue = catalogue

    def of(self, probe: Probe, rendered: Rendered, columns: Mapping[str, str] = NOTHING, answer: str = "") -> str:
        """Return the key of a probe, as `Keys.of` does for the one who is asked."""
        return self._by_role[self._catalogue.asked_of(probe.question)].of(probe, rendered, columns, answer)


def ask_each(plan: Plan, answerers: Sequence[Answerer], ask: Callable[[Plan, Answerer], object]) -> None:
    """Have a plan answered round by round by everybody it asks, one after the other: no two need memory at once.

    Parameters
    ----------
    plan : Plan
        Of any number of images and effects: all of a run, or a look.
    answerers : sequence of Answerer
        In the order in which they are asked.
    ask : callable
        Puts the questions of a plan to one of them, and counts them onto its tally.

    Notes
    -----
    After one that does not return nobody else is asked: its call is still going on, and holds what memory it has.
    """
    for round_ in plan.rounds():
        for who in answerers:
            own = round_.of(who.role)
            if not own.size():
                continue
            ask(own, who)
            if who.tally.gave_up:
                return
            if len(answerers) > 1:
                who.release()
