from __future__ import annotations

import re
import subprocess
import sys
import time
from itertools import count, pairwise
from pathlib import Path
from types import ModuleType
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditkit.evidence import Audit, Cell, Estimate, Evidence, Outcomes, Point, Stratum, Verdict
from auditkit.report import views
from auditkit.report.figures import charts, forest
from auditkit.report.figures.calibration import reliability
from auditkit.report.figures.dose import dose_response
from auditkit.report.figures.heatmap import heat_map
from auditkit.report.figures.subgroups import subgroup_forest
from auditkit.report.figures.svg import INKS, Axis, Chart, fitted, round_numbers, spread, text_width, wrapped
from auditkit.report.gaps import groups
from auditkit.words import Scale, scale_of
from tests.report.drawn import Drawn
from tests.report.sample import KINDS, around

POINTS = Scale("points", signed=True)


def _point(severity: int, score: float | None, modality: str = "all", auroc: float | None = None) -> Point:
    return Point(
        stratum=Stratum(level=modality),
        condition=f"s{severity}",
        level=severity,
        n_images=40,
        n_clusters=36,
        score=around(score, 2),
        auroc=None if auroc is None else around(auroc, 0.05, "AUROC"),
    )


def _audit(name: str, value: float | None, verdict: Verdict = "PASS", margin: float = 5.0, **more: object) -> Audit:
    estimate = around(value, 1)
    cell = Cell(
        stratum=Stratum(level="ct"),
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
        **KINDS["equivalence"],
        title=name,
        verdict=verdict,
        sentence="S.",
        estimate=estimate,
        n_images=40,
        n_clusters=36,
        parts=[cell],
        **more,
    )


def _texts(chart: Chart) -> str:
    return " ".join(element.text or "" for element in ElementTree.fromstring(chart.svg).iter("text"))


def _every_chart(record: Evidence) -> list[Chart]:
    """All figures of a record, in all kinds."""
    keys = (f"f{i}" for i in count(1))
    families = {f.name: f.audits for f in views.families(record)}
    slopes, separation = families["sensitivity"], families["discrimination"]
    columns = [s.modality for s in record.data.modalities]
    result: list[Chart | None] = []
    for item in views.corruptions([*slopes, *separation]):
        result.append(charts.severity_response(item.title, item.points, item.discrimination, next(keys)))
        result.append(charts.modality_multiples(item.title, item.points, item.cells, item.unit, next(keys)))
    for name in ("metadata", "placebo", "direction", "answers"):
        scale, own = scale_of(families[name][0]), families[name]
        result.append(forest.forest(name, own, scale, forest.forest_limits(own, scale), next(keys), "Change"))
    result.append(forest.outcome_bars("Answers", [("All", record.outcomes)], next(keys)))
    result.append(dose_response(slopes, next(keys)))
    result += [heat_map(name, families[name], columns, next(keys)) for name in ("sensitivity", "discrimination")]
    result += [reliability(audit, next(keys)) for audit in views.calibrations(record)]
    result += [subgroup_forest(group, next(keys)) for group in groups(record)]
    assert None not in result
    return [chart for chart in result if chart]


@pytest.fixture(scope="module")
def every(lean: Evidence) -> list[Chart]:
    return _every_chart(lean)


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
        assert "90 % intervals" in chart.caption or "no interval" in chart.caption
        assert chart.rows
        assert all(len(row) == len(chart.columns) for row in chart.rows)
        assert {"Images", "Asked", "Pictures"} & set(chart.columns)


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


def test_the_same_numbers_give_the_same_bytes(every: list[Chart], lean: Evidence) -> None:
    again = Evidence.from_json(lean.to_json())
    assert [c.svg for c in every] == [c.svg for c in _every_chart(again)]


def test_figures_are_drawn_in_no_time_and_small(every: list[Chart], lean: Evidence) -> None:
    started = time.process_time()
    _every_chart(lean)
    assert time.process_time() - started < 1.0  # 0.05 s when nothing else runs
    assert sum(len(c.svg) for c in every) < 600_000
    assert max(len(c.svg) for c in every) < 60_000


