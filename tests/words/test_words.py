from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditkit import words as wording
from auditkit.evidence import Audit, Cell, Estimate, Stratum
from auditkit.words import Scale, text


@pytest.mark.parametrize(
    ("value", "signed", "text"),
    [
        (4.25, True, "+4.2"),
        (-4.26, True, "−4.3"),
        (0.0, True, "0.0"),
        (-0.04, True, "0.0"),
        (-0.0, False, "0.0"),
        (62.0, False, "62.0"),
        (-3.0, False, "−3.0"),
        (None, True, "–"),
    ],
)
def test_numbers_have_one_decimal_a_true_minus_and_no_signed_zero(value: float | None, signed: bool, text: str) -> None:
    assert wording.fixed(value, signed=signed) == text


@given(st.floats(-1000, 1000, allow_nan=False))
def test_a_written_number_reads_back_within_half_of_its_last_digit(value: float) -> None:
    text = wording.fixed(value, signed=True)
    assert abs(float(text.replace("−", "-")) - value) <= 0.0500001


@pytest.mark.parametrize(
    ("unit", "signed", "text"),
    [
        ("points", True, "+0.4 points (90 % interval −0.9 to +1.7)"),
        ("points", False, "0.4 points (90 % interval −0.9 to 1.7)"),
        ("AUROC", False, "AUROC 0.44 (90 % interval −0.90 to 1.70)"),
        ("share", False, "44.0 % (90 % interval −90.0 to 170.0)"),
        ("share", True, "+44.0 percentage points (90 % interval −90.0 to +170.0)"),
        ("points per severity step", False, "falls by 0.4 points per severity step (90 % interval −0.9 to 1.7)"),
        ("points per severity step", True, "+0.4 points per severity step (90 % interval −0.9 to +1.7)"),
        ("furlongs", True, "+0.44 furlongs (90 % interval −0.90 to +1.70)"),
    ],
)
def test_every_unit_is_written_with_value_unit_level_and_interval(unit: str, signed: bool, text: str) -> None:
    estimate = Estimate(value=0.44, low=-0.9, high=1.7, level=0.9, unit=unit)
    assert Scale(unit, signed=signed).full(estimate) == text


def test_a_missing_estimate_is_said_and_a_missing_interval_is_left_out() -> None:
    scale = Scale("points", signed=True)
    assert scale.full(Estimate()) == scale.short(Estimate()) == wording.NO_VALUE
    assert scale.full(Estimate(value=2.0)) == "+2.0 points"
    assert scale.short(Estimate(value=2.0, low=1.0)) == "+2.0 (+1.0 to –)"


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (-5.0, 5.0, "−5.0 to +5.0 points"),
        (None, 5.0, "at most +5.0 points"),
        (-1.0, None, "at least −1.0 points"),
        (None, None, "none declared"),
    ],
)
def test_regions_in_words(low: float | None, high: float | None, words: str) -> None:
    assert wording.region_words(low, high, Scale("points", signed=True)) == words


def _audit(unit: str = "points", cells: list[Cell] | None = None, **more: object) -> Audit:
    return Audit(
        id="f/x", question="?", family="f", title="X", verdict="PASS", sentence="S.", unit=unit,
        estimate=Estimate(unit=unit), parts=cells or [], **more,
    )  # fmt: skip


def test_rates_and_auroc_are_levels_and_changes_are_signed() -> None:
    assert not wording.scale_of(_audit("share")).signed
    assert not wording.scale_of(_audit("AUROC")).signed
    assert wording.scale_of(_audit("share", change=True)).signed
    assert wording.scale_of(_audit(change=True)).signed
    assert wording.scale_of(_audit("AUROC", change=True)).full(Estimate(value=0.03)) == "+0.03 AUROC"


def test_an_audit_has_a_region_only_when_its_required_cells_agree() -> None:
    def cell(high: float, *, required: bool = True) -> Cell:
        return Cell(verdict="PASS", sentence="", estimate=Estimate(), margin_high=high, required=required)

    assert wording.region(None, _audit(cells=[cell(5), cell(5), cell(9, required=False)])) == (None, 5)
    assert wording.region(None, _audit(cells=[cell(5), cell(4)])) == (None, None)
    assert wording.region(cell(4), _audit()) == (None, 4)


def test_no_text_that_acts_is_printable():
    # Printable text is given back as it is; this asks the pattern itself.
    assert not any(sign.isprintable() for sign in map(chr, range(0x110000)) if text._SUSPECT.match(sign))


