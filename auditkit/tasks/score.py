"""What becomes of an answer's text: one of seven outcomes, and the values that were read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

Outcome = Literal["scored", "refused", "no_image", "unparsed", "out_of_range", "truncated", "error"]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)


@dataclass(frozen=True, slots=True)
class Score:
    """How a text was read.

    Attributes
    ----------
    outcome : {"scored", "refused", "no_image", "unparsed", "out_of_range", "truncated", "error"}
        ``scored`` also stands for an option with a label, which says something and has no value. ``no_image``: the
        text says that no image was given, whatever score stands beside that.
    values : mapping of str to float
        Only when scored. The main value has the empty name; further ones have the names of the scorer's quantities.
    said : str
        The answer in the terms of the question: ``"4"`` of a rating, ``"good"``, ``"yes"``, a label or a letter. Set
        when scored or out of range.
    why : str
        The reason of every outcome but ``scored``.
    """

    outcome: Outcome
    values: Mapping[str, float] = field(default_factory=dict)
    said: str = ""
    why: str = ""

    @property
    def main(self) -> float | None:
        """The main value; None where there is none."""
        return self.values.get("")


def error_score(why: str) -> Score:
    """Return the score that stands for a failed request."""
    return Score("error", why=why or "the model gave no answer and no reason")
