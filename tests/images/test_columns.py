"""Columns that are nearly called as those that are read: refused where unread they would make people, else named."""

import doctest

import pyarrow as pa
import pytest
from image_files import SALT
from pyarrow import parquet
from test_sources import picture, table

from auditkit.errors import AuditkitError
from auditkit.images import columns
from auditkit.images.sources import load_images


def loaded(folder, *names, suffix="csv"):
    """A manifest of one row with these columns beside the file's name."""
    picture(folder / "a.png", 1)
    if suffix == "csv":
        path = table(folder / "m.csv", [("a.png", *("p7" for _ in names))], ("file_name", *names))
    else:
        path = folder / f"m.{suffix}"
        row = {"file_name": "a.png", **dict.fromkeys(names, "p7")}
        if suffix == "parquet":
            parquet.write_table(pa.Table.from_pylist([row]), path)
        else:
            import json

            path.write_text(json.dumps(row))
    return load_images(str(path), salt=SALT)


def test_examples_in_the_documentation_hold():
    results = doctest.testmod(columns)
    assert results.attempted >= 1
    assert results.failed == 0


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("Patient_ID", "patient_id"), ("PatientID", "patient_id"), ("patient id", "patient_id"),
        ("PATIENT-ID", "patient_id"), ("Sex", "sex"), ("Study ID", "study_id"), ("Label", "label"),
        ("ｓｅｘ", "sex"), ("Modality", "modality"),
    ],
)  # fmt: skip
def test_other_case_or_separators_are_refused_with_the_name_to_type(tmp_path, suffix, name, meant):
    with pytest.raises(AuditkitError) as caught:
        loaded(tmp_path, name, suffix=suffix)
    assert name in caught.value.problem
    assert f'Call it "{meant}"' in caught.value.remedy


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
@pytest.mark.parametrize("name", ["subject_id", "subject", "patient", "Participant ID", "MRN", "person_id"])
def test_a_column_of_patients_by_another_name_is_refused_while_there_is_no_patient_id(tmp_path, suffix, name):
    with pytest.raises(AuditkitError) as caught:
        loaded(tmp_path, name, suffix=suffix)
    assert "every file would count as a patient" in caught.value.problem
    assert 'Call it "patient_id"' in caught.value.remedy
    images = loaded(tmp_path, "patient_id", name, suffix=suffix)
    assert images.unread == {name: "patient_id"}
    assert images.records[0].unit == "patient"


def test_columns_that_are_not_read_are_named_with_what_was_perhaps_meant(tmp_path):
    images = loaded(tmp_path, "gender", "PatientAge", "institution", "vendor", "lable", "view", "a\nb")
    assert images.unread == {
        "gender": "sex",
        "PatientAge": "age",
        "institution": "site",
        "vendor": "manufacturer",
        "lable": "label",
        "view": "",
        "a b": "",
    }


def test_a_column_given_twice_is_refused(tmp_path):
    with pytest.raises(AuditkitError, match='the column "patient_id" more than once'):
        loaded(tmp_path, "patient_id", "patient_id")
    picture(tmp_path / "a.png", 1)
    path = tmp_path / "m.jsonl"
    path.write_text('{"file_name": "a.png", "patient_id": "1", "patient_id": "2"}\n{"file_name": "a.png"}\n')
    images = load_images(str(path), salt=SALT)
    assert [item.reason for item in images.left_out] == ['the line gives "patient_id" more than once']


def test_a_table_without_file_names_says_which_column_may_hold_them(tmp_path):
    path = table(tmp_path / "m.csv", [("a.png", "1")], ("image_path", "patient_id"))
    with pytest.raises(AuditkitError) as caught:
        load_images(path, salt=SALT)
    assert 'is it "image_path"?' in caught.value.remedy
