from __future__ import annotations

import math
import re
from itertools import count
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditkit.evidence import (
    Apart,
    Audit,
    Cell,
    Definition,
    Estimate,
    Evidence,
    Outcomes,
    PartDefinition,
    Point,
    Stratum,
    Term,
)
from auditkit.report import views
from auditkit.report.figures.inside import inside, similarity_multiples
from auditkit.report.figures.svg import Chart
from auditkit.report.html import render_html
from auditkit.report.pdf.document import document
from auditkit.report.shifts import Shift, ShiftPoint, shifts

TITLES = ("Brightness up", "Contrast loss", "Gaussian noise", "Motion blur", "Pixelation")
MODALITIES = ("all", "ct", "mr", "xray")


def _estimate(value: float, half: float, unit: str, n: int = 1) -> Estimate:
    return Estimate(value=value, low=value - half, high=value + half, level=0.9, unit=unit) if n else Estimate()


def _audits(
    title: str,
    kind: str = "vision",
    losses: dict[str, float] | None = None,
    n: int = 40,
    missing: int = 0,
) -> list[Audit]:
    """By stratum, similarity falls by its loss per severity, the score by 4 points."""
    name, losses = title.lower().replace(" ", "_"), losses or {"all": 0.02}
    more = {
        "question": "?", "family": "embeddings", "quantity": "similarity", "shown": True,
        "verdict": "INCONCLUSIVE", "sentence": "S.", "estimate": Estimate(),
    }  # fmt: skip
    conditions = [[(name, s)] for s in range(1, 6)]
    cells = [
        Cell(
            stratum=Stratum(level=level), part=f"severity {s}", level=s, required=False, verdict="INCONCLUSIVE",
            sentence="S.", estimate=_estimate(1 - loss * s, 0.004, "cosine", n),
            reference=0.55 if kind == "vision" else 0.98, n_images=n, n_clusters=n,
            outcomes=Outcomes(scored=n, error=missing),
        )
        for level, loss in losses.items()
        for s in range(1, 6)
    ]  # fmt: skip
    points = [
        Point(
            stratum=Stratum(level=level), condition=f"{name}-s{s}", level=s, score=Estimate(value=80 - 4.0 * s),
            change=_estimate(-4.0 * s, 1, "points", n), ssim=1 - 0.1 * s,
        )
        for level in losses
        for s in range(1, 6)
    ]  # fmt: skip
    parts = [
        PartDefinition(label=f"severity {s}", terms=[Term(weight=1, task="embedding", wording=kind, condition=c)])
        for s, c in enumerate(conditions, 1)
    ]
    both = [
        Term(weight=1, task=task, wording=wording, condition=c)
        for task, wording in (("embedding", kind), ("", ""))
        for c in ([], *conditions)
    ]
    displaced = Audit(
        id=f"embeddings/{kind}-{name}", title=f"{title}, {kind}", unit="cosine", parts=cells, series=points,
        definition=Definition(parts=parts), **more,
    )  # fmt: skip
    following = Audit(
        id=f"embeddings/{kind}-{name}-follows", title=f"{title}, {kind} and score", unit="correlation",
        statistic="follows", definition=Definition(statistic="follows", parts=[PartDefinition(terms=both)]),
        parts=[
            Cell(
                stratum=Stratum(level=level), required=False, verdict="INCONCLUSIVE", sentence="S.",
                estimate=_estimate(0.75, 0.1, "correlation", n), n_images=n,
            )
            for level in losses
        ],
        **more,
    )  # fmt: skip
    return [displaced, following]


def _every(**more: int) -> list[Audit]:
    return [
        audit
        for kind, loss in (("language", 0.001), ("vision", 0.02))
        for number, title in enumerate(TITLES)
        for audit in _audits(
            title,
            kind,
            {m: loss * (0.5 + number) * (1 + 0.3 * math.sin(place)) for place, m in enumerate(MODALITIES)},
            **more,
        )
    ]


