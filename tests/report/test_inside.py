from __future__ import annotations

import math
import re
from itertools import count
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditkit.evidence import EmbeddingPoint, EmbeddingShift, Estimate, Evidence
from auditkit.report.figures.inside import inside, similarity_multiples
from auditkit.report.figures.svg import Chart
from auditkit.report.html import render_html

TITLES = ("Brightness up", "Contrast loss", "Gaussian noise", "Motion blur", "Pixelation")
MODALITIES = ("all", "ct", "mr", "xray")


def _shift(
    title: str, kind: str = "vision", modality: str = "all", loss: float = 0.02, n: int = 40, missing: int = 0
) -> EmbeddingShift:
    """Similarity falls by `loss` per severity, the score by 4 points."""

    def estimate(value: float, half: float, unit: str) -> Estimate:
        return Estimate(value=value, low=value - half, high=value + half, level=0.9, unit=unit) if n else Estimate()

    return EmbeddingShift(
        kind=kind,
        perturbation=title.lower().replace(" ", "_"),
        title=title,
        modality=modality,
        between=0.55 if kind == "vision" else 0.98,
        follows=estimate(0.75, 0.1, "correlation"),
        n_follows=n,
        series=[
            EmbeddingPoint(
                level=s,
                similarity=estimate(1 - loss * s, 0.004, "cosine"),
                score_change=estimate(-4.0 * s, 1, "points"),
                ssim=1 - 0.1 * s,
                n_images=n,
                n_clusters=n,
                n_missing=missing,
            )
            for s in range(1, 6)
        ],
    )


def _shifts(**more: int) -> list[EmbeddingShift]:
    return [
        _shift(title, kind, modality, loss * (0.5 + number) * (1 + 0.3 * math.sin(place)), **more)
        for kind, loss in (("vision", 0.02), ("language", 0.001))
        for place, modality in enumerate(MODALITIES)
        for number, title in enumerate(TITLES)
    ]


def _texts(chart: Chart) -> list[str]:
    return [element.text or "" for element in ElementTree.fromstring(chart.svg).iter("text")]


def _with(record: Evidence, shifts: list[EmbeddingShift]) -> Evidence:
    return record.model_copy(update={"embeddings": shifts, "audits": record.audits[:1]})


def _section(page: str) -> str:
    return page[page.index('<section id="inside"') : page.index('<section id="cases"')]


def test_a_record_without_embeddings_has_no_section(brief: Evidence) -> None:
    assert brief.embeddings == []
    assert 'href="#inside"' not in (page := render_html(_with(brief, [])))
    assert 'id="inside"' not in page


def test_the_section_survives_the_way_through_the_file(brief: Evidence) -> None:
    record = _with(brief, _shifts())
    again = Evidence.from_json(record.to_json())
    assert again.embeddings == record.embeddings
    page = render_html(again)
    assert _section(page) == _section(render_html(record))
    assert '<a href="#inside">' in page
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))


def test_the_page_says_what_was_measured_and_that_nothing_rests_on_it(brief: Evidence) -> None:
    section = _section(render_html(_with(brief, _shifts(missing=3))))
    words = " ".join(re.sub(r"<[^>]+>", " ", section).split())
    assert "no verdict rests on it" in words
    assert "0.550 (image features), 0.980 (language features)" in words
    assert f"{3 * 5 * 5 * 2} embeddings could not be had" in words
    row = r"Pixelation 0\.50 −20\.0 −21\.0 to −19\.0 0\.550 0\.546 to 0\.554 \+0\.75 \+0\.65 to \+0\.85"
    assert re.search(row, words)


def test_one_row_per_corruption_with_every_kind_beside_it() -> None:
    found = inside(_shifts(), (f"k{i}" for i in count()).__next__)
    assert found is not None
    assert list(found.kinds) == ["Image features", "Language features"]
    assert [row.title for row in found.rows] == list(TITLES)
    assert all(len(row.cells) == 1 + 2 * 2 for row in found.rows)
    assert [chart.key for chart in found.charts] == ["k0", "k1"]


