"""Bring an answer's raw text into one plain form without joining or changing what it says."""

from __future__ import annotations

import re
import unicodedata

from auditkit.tasks.pattern import pattern

_TAG = pattern(r"<[/|]?[a-zA-Z_|][^<>\n]{0,40}>")
_EMPHASIS = pattern(r"(?<!\d)[*`]+|[*`]+(?!\d)")
_UNDERSCORE = pattern(r"(?<![^\W_])_+|_+(?![^\W_])")
_LATEX = pattern(r"\\(?:[a-zA-Z]+|(?=%))")
# Mathematics: $85$, $$85$$, \(85\), \[85\]. One dollar sign is money: what it opens, it must close, close to the text,
# unless the text is nothing else.
_FORMULA = pattern(
    r"\$\$\s*([^$]{1,80}?)\s*\$\$"
    r"|(?<![^\W_])(?<![\\$])\$(?=\S)([^$\n]{1,80})(?<=\S)\$(?![^\W_])(?!\$)"
    r"|\A\s*\$\s*([^$]{1,80}?)\s*\$\s*\Z"
)
_BRACKETS = pattern(r"\\[()\[\],;!: ]")
_FRACTION = pattern(r"\\[dt]?frac\s{0,3}\{([^{}\n]{0,20})\}\s{0,3}\{([^{}\n]{0,20})\}")
_BOXED = pattern(r"\\f?boxed?\s{0,3}(?=\{)")
_ARROW = pattern(r"-{1,2}>|={1,2}>|\\(?:long)?(?:right)?arrow\b|\\to\b|[→⟶➔➜➝➞⇒⟹➡]", re.I)
_STRUCK_TAG = pattern(r"<(?:del|strike)\b[^<>\n]{0,40}>", re.I)
_QUOTES = pattern(r"[\"“”„«»\[\]{}]")
_STRUCK = frozenset(map(chr, range(0x0334, 0x0339)))  # combining overlays
_KEYCAP = frozenset({"\ufe0f", "\u20e3"})  # make an emoji of the digit before them
# Typographic forms of signs that have a plain one: apostrophes, minus and hyphens, slashes, Arabic separators.
_SAME = str.maketrans(
    dict.fromkeys("\u2018\u2019\u2032", "'")
    | dict.fromkeys("\u2010\u2011\u2212", "-")
    | dict.fromkeys("\u2044\u2215", "/")
    | {"\u066b": ".", "\u066c": ","}
)
_ABBREVIATION = pattern(r"\b(?:e\. ?g|i\. ?e|approx|ca)\.", re.I)


def plain(text: str) -> str:
    r"""Return the text in one plain form: NFKC, ASCII digits, no markup, no invisible characters.

    Digits of every script become ASCII digits. Nothing that was apart is joined: circled digits are set off by
    blanks, superscripts are marked with ``^`` (so 10² is not 102), fractions after a digit too (4½ is not 41/2), and
    control characters become blanks. Struck-out characters are marked with ``~~``. Arrows get one form. Of mathematics
    the signs are taken off; ``\boxed{85}``, which marks a result, becomes "finally 85", and a fraction 85/100.
    """
    if not text.isascii():
        text = unicodedata.normalize("NFKC", "".join(_spelt(text, i) for i in range(len(text)))).translate(_SAME)
        text = "".join(str(unicodedata.digit(c)) if c.isdecimal() and not c.isascii() else c for c in text)
    text = "".join(c if c == "\n" or c.isprintable() else _blank(c) for c in text)
    text = _ARROW.sub(" → ", text)
    text = _STRUCK_TAG.sub("~~", text)
    text = _formulas(text)
    text = _TAG.sub(" ", text)
    text = _EMPHASIS.sub("", text)
    text = _UNDERSCORE.sub("", text)
    text = _QUOTES.sub(" ", text)
    text = _LATEX.sub(" ", text)
    text = _ABBREVIATION.sub(lambda found: found[0].replace(".", "").replace(" ", ""), text)
    return re.sub(r":\s+", ": ", text)


def _formulas(text: str) -> str:
    if "$" in text:
        text = _FORMULA.sub(lambda found: f" {found[1] or found[2] or found[3]} ", text)
    if "\\" in text:
        text = _FRACTION.sub(r" \1/\2 ", text)
        text = _BOXED.sub(" finally ", text)
        text = _BRACKETS.sub(" ", text)
    return text


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
