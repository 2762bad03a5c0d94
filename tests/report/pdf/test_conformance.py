"""What makes the file a tagged PDF/A-3a, read back with another library than the one that wrote it."""

from __future__ import annotations

import io
import itertools
import re
from collections.abc import Iterator
from typing import Any

import pikepdf
import pytest
from pikepdf import Dictionary, Name, pdfa

from auditkit.evidence import Evidence
from auditkit.report.pdf import render_pdf
from auditkit.report.pdf.parts import annexes, chapters
from tests.report.sample import full


def elements(node: Any) -> Iterator[Any]:
    """Walk the structure tree in reading order."""
    kids = node.get(Name.K, [])
    for kid in kids if isinstance(kids, pikepdf.Array) else [kids]:
        if isinstance(kid, Dictionary) and Name.S in kid:
            yield kid
            yield from elements(kid)


def structure(pdf: Any) -> list[Any]:
    return list(elements(pdf.Root.StructTreeRoot))


def fonts(pdf: Any) -> list[Any]:
    return [item for item in pdf.objects if isinstance(item, Dictionary) and item.get(Name.Type) == Name.Font]


def disputed(data: bytes) -> list[str]:
    """Return what pikepdf's checker of PDF/A-3b finds, but for what it cannot know.

    It allows what it knows: level A, which says "A" where it reads "B", and lists of patterns and shadings, which are
    empty here, are outside its reach.
    """
    report = pdfa.validate_written(io.BytesIO(data), "3b")
    found = [str(finding) for finding in report.findings]
    allowed = re.compile("pdfaid:conformance is 'A', expected 'B'|(patterns|shadings) are not supported")
    with pikepdf.open(io.BytesIO(data)) as pdf:
        lists = [page.Resources.get(key, {}) for page in pdf.pages for key in (Name.Pattern, Name.Shading)]
        assert not any(len(entries) for entries in lists)
    return [finding for finding in found if not allowed.search(finding)]


def test_a_checker_that_is_not_ours_finds_nothing_against_it(rendered: bytes) -> None:
    assert disputed(rendered) == []


def test_it_says_that_it_is_pdf_a_3a_and_brings_its_colours(pdf: Any) -> None:
    with pdf.open_metadata() as metadata:
        assert (metadata.get("pdfaid:part"), metadata.get("pdfaid:conformance")) == ("3", "A")
        assert metadata.get("dc:title") == "FAIL: audit of reference"
        assert metadata.get("xmp:CreateDate") == "2026-11-22T01:15:00Z"
    assert [str(intent.S) for intent in pdf.Root.OutputIntents] == ["/GTS_PDFA1"]
    assert bytes(pdf.Root.OutputIntents[0].DestOutputProfile.read_bytes()[36:40]) == b"acsp"
    assert str(pdf.Root.Lang) == "en"
    assert bool(pdf.Root.MarkInfo.Marked)
    assert bool(pdf.Root.ViewerPreferences.DisplayDocTitle)


def test_every_font_is_inside_and_its_letters_can_be_read_back(pdf: Any) -> None:
    composite = [font for font in fonts(pdf) if font.Subtype == Name.Type0]
    assert composite
    for font in composite:
        assert Name.ToUnicode in font
        descriptor = font.DescendantFonts[0].FontDescriptor
        assert Name.FontFile2 in descriptor or Name.FontFile3 in descriptor
        assert "Report" in str(descriptor.FontName) or "DejaVu" in str(descriptor.FontName)
    assert {str(font.Subtype) for font in fonts(pdf)} <= {"/Type0", "/CIDFontType2", "/CIDFontType0"}


def test_every_picture_has_words(pdf: Any) -> None:
    figures = [element for element in structure(pdf) if str(element.S) == "/Figure"]
    words = [str(figure.get(Name.Alt, "")) for figure in figures]
    assert len(words) > 20
    assert min(map(len, words)) > 10
    assert any(text.startswith("Brightness up: score against severity. ") for text in words)
    assert any("severity 5, score" in text for text in words)


def test_headings_go_down_one_step_at_a_time_and_are_in_the_outline(pdf: Any) -> None:
    levels = [int(str(e.S)[2:]) for e in structure(pdf) if re.fullmatch("/H[1-6]", str(e.S))]
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    with pdf.open_outline() as opened:
        titles = [entry.title for entry in opened.root]
        inner = [entry.title for entry in opened.root[-1].children]
        listed = {entry.title: [place.title for place in entry.children] for entry in opened.root[-1].children}
    assert titles == [
        "Audit of reference: FAIL", "Contents", "Summary of verdicts", *(c.heading for c in chapters()), "Annexes",
    ]  # fmt: skip
    assert inner == [annex.heading for annex in annexes()]
    assert "Does the score ignore words that say nothing about the image?" in listed[inner[0]]
    assert "Brightness up" in listed[inner[1]]


def test_tables_tie_their_cells_to_headers(pdf: Any) -> None:
    tree = structure(pdf)
    assert sum(str(element.S) == "/Table" for element in tree) > 10
    tied = [e for e in tree if str(e.S) == "/TD" and Name.A in e and len(e.A.get(Name.Headers, []))]
    assert len(tied) > 200


def test_links_lead_to_places_inside_and_nothing_runs(pdf: Any) -> None:
    for item in pdf.objects:
        if isinstance(item, Dictionary):
            assert item.get(Name.S) not in (Name.URI, Name.JavaScript, Name.Launch, Name.GoToR, Name.SubmitForm)
            assert Name.OpenAction not in item
            assert Name.AA not in item
    links = [a for page in pdf.pages for a in page.get(Name.Annots, []) if a.Subtype == Name.Link]
    assert len(links) > len(chapters()) + len(annexes())


def test_weasyprint_understood_the_page(rendered: bytes, complaints: list[str]) -> None:
    """No rule unknown to it, no picture without words, no file asked for."""
    assert rendered
    assert complaints == []


@pytest.mark.slow
def test_the_full_record_with_everything_that_may_go_wrong() -> None:
    evidence: Evidence = full()
    data = render_pdf(evidence, evidence.to_json().encode())
    assert disputed(data) == []
    with pikepdf.open(io.BytesIO(data)) as pdf:
        assert 25 <= len(pdf.pages) <= 70
        assert all(str(e.get(Name.Alt, "")) for e in structure(pdf) if str(e.S) == "/Figure")
