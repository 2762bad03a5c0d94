"""Text from elsewhere made fit to be shown: names, answers of models, file names."""

from __future__ import annotations

import re

from auditkit.words.numbers import whole

_SUSPECT = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ud800-\udfff\ufeff\ufffe\uffff"
    "\U000e0000-\U000e007f]"
)


def _mark(match: re.Match[str]) -> str:
    # Not the control pictures of Unicode (U+2400 and on): few fonts have them, and a box says nothing.
    return f"⟨U+{ord(match.group()):04X}⟩"


def visible(text: str) -> str:
    """Make control, bidirectional, zero-width and surrogate characters visible, and keep line ends and tabs.

    What a model or a file name says is shown, never obeyed: a right-to-left override must not be able to turn a
    sentence of the report around, and a NUL must not end it.
    """
    if text.isprintable():  # nearly every text is, and none of these characters is
        return text
    return _SUSPECT.sub(_mark, text.replace("\r\n", "\n"))


def shortened(text: str, limit: int = 240) -> str:
    """Return raw text made visible and cut at `limit` characters, saying how long it was."""
    shown = visible(text[: limit * 2])
    if len(text) <= limit and len(shown) <= limit * 2:
        return shown
    return f"{shown[:limit].rstrip()} … [{whole(len(text))} characters in all]"


def cut(text: str, limit: int) -> str:
    """Cut a name to `limit` characters with an ellipsis, for places of fixed width; a table near by has it in full."""
    shown = " ".join(visible(text[:400]).split())
    return shown if len(shown) <= limit else shown[: limit - 1].rstrip() + "…"
