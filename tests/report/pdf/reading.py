"""The words of a page of a PDF, by way of the fonts' own tables: what a reader could select and copy."""

from __future__ import annotations

import re
from typing import Any

import pikepdf
from pikepdf import Name

_PAIR = re.compile(rb"<([0-9A-Fa-f]+)>\s*<([0-9A-Fa-f]+)>")
_BLOCK = re.compile(rb"beginbfchar(.*?)endbfchar", re.S)


def words_of(page: Any) -> str:
    """Return the text of a page in the order in which it was drawn, with single blanks."""
    tables = {str(name): _table(font) for name, font in page.Resources.get(Name.Font, {}).items()}
    current: dict[int, str] = {}
    result: list[str] = []
    for operands, operator in pikepdf.parse_content_stream(page):
        if str(operator) == "Tf":
            current = tables[str(operands[0])]
        elif str(operator) in ("Tj", "TJ"):
            shown = operands[0] if str(operator) == "TJ" else [operands[0]]
            for piece in (bytes(p) for p in shown if isinstance(p, pikepdf.String)):
                result += (current.get(int.from_bytes(piece[i : i + 2]), "") for i in range(0, len(piece), 2))
        elif str(operator) == "ET":
            result.append(" ")
    return " ".join("".join(result).split())


def _table(font: Any) -> dict[int, str]:
    """Return glyph -> text, from the font's ToUnicode."""
    cmap = font.ToUnicode.read_bytes()
    pairs = (pair for block in _BLOCK.findall(cmap) for pair in _PAIR.findall(block))
    return {int(glyph, 16): bytes.fromhex(text.decode()).decode("utf-16-be") for glyph, text in pairs}


def outline(pdf: Any) -> dict[str, int]:
    """Return every heading of the outline with the page it leads to, from 1; of equal ones the last."""
    pages = {page.obj.objgen: number for number, page in enumerate(pdf.pages, 1)}
    result: dict[str, int] = {}

    def walk(entries: Any) -> None:
        for entry in entries:
            result[entry.title] = pages[entry.destination[0].objgen]
            walk(entry.children)

    with pdf.open_outline() as opened:
        walk(opened.root)
    return result
