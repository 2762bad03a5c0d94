"""What the page shows of expected scores, and that it shows nothing without them."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from auditkit.evidence import Audit, Cell, Estimate, Evidence, Expected, Outcomes, Point, Stratum
from auditkit.report import views
from auditkit.report.figures import charts
from auditkit.report.figures.svg import INKS
from auditkit.report.html import render_html
from auditkit.report.pdf.document import document
from auditkit.report.probabilities import probabilities
from tests.report.test_html import Page

EXPECTED = Expected(
    value=-0.4, low=-0.9, high=0.1, level=0.9, unit="points", n_images=322, n_clusters=301,
    entropy=1.23, control_entropy=1.1, max_entropy=6.658, mass=0.981, control_mass=0.99,
)  # fmt: skip


def _points(expected: list[float | None], modality: str = "all") -> list[Point]:
    return [
        Point(
            stratum=Stratum(level=modality),
            condition=f"s{severity}",
            level=severity,
            n_images=40,
            n_clusters=36,
            score=Estimate(value=80.0 - 8 * severity, low=78.0 - 8 * severity, high=82.0 - 8 * severity, level=0.9),
            expected=value,
        )
        for severity, value in enumerate(expected)
    ]


def _dashed(svg: str) -> list[str]:
    paths = [e for e in ElementTree.fromstring(svg).iter() if e.tag.endswith("path")]
    return [e.attrib["d"] for e in paths if "stroke-dasharray" in e.attrib and INKS["ink"] in str(e.attrib)]


@pytest.fixture(scope="module")
def words(brief: Evidence) -> str:
    audits = [a for a in brief.audits if a.family in ("metadata", "answers")]
    cells = [c.model_copy(update={"expected": EXPECTED}) for c in audits[0].parts]
    audits[0] = audits[0].model_copy(update={"expected": EXPECTED, "parts": cells})
    page = Page(render_html(brief.model_copy(update={"audits": audits})))
    assert page.problems == []
    return page.words


def test_a_card_has_the_expected_estimate_beside_the_generated_one(words: str, brief: Evidence) -> None:
    assert (
        "From expected scores −0.4 points (90 % interval −0.9 to +0.1); 322 images of 301 patients; "
        "entropy 1.2 of at most 6.7 bits (control 1.1); mass 98.1 % (control 99.0 %)"
    ) in words
    assert words.count("From expected scores") == 1
    n_cells = len(next(a for a in brief.audits if a.family == "metadata").parts)
    assert words.count("expected −0.4 (−0.9 to +0.1)") == n_cells
    assert "every verdict rests on what was written" in words


def test_without_log_probabilities_a_page_does_not_speak_of_them(brief: Evidence) -> None:
    text = render_html(brief)
    assert "xpected score" not in text
    chart = charts.severity_response("Blur", _points([None] * 6), [], "k")
    assert "xpected" not in f"{chart.svg} {chart.caption} {chart.description} {chart.columns}"
    assert _dashed(chart.svg) == []


def test_the_series_has_a_second_line_with_its_numbers() -> None:
    points = [*_points([79.0, 72.5, 66.0, None, 50.0, 41.5]), *_points([70.0] * 6, "ct")]
    chart = charts.severity_response("Blur", points, [], "k")
    [line] = _dashed(chart.svg)
    assert len(re.findall(r"[ML]", line)) == 5, "the missing point breaks the line"
    assert "var(--c-ink" in chart.svg
    place = chart.columns.index("Mean expected score, points")
    assert [row[place] for row in chart.rows[:6]] == ["79.0", "72.5", "66.0", "–", "50.0", "41.5"]
    assert all(len(row) == len(chart.columns) for row in chart.rows)
    assert "The mean expected score goes from 79.0 to 41.5." in chart.description
    assert "Dashed: the mean expected score" in chart.caption
    assert "dashed: expected score" in " ".join(e.text or "" for e in ElementTree.fromstring(chart.svg).iter("text"))


def test_numbers_stand_on_the_side_where_the_second_line_does_not_run() -> None:
    def heights(expected: list[float | None]) -> list[float]:
        svg = charts.severity_response("Blur", _points(expected), [], "k").svg
        texts = [e for e in ElementTree.fromstring(svg).iter("text") if e.text in ("80.0", "72.0", "64.0")]
        return [float(e.attrib["y"]) for e in texts]

    above, below = heights([75.0, 67.0, 59.0]), heights([85.0, 77.0, 69.0])
    assert len(above) == len(below) == 3
    assert all(high < low for high, low in zip(above, below, strict=True)), "y grows downwards"


def _shown(quantity: str, cells: dict[str, tuple[float | None, int]], reference: float | None = None) -> Audit:
    parts = [
        Cell(
            stratum=Stratum(level=level), part=words, required=False, verdict="INCONCLUSIVE", sentence="",
            reference=reference, estimate=Estimate(value=value if level == "all" else 0.5), n_images=n,
            outcomes=Outcomes(scored=1300, refused=31, error=2),
        )
        for words, (value, n) in cells.items()
        for level in ("ct", "all")
    ]  # fmt: skip
    return Audit(
        id=f"scoring/{quantity}", question="?", family="scoring", quantity=quantity, shown=True, title="", sentence="",
        verdict="INCONCLUSIVE", estimate=Estimate(), parts=parts,
    )  # fmt: skip


def test_agreement_is_shown_per_prompt_of_clean_images(brief: Evidence) -> None:
    audits = [
        _shown("agrees", {"quality.direct": (0.8123, 1190), "<b>": (None, 0)}),
        _shown("gap", {"quality.direct": (2.345, 1180)}),
        _shown("entropy", {"quality.direct": (1.26, 1200), "<b>": (None, 0)}, 6.658),
        _shown("mass", {"quality.direct": (0.87, 1230), "<b>": (0.03, 5)}),
        _shown("read", {"quality.direct": (0.9, 1331), "<b>": (0.0, 5)}),
    ]
    record = brief.model_copy(update={"audits": [*brief.audits, *audits]})
    page = Page(render_html(record))
    assert page.problems == []
    assert "quality.direct 1,331 81.2 % of 1,190 2.3 1.3 of at most 6.7 87.0 % 90.0 %" in page.words
    # A prompt of which nothing could be used says so, with its mass.
    assert "<b> 1,331 – of 0 – – of at most 6.7 3.0 % 0.0 %" in page.words
    assert "By prompt, clean images." in page.words
    assert [family.name for family in views.apart(record)] == []
    text = document(record, b"")
    assert "By prompt, clean images" in text
    assert "81.2 % of 1,190" in text


def test_what_no_prompt_has_is_left_out(brief: Evidence) -> None:
    audits = [_shown(name, {"quality.direct": (None, 0)}) for name in ("agrees", "entropy", "read")]
    for audit in audits:
        cells = [cell.model_copy(update={"estimate": Estimate()}) for cell in audit.parts]
        audit.parts[:] = cells
    record = brief.model_copy(update={"audits": [*brief.audits, *audits]})
    assert probabilities(record) == []
    page = render_html(record)
    assert 'id="scoring"' not in page
    assert "Generated and expected answers" not in document(record, b"")
    place = page.index('id="audit-scoring-agrees"')
    assert "not measured" in page[place - 400 : place]
