"""Folders and manifests on disk: what is listed, what is left out and why, and what ends in an error."""

import csv
import os
import pickle
import sys
import tracemalloc

import numpy as np
import pytest
from image_files import SALT, png_header, sample, write_dicom
from PIL import Image

from auditkit.errors import AuditkitError
from auditkit.images.item import UnreadableImage
from auditkit.images.sources import load_images
from auditkit.version import install_line


def picture(path, seed=0, shape=(12, 10)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)).save(path)
    return path


def table(path, rows, columns=("file_name", "patient_id")):
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerows([columns, *rows])
    return str(path)


def reasons(images):
    return {item.name: item.reason for item in images.left_out}


@pytest.fixture
def folder(tmp_path):
    """Return a folder of two modalities, one DICOM file, and everything that should not be there."""
    root = tmp_path / "data"
    picture(root / "xray" / "a.png", 1)
    picture(root / "oct" / "deep" / "ü 名.png", 2)
    picture(root / ".hidden.png", 3)
    picture(root / ".cache" / "b.png", 4)
    write_dicom(root / "scan", np.arange(64, dtype=np.uint16).reshape(8, 8), WindowCenter=30, WindowWidth=60)
    (root / "notes.txt").write_text("no image")
    (root / "labels.csv").write_text("file_name\nxray/a.png\n")
    (root / "empty.png").touch()
    (root / "bomb.png").write_bytes(png_header(50_000, 50_000))
    return root


def test_a_folder_of_all_sorts(folder):
    images = load_images(str(folder), salt=SALT)
    assert {record.name: record.modality for record in images.records} == {
        "xray/a.png": "xray",
        "oct/deep/ü 名.png": "oct",
        "scan": "ct",
    }
    assert reasons(images) == {
        "notes.txt": "it is not an image in a format that is read (PNG, JPEG, TIFF, BMP, WebP, DICOM)",
        "labels.csv": "it is a table, not an image; to use it as a manifest, give it as --audit-data itself",
        "empty.png": "it is empty (zero bytes)",
        "bomb.png": "its header declares more pixels than Pillow decodes (decompression bomb)",
    }
    assert [record.id for record in images.records] == sorted(record.id for record in images.records)
    assert all(record.pictures[0].read().dtype == np.uint8 for record in images.records)
    assert not any(record.synthetic for record in images.records)


def test_ids_need_the_salt_and_survive_a_move(folder, tmp_path):
    before = {record.name: record for record in load_images(str(folder), salt=SALT).records}
    folder.rename(tmp_path / "moved")
    after = {record.name: record for record in load_images(str(tmp_path / "moved"), salt=SALT).records}
    other = {record.name: record for record in load_images(str(tmp_path / "moved"), salt="salt").records}
    for name, record in before.items():
        assert (record.id, record.cluster, record.content) == (
            after[name].id,
            after[name].cluster,
            after[name].content,
        )
        assert record.id != other[name].id
        assert record.cluster != other[name].cluster
        assert len(record.id) == len(record.cluster) == 16


def test_content_follows_bytes_and_settings(tmp_path):
    path = picture(tmp_path / "a.png", shape=(300, 400))
    (one,) = load_images(str(tmp_path), salt=SALT).records
    (small,) = load_images(str(tmp_path), salt=SALT, max_side=100).records
    assert one.pictures[0].read().shape == (192, 256)
    assert small.pictures[0].read().shape == (75, 100)
    picture(path, seed=9, shape=(300, 400))
    (other,) = load_images(str(tmp_path), salt=SALT).records
    assert len({one.content, small.content, other.content}) == 3


def test_links_out_of_the_folder_are_not_followed(folder, tmp_path):
    outside = picture(tmp_path / "outside.png", 8)
    (folder / "link.png").symlink_to(outside)
    (folder / "inner.png").symlink_to(folder / "xray" / "a.png")
    (folder / "dangling.png").symlink_to(folder / "nowhere.png")
    (folder / "loop.png").symlink_to(folder / "loop.png")
    (folder / "folder_out").symlink_to(tmp_path)
    (folder / "folder_loop").symlink_to(folder)
    found = reasons(load_images(str(folder), salt=SALT))
    assert found["link.png"] == "it is a link that leads out of the data's folder"
    assert found["xray/a.png"] == "it is a copy of inner.png"
    assert found["dangling.png"] == "there is no such file"
    assert "loop.png" in found
    assert all("a link to a folder" in found[name] for name in ("folder_out", "folder_loop"))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_does_not_hang_the_listing(folder):
    os.mkfifo(folder / "pipe.png")
    assert reasons(load_images(str(folder), salt=SALT))["pipe.png"] == "it is not a regular file"


