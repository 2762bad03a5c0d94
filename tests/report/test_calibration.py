from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditkit.evidence import Audit, Cell, Definition, Estimate, Evidence, Outcomes, PartDefinition, Point, Term
from auditkit.report import views
from auditkit.report.figures.calibration import reliability
from auditkit.report.html import render_html
from tests.report.drawn import Drawn

BANDS = ((0.15, 0.02, 40), (0.55, 0.3, 25), (0.92, 0.85, 300))


def _audit(bands: tuple[tuple[float, float | None, int], ...] = BANDS) -> Audit:
    points = [
        Point(
            condition=f"{int(10 * at) * 10} to {int(10 * at) * 10 + 10} points",
            score=Estimate(value=100 * at),
            observed=Estimate(unit="share")
            if share is None
            else Estimate(value=share, low=max(0, share - 0.1), high=min(1, share + 0.1), level=0.9, unit="share"),
            n_images=n,
            n_clusters=n // 2,
        )
        for at, share, n in bands
    ]
    terms = [Term(weight=1.0), *(Term(weight=-1.0, condition=[("pixelate", s)]) for s in (3, 4, 5))]
    error, outcomes = Estimate(value=0.12, unit="share"), Outcomes(scored=180, refused=5)
    cell = Cell(verdict="INCONCLUSIVE", sentence="", estimate=error, reference=0.05, n_images=180, outcomes=outcomes)
    return Audit(
        id="calibration/x", question="?", family="calibration", statistic="calibration", shown=True, title="X",
        verdict="INCONCLUSIVE", sentence="", unit="share", estimate=error, n_images=180, n_clusters=170,
        outcomes=outcomes, parts=[cell], series=points, definition=Definition(parts=[PartDefinition(terms=terms)]),
    )  # fmt: skip


@settings(max_examples=15)
@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1), st.integers(1, 999)), min_size=1, max_size=10))
def test_bands_can_be_read_off(bands: list[tuple[float, float, int]]) -> None:
    bands = sorted(bands)
    chart = reliability(_audit(tuple(bands)), "k")
    assert chart is not None
    drawn = Drawn(chart)
    down = drawn.scale("25", "75", "y") if drawn.texts().count("25") == 2 else None
    ticks = [w for w in drawn.words() if w.text in ("0", "100") and w.anchor == "end"]
    dots = drawn.marks("accent")
    assert len(dots) == len(bands)
    bottom, top = (next(w.y for w in ticks if w.text == t) for t in ("0", "100"))
    read = [100 * (bottom - m.y) / (bottom - top) for m in dots]
    assert read == pytest.approx([100 * share for _, share, _ in bands], abs=0.1)
    assert down is None or [down.read(m.y) for m in dots] == pytest.approx(read, abs=down.fine)
    bars = drawn.boxes("scored")
    most = max(n for _, _, n in bands)
    assert [b["height"] for b in bars] == pytest.approx([max(34 * n / most, 0.8) for _, _, n in bands], abs=0.06)
    assert [b["x"] + 5 for b in bars] == pytest.approx([m.x for m in dots], abs=0.11)


def test_the_diagonal_says_where_score_and_share_agree() -> None:
    chart = reliability(_audit(((0.2, 0.2, 10), (0.5, 0.5, 10), (0.9, 0.9, 10))), "k")
    assert chart is not None
    drawn = Drawn(chart)
    (((x0, y0), (x1, y1)),) = drawn.paths("edge", dash="4 2.5")[0]
    for mark in drawn.marks("accent"):
        assert mark.y == pytest.approx(y0 + (mark.x - x0) / (x1 - x0) * (y1 - y0), abs=0.15)


def test_error_n_and_what_was_left_out_are_said() -> None:
    chart = reliability(_audit(), "k")
    assert chart is not None
    assert "calibration error 12.0 %; by chance up to 5.0 %" in Drawn(chart).texts()
    assert {"40", "300"} <= set(Drawn(chart).texts())
    assert "n = 180 images of 170 patients" in chart.caption
    assert "severity 3 to 5" in chart.caption
    assert "90 % intervals" in chart.caption
    assert "5 images left out" in chart.caption
    assert chart.rows[2] == ("90 to 100 points", "92.0", "85.0 % (75.0 to 95.0)", "300", "150")
    assert "would exceed 5.0 % one time in twenty" in chart.description


def test_counts_do_not_run_into_each_other() -> None:
    chart = reliability(_audit(tuple((0.5 + i / 100, 0.5, 123_456 + i) for i in range(5))), "k")
    assert chart is not None
    assert len([t for t in Drawn(chart).texts() if t.startswith("123,")]) == 1
    assert [row[3] for row in chart.rows] == [f"123,45{6 + i}" if 6 + i < 10 else "123,460" for i in range(5)]


def test_nothing_to_show_is_none() -> None:
    assert reliability(_audit(()), "k") is None


def test_a_band_without_an_answer_breaks_the_line() -> None:
    chart = reliability(_audit(((0.1, 0.1, 5), (0.5, None, 0), (0.9, 0.8, 5))), "k")
    assert chart is not None
    drawn = Drawn(chart)
    assert len(drawn.marks("accent")) == 2
    assert [len(piece) for piece in drawn.paths("accent", 2.4)[0]] == [1, 1]
    assert "nan" not in chart.svg.lower()


def test_the_sample_is_drawn(lean: Evidence) -> None:
    [audit] = views.calibrations(lean)
    chart = reliability(audit, "k")
    assert chart is not None
    assert len(chart.rows) == len(audit.series) == 5


def test_it_is_drawn_once_and_listed_among_the_audits(brief: Evidence) -> None:
    page = render_html(brief)
    assert page.count("calibration error 19.0 %; by chance up to 6.0 %") == 1
    assert 'id="information"' not in page
    assert 'id="audit-calibration-score-as-chance"' in page
    assert [family.name for family in views.informing(brief)] == ["calibration", "subgroups"]
    assert views.apart(brief) == []


def test_bands_are_no_ladder_of_severities(brief: Evidence) -> None:
    own = _audit().model_copy(update={"shown": False, "verb": "at_least"})
    [family] = views.families(brief.model_copy(update={"audits": [own]}))
    assert family.kind == "other"
