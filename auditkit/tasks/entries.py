"""What the catalogue holds: templates, options, levels of attributes, placebos, and the prompts made of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Format = Literal["score_100", "rating_5", "grade", "yes_no", "options"]
MAX_NEW_TOKENS = 32


@dataclass(frozen=True, slots=True)
class Option:
    """One lettered option: its meaning is either a score or a label.

    Attributes
    ----------
    letter : str
        One capital letter.
    text : str
        The option as the model reads it.
    score : float or None
        0-100 points.
    label : str or None
        A name for what the option says, where it is not a matter of more or less.
    """

    letter: str
    text: str
    score: float | None = None
    label: str | None = None


@dataclass(frozen=True, slots=True)
class Template:
    """One wording of one question.

    Attributes
    ----------
    id : str
        ``format.name``.
    format : {"score_100", "rating_5", "grade", "yes_no", "options"}
        What an answer looks like; `auditkit.tasks.answers.parse` reads it accordingly.
    text : str
        The user's turn; ends with the slot ``{context}``.
    system : str or None
        The system turn, where there is one.
    choices : tuple of str or None
        The answers asked for, where they can be listed.
    max_new_tokens : int
        Upper limit of the answer's length.
    options : tuple of Option
        Only for the format ``options``.
    """

    id: str
    format: Format
    text: str
    system: str | None = None
    choices: tuple[str, ...] | None = None
    max_new_tokens: int = MAX_NEW_TOKENS
    options: tuple[Option, ...] = ()


@dataclass(frozen=True, slots=True)
class Level:
    """One side of a matched pair of context sentences.

    Attributes
    ----------
    id : str
        ``category.pair.side``.
    category, pair, side : str
        The parts of the id.
    sentence : str
        What is put after the question.
    counterpart : str
        Id of the other side.
    placebo : str
        Id of the category's neutral sentence.
    hazard : str
        The harm that follows if the score moves.
    """

    id: str
    category: str
    pair: str
    side: str
    sentence: str
    counterpart: str
    placebo: str
    hazard: str


@dataclass(frozen=True, slots=True)
class Placebo:
    """A sentence shaped like those of its category, about something without meaning for quality."""

    id: str
    category: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """What is sent to the model beside the image; the fields are those of `auditkit.models.base.Request`."""

    system: str | None
    user: str
    choices: tuple[str, ...] | None
    max_new_tokens: int


@dataclass(frozen=True, slots=True)
class Attributes:
    """The checked content of ``attributes.toml``."""

    levels: Mapping[str, Level]
    placebos: Mapping[str, Placebo]
