from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditkit.evidence import Estimate, Evidence, Subgroup, SubgroupLevel
from auditkit.report.figures.subgroups import subgroup_forest
from tests.report.drawn import Drawn, number
from tests.report.sample import around

FEW = "Too few patients (fewer than 24): small (3)."


def _level(
    name: str, n: int, score: float | None, fall: float = -5.0, lost: float = 0.1, half: float = 1
) -> SubgroupLevel:
    return SubgroupLevel(
        level=name,
        n_images=n + 2,
        n_clusters=n,
        too_few=n < 24,
        score=around(score, half),
        fall=around(fall, half / 4, "points per severity step"),
        unusable=around(lost, 0.02, "share"),
    )


def _panels(drawn: Drawn) -> list[tuple[float, float, float, float]]:
    """Per column: the limits written below, and the pixels they stand at (the short strokes at both ends)."""
    ends = sorted({piece[0][0] for path in drawn.paths("grid", 1.0) for piece in path})
    bottom = max(w.y for w in drawn.words())
    limits = [number(w.text) for w in sorted(drawn.words(), key=lambda w: w.x) if w.y == bottom]
    return [(limits[i], limits[i + 1], ends[i], ends[i + 1]) for i in (0, 2, 4)]


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.floats(2, 98), st.floats(-20, 5), st.floats(0.02, 0.98)), min_size=1, max_size=5))
def test_every_level_can_be_read_off(values: list[tuple[float, float, float]]) -> None:
    levels = [_level(f"level {i}", 50, *v) for i, v in enumerate(values)]
    chart = subgroup_forest(Subgroup(attribute="site", levels=levels), "k")
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
        assert low + (left - start) * scale == pytest.approx(value - half, abs=scale / 4)
        assert low + (right - start) * scale == pytest.approx(value + half, abs=scale / 4)


def test_small_levels_are_marked_faint_and_do_not_stretch_the_axes() -> None:
    levels = [_level("large", 200, 80.0), _level("small", 3, 70.0, half=60)]
    chart = subgroup_forest(Subgroup(attribute="sex", levels=levels, sentence=FEW), "k")
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
    assert FEW in chart.caption


def test_what_was_not_measured_is_said() -> None:
    chart = subgroup_forest(
        Subgroup(attribute="age", levels=[_level("0-9", 30, None), _level("unknown", 30, 50.0)]), "k"
    )
    assert chart is not None
    assert "not measured" in Drawn(chart).texts()
    assert chart.rows[0][1] == "not measured"
    assert "nan" not in chart.svg.lower()
    only = SubgroupLevel(level="x", score=Estimate(), fall=Estimate(), unusable=Estimate(unit="share"))
    assert subgroup_forest(Subgroup(attribute="age", levels=[only]), "k") is not None
    assert subgroup_forest(Subgroup(attribute="age"), "k") is None


def test_the_largest_difference_is_told() -> None:
    gap = Estimate(value=8.0, low=5.0, high=11.0, level=0.9)
    subgroup = Subgroup(attribute="sex", levels=[_level("f", 30, 60.0), _level("m", 30, 68.0)], gap=gap, sentence="S.")
    chart = subgroup_forest(subgroup, "k")
    assert chart is not None
    assert "Largest difference between levels: +8.0 points (90 % interval +5.0 to +11.0)" in chart.description
    assert "no verdict rests on it" in chart.caption
    assert "n = 32 images of 30 patients" in chart.caption


def test_level_names_are_data() -> None:
    evil = "<script>x</script>\u202e" + "long " * 30
    chart = subgroup_forest(Subgroup(attribute=evil, levels=[_level(evil, 30, 50.0)]), "k")
    assert chart is not None
    assert "<script" not in chart.svg
    assert "\u202e" not in chart.svg


def test_the_sample_is_drawn(lean: Evidence) -> None:
    for subgroup in lean.subgroups:
        chart = subgroup_forest(subgroup, "k")
        assert chart is not None
        assert [row[0] for row in chart.rows] == [level.level for level in subgroup.levels]
