"""Foreign text made harmless in Markdown, and the two shapes that the cards are made of: lists and tables."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from auditkit.words import visible

# An underscore inside a word is not markup, and identifiers read better without a backslash.
_SIGNS = re.compile(r"[\\`*{}\[\]#!|~$^&<>@]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
# GitHub's Markdown makes links of bare addresses.
_ADDRESS = re.compile(r"(?i)(?<=[a-z0-9]):(?=//)|(?<=\bwww)\.")
# What makes a list, a rule or a heading of a line that it stands first in.
_OPENING = re.compile(r"^(?:[-+=](?=[-=\s]|$)|(?P<number>\d+)(?P<sign>[.)])(?=\s|$))")


def escaped(text: str) -> str:
    """Return foreign text as one line that Markdown shows as it is: no markup, no link, no HTML, no new paragraph."""
    line = " ".join(visible(text).split())
    line = _SIGNS.sub(r"\\\g<0>", line)
    line = _ADDRESS.sub(r"\\\g<0>", line)
    return _OPENING.sub(lambda found: f"{found['number'] or ''}\\{found['sign'] or found[0]}", line)


def bullets(lines: Iterable[str]) -> str:
    """Return lines that are Markdown already as a list."""
    return "\n".join(f"- {line}" for line in lines)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return rows of cells that are Markdown already as a table; `escaped` has dealt with their bars."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