@given(st.text(st.characters(), max_size=60))
def test_visible_text_holds_nothing_that_acts(text: str) -> None:
    shown = wording.visible(text)
    for character in shown:
        assert unicodedata.category(character) != "Cs"
        if unicodedata.category(character) == "Cc":
            assert character in "\n\t"
        assert character not in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u200b\ufeff"
    shown.encode("utf-8")


@given(st.text(st.characters(codec="ascii", min_codepoint=32, max_codepoint=126)))
def test_plain_text_is_left_alone(text: str) -> None:
    assert wording.visible(text) == text


def test_control_characters_are_named() -> None:
    assert wording.visible("a\x00b\x1b[31m\r\nc\u202e\ud800\x7f") == "a⟨U+0000⟩b⟨U+001B⟩[31m\nc⟨U+202E⟩⟨U+D800⟩⟨U+007F⟩"


def test_long_text_is_cut_and_its_length_is_said() -> None:
    shown = wording.shortened("word " * 100_000)
    assert len(shown) < 290
    assert shown.endswith("… [500,000 characters in all]")
    assert wording.shortened("short") == "short"
    assert wording.cut("A long name of something", 10) == "A long na…"
    assert len(wording.cut("\x00" * 10**6, 12)) <= 12


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("2026-11-22T01:05:00+00:00", "22 November 2026, 01:05 UTC"),
        ("2026-11-22T01:05:00+02:00", "21 November 2026, 23:05 UTC"),
        ("2026-11-22T01:05:00", "22 November 2026, 01:05 UTC"),
        ("yesterday", "yesterday"),
        ("", ""),
    ],
)
def test_times(text: str, words: str) -> None:
    assert wording.moment(text) == words


def test_small_words() -> None:
    assert wording.count(1, "image") == "1 image"
    assert wording.count(13204, "modality", "modalities") == "13,204 modalities"
    assert wording.p_value(0.00001) == "< 0.001"
    assert wording.p_value(0.04) == "0.040"
    assert wording.percent(0.9641) == "96.4 %"
    assert [wording.percent(v) for v in (0.0, 0.0001, 0.99998, 1.0)] == ["0.0 %", "< 0.1 %", "> 99.9 %", "100.0 %"]
    assert wording.percent(0.996, 0) == "> 99 %"
    assert wording.duration(12.34) == "12.3 s"
    assert wording.duration(150) == "2.5 min"
    assert wording.modality_name("xray") == "X-ray"
    assert wording.modality_name("slit_lamp") == "Slit lamp"
    assert wording.plain_name("gaussian_noise") == "Gaussian noise"


def test_an_audit_without_a_name_for_people_gets_its_id_in_words() -> None:
    audit = _audit()
    assert wording.audit_name(audit) == "X"
    unnamed = audit.model_copy(
        update={"id": "metadata/staff.accent-foreign-vs-local", "title": "staff.accent-foreign-vs-local"}
    )
    assert wording.audit_name(unnamed) == "Accent foreign vs local"


def test_the_level_of_an_early_look_is_rounded():
    early = Estimate(value=1.0, low=0.0, high=2.0, level=0.964263, unit="points")
    assert "(96.4 % interval" in Scale("points", signed=True).full(early)


def test_a_modality_has_one_name_in_sentences_and_tables() -> None:
    for name, label in wording.MODALITY_LABELS.items():
        assert wording.modality_name(name).lower() == label.lower() == wording.modality_label(name).lower()
    assert (wording.modality_label("mr"), wording.modality_name("mr")) == ("MRI", "MRI")
    assert (wording.modality_label("fundus"), wording.modality_name("fundus")) == (
        "fundus photography",
        "Fundus photography",
    )
    assert wording.stratum_name(Stratum(level="xray")) == "X-ray"
    assert wording.stratum_name(Stratum(column="scanner", level="A")) == "Scanner: A"
    assert wording.stratum_name(Stratum(column="scanner")) == "All together"


@given(st.floats(0, 1))
def test_a_p_value_is_the_same_in_a_sentence_and_in_a_table(p: float) -> None:
    assert wording.p_equals(p).removeprefix("p ").removeprefix("= ") == wording.p_value(p)


