"""Bring an answer's raw text into one plain form without joining or changing what it says."""

from __future__ import annotations

import re
import unicodedata

# What a reasoning model writes before its answer stands between marks: <think> (Qwen and others), [THINK] (Magistral),
# <seed:think>, ◁think▷ (Kimi), <|begin_of_thought|>, channels (gpt-oss, Gemma), <unused94> (MedGemma 1.5).
_THOUGHT = r"(?:seed:)?(?:think(?:ing)?|thoughts?|reason(?:ing)?|reflection|analysis|rationale|scratch_?pad|cot)"
_OPEN, _SHUT = r"[<\[{◁]\|?\s{0,2}", r"\s{0,2}\|?[>\]}▷]"
_HIDDEN = r"(?:analysis|commentary|thoughts?|thinking)"
_THOUGHT_END = re.compile(
    rf"{_OPEN}(?:/\s{{0,2}}|end_(?:of_)?){_THOUGHT}{_SHUT}|<unused95>|<channel\|>"
    r"|<\|?channel\|?>\s{0,3}final(?:\s{0,3}<\|?message\|?>)?",
    re.I,
)
_THOUGHT_START = re.compile(
    rf"{_OPEN}(?:begin_(?:of_)?|start_(?:of_)?)?{_THOUGHT}{_SHUT}|<unused94>|<\|?channel\|?>\s{{0,3}}{_HIDDEN}\b", re.I
)
# Or it is announced in words that open the text, and so is the answer, on a line of its own.
_ANNOUNCED = re.compile(
    r"[\W_]*(?:chain of thought|(?:my )?(?:thought|thinking|reasoning) process|thoughts?|thinking|reasoning|rationale"
    r"|analysis)[\s*_]{0,4}:",
    re.I,
)
_ANSWER = re.compile(
    r"^[^\w\n]*(?:(?:my|the|final|overall) ){0,2}"
    r"(?:response|answer|output|conclusion|verdict|score|rating|grade|result)[\s*_]{0,4}:",
    re.I | re.M,
)

_TAG = re.compile(r"<[/|]?[a-zA-Z_|][^<>\n]{0,40}>")
_EMPHASIS = re.compile(r"(?<!\d)[*`]+|[*`]+(?!\d)")
_UNDERSCORE = re.compile(r"(?<![^\W_])_+|_+(?![^\W_])")
_LATEX = re.compile(r"\\(?:[a-zA-Z]+|(?=%))")
_QUOTES = re.compile(r"[\"“”„«»\[\]{}]")
# Mathematics around an answer: $85$, \(85\), \[85\]. Amounts of money have a blank before the second sign, or digits
# after it.
_DOLLARS = re.compile(r"\$\$?(?=\S)([^$\n]{1,60}?)(?<=\S)\$\$?(?!\d)")
_MATHS = re.compile(r"\\[()\[\]]")
_ARROW = re.compile(r"\s*(?:[-–—=~]+>|[→⇒➔➜⟶⟹↦])\s*")
_STRUCK = frozenset(map(chr, range(0x0334, 0x0339)))  # combining overlays
_KEYCAP = frozenset({"\ufe0f", "\u20e3"})  # make an emoji of the digit before them
# Typographic forms of signs that have a plain one: apostrophes, minus and hyphens, slashes, Arabic separators.
_SAME = str.maketrans(
    dict.fromkeys("\u2018\u2019\u2032", "'")
    | dict.fromkeys("\u2010\u2011\u2212", "-")
    | dict.fromkeys("\u2044\u2215", "/")
    | {"\u066b": ".", "\u066c": ","}
)
_ABBREVIATION = re.compile(r"\b(?:e\. ?g|i\. ?e|approx|ca)\.", re.I)


class UnfinishedThought(ValueError):
    """The text opens a passage of reasoning and never closes it, so there is no answer in it yet."""


def after_thought(text: str) -> str:
    """Return what follows the last passage of reasoning.

    Raises
    ------
    UnfinishedThought
        When such a passage is opened and not closed.
    """
    cut = max((found.end() for found in _THOUGHT_END.finditer(text)), default=0)
    if _THOUGHT_START.search(text, cut):
        raise UnfinishedThought
    if _ANNOUNCED.match(text, cut):
        answer = _ANSWER.search(text, cut)
        return text[answer.start() :] if answer is not None else text[cut:]
    return text[cut:]


def plain(text: str) -> str:
    """Return the text in one plain form: NFKC, ASCII digits, no markup, no invisible characters.

    Digits of every script become ASCII digits. Nothing that was apart is joined: circled digits are set off by
    blanks, superscripts are marked with ``^`` (so 10² is not 102), fractions after a digit too (4½ is not 41/2), and
    control characters become blanks. Struck-out characters are marked with ``~~``.
    """
    if not text.isascii():
        text = unicodedata.normalize("NFKC", "".join(_spelt(text, i) for i in range(len(text)))).translate(_SAME)
        text = "".join(str(unicodedata.digit(c)) if c.isdecimal() and not c.isascii() else c for c in text)
    text = "".join(c if c == "\n" or c.isprintable() else _blank(c) for c in text)
    text = _TAG.sub(" ", text)
    text = _DOLLARS.sub(r" \1 ", text)
    text = _ARROW.sub(_arrow, text)
    text = _MATHS.sub(" ", text)
    text = _EMPHASIS.sub("", text)
    text = _UNDERSCORE.sub("", text)
    text = _QUOTES.sub(" ", text)
    text = _LATEX.sub(" ", text)
    text = _ABBREVIATION.sub(lambda found: found[0].replace(".", "").replace(" ", ""), text)
    return re.sub(r":\s+", ": ", text)


def _arrow(found: re.Match[str]) -> str:
    """An arrow after a word stands for a colon; after a number it says that the number became another."""
    before = found.string[: found.start()].rstrip()[-1:]
    return " -> " if before.isdigit() or before in ("%", ")") else ": " if before.isalpha() else " "


def _spelt(text: str, position: int) -> str:
    char = text[position]
    if char in _STRUCK:
        return "~~"
    if char in _KEYCAP:
        return ""
    if unicodedata.category(char) != "No":
        return char
    form = unicodedata.decomposition(char)
    if form.startswith(("<super>", "<sub>")):
        return "^" + unicodedata.normalize("NFKC", char)
    if form.startswith("<fraction>") and position and text[position - 1].isdecimal():
        return "^"
    return f" {char} "


def _blank(char: str) -> str:
    """Invisible format marks (direction, zero width) vanish; controls and odd blanks become a blank."""
    return "" if unicodedata.category(char) == "Cf" else " "
