from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditkit.evidence import Audit, Estimate, Evidence, Point, Stratum
from auditkit.report.figures.dose import dose_response
from tests.report.drawn import Drawn


def _audit(title: str, places: list[tuple[float | None, float | None]], modality: str = "all") -> Audit:
    """One corruption: (SSIM, score) per severity."""
    return Audit(
        id=f"sensitivity/{title}",
        question="?",
        family="sensitivity",
        verb="at_least",
        unit="points per severity step",
        title=title,
        verdict="PASS",
        sentence="S.",
        estimate=Estimate(),
        series=[
            Point(
                stratum=Stratum(level=modality),
                condition=f"s{severity}",
                level=severity,
                n_images=30,
                n_clusters=28,
                score=Estimate() if score is None else Estimate(value=score, low=score - 3, high=score + 3, level=0.9),
                ssim=dose,
            )
            for severity, (dose, score) in enumerate(places)
        ],
    )


@settings(max_examples=15)
@given(st.lists(st.tuples(st.floats(0.05, 0.85), st.floats(5, 95)), min_size=1, max_size=5))
def test_dose_and_score_can_be_read_off(places: list[tuple[float, float]]) -> None:
    chart = dose_response([_audit("Blur", [(1.0, 90.0), (0.02, 50.0), *places])], "k")
    assert chart is not None
    drawn = Drawn(chart)
    down, across = drawn.scale("25", "100", "y"), drawn.scale("0.2", "0.8", "x")
    dots = drawn.marks("accent")[:-1]  # the last stands beside the name
    wanted = [(1.0, 90.0), (0.02, 50.0), *places]
    assert [across.read(m.x) for m in dots] == pytest.approx([dose for dose, _ in wanted], abs=across.fine)
    assert [down.read(m.y) for m in dots] == pytest.approx([score for _, score in wanted], abs=down.fine)
    bars = drawn.paths("faint", 1.4)[0]
    assert [down.read(bar[0][1]) for bar in bars] == pytest.approx([score - 3 for _, score in wanted], abs=down.fine)


def test_damage_grows_to_the_right() -> None:
    chart = dose_response([_audit("Blur", [(1.0, 90.0), (0.5, 40.0)])], "k")
    assert chart is not None
    clean, damaged = Drawn(chart).marks("accent")[:2]
    assert clean.x < damaged.x
    assert clean.y < damaged.y


def test_every_line_has_its_name_beside_its_own_marker() -> None:
    titles = [f"Corruption {letter}" for letter in "ABCDEFGHIJKL"]
    chart = dose_response([_audit(t, [(1.0, 90.0), (0.4, 30.0 + i)]) for i, t in enumerate(titles)], "k")
    assert chart is not None
    drawn = Drawn(chart)
    names = {word.text: word for word in drawn.words() if word.text in titles}
    assert set(names) == set(titles)
    heights = sorted(word.y for word in names.values())
    assert min(b - a for a, b in pairwise(heights)) > 11
    looks = set()
    for title in titles:
        (key,) = [m for m in drawn.marks() if abs(m.y - names[title].y) < 0.6 and 0 < names[title].x - m.x < 10]
        # Triangles up and down differ in where their middle lies.
        looks.add((key.kind, key.hollow, key.turned, key.kind == "3" and key.y < names[title].y))
    assert len(looks) == len(titles)
    assert [names[t].y for t in titles] == sorted((word.y for word in names.values()), reverse=True)


def test_modalities_on_their_own_are_not_drawn_and_nothing_is_none() -> None:
    assert dose_response([], "k") is None
    assert dose_response([_audit("Blur", [(1.0, 90.0)], "ct")], "k") is None
    assert dose_response([_audit("Blur", [(None, 90.0), (0.5, None)])], "k") is None


def test_what_has_no_dose_is_named_and_stays_in_the_table() -> None:
    chart = dose_response([_audit("Blur", [(1.0, 90.0), (0.5, 40.0)]), _audit("Haze", [(None, 80.0)])], "k")
    assert chart is not None
    assert "Not drawn, as no dose was measured: Haze." in chart.caption
    assert ("Haze", "clean", "–", "80.0 (77.0 to 83.0)", "–", "30", "28") in chart.rows
    assert "n = 30 images of 28 patients" in chart.caption
    assert "90 % intervals" in chart.caption
    assert "Blur: 90.0 points at SSIM 1.00 to 40.0 points at SSIM 0.50" in chart.description


def test_names_are_data() -> None:
    evil = "<img src=x onerror=alert(1)>\u202e\x00"
    chart = dose_response([_audit(evil, [(1.0, 90.0), (0.5, 40.0)])], "k")
    assert chart is not None
    assert "<img" not in chart.svg
    assert "\x00" not in chart.svg
    assert "⟨U+202E⟩" in chart.svg


def test_the_sample_has_one_line_per_corruption(lean: Evidence) -> None:
    audits = [a for a in lean.audits if a.family == "sensitivity"]
    chart = dose_response(audits, "k")
    assert chart is not None
    assert len(chart.rows) == 6 * len(audits)
    assert len(Drawn(chart).marks()) == 7 * len(audits)
