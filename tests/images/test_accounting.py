"""Every row and every file ends in an image or in a reason: hostile tables and folders, counted by hand."""

import json

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from image_files import SALT
from pyarrow import parquet
from test_sources import picture, reasons, table

from auditkit.images.item import LeftOut
from auditkit.images.manifest import Manifest, Row
from auditkit.images.sources import load_images

N = 60


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    for i in range(N):
        picture(folder / f"{i:02d}.png", i)
    (folder / "broken.png").write_bytes(b"\x89PNG but not really")
    return folder


def loaded(path):
    return load_images(str(path), salt=SALT)


def test_an_unbalanced_quotation_mark_costs_its_own_row_only(pictures):
    rows = [f'{i:02d}.png,"p{i}"' for i in range(N)]
    rows[2] = '02.png,"p2'
    path = pictures / "open.csv"
    path.write_text("\n".join(["file_name,patient_id", *rows, ""]))
    images = loaded(path)
    assert len(images.records) == N - 1
    assert reasons(images) == {"open.csv row 4": "the row opens a quotation mark that it does not close"}


def test_two_stray_quotation_marks_do_not_make_one_row_of_all_between(pictures):
    """Read by the letter of CSV, rows 11 to 31 are one row with a label of many lines, and nothing seems wrong."""
    rows = [f"{i:02d}.png,p{i}" for i in range(N)]
    rows[10], rows[30] = '10.png,"p10', '30.png,p30"'
    path = pictures / "pair.csv"
    path.write_text("\n".join(["file_name,patient_id", *rows]))
    images = loaded(path)
    assert len(images.records) + len(images.left_out) == N
    assert list(reasons(images)) == ["pair.csv row 12"]


def test_a_text_of_several_lines_is_one_row(pictures):
    path = pictures / "text.csv"
    path.write_text('file_name,patient_id,report\n00.png,p0,"No effusion,\nno edema, heart\nnormal"\n01.png,p1,short\n')
    images = loaded(path)
    assert [record.name for record in sorted(images.records, key=lambda r: r.name)] == ["00.png", "01.png"]
    assert images.left_out == ()
    assert images.unread == {"report": ""}


@pytest.mark.parametrize("first", ["sep=;\n", "SEP=;\r\n", "\ufeffsep=;\n", ""])
def test_the_separator_that_excel_writes_in_front_is_understood(pictures, first):
    path = pictures / "excel.csv"
    path.write_text(f"{first}file_name;age\n00.png;58,0\n01.png;6M\n", encoding="utf-8")
    ages = {record.name: record.attributes["age"] for record in loaded(path).records}
    assert ages == {"00.png": "50-59", "01.png": "0-9"}


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_that_which_makes_a_column_of_file_names(pictures, delimiter):
    path = pictures / "m.csv"
    header = delimiter.join(("label", "file_name", '"notes, free; text"'))
    path.write_text(f"{header}\n{delimiter.join(('a', '00.png', 'x'))}\n")
    assert [record.name for record in loaded(path).records] == ["00.png"]


def test_what_a_file_is_does_not_hang_on_its_suffix(tmp_path):
    """The same bytes twice are one picture, whatever the names say, and the other is listed as its copy."""
    data = picture(tmp_path / "b.png", 1).read_bytes()
    (tmp_path / "a.dcm").write_bytes(data)
    images = loaded(tmp_path)
    assert [record.name for record in images.records] == ["a.dcm"]
    assert list(reasons(images)) == ["b.png"]
    assert "copy" in reasons(images)["b.png"]


def test_rows_that_repeat_a_file_and_disagree_say_in_what(pictures):
    rows = [("00.png", "p1", "F"), ("00.png", "p2", "F"), ("00.png", "p1", "F")]
    images = loaded(table(pictures / "twice.csv", rows, ("file_name", "patient_id", "sex")))
    assert [item.reason for item in images.left_out] == [
        "it is listed twice, and the two rows differ in patient_id: the first is used",
        "it is listed twice",
    ]


def test_a_missing_name_is_held_against_those_that_look_like_it(pictures):
    images = loaded(table(pictures / "case.csv", [("00.PNG", "p1"), ("01.png", "p2"), ("none.png", "p3")]))
    assert reasons(images) == {
        "00.PNG": "there is no such file; there is 00.png",
        "none.png": "there is no such file",
    }


