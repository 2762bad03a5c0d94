"""Strata from free text: closed lists, decades, and an explicit unknown."""

import doctest
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditkit.images import strata
from auditkit.images.item import MODALITIES, Item
from auditkit.images.strata import age_band, attributes_of, known, modality_of, modality_of_folder
from auditkit.vocabulary import ATTRIBUTES


def test_examples_in_the_documentation_hold():
    results = doctest.testmod(strata)
    assert results.attempted >= 2
    assert results.failed == 0


@pytest.mark.parametrize(
    ("value", "band"),
    [
        ("058Y", "50-59"),
        ("000Y", "0-9"),
        ("119M", "0-9"),
        ("120M", "10-19"),
        ("006W", "0-9"),
        ("012D", "0-9"),
        (17, "10-19"),
        (59.9, "50-59"),
        ("60", "60-69"),
        ("090Y", "90+"),
        ("104", "90+"),
        ("131", "unknown"),
        ("-4", "unknown"),
        ("old", "unknown"),
        ("", "unknown"),
        (None, "unknown"),
        (float("nan"), "unknown"),
        ("50-59", "50-59"),
        ("85+", "85+"),
        ("93-95", "90+"),
        ("107+", "90+"),
        ("85-95", "85+"),
        (">89", "90+"),
        ("> 64", "65+"),
        ("≥ 65", "65+"),
        ("<18", "0-17"),
        ("50-40", "unknown"),
        ("140+", "unknown"),
        ("58,0", "50-59"),
        ("58.0", "50-59"),
        ("６M", "0-9"),
        ("130M", "10-19"),
        ("6 months", "0-9"),
        ("58 years", "50-59"),
        ("58 yrs.", "50-59"),
        ("58 y/o", "50-59"),
        ("58 Jahre", "50-59"),
        ("58 apples", "unknown"),
    ],
)
def test_age_bands(value, band):
    assert age_band(value) == band


@given(st.integers(0, 130))
def test_every_age_falls_into_its_decade(years):
    band = age_band(years)
    assert band == age_band(f"{years:03d}Y") == age_band(str(years))
    if years >= 90:
        assert band == "90+"
    else:
        low, high = map(int, band.split("-"))
        assert low <= years <= high
        assert high - low == 9


@given(st.one_of(st.none(), st.text(), st.floats(), st.integers(), st.booleans(), st.binary()))
def test_no_value_whatever_breaks_the_strata(value):
    strata_of_it = attributes_of(sex=value, age=value, site=value, manufacturer=value, label=value)
    assert list(strata_of_it) == list(ATTRIBUTES)
    for text in strata_of_it.values():
        assert text
        assert text.isprintable()
        assert len(text) <= 64


def test_every_code_maps_to_a_known_modality():
    assert set(strata.DICOM_MODALITIES.values()) | set(strata._WORDS.values()) <= set(MODALITIES)
    assert {modality_of(name) for name in MODALITIES} == set(MODALITIES)
    for code in ("CR", "DX", "RF", "XA"):
        assert modality_of(code) == modality_of(code.lower()) == "xray"
    assert modality_of("OPT") == "oct"
    assert modality_of("PT") == "nuclear"
    assert modality_of(None) is modality_of("OT") is modality_of("") is None


@pytest.mark.parametrize(
    ("name", "modality"),
    [
        ("ct/a.png", "ct"),
        ("CT/deep/er/a.png", "ct"),
        ("fundus\\a.png", "fundus"),
        ("ct.png", None),
        ("ct", None),
        ("scans/ct/a.png", None),
        ("cats/a.png", None),
    ],
)
def test_only_the_first_folder_names_a_modality(name, modality):
    assert modality_of_folder(name) == modality


@pytest.mark.parametrize("text", ["", "  ", "NaN", "none", "N/A", "ANONYMOUS", "Anonymous^", "unknown", "\0", None])
def test_placeholders_count_as_missing(text):
    assert known(text) is None


def test_known_values_are_tidied():
    assert known(" Philips \n Medical\tSystems\0") == "Philips Medical Systems"
    assert known(12.0) == "12"
    assert known(0) == "0"


def test_sexes_are_a_closed_list():
    assert [attributes_of(sex=s)["sex"] for s in ("F", "male", " o ", "x", "", None)] == [
        "female",
        "male",
        "other",
        "unknown",
        "unknown",
        "unknown",
    ]


def test_equal_strata_share_one_mapping():
    assert attributes_of(sex="F", age=31) is attributes_of(sex="female", age="39")


@pytest.mark.parametrize(
    ("text", "sex"),
    [("W", "female"), ("weiblich", "female"), ("Femme", "female"), ("Woman", "female"), ("männlich", "male"),
     ("Ma\u0308nnlich", "male"), ("MALE ", "male"), ("d", "other"), ("0", "unknown"), ("1", "unknown"), (2, "unknown")],
)  # fmt: skip
def test_words_for_sexes(text, sex):
    assert attributes_of(sex=text)["sex"] == sex


@pytest.mark.parametrize(
    ("sex", "age", "notes"),
    [
        ("F", "58", ()),
        (None, "", ()),
        ("unknown", "n/a", ()),
        (1, None, (strata.NOTE_SEX_CODE,)),
        ("0.0", None, (strata.NOTE_SEX_CODE,)),
        ("third", "young", (strata.NOTE_SEX, strata.NOTE_AGE)),
    ],
)
def test_what_is_given_and_not_understood_is_noted(sex, age, notes):
    assert strata.not_understood(sex, age) == notes


def record(i, patient, **attributes):
    return Item(f"i{i}", patient, "ct", (), False, "test", attributes=attributes_of(**attributes))


def test_levels_of_fewer_than_five_patients_are_not_named():
    """Five patients of ward 1, four of ward 2 with three images each; the rare label is one patient's."""
    records = [record(i, f"a{i}", site="ward 1", label="normal") for i in range(5)]
    records += [record(10 + i, f"b{i % 4}", site="ward 2", label="normal") for i in range(12)]
    records.append(record(99, "c", site="ward 1", label="situs inversus of Mr Doe"))
    found = strata.coarsened(records)
    assert Counter(r.attributes["site"] for r in found) == {"ward 1": 6, "other": 12}
    assert Counter(r.attributes["label"] for r in found) == {"normal": 17, "other": 1}
    assert found[-1].notes == ("its label is shared by fewer than 5 patients: counted as other",)
    assert found[0] is records[0]
    assert {r.attributes["manufacturer"] for r in found} == {"unknown"}, "what is not known stays so, however few"
