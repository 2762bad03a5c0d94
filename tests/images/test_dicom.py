"""DICOM files: what the header yields, how pixels of every kind are read, and what cannot be read."""

import logging
import warnings
import zlib

import numpy as np
import pydicom
import pytest
from image_files import describe, lookup_table, read_file, sample, write_dicom
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import DeflatedExplicitVRLittleEndian

from auditkit.images import dicom
from auditkit.images.identity import NOTE_FILE, NOTE_SERIES, NOTE_STUDY
from auditkit.images.item import UnreadableImage

LIMIT = 10**8
GREY = np.arange(64, dtype=np.uint16).reshape(8, 8)


def reason_of(call, *arguments):
    with pytest.raises(UnreadableImage) as caught:
        call(*arguments)
    return str(caught.value)


@pytest.mark.parametrize(
    "name",
    [
        "MR_small_RLE.dcm",
        "MR_small_bigendian.dcm",
        "MR_small_expb.dcm",
        "MR_small_implicit.dcm",
        "MR_small_jp2klossless.dcm",
        "MR_small_jpeg_ls_lossless.dcm",
        "MR_small_padded.dcm",
    ],
)
def test_one_picture_in_eight_transfer_syntaxes(name):
    assert np.array_equal(dicom.decode(sample(name), LIMIT), dicom.decode(sample("MR_small.dcm"), LIMIT))


@pytest.mark.parametrize("name", ["693", "RG3", "MR2", "US1"])
def test_lossless_twins_read_alike_and_lossy_ones_nearly(name):
    plain = dicom.decode(sample(f"{name}_UNCR.dcm"), LIMIT).astype(float)
    assert np.array_equal(dicom.decode(sample(f"{name}_J2KR.dcm"), LIMIT), plain)
    lossy = dicom.decode(sample(f"{name}_UNCI.dcm"), LIMIT).astype(float)
    assert 0 < np.abs(lossy - plain).mean() < 15  # 13 for the brain, in a window of 100 HU; below 2 for the others


COLOUR_BARS = [
    "SC_rgb.dcm",
    "SC_rgb_16bit.dcm",
    "SC_rgb_32bit.dcm",
    "SC_rgb_rle.dcm",
    "SC_rgb_rle_32bit.dcm",
    "SC_rgb_expb_16bit.dcm",
    "SC_ybr_full_uncompressed.dcm",
    "SC_ybr_full_422_uncompressed.dcm",
    "SC_rgb_gdcm_KY.dcm",
    "SC_rgb_gdcm2k_uncompressed.dcm",
    "SC_rgb_jpeg_gdcm.dcm",
    "SC_rgb_dcmtk_+eb+cr.dcm",
    "SC_rgb_dcmtk_+eb+cy+np.dcm",
    "SC_rgb_dcmtk_+eb+cy+s4.dcm",
]
# Colours of the bars in rows 5, 15, ... of the colour samples that pydicom ships (its README states them).
BARS = {5: (255, 0, 0), 15: (255, 128, 128), 25: (0, 255, 0), 35: (128, 255, 128), 45: (0, 0, 255), 55: (128, 128, 255)}
GREYS = {65: 0, 75: 64, 85: 192, 95: 255}


@pytest.mark.parametrize("name", COLOUR_BARS)
def test_colour_is_converted_exactly_once(name):
    """Converting YBR twice, or never, is off by a hundred levels on these bars."""
    shown = dicom.decode(sample(name), LIMIT).astype(int)
    for row, colour in BARS.items():
        assert np.abs(shown[row, 50] - colour).max() <= 6, row
    for row, grey in GREYS.items():
        assert np.abs(shown[row, 50] - grey).max() <= 3, row


def test_palette_colour_of_8_and_16_bits():
    shown = dicom.decode(sample("gdcm-US-ALOKA-16.dcm"), LIMIT)
    assert shown.shape == (480, 640, 3)
    assert np.array_equal(shown, dicom.decode(sample("gdcm-US-ALOKA-16_big.dcm"), LIMIT))
    assert shown[30, 69].tolist()[1] > 200  # the green dot of the scanner's screen
    assert shown[30, 69].tolist()[0] < 80
    banner = dicom.decode(sample("OBXXXX1A.dcm"), LIMIT)[8, 400].astype(int)
    assert banner[2] > banner[0] + 30  # blue banner


