"""Hugging Face data sets as Parquet: pictures in cells, classes from the schema, splits from the names of shards."""

import io

import numpy as np
import pytest
from layout_files import by_name, error_of, hf_shard, load, png
from PIL import Image

from auditkit.images.item import UnreadableImage


def rows(n, first=0, **columns):
    return [
        {
            "image": {"bytes": png(first + i), "path": f"{i}.png"},
            "label": i % 2,
            **{k: v(i) for k, v in columns.items()},
        }
        for i in range(n)
    ]


@pytest.fixture
def shards(tmp_path):
    patient = {"patient_id": lambda i: f"p{i // 2}", "sex": lambda i: "FM"[i // 2 % 2]}
    for split, first, n in (("train", 0, 20), ("test", 100, 12)):
        path = tmp_path / "data" / f"{split}-00000-of-00001.parquet"
        hf_shard(path, rows(n, first, notes=str, **patient), classes=["benign", "malignant"])
    (tmp_path / "README.md").write_text("x")
    return tmp_path


def test_shards(shards):
    images = load(shards)
    records = by_name(images)
    assert len(records) == 32
    for i in range(20):
        record = records[f"data/train-00000-of-00001.parquet[{i}]"]
        np.testing.assert_array_equal(record.pictures[0].read(), np.asarray(Image.open(io.BytesIO(png(i)))))
        assert record.attributes["label"] == ("benign", "malignant")[i % 2]
        assert (record.attributes["split"], record.attributes["sex"]) == ("train", ("female", "male")[i // 2 % 2])
        assert (record.unit, record.source) == ("patient", "hf-parquet")
    assert len({r.cluster for r in images.records}) == 10, "patients p0 to p9; p0 to p5 are in both splits"
    assert [e.name for e in images.left_out] == ["README.md"]
    assert images.unread == {"notes": ""}
    assert {r.attributes["split"] for r in load(f"{shards}#test").records} == {"test"}


def test_one_shard_of_numbered_ones_and_without_classes(tmp_path):
    path = tmp_path / "validation" / "0000.parquet"
    hf_shard(path, rows(12))
    records = load(path).records
    assert {(r.attributes["split"], r.attributes["label"]) for r in records} == {
        ("validation", "0"),
        ("validation", "1"),
    }
    assert {r.unit for r in records} == {"file"}


def test_cells_that_hold_no_picture(tmp_path):
    path = tmp_path / "a.parquet"
    entries = rows(10)
    entries[1]["image"] = {"bytes": None, "path": "far/away.png"}
    entries[2]["image"] = None
    entries[3]["image"] = {"bytes": b"GIF89a", "path": None}
    entries[4]["image"] = {"bytes": png(0), "path": "again.png"}
    hf_shard(path, entries)
    images = load(path)
    assert {e.name: e.reason.split(",")[0].split(" (")[0] for e in images.left_out} == {
        "a.parquet[1]": '"image" holds no picture',
        "a.parquet[2]": '"image" holds no picture',
        "a.parquet[3]": "it is not an image in a format that is read",
        "a.parquet[4]": "it is a copy of a.parquet[0]",
    }
    assert len(images.records) == 6


def test_columns_of_pictures_and_of_patients(tmp_path):
    two = [{"left": row["image"], "right": row["image"]} for row in rows(4)]
    hf_shard(tmp_path / "a.parquet", two)
    assert "several columns of pictures and none called" in str(error_of(tmp_path / "a.parquet"))
    hf_shard(tmp_path / "b.parquet", rows(4, subject_id=str))
    assert 'has a column "subject_id" and none called "patient_id"' in str(error_of(tmp_path / "b.parquet"))


def test_damaged_shards(tmp_path):
    path = tmp_path / "train-00000-of-00001.parquet"
    hf_shard(path, rows(40), group=10)
    whole = path.read_bytes()
    path.write_bytes(whole[:-200])
    assert "cannot be read as Parquet" in str(error_of(path))
    middle = len(whole) // 2
    path.write_bytes(whole[:middle] + bytes(400) + whole[middle + 400 :])
    try:
        images = load(path)
    except Exception as error:
        assert "cannot be read as Parquet" in str(error)  # noqa: PT017  # either is said in words
    else:
        assert len(images.records) + len(images.left_out) == 40


def test_a_shard_that_changes_after_listing(tmp_path):
    path = tmp_path / "a.parquet"
    hf_shard(path, rows(8))
    record = load(path).records[0]
    hf_shard(path, rows(8, first=50))
    with pytest.raises(UnreadableImage, match="has changed since it was listed"):
        record.pictures[0].read()
