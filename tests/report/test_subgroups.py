"""Results by group are read off the audits that compare levels, and can be read off the figure."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditkit.evidence import ALL, Audit, Cell, Definition, Estimate, Evidence, PartDefinition, Stratum
from auditkit.report.figures.forest import forest
from auditkit.report.figures.subgroups import PANELS, subgroup_forest
from auditkit.report.gaps import TOO_FEW, Groups, groups
from auditkit.report.html import render_html
from auditkit.report.views import apart, modalities
from auditkit.words import scale_of
from tests.report.drawn import Drawn, number

FALL = "points per severity step"
KINDS = (
    ("Score", "score", "points", 1.0),
    ("Fall per step", "score", FALL, 0.25),
    ("Lost answers", "lost", "share", 0.02),
)
SAID = "Furthest apart of 2 levels of site: a minus b."


def _estimate(value: float | None, half: float, unit: str) -> Estimate:
    if value is None:
        return Estimate(unit=unit)
    return Estimate(value=value, low=value - half, high=value + half, level=0.9, unit=unit)


def _cell(column: str, level: str, estimate: Estimate, n: int, sentence: str = "") -> Cell:
    return Cell(
        stratum=Stratum(column=column, level=level),
        required=False,
        verdict="INCONCLUSIVE",
        sentence=sentence,
        estimate=estimate,
        n_images=n + 2,
        n_clusters=n,
        rule=TOO_FEW if n < 24 and level != ALL else "",
    )


def _audit(
    column: str,
    kind: tuple[str, str, str, float],
    levels: dict[str, tuple[int, float | None]],
    *,
    gap: float | None = None,
    half: float | None = None,
    said: str = SAID,
    change: bool = False,
) -> Audit:
    name, quantity, unit, usual = kind
    reach = usual if half is None else half
    cells = [_cell(column, ALL, _estimate(gap, 1.0, unit), 0 if gap is None else 60, said)]
    cells += [_cell(column, level, _estimate(value, reach, unit), n) for level, (n, value) in levels.items()]
    return Audit(
        id=f"own/{column}-{name}", question="?", family="own", quantity=quantity, unit=unit, change=change, shown=True,
        title=f"{name} by {column}", verdict="INCONCLUSIVE", sentence=said, estimate=cells[0].estimate, parts=cells,
        definition=Definition(between=column, parts=[PartDefinition(terms=[])]),
    )  # fmt: skip


def _groups(evidence: Evidence, *audits: Audit) -> Groups:
    (found,) = groups(evidence.model_copy(update={"audits": list(audits)}))
    return found


def _panels(drawn: Drawn) -> list[tuple[float, float, float, float]]:
    """Per column: the limits written below, and the pixels they stand at (the short strokes at both ends)."""
    ends = sorted({piece[0][0] for path in drawn.paths("grid", 1.0) for piece in path})
    bottom = max(w.y for w in drawn.words())
    limits = [number(w.text) for w in sorted(drawn.words(), key=lambda w: w.x) if w.y == bottom]
    return [(limits[i], limits[i + 1], ends[i], ends[i + 1]) for i in (0, 2, 4)]


@pytest.fixture(scope="module")
def record(lean: Evidence) -> Evidence:
    return lean


@settings(max_examples=15)
@given(
    values=st.lists(
        st.tuples(st.floats(2, 98), st.floats(-20, 5), st.floats(0.02, 0.98)), min_size=1, max_size=5
    )
)  # fmt: skip
def test_every_level_can_be_read_off(record: Evidence, values: list[tuple[float, float, float]]) -> None:
    audits = [
        _audit("site", kind, {f"level {i}": (50, v[place]) for i, v in enumerate(values)})
        for place, kind in enumerate(KINDS)
    ]
    chart = subgroup_forest(_groups(record, *audits), "k")
    assert chart is not None
    drawn = Drawn(chart)
    panels = _panels(drawn)
    dots = drawn.marks("accent")
    assert len(dots) == 3 * len(values)
    for row, value in enumerate(values):
        for (low, high, start, end), dot, true in zip(
            panels, dots[3 * row :], (*value[:2], 100 * value[2]), strict=False
        ):
            assert start - 0.1 <= dot.x <= end + 0.1
            assert low + (dot.x - start) / (end - start) * (high - low) == pytest.approx(true, abs=(high - low) / 250)
    spans = [path[0] for path in drawn.paths("accent", 1.8)]
    for (low, high, start, end), ((left, _), (right, _)), (value, half) in zip(
        panels, spans, ((values[0][0], 1), (values[0][1], 0.25), (100 * values[0][2], 2)), strict=False
    ):
        scale = (high - low) / (end - start)
        assert low + (left - start) * scale == pytest.approx(max(value - half, low), abs=scale / 4)
        assert low + (right - start) * scale == pytest.approx(min(value + half, high), abs=scale / 4)


def test_small_levels_are_marked_faint_and_do_not_stretch_the_axes(record: Evidence) -> None:
    large = _audit("sex", KINDS[0], {"large": (200, 80.0)})
    small = _cell("sex", "small", _estimate(70.0, 60.0, "points"), 3)
    others = [_audit("sex", kind, {"large": (200, 0.1), "small": (3, 0.1)}) for kind in KINDS[1:]]
    audit = large.model_copy(update={"parts": [*large.parts, small]})
    chart = subgroup_forest(_groups(record, audit, *others), "k")
    assert chart is not None
    drawn = Drawn(chart)
    assert "n = 5 of 3, too few" in drawn.texts()
    assert "n = 202 of 200" in drawn.texts()
    low, high, start, end = _panels(drawn)[0]
    assert low >= 60
    hollow = [m for m in drawn.marks("muted") if m.hollow]
    assert len(hollow) == 3
    assert low + (hollow[0].x - start) / (end - start) * (high - low) == pytest.approx(70, abs=0.5)
    arrows = [m for m in drawn.marks("faint") if m.kind == "3"]
    assert arrows, "its interval goes on beyond the axis"
    assert [row[-1] for row in chart.rows] == ["", "too few"]
    assert "small, too few patients" in chart.description


def test_a_level_too_small_for_one_number_is_not_called_so_for_all(record: Evidence) -> None:
    """Of 30 patients 10 have a score: too few for its mean, and not for the share of lost answers."""
    score = _audit("site", KINDS[0], {"a": (10, 60.0), "b": (40, 70.0)})
    lost = _audit("site", KINDS[2], {"a": (30, 0.6), "b": (40, 0.0)})
    group = _groups(record, score, lost)
    chart = subgroup_forest(group, "k")
    assert chart is not None
    assert group.of("a") == (32, 30)
    assert [row[-1] for row in chart.rows] == ["", ""]
    assert len([m for m in Drawn(chart).marks("muted") if m.hollow]) == 1


def test_what_was_not_measured_is_said(record: Evidence) -> None:
    group = _groups(record, _audit("age", KINDS[0], {"0-9": (30, None), "unknown": (30, 50.0)}))
    chart = subgroup_forest(group, "k")
    assert chart is not None
    assert "not measured" in Drawn(chart).texts()
    assert chart.rows[0][1] == "not measured"
    assert "nan" not in chart.svg.lower()
    assert subgroup_forest(_groups(record, _audit("age", KINDS[0], {})), "k") is None


def test_the_largest_gap_is_told_with_its_sign_and_levels_have_none(record: Evidence) -> None:
    said = "+8.0 [5.0, 11.0] points over 60 patients. Furthest apart of 2 levels of sex: m minus f."
    audit = _audit("sex", KINDS[0], {"f": (30, 60.0), "m": (30, 68.0)}, gap=8.0, said=said)
    group = _groups(record, audit)
    chart = subgroup_forest(group, "k")
    assert chart is not None
    assert f"Score, largest gap: {said}" in chart.description
    assert "no verdict rests on it" in chart.caption
    assert "n = 32 images of 30 patients" in chart.caption
    assert chart.rows[0][1].startswith("60.0 (")
    page = render_html(record.model_copy(update={"audits": [audit]}))
    assert "+8.0 points (90 % interval +7.0 to +9.0)" in page
    assert "60.0 (59.0 to 61.0)" in page
    assert "+60.0" not in page


def test_a_change_has_its_sign_in_every_level(record: Evidence) -> None:
    """An own audit may compare how far a perturbation moves the score; it can go either way."""
    kind = ("Jpeg", "score", "points", 1.0)
    chart = subgroup_forest(_groups(record, _audit("site", kind, {"a": (30, 2.0), "b": (30, -5.0)}, change=True)), "k")
    assert chart is not None
    assert [row[1][:4] for row in chart.rows] == ["+2.0", "−5.0"]
    assert "−20" in Drawn(chart).texts() or "−10" in Drawn(chart).texts(), "the axis does not end at zero"


def test_more_numbers_than_fit_side_by_side_make_more_figures(record: Evidence) -> None:
    audits = [_audit("site", (f"Number {i}", "score", "points", 1.0), {"a": (30, 50.0)}) for i in range(4)]
    group = _groups(record, *audits)
    assert [len(piece.gaps) for piece in group.in_pieces(PANELS)] == [3, 1]
    page = render_html(record.model_copy(update={"audits": audits}))
    section = page[page.index('id="subgroups"') :].partition("</section>")[0]
    assert section.count("<figure") == 2


def test_a_sentence_true_of_all_is_said_once(record: Evidence) -> None:
    unknown = "No image has a known sex: nothing can be told about it."
    audits = [_audit("sex", kind, {"unknown": (30, 0.5)}, said=unknown) for kind in KINDS]
    [(about, sentence)] = _groups(record, *audits).told
    assert sentence == unknown
    assert [gap.name for gap in about] == ["Score", "Fall per step", "Lost answers"]


def test_level_names_are_data(record: Evidence) -> None:
    evil = "<script>x</script>\u202e" + "long " * 30
    audit = _audit(evil, KINDS[0], {evil: (30, 50.0)}, said=evil)
    chart = subgroup_forest(_groups(record, audit), "k")
    assert chart is not None
    assert "<script" not in chart.svg
    assert "\u202e" not in chart.svg
    assert "<script>x" not in render_html(record.model_copy(update={"audits": [audit]}))


def test_gaps_are_drawn_in_their_section_only_and_listed_with_the_rest(record: Evidence) -> None:
    """Levels of a column are no modalities, and a gap is not drawn again among other information."""
    page = render_html(record)
    assert 'id="subgroups"' in page
    assert [family.name for family in apart(record)] == []
    assert 'id="information"' not in page
    listed = page[page.index('id="audits"') :]
    for audit in record.informing:
        assert audit.title in listed
    assert "female" not in modalities(record)


def test_the_sample_is_drawn(record: Evidence) -> None:
    found = groups(record)
    assert [group.column for group in found] == ["manufacturer", "sex"]
    for group in found:
        chart = subgroup_forest(group, "k")
        assert chart is not None
        assert [row[0] for row in chart.rows] == group.levels


def _gated(verdict: str = "FAIL") -> Audit:
    """A gap between two sites that is held to 5 points, as the judge records it."""
    audit = _audit("site", KINDS[0], {"a": (60, 50.0), "b": (60, 62.0)}, said="a minus b.")
    gap = Estimate(value=-12.0, low=-14.0, high=-10.0, level=0.9, unit="points")
    together = audit.parts[0].model_copy(
        update={"estimate": gap, "required": True, "verdict": verdict, "margin_low": -5.0, "margin_high": 5.0}
    )
    return audit.model_copy(
        update={
            "shown": False, "verdict": verdict, "verb": "within", "limit": {"within": 5.0}, "estimate": gap,
            "parts": [together, *audit.parts[1:]],
        }
    )  # fmt: skip


def test_a_gap_that_is_held_to_a_limit_says_so_with_its_verdict(record: Evidence) -> None:
    audit = _gated()
    chart = subgroup_forest(_groups(record, audit), "k")
    assert chart is not None
    assert "For information" not in chart.caption
    assert "every two levels within ±5.0 points, FAIL" in chart.caption
    page = render_html(record.model_copy(update={"audits": [audit]}))
    section = page[page.index('id="subgroups"') :].partition("</section>")[0]
    assert "every two levels within ±5.0 points, FAIL" in section
    assert "no verdict rests on it" not in section
    assert "The largest gap between two known groups" not in section


def test_a_gap_is_drawn_against_its_limit_without_the_numbers_of_the_levels() -> None:
    audit = _gated()
    chart = forest("Sites", [audit], scale_of(audit), (-20.0, 70.0), "k", "Difference")
    drawn = Drawn(chart)
    assert chart.rows[0][3] == "−5.0 to +5.0 points"
    assert not drawn.paths("faint", 1), "the levels' own numbers, 50 and 62, are no differences"
    assert drawn.paths("edge", 1.2)


def test_numbers_are_named_without_the_columns_that_the_figure_is_about(record: Evidence) -> None:
    crossed = _audit("sex*site", KINDS[0], {"F × a": (30, 60.0), "M × b": (30, 61.0)}, gap=1.0)
    crossed = crossed.model_copy(update={"title": "Score by sex and site"})
    [group] = groups(record.model_copy(update={"audits": [crossed]}))
    assert group.name == "Sex and site"
    assert [gap.name for gap in group.gaps] == ["Score"]