@pytest.mark.parametrize("top", [255, 65535])
def test_palettes_that_declare_16_bits_and_hold_8_are_shown_full_range(tmp_path, top):
    ramp = np.arange(256, dtype=np.uint8).reshape(16, 16)
    scale = top // 255
    table = (np.arange(256, dtype="<u2") * scale).tobytes()
    tags = {"PhotometricInterpretation": "PALETTE COLOR"}
    for colour in ("Red", "Green", "Blue"):
        tags[f"{colour}PaletteColorLookupTableDescriptor"] = [256, 0, 16]
        tags[f"{colour}PaletteColorLookupTableData"] = table
    assert np.array_equal(read_file(write_dicom(tmp_path / "p.dcm", ramp, **tags)), ramp)


def test_the_middle_frame_is_shown_and_noted(tmp_path):
    frames = np.stack([np.roll(np.arange(64, dtype=np.uint8), shift).reshape(8, 8) * 4 for shift in range(5)])
    path = write_dicom(tmp_path / "cine.dcm", frames)
    assert np.array_equal(read_file(path), frames[2])
    assert describe(path).notes[0] == "5 frames: number 3 is shown"


def enhanced(path, *, shared=(), own=((), ()), **root):
    """Write two frames of 0-63 with functional groups: for all frames, and one for each."""

    def group(settings):
        item, rescale, voi = Dataset(), Dataset(), Dataset()
        for keyword, value in settings:
            setattr(rescale if keyword.startswith("Rescale") else voi, keyword, value)
        if len(rescale):
            item.PixelValueTransformationSequence = [rescale]
        if len(voi):
            item.FrameVOILUTSequence = [voi]
        return item

    groups = {
        "SharedFunctionalGroupsSequence": [group(shared)],
        "PerFrameFunctionalGroupsSequence": [group(one) for one in own],
    }
    return write_dicom(path, np.stack([GREY] * 2), **groups, **root)


def windowed(measured, centre, width):
    """PS3.3 C.11.2.1.2.1 by hand, for 8 bits."""
    return np.clip((measured - (centre - 0.5)) / (width - 1) + 0.5, 0, 1) * 255


WINDOW_40 = (("WindowCenter", 40), ("WindowWidth", 11))
WINDOW_500 = (("WindowCenter", 500), ("WindowWidth", 11))
RESCALE = (("RescaleSlope", 2), ("RescaleIntercept", -10))
ROOT = {"WindowCenter": 20, "WindowWidth": 31, "RescaleSlope": 1, "RescaleIntercept": 0}


@pytest.mark.parametrize(
    ("groups", "root", "slope", "intercept", "window"),
    [
        ({"shared": RESCALE, "own": (WINDOW_500, WINDOW_40)}, {}, 2, -10, (40, 11)),
        ({"shared": RESCALE, "own": (WINDOW_500, WINDOW_40)}, ROOT, 2, -10, (40, 11)),
        ({"shared": WINDOW_500, "own": ((), WINDOW_40)}, ROOT, 1, 0, (40, 11)),
        ({"shared": WINDOW_40}, ROOT, 1, 0, (40, 11)),
        ({}, ROOT, 1, 0, (20, 31)),
        ({"own": ((), (("VOILUTFunction", "LINEAR"),))}, ROOT, 1, 0, (20, 31)),
    ],
    ids=["frame", "frame before object", "frame before shared", "shared before object", "object", "no window in it"],
)
def test_the_frames_own_settings_go_before_those_of_the_object(tmp_path, groups, root, slope, intercept, window):
    path = enhanced(tmp_path / "e.dcm", **groups, **root)
    assert describe(path).notes == ("2 frames: number 2 is shown",)
    expected = windowed(GREY * float(slope) + intercept, *window)
    assert np.abs(read_file(path) - expected).max() <= 0.5 + 1e-9


def test_the_frames_window_goes_before_the_objects_table(tmp_path):
    table = lookup_table(0, 8, [255] * 64)
    path = enhanced(tmp_path / "t.dcm", own=((), WINDOW_40), VOILUTSequence=[table])
    assert np.abs(read_file(path) - windowed(GREY.astype(float), 40, 11)).max() <= 0.5 + 1e-9


def test_a_file_without_meta_header_is_read_and_noted():
    record = describe(sample("OT-PAL-8-face.dcm"))
    assert record.notes[0] == "no transfer syntax is declared: read as uncompressed"
    assert record.pictures[0].read().shape == (192, 256, 3)


def test_header_facts_of_a_real_file():
    facts = dicom.inspect(sample("MR-SIEMENS-DICOM-WithOverlays.dcm"), LIMIT)
    assert facts.modality == "mr"
    assert facts.strata["sex"] == "M"
    assert facts.strata["age"] == "058Y"
    assert "021234567" not in repr(facts), "identifiers must not be printable by accident"


