"""Find the part of a text that is the answer: what follows the reasoning, and ends where the model's turn ends.

Reasoning comes in many dresses. A passage is known by the word in its marker or heading, whatever the brackets around
it; a text whose reasoning is opened and never closed has no answer yet.
"""

from __future__ import annotations

import re

from auditkit.tasks.pattern import pattern

_WORD = (
    r"(?:seed[:_ ])?(?:think(?:ing)?|thoughts?|thought[ _-]process|reason(?:ing)?|reflection|analysis|scratch[ _-]?pad"
    r"|rationale|deliberation|cot|chain[ _-]of[ _-]thought|(?:inner|internal)[ _-]monologue)"
)
_SIGNS = "<[{◁«【⟨"
_IN, _OUT = r"[<\[{◁«【⟨]\s?\|?\s?", r"\s?\|?\s?[>\]}▷»】⟩]"

# <think>, [THINK], ◁think▷, <|begin_of_thought|>, <|START_THINKING|>; MedGemma 1.5; the channels of gpt-oss and Gemma.
_START = pattern(
    rf"{_IN}(?:(?:begin|start)[_ ](?:of[_ ])?)?{_WORD}(?:[_ ](?:start|begin))?{_OUT}|<unused94>"
    r"|<\|channel\|?>\s*(?:analysis|commentary|thought)",
    re.I,
)
_END = pattern(
    rf"{_IN}(?:/\s?{_WORD}|end[_ ](?:of[_ ])?{_WORD}|{_WORD}[_ ]end){_OUT}|<unused95>"
    r"|<\|channel\|>\s*final(?:\s*<\|message\|>)?|<channel\|>",
    re.I,
)
# The same channels where a tokenizer took the markers out: "analysisThe image ... assistantfinal85".
_BARE_CHANNEL = pattern(r"\s*+analysis\s*+(?=[A-Z])")
_BARE_FINAL = pattern(r"assistantfinal|assistant\s+final(?![a-z])")

_TURN_END = pattern(
    r"<\|(?:im_end|eot_id|eom_id|end|endoftext|end_of_text|end_of_turn|return|END_OF_TURN_TOKEN)\|>"
    r"|<end_of_turn>|<end_of_utterance>|<turn\|>|<eos>|</s>|<｜end▁of▁sentence｜>"
)
_STRIKE = pattern(r"<s>\s*\S")  # HTML for struck out; a Llama tokenizer begins a text with the same sign

_HEADING = pattern(
    r"[\W_]*+(?:(?:okay|ok|sure|first)[,.!]?\s+)?(?:(?:here(?:'s|\s+is|\s+are)|this\s+is)\s+)?(?:(?:my|the|a)\s+)?"
    r"(?:thought\s+process|thoughts?|thinking(?:\s+process)?|reasoning(?:\s+process)?|(?:chain|train)\s+of\s+thought"
    r"|analysis|rationale|deliberation|(?:inner|internal)\s+monologue|scratch\s?pad|step[- ]by[- ]step(?:\s+\w+)?)"
    r"[^\w:\n]{0,4}(?::|\n)",
    re.I,
)
_BEGINS = r"(?:^|(?<=[\n.!?;,|>}\])\"]))[^\w\n]{0,6}(?:(?:here(?:'s|\s+is)|so|thus|and|my|the|overall)\s+)*"
_ANSWER = pattern(
    rf"{_BEGINS}(?:(?:final|overall)(?:\s+\w+){{0,2}}|answer|response|reply|output|conclusion)(?:\s+is)?[^\w:\n]{{0,4}}:",
    re.I | re.M,
)
_NAMED = pattern(
    r"(?:^[^\w\n]{0,6}|\")(?:\w{1,20}[ _]){0,2}(?:score|rating|grade|quality|verdict|result)[^\w:\n]{0,4}:", re.I | re.M
)
_ALONE = pattern(r"\W*\w+(?:[.,]\d+)?(?:\s*(?:/|out\s+of)\s*\d+)?\W*")


class UnfinishedThought(ValueError):
    """The text opens a passage of reasoning and never closes it, so there is no answer in it yet."""


def answer_part(text: str, *, cut: bool = False) -> tuple[str, bool]:
    """Return what follows the reasoning, up to the end of the model's turn.

    Parameters
    ----------
    text : str
        The raw text.
    cut : bool
        Whether it was cut at the limit.

    Returns
    -------
    part : str
        Where the answer is to be looked for.
    cut : bool
        Whether that part was cut: not where the turn ended before.

    Raises
    ------
    UnfinishedThought
        When reasoning is opened and not closed.
    """
    marked = any(sign in text for sign in _SIGNS)  # spares most texts three searches
    after = max((found.end() for found in _END.finditer(text)), default=0) if marked else 0
    bare = _BARE_CHANNEL.match(text)
    if bare:
        after = max((found.end() for found in _BARE_FINAL.finditer(text)), default=after)
        if not after:
            raise UnfinishedThought
    if marked and _START.search(text, after):
        raise UnfinishedThought
    text = text[after:]
    end = _TURN_END.search(text) if marked else None
    if end and not (end[0] == "</s>" and _STRIKE.search(text, 0, end.start())):
        text, cut = text[: end.start()], False
    heading = _HEADING.match(text)
    return (_below(text, heading.end(), cut) if heading else text), cut


def _below(text: str, start: int, cut: bool) -> str:
    """Return the answer of a text that begins with the heading of a passage of reasoning."""
    answer = _ANSWER.search(text, start)
    if answer:  # the first, so that a second one is seen as a second answer
        return text[answer.start() :]
    if cut:
        raise UnfinishedThought
    named = list(_NAMED.finditer(text, start))
    if (
        len(named) == 1
        and re.search(r"\w", text[start : named[0].start()])
        and "\n" not in text[named[0].start() :].strip()
    ):
        return text[named[0].start() :]  # the last line, after others
    lines = [line for line in text[start:].splitlines() if line.strip()]
    alone = [line for line in lines if _ALONE.fullmatch(line)]
    if not named and len(lines) > 1 and alone == lines[-1:]:
        return lines[-1]
    raise UnfinishedThought
