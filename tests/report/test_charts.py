from __future__ import annotations

import re
from types import ModuleType
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditkit.evidence import Audit, Cell, Estimate, Evidence, Outcomes, Point, Verdict
from auditkit.report import charts, forest
from auditkit.report.svg import INKS, Chart, blank, drawing, inline
from auditkit.report.wording import Scale

POINTS = Scale("points", signed=True)


def _estimate(value: float | None, half: float, unit: str = "points") -> Estimate:
    if value is None:
        return Estimate(unit=unit)
    return Estimate(value=value, low=value - half, high=value + half, level=0.9, unit=unit)


def _point(severity: int, score: float | None, modality: str = "all", auroc: float | None = None) -> Point:
    return Point(
        modality=modality,
        condition=f"s{severity}",
        severity=severity,
        n_images=40,
        n_clusters=36,
        score=_estimate(score, 2),
        auroc=None if auroc is None else _estimate(auroc, 0.05, "AUROC"),
    )


def _audit(name: str, value: float | None, verdict: Verdict = "PASS", margin: float = 5.0, **more: object) -> Audit:
    estimate = _estimate(value, 1)
    cell = Cell(
        modality="ct",
        verdict=verdict,
        sentence="",
        estimate=estimate,
        margin_low=-margin,
        margin_high=margin,
    )
    return Audit(
        id=f"metadata/{name}",
        question="?",
        family="metadata",
        gate="equivalence",
        title=name,
        verdict=verdict,
        sentence="S.",
        estimate=estimate,
        n_images=40,
        n_clusters=36,
        by_modality=[cell],
        **more,
    )


def _texts(chart: Chart) -> str:
    return " ".join(element.text or "" for element in ElementTree.fromstring(chart.svg).iter("text"))


def _every_chart() -> list[Chart]:
    series = [_point(s, 80 - 8 * s, auroc=0.5 + s / 12) for s in range(6)]
    own = [_point(s, 75 - 5 * s, "ct") for s in range(6)]
    return [
        charts.severity_response("Pixelation", [*series, *own], series, "f1"),
        charts.modality_multiples("Pixelation", [*series, *own], [], "f2"),
        forest.forest("Institution", [_audit("a", 1.0), _audit("b", None, "ERROR")], POINTS, (-9, 9), "f3", "Change"),
        forest.outcome_bars("Answers", [("rating", Outcomes(scored=90, refused=10))], "f4"),
    ]


@pytest.fixture(scope="module")
def every() -> list[Chart]:
    return _every_chart()


def test_every_chart_can_be_read_without_seeing_it(every: list[Chart]) -> None:
    for chart in every:
        root = ElementTree.fromstring(chart.svg)
        assert root.attrib["role"] == "img"
        title, description = root[0], root[1]
        assert (title.tag, title.text) == ("title", chart.title)
        assert (description.tag, description.text) == ("desc", chart.description)
        assert root.attrib["aria-labelledby"] == f"{title.attrib['id']} {description.attrib['id']}"
        assert len(chart.description) > 20
        assert "n = " in chart.caption or "n of each row" in chart.caption
        assert chart.rows or chart.key == "f2"
        assert all(len(row) == len(chart.columns) for row in chart.rows)


def test_svgs_share_a_page_without_colliding(every: list[Chart]) -> None:
    seen: set[str] = set()
    for chart in every:
        ids = re.findall(r'\bid="([^"]+)"', chart.svg)
        assert len(ids) == len(set(ids))
        assert not seen & set(ids)
        seen.update(ids)
        references = {*re.findall(r"url\(#([^)]+)\)", chart.svg), *re.findall(r'href="#([^"]+)"', chart.svg)}
        assert references <= set(ids)
        for outside in ("http:", "https:", "<style", "<!DOCTYPE", "<metadata", "xmlns"):
            assert outside not in chart.svg


def test_the_same_numbers_give_the_same_bytes(every: list[Chart]) -> None:
    assert [c.svg for c in every] == [c.svg for c in _every_chart()]


def test_the_users_matplotlib_settings_do_not_reach_the_figures(every: list[Chart]) -> None:
    import matplotlib

    with matplotlib.rc_context({"font.size": 30, "svg.fonttype": "path", "text.color": "red", "axes.grid": True}):
        assert [c.svg for c in _every_chart()] == [c.svg for c in every]


def test_text_stays_text_and_colours_follow_the_page() -> None:
    chart = charts.severity_response("Pixelation", [_point(0, 80.0), _point(5, 41.26)], [], "k")
    assert "41.3" in _texts(chart)
    assert "font-family" not in chart.svg
    assert f"var(--c-accent,{INKS['accent']})" in chart.svg
    assert "AUROC" not in _texts(chart)
    with drawing():
        figure = blank(100, 50)
        figure.text(0.1, 0.5, "plain", color=INKS["FAIL"])
        assert "var(" not in inline(figure, "p", "T", "D", themed=False)


