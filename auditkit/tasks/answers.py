"""From the raw text of a model to one of six outcomes, and to points from 0 to 100 where there is a score.

The rule throughout: an answer is what the text gives as the answer, in the format that was asked for. A text that can
be read in two ways is unparsed, with the reason; nothing is dropped, rescaled or guessed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, get_args

from auditkit.tasks.catalog import SLOT
from auditkit.tasks.choice import ANSWERS, GRADES, read_option, read_word
from auditkit.tasks.cleaning import UnfinishedThought, after_thought, plain
from auditkit.tasks.context import Claim, Text
from auditkit.tasks.entries import Template
from auditkit.tasks.numeric import SCALES, read_number
from auditkit.tasks.refusal import declines, hedges

Outcome = Literal["scored", "refused", "unparsed", "out_of_range", "truncated", "error"]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)

# An answer to these questions has a few words. A text beyond this length (characters, reasoning left aside) is a model
# that ran away; it is not searched for an answer, which also bounds the time spent on it.
LONGEST = 8_000

_STRUCK = re.compile(r"~~")
_COMPLETE = re.compile(r"[)*']*(?:\s*[.;!]\s|\s*\n|[\s.),:;–—-]+[a-z']+\s+[a-z']+\s)", re.I)
_LEAD_IN = re.compile(r"[\W_]*(?:[a-z']+[^\w.!?\n]+){0,12}", re.I)


@dataclass(frozen=True, slots=True)
class Answer:
    """How a text was read.

    Attributes
    ----------
    outcome : {"scored", "refused", "unparsed", "out_of_range", "truncated", "error"}
        ``scored`` also stands for an option with a label, which has a value and no score.
    score : float or None
        0-100 points; set only when scored.
    value : str or None
        The answer in the terms of the question: ``"4"`` of a rating, ``"good"``, ``"yes"``, a label or a letter. Set
        when scored or out of range.
    why : str
        The reason of every outcome but ``scored``.
    """

    outcome: Outcome
    score: float | None = None
    value: str | None = None
    why: str = ""


def error_answer(why: str) -> Answer:
    """Return the answer that stands for a failed request."""
    return Answer("error", why=why or "the model gave no answer and no reason")


def parse(text: str, template: Template, finish_reason: str = "stop") -> Answer:
    """Read the answer that a text gives to a template's question.

    Parameters
    ----------
    text : str
        The raw text of the model. Passages of reasoning (``<think>...</think>``) and a verbatim echo of the question
        are left aside. Texts longer than `LONGEST` characters are not searched.
    template : Template
        What was asked.
    finish_reason : str
        ``"length"`` when the text was cut: then an answer counts only when it opens the text and is complete before
        the cut. ``"error"`` gives the outcome ``error``.

    Returns
    -------
    Answer
        Exactly one outcome; never raises for any text.
    """
    if finish_reason == "error":
        return error_answer("the model reported an error")
    cut = finish_reason == "length"
    try:
        text = after_thought(text)
    except UnfinishedThought:
        return _nothing(cut, "the text is an unfinished passage of reasoning")
    if len(text) > LONGEST:
        text = text.strip()
    if len(text) > LONGEST:
        return _nothing(cut, f"the text has {len(text)} characters; an answer has at most {LONGEST}")
    cleaned = plain(_without_echo(text, template))
    if not cleaned.strip():
        return _nothing(cut, "the text is empty")
    if _STRUCK.search(cleaned):
        return _nothing(cut, "the text has struck-out passages")
    searched = Text(cleaned)
    settled, notes = _read(searched, template)
    declined = declines(cleaned)
    if isinstance(settled, Claim):
        if declined:
            return _nothing(cut, "the text declines to answer and gives an answer")
        if cut and not _survives_cut(cleaned, settled):
            return Answer("truncated", why="the text was cut where more of it could change the answer")
        return _scored(settled.value, template)
    denied = any(
        note.endswith(("is denied", "is a bound")) for note in notes
    )  # "I can't give it 5/5" declines a value, not the task
    if not denied and (declined or (hedges(cleaned) and not settled and not cut)):
        return Answer("refused", why="the text declines to answer")
    return _nothing(cut, f"the text {settled}" if settled else "; ".join(["the text gives no answer", *notes[:3]]))


def _read(text: Text, template: Template) -> tuple[Claim | str, list[str]]:
    if template.format in SCALES:
        return read_number(text, SCALES[template.format])
    if template.format == "options":
        return read_option(text, template.options)
    return read_word(text, tuple(GRADES if template.format == "grade" else ANSWERS))


def _scored(value: float | str | None, template: Template) -> Answer:
    if isinstance(value, float):
        scale = SCALES[template.format]
        shown = f"{value:.15g}"
        if not scale.low <= value <= scale.high:
            return Answer("out_of_range", None, shown, f"{shown} is outside {scale.low:g} to {scale.high:g}")
        low = scale.low
        return Answer("scored", (value - low) * 100.0 / (scale.high - low), shown)
    if template.format == "options":
        for option in template.options:
            if option.letter == value:
                return Answer("scored", option.score, option.label or option.letter)
        offered = ", ".join(option.letter for option in template.options)
        return Answer("out_of_range", None, str(value), f"{value} is not among the options {offered}")
    return Answer("scored", {**GRADES, **ANSWERS}[str(value)], str(value))


def _nothing(cut: bool, why: str) -> Answer:
    return Answer("truncated", why=f"{why}, and it was cut") if cut else Answer("unparsed", why=why)


def _without_echo(text: str, template: Template) -> str:
    """Take out the question where the model repeats it word for word before, or instead of, answering."""
    question = template.text.replace(SLOT, "").strip()
    return text.replace(question, "\n") if question else text


def _survives_cut(text: str, claim: Claim) -> bool:
    """Whether the answer opens the text, or is announced as final, and is followed by more than could belong to it."""
    opens = claim.final or _LEAD_IN.fullmatch(text, 0, claim.start) is not None
    return opens and _COMPLETE.match(text, claim.end) is not None
