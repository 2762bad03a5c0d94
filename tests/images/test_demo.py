"""The demonstration data: complete, honest about itself, quick to list, and with no text of a scanner in it."""

import csv
import re
from collections import Counter, defaultdict
from dataclasses import replace

import numpy as np
import pydicom
import pytest
from image_files import SALT

from auditkit.errors import AuditkitError
from auditkit.images import demo, phantoms
from auditkit.images.item import MODALITIES
from auditkit.images.sources import load_images
from auditkit.version import install_line
from tools import demo_manifest
from tools.demo_manifest import CLUSTERS_PER_MODALITY, MORE_CLUSTERS, agree


@pytest.fixture(scope="module")
def images():
    """Return the demonstration data, listed once."""
    return load_images("demo", salt=SALT)


@pytest.fixture(scope="module")
def entries():
    """Return the rows of its manifest."""
    return demo.read_manifest()


def test_every_modality_has_its_clusters(images):
    clusters = defaultdict(set)
    for record in images.records:
        clusters[record.modality].add(record.cluster)
    assert {modality: len(found) for modality, found in clusters.items()} == {
        m: CLUSTERS_PER_MODALITY + MORE_CLUSTERS.get(m, 0) for m in MODALITIES if m != "other"
    }
    assert images.left_out == ()
    assert len({record.id for record in images.records}) == len(images.records)
    assert len({record.content for record in images.records}) == len(images.records)


def test_the_notice_counts_and_disclaims(images, entries):
    real = [entry for entry in entries if entry.synthetic == "no"]
    assert f"{len(real)} real images of {len({e.cluster for e in real})} patients" in images.notice
    assert f"{len(entries) - len(real)} procedural phantoms" in images.notice
    assert "not clinical evidence" in images.notice


def test_real_files_decode_to_pictures(images):
    real = [record for record in images.records if not record.synthetic]
    assert Counter(record.source for record in real) == {"pydicom-data": 14, "mammograms": 8, "pydicom": 2}
    for record in real:
        if record.modality == "mammography" and not record.name.endswith(("130.dcm", "280.dcm")):
            continue  # half a second each: two of eight show what there is to see
        pixels = record.pictures[0].read()
        assert pixels.dtype == np.uint8
        assert max(pixels.shape[:2]) <= 256
        assert pixels.std() > 20, record.name
        assert pixels.ndim == (3 if record.modality == "ultrasound" and "JPGLossless" not in record.name else 2)


def test_views_of_one_patient_share_a_cluster(images, entries):
    """Per-view patient ids (``..._P_00820_LEFT_CC``) would count one patient four times."""
    patients = defaultdict(set)
    folder = demo.package_folders({"mammograms"})["mammograms"]
    for entry in entries:
        if entry.package == "mammograms":
            header = pydicom.dcmread(folder / entry.name, stop_before_pixels=True)
            patients[entry.cluster].add(re.search(r"P_\d+", str(header.PatientID))[0])
    assert sorted(map(len, patients.values())) == [1, 1]
    assert len(set().union(*patients.values())) == 2
    assert len({r.cluster for r in images.records if r.source == "mammograms"}) == 2


def test_phantoms_are_marked_and_were_not_trained_on(images, entries):
    for entry in entries:
        assert (entry.package == "auditkit") == (entry.synthetic == "yes")
        if entry.synthetic == "yes":
            assert int(entry.seed) >= 1_000_000
            assert entry.licence == "Apache-2.0"
    drawn = [record for record in images.records if record.synthetic]
    assert len({record.cluster for record in drawn}) == len(drawn)
    record = next(r for r in drawn if r.modality == "oct")
    assert np.array_equal(record.pictures[0].read(), phantoms.phantom("oct", record.pictures[0].read.seed, 256))


def test_the_manifest_fits_the_phantoms_that_are_installed(entries):
    drawn = [entry for entry in entries if entry.synthetic == "yes"]
    assert {entry.version for entry in drawn} == {str(phantoms.VERSION)}, (
        "the phantoms changed: python -m tools.demo_manifest --rewrite-manifest"
    )
    for entry in drawn[::45]:
        assert agree(demo_manifest.phantom_entry(entry.modality, int(entry.seed)), entry), entry.name


def test_rows_agree_up_to_rounding_only(entries):
    drawn, other = entries[-1], entries[-2]
    assert agree(drawn, replace(drawn, sha256="0" * 64))
    nudged = bytes(min(b + 1, 255) for b in bytes.fromhex(drawn.look)).hex()
    assert agree(drawn, replace(drawn, sha256="0" * 64, look=nudged))
    assert not agree(drawn, replace(drawn, look=other.look))
    assert not agree(drawn, replace(drawn, version="0"))
    assert not agree(drawn, replace(drawn, look=""))
    assert not agree(entries[0], replace(entries[0], sha256="0" * 64))


