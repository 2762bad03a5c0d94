"""From the raw text of a model to an answer or the reason why there is none: what all scorers of auditkit share.

The rule throughout: an answer is what the text gives as the answer, in the format that was asked for. A text that can
be read in two ways is unparsed, with the reason; nothing is dropped, rescaled or guessed.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from auditkit.tasks.cleaning import plain
from auditkit.tasks.context import Claim, Text
from auditkit.tasks.pattern import pattern
from auditkit.tasks.refusal import asks_for_image, declines, denies_image, hedges, opens_declining
from auditkit.tasks.score import Score, error_score
from auditkit.tasks.thought import UnfinishedThought, answer_part
from auditkit.tasks.wording import Wording

# An answer to these questions has a few words. A text beyond this length (characters, reasoning left aside) is a model
# that ran away; it is not searched for an answer, which also bounds the time spent on it.
LONGEST = 8_000

_STRUCK = pattern(r"~~")
_COMPLETE = pattern(r"[)*']*(?:\s*[.;!]\s|\s*\n|[\s.),:;–—-]+[a-z']+\s+[a-z']+\s)", re.I)
_LEAD_IN = pattern(r"[\W_]*(?:[a-z']+[^\w.!?\n]+){0,12}", re.I)

Search = Callable[[Text], tuple[Claim | str, list[str]]]
"""Finds the one answer in a cleaned text, or says why there is none; and why other mentions were passed over."""
Give = Callable[[float | str | None], Score]
"""Turns the value of the answer found into a score."""


def parse(text: str, finish: str, wording: Wording, search: Search, give: Give, *, free: bool = False) -> Score:
    """Read the answer that a text gives to a question.

    Parameters
    ----------
    text : str
        The raw text of the model. Passages of reasoning, what follows the end of its turn, and a verbatim echo of the
        question are left aside. Texts longer than `LONGEST` characters are not searched.
    finish : str
        ``"length"`` when the text was cut: then an answer counts only when it opens the text and is complete before
        the cut. ``"error"`` gives the outcome ``error``.
    wording : Wording
        What was asked.
    search, give : callable
        How an answer is found in the cleaned text, and what its value means.
    free : bool
        Whether the text as a whole is the answer, in the model's own words. Then it declines only where it opens by
        declining, for what is said within it is about the image.

    Returns
    -------
    Score
        Exactly one outcome; never raises for any text.
    """
    if finish == "error":
        return error_score("the model reported an error")
    cut = finish == "length"
    try:
        text, cut = answer_part(text, cut=cut)
    except UnfinishedThought:
        return _nothing(cut, "the text is an unfinished passage of reasoning")
    if len(text) > LONGEST:
        text = text.strip()
    if len(text) > LONGEST:
        return _nothing(cut, f"the text has {len(text)} characters; an answer has at most {LONGEST}")
    cleaned = plain(_without_echo(text, wording))
    if not cleaned.strip():
        return _nothing(cut, "the text is empty")
    if _STRUCK.search(cleaned):
        return _nothing(cut, "the text has struck-out passages")
    if denies_image(cleaned):  # whatever else it says, it does not speak of the image
        return Score("no_image", why="the text says that there is no image")
    if free and opens_declining(cleaned):
        return Score("refused", why="the text opens by declining to answer")
    settled, notes = search(Text(cleaned))
    declined = not free and declines(cleaned)
    if isinstance(settled, Claim):
        if declined:
            return _nothing(cut, "the text declines to answer and gives an answer")
        if cut and not _survives_cut(cleaned, settled):
            return Score("truncated", why="the text was cut where more of it could change the answer")
        return give(settled.value)
    if asks_for_image(cleaned):
        return Score("no_image", why="the text asks for the image")
    denied = any(
        note.endswith(("is denied", "is a bound")) for note in notes
    )  # "I can't give it 5/5" declines a value, not the task
    if not denied and (declined or (hedges(cleaned) and not settled and not cut)):
        return Score("refused", why="the text declines to answer")
    return _nothing(cut, f"the text {settled}" if settled else "; ".join(["the text gives no answer", *notes[:3]]))


def _nothing(cut: bool, why: str) -> Score:
    return Score("truncated", why=f"{why}, and it was cut") if cut else Score("unparsed", why=why)


def _without_echo(text: str, wording: Wording) -> str:
    """Take out the question where the model repeats it word for word before, or instead of, answering."""
    question = wording.question
    return text.replace(question, "\n") if question else text


def _survives_cut(text: str, claim: Claim) -> bool:
    """Whether the answer opens the text, or is announced as final, and is followed by more than could belong to it."""
    opens = claim.final or _LEAD_IN.fullmatch(text, 0, claim.start) is not None
    return opens and _COMPLETE.match(text, claim.end) is not None
