"""Files made to be listed for ever end in a reason, and soon."""

import struct
import time

import numpy as np
import pytest
from image_files import SALT, write_dicom
from pydicom import Dataset, dcmread
from test_sources import picture, reasons

from auditkit.errors import AuditkitError
from auditkit.images import csv_rows, gather, manifest
from auditkit.images.sources import load_images


def tiff(path, pages, *, circle=False):
    """A TIFF file of one grey pixel, the same on every page: 8 bytes of header, then directories of 9 entries."""
    entries = [(256, 3, 1), (257, 3, 1), (258, 3, 8), (259, 3, 1), (262, 3, 1), (273, 4, 8), (277, 3, 1), (278, 3, 1),
               (279, 4, 1)]  # fmt: skip
    table = struct.pack("<H", len(entries)) + b"".join(
        struct.pack("<HHII", tag, kind, 1, n) for tag, kind, n in entries
    )
    size = len(table) + 4
    body = b"".join(
        table + struct.pack("<I", 10 + (i + 1) * size if i + 1 < pages else 10 if circle else 0) for i in range(pages)
    )
    path.write_bytes(b"II*\0" + struct.pack("<I", 10) + b"\x80\0" + body)


def test_a_tiff_of_very_many_pages(tmp_path):
    picture(tmp_path / "good.png")
    tiff(tmp_path / "few.tif", 7)
    tiff(tmp_path / "many.tif", 200_000)
    tiff(tmp_path / "circle.tif", 3, circle=True)
    start = time.process_time()
    images = load_images(str(tmp_path), salt=SALT)
    assert time.process_time() - start < 20  # Pillow alone compares 200,000 pages with each other
    notes = {record.name: record.notes for record in images.records}
    assert notes["few.tif"][0] == "7 pages or frames: number 4 is shown"
    assert reasons(images)["many.tif"] == "it has more than 5,000 pages or frames"
    assert "circle.tif" in notes or "circle.tif" in reasons(images)


def test_a_dicom_object_of_very_many_frames(tmp_path):
    picture(tmp_path / "good.png")
    path = write_dicom(tmp_path / "many.dcm", np.zeros((2, 2, 2), np.uint8))
    ds = dcmread(path)
    ds.NumberOfFrames = 30_000
    ds.PixelData = bytes(4 * 30_000)
    ds.PerFrameFunctionalGroupsSequence = [Dataset() for _ in range(30_000)]
    ds.save_as(path)
    images = load_images(str(tmp_path), salt=SALT)
    assert reasons(images) == {"many.dcm": "it has more than 10,000 frames"}


@pytest.mark.parametrize("name", ["m.csv", "m.jsonl"])
def test_a_table_of_very_many_rows_is_refused_before_it_is_read(tmp_path, monkeypatch, name):
    for module in (csv_rows, manifest):
        monkeypatch.setattr(module, "MOST_ROWS", 1000)
    picture(tmp_path / "a.png")
    row = '{"file_name": "a.png"}\n' if name.endswith("jsonl") else "a.png\n"
    (tmp_path / name).write_text("file_name\n" * name.endswith("csv") + row * 999)
    assert len(load_images(str(tmp_path / name), salt=SALT).left_out) == 998
    (tmp_path / name).write_text("file_name\n" * name.endswith("csv") + row * 1001)
    with pytest.raises(AuditkitError, match=r"has more than 1,000,000 rows|has more than 1,000 rows"):
        load_images(str(tmp_path / name), salt=SALT)


def test_a_file_is_read_once_however_often_it_is_listed(tmp_path, monkeypatch):
    picture(tmp_path / "a.png")
    (tmp_path / "no.png").write_text("no image")
    read = []
    digest = gather.file_digest
    monkeypatch.setattr(gather, "file_digest", lambda path: (read.append(path.name), digest(path))[1])
    names = ["a.png", "./a.png", "no.png", "gone.png"]
    (tmp_path / "m.csv").write_text("file_name\n" + "\n".join(names * 500))
    images = load_images(str(tmp_path / "m.csv"), salt=SALT)
    assert sorted(read) == ["a.png", "gone.png", "no.png"]
    assert len(images.records) + len(images.left_out) == 2000
    told = {(item.name, item.reason) for item in images.left_out}
    assert len(told) == 4
    assert ("gone.png", "there is no such file") in told