def test_phantom_content_follows_everything_the_pixels_depend_on(monkeypatch):
    contents = {
        demo.phantom_content("ct", 1, 256),
        demo.phantom_content("mr", 1, 256),
        demo.phantom_content("ct", 2, 256),
        demo.phantom_content("ct", 1, 128),
    }
    monkeypatch.setattr(phantoms, "VERSION", "another")
    assert len(contents | {demo.phantom_content("ct", 1, 256)}) == 5


@pytest.fixture
def rewritten(tmp_path, monkeypatch, entries):
    """Return a function that points the demonstration data at an altered manifest."""

    def write(alter):
        path = tmp_path / "demo_manifest.csv"
        names = list(demo.Entry.__dataclass_fields__)
        with path.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, names)
            writer.writeheader()
            for entry in entries[:3] + entries[-2:]:
                writer.writerow(alter({name: getattr(entry, name) for name in names}))
        monkeypatch.setattr(demo, "MANIFEST", path)
        monkeypatch.setattr(demo.read_manifest, "__defaults__", (path,))

    return write


def test_a_file_of_another_hash_is_left_out_with_the_reason(rewritten):
    rewritten(lambda row: row | ({"sha256": "0" * 64} if row["name"].endswith("RG1_UNCR.dcm") else {}))
    images = load_images("demo", salt=SALT)
    assert len(images.records) == 4
    (left,) = images.left_out
    assert left.name == "pydicom-data:data/RG1_UNCR.dcm"
    assert "not the file that was curated for pydicom-data 1.0.0" in left.reason
    assert "expected is 000000000000" in left.reason


def test_phantoms_of_another_version_are_left_out_with_the_reason(rewritten):
    rewritten(lambda row: row | ({"version": "0"} if row["synthetic"] == "yes" else {}))
    images = load_images("demo", salt=SALT)
    assert len(images.records) == 3
    assert all("version 0 of the phantoms" in item.reason for item in images.left_out)


def test_missing_packages_name_the_extra(monkeypatch):
    monkeypatch.setitem(demo._MODULES, "mammograms", "no_such_module_for_auditkit")
    with pytest.raises(AuditkitError, match=r"not installed: mammograms") as caught:
        load_images("demo", salt=SALT)
    assert install_line("demo") in caught.value.remedy


def test_the_maintainers_command_agrees_with_the_table(tmp_path, monkeypatch, capsys, entries):
    """With three real rows and few phantoms, for speed."""
    read = demo.read_manifest
    monkeypatch.setattr(demo_manifest, "CLUSTERS_PER_MODALITY", 2)
    monkeypatch.setattr(phantoms, "MODALITIES", ("xray", "ct", "nuclear"))
    fresh = list(demo_manifest._rewritten(entries[:3]))
    assert fresh[:3] == entries[:3]
    assert Counter(entry.modality for entry in fresh if entry.synthetic == "yes")["xray"] == 0
    monkeypatch.setattr(demo, "read_manifest", lambda: fresh)
    monkeypatch.setattr(demo, "MANIFEST", tmp_path / "demo_manifest.csv")
    assert demo_manifest.main(["--rewrite-manifest"]) == 0
    monkeypatch.setattr(demo, "read_manifest", read)
    capsys.readouterr()
    assert demo_manifest.main([]) == 0
    assert "0 of" in capsys.readouterr().out
    monkeypatch.setattr(demo, "read_manifest", lambda: fresh[:-1])
    assert demo_manifest.main([]) == 1
    assert "differs: phantom/" in capsys.readouterr().out


def test_crops_cut_away_the_text_of_ultrasound_scanners(entries):
    """Which pictures carry text was looked up by eye; each of them has a crop that is smaller than its frame."""
    with_text = {"data/US1_UNCR.dcm", "data/gdcm-US-ALOKA-16.dcm", "data/JPGLosslessP14SV1_1s_1f_8b.dcm"}
    with_text.add("data/color3d_jpeg_baseline.dcm")
    folder = demo.package_folders({"pydicom-data"})["pydicom-data"]
    seen = set()
    for entry in entries:
        if entry.name in with_text:
            header = pydicom.dcmread(folder / entry.name, stop_before_pixels=True)
            left, top, right, bottom = entry.box
            assert 0 < left < right < header.Columns
            assert 0 < top < bottom < header.Rows
            seen.add(entry.name)
    assert seen == with_text
