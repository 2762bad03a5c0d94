"""MedIMeta: patients, splits, labels in words, and what experts said of the quality."""

import sys

import numpy as np
import pytest
import yaml
from layout_files import DR_REGULAR, by_name, error_of, load, medimeta, pictures

from auditkit.version import install_line


@pytest.fixture
def folder(tmp_path):
    medimeta(tmp_path / "dr_regular")
    return tmp_path / "dr_regular"


def test_patients_labels_and_grades_of_quality(folder):
    images = load(folder)
    records = by_name(images)
    assert len(records) == 24
    assert not images.left_out
    record = records["images/000003.tiff"]
    np.testing.assert_array_equal(record.pictures[0].read(), pictures(1, 24, 24, 3, seed=3)[0])
    assert record.attributes == {
        "sex": "male",
        "age": "40-49",
        "site": "unknown",
        "manufacturer": "unknown",
        "label": "mild",
        "split": "train",
        "dr_level": "mild",
        "overall_quality": "good enough",
        "clarity": "level 3",
    }
    assert (record.modality, record.licence, record.source, record.unit) == (
        "fundus",
        "CC BY-SA 4.0",
        "medimeta",
        "patient",
    )
    assert len({r.cluster for r in images.records}) == 12
    assert record.cluster == records["images/000002.tiff"].cluster
    assert {r.attributes["label"] for r in images.records} == {"class 0", "mild"}, (
        "the class called none is not missing"
    )
    assert images.unread == {"image_id": ""}


def test_splits_are_those_of_the_data_set(folder):
    assert sorted(by_name(load(f"{folder}#test"))) == [f"images/{i:06d}.tiff" for i in range(20, 24)]
    for path in (folder / "splits").iterdir():
        path.unlink()
    assert {r.attributes["split"] for r in load(folder).records} == {"train"}, "else the one of the original"


def test_several_sets_below_one_folder(folder):
    medimeta(folder.parent / "other", patients=10)
    images = load(folder.parent)
    assert {r.name.split("/")[0] for r in images.records} == {"dr_regular"}, (
        "the others are copies of the same pictures"
    )
    assert all("it is a copy of dr_regular/images" in entry.reason for entry in images.left_out)
    assert len(images.left_out) == 20


def test_several_findings_and_numbers_without_a_word(folder):
    info = {**DR_REGULAR, "tasks": [{"task_name": "Findings", "labels": {0: "mass", 1: "edema", 2: "None"}}]}
    info["tasks"].append({"task_name": "Grade", "labels": {}})
    (folder / "info.yaml").write_text(yaml.safe_dump(info))
    rows = [f'images/{i:06d}.tiff,"[1, 1, 0]",{7 if i % 2 else 8}.0,{i}' for i in range(24)]
    (folder / "annotations.csv").write_text("\n".join(["filepath,tasks/Findings,tasks/Grade,patient_id", *rows]))
    records = by_name(load(folder))
    levels = {(r.attributes["label"], r.attributes["findings"], r.attributes["grade"]) for r in records.values()}
    assert levels == {("edema + mass",) * 2 + ("7",), ("edema + mass",) * 2 + ("8",)}


def test_rare_grades_are_not_named(folder):
    text = (folder / "annotations.csv").read_text().splitlines()
    text[1] = text[1].replace(",0.0,", ",1.0,", 1).replace("images/000000.tiff,0,1.0,1,", "images/000000.tiff,0,1.0,6,")
    (folder / "annotations.csv").write_text("\n".join(text))
    assert by_name(load(folder))["images/000000.tiff"].attributes["clarity"] == "other"


def test_what_the_table_does_not_list_and_what_is_not_there(folder):
    (folder / "images" / "000000.tiff").rename(folder / "images" / "900000.tiff")
    (folder / "images" / "000001.tiff").write_bytes(b"II*\0")
    reasons = {entry.name: entry.reason for entry in load(folder).left_out}
    assert reasons.keys() == {"images/000000.tiff", "images/000001.tiff", "images/900000.tiff"}
    assert reasons["images/000000.tiff"] == "there is no such file"
    assert reasons["images/900000.tiff"] == "annotations.csv does not list it"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("patient_id", "subject_id", 'has a column "subject_id" and none called "patient_id"'),
        ("patient_id", "Patient_ID", 'has a column "Patient_ID", which is not read'),
        ("filepath", "file", 'annotations.csv has no column "filepath"'),
        ("image_id", "patient_id", 'has the column "patient_id" more than once'),
    ],
)
def test_columns_that_would_change_who_is_a_patient(folder, old, new, said):
    table = folder / "annotations.csv"
    table.write_text(table.read_text().replace(old, new, 1))
    assert said in str(error_of(folder))


@pytest.mark.parametrize(
    "text",
    [
        "tasks: 3",
        "[",
        "!!python/object/apply:os.system ['touch pwned']",
        "name: x",
        "a: &a [x]\n" * 3 + "*a",
        "[" * 5000,
        "tasks: [{}]",
        "\0",
    ],
)
def test_a_damaged_or_hostile_info(folder, text, monkeypatch):
    monkeypatch.chdir(folder)
    (folder / "info.yaml").write_text(text)
    assert "info.yaml cannot be read as MedIMeta writes it" in str(error_of(folder))
    assert not (folder / "pwned").exists()


def test_a_table_in_another_encoding(folder):
    (folder / "annotations.csv").write_bytes((folder / "annotations.csv").read_bytes() + b"\xff\xfe")
    assert "annotations.csv cannot be read (UnicodeDecodeError)" in str(error_of(folder))


def test_without_yaml(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "yaml", None)
    assert install_line("medimeta") in error_of(folder).remedy


def test_a_task_that_is_called_as_a_column_nearly_is(folder):
    info = {**DR_REGULAR, "tasks": [{"task_name": "Label", "labels": {0: "no", 1: "yes"}}]}
    info["tasks"].append({"task_name": "patient gender", "labels": {0: "M", 1: "F"}})
    (folder / "info.yaml").write_text(yaml.safe_dump(info))
    head = "filepath,tasks/Label,tasks/patient gender,patient_id,Label,patient gender"
    rows = [f"images/{i:06d}.tiff,{i % 2},{i // 2 % 2},{i // 2},{i % 2},{'MF'[i // 2 % 2]}" for i in range(24)]
    (folder / "annotations.csv").write_text("\n".join([head, *rows]))
    images = load(folder)
    attributes = by_name(images)["images/000003.tiff"].attributes
    assert {key: attributes[key] for key in ("label", "sex", "patient_gender")} == {
        "label": "yes",
        "sex": "female",
        "patient_gender": "F",
    }
    assert images.unread == {}


def test_words_stay_words_and_lists_of_lists_are_none(folder):
    laughs = ["a0: &a0 [ha, ha]", *(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 30))]
    tasks = [
        "tasks:",
        "- task_name: Overall quality",
        "  labels: {0: No, 1: Yes, 2: *a29}",
        "name: *a29",
        "domain: Fundus",
    ]
    (folder / "info.yaml").write_text("\n".join([*laughs, *tasks]))
    records = load(folder).records
    assert {r.attributes["overall_quality"] for r in records} == {"No", "Yes"}
    assert {(r.modality, r.licence) for r in records} == {("fundus", "unknown")}
