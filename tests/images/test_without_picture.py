"""Rows of a table without a picture: which are items, which are copies, who counts as one, and what changes an id."""

import csv
import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from image_files import SALT
from test_sources import picture, reasons

from auditkit.images.item import NOT_IDENTIFIABLE, Item
from auditkit.images.manifest import Manifest, Row
from auditkit.images.sources import load_images

COLUMNS = ("file_name", "patient_id", "modality", "label", "finding")
NO_FILE_NAMED = '"file_name" is empty; name its picture or, if it has none, ask a task with pictures = 0'
cells = st.sampled_from(["", "a", "b", "two\nlines", 'a "quoted" word', "a, b", "0", "unknown"])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("texts")
    for i in range(3):
        picture(made / f"{i}.png", i)
    return made


def write(path, rows, columns=COLUMNS):
    with path.open("w", newline="") as stream:
        csv.writer(stream).writerows([columns, *rows])
    return path


def loaded(path, columns=("finding",), **further):
    return load_images(str(path), salt=SALT, columns=columns, **{"without_picture": True, **further})


def without(images) -> list[Item]:
    return [item for item in images.records if not item.pictures]


@settings(max_examples=40)
@given(rows=st.lists(st.tuples(cells, cells, cells), max_size=8), data=st.data())
def test_every_row_is_an_item_a_copy_or_empty_in_whatever_order(folder, rows, data):
    """What a row says but for its patient is written once: so many items there are, counted here by a set."""
    table = [("", f"p{i}", "ct", label, finding, more) for i, (label, finding, more) in enumerate(rows)]
    shuffled = data.draw(st.permutations(table))
    columns = (*COLUMNS, "further")
    path = write(folder / "any.csv", [("0.png", "x", "", "", "", ""), *table], columns)
    images = loaded(path)
    assert len(images.records) + len(images.left_out) == len(table) + 1
    distinct = {row[2:] for row in table}
    assert len(without(images)) == len(distinct)
    assert all("is a copy of any.csv row" in reason for reason in reasons(images).values())
    write(path, [("0.png", "x", "", "", "", ""), *shuffled], columns)
    again = loaded(path)
    assert {(i.id, i.content) for i in without(again)} == {(i.id, i.content) for i in without(images)}


@settings(max_examples=30)
@given(row=st.tuples(cells, cells), place=st.integers(0, 1), other=cells)
def test_a_changed_cell_makes_another_item_with_another_address(folder, row, place, other):
    changed = [*row]
    changed[place] = other
    found = []
    for label, finding in (row, changed):
        path = write(folder / "one.csv", [("", "p", "ct", label, finding)])
        [item] = without(loaded(path))
        found.append((item.id, item.content))
    same = tuple(changed) == row
    assert (found[0][0] == found[1][0]) == (found[0][1] == found[1][1]) == same


def test_who_it_is_of_changes_neither_id_nor_address(folder):
    one, other = (
        without(loaded(write(folder / "who.csv", [("", patient, "ct", "", "Nodule.")])))[0] for patient in "pq"
    )
    assert (one.id, one.content) == (other.id, other.content)
    assert one.cluster != other.cluster


def test_an_item_without_a_picture_has_all_else_that_items_have(folder):
    rows = [("", f"p{i}", "ct", "mass", f"Nodule {i}.") for i in range(5)]
    item = without(loaded(write(folder / "all.csv", rows)))[0]
    assert (item.pictures, item.modality, item.unit, item.attributes["label"]) == ((), "ct", "patient", "mass")
    assert item.columns["finding"].startswith("Nodule ")
    assert item.name.startswith("all.csv row ")
    assert item.identifiable == NOT_IDENTIFIABLE, "there is no picture in which a name could stand"
    assert "p0" not in item.id + item.cluster + item.content


def test_where_no_patient_is_known_what_says_the_same_counts_as_one(folder):
    """A number of the row makes two items of one question, which a model answers alike, but not two patients."""
    columns = ("file_name", "number", "patient_id", "finding")
    rows = [("", i, ("REMOVED", "xxx")[i % 2], f"Nodule {i // 2}.") for i in range(6)]
    images = loaded(write(folder / "numbered.csv", rows, columns))
    clusters = {}
    for item in without(images):
        clusters.setdefault(item.columns["finding"], set()).add(item.cluster)
    assert [len(found) for found in clusters.values()] == [1, 1, 1]
    assert len(set().union(*clusters.values())) == 3
    assert {item.unit for item in without(images)} == {"file"}


