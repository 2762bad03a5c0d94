"""How the answers to a task are read: numbers and words on a scale of points, or one of lettered options."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, Protocol, get_args

from auditkit.tasks.answers import parse
from auditkit.tasks.choice import ANSWERS, GRADES, LETTERS, Option, read_fitness, read_option, read_word
from auditkit.tasks.context import Claim, Text
from auditkit.tasks.numeric import SCALES, read_number
from auditkit.tasks.quantity import DISTANCE, OTHERS, SCORE, SIMILARITY, Quantity
from auditkit.tasks.score import Score
from auditkit.tasks.slots import filled, slots
from auditkit.tasks.wording import Wording

Format = Literal["score_100", "score_10", "rating_5", "grade", "yes_no"]
FORMATS: tuple[Format, ...] = get_args(Format)

# The answers asked for, whose probabilities a back end may give; decoding is never held to them.
_CHOICES: dict[str, tuple[str, ...]] = {
    "score_100": tuple(map(str, range(101))),
    "score_10": tuple(map(str, range(11))),
    "rating_5": ("1/5", "2/5", "3/5", "4/5", "5/5"),
    "grade": tuple(GRADES),
    "yes_no": tuple(ANSWERS),
}


class Scorer(Protocol):
    """What reads the answers to a task. Call it by `auditkit.tasks.read`, which keeps it to its word.

    Attributes
    ----------
    quantities : tuple of Quantity
        The numbers that an answer may have; the first is the main one. Empty where answers only have a label.
    choices : tuple of str or None
        The answers asked for, where they can be listed.
    """

    @property
    def quantities(self) -> tuple[Quantity, ...]: ...

    @property
    def choices(self) -> tuple[str, ...] | None: ...

    def read(self, text: str, finish: str, wording: Wording) -> Score:
        """Read one answer.

        Parameters
        ----------
        text : str
            The raw text of the model; it may be anything.
        finish : str
            ``"stop"``, or ``"length"`` when the text was cut at the limit.
        wording : Wording
            What was asked.

        Returns
        -------
        Score
            With the main value under the empty name, or under its own.
        """
        ...


def answers_of(scorer: Scorer) -> tuple[str, ...]:
    """Return all that answers can say, where that can be listed: labels of options, words, ratings."""
    return tuple(getattr(scorer, "answers", None) or scorer.choices or ())


@dataclass(frozen=True, slots=True)
class Points:
    """Points from 0 to 100, from an answer in one of five formats.

    Attributes
    ----------
    format : {"score_100", "score_10", "rating_5", "grade", "yes_no"}
        A number from 0 to 100 as it is, one from 0 to 10 times 10; N/5 as (N - 1)/4 · 100; good, usable, reject as
        100, 50, 0; yes and no as 100 and 0.
    """

    format: Format

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        """The score."""
        return (SCORE,)

    @property
    def choices(self) -> tuple[str, ...]:
        """The whole numbers, ratings or words asked for."""
        return _CHOICES[self.format]

    @property
    def answers(self) -> tuple[str, ...]:
        """All that can be said."""
        return tuple(choice.partition("/")[0] for choice in self.choices)

    def read(self, text: str, finish: str, wording: Wording) -> Score:
        """Read one answer; exactly one outcome, never raises for any text."""
        return parse(text, finish, wording, self._search, self._give)

    def _search(self, text: Text) -> tuple[Claim | str, list[str]]:
        if self.format in SCALES:
            return read_number(text, SCALES[self.format])
        return read_fitness(text) if self.format == "yes_no" else read_word(text, _CHOICES[self.format])

    def _give(self, value: float | str | None) -> Score:
        if not isinstance(value, float):
            return Score("scored", {"": _POINTS[str(value)]}, str(value))
        scale = SCALES[self.format]
        shown = f"{value:.15g}"
        if not scale.low <= value <= scale.high:
            return Score("out_of_range", said=shown, why=f"{shown} is outside {scale.low:g} to {scale.high:g}")
        return Score("scored", {"": (value - scale.low) * 100.0 / (scale.high - scale.low)}, shown)


_POINTS: Mapping[str, float] = {**GRADES, **ANSWERS}


@dataclass(frozen=True, slots=True)
class Finding:
    """Yes or no, whether something is there: a label, because it is no matter of more or less."""

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        """None: what makes a number of an answer is whether it is right."""
        return ()

    @property
    def choices(self) -> tuple[str, ...]:
        """The two words."""
        return tuple(ANSWERS)

    @property
    def answers(self) -> tuple[str, ...]:
        """All that can be said."""
        return self.choices

    def read(self, text: str, finish: str, wording: Wording) -> Score:
        """Read one answer; exactly one outcome, never raises for any text."""
        return parse(text, finish, wording, self._search, lambda value: Score("scored", said=str(value)))

    def _search(self, text: Text) -> tuple[Claim | str, list[str]]:
        return read_word(text, self.choices)


@dataclass(frozen=True, slots=True)
class Vectors:
    """How far a vector inside the model moves away from that of the item as it is. There is no text to read."""

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        """The similarity to the item as it is, of that item to those of other patients, and the distance to it."""
        return (SIMILARITY, OTHERS, DISTANCE)

    @property
    def choices(self) -> None:
        """None: nothing is answered."""
        return

    @property
    def answers(self) -> tuple[str, ...]:
        """Nothing is said."""
        return ()

    def read(self, text: str, finish: str, wording: Wording) -> Score:
        """Read no answer: none was asked for."""
        return Score("unparsed", why="nothing was asked, so there is no answer to read")


@dataclass(frozen=True, slots=True)
class Choice:
    """One of lettered options, each with a score or each with a label.

    Attributes
    ----------
    options : tuple of Option
        In the order in which they are shown. A text with slots is filled by the columns of each item, and an option
        whose columns are empty is not offered.
    """

    options: tuple[Option, ...]

    @property
    def slots(self) -> tuple[str, ...]:
        """The columns that the options name."""
        return tuple(dict.fromkeys(name for option in self.options for name in slots(option.text)))

    @property
    def answers(self) -> tuple[str, ...]:
        """All that can be said."""
        return tuple(option.said for option in self.options)

    @property
    def lines(self) -> str:
        """The options as they are shown, a line each."""
        return "\n".join(f"{option.letter}. {option.text}" for option in self.options)

    @property
    def problem(self) -> str:
        """Why these options cannot be offered; empty where they can."""
        letters = "".join(option.letter for option in self.options)
        texts = [" ".join(option.text.split()).casefold() for option in self.options]
        if letters != LETTERS[: len(letters)] or len(letters) < 2:
            return f"the options are {', '.join(letters) or 'none'}"
        return "two of the options have the same text" if len(set(texts)) < len(texts) else ""

    def about(self, columns: Mapping[str, str]) -> Choice:
        """Return the options of one item."""
        if not self.slots:
            return self
        found = []
        for option in self.options:
            if all(columns.get(name) for name in slots(option.text)):
                text = " ".join(filled(option.text, columns).split())
                found.append(replace(option, text=text, label=text if option.label == option.text else option.label))
        return Choice(tuple(found))

    def seen(self, order: Sequence[int]) -> Choice:
        """Return the options where the pictures are shown in another order: what names a place names another picture.

        Parameters
        ----------
        order : sequence of int
            The picture that comes first and second, from 0.
        """
        said = {option.picture: option.said for option in self.options if option.picture is not None}
        shown = {place + 1: said.get(picture + 1) for place, picture in enumerate(order)}
        named = ((option, shown.get(option.picture or 0)) for option in self.options)
        return Choice(tuple(option if other is None else replace(option, label=other) for option, other in named))

    def ordered(self, order: Sequence[int]) -> Choice:
        """Return the options in another order; the letters stay where they are, and each option says what it said.

        Parameters
        ----------
        order : sequence of int
            The option that comes first, second and so on: each of 0 to their number once.
        """
        moved = zip(self.options, (self.options[place] for place in order), strict=True)
        return Choice(tuple(replace(option, letter=at.letter, label=option.said) for at, option in moved))

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        """The score; nothing where the options have labels."""
        return () if any(option.score is None for option in self.options) else (SCORE,)

    @property
    def choices(self) -> tuple[str, ...]:
        """The letters."""
        return tuple(option.letter for option in self.options)

    def read(self, text: str, finish: str, wording: Wording) -> Score:
        """Read one answer; exactly one outcome, never raises for any text."""
        return parse(text, finish, wording, self._search, self._give)

    def _search(self, text: Text) -> tuple[Claim | str, list[str]]:
        return read_option(text, self.options)

    def _give(self, value: float | str | None) -> Score:
        for option in self.options:
            if option.letter == value:
                return Score("scored", {} if option.score is None else {"": option.score}, option.label or value)
        offered = ", ".join(option.letter for option in self.options)
        return Score("out_of_range", said=str(value), why=f"{value} is not among the options {offered}")
