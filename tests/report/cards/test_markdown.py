"""Foreign text shows as it is in Markdown: read back by a CommonMark parser."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from markdown_it import MarkdownIt

from auditkit.report.cards.markdown import bullets, escaped, table
from auditkit.words import visible
from tests.report.cards.foreign import HOSTILE, texts

PARSER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
SHOWN = ("text", "text_special")


def _shown(inline) -> str:
    return "".join(child.content for child in inline.children)


def _as_people_see_it(text: str) -> str:
    return " ".join(visible(text).split())


@given(texts)
def test_any_text_is_one_paragraph_of_text_that_reads_as_it_was_written(text: str):
    tokens = PARSER.parse(escaped(text))
    wanted = _as_people_see_it(text)
    assert [t.type for t in tokens] == (["paragraph_open", "inline", "paragraph_close"] if wanted else [])
    for inline in (t for t in tokens if t.type == "inline"):
        assert {child.type for child in inline.children} <= set(SHOWN)
        assert _shown(inline) == wanted


@given(texts, texts)
def test_any_text_stays_in_its_cell_and_in_its_item(one: str, other: str):
    cells = [t for t in PARSER.parse(table(("a", "b"), [(escaped(one), escaped(other))])) if t.type == "inline"]
    assert [_shown(cell) for cell in cells] == ["a", "b", _as_people_see_it(one), _as_people_see_it(other)]
    tokens = [t.type for t in PARSER.parse(bullets([f"{escaped(one)} end", escaped(other) or "end"]))]
    assert tokens.count("list_item_open") == 2


@pytest.mark.parametrize("address", ["http://evil.example", "https://x.y/z", "www.evil.example", "WWW.x.y", "ftp://a"])
def test_bare_addresses_are_broken_for_parsers_that_make_links_of_them(address: str):
    assert not re.search(r"(?<!\\)://|www\.", escaped(address).lower())


def test_identifiers_stay_readable():
    assert escaped("sensitivity/contrast_up at 0.1.0: -5.0 to +5.0") == "sensitivity/contrast_up at 0.1.0: -5.0 to +5.0"
    assert len(HOSTILE) == len(set(HOSTILE))
