"""Whatever a file does to its reader: pixels, or a reason in words; never another exception."""

import struct
import tempfile
import warnings
from contextlib import suppress
from functools import cache
from pathlib import Path

import numpy as np
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from image_files import SALT, lookup_table, write_dicom
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.uid import ImplicitVRLittleEndian

from auditkit.images import dicom, quiet, raster
from auditkit.images.item import LeftOut, UnreadableImage
from auditkit.images.sources import load_images

LIMIT = 10**6
# Two letters each: the value representations of PS3.5 6.2, and what is none.
REPRESENTATIONS = [
    b"AE", b"AS", b"AT", b"CS", b"DA", b"DS", b"DT", b"FD", b"FL", b"IS", b"LO", b"OB", b"OF", b"OW", b"PN", b"SH",
    b"SL", b"SQ", b"SS", b"TM", b"UI", b"UL", b"UN", b"US", b"UT", b"UV", b"??", b"\0\0",
]  # fmt: skip
VALUES = [b"", b"\0", b"\xff", b"1e999", b"9" * 30, b"nan", b"-", b"1\\2\\3\\4", b"\\\\", b"\xff\xfe\xe0\0", b"\x80A\0"]


def everything(path, *, implicit=False):
    """Write a grey file that has every element the reader parses, sequences and their items included."""
    window, rescale, group, shared = Dataset(), Dataset(), Dataset(), Dataset()
    window.WindowCenter, window.WindowWidth, window.VOILUTFunction = 30, 60, "LINEAR"
    rescale.RescaleSlope, rescale.RescaleIntercept = 1, 0
    group.FrameVOILUTSequence, shared.PixelValueTransformationSequence = [window], [rescale]
    tags = {
        "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"], "SeriesDescription": "chest", "BurnedInAnnotation": "NO",
        "RecognizableVisualFeatures": "NO", "SpecimenLabelInImage": "NO", "ConversionType": "DI", "PatientSex": "F",
        "PatientAge": "058Y", "Manufacturer": "Maker", "InstitutionName": "Mercy", "PixelPaddingValue": 0,
        "PixelPaddingRangeLimit": 1, "PixelAspectRatio": ["1", "1"], "RescaleSlope": 1, "RescaleIntercept": 0,
        "WindowCenter": [30, 40], "WindowWidth": [60, 70], "VOILUTFunction": "LINEAR",
        "PresentationLUTShape": "IDENTITY", "PerFrameFunctionalGroupsSequence": [group, group],
        "SharedFunctionalGroupsSequence": [shared], "VOILUTSequence": [lookup_table(0, 12, list(range(0, 4096, 64)))],
        "ModalityLUTSequence": [lookup_table(0, 12, list(range(64)))],
    }  # fmt: skip
    write_dicom(path, np.stack([np.arange(64, dtype=np.uint16).reshape(8, 8)] * 2), **tags)
    if implicit:
        ds = pydicom.dcmread(path)
        ds.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
        pydicom.dcmwrite(path, ds, enforce_file_format=True, implicit_vr=True, little_endian=True)
    return path


@cache
def whole(implicit):
    """Return the bytes of such a file, and for each element at any depth where it begins, its VR, length and value."""
    with tempfile.TemporaryDirectory() as folder:
        path = everything(Path(folder) / "whole.dcm", implicit=implicit)
        assert dicom.decode(path, LIMIT).shape == (8, 8)
        data = path.read_bytes()
    return data, list(elements(data, 132, len(data), implicit))


def elements(data, at, end, implicit):
    """Walk through the elements by the rules of PS3.5 7.1; items and sequences here have defined or no length."""
    while at + 8 <= end:
        group, number = struct.unpack_from("<HH", data, at)
        if group == 0xFFFE:
            at += 8
            continue
        if implicit and group > 2:
            head, vr = 8, b""
            (length,) = struct.unpack_from("<I", data, at + 4)
        else:
            vr = data[at + 4 : at + 6]
            long = vr in (b"OB", b"OW", b"OF", b"SQ", b"UN", b"UT")
            head = 12 if long else 8
            (length,) = struct.unpack_from("<I" if long else "<H", data, at + head - (4 if long else 2))
        yield at, head, 0 if length == 0xFFFFFFFF else length
        nested = vr == b"SQ" or (implicit and (group, number) in SEQUENCES)
        at += head if nested or length == 0xFFFFFFFF else head + length


SEQUENCES = {(0x0028, 0x3000), (0x0028, 0x3010), (0x0028, 0x9132), (0x0028, 0x9145), (0x5200, 0x9229), (0x5200, 0x9230)}


def read(path):
    """Return pixels or the reason, once from the header alone and once from all; let other exceptions through."""
    try:
        dicom.inspect(path, LIMIT)
        pixels = dicom.decode(path, LIMIT)
    except UnreadableImage as error:
        reason = str(error)
    else:
        assert pixels.dtype == np.uint8
        return pixels
    assert reason
    for secret in ("SECRET", "4711", "Doe", "Mercy", str(path.parent)):
        assert secret not in reason
    return None