def test_linked_folders_are_named_and_cycles_end(tmp_path):
    root, other = tmp_path / "data", tmp_path / "other"
    picture(root / "a.png", 1)
    picture(other / "b.png", 2)
    (root / "elsewhere").symlink_to(other)
    (root / "round").symlink_to(root)
    (root / "sub").mkdir()
    (root / "sub" / "up").symlink_to(root)
    images = loaded(root)
    assert [record.name for record in images.records] == ["a.png"]
    assert set(reasons(images)) == {"elsewhere", "round", "sub/up"}
    assert all("link to a folder" in reason for reason in reasons(images).values())


CELLS = st.sampled_from(
    [
        "00.png",
        "01.png",
        "./00.png",
        "02.PNG",
        "broken.png",
        "../x.png",
        "/etc/passwd",
        "gone.png",
        "",
        " ",
        ".",
        "a\tb",
    ]
)
IDS = st.sampled_from(["p1", "P1", "700", "700.0", "", "REMOVED", 'say "hi"', "a,b", "ü", "x;y"])
ROWS = st.lists(st.tuples(CELLS, IDS), min_size=1, max_size=15)
HOSTILE = settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])


def accounted(path, n):
    """Rows in are images and reasons out, whether or not any image is usable."""
    entries = list(Manifest(path))
    assert len(entries) == n
    if not any(isinstance(entry, Row) and entry.name in ("00.png", "01.png", "./00.png") for entry in entries):
        return
    images = loaded(path)
    assert len(images.records) + len(images.left_out) == n
    assert len({record.name for record in images.records}) == len(images.records)


@given(ROWS)
@HOSTILE
def test_rows_in_are_rows_used_and_left_out(pictures, rows):
    import csv

    with (pictures / "h.csv").open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([("file_name", "patient_id"), *rows])
    accounted(pictures / "h.csv", len(rows))
    lines = [json.dumps({"file_name": name, "patient_id": own}) for name, own in rows]
    (pictures / "h.jsonl").write_text("\n".join(lines))
    accounted(pictures / "h.jsonl", len(rows))
    entries = [{"file_name": name or None, "patient_id": own} for name, own in rows]
    schema = pa.schema([("file_name", pa.string()), ("patient_id", pa.string())])
    parquet.write_table(pa.Table.from_pylist(entries, schema), pictures / "h.parquet")
    accounted(pictures / "h.parquet", len(rows))


GOOD = ("{i}.png,p{i}", '{i}.png,"p{i}"', '{i}.png,"a""b"')
BAD = (
    *('{i}.png,"p{i}', '"{i}.png,p{i}', '{i}.png,p{i}"', "{i}.png", "{i}.png,p,{i}", '"{i}.png"x,p'),
    *(",", ",,", '""', '"', "not a row"),
)
BROKEN = st.sampled_from((*GOOD, *BAD))


@given(st.lists(BROKEN, min_size=1, max_size=25), st.sampled_from(["\n", "\r\n", "\r"]))
@HOSTILE
def test_every_line_of_a_broken_csv_is_accounted_for(pictures, lines, end):
    """Every line that no quoted cell claims is one entry; a good line is never inside another's cell."""
    written = [line.replace("{i}", f"{i:02d}") for i, line in enumerate(lines)]
    path = pictures / "b.csv"
    path.write_text(end.join(["file_name,patient_id", *written]) + end, newline="")
    entries = list(Manifest(path))
    used = {entry.name for entry in entries if isinstance(entry, Row)}
    told = {int(entry.name.rpartition(" ")[2]) for entry in entries if isinstance(entry, LeftOut)}
    assert len(told) == sum(isinstance(entry, LeftOut) for entry in entries), "no line is told of twice"
    for i, line in enumerate(lines):
        if line in GOOD:
            assert f"{i:02d}.png" in used, (i, written)
        elif line.startswith("{i}.png") and '"' not in lines[i + 1 :]:  # which may close a cell that claims this line
            assert f"{i:02d}.png" in used or i + 2 in told, (i, written)
