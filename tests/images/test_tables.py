"""Lookup tables whose descriptors are wrong in the ways that writers get them wrong."""

from types import SimpleNamespace

import numpy as np
import pytest
from image_files import lookup_table, read_file, write_dicom
from pydicom.dataset import Dataset

from auditkit.images import dicom
from auditkit.images.tables import NOTE_BITS, NOTE_FIRST, Table

LIMIT = 10**6
ENTRIES = 300
RAMP = [round(255 * (i / (ENTRIES - 1)) ** 2) for i in range(ENTRIES)]


def item_of(descriptor, data, vr="US"):
    item = Dataset()
    item.add_new("LUTDescriptor", "SS" if min(descriptor) < 0 else "US", list(descriptor))
    item.add_new("LUTData", vr, data)
    return item


def expected(values, first, table, top):
    """Each value looked up by hand."""
    return np.array([table[min(max(int(v) - first, 0), len(table) - 1)] / top * 255 for v in np.ravel(values)])


@pytest.mark.parametrize(
    ("stored", "rescale", "written", "meant"),
    [
        (np.arange(-200, 200, dtype=np.int16), None, 65536 - 150, -150),
        (np.arange(0, 400, dtype=np.uint16), -200, 65536 - 150, -150),
        (np.arange(65000, 65400, dtype=np.uint16), None, 65050 - 65536, 65050),
        (np.arange(-200, 200, dtype=np.int16), None, -150, -150),
        (np.arange(0, 400, dtype=np.uint16), None, 50, 50),
        (np.arange(40_000, 40_400, dtype=np.uint16), None, 40_050, 40_050),
    ],
    ids=["US for SS", "US for SS after rescale", "SS for US", "right SS", "right US", "right and large"],
)
def test_the_first_value_has_the_sign_that_the_values_have(tmp_path, stored, rescale, written, meant):
    values = stored.reshape(20, 20)
    tags = {} if rescale is None else {"RescaleSlope": 1, "RescaleIntercept": rescale, "BitsStored": 12, "HighBit": 11}
    item = item_of((ENTRIES, written, 8), RAMP)
    path = write_dicom(tmp_path / "v.dcm", values, VOILUTSequence=[item], **tags)
    shown = read_file(path)
    assert np.abs(shown.ravel() - expected(values + np.int64(rescale or 0), meant, RAMP, 255)).max() <= 0.5 + 1e-9
    assert dicom.inspect(path, LIMIT).notes == (() if written == meant else (NOTE_FIRST.format(written, meant),))


@pytest.mark.parametrize("bits", [12, 16])
def test_fewer_entries_than_declared_are_no_8_bit_entries(tmp_path, bits):
    """4,096 declared, 300 written as words: taken for bytes they came out black."""
    top = 2**bits - 1
    table = [round(top * i / (ENTRIES - 1)) for i in range(ENTRIES)]
    values = np.arange(400, dtype=np.uint16).reshape(20, 20)
    item = item_of((4096, 50, bits), np.array(table, "<u2").tobytes(), "OW")
    shown = read_file(write_dicom(tmp_path / "f.dcm", values, VOILUTSequence=[item]))
    assert np.abs(shown.ravel() - expected(values, 50, table, top)).max() <= 0.5 + 1e-9


@pytest.mark.parametrize(
    ("declared", "used"), [(16, 8), (16, 12), (16, 14), (12, 10), (8, 12)], ids=lambda bits: f"{bits}"
)
def test_the_depth_is_that_of_the_entries(tmp_path, declared, used):
    top = 2**used - 1
    table = [round(top * i / (ENTRIES - 1)) for i in range(ENTRIES)]
    values = np.arange(400, dtype=np.uint16).reshape(20, 20)
    path = write_dicom(tmp_path / "b.dcm", values, VOILUTSequence=[lookup_table(50, declared, table)])
    assert np.abs(read_file(path).ravel() - expected(values, 50, table, top)).max() <= 0.5 + 1e-9
    assert dicom.inspect(path, LIMIT).notes == (NOTE_BITS.format(declared, used),)


def test_a_table_that_leaves_less_than_a_quarter_in_use_is_meant_to_be_dark(tmp_path):
    table = [100 * i for i in range(ENTRIES)]  # up to 29,900 of 65,535
    values = np.arange(400, dtype=np.uint16).reshape(20, 20)
    path = write_dicom(tmp_path / "d.dcm", values, VOILUTSequence=[lookup_table(50, 16, table)])
    assert np.abs(read_file(path).ravel() - expected(values, 50, table, 65535)).max() <= 0.5 + 1e-9
    assert dicom.inspect(path, LIMIT).notes == ()


def test_zero_entries_are_65536(tmp_path):
    table = np.linspace(0, 65535, 65536).round().astype("<u2")
    values = np.linspace(0, 65535, 400).astype(np.uint16).reshape(20, 20)
    item = item_of((0, 0, 16), table.tobytes(), "OW")
    shown = read_file(write_dicom(tmp_path / "z.dcm", values, VOILUTSequence=[item]))
    assert np.abs(shown - values / 65535 * 255).max() <= 0.5 + 1e-6


def test_more_entries_than_a_signed_number_holds():
    """Beside a negative first value the count is written as a signed number: 40,000 reads as -25,536."""
    item = SimpleNamespace(
        LUTDescriptor=[40_000 - 65536, -20_000, 16], LUTData=np.arange(40_000, dtype="<u2").tobytes()
    )
    table = Table.read(item, True, -32768, 32767, shown=True)
    assert table.entries.size == 40_000
    assert table.look_up(np.array([-20_000, 0, 19_999])).tolist() == [0, 20_000, 39_999]


@pytest.mark.parametrize("vr", ["US", "OW"])
def test_entries_of_8_bits_packed_two_in_a_word(tmp_path, vr):
    entries = np.array([255 - i for i in range(200)], np.uint8)
    words = entries.view("<u2")
    data = words.tolist() if vr == "US" else words.tobytes()
    values = np.arange(225, dtype=np.uint16).reshape(15, 15)
    path = write_dicom(tmp_path / "p.dcm", values, VOILUTSequence=[item_of((200, 0, 8), data, vr)])
    assert np.array_equal(read_file(path).ravel(), expected(values, 0, entries.tolist(), 255))


def test_values_of_a_modality_table_are_bounded_by_no_depth(tmp_path):
    """It gives a measure, not grey levels: what is larger than the depth it declares is kept."""
    table = [i * 10 for i in range(100)]
    values = np.arange(100, dtype=np.uint16).reshape(10, 10)
    path = write_dicom(
        tmp_path / "m.dcm", values, ModalityLUTSequence=[lookup_table(0, 8, table)], WindowCenter=500, WindowWidth=1001
    )
    assert (
        np.abs(read_file(path).ravel() - np.clip((values.ravel() * 10 - 499.5) / 1000 + 0.5, 0, 1) * 255).max() <= 0.5
    )