@pytest.mark.parametrize(
    ("drop", "note"),
    [
        ((), ()),
        (("PatientID",), (NOTE_STUDY,)),
        (("PatientID", "StudyInstanceUID"), (NOTE_SERIES,)),
        (("PatientID", "StudyInstanceUID", "SeriesInstanceUID"), (NOTE_FILE,)),
    ],
)
def test_the_unit_of_analysis_falls_back_and_says_so(tmp_path, drop, note):
    one = write_dicom(tmp_path / "1.dcm", GREY, drop=drop, WindowCenter=30, WindowWidth=60)
    two = write_dicom(tmp_path / "2.dcm", GREY, drop=drop, WindowCenter=30, WindowWidth=60)
    first, second = describe(one), describe(two)
    assert first.notes == second.notes == note
    assert (first.cluster == second.cluster) == (note != (NOTE_FILE,))
    assert first.id != second.id


def test_placeholder_ids_do_not_make_one_patient_of_many(tmp_path):
    tags = {"WindowCenter": 30, "WindowWidth": 60}
    one = write_dicom(tmp_path / "1.dcm", GREY, PatientID="ANONYMOUS", StudyInstanceUID="1.2.1", **tags)
    two = write_dicom(tmp_path / "2.dcm", GREY, PatientID="ANONYMOUS", StudyInstanceUID="1.2.2", **tags)
    assert describe(one).cluster != describe(two).cluster


def test_nothing_of_the_header_identifies_anyone(tmp_path):
    record = describe(write_dicom(tmp_path / "x.dcm", GREY, InstitutionName="Mercy Hospital"))
    printed = repr(record) + repr(dict(record.attributes)) + repr(record.pictures[0].read)
    for secret in ("SECRET", "4711", "Doe", "Jane", "Mercy", "1.2.3"):
        assert secret not in printed
    assert record.attributes["site"].startswith("site-")


def test_missing_tags_are_unknown_strata(tmp_path):
    record = describe(write_dicom(tmp_path / "x.dcm", GREY, drop=("PatientID", "Modality")))
    assert set(record.attributes.values()) == {"unknown"}
    assert record.modality == "other"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("rtplan.dcm", "radiotherapy plan"),
        ("rtdose.dcm", "dose grid"),
        ("liver.dcm", "segmentation"),
        ("test-SR.dcm", "structured report"),
        ("waveform_ecg.dcm", "waveform"),
        ("DICOMDIR", "no pixel data"),
    ],
)
def test_objects_without_a_picture_are_named(name, words):
    assert words in reason_of(dicom.inspect, sample(name), LIMIT)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("MR_truncated.dcm", "shorter than the header declares"),
        ("JPEG-lossy.dcm", "compressed pixel data"),
        ("SC_rgb_jpeg.dcm", "compressed pixel data is damaged"),
        ("JPEG2000-embedded-sequence-delimiter.dcm", "compressed pixel data is damaged"),
    ],
)
def test_real_broken_files_are_named(name, words):
    assert words in reason_of(dicom.decode, sample(name), LIMIT)


def test_pixel_data_that_cannot_be_whole_is_found_without_decoding(tmp_path):
    path = write_dicom(tmp_path / "t.dcm", np.zeros((100, 100), np.uint16))
    path.write_bytes(path.read_bytes()[:-12_000])
    assert "fewer than the 20,000" in reason_of(dicom.inspect, path, LIMIT)


def test_pixel_data_of_the_wrong_length_or_missing(tmp_path):
    short = write_dicom(tmp_path / "s.dcm", GREY, PixelData=b"\0" * 100)
    assert "shorter than the header" in reason_of(dicom.decode, short, LIMIT)
    missing = write_dicom(tmp_path / "m.dcm", GREY, drop=("PixelData",), ImageComments="x" * 500)
    assert reason_of(dicom.decode, missing, LIMIT) == "it holds no pixel data"


@pytest.mark.parametrize("drop", ["PhotometricInterpretation", "BitsAllocated", "PixelRepresentation"])
def test_headers_that_lack_what_decoding_needs(tmp_path, drop):
    path = write_dicom(tmp_path / "h.dcm", GREY, drop=(drop,))
    assert reason_of(read_file, path)


