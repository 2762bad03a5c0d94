"""How long the body is, and whether the numbers of pages that are printed lead where they say."""

from __future__ import annotations

import io
import re
from typing import Any
from unittest.mock import patch

import pikepdf
import pytest

from auditkit.evidence import Audit, Evidence, overall
from auditkit.report.pdf import render_pdf
from auditkit.report.pdf.parts import annexes, chapters
from tests.report.pdf.reading import outline, words_of
from tests.report.sample import full

BODY = 20
DEMO = {
    "sensitivity": 10, "discrimination": 10, "metadata": 60, "placebo": 5, "direction": 4, "answers": 29,
    "differential": 50, "repeatability": 2,
}  # fmt: skip
"""Audits of the shipped suite by family: 170 with the one on wording, which stands here among the answers."""
WHY = (
    "Undecided in 11 of 11 modalities (CT, dermoscopy, endoscopy, fundus photography and 7 more). For instance "
    "histology: 0.0 % [0.0 %, 52.7 %] over 4 patients; must be below 10.0 %: undecided, because 4 patients are too few "
    "for a limit 10.0 % from the estimate; it takes 29 or more; about 25 patients more would likely settle it."
)


@pytest.fixture(scope="module")
def demo() -> Evidence:
    """As many audits as the demo run has, of which none could be decided: the longest body that it can have."""
    record = full()
    audits: list[Audit] = [audit for audit in record.audits if audit.shown]
    for family, number in DEMO.items():
        own = [audit for audit in record.deciding if audit.family == family]
        for n in range(number):
            stock = own[n % len(own)]
            name = f"{stock.id}-{n}" if n >= len(own) else stock.id
            title = f"{stock.title} {n}"
            audits.append(stock.model_copy(update={
                "id": name, "title": title, "verdict": "INCONCLUSIVE", "sentence": f"{title}: {WHY}", "cases": [],
                "series": [],  # its curves are in an annex
            }))  # fmt: skip
    changes = {"audits": audits, "examples": [], "verdict": overall(a.verdict for a in audits if not a.shown)}
    return record.model_copy(update=changes)


@pytest.fixture(scope="module")
def laid_out(demo: Evidence) -> Any:
    with (
        # A third of the time goes into the clauses, which no page of the body depends on.
        patch("auditkit.report.pdf.document.clause_map", return_value=()),
        pikepdf.open(io.BytesIO(render_pdf(demo, demo.to_json().encode()))) as pdf,
    ):
        yield pdf


def test_the_body_of_a_record_like_the_demos_has_twenty_pages_at_most(laid_out: Any, demo: Evidence) -> None:
    assert len(demo.deciding) == 170
    places = outline(laid_out)
    first = places["Annexes"]
    assert first - 1 <= BODY
    assert len(laid_out.pages) > first + BODY  # else nothing was put off into the annexes
    assert all(places[c.heading] < first for c in chapters())
    assert all(places[a.heading] > first for a in annexes())
    assert places[chapters()[-1].heading] == first - 1  # whoever signs turns no page more
    assert words_of(laid_out.pages[first - 1]).startswith("Annexes")


def test_both_contents_name_the_pages_on_which_the_parts_begin(laid_out: Any) -> None:
    places = outline(laid_out)
    front = words_of(laid_out.pages[places["Contents"] - 1])
    back = words_of(laid_out.pages[places["Annexes"] - 1])
    for words, parts in ((front, chapters()), (back, annexes())):
        for part in parts:
            found = re.search(rf"{re.escape(part.heading)}[ .]+(\d+)", words)
            assert found, part.heading
            assert int(found[1]) == places[part.heading]
    found = re.search(r"Annexes, with contents of their own[ .]+(\d+)", front)
    assert found
    assert int(found[1]) == places["Annexes"]


def test_references_name_the_annex_and_its_page(laid_out: Any) -> None:
    places = outline(laid_out)
    named = {annex.name: annex.heading for annex in annexes()}
    seen = 0
    for page in list(laid_out.pages)[: places["Annexes"] - 1]:
        for name, number in re.findall(r"(Annex [A-Z]) ?, page (\d+)", words_of(page)):
            begins = places[named[name]]
            later = [places[heading] for heading in named.values() if places[heading] > begins]
            assert begins <= int(number) <= min(later, default=len(laid_out.pages))
            seen += 1
    assert seen >= 5


def test_every_page_says_which_it_is(laid_out: Any) -> None:
    total = len(laid_out.pages)
    for number, page in list(enumerate(laid_out.pages, 1))[::5]:
        assert f"page {number} of {total}" in words_of(page)