def test_a_kind_that_lacks_a_corruption_leaves_a_gap() -> None:
    found = inside([_shift("Pixelation"), _shift("Motion blur"), _shift("Pixelation", "language")], lambda: "k")
    assert found is not None
    assert found.rows[1].cells[3:] == [("–", ""), ("–", "")]


def test_the_chart_can_be_read_without_seeing_it() -> None:
    chart = similarity_multiples("vision", [s for s in _shifts() if s.kind == "vision"], "k")
    root = ElementTree.fromstring(chart.svg)
    assert [root[0].text, root[1].text] == [chart.title, chart.description]
    assert "Pixelation 0.910 to 0.550" in chart.description
    assert "n = 40 images of 40 patients" in chart.caption
    assert "90 % intervals" in chart.caption
    assert "0.550" in chart.caption
    assert len(chart.rows) == len(TITLES) * len(MODALITIES)
    assert all(len(row) == len(chart.columns) for row in chart.rows)
    texts = _texts(chart)
    assert {"score −20.0", "0.550", "1", "Pixelation"} <= set(texts)
    assert len(chart.svg) < 30_000


def test_small_shifts_are_drawn_large_with_more_digits() -> None:
    chart = similarity_multiples("language", [s for s in _shifts() if s.kind == "language"], "k")
    texts = _texts(chart)
    assert "0.97" in texts, "the axis begins near the smallest"
    assert "0.978" in texts


def test_nothing_measured_is_said_and_not_drawn() -> None:
    chart = similarity_multiples("vision", [_shift("Pixelation", n=0)], "k")
    assert "not measured" in _texts(chart)
    assert "nan" not in chart.svg.lower()
    assert "not measured" in chart.rows[0]
    assert similarity_multiples("vision", [], "k").description == "Nothing was measured."
    empty = _shift("Pixelation").model_copy(update={"series": [], "between": None})
    assert "nan" not in similarity_multiples("vision", [empty], "k").svg.lower()
    found = inside([empty], lambda: "k")
    assert found is not None
    assert found.rows == []


def test_names_are_data(brief: Evidence) -> None:
    evil = "\"'><img src=x onerror=alert(1)>{{ 7 * 7 }}\x1b\u202e"
    section = _section(render_html(_with(brief, [_shift(evil, evil), _shift(evil, evil, evil)])))
    assert "<img src=x" not in section
    assert "{{ 7 * 7 }}" in section
    assert "\x1b" not in section
    assert "⟨U+001B⟩" in section


@settings(max_examples=10, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(MODALITIES), st.none() | st.floats(-1, 1), st.integers(1, 5)), max_size=6))
def test_any_similarities_give_well_formed_drawings(rows: list[tuple[str, float | None, int]]) -> None:
    shifts = [
        EmbeddingShift(
            kind="vision", perturbation="x", title="X", modality=modality, between=value,
            series=[EmbeddingPoint(level=s, similarity=Estimate(value=value), score_change=Estimate())],
        )
        for modality, value, s in rows
    ]  # fmt: skip
    chart = similarity_multiples("vision", shifts, "k")
    ElementTree.fromstring(chart.svg)
    assert "nan" not in chart.svg.lower()


@pytest.mark.parametrize("same", [1.0, 1.0 - 1e-7])
def test_a_model_that_sees_nothing_has_an_axis_all_the_same(same: float) -> None:
    shift = EmbeddingShift(
        kind="vision", perturbation="x", title="X", modality="all", between=same,
        series=[EmbeddingPoint(level=1, similarity=Estimate(value=same), score_change=Estimate(value=0.0))],
    )  # fmt: skip
    chart = similarity_multiples("vision", [shift], "k")
    assert "nan" not in chart.svg.lower()
    assert "inf" not in chart.svg.lower()
    assert "1.000" in _texts(chart)
