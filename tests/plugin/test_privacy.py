"""A hunt for what may name a patient, through everything that a whole run prints and writes."""

from __future__ import annotations

import base64
import gzip
import io
import re
import sqlite3
from pathlib import Path

import numpy as np
import pikepdf
import pydicom
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from tests.images.image_files import write_dicom

# Words that nothing else in a report holds. Dates and numbers are written as DICOM writes them.
TAGS = {
    "PatientName": "Quuxington^Zebulon", "PatientID": "MRN-99887766", "OtherPatientIDs": "PASSPORT-X5512",
    "PatientBirthDate": "19470312", "PatientAddress": "17 Wisteria Mews", "PatientTelephoneNumbers": "0555-8675309",
    "PatientMotherBirthName": "Featherstonehaugh", "ReferringPhysicianName": "Ramachandran^Ottoline",
    "OperatorsName": "Birgitsdottir", "PerformingPhysicianName": "Oyelaran", "InstitutionName": "Saint Elsewhere",
    "InstitutionAddress": "4 Larkspur Row", "StationName": "GANTRY-OF-DOOM", "AccessionNumber": "ACC7700112233",
    "StudyID": "STUDYQ771", "StudyInstanceUID": "1.2.840.5511944726.7", "SeriesInstanceUID": "1.2.840.5511944726.7.4",
    "StudyDescription": "follow-up of Mr Quuxington", "ImageComments": "speak to wife Philippa first",
    "AdditionalPatientHistory": "fell from a penny-farthing", "StudyDate": "20231107",
    "DeviceSerialNumber": "SN-QX-4410", "PatientComments": "prefers to be called Zebby",
    "RequestedProcedureDescription": "for the tribunal in Umbria",
}  # fmt: skip
WORDS = [
    "Quuxington", "Zebulon", "99887766", "X5512", "19470312", "Wisteria", "8675309", "Featherstonehaugh",
    "Ramachandran", "Ottoline", "Birgitsdottir", "Oyelaran", "Elsewhere", "Larkspur", "GANTRY-OF-DOOM",
    "7700112233", "STUDYQ771",
    "5511944726", "Philippa", "penny-farthing", "20231107", "QX-4410", "Zebby", "Umbria", "Private-Throckmorton",
    "Artist-Throckmorton", "HUNT-TOKEN-1f2e3d",
]  # fmt: skip


def write_images(folder: Path) -> None:
    """Eight patients in DICOM files with the same identity but for a number, and two pictures that name an artist."""
    rng = np.random.default_rng(3)
    for i in range(8):
        path = write_dicom(folder / f"{i}.dcm", rng.integers(0, 200, (32, 32), dtype=np.uint8), WindowCenter=100,
                           WindowWidth=200, **TAGS | {"PatientID": f"MRN-99887766-{i}"})  # fmt: skip
        ds = pydicom.dcmread(path)
        ds.private_block(0x0011, "A MAKER", create=True).add_new(0x01, "LO", "Private-Throckmorton")
        ds.save_as(path)
    for i in range(2):
        words = PngInfo()
        words.add_text("Author", "Artist-Throckmorton")
        Image.fromarray(rng.integers(0, 255, (32, 32), dtype=np.uint8)).save(folder / f"{i}.png", pnginfo=words)


def unpacked(path: Path) -> list[bytes]:
    """What a file holds: its bytes, and what is packed within a page, a PDF or a store."""
    content = path.read_bytes()
    found = [content]
    if path.suffix == ".html":
        packed = re.findall(rb"data:application/gzip;base64,([A-Za-z0-9+/=]+)", content)
        found += [gzip.decompress(base64.b64decode(one)) for one in packed]
    elif path.suffix == ".pdf":
        with pikepdf.open(io.BytesIO(content)) as pdf:
            found += [spec.get_file().read_bytes() for spec in pdf.attachments.values()]
            found += [o.read_bytes() for o in pdf.objects if isinstance(o, pikepdf.Stream) and "/Subtype" not in o]
            found.append(repr(dict(pdf.docinfo)).encode())
    elif path.suffix == ".sqlite":
        with sqlite3.connect(path) as store:
            tables = [name for (name,) in store.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            found += [repr(store.execute(f'SELECT * FROM "{name}"').fetchall()).encode() for name in tables]
    return found


@pytest.mark.parametrize("found", [b"\x00Zebulon", "Larkspur".encode("utf-16-le")], ids=["bytes", "wide"])
def test_the_hunt_finds_what_is_there(found, tmp_path):
    (tmp_path / "x.bin").write_bytes(found)
    assert traces([tmp_path / "x.bin"])


def traces(paths: list[Path]) -> list[str]:
    """Where one of the words stands, in either of the two ways in which texts are written."""
    return [
        f"{path.name}: {word}"
        for path in paths
        for content in unpacked(path)
        for word in WORDS
        if any(word.encode(code).lower() in content.lower() for code in ("utf-8", "utf-16-le"))
    ]


def test_nothing_that_a_run_prints_or_writes_names_a_patient(bench, audit_run, monkeypatch):
    images = bench.path / "images"
    images.mkdir()
    write_images(images)
    before = set(bench.path.rglob("*"))
    monkeypatch.setenv("HF_TOKEN", "HUNT-TOKEN-1f2e3d")
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_WORKSPACE", str(bench.path))
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(bench.path / "summary.md"))
    result = audit_run("--audit-out=out", "--audit-report=both", "--junitxml=junit.xml", "-v", data="images")
    written = [path for path in set(bench.path.rglob("*")) - before if path.is_file()]
    names = {path.name for path in written}
    assert {"evidence.json", "report.html", "report.pdf", "junit.xml", "summary.md", "answers.sqlite"} <= names
    terminal = bench.path / "terminal.txt"
    terminal.write_text(result.stdout.str() + result.stderr.str())
    assert "patients" in terminal.read_text()
    assert traces([*written, terminal]) == []