def _shifts(kind: str) -> list[Shift]:
    return [shift for shift in shifts(_every()) if shift.kind == kind]


def _texts(chart: Chart) -> list[str]:
    return [element.text or "" for element in ElementTree.fromstring(chart.svg).iter("text")]


def _with(record: Evidence, audits: list[Audit]) -> Evidence:
    return record.model_copy(update={"audits": [*record.audits[:1], *audits]})


def _section(page: str) -> str:
    return page[page.index('<section id="inside"') : page.index('<section id="cases"')]


def test_a_record_without_embeddings_has_no_section(brief: Evidence) -> None:
    assert 'href="#inside"' not in (page := render_html(_with(brief, [])))
    assert 'id="inside"' not in page


def test_the_section_survives_the_way_through_the_file(brief: Evidence) -> None:
    record = _with(brief, _every())
    again = Evidence.from_json(record.to_json())
    assert again.audits == record.audits
    page = render_html(again)
    assert _section(page) == _section(render_html(record))
    assert '<a href="#inside">' in page
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))


def test_the_page_says_what_was_measured_and_that_nothing_rests_on_it(brief: Evidence) -> None:
    section = _section(render_html(_with(brief, _every(missing=3))))
    words = " ".join(re.sub(r"<[^>]+>", " ", section).split())
    assert "no verdict rests on it" in words
    assert "0.550 (image features), 0.980 (language features)" in words
    assert f"{3 * 5 * 5 * 2} embeddings could not be had" in words
    row = r"Pixelation 0\.50 −20\.0 −21\.0 to −19\.0 0\.550 0\.546 to 0\.554 \+0\.75 \+0\.65 to \+0\.85"
    assert re.search(row, words)


def test_one_row_per_corruption_with_every_kind_beside_it() -> None:
    found = inside(_every(), (f"k{i}" for i in count()).__next__)
    assert found is not None
    assert list(found.kinds) == ["Image features", "Language features"]
    assert [row.title for row in found.rows] == list(TITLES)
    assert all(len(row.cells) == 1 + 2 * 2 for row in found.rows)
    assert [chart.key for chart in found.charts] == ["k0", "k1"]


def test_a_kind_that_lacks_a_corruption_leaves_a_gap() -> None:
    found = inside([*_audits("Pixelation"), *_audits("Motion blur"), *_audits("Pixelation", "language")], lambda: "k")
    assert found is not None
    assert found.rows[1].cells[3:] == [("–", ""), ("–", "")]


def test_the_chart_can_be_read_without_seeing_it() -> None:
    chart = similarity_multiples("vision", _shifts("vision"), "k")
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
    chart = similarity_multiples("language", _shifts("language"), "k")
    texts = _texts(chart)
    assert "0.97" in texts, "the axis begins near the smallest"
    assert "0.978" in texts


def test_nothing_measured_is_said_and_not_drawn() -> None:
    chart = similarity_multiples("vision", shifts(_audits("Pixelation", n=0)), "k")
    assert "not measured" in _texts(chart)
    assert "nan" not in chart.svg.lower()
    assert "not measured" in chart.rows[0]
    assert similarity_multiples("vision", [], "k").description == "Nothing was measured."
    empty = Shift("vision", "pixelation", "Pixelation", "all")
    assert "nan" not in similarity_multiples("vision", [empty], "k").svg.lower()
    bare = [audit.model_copy(update={"parts": [], "series": []}) for audit in _audits("Pixelation")]
    assert inside(bare, lambda: "k") is None


def test_names_are_data(brief: Evidence) -> None:
    evil = "\"'><img src=x onerror=alert(1)>{{ 7 * 7 }}\x1b\u202e"
    section = _section(render_html(_with(brief, _audits(evil, evil, {"all": 0.02, evil: 0.03}))))
    assert "<img src=x" not in section
    assert "{{ 7 * 7 }}" in section
    assert "\x1b" not in section
    assert "⟨U+001B⟩" in section