@pytest.mark.parametrize(
    ("estimate", "text"),
    [
        (Estimate(value=0.44, low=-0.9, high=1.7), "+0.4 [−0.9, +1.7] points"),
        (
            Estimate(value=2.04, low=1.9, high=2.2, unit="points per severity step"),
            "falls by 2.0 [1.9, 2.2] points per severity step",
        ),
        (Estimate(value=0.04, low=0.0, high=0.1, unit="share"), "4.0 % [0.0 %, 10.0 %]"),
        (Estimate(value=0.81, low=0.7, high=0.9, unit="AUROC"), "AUROC 0.81 [0.70, 0.90]"),
        (Estimate(value=3.0), "+3.0 points"),
        (Estimate(), "not measured"),
    ],
)
def test_intervals_in_sentences(estimate: Estimate, text: str) -> None:
    assert wording.interval(estimate) == text


def test_lists_are_joined_and_long_ones_counted() -> None:
    assert [wording.and_listed(list("ABC")[:n]) for n in range(4)] == ["", "A", "A and B", "A, B and C"]
    assert wording.some_of(list("ABCDEF")) == "A, B, C, D and 2 more"
    assert wording.some_of(["A"]) == "A"
    assert (wording.patients(1), wording.patients(1200)) == ("1 patient", "1,200 patients")


@pytest.mark.parametrize(
    ("verb", "limit", "unit", "words"),
    [
        ("within", {"within": 5.0, "in_each": 10.0}, "points", "within ±5.0 points, in each ±10.0"),
        ("at_most", {"at_most": 0.05}, "share", "at most 5.0 %"),
        ("at_least", {"at_least": 2.0}, "points per severity step", "at least 2.0 points per severity step"),
        ("at_least", {"at_least": 0.7}, "AUROC", "at least AUROC 0.70"),
        ("", {}, "points", ""),
    ],
)
def test_a_limit_in_words(verb: str, limit: dict[str, float], unit: str, words: str) -> None:
    assert wording.limit_words(_audit(unit, verb=verb, limit=limit)) == words


def test_what_is_for_information_has_no_verdict_word() -> None:
    assert wording.verdict_word(_audit(shown=True)) == "shown"
    assert wording.verdict_word(_audit()) == "PASS"


@pytest.mark.parametrize(
    ("scorer", "words"),
    [
        ("score_100", "score_100"),
        ('{"choice": {"A": "yes", "B": "no"}}', "one of: A yes, B no"),
        ('{"choice": {"A": {"text": "the first", "picture": 1}}}', "one of: A the first"),
        (
            '{"axes": {"names": ["completeness", "quality_accuracy"], "low": 0, "high": 2}}',
            "a number on 0–2 for each of: completeness, quality accuracy",
        ),
        ('{"own": 1, "other": 2}', '{"own": 1, "other": 2}'),
        ("[1]", "[1]"),
    ],
)
def test_answer_formats_in_words(scorer: str, words: str) -> None:
    assert wording.format_words(scorer) == words


def test_the_column_of_right_answers_is_named() -> None:
    assert wording.column_name("scan_site") == "scan site"
    assert wording.column_name("truth.pneumonia.kind") == "right answer to pneumonia kind"
    assert wording.plain_name("truth.pneumonia.kind") == "Right answer to pneumonia kind"


def test_differences_of_shares_are_limited_in_percentage_points() -> None:
    assert wording.declared_words("at_most", {"at_most": 0.1}, "share") == "at most 10.0 %"
    assert wording.declared_words("at_most", {"at_most": 0.1}, "share", change=True) == "at most 10.0 percentage points"
    assert wording.declared_words("within", {"within": 0.1}, "share") == "within ±10.0 percentage points"
    assert wording.number(0.1, "share", signed=True) == "+10.0"
    said = wording.interval(Estimate(value=0.1, low=-0.02, high=0.2, unit="share"), signed=True)
    assert said == "+10.0 [−2.0, +20.0] percentage points"


def test_an_axis_of_a_judge_is_named_with_its_scale() -> None:
    judged = _audit("on 0–2", quantity="quality_accuracy")
    assert wording.axis_words(judged) == "Quality accuracy"
    assert wording.axis_words(judged.model_copy(update={"change": True})) == "Difference in quality accuracy"
    assert wording.limit_words(_audit("on 0–2", verb="at_least", limit={"at_least": 1.0})) == "at least 1.00 on 0–2"


def test_notes_are_said_in_the_number_that_fits():
    rare = "its label is shared by fewer than 5 patients: counted as other"
    assert wording.noted(1, rare) == f"1 image: {rare}."
    assert wording.noted(4, rare) == "4 images: their label is shared by fewer than 5 patients: counted as other."
    assert wording.noted(4, "no window in the header") == "4 images: no window in the header."
