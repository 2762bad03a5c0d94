"""What a DICOM object is, and whether its header declares a name in the picture."""

import numpy as np
import pydicom
import pytest
from image_files import SALT, describe, write_dicom
from PIL import Image
from pydicom import uid

from auditkit.images import dicom
from auditkit.images.item import UnreadableImage
from auditkit.images.sources import load_images

LIMIT = 10**6
GREY = np.arange(64, dtype=np.uint8).reshape(8, 8) * 4


def record_of(path, **tags):
    return describe(write_dicom(path / "x.dcm", GREY, **tags))


@pytest.mark.parametrize(
    ("tags", "words"),
    [
        ({"SOPClassUID": uid.SegmentationStorage}, "Segmentation Storage"),
        ({"SOPClassUID": uid.ParametricMapStorage}, "Parametric Map Storage"),
        ({"SOPClassUID": uid.RTDoseStorage}, "RT Dose Storage"),
        ({"SOPClassUID": uid.GrayscaleSoftcopyPresentationStateStorage}, "Presentation State"),
        ({"SOPClassUID": uid.EncapsulatedPDFStorage}, "Encapsulated PDF"),
        ({"SOPClassUID": uid.RawDataStorage, "Modality": "MR"}, "Raw Data Storage"),
        ({"Modality": "SR"}, "structured report"),
        ({"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]}, "localizer"),
        ({"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER", "CT_SOM5 TOP"]}, "localizer"),
        ({"ImageType": ["DERIVED", "SECONDARY", "OTHER", "CT_SOM5 PROT"]}, "page of text"),
        ({"ImageType": ["DERIVED", "SECONDARY", "DOSE_INFO"]}, "page of text"),
        ({"ImageType": ["DERIVED", "SECONDARY", "SCREEN SAVE"], "SeriesDescription": "Dose Report"}, "page of text"),
        ({"SeriesDescription": "Patient Protocol"}, "page of text"),
        ({"SeriesDescription": "CT_DOSE_REPORT"}, "page of text"),
        ({"SeriesDescription": "Dose-Info"}, "page of text"),
        ({"ConversionType": "SD"}, "scanned document"),
    ],
)
def test_objects_that_are_no_picture_of_a_patient(tmp_path, tags, words):
    with pytest.raises(UnreadableImage, match=words):
        record_of(tmp_path, **tags)


@pytest.mark.parametrize(
    "name",
    [
        "CTImageStorage", "EnhancedMRImageStorage", "DigitalXRayImageStorageForPresentation",
        "SecondaryCaptureImageStorage",
        "VLWholeSlideMicroscopyImageStorage", "BreastTomosynthesisImageStorage", "EnhancedUSVolumeStorage",
        "OphthalmicPhotography8BitImageStorage", "RTImageStorage", "NuclearMedicineImageStorage",
    ],
)  # fmt: skip
def test_classes_of_pictures_stay(tmp_path, name):
    assert np.array_equal(record_of(tmp_path, SOPClassUID=getattr(uid, name)).pictures[0].read(), GREY)


@pytest.mark.parametrize("sop_class", ["1.2.826.0.1.3680043.2.1.2.3", None])
def test_private_and_missing_classes_stay(tmp_path, sop_class):
    path = write_dicom(tmp_path / "x.dcm", GREY)
    ds = pydicom.dcmread(path)
    del ds.SOPClassUID
    if sop_class:
        ds.SOPClassUID = sop_class
    pydicom.dcmwrite(path, ds)
    assert np.array_equal(describe(path).pictures[0].read(), GREY)


@pytest.mark.parametrize(
    "description",
    [
        "Low Dose Chest CT",
        "Low-dose screening lung",
        "low radiation dose",
        "LOW_DOSE_SCREENING",
        "CT 3.0 THORAX LOW DOSE",
        "Knee protocol 2",
        "Screening mammogram",
        "LABEL free",
    ],
)
def test_descriptions_of_ordinary_series_stay(tmp_path, description):
    assert record_of(tmp_path, SeriesDescription=description).identifiable == "unknown"


@pytest.mark.parametrize(
    ("tags", "state"),
    [
        ({}, "unknown"),
        ({"BurnedInAnnotation": "YES"}, "declared"),
        ({"BurnedInAnnotation": "NO"}, "no"),
        ({"BurnedInAnnotation": "NO", "RecognizableVisualFeatures": "YES"}, "declared"),
        ({"RecognizableVisualFeatures": "NO"}, "unknown"),
        ({"SpecimenLabelInImage": "YES", "Modality": "SM"}, "declared"),
        ({"ImageType": ["DERIVED", "SECONDARY", "SCREEN SAVE"], "BurnedInAnnotation": "NO"}, "declared"),
        ({"ImageType": ["DERIVED", "SECONDARY", "SCREENSHOT"]}, "declared"),
        ({"SeriesDescription": "Screen Save"}, "declared"),
        ({"SeriesDescription": "VRT_screenshot 2"}, "declared"),
        ({"ImageType": ["ORIGINAL", "PRIMARY", "SCREENING"]}, "unknown"),
        ({"ImageType": ["ORIGINAL", "PRIMARY", "LABEL", "NONE"], "Modality": "SM"}, "declared"),
        ({"ImageType": ["ORIGINAL", "PRIMARY", "ASL", "LABEL"], "Modality": "MR"}, "unknown"),
        ({"ImageType": ["DERIVED", "SECONDARY", "MPR"]}, "unknown"),
        ({"ImageType": ["DERIVED", "SECONDARY"], "BurnedInAnnotation": "NO"}, "no"),
    ],
)
def test_what_the_header_declares_of_names_in_the_picture(tmp_path, tags, state):
    record = record_of(tmp_path, **tags)
    assert record.identifiable == state
    assert bool(record.declared_by) == (state == "declared")


def test_ordinary_files_say_nothing_and_phantoms_show_nobody(tmp_path):
    Image.fromarray(GREY).save(tmp_path / "a.png")
    assert describe(tmp_path / "a.png").identifiable == "unknown"
    assert {record.identifiable for record in load_images("demo", salt=SALT).records} == {"no"}


def test_the_statement_is_read_when_it_was_written_without_its_type(tmp_path):
    path = write_dicom(tmp_path / "x.dcm", GREY, BurnedInAnnotation="YES")
    data = path.read_bytes()
    at = data.index(b"\x28\x00\x01\x03CS\x04\x00YES ")
    path.write_bytes(data[:at] + b"\x28\x00\x01\x03UN\0\0\x04\0\0\0YES " + data[at + 12 :])
    assert dicom.inspect(path, LIMIT).identifiable == "declared"