@settings(max_examples=10)
@given(st.lists(st.tuples(st.sampled_from(MODALITIES), st.none() | st.floats(-1, 1), st.integers(1, 5)), max_size=6))
def test_any_similarities_give_well_formed_drawings(rows: list[tuple[str, float | None, int]]) -> None:
    drawn = [
        Shift("vision", "x", "X", modality, between=value, series=[ShiftPoint(s, Estimate(value=value))])
        for modality, value, s in rows
    ]  # fmt: skip
    chart = similarity_multiples("vision", drawn, "k")
    ElementTree.fromstring(chart.svg)
    assert "nan" not in chart.svg.lower()


@pytest.mark.parametrize("same", [1.0, 1.0 - 1e-7])
def test_a_model_that_sees_nothing_has_an_axis_all_the_same(same: float) -> None:
    point = ShiftPoint(1, Estimate(value=same), Estimate(value=0.0))
    shift = Shift("vision", "x", "X", "all", between=same, series=[point])
    chart = similarity_multiples("vision", [shift], "k")
    assert "nan" not in chart.svg.lower()
    assert "inf" not in chart.svg.lower()
    assert "1.000" in _texts(chart)


def test_they_are_drawn_once_and_listed_with_the_others(brief: Evidence) -> None:
    record = _with(brief, _every())
    assert [family.name for family in views.informing(record)] == ["embeddings"]
    assert views.apart(record) == []
    page = render_html(record)
    assert 'id="information"' not in page
    assert 'id="audit-embeddings-vision-pixelation"' in page
    text = document(record, record.to_json().encode())
    assert "Shown for information" not in text
    assert "no verdict rests on it" in text


def test_a_gate_on_them_is_not_called_information(brief: Evidence) -> None:
    gates = [audit.model_copy(update={"shown": False, "verb": "at_least"}) for audit in _audits("Pixelation")]
    section, _, _ = _section(render_html(_with(brief, gates))).partition("</section>")
    assert "Pixelation" in section
    assert "no verdict rests on it" not in section


def test_a_single_stratum_is_all_of_them() -> None:
    [pooled] = [s for s in shifts(_audits("Pixelation", losses={"ct": 0.02})) if s.stratum == "all"]
    assert [p.similarity.value for p in pooled.series] == [1 - 0.02 * s for s in range(1, 6)]
    assert (pooled.between, pooled.follows.value) == (0.55, 0.75)
    assert [(p.score_change.value, p.ssim) for p in pooled.series] == [(-4.0 * s, 1 - 0.1 * s) for s in range(1, 6)]


def test_where_inside_and_score_part_is_counted_drawn_and_named(brief: Evidence) -> None:
    displaced, following = _audits("Pixelation")
    apart = Apart(
        level=5, noise=3.0, n_images=40, n_clusters=38, n_unsaid=10, n_unseen=2, first_unsaid=["img-a"],
        unsaid=_estimate(0.25, 0.1, "share"), unseen=_estimate(0.05, 0.04, "share"),
        dots=[(1.5, 0.0, 10, "unsaid"), (0.2, -40.0, 2, "unseen"), (0.3, 0.0, 28, "")],
    )  # fmt: skip
    record = _with(brief, [displaced, following.model_copy(update={"apart": [apart]})])
    for page in (_section(render_html(record)), document(record, record.to_json().encode())):
        assert "moved, not said" in page
        assert "25.0" in page
        assert "3.0 points" in page
    chart = inside(record.audits, iter("abcdef").__next__).charts[-1]
    assert chart.rows[0][6:] == ("10", chart.rows[0][7], "img-a", "2", chart.rows[0][10], "–")
    assert "10 moved, not said, 2 said, not moved, of 40" in chart.description
    assert "nan" not in chart.svg.lower()
