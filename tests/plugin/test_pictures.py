"""Names in pictures, through whole runs: what is left out, what is never shown, and what is said before it leaves."""

import json
import re

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

from auditkit.evidence import Evidence
from tests.plugin.conftest import N_IMAGES

DATA = re.compile(r"data:image/(?:jpeg|png)")
REMOTE = """
from stub_models import Base


class Remote(Base):
    base_url = "https://models.example.org/v1"


def pytest_auditkit_model(name):
    return Remote() if name == "remote" else None
"""


def write_dicom(path, pixels, **tags):
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID = CTImageStorage
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID = generate_uid(entropy_srcs=[path.name])
    ds.Modality, ds.PatientID = "CT", path.name
    ds.Rows, ds.Columns = pixels.shape
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.BitsAllocated = ds.BitsStored = 8
    ds.HighBit, ds.PixelRepresentation = 7, 0
    ds.add_new("PixelData", "OB", pixels.tobytes())
    for keyword, value in tags.items():
        setattr(ds, keyword, value)
    pydicom.dcmwrite(path, ds, enforce_file_format=True)


@pytest.fixture
def scans(bench):
    """Only images that declare burned-in annotation: thirty in one folder."""
    folder = bench.mkdir("scans")
    rng = np.random.default_rng(4)
    for i in range(30):
        pixels = rng.integers(0, 256, (24, 24), dtype=np.uint8)
        write_dicom(folder / f"s{i:02d}.dcm", pixels, BurnedInAnnotation="YES")
    return folder


def evidence_of(folder):
    return Evidence.from_json((folder / "evidence.json").read_text())


def pictures_in(folder):
    """Every base64 picture of the record, and every data URI of a picture in the page."""
    record = json.loads((folder / "evidence.json").read_text())
    kept = [e["jpeg"] for e in record["examples"]]
    kept += [c[key] for a in record["audits"] for c in a["cases"] for key in ("control_jpeg", "treated_jpeg")]
    page = (folder / "report.html").read_text()
    return [jpeg for jpeg in kept if jpeg], DATA.findall(page)


def test_a_run_shows_pictures_of_which_nothing_is_known_and_says_how_many(bench, audit_run):
    audit_run("--audit-out=out")
    kept, shown = pictures_in(bench.path / "out")
    assert kept
    assert shown
    said = [line for line in evidence_of(bench.path / "out").limits if "nothing says" in line]
    assert len(said) == 1
    assert said[0].startswith(f"Of {N_IMAGES} of the {N_IMAGES} images nothing says")


def test_declared_annotation_is_left_out_by_default(bench, scans, audit_run):
    pixels = np.arange(64, dtype=np.uint8).reshape(8, 8)
    write_dicom(bench.path / "pictures" / "named.dcm", pixels, BurnedInAnnotation="YES")
    audit_run("--audit-out=out", "-k", "asked-twice")
    data = evidence_of(bench.path / "out").data
    assert data.n_images == N_IMAGES
    (entry,) = data.left_out
    assert entry.name == "named.dcm"
    assert "burned-in annotation" in entry.reason
    refused = audit_run(data="scans")
    assert refused.ret == 4
    refused.stderr.fnmatch_lines(["*no image that can be used*burned-in annotation*--audit-burned-in=keep*"])


def test_declared_annotation_that_is_kept_stands_in_no_report(bench, scans, audit_run):
    audit_run("--audit-out=out", "--audit-burned-in=keep", data="scans")
    record = evidence_of(bench.path / "out")
    assert record.data.n_images == 30
    assert any(audit.cases for audit in record.audits), "there are cases, without their pictures"
    assert pictures_in(bench.path / "out") == ([], [])
    assert any("none of them is shown" in line for line in record.limits)


def test_reports_without_any_picture(bench, audit_run):
    audit_run("--audit-out=with")
    audit_run("--audit-out=without", "--audit-report-pictures=no")
    assert pictures_in(bench.path / "without") == ([], [])
    with_, without = evidence_of(bench.path / "with"), evidence_of(bench.path / "without")
    assert {a.id: a.sentence for a in with_.audits} == {a.id: a.sentence for a in without.audits}
    assert "Pictures were left out of this report (--audit-report-pictures=no)." in without.limits


@pytest.mark.parametrize("how", [("-p", "no:xdist"), ("-n", "2")], ids=["one process", "workers"])
def test_it_is_said_before_pictures_leave_this_machine(bench, scans, audit_run, how):
    bench.makeconftest(REMOTE)
    result = audit_run("--audit-burned-in=keep", "-k", "asked-twice", *how, model="remote", data="scans")
    said = [line for line in (*result.outlines, *result.errlines) if "will be sent to models.example.org" in line]
    assert len(said) == 1
    assert "30 pictures" in said[0]
    assert "30 of them declare a name" in said[0]
    here = audit_run("-k", "asked-twice", *how)
    assert "will be sent" not in here.stdout.str() + here.stderr.str()
