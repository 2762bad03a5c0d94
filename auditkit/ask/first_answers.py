"""The first answers of a run: where none gives a score, asking on for hours would only count more of the same."""

from __future__ import annotations

from dataclasses import dataclass, field

from auditkit.errors import AuditkitError
from auditkit.tasks import Score
from auditkit.words.text import visible

FIRST = 32
"""Answers that are looked at. A model that gives a score to one question in ten passes them all by in 3 % of runs."""

_TEXT = 160  # characters

_SAID = {
    "refused": "were refused",
    "unparsed": "could not be read",
    "out_of_range": "were outside the scale",
    "truncated": "were cut off at the token limit",
    "no_image": "said that there was no image",
}
_REMEDY = {
    "refused": "The model refuses the task itself: see how it is to be asked (its chat template, its system turn).",
    "unparsed": "See how the model is asked (its chat template), or word the task so that it answers in the format.",
    "out_of_range": "Look at how the model is asked, or word the task so that it keeps to the scale.",
    "truncated": "Turn the model's thinking off (template = { enable_thinking = false } in its entry of "
    "auditkit-models.toml), or give it more tokens (max_new_tokens = 1024 there).",
    "no_image": "Check that the image reaches the model: that the server was started with its vision part.",
}


@dataclass(slots=True)
class FirstAnswers:
    """How the first answers ended, until one gives a score.

    Attributes
    ----------
    scored : bool
        Whether one did; then nothing more is looked at.
    ended : dict of str to int
        Answers by outcome.
    example : dict of str to (str, str)
        Of each outcome the first answer's text and why it has no score.
    """

    scored: bool = False
    ended: dict[str, int] = field(default_factory=dict)
    example: dict[str, tuple[str, str]] = field(default_factory=dict)

    @property
    def open(self) -> bool:
        """Whether further answers matter."""
        return not self.scored and sum(self.ended.values()) < FIRST

    def note(self, score: Score, text: str) -> None:
        """Look at an answer, as it was read and as it is."""
        if not self.open:
            return
        if score.outcome == "scored":
            self.scored = True
            return
        self.ended[score.outcome] = self.ended.get(score.outcome, 0) + 1
        self.example.setdefault(score.outcome, (text[:_TEXT], score.why))

    def add(self, other: FirstAnswers) -> None:
        """Count those that another process saw."""
        self.scored |= other.scored
        for outcome, n in other.ended.items():
            self.ended[outcome] = self.ended.get(outcome, 0) + n
        self.example = {**other.example, **self.example}

    def check(self) -> None:
        """Stop a run whose first answers all ended without a score.

        Raises
        ------
        AuditkitError
            Saying how they ended, with the text of one, and what to do.
        """
        if self.scored or sum(self.ended.values()) < FIRST:
            return
        ranked = sorted(self.ended, key=lambda outcome: -self.ended[outcome])
        how = ", ".join(f"{self.ended[outcome]} {_SAID[outcome]}" for outcome in ranked)
        text, why = self.example[ranked[0]]
        raise AuditkitError(
            f"none of the first {sum(self.ended.values())} answers gave a score: {how}. The first of these is "
            f"{visible(text)!r} ({why}). Nothing more was asked.",
            f"{_REMEDY[ranked[0]]} docs/troubleshooting.md has more. To audit the model as it is, add --audit-ask-on: "
            "every such answer is counted then. Answers so far are kept.",
        )