def test_undecodable_names_are_shown_escaped(folder):
    name = os.fsencode(str(folder)) + b"/bad\xff\n.png"
    try:
        with open(name, "wb") as stream:  # noqa: PTH123
            stream.write(b"x")
    except OSError:
        pytest.skip("the file system has no such names")
    shown = next(name for name in reasons(load_images(str(folder), salt=SALT)) if name.startswith("bad"))
    assert shown.isprintable()
    assert shown.isascii()


def test_copies_are_counted_once(tmp_path):
    original = picture(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(original.read_bytes())
    images = load_images(str(tmp_path), salt=SALT)
    assert [record.name for record in images.records] == ["a.png"]
    assert reasons(images) == {"b.png": "it is a copy of a.png"}


@pytest.mark.parametrize("rejected", ["a_link.png", "0.png"])
def test_a_readable_file_is_no_copy_of_one_that_was_rejected(tmp_path, rejected):
    """Whichever of the two is looked at first."""
    inner = tmp_path / "in"
    inner.mkdir()
    outer = picture(tmp_path / "outer.png")
    (inner / rejected).symlink_to(outer)
    (inner / "b.png").write_bytes(outer.read_bytes())
    (inner / "m.csv").write_text(f"file_name\n{rejected}\nb.png\n")
    for source in (inner, inner / "m.csv"):
        images = load_images(str(source), salt=SALT)
        assert [record.name for record in images.records] == ["b.png"]
        assert "leads out of" in reasons(images)[rejected]


def test_a_manifest_outranks_header_and_folder(tmp_path):
    picture(tmp_path / "ct" / "a.png", 1)
    picture(tmp_path / "ct" / "b.png", 2)
    write_dicom(tmp_path / "c.dcm", np.zeros((8, 8), np.uint16), PatientSex="M", Manufacturer="ACME")
    source = table(
        tmp_path / "m.csv",
        [
            ("ct/a.png", "p1", "st1", "MRI", "F", "58", "Ward 1", "", "normal"),
            ("ct/b.png", "p1", "st2", "", "", "", "", "", ""),
            ("c.dcm", "", "", "weird", "F", "", "", "", ""),
        ],
        ("file_name", "patient_id", "study_id", "modality", "sex", "age", "site", "manufacturer", "label"),
    )
    by_name = {record.name: record for record in load_images(source, salt=SALT).records}
    a, b, c = by_name["ct/a.png"], by_name["ct/b.png"], by_name["c.dcm"]
    assert (a.modality, b.modality, c.modality) == ("mr", "ct", "ct")
    assert a.cluster == b.cluster != c.cluster
    assert a.attributes == {
        "sex": "female",
        "age": "50-59",
        "site": "other",
        "manufacturer": "unknown",
        "label": "other",
    }
    assert (c.attributes["sex"], c.attributes["manufacturer"]) == ("female", "other")
    assert "the manifest's modality is not one that auditkit knows" in c.notes
    assert a.notes == tuple(
        f"its {key} is shared by fewer than 5 patients: counted as other" for key in ("site", "label")
    )


def test_study_and_file_as_units_of_analysis(tmp_path):
    for index in range(3):
        picture(tmp_path / f"{index}.png", index)
    source = table(
        tmp_path / "m.csv", [("0.png", "s"), ("1.png", "s"), ("2.png", "nan")], columns=("file_name", "study_id")
    )
    by_name = {record.name: record for record in load_images(source, salt=SALT).records}
    assert by_name["0.png"].cluster == by_name["1.png"].cluster != by_name["2.png"].cluster
    assert by_name["0.png"].notes == ("no patient id: the study is the unit of analysis",)
    assert by_name["2.png"].notes == ("no patient id: the file is the unit of analysis",)


def test_manifest_rows_cannot_leave_the_folder(tmp_path):
    root = tmp_path / "data"
    picture(root / "a.png")
    outside = picture(tmp_path / "secret.png", 5)
    (root / "link.png").symlink_to(outside)
    names = [
        "a.png",
        str(outside),
        "../secret.png",
        "sub/../../secret.png",
        "..\\secret.png",
        "C:\\secret.png",
        "link.png",
        "missing.png",
        "a.png",
        "./a.png",
        ".",
        "nul\0.png",
        "x" * 5000,
    ]
    images = load_images(table(root / "m.csv", [(name, "p") for name in names]), salt=SALT)
    assert [record.name for record in images.records] == ["a.png"]
    assert [item.reason for item in images.left_out] == [
        "its name is absolute; names must be relative to the data's folder",
        'its name leads out of the data\'s folder ("..")',
        'its name leads out of the data\'s folder ("..")',
        'its name leads out of the data\'s folder ("..")',
        "its name is absolute; names must be relative to the data's folder",
        "it is a link that leads out of the data's folder",
        "there is no such file",
        "it is listed twice",
        "it is listed twice",
        "it is a folder",
        "no file can have this name",
        "it cannot be opened (OSError)",
    ]
    assert all(len(item.name) <= 200 and item.name.isprintable() for item in images.left_out)


def error_of(source, **options):
    with pytest.raises(AuditkitError) as caught:
        load_images(source, salt=SALT, **options)
    assert caught.value.remedy
    return str(caught.value)


def test_sources_that_cannot_be_used(tmp_path):
    assert "does not exist" in error_of(str(tmp_path / "none"))
    assert "Accepted: demo, a folder" in error_of("")
    assert "does not exist" in error_of("x\0y")
    assert '"some/where" does not exist' in error_of("medmnist:some/where")
    assert 'no layout is called "medmnits"' in error_of("medmnits:some/where")
    assert "is empty" in error_of(str(tmp_path))
    assert "is empty" in error_of(table(tmp_path / "m.csv", []))
    only = tmp_path / "only"
    only.mkdir()
    (only / "a.txt").write_text("x")
    assert "holds no readable image among 1 entries (a.txt: it is not an image" in error_of(str(only))
    assert "single file and no manifest" in error_of(str(picture(tmp_path / "one.png")))
    assert "at least 1" in error_of(str(tmp_path), max_side=0)


def test_dicom_files_without_pydicom(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "pydicom", None)
    message = error_of(str(folder))
    assert install_line("dicom") in message
    (folder / "scan").unlink()
    assert len(load_images(str(folder), salt=SALT).records) == 2, "without DICOM files pydicom is not needed"


def test_a_file_that_changes_after_listing_is_not_read_as_the_old_one(tmp_path):
    path = picture(tmp_path / "a.png")
    (record,) = load_images(str(tmp_path), salt=SALT).records
    picture(path, seed=7, shape=(13, 10))
    with pytest.raises(UnreadableImage, match="changed since it was listed"):
        record.pictures[0].read()
    path.unlink()
    with pytest.raises(UnreadableImage, match="no longer be opened"):
        record.pictures[0].read()


def test_records_travel_to_other_processes(tmp_path):
    picture(tmp_path / "a.png")
    (record,) = load_images(str(tmp_path), salt=SALT).records
    copy = pickle.loads(pickle.dumps(record))
    assert copy == record
    assert np.array_equal(copy.pictures[0].read(), record.pictures[0].read())


def test_listing_real_test_files_never_raises():
    """Every file that pydicom ships, broken ones included, is a record or has a reason; reading likewise."""
    images = load_images(str(sample("CT_small.dcm").parent), salt=SALT, max_side=64)
    assert len(images.records) >= 80
    assert len(images.left_out) >= 60
    unreadable = []
    for record in images.records:
        try:
            pixels = record.pictures[0].read()
        except UnreadableImage as error:
            unreadable.append((record.name, str(error)))
            continue
        assert pixels.dtype == np.uint8
        assert max(pixels.shape) <= 64
    nothing = {name for name, reason in unreadable if "it shows n" in reason}
    # three slices of 16 x 16 pixels beside the patient, in a window of soft tissue
    assert {f"dicomdirtests/77654033/CT2/{number}" for number in (17136, 17166, 17196)} <= nothing
    assert len(nothing) <= 6
    assert 3 <= len(unreadable) - len(nothing) <= 8
    assert all("Error" not in reason for _, reason in unreadable), unreadable


@pytest.mark.skipif(os.sep == "\\", reason="there a backslash does separate folders")
def test_backslashes_between_folders_are_named(tmp_path):
    (tmp_path / "scans").mkdir()
    picture(tmp_path / "scans" / "a.png")
    picture(tmp_path / "b.png")
    (tmp_path / "list.csv").write_text("file_name\nscans\\a.png\nC:\\scans\\a.png\nb.png\n")
    reasons = {entry.name: entry.reason for entry in load_images(str(tmp_path / "list.csv"), salt=SALT).left_out}
    assert 'write "/"' in reasons["scans\\a.png"]
    assert "absolute" in reasons["C:\\scans\\a.png"]
    with pytest.raises(AuditkitError, match='write "/"'):
        load_images("C:\\scans", salt=SALT)


def test_memory_per_record_is_flat(tmp_path):
    """100,000 files must list within a fraction of a gigabyte: no pixels, no header, no dictionary per record."""
    data = picture(tmp_path / "0.png", shape=(200, 200)).read_bytes()
    for index in range(1, 300):
        # bytes behind the end of a PNG file change its hash and not its pixels
        (tmp_path / f"{index}.png").write_bytes(data + str(index).encode())
    load_images(str(tmp_path), salt=SALT)
    tracemalloc.start()
    images = load_images(str(tmp_path), salt=SALT)
    held, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(images.records) == 300
    assert held / 300 < 2000
    assert peak / 300 < 3000
