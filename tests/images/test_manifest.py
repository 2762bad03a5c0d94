"""Manifests in their three formats: what is read, and what a broken row or table says."""

import json

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from auditkit.errors import AuditkitError
from auditkit.images import manifest
from auditkit.images.item import LeftOut
from auditkit.images.manifest import Row
from auditkit.images.sources import load_images
from auditkit.version import install_line

NO_FILE_NAMED = '"file_name" is empty; name its picture or, if it has none, ask a task with pictures = 0'
TABLE = [
    {"file_name": "a.png", "patient_id": "p1", "age": 61, "sex": "F", "label": "normal"},
    {"file_name": "sub/ü b.png", "patient_id": "p2", "age": None, "sex": "M", "label": "nodule, left"},
]


def write(folder, suffix, rows=TABLE):
    path = folder / f"data.{suffix}"
    if suffix == "parquet":
        parquet.write_table(pa.Table.from_pylist(rows), path)
    elif suffix == "jsonl":
        path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), encoding="utf-8")
    else:
        lines = [",".join(rows[0])]
        lines += [",".join("" if v is None else f'"{v}"' for v in row.values()) for row in rows]
        path.write_text("\n".join(lines), encoding="utf-8")
    return path


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_three_formats_one_content(tmp_path, suffix):
    first, second = manifest.Manifest(write(tmp_path, suffix))
    assert isinstance(first, Row)
    assert (first.name, second.name) == ("a.png", "sub/ü b.png")
    assert {key: str(value) for key, value in first.declared.items()} == {
        "patient_id": "p1",
        "age": "61",
        "sex": "F",
        "label": "normal",
    }
    assert second.declared["label"] == "nodule, left"
    assert second.declared.get("age") in (None, "")


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_without_file_name_the_columns_seen_are_named(tmp_path, suffix):
    path = write(tmp_path, suffix, [{"image": "a.png", "patient": "1"}])
    with pytest.raises(AuditkitError, match=r'no column "file_name"; its columns are: image, patient') as caught:
        list(manifest.Manifest(path))
    assert 'Name the column that holds the image files "file_name"' in caught.value.remedy


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
def test_an_empty_table_has_no_file_name(tmp_path, suffix):
    path = tmp_path / f"e.{suffix}"
    path.write_text("")
    with pytest.raises(AuditkitError, match="its columns are: none"):
        list(manifest.Manifest(path))


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_csv_with_byte_order_mark_and_the_delimiters_of_spreadsheets(tmp_path, delimiter):
    path = tmp_path / "m.csv"
    path.write_text(f"file_name{delimiter}sex\r\na.png{delimiter}F\r\n", encoding="utf-8-sig")
    assert list(manifest.Manifest(path)) == [Row("a.png", {"sex": "F"})]


def test_broken_csv_rows_are_left_out_by_number(tmp_path):
    path = tmp_path / "m.csv"
    path.write_text('file_name,sex\na.png,F\nb.png\nc.png,F,extra\n,F\n\n"d.png"x,F\ne.png,M\n')
    rows = list(manifest.Manifest(path))
    assert [row.name for row in rows if isinstance(row, Row)] == ["a.png", "e.png"]
    assert [(row.name, row.reason) for row in rows if isinstance(row, LeftOut)] == [
        ("m.csv row 3", "the row has 1 fields, the header 2"),
        ("m.csv row 4", "the row has 3 fields, the header 2"),
        ("m.csv row 5", NO_FILE_NAMED),
        ("m.csv row 7", "the row is not valid CSV"),
    ]