def test_names_are_data_for_drawings_too() -> None:
    hostile = "$\\frac{</text><script>alert(1)</script>\x00\u202e 一"
    chart = forest.forest(hostile, [_audit(hostile, 1.0)], POINTS, (-9, 9), "k", hostile)
    assert "<script" not in chart.svg
    assert "\x00" not in chart.svg
    ElementTree.fromstring(chart.svg)


def test_a_hole_breaks_the_line_and_nothing_is_invented() -> None:
    chart = charts.severity_response(
        "Blur", [_point(0, 80.0), _point(1, None), _point(2, 60.0), _point(5, None)], [], "k"
    )
    assert "nan" not in chart.svg.lower()
    assert "not measured" in {row[2] for row in chart.rows}
    assert "80.0 points at clean images to 60.0 points at severity 2" in chart.description


def test_charts_of_nothing_are_drawn_too() -> None:
    assert "no pooled scores" in charts.severity_response("Blur", [], [], "k").description
    assert charts.modality_multiples("Blur", [], [], "k").svg
    assert forest.outcome_bars("Answers", [("rating", Outcomes())], "k").rows == [
        ("rating", "0", "0", "0", "0", "0", "0", "0")
    ]
    assert forest.forest("F", [_audit("x", None, "INCONCLUSIVE")], POINTS, (-1, 1), "k", "Change").svg


def test_verdicts_differ_in_shape_and_not_only_in_colour() -> None:
    def shape(verdict: Verdict) -> str:
        svg = forest.forest("F", [_audit("x", 1.0, verdict)], POINTS, (-9, 9), "k", "Change").svg
        plain = re.sub(r"var\(--c-\w+,#\w+\)", "colour", svg.replace(f"var(--c-paper,{INKS['paper']})", "hollow"))
        return re.sub(r"(?:x|y)=\"[^\"]*\"|id=\"[^\"]*\"|href=\"[^\"]*\"|<desc.*?</desc>", "", plain)

    assert len({shape(v) for v in ("PASS", "FAIL", "INCONCLUSIVE", "ERROR")}) == 4


def test_an_interval_far_outside_gets_an_arrow_and_keeps_its_numbers() -> None:
    audits = [_audit("near", 1.0), _audit("far", 90.0, "FAIL")]
    limits = forest.forest_limits(audits, POINTS)
    assert limits == pytest.approx((-33.6, 33.6))
    chart = forest.forest("F", audits, POINTS, limits, "k", "Change")
    assert "+90.0 (+89.0 to +91.0)" in _texts(chart)
    assert chart.svg != forest.forest("F", audits, POINTS, (-100, 100), "k", "Change").svg


def test_limits_hold_the_region_even_when_estimates_are_small() -> None:
    low, high = forest.forest_limits([_audit("a", 0.1)], POINTS)
    assert low < -5 < 5 < high
    assert forest.forest_limits([], POINTS)[0] < forest.forest_limits([], POINTS)[1]


def test_outcome_tables_count_every_answer() -> None:
    outcomes = Outcomes(scored=900, refused=50, unparsed=30, out_of_range=10, truncated=6, error=4)
    chart = forest.outcome_bars("Answers", [("rating", outcomes)], "k")
    (row,) = chart.rows
    assert row[:3] == ("rating", "1,000", "900 (90.0 %)")
    assert sum(int(cell.split()[0]) for cell in row[2:]) == 1000
    assert "90.0 %" in _texts(chart)


def test_n_is_given_as_a_range_when_rows_differ() -> None:
    assert charts.n_words([(40, 36), (40, 36)]) == "n = 40 images of 36 patients"
    assert charts.n_words([(40, 36), (1, 1)]) == "n = 1 to 40 images of 1 to 36 patients"
    assert charts.n_words([]) == "n = 0 images"
    assert charts.level_words([Estimate(level=0.9), None]) == "90 % intervals"
    assert charts.level_words([Estimate(level=0.9), Estimate(level=0.95)]) == "intervals"


@settings(max_examples=8, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["all", "ct", "mr"]),
            st.integers(0, 5),
            st.none() | st.floats(0, 100),
            st.none() | st.floats(0, 1),
        ),
        max_size=12,
    )
)
def test_any_points_give_well_formed_drawings(rows: list[tuple[str, int, float | None, float | None]]) -> None:
    points = [_point(severity, score, modality, auroc) for modality, severity, score, auroc in rows]
    auroc = [p for p in points if p.auroc]
    for chart in (charts.severity_response("X", points, auroc, "a"), charts.modality_multiples("X", points, [], "b")):
        ElementTree.fromstring(chart.svg)
        assert "nan" not in chart.svg.lower()


def test_the_full_sample_draws_small(lean: Evidence, sample: ModuleType) -> None:
    audit = next(a for a in lean.audits if a.id == "sensitivity/pixelate")
    response = charts.severity_response(audit.title, audit.series, audit.series, "a")
    multiples = charts.modality_multiples(audit.title, audit.series, audit.by_modality, "b")
    assert len(response.svg) < 16_000
    assert len(multiples.svg) < 45_000
    assert len(response.rows) == 6 * (1 + len(sample.MODALITIES))
    assert len(multiples.rows) == len(sample.MODALITIES)