def test_the_columns_that_are_asked_about_do_not_change_the_ids(folder):
    """An id holds the whole row, so that a run of a part of the audits has the items of the whole."""
    path = write(folder / "asked.csv", [("", f"p{i}", "ct", "mass", f"Nodule {i}.") for i in range(4)])
    few, many = (loaded(path, columns) for columns in ((), ("finding", "label")))
    assert [(i.id, i.content) for i in few.records] == [(i.id, i.content) for i in many.records]


def test_pictures_beside_them_are_what_they_are_without_them(folder):
    pictures = [(f"{i}.png", f"p{i}", "ct", "", "") for i in range(3)]
    alone = loaded(write(folder / "alone.csv", pictures))
    beside = loaded(write(folder / "beside.csv", [*pictures, ("", "p0", "ct", "", "Nodule."), ("", "q", "", "", "x")]))
    shown = [item for item in beside.records if item.pictures]
    assert [replace(item, name="") for item in shown] == [replace(item, name="") for item in alone.records]
    assert len(without(beside)) == 2
    with_patient = next(item for item in without(beside) if item.columns["finding"] == "Nodule.")
    assert with_patient.cluster in {item.cluster for item in shown}, "one patient, with a picture and without"


def test_where_nothing_can_be_asked_in_words_the_row_says_what_to_do(folder):
    path = write(folder / "no.csv", [("0.png", "p0", "", "", ""), ("", "p1", "ct", "", "Nodule.")])
    images = loaded(path, without_picture=False)
    assert reasons(images) == {"no.csv row 3": NO_FILE_NAMED}


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (("", "p", "", "", ""), '"file_name" is empty, and so is the rest'),
        (("", "p", "x.png", "", ""), '"file_name_2" is filled and "file_name" is empty'),
        (("", "p", "", "0.png", "old-s1"), '"of" is filled and "file_name" is empty'),
    ],
)
def test_a_row_that_says_nothing_or_speaks_of_pictures_is_left_out(folder, row, said):
    columns = ("file_name", "patient_id", "file_name_2", "of", "given")
    path = write(folder / "odd.csv", [("0.png", "q", "", "", ""), row], columns)
    assert reasons(loaded(path)) == {"odd.csv row 3": said}


def test_a_name_that_is_no_text_is_a_mistake_and_no_missing_picture(folder):
    path = folder / "number.jsonl"
    path.write_text("\n".join(map(json.dumps, [{"file_name": "0.png"}, {"file_name": 7, "finding": "x"}])))
    assert reasons(loaded(path)) == {"number.jsonl line 2": '"file_name" is not a text'}


def test_two_stray_quotation_marks_swallow_no_rows_between(folder):
    rows = [f",p{i},ct,,Nodule {i}." for i in range(40)]
    rows[10], rows[30] = ',p10,ct,,"Nodule 10.', ',p30,ct,,Nodule 30."'
    path = folder / "stray.csv"
    path.write_text("\n".join([",".join(COLUMNS), *rows]))
    images = loaded(path)
    assert len(images.records) == 39
    assert list(reasons(images)) == ["stray.csv row 12"]


def test_rows_of_a_table_in_a_folder_are_read_alike(folder, tmp_path):
    picture(tmp_path / "a.png", 1)
    (tmp_path / "sub").mkdir()
    picture(tmp_path / "sub/b.png", 2)
    write(tmp_path / "metadata.csv", [("a.png", "p", "", "", ""), ("", "q", "ct", "", "Nodule.")])
    write(tmp_path / "sub/metadata.csv", [("b.png", "r", "", "", ""), ("", "s", "ct", "", "Mass.")])
    images = loaded(tmp_path)
    assert sorted(item.columns["finding"] for item in without(images)) == ["Mass.", "Nodule."]
    assert len(images.records) == 4
    assert reasons(images) == {}
    entries = list(Manifest(tmp_path / "metadata.csv", without_picture=True))
    assert [isinstance(entry, Row) and bool(entry.words) for entry in entries] == [False, True]