def test_broken_json_lines_are_left_out_by_number(tmp_path):
    path = tmp_path / "m.jsonl"
    path.write_text(
        '{"file_name": "a.png", "age": 5}\nnot json\n[1, 2]\n\n{"sex": "F"}\n{"file_name": 7}\n'
        '{"file_name": "b.png", "sex": {"x": 1}}\n' + "[" * 100_000 + '\n{"file_name": "c.png"}\n'
    )
    rows = list(manifest.Manifest(path))
    assert [row.name for row in rows if isinstance(row, Row)] == ["a.png", "c.png"]
    assert [(row.name, row.reason) for row in rows if isinstance(row, LeftOut)] == [
        ("m.jsonl line 2", "the line is not valid JSON"),
        ("m.jsonl line 3", "the line is not a JSON object"),
        ("m.jsonl line 5", NO_FILE_NAMED),
        ("m.jsonl line 6", '"file_name" is not a text'),
        ("m.jsonl line 7", '"sex" is not a single value'),
        ("m.jsonl line 8", "the line is not valid JSON"),
    ]


def test_broken_parquet_rows_and_nested_columns(tmp_path):
    path = write(
        tmp_path,
        "parquet",
        [{"file_name": "a.png", "age": [1, 2], "image": {"bytes": b"x"}}, {"file_name": None}, {"file_name": "b.png"}],
    )
    rows = list(manifest.Manifest(path))
    assert [type(row) for row in rows] == [LeftOut, LeftOut, Row]
    assert rows[0].reason == '"age" is not a single value'
    assert rows[1] == LeftOut("data.parquet row 2", NO_FILE_NAMED)


def test_what_is_no_parquet(tmp_path):
    path = tmp_path / "x.parquet"
    path.write_bytes(b"PAR1 this is not PAR1")
    with pytest.raises(AuditkitError, match="cannot be read as Parquet"):
        list(manifest.Manifest(path))


def test_what_is_no_utf8(tmp_path):
    path = tmp_path / "x.csv"
    path.write_bytes("file_name,label\nä.png,groß\n".encode("latin-1"))
    with pytest.raises(AuditkitError, match="not UTF-8"):
        list(manifest.Manifest(path))


def test_parquet_without_pyarrow(tmp_path, monkeypatch):
    path = write(tmp_path, "parquet")
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(AuditkitError) as caught:
        list(manifest.Manifest(path))
    assert install_line("parquet") in caught.value.remedy


@settings(max_examples=60)
@given(st.binary(max_size=200))
def test_any_bytes_give_rows_or_one_clear_error(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("fuzz")
    for suffix in ("csv", "jsonl", "parquet"):
        path = folder / f"m.{suffix}"
        path.write_bytes(b"file_name,sex\n" + data if suffix == "csv" else data)
        try:
            rows = list(manifest.Manifest(path))
        except AuditkitError as error:
            assert error.remedy, suffix  # noqa: PT017
        else:
            assert all(isinstance(row, (Row, LeftOut)) for row in rows)


@pytest.mark.parametrize(
    ("given_as", "label"),
    [
        (["nodule"], "nodule"),
        (["nodule", "mass"], "mass + nodule"),
        ("['nodule', 'mass']", "mass + nodule"),
        ("[]", ""),
        ("[not a list", "[not a list"),
        ("normal", "normal"),
        ([1, 0], "0 + 1"),
    ],
)
def test_lists_of_labels_are_one_label_in_whatever_order(tmp_path, given_as, label):
    path = write(tmp_path, "jsonl", [{"file_name": "a.png", "label": given_as}])
    assert list(manifest.Manifest(path)) == [Row("a.png", {"label": label})]


def test_a_list_of_one_is_its_value(tmp_path):
    path = write(tmp_path, "jsonl", [{"file_name": "a.png", "patient_id": ["p1"]}])
    assert list(manifest.Manifest(path)) == [Row("a.png", {"patient_id": "p1"})]


def test_a_manifest_that_is_a_link_is_told_by_the_name_of_the_link(tmp_path):
    write(tmp_path, "csv").rename(tmp_path / "blob")
    (tmp_path / "list.csv").symlink_to("blob")
    with pytest.raises(AuditkitError, match="holds no readable image"):
        load_images(str(tmp_path / "list.csv"), salt="pepper")
