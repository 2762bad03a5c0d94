from __future__ import annotations

import pytest

from auditkit.evidence import Audit, Cell, Estimate, Evidence, Level, Stratum
from auditkit.report import views
from auditkit.report.pdf import tables


def audit(*cells: Cell, verdict: str = "PASS", change: bool = True, unit: str = "points") -> Audit:
    return Audit(
        id="f/x", question="", family="f", change=change, unit=unit, title="X", verdict=verdict, sentence="",
        estimate=Estimate(value=0.0, unit=unit), parts=list(cells),
    )  # fmt: skip


def cell(modality: str, low: float | None, high: float | None, *, required: bool = True) -> Cell:
    return Cell(
        stratum=Stratum(level=modality), verdict="PASS", sentence="", estimate=Estimate(value=0.0),
        margin_low=low, margin_high=high, required=required,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("cells", "unit", "words"),
    [
        ([], "points", "–"),
        ([cell("all", -5, 5), cell("ct", -5, 5)], "points", "±5.0"),
        ([cell("all", -5, 5), cell("ct", -10, 10), cell("mr", -10, 10)], "points", "±5.0; each modality ±10.0"),
        ([cell("ct", 2, None)], "points per severity step", "at least +2.0"),
        ([cell("ct", 0.7, None)], "AUROC", "at least +0.70"),
        ([cell("ct", -2, 5)], "points", "−2.0 to +5.0"),
        ([cell("ct", None, None)], "points", "–"),
        ([cell("ct", None, 5, required=False)], "points", "–"),
        ([cell("ct", None, 5), cell("mr", None, 6)], "points", "at most +5.0 or at most +6.0"),
    ],
)
def test_accepted_names_the_limits_of_the_cells_that_count(cells: list[Cell], unit: str, words: str) -> None:
    assert tables.accepted(audit(*cells, unit=unit)) == words


def test_a_register_says_what_all_rows_share_and_nothing_else() -> None:
    same = tables.register([audit(cell("ct", None, 5)), audit(cell("ct", None, 5), verdict="FAIL")])
    assert (same.unit, same.accepted) == ("points", "at most +5.0")
    assert [row.verdict for row in same.rows] == ["FAIL", "PASS"]
    other = tables.register([audit(cell("ct", None, 5)), audit(cell("ct", None, 6))])
    assert (other.unit, other.accepted) == ("points", "")
    mixed = tables.register([audit(cell("ct", None, 5)), audit(cell("ct", None, 5), unit="share")])
    assert (mixed.unit, mixed.accepted) == ("", "")  # 5 of what?


@pytest.mark.parametrize(("number", "sizes"), [(0, []), (1, [1]), (11, [11]), (12, [6, 6]), (23, [8, 8, 7])])
def test_pieces_are_few_and_even(number: int, sizes: list[int]) -> None:
    cut = tables.pieces(range(number), 11)
    assert [len(piece) for piece in cut] == sizes
    assert [row for piece in cut for row in piece] == list(range(number))


def test_capped_counts_what_is_missing() -> None:
    assert tables.capped([1, 2], 2).note == ""
    cut = tables.capped(range(1500), 2)
    assert list(cut.rows) == [0, 1]
    assert cut.note.startswith("The first 2 of 1,500 rows; 1,498 are left out here.")


def test_the_matrix_has_every_modality_severity_and_verdict(small: Evidence) -> None:
    item = views.corruptions(a for a in small.audits if a.family in ("sensitivity", "discrimination"))[0]
    matrix = tables.matrix(item)
    assert list(matrix.severities) == [0, 1, 2, 3, 4, 5]
    assert [row.modality for row in matrix.rows[:2]] == ["All modalities", "X-ray"]
    assert len(matrix.rows) == len(small.data.modalities) + 1
    decided = {
        (c.level, c.verdict)
        for a in item.audits
        if a.family == "discrimination"
        for c in a.parts
        if c.stratum.level == "ct"
    }
    row = next(row for row in matrix.rows if row.modality == "CT")
    assert {(s, p.verdict) for s, p in zip(matrix.severities, row.places, strict=True) if p.verdict} == decided
    assert row.places[0].auroc == ""
    assert row.n == "34"


def test_a_corruption_without_points_gives_the_falls_alone() -> None:
    lone = Audit(
        id="sensitivity/fog", question="", family="sensitivity", verb="at_least", unit="points per severity step",
        title="Fog", verdict="FAIL", sentence="", estimate=Estimate(), parts=[cell("ct", 2, None)],
    )  # fmt: skip
    matrix = tables.matrix(views.corruptions([lone])[0])
    assert (matrix.severities, matrix.ssim, matrix.separates) == ([], [], False)
    assert [(row.modality, row.fall, row.verdict) for row in matrix.rows] == [("CT", "0.0", "PASS")]


def test_unknown_is_counted_and_the_known_come_by_size(small: Evidence) -> None:
    levels = [Level(name=f"v{i}", n_images=i, n_clusters=1) for i in range(1, 12)]
    strata = {"site": [*levels, Level(name="unknown", n_images=34, n_clusters=30)], "sex": []}
    data = small.data.model_copy(update={"strata": strata})
    sex, site = tables.layers(data)
    assert (sex.unknown, list(sex.levels.rows)) == (None, [])
    assert site.unknown == pytest.approx(0.34)
    assert [level.name for level in site.levels.rows] == ["v11", "v10", "v9", "v8", "v7", "v6", "v5", "v4"]
    assert site.levels.left_out == 3
    gaps = tables.gaps(small.model_copy(update={"data": data}))
    assert "Sex is not recorded for any image: nothing can be said by sex." in gaps
    assert not [gap for gap in gaps if gap.startswith("Site")]  # a third unknown is in the table, no gap


def test_reasons_are_said_once() -> None:
    assert tables.once("a is open; data are few; b is open; data are few") == "a is open; data are few; b is open"


def test_limits_have_the_unit_of_their_audits(lean: Evidence) -> None:
    families = {
        "f": {"at_most": 0.1, "by": "modality", "size": 4},
        "g": {"at_least": 0.7, "in_each": 0.5, "by": "modality"},
        "h": {"at_least": 0.7, "by": "modality"},
    }
    protocol = lean.protocol.model_copy(update={"criteria": {"families": families}})
    audits = [
        audit(unit="share"),
        audit(unit="share", change=False).model_copy(update={"id": "g/x", "family": "g"}),
    ]
    said = {
        row.family: row.settings
        for row in tables.limits(lean.model_copy(update={"protocol": protocol, "audits": audits}))
    }
    assert said == {
        "f": "at most 10.0 percentage points; in each modality; size 4",
        "g": "at least 70.0 %, in each modality 50.0",
        "h": "at least 0.7; in each modality",  # no audit says of what
    }