def test_no_plotting_library_is_needed() -> None:
    code = (
        "import sys; from auditkit.report import html; from auditkit.report.figures import charts;"
        "charts.severity_response('x', [], [], 'k');"
        "print({'matplotlib', 'numpy', 'PIL'} & set(sys.modules))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"


def test_text_stays_text_and_colours_follow_the_page() -> None:
    chart = charts.severity_response("Pixelation", [_point(0, 80.0), _point(5, 41.26)], [], "k")
    assert "41.3" in _texts(chart)
    assert "font-family" not in chart.svg
    assert f"var(--c-accent,{INKS['accent']})" in chart.svg
    assert "AUROC" not in _texts(chart)


def test_names_are_data_for_drawings_too() -> None:
    hostile = "$\\frac{</text><script>alert(1)</script>\x00\u202e 一"
    points = [_point(s, 70 - s, hostile) for s in range(6)] + [_point(s, 70 - s) for s in range(6)]
    for chart in (
        forest.forest(hostile, [_audit(hostile, 1.0)], POINTS, (-9, 9), "k", hostile),
        forest.outcome_bars(hostile, [(hostile, Outcomes(scored=1, refused=1))], "k"),
        charts.severity_response(hostile, points, [], "k"),
        charts.modality_multiples(hostile, points, [], "points", "k"),
    ):
        assert "<script" not in chart.svg
        assert "\x00" not in chart.svg
        assert "\u202e" not in chart.svg
        tags = {e.tag for e in ElementTree.fromstring(chart.svg).iter()}
        assert tags <= {"svg", "title", "desc", "path", "g", "rect", "circle", "text"}


def test_a_hole_breaks_the_line_and_nothing_is_invented() -> None:
    chart = charts.severity_response(
        "Blur", [_point(0, 80.0), _point(1, None), _point(2, 60.0), _point(5, None)], [], "k"
    )
    assert "nan" not in chart.svg.lower()
    assert "not measured" in {row[2] for row in chart.rows}
    assert "80.0 points at clean images to 60.0 points at severity 2" in chart.description


def test_charts_of_nothing_are_drawn_too() -> None:
    assert "no pooled scores" in charts.severity_response("Blur", [], [], "k").description
    assert charts.modality_multiples("Blur", [], [], "points", "k").svg
    assert forest.outcome_bars("Answers", [("rating", Outcomes())], "k").rows == [
        ("rating", "0", "0", "0", "0", "0", "0", "0", "0")
    ]
    assert forest.forest("F", [_audit("x", None, "INCONCLUSIVE")], POINTS, (-1, 1), "k", "Change").svg


def test_verdicts_differ_in_shape_and_not_only_in_colour() -> None:
    def shape(verdict: Verdict) -> tuple[str, bool]:
        (mark,) = Drawn(forest.forest("F", [_audit("x", 1.0, verdict)], POINTS, (-9, 9), "k", "Change")).marks(verdict)
        return mark.kind, mark.hollow

    assert len({shape(v) for v in ("PASS", "FAIL", "INCONCLUSIVE", "ERROR")}) == 4


@settings(max_examples=15)
@given(st.lists(st.floats(0, 100), min_size=6, max_size=6), st.lists(st.floats(0.42, 1), min_size=6, max_size=6))
def test_scores_and_auroc_can_be_read_off(scores: list[float], areas: list[float]) -> None:
    points = [_point(s, v, auroc=a) for s, (v, a) in enumerate(zip(scores, areas, strict=True))]
    drawn = Drawn(charts.severity_response("X", points, points, "k"))
    height, area = drawn.scale("0", "100", "y"), drawn.scale("0.5", "1", "y")
    across = drawn.scale("2", "5", "x")
    discs = [m for m in drawn.marks("accent") if m.kind == "disc"]
    diamonds = [m for m in drawn.marks("accent") if m.kind == "4"]
    assert [height.read(m.y) for m in discs] == pytest.approx(scores, abs=height.fine)
    assert [area.read(m.y) for m in diamonds] == pytest.approx(areas, abs=area.fine)
    assert [across.read(m.x) for m in discs] == pytest.approx(list(range(6)), abs=across.fine)
    bars = [piece for path in drawn.paths("accent", 1.8) for piece in path]
    lows = [height.read(max(a[1], b[1])) for a, b in bars[:6]]
    assert lows == pytest.approx([v - 2 for v in scores], abs=height.fine)


def test_numbers_keep_clear_of_the_line_they_belong_to() -> None:
    steep = [_point(s, v) for s, v in enumerate((93.9, 42.2, 33.2, 21.4, 12.2, 10.9))]
    drawn = Drawn(charts.severity_response("X", steep, [], "k"))
    line = drawn.paths("accent", 2.4)[0][0]
    for word in (w for w in drawn.words() if w.bold and w.anchor == "middle"):
        half = text_width(word.text, 10, bold=True) / 2
        for (x0, y0), (x1, y1) in pairwise(line):
            along = [(x0 + (x1 - x0) * t / 50, y0 + (y1 - y0) * t / 50) for t in range(51)]
            assert not [p for p in along if abs(p[0] - word.x) < half - 1 and abs(p[1] - word.y) < 4], word.text


@settings(max_examples=15)
@given(
    st.floats(-14, 14), st.floats(0.1, 4), st.floats(0.5, 10), st.lists(st.floats(-14, 14), max_size=5),
    st.sampled_from(["PASS", "FAIL", "INCONCLUSIVE", "ERROR"]),
)  # fmt: skip
def test_a_forest_row_can_be_read_off(
    value: float, half: float, margin: float, singles: list[float], verdict: Verdict
) -> None:
    audit = _audit("x", value, verdict, margin)
    cells = [audit.parts[0].model_copy(update={"estimate": around(v, 1)}) for v in singles]
    audit = audit.model_copy(update={"parts": cells or audit.parts, "estimate": around(value, half)})
    drawn = Drawn(forest.forest("F", [audit], POINTS, (-20, 20), "k", "Change"))
    across = drawn.scale("−10", "+10", "x")
    close = {"abs": across.fine}
    (mark,) = drawn.marks(verdict)
    assert across.read(mark.x) == pytest.approx(value, **close)
    ((interval,),) = drawn.paths(verdict, 2.0)
    assert [across.read(x) for x, _ in interval] == pytest.approx([value - half, value + half], **close)
    (band,) = drawn.boxes("band")
    assert across.read(band["x"]) == pytest.approx(-margin, **close)
    assert across.read(band["x"] + band["width"]) == pytest.approx(margin, **close)
    assert band["y"] < mark.y < band["y"] + band["height"]
    ((low, high),) = drawn.paths("edge", dash="3 2")
    assert [across.read(low[0][0]), across.read(high[0][0])] == pytest.approx([-margin, margin], **close)
    ticks = [piece for path in drawn.paths("faint", 1.0) for piece in path]
    assert [across.read(t[0][0]) for t in ticks] == pytest.approx(singles or [value], **close)


def test_limits_that_differ_between_all_and_each_modality_are_both_drawn() -> None:
    cell = _audit("x", 1.0).parts[0]
    cells = [
        cell.model_copy(update={"stratum": Stratum(), "margin_low": -5.0, "margin_high": 5.0}),
        *(
            cell.model_copy(update={"stratum": Stratum(level=m), "margin_low": -10.0, "margin_high": 10.0})
            for m in ("ct", "mr")
        ),
    ]
    audit = _audit("x", 1.0).model_copy(update={"parts": cells})
    limits = forest.forest_limits([audit], POINTS)
    assert limits[1] > 10
    chart = forest.forest("F", [audit], POINTS, limits, "k", "Change")
    drawn = Drawn(chart)
    across = drawn.scale("−5", "+5", "x")
    (band,) = drawn.boxes("band")
    assert across.read(band["x"]) == pytest.approx(-5, abs=across.fine)
    (dotted,) = drawn.paths("edge", dash="1 2")
    assert [across.read(piece[0][0]) for piece in dotted] == pytest.approx([-10, 10], abs=across.fine)
    assert chart.rows[0][3] == "−5.0 to +5.0 points; in each modality −10.0 to +10.0 points"
    assert "Dotted" in chart.caption


def test_a_row_without_an_estimate_has_its_verdict_and_no_place_on_the_axis() -> None:
    drawn = Drawn(forest.forest("F", [_audit("x", None, "ERROR")], POINTS, (-9, 9), "k", "Change"))
    assert drawn.texts().count("not measured") == 2
    assert not drawn.paths("ERROR")
    assert not drawn.boxes("band")


def test_an_interval_far_outside_gets_an_arrow_and_keeps_its_numbers() -> None:
    audits = [_audit("near", 1.0), _audit("far", 90.0, "FAIL")]
    limits = forest.forest_limits(audits, POINTS)
    assert limits == pytest.approx((-33.6, 33.6))
    chart = forest.forest("F", audits, POINTS, limits, "k", "Change")
    assert "+90.0 (+89.0 to +91.0)" in _texts(chart)
    (arrow,) = Drawn(chart).marks("FAIL")
    assert arrow.kind == "3"
    (whole,) = Drawn(forest.forest("F", audits, POINTS, (-100, 100), "k", "Change")).marks("FAIL")
    assert whole.kind == "4"


def test_limits_hold_the_region_even_when_estimates_are_small() -> None:
    low, high = forest.forest_limits([_audit("a", 0.1)], POINTS)
    assert low < -5 < 5 < high
    assert forest.forest_limits([], POINTS)[0] < forest.forest_limits([], POINTS)[1]


def test_outcome_tables_count_every_answer() -> None:
    outcomes = Outcomes(scored=900, refused=50, no_image=5, unparsed=25, out_of_range=10, truncated=6, error=4)
    chart = forest.outcome_bars("Answers", [("rating", outcomes)], "k")
    (row,) = chart.rows
    assert row[:3] == ("rating", "1,000", "900 (90.0 %)")
    assert sum(int(cell.split()[0]) for cell in row[2:]) == 1000
    assert "90.0 %" in _texts(chart)
    assert "refused 5.0 %, said there is no image 0.5 %, not readable 2.5 %" in _texts(chart), (
        "said in words for those who see no colour"
    )
    drawn = Drawn(chart)
    (full,) = drawn.boxes("grid")
    for name in Outcomes.model_fields:
        part = drawn.boxes(name)[-1]  # the first is the key's
        assert (part["width"] + 0.8) / full["width"] == pytest.approx(getattr(outcomes, name) / 1000, abs=0.001)


def test_n_is_given_as_a_range_when_rows_differ() -> None:
    assert charts.n_words([(40, 36), (40, 36)]) == "n = 40 images of 36 patients"
    assert charts.n_words([(40, 36), (1, 1)]) == "n = 1 to 40 images of 1 to 36 patients"
    assert charts.n_words([]) == "n = 0 images"
    assert charts.level_words([Estimate(level=0.9), None]) == "90 % intervals"
    assert charts.level_words([Estimate(level=0.9), Estimate(level=0.95)]) == "intervals"


@settings(max_examples=8)
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
    for chart in (
        charts.severity_response("X", points, auroc, "a"),
        charts.modality_multiples("X", points, [], "points", "b"),
    ):
        ElementTree.fromstring(chart.svg)
        assert "nan" not in chart.svg.lower()


def test_the_full_sample_has_all_its_numbers_in_the_tables(lean: Evidence, sample: ModuleType) -> None:
    audit = next(a for a in lean.audits if a.id == "sensitivity/pixelate")
    response = charts.severity_response(audit.title, audit.series, audit.series, "a")
    multiples = charts.modality_multiples(audit.title, audit.series, audit.parts, audit.unit, "b")
    assert len(response.rows) == 6 * (1 + len(sample.MODALITIES))
    assert len(multiples.rows) == len(sample.MODALITIES)
    assert len(Drawn(multiples).marks()) == len(sample.MODALITIES)


@given(st.lists(st.floats(-50, 350), max_size=14), st.floats(5, 20))
def test_labels_are_spread_in_order_and_stay_inside(wanted: list[float], gap: float) -> None:
    places = spread(wanted, gap, 0, 300)
    order = sorted(range(len(wanted)), key=lambda i: (wanted[i], i))
    ranked = [places[i] for i in order]
    assert all(b - a >= gap - 1e-6 for a, b in pairwise(ranked))
    assert all(-1e-6 <= p <= 300 + 1e-6 for p in places)


def test_labels_with_room_stay_where_they_are_wanted() -> None:
    assert spread([100, 20, 60], 10, 0, 300) == [100, 20, 60]
    assert spread([50, 50], 10, 0, 300) == [45, 55]


@given(st.floats(-1e6, 1e6), st.floats(1e-6, 1e6), st.integers(2, 8))
def test_round_numbers_hold_the_range(low: float, width: float, most: int) -> None:
    high = low + width
    numbers = round_numbers(low, high, most)
    slack = 1e-6 * (width + abs(low))
    assert numbers[0] <= low + slack
    assert numbers[-1] >= high - slack
    assert 2 <= len(numbers) <= most + 1
    inside = Axis(low, high, 0, 100).ticks(most)
    assert set(inside) <= set(numbers)
    assert all(low <= t <= high for t in inside)


def test_widths_are_those_of_the_widest_common_font() -> None:
    fonts = pytest.importorskip("matplotlib").get_data_path()
    from PIL import ImageFont

    for name, bold in (("DejaVuSans.ttf", False), ("DejaVuSans-Bold.ttf", True)):
        font = ImageFont.truetype(str(Path(fonts, "fonts", "ttf", name)), 1000)
        for words in ("JPEG compression", "Nuclear medicine", "Accent: foreign vs local", "+1.0 (−0.8 to +2.4)"):
            assert text_width(words, 1000, bold=bold) == pytest.approx(font.getlength(words), rel=0.04)


@given(st.text(max_size=60), st.floats(20, 200))
def test_names_never_reach_beyond_their_room(words: str, room: float) -> None:
    shown = fitted(words, room, 10)
    assert text_width(shown, 10) <= room or len(shown) <= 12
    lines = wrapped(words, (room, room), 10)
    assert 1 <= len(lines) <= 2
    assert all(text_width(line, 10) <= room or len(line) <= 12 for line in lines)


_OVERLAPS = """() => [...document.querySelectorAll('svg.chart')].flatMap(s => {
  const box = s.getBoundingClientRect(), out = [];
  const words = [...s.querySelectorAll('text')].filter(e => !e.hasAttribute('transform'))
    .map(e => ({text: e.textContent, r: e.getBoundingClientRect()})).filter(w => w.r.width);
  for (const {text, r} of words)
    if (r.left < box.left - 1 || r.right > box.right + 1 || r.top < box.top - 2 || r.bottom > box.bottom + 2)
      out.push('outside: ' + text);
  words.forEach((a, i) => words.slice(i + 1).forEach(b => {
    const wide = Math.min(a.r.right, b.r.right) - Math.max(a.r.left, b.r.left);
    const tall = Math.min(a.r.bottom, b.r.bottom) - Math.max(a.r.top, b.r.top);
    if (wide > 1 && tall > 3.5) out.push(a.text + ' | ' + b.text);
  }));
  return out.map(o => s.querySelector('title').textContent + ': ' + o);
})"""


@pytest.mark.slow
@pytest.mark.parametrize("font", ["DejaVu Sans", "sans-serif"])
def test_no_word_covers_another_or_leaves_its_figure(every: list[Chart], chromium: Any, font: str) -> None:
    page = chromium.new_page(viewport={"width": 700, "height": 800})
    figures = "".join(f'<div style="width:330px">{c.svg}</div>' for c in every)
    page.set_content(f'<!doctype html><body style="font-family:{font}">{figures}')
    overlaps = page.evaluate(_OVERLAPS)
    page.close()
    assert overlaps == []


@pytest.mark.slow
def test_the_pdf_engine_draws_every_kind_of_figure(every: list[Chart]) -> None:
    weasyprint = pytest.importorskip("weasyprint")
    from auditkit.report.pdf.figures import picture

    pictures = [picture(chart).source for chart in (every[0], every[1], *every[-10:])]
    pdf = weasyprint.HTML(string="".join(f'<img src="{s}">' for s in pictures)).write_pdf(uncompressed_pdf=True)
    painted = {
        tuple(round(255 * float(share)) for share in fill.split())
        for fill in re.findall(rb"((?:\d?\.?\d+ ){3})(?:rg|RG)\b", pdf)
    }
    for role in ("ink", "muted", "accent", "PASS", "FAIL", "INCONCLUSIVE", "ERROR", "band", "scored", "refused"):
        assert tuple(bytes.fromhex(INKS[role][1:])) in painted, role
