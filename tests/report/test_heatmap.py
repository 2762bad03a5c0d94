from __future__ import annotations

import itertools

import pytest

from auditkit.evidence import VERDICTS, Audit, Cell, Estimate, Evidence, Stratum, Verdict
from auditkit.report.figures.heatmap import heat_map
from auditkit.report.figures.svg import INKS, text_width
from tests.report.drawn import Drawn, number

MODALITIES = ("ct", "mr", "oct", "xray")


def _cell(modality: str, value: float | None, verdict: Verdict = "PASS", severity: int = 0, unit: str = "x") -> Cell:
    estimate = Estimate(unit=unit) if value is None else Estimate(value=value, low=value, high=value, level=0.9)
    return Cell(
        stratum=Stratum(level=modality),
        part=f"severity {severity}" if severity else "",
        level=severity,
        verdict=verdict,
        sentence="S.",
        estimate=estimate,
        margin_high=-1.0,
        n_images=40,
        n_clusters=33,
    )


def _audit(title: str, cells: list[Cell], unit: str = "points per severity step") -> Audit:
    return Audit(
        id=f"sensitivity/{title}", question="?", family="sensitivity", verb="at_least", unit=unit, title=title,
        verdict="PASS", sentence="S.", estimate=Estimate(value=1.0, unit=unit), parts=cells,
    )  # fmt: skip


def test_every_field_has_its_number_its_shade_and_its_verdict() -> None:
    values = {"ct": -12.0, "mr": -0.4, "oct": 3.0, "xray": -6.5}
    verdicts: dict[str, Verdict] = {"ct": "PASS", "mr": "INCONCLUSIVE", "oct": "FAIL", "xray": "ERROR"}
    chart = heat_map("Slopes", [_audit("Blur", [_cell(m, v, verdicts[m]) for m, v in values.items()])], MODALITIES, "k")
    assert chart is not None
    drawn = Drawn(chart)
    fields = [box for box in drawn.boxes("accent") if box["y"] < drawn.at("up to").y - 15]
    assert len(fields) == 4
    shades = {}
    for box, (modality, value) in zip(fields, values.items(), strict=True):
        inside = [
            w for w in drawn.words() if box["x"] <= w.x <= box["x"] + box["width"] and box["y"] < w.y < box["y"] + 27
        ]
        assert [number(w.text) for w in inside] == [value]
        assert inside[0].x + text_width(inside[0].text, 10) <= box["x"] + box["width"] + 0.2
        (mark,) = [m for m in drawn.marks() if box["x"] < m.x < inside[0].x and box["y"] < m.y < box["y"] + 27]
        assert mark.role == verdicts[modality]
        shades[abs(value)] = box["fill-opacity"]
    ordered = [shades[size] for size in sorted(shades)]
    assert ordered == sorted(ordered)
    assert len(set(ordered)) == 4


def test_shades_stay_readable_and_in_order_in_grey_on_paper_and_in_the_dark() -> None:
    chart = heat_map("S", [_audit("Blur", [_cell("ct", -20.0)])], ["ct"], "k")
    assert chart is not None
    steps = [box["fill-opacity"] for box in Drawn(chart).boxes("accent")][1:]
    assert len(steps) == 5

    def light(colour: str) -> float:
        shares = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        return sum(w * _linear(s) for w, s in zip((0.2126, 0.7152, 0.0722), shares, strict=True))

    def mixed(top: str, below: str, opacity: float) -> str:
        pairs = [(int(top[i : i + 2], 16), int(below[i : i + 2], 16)) for i in (1, 3, 5)]
        return "#" + "".join(f"{round(a * opacity + b * (1 - opacity)):02x}" for a, b in pairs)

    # The dark page's colours are those of report/templates/style.css.
    for accent, page, ink in ((INKS["accent"], "#ffffff", INKS["ink"]), ("#6fb1ff", "#172029", "#e6ebf0")):
        greys = [light(mixed(accent, page, opacity)) for opacity in steps]
        assert greys == sorted(greys, reverse=page == "#ffffff")
        gaps = [abs(a**0.45 - b**0.45) for a, b in itertools.pairwise(greys)]
        assert min(gaps) > 0.04, "neighbouring steps differ in grey print"
        for grey in greys:
            bright, dark = max(grey, light(ink)), min(grey, light(ink))
            assert (bright + 0.05) / (dark + 0.05) >= 4.5


