"""Curves of confidence can be read off, wrong answers are those that are not right, and all is in the table."""

from __future__ import annotations

import pytest

from auditkit.evidence import Audit, Cell, Estimate, Evidence, Point, Stratum
from auditkit.report import views
from auditkit.report.figures.confidence import confidence_chart
from auditkit.report.html import render_html
from auditkit.report.pdf.document import document
from tests.report.drawn import Drawn

CURVES = {
    "clean": ((20.0, 0.95), (60.0, 0.9), (100.0, 0.8)),
    "jpeg-s5": ((20.0, 0.7), (60.0, 0.65), (100.0, 0.6)),
    "gaussian_noise-s5": ((20.0, 0.5), (60.0, 0.55), (100.0, 0.5)),
    "pixelate-s5": ((20.0, 0.4), (60.0, 0.4), (100.0, 0.4)),
}


def _audit(statistic: str, parts: int = 2) -> Audit:
    chosen = dict(list(CURVES.items())[:parts])
    points = [
        Point(
            part=part,
            condition=f"{at:g}",
            score=Estimate(value=at),
            observed=Estimate(value=share, low=share - 0.1, high=min(1.0, share + 0.05), level=0.9, unit="share"),
            n_images=200,
            n_clusters=150,
        )
        for part, own in chosen.items()
        for at, share in own
    ]
    cells = [
        Cell(verdict="INCONCLUSIVE", sentence="", part=part, stratum=Stratum(level="xray"),
             estimate=Estimate(value=0.2, unit="share"))
        for part in chosen
    ]  # fmt: skip
    return Audit(
        id=f"{statistic}/x", question="?", family=statistic, statistic=statistic, shown=True, title="Chest: curve",
        verdict="INCONCLUSIVE", sentence="", unit="share", estimate=Estimate(value=0.2, unit="share"), parts=cells,
        series=points,
    )  # fmt: skip


@pytest.mark.parametrize(("statistic", "shares"), [("reliability", (95, 90, 80)), ("risk", (5, 10, 20))])
def test_the_curve_of_images_as_they_are_can_be_read_off(statistic: str, shares: tuple[int, ...]) -> None:
    chart = confidence_chart(_audit(statistic), "k")
    assert chart is not None
    drawn = Drawn(chart)
    ticks = {w.text: w.y for w in drawn.words() if w.anchor == "end" and w.text in ("0", "100")}
    across = {w.text: w.x for w in drawn.words() if w.anchor == "middle" and w.text in ("0", "100")}
    dots = [mark for mark in drawn.marks("accent") if mark.y < ticks["0"] + 1]  # not that of the legend
    read = [100 * (ticks["0"] - m.y) / (ticks["0"] - ticks["100"]) for m in dots]
    assert read == pytest.approx(shares, abs=0.3)
    assert [100 * (m.x - across["0"]) / (across["100"] - across["0"]) for m in dots] == pytest.approx(
        [20, 60, 100], abs=0.3
    )


def test_conditions_differ_in_shape_and_filling_not_in_colour_alone() -> None:
    chart = confidence_chart(_audit("risk", 3), "k")
    assert chart is not None
    kinds = {(m.kind, m.turned, m.hollow) for role in ("accent", "ink") for m in Drawn(chart).marks(role)}
    assert len(kinds) == 3
    assert "jpeg, severity 5: mean risk 80.0 %" in Drawn(chart).texts()


def test_every_number_is_in_the_table_and_said() -> None:
    chart = confidence_chart(_audit("risk", 4), "k")
    assert chart is not None
    assert len(chart.rows) == 12
    assert chart.rows[0] == ("images as they are", "20.0", "5.0 % (0.0 to 15.0)", "200", "150")
    assert chart.rows[-1][0] == "pixelate, severity 5"
    assert "Only in the table: 1 further condition." in chart.caption
    assert "n = 200 images of 150 patients per point; 90 % intervals of the first line" in chart.caption
    assert "20 % kept: 5.0 % wrong" in chart.description
    told = confidence_chart(_audit("reliability"), "k")
    assert told is not None
    assert told.rows[0][2] == "95.0 % (85.0 to 100.0)"
    assert "surer than it is right" in told.caption


def test_nothing_to_show_is_none() -> None:
    assert confidence_chart(_audit("risk").model_copy(update={"series": []}), "k") is None


def test_they_have_a_section_of_the_page_and_of_the_pdf(brief: Evidence) -> None:
    with_them = brief.model_copy(update={"audits": [*brief.audits, _audit("risk"), _audit("reliability")]})
    page = render_html(with_them)
    assert page.count('id="confidence"') == 1
    assert page.count("Wrong among the answers kept, %") == 1
    assert 'href="#confidence"' in page
    assert 'id="confidence"' not in render_html(brief)
    assert [audit.statistic for audit in views.on_confidence(with_them)] == ["risk", "reliability"]
    assert "How sure the answers are" in document(with_them, b"")
    assert "How sure the answers are" not in document(brief, b"")