def damaged(data, element, how, drawn):
    """Return the file with one element's value, representation or length replaced, or its end cut off."""
    at, head, length = element
    data = bytearray(data)
    if how == "value":
        data[at + head : at + head + length] = (drawn * (length // max(len(drawn), 1) + 1))[:length]
    elif how == "representation":
        data[at + 4 : at + 6] = drawn[:2].ljust(2, b"A")
    elif how == "length":
        data[at + head - len(drawn[:2]) : at + head] = drawn[:2]
    elif how == "odd":  # the value with another length, and the header saying so
        short = head == 8
        size = len(drawn) % 2**16
        data[at + head : at + head + length] = drawn
        struct.pack_into("<H" if short else "<I", data, at + head - (2 if short else 4), size)
    else:
        del data[at + head + length // 2 :]
    return bytes(data)


def test_the_walk_finds_every_element():
    for implicit in (False, True):
        data, found = whole(implicit)
        tags = {struct.unpack_from("<HH", data, at) for at, _, _ in found}
        assert {(0x28, 0x1050), (0x28, 0x3002), (0x28, 0x3006), (0x28, 0x9132), (0x5200, 0x9230)} <= tags
        assert len(found) > 55


@pytest.mark.parametrize("implicit", [False, True])
def test_every_element_damaged_in_every_listed_way(tmp_path, implicit):
    data, found = whole(implicit)
    path = tmp_path / "d.dcm"
    ways = [("value", value) for value in VALUES[1:]] + [("odd", value) for value in VALUES]
    ways += [("cut", b""), ("length", b"\xff\xff"), ("length", b"\x01\0"), ("length", b"\0\0")]
    if not implicit:
        ways += [("representation", vr) for vr in REPRESENTATIONS]
    readable = 0
    for element in found:
        for how, drawn in ways:
            path.write_bytes(damaged(data, element, how, drawn))
            readable += read(path) is not None
    assert 0 < readable < len(found) * len(ways), "some damage is harmless, some is not"


@settings(max_examples=150)
@given(
    implicit=st.booleans(),
    place=st.integers(0, 10**6),
    how=st.sampled_from(["value", "representation", "length", "odd", "cut"]),
    drawn=st.binary(max_size=40),
)
def test_any_damage_to_any_element_gives_pixels_or_a_reason(tmp_path_factory, implicit, place, how, drawn):
    data, found = whole(implicit)
    path = tmp_path_factory.mktemp("damage") / "d.dcm"
    path.write_bytes(damaged(data, found[place % len(found)], how, drawn))
    read(path)


@settings(max_examples=150)
@given(implicit=st.booleans(), changes=st.lists(st.tuples(st.integers(132, 10**6), st.integers(0, 255)), max_size=6))
def test_any_bytes_changed_give_pixels_or_a_reason(tmp_path_factory, implicit, changes):
    data = bytearray(whole(implicit)[0])
    for position, value in changes:
        data[132 + position % (len(data) - 132)] = value
    path = tmp_path_factory.mktemp("bytes") / "d.dcm"
    path.write_bytes(bytes(data))
    read(path)


@pytest.mark.parametrize("suffix", ["png", "jpg", "tiff", "webp", "bmp"])
def test_every_byte_of_a_raster_file_damaged(tmp_path, suffix):
    good, path = tmp_path / f"g.{suffix}", tmp_path / f"d.{suffix}"
    Image.fromarray(np.arange(48, dtype=np.uint8).reshape(6, 8) * 5).convert("RGB").save(good)
    data = good.read_bytes()
    for position in range(len(data)):
        for value in {0, 0x7F, 0xFF, data[position] ^ 1} - {data[position]}:
            path.write_bytes(data[:position] + bytes([value]) + data[position + 1 :])
            for call in (raster.inspect, raster.decode):
                with suppress(UnreadableImage):
                    call(path, LIMIT)


class PanicException(BaseException):
    """As decoders written in Rust raise it."""


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(), RecursionError(), struct.error("x"), OverflowError(), ZeroDivisionError(), UserWarning("x"),
        SystemError(), BufferError(), UnicodeDecodeError("ascii", b"x", 0, 1, "x"), PanicException(),
    ],
    ids=lambda error: type(error).__name__,
)  # fmt: skip
def test_nothing_but_unreadable_leaves_the_guard(error):
    with pytest.raises(UnreadableImage, match=type(error).__name__), quiet.guarded(lambda e: type(e).__name__):
        raise error


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_what_ends_the_process_passes_the_guard(error):
    with pytest.raises(error), quiet.guarded(lambda e: "hidden"):
        raise error


def test_warnings_that_are_errors_elsewhere_are_none_in_here(tmp_path):
    path = everything(tmp_path / "w.dcm")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert dicom.decode(path, LIMIT).shape == (8, 8)


def test_a_folder_with_damaged_files_is_listed_with_their_reasons(tmp_path):
    """An odd length, a sequence of another kind and a number beyond all bounds ended the run."""
    data, found = whole(False)
    tags = {struct.unpack_from("<HH", data, at): (at, head, length) for at, head, length in found[::-1]}
    cases = {
        "odd.dcm": damaged(data, tags[0x28, 0x1050], "odd", b"30\\"),
        "sequence.dcm": damaged(data, tags[0x28, 0x3010], "representation", b"UL"),
        "number.dcm": damaged(data, tags[0x28, 0x1053], "odd", b"9e999999"),
        "whole.dcm": data,
    }
    for name, content in cases.items():
        (tmp_path / name).write_bytes(content)
    images = load_images(str(tmp_path), salt=SALT)
    assert "whole.dcm" in {record.name for record in images.records}
    assert {record.name for record in images.records} | {entry.name for entry in images.left_out} == set(cases)
    assert all(isinstance(entry, LeftOut) and entry.reason for entry in images.left_out)
