"""Folders with a metadata table, as Hugging Face's `imagefolder` has them: the patients it names are kept."""

import json

import pyarrow as pa
import pytest
from image_files import SALT
from pyarrow import parquet
from test_sources import picture, reasons, table

from auditkit.errors import AuditkitError
from auditkit.images.sources import load_images

NO_FILE_NAMED = '"file_name" is empty; name its picture or, if it has none, ask a task with pictures = 0'
COLUMNS = ("file_name", "patient_id", "sex")
ROWS = [(f"{i:02}.png", f"p{i // 4}", "F" if i // 4 % 2 else "M") for i in range(40)]


def write(folder, name, rows=ROWS):
    path = folder / name
    entries = [dict(zip(COLUMNS, row, strict=True)) for row in rows]
    if path.suffix.lower() == ".csv":
        table(path, rows, COLUMNS)
    elif path.suffix == ".jsonl":
        path.write_text("\n".join(map(json.dumps, entries)))
    else:
        parquet.write_table(pa.Table.from_pylist(entries), path)
    return path


def patients(images):
    return len({record.cluster for record in images.records})


@pytest.fixture
def pictures(tmp_path):
    """Forty pictures; the table of the tests says that four each are of one patient."""
    for i in range(40):
        picture(tmp_path / f"{i:02}.png", i)
    return tmp_path


@pytest.mark.parametrize("name", ["metadata.csv", "metadata.jsonl", "metadata.parquet", "Metadata.CSV"])
def test_the_patients_of_the_table_are_the_patients(pictures, name):
    path = write(pictures, name)
    images = load_images(str(pictures), salt=SALT)
    assert (len(images.records), patients(images)) == (40, 10)
    assert {record.unit for record in images.records} == {"patient"}
    assert not images.left_out  # not even the table itself: it was read
    by_name = {record.name: record for record in images.records}
    assert [by_name[name].attributes["sex"] for name in ("00.png", "04.png")] == ["male", "female"]
    if path.name == path.name.lower():
        given = {record.id: record.cluster for record in load_images(str(path), salt=SALT).records}
        assert {record.id: record.cluster for record in images.records} == given


def test_what_the_table_does_not_list_is_no_part_of_the_data(pictures):
    write(pictures, "metadata.csv", [*ROWS[:8], ("none.png", "p9", "F"), ("../00.png", "p9", "F"), ("", "p9", "F")])
    images = load_images(str(pictures), salt=SALT)
    assert (len(images.records), patients(images)) == (8, 2)
    told = reasons(images)
    assert told["39.png"] == "metadata.csv does not list it"
    assert told["none.png"] == "there is no such file"
    assert "leads out" in told["../00.png"]
    assert told["metadata.csv row 12"] == NO_FILE_NAMED
    assert len(images.left_out) == 32 + 3


def test_each_split_has_its_table_and_the_nearest_holds(tmp_path):
    for i, folder in enumerate(("train", "test", "train/deep", "other")):
        for j in range(2):
            picture(tmp_path / folder / f"{j}.png", 10 * i + j)
    write(tmp_path / "train", "metadata.csv", [("0.png", "a", "F"), ("./1.png", "a", "F"), ("deep/0.png", "a", "F")])
    write(tmp_path / "test", "metadata.jsonl", [("0.png", "b", "F"), ("1.png", "b", "M")])
    images = load_images(str(tmp_path), salt=SALT)
    units = {record.name: record.unit for record in images.records}
    assert units == {
        **dict.fromkeys(("train/0.png", "train/1.png", "train/deep/0.png", "test/0.png", "test/1.png"), "patient"),
        **dict.fromkeys(("other/0.png", "other/1.png"), "file"),  # no table speaks of them
    }
    assert patients(images) == 4
    assert reasons(images) == {"train/deep/1.png": "train/metadata.csv does not list it"}

    write(tmp_path, "metadata.csv", [("train/0.png", "z", "F"), ("other/0.png", "z", "F")])
    images = load_images(str(tmp_path), salt=SALT)
    clusters = {record.name: record.cluster for record in images.records}
    assert clusters["train/0.png"] == clusters["train/1.png"] != clusters["other/0.png"]
    assert "differ in patient_id" in reasons(images)["train/0.png"]
    assert reasons(images)["other/1.png"] == "metadata.csv does not list it"


def test_two_tables_in_one_folder_are_refused(pictures):
    write(pictures, "metadata.csv")
    write(pictures, "metadata.jsonl")
    with pytest.raises(AuditkitError, match=r"metadata\.csv and metadata\.jsonl"):
        load_images(str(pictures), salt=SALT)


def test_a_table_of_patients_by_another_name_is_not_passed_over(pictures):
    path = write(pictures, "labels.csv")
    with pytest.raises(AuditkitError, match=r"holds the table labels\.csv") as caught:
        load_images(str(pictures), salt=SALT)
    assert f"--audit-data={path}" in caught.value.remedy
    assert patients(load_images(str(path), salt=SALT)) == 10


@pytest.mark.parametrize("columns", [("filename", "patient_id"), ("file_name", "subject_id"), ("image", "patient_id")])
def test_a_metadata_table_with_other_names_says_what_to_call_them(pictures, columns):
    table(pictures / "metadata.csv", [(name, patient) for name, patient, _ in ROWS], columns)
    with pytest.raises(AuditkitError, match=r"metadata\.csv has"):
        load_images(str(pictures), salt=SALT)


def test_the_table_of_an_archive_that_names_no_files_is_a_table_like_others(pictures):
    table(pictures / "metadata.csv", [("1.2.3", "p1", "./x")], ("Series UID", "Subject ID", "File Location"))
    images = load_images(str(pictures), salt=SALT)
    assert len(images.records) == 40
    assert "it is a table" in reasons(images)["metadata.csv"]


@pytest.mark.parametrize("content", [b"PAR1\0\0", "file_name,patient_id\n00.png,Jos\u00e9\n".encode("latin-1")])
def test_a_metadata_table_that_cannot_be_read_is_not_passed_over(pictures, content):
    (pictures / "metadata.csv").write_bytes(content)
    with pytest.raises(AuditkitError, match=r"metadata\.csv"):
        load_images(str(pictures), salt=SALT)


def test_columns_that_are_not_read_are_named(pictures):
    table(pictures / "metadata.csv", [(name, p, "x") for name, p, _ in ROWS], ("file_name", "patient_id", "gender"))
    assert load_images(str(pictures), salt=SALT).unread == {"gender": "sex"}


def test_a_table_that_leads_out_of_the_folder_is_refused(pictures, tmp_path_factory):
    elsewhere = write(tmp_path_factory.mktemp("elsewhere"), "metadata.csv")
    (pictures / "metadata.csv").symlink_to(elsewhere)
    with pytest.raises(AuditkitError, match="leads out of the data's folder"):
        load_images(str(pictures), salt=SALT)