@pytest.mark.parametrize(
    ("uid", "words"),
    [
        ("1.2.840.10008.1.2.4.100", "no decoder is installed for its transfer syntax, MPEG2"),
        ("1.2.840.10008.1.2.4.95", "no decoder is installed for its transfer syntax, JPIP"),
        ("1.2.840.113619.5.2", "not a standard one"),
        ("1.2.3.4.5", "not a standard one"),
    ],
)
def test_unsupported_transfer_syntaxes(tmp_path, uid, words):
    path = write_dicom(tmp_path / "j.dcm", GREY)
    ds = pydicom.dcmread(path)
    ds.file_meta.TransferSyntaxUID = uid
    ds.PixelData = encapsulate([b"\0" * 64])
    ds["PixelData"].is_undefined_length = True
    pydicom.dcmwrite(path, ds, implicit_vr=False, little_endian=True, force_encoding=True)
    assert words in reason_of(dicom.inspect, path, LIMIT)


def test_a_header_of_too_many_pixels(tmp_path):
    path = write_dicom(tmp_path / "b.dcm", GREY, Rows=60_000, Columns=60_000)
    assert "60000 x 60000" in reason_of(dicom.inspect, path, LIMIT)
    assert "60000 x 60000" in reason_of(dicom.decode, path, LIMIT)


def test_deflated_files_are_read_and_deflate_bombs_are_not(tmp_path):
    assert dicom.decode(sample("image_dfl.dcm"), LIMIT).shape == (512, 512)
    path = write_dicom(tmp_path / "d.dcm", GREY)
    ds = pydicom.dcmread(path)
    ds.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    ds.save_as(path, enforce_file_format=True)
    assert read_file(path).shape == (8, 8)
    raw = path.read_bytes()
    start = 144 + int.from_bytes(raw[140:144], "little")
    deflate = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    bomb = deflate.compress(b"\0" * 30_000_000) + deflate.flush()
    path.write_bytes(raw[:start] + bomb)
    assert "inflates to more than" in reason_of(dicom.inspect, path, 10**6)
    path.write_bytes(raw[:start] + b"\xff" * 100)
    assert "damaged" in reason_of(dicom.inspect, path, LIMIT)


@pytest.mark.parametrize("keep", [0, 100, 131, 132, 140, 200, 400, 600])
def test_a_file_cut_anywhere_has_a_reason(tmp_path, keep):
    path = tmp_path / "cut.dcm"
    path.write_bytes(sample("CT_small.dcm").read_bytes()[:keep] or b"\0")
    assert reason_of(dicom.inspect, path, LIMIT)


def test_reading_is_silent(tmp_path, caplog, capfd):
    """Warnings and log lines of pydicom quote header values."""
    path = write_dicom(tmp_path / "w.dcm", GREY)
    raw = path.read_bytes().replace(b"1.2.3.4\0", b"1.2.x.4\0")
    path.write_bytes(raw)
    with warnings.catch_warnings(), caplog.at_level(logging.DEBUG):
        warnings.simplefilter("error")
        describe(path).pictures[0].read()
    assert caplog.text == ""
    assert "".join(capfd.readouterr()) == ""
    assert not logging.getLogger("pydicom").disabled


def test_the_decoders_own_loggers_are_silent_too(caplog, capfd):
    level = logging.getLogger("pydicom").level
    with caplog.at_level(logging.DEBUG):
        reason_of(dicom.decode, sample("JPEG-lossy.dcm"), LIMIT)
    assert caplog.text == ""
    assert logging.getLogger("pydicom").level == level
    assert "".join(capfd.readouterr()) == ""


@pytest.mark.parametrize("big_endian", [False, True])
def test_a_file_without_preamble_needs_no_suffix(tmp_path, big_endian):
    path = write_dicom(tmp_path / "x.dcm", GREY, big_endian=big_endian, WindowCenter=30, WindowWidth=60)
    bare = tmp_path / "IM0001"
    bare.write_bytes(path.read_bytes()[132:])
    assert np.array_equal(read_file(bare), read_file(path))
    assert describe(bare).modality == "ct"


def test_a_data_set_alone_needs_no_suffix(tmp_path):
    """Neither preamble nor meta header: the first element is of group 8."""
    path = write_dicom(tmp_path / "x.dcm", GREY, WindowCenter=30, WindowWidth=60)
    data = path.read_bytes()
    bare = tmp_path / "IM0001"
    bare.write_bytes(data[144 + int.from_bytes(data[140:144], "little") :])
    assert np.array_equal(read_file(bare), read_file(path))


def test_a_picture_with_the_suffix_of_dicom_is_read_as_what_it_is(tmp_path):
    path = tmp_path / "x.dcm"
    Image.fromarray(GREY.astype(np.uint8) * 4).save(path, format="PNG")
    assert np.array_equal(read_file(path), GREY * 4)
