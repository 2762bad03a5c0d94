"""Where a pass over the questions stands: what was asked, what got no answer and why, which images were left out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from auditkit.ask.first_answers import FirstAnswers
from auditkit.images.item import Item, LeftOut
from auditkit.tasks import Score

Progress = Callable[["Tally"], None]


@dataclass(slots=True)
class Tally:
    """Where a pass stands.

    Attributes
    ----------
    planned, done : int
        Questions of the plan, and those with an answer or an error by now.
    held : int
        Answers that the store held already.
    errors : dict of str to str
        Probe keys without an answer, and why; never stored as answers, asked again on the next run.
    again : dict of str to bool
        Of these keys, whether asking again may help, where that is known.
    kinds : dict of str to str
        Of these keys, the kind of embedding, where they stand for one.
    left_out : list of LeftOut
        Images that could not be decoded or are too small for a perturbation.
    unreadable : list of str
        Their ids, in the same order.
    undecodable : dict of str to str
        Pictures in place of items' own that could not be decoded, by their address, and why (`Renderer.unreadable`).
    seconds : float
        Wall time of the pass.
    gave_up : str
        Why nothing more was asked, when the model did not return.
    damaged : int
        Rows of the store that were not as they were written, and so counted as not there.
    first : FirstAnswers
        How the first answers ended.
    ended : dict of str to int
        Of the answers asked for in this pass, those without a score by outcome.
    """

    planned: int = 0
    done: int = 0
    held: int = 0
    errors: dict[str, str] = field(default_factory=dict)
    again: dict[str, bool] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)
    left_out: list[LeftOut] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    undecodable: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    gave_up: str = ""
    damaged: int = 0
    first: FirstAnswers = field(default_factory=FirstAnswers)
    ended: dict[str, int] = field(default_factory=dict)

    @property
    def asked(self) -> int:
        return self.done - self.held

    def note(self, score: Score, text: str) -> None:
        """Count an answer that came in."""
        self.first.note(score, text)
        if score.outcome != "scored":
            self.ended[score.outcome] = self.ended.get(score.outcome, 0) + 1

    def lose(self, key: str, why: str, again: bool | None = None, *, kind: str = "") -> None:
        """Note a question without an answer, or an image without an embedding of a kind; why, and what asking helps."""
        self.errors[key] = why
        if kind:
            self.kinds[key] = kind
        if again is not None:
            self.again[key] = again

    def leave_out(self, record: Item, error: Exception) -> None:
        """Note an image that cannot be used, and why."""
        self.left_out.append(LeftOut(record.name or f"image {record.id}", str(error)))
        self.unreadable.append(record.id)

    def to_record(self) -> dict[str, Any]:
        """Return the tally as plain data."""
        return asdict(self)

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Tally:
        """Return the tally another process left."""
        left_out = [LeftOut(**entry) for entry in record["left_out"]]
        return cls(**{**record, "left_out": left_out, "first": FirstAnswers(**record["first"])})