def _linear(share: float) -> float:
    return share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4


def test_several_decisions_of_one_place_show_the_mildest_of_the_worst() -> None:
    verdicts: list[Verdict] = ["INCONCLUSIVE", "FAIL", "FAIL", "PASS", "PASS"]
    cells = [_cell("ct", 0.5 + s / 10, v, s) for s, v in enumerate(verdicts, 1)]
    chart = heat_map("AUROC", [_audit("Blur", list(reversed(cells)), "AUROC")], ["ct"], "k")
    assert chart is not None
    drawn = Drawn(chart)
    box = drawn.boxes("accent")[0]
    assert "0.70" in [w.text for w in drawn.words() if w.y < box["y"] + box["height"]]
    marks = sorted((m for m in drawn.marks() if m.y < box["y"] + box["height"]), key=lambda m: m.x)
    assert [m.role for m in marks] == verdicts
    assert all(box["x"] <= m.x <= box["x"] + box["width"] for m in marks)
    assert [row[2:4] for row in chart.rows] == [(f"severity {s}", v) for s, v in enumerate(verdicts, 1)]
    assert "One marker per severity" in chart.caption


def test_many_modalities_go_into_blocks_that_stay_legible() -> None:
    names = [f"modality_{i}" for i in range(11)]
    chart = heat_map("S", [_audit("Blur", [_cell(m, -10.0 - i) for i, m in enumerate(names)])], names, "k")
    assert chart is not None
    fields = [b for b in Drawn(chart).boxes("accent") if b["width"] < 45]
    assert min(b["width"] for b in fields) > 36
    assert len({b["y"] for b in fields}) == 2
    assert max(b["x"] + b["width"] for b in fields) <= chart.width


def test_what_was_not_measured_has_no_shade() -> None:
    chart = heat_map("S", [_audit("Blur", [_cell("ct", None, "ERROR"), _cell("mr", -3.0)])], MODALITIES, "k")
    assert chart is not None
    drawn = Drawn(chart)
    assert len([b for b in drawn.boxes("accent") if b["y"] < drawn.at("up to").y - 15]) == 1
    assert "–" in drawn.texts()
    assert len(drawn.marks("ERROR")) == 2, "the field's and the key's"
    assert "Mr" not in drawn.texts()
    assert "OCT" not in drawn.texts(), "columns without a decision are left out"
    assert chart.rows[0][4] == "not measured"
    assert "not passed in CT" in chart.description


def test_wide_numbers_move_above_their_markers() -> None:
    names = [f"m{i}" for i in range(6)]
    chart = heat_map("S", [_audit("Blur", [_cell(m, -1234.5) for m in names])], names, "k")
    assert chart is not None
    drawn = Drawn(chart)
    words = [w for w in drawn.words() if w.text == "−1234.5"]
    assert all(w.anchor == "middle" for w in words)
    assert [m.y for m in drawn.marks("PASS")[:6]] == pytest.approx([w.y + 14 for w in words], abs=3)


def test_nothing_to_show_is_none() -> None:
    assert heat_map("S", [], MODALITIES, "k") is None
    assert heat_map("S", [_audit("Blur", [])], MODALITIES, "k") is None
    assert heat_map("S", [_audit("Blur", [_cell("all", 1.0)])], MODALITIES, "k") is None


def test_every_decision_of_the_sample_is_in_the_table(lean: Evidence) -> None:
    columns = [s.modality for s in lean.data.modalities]
    for family in ("sensitivity", "discrimination"):
        audits = [a for a in lean.audits if a.family == family]
        chart = heat_map(family, audits, columns, "k")
        assert chart is not None
        cells = [c for a in audits for c in a.parts if c.stratum.level in columns]
        assert len(chart.rows) == len(cells)
        assert len(Drawn(chart).marks()) == len(cells) + len(VERDICTS)
        assert "n = 1 to 36 images of 1 to 34 patients" in chart.caption
