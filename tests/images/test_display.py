"""The grey-scale pipeline against the formulas of DICOM PS3.3, worked out by hand."""

import numpy as np
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from image_files import lookup_table, read_file, sample, write_dicom
from pydicom.pixels import apply_modality_lut, apply_voi_lut, pixel_array

from auditkit.images import dicom
from auditkit.images.display import NOTE_BAD_WINDOW, NOTE_FULL_RANGE, NOTE_NO_WINDOW, NOTE_RESCALE, NOTE_SEVERAL
from auditkit.images.scaling import fit

LIMIT = 10**6


def linear(x, centre, width):
    """PS3.3 C.11.2.1.2.1 with an output of 0-255, written as the standard's pseudo-code has it."""
    if x <= centre - 0.5 - (width - 1) / 2:
        return 0.0
    if x > centre - 0.5 + (width - 1) / 2:
        return 255.0
    return ((x - (centre - 0.5)) / (width - 1) + 0.5) * 255.0


def linear_exact(x, centre, width):
    """PS3.3 C.11.2.1.3.2."""
    if x <= centre - width / 2:
        return 0.0
    if x > centre + width / 2:
        return 255.0
    return ((x - centre) / width + 0.5) * 255.0


def sigmoid(x, centre, width):
    """PS3.3 C.11.2.1.3.1."""
    return 255.0 / (1 + np.exp(-4 * (x - centre) / width))


RAMP = np.arange(-120, 136, dtype=np.int16).reshape(16, 16)


@pytest.mark.parametrize(
    ("function", "formula"), [(None, linear), ("LINEAR", linear), ("LINEAR_EXACT", linear_exact), ("SIGMOID", sigmoid)]
)
@pytest.mark.parametrize(("centre", "width"), [(40.0, 80.0), (-3.5, 17.0), (0.0, 1.0), (10.0, 400.0)])
def test_window_follows_the_standard(tmp_path, function, formula, centre, width):
    tags = {} if function is None else {"VOILUTFunction": function}
    path = write_dicom(tmp_path / "w.dcm", RAMP, WindowCenter=centre, WindowWidth=width, **tags)
    if function in (None, "LINEAR") and width == 1:
        expected = np.where(centre - 0.5 < RAMP, 255, 0)
    else:
        expected = np.array([formula(float(x), centre, width) for x in RAMP.ravel()]).reshape(RAMP.shape)
    # half a level for rounding to 8 bits
    assert np.abs(read_file(path).astype(float) - expected).max() <= 0.5 + 1e-9


@settings(max_examples=30)
@given(
    centre=st.floats(-500, 500),
    width=st.floats(2, 1000),
    slope=st.floats(0.1, 4),
    intercept=st.integers(-1024, 100),
)
def test_rescale_comes_before_the_window(tmp_path_factory, centre, width, slope, intercept):
    centre, width, slope = round(centre, 3), round(width, 3), round(slope, 3)
    path = write_dicom(
        tmp_path_factory.mktemp("rescale") / "r.dcm",
        RAMP,
        WindowCenter=centre,
        WindowWidth=width,
        RescaleSlope=slope,
        RescaleIntercept=intercept,
    )
    expected = [linear(float(x) * slope + intercept, centre, width) for x in RAMP.ravel()]
    assert np.abs(dicom.decode(path, LIMIT).astype(float).ravel() - expected).max() <= 0.5 + 1e-6


@pytest.mark.parametrize("dtype", ["u1", "i1", "u2", "i2", "u4", "i4"])
@pytest.mark.parametrize("big_endian", [False, True])
def test_every_integer_type_and_byte_order_gives_the_same_picture(tmp_path, dtype, big_endian):
    stored = np.arange(0, 100, dtype=dtype).reshape(10, 10)
    path = write_dicom(tmp_path / "t.dcm", stored, big_endian=big_endian, WindowCenter=50, WindowWidth=101)
    expected = np.rint([linear(x, 50, 101) for x in range(100)]).reshape(10, 10)
    assert np.array_equal(read_file(path), expected)


def test_monochrome1_is_inverted_once(tmp_path):
    window = {"WindowCenter": 8, "WindowWidth": 256}
    plain = read_file(write_dicom(tmp_path / "2.dcm", RAMP, **window))
    inverted = read_file(write_dicom(tmp_path / "1.dcm", RAMP, PhotometricInterpretation="MONOCHROME1", **window))
    assert np.array_equal(inverted, 255 - plain)
    # PS3.3 C.11.6 has MONOCHROME1 and INVERSE together: still one inversion
    both = write_dicom(
        tmp_path / "b.dcm", RAMP, PhotometricInterpretation="MONOCHROME1", PresentationLUTShape="INVERSE", **window
    )
    assert np.array_equal(read_file(both), inverted)
    shape_only = write_dicom(tmp_path / "s.dcm", RAMP, PresentationLUTShape="INVERSE", **window)
    assert np.array_equal(read_file(shape_only), inverted)


@pytest.mark.parametrize(
    ("tags", "note"),
    [
        ({}, NOTE_NO_WINDOW),
        ({"WindowCenter": 40, "WindowWidth": 0}, NOTE_BAD_WINDOW),
        ({"WindowCenter": 40, "WindowWidth": -5}, NOTE_BAD_WINDOW),
        ({"WindowCenter": 40, "WindowWidth": 0.5}, NOTE_BAD_WINDOW),
        ({"WindowCenter": 40}, NOTE_NO_WINDOW),
        ({"WindowCenter": 40, "WindowWidth": 80, "VOILUTFunction": "CUBIC"}, NOTE_BAD_WINDOW),
    ],
)
def test_without_a_usable_window_percentiles_are_shown_and_noted(tmp_path, tags, note):
    values = np.random.default_rng(3).normal(1000, 200, (200, 200)).astype(np.int16)
    path = write_dicom(tmp_path / "p.dcm", values, **tags)
    assert dicom.inspect(path, LIMIT).notes == (note,)
    shown = read_file(path).astype(float)
    low, high = np.percentile(values, [0.5, 99.5])
    expected = np.clip((values - low) / (high - low), 0, 1) * 255
    assert np.abs(shown - expected).max() <= 1.0  # nearest-rank against interpolated percentiles
    assert (shown == 0).mean() == pytest.approx(0.005, abs=0.003)
    assert (shown == 255).mean() == pytest.approx(0.005, abs=0.003)


def test_width_below_one_is_fine_for_the_exact_function(tmp_path):
    path = write_dicom(tmp_path / "e.dcm", RAMP, WindowCenter=0.25, WindowWidth=0.5, VOILUTFunction="LINEAR_EXACT")
    assert dicom.inspect(path, LIMIT).notes == ()
    assert np.array_equal(read_file(path), np.where(RAMP > 0, 255, 0))


def test_8_bit_values_without_a_window_are_shown_as_they_are(tmp_path):
    stored = np.arange(60, 160, dtype=np.uint8).reshape(10, 10)
    path = write_dicom(tmp_path / "u.dcm", stored)
    assert dicom.inspect(path, LIMIT).notes == ()
    assert np.array_equal(read_file(path), stored)
    bad = write_dicom(tmp_path / "v.dcm", stored, WindowCenter=0, WindowWidth=0)
    assert dicom.inspect(bad, LIMIT).notes == (NOTE_FULL_RANGE,)
    assert np.array_equal(read_file(bad), stored)


def test_the_first_of_several_windows_is_used(tmp_path):
    several = write_dicom(tmp_path / "m.dcm", RAMP, WindowCenter=[10, 90], WindowWidth=[50, 9])
    one = write_dicom(tmp_path / "o.dcm", RAMP, WindowCenter=10, WindowWidth=50)
    assert np.array_equal(read_file(several), read_file(one))
    assert dicom.inspect(several, LIMIT).notes == (NOTE_SEVERAL,)


def test_padding_is_black_and_does_not_move_the_percentiles(tmp_path):
    values = np.random.default_rng(5).integers(100, 200, (100, 100)).astype(np.int16)
    padded = values.copy()
    padded[:40] = -2000
    shown = read_file(write_dicom(tmp_path / "p.dcm", padded, PixelPaddingValue=-2000))
    assert (shown[:40] == 0).all()
    alone = read_file(write_dicom(tmp_path / "a.dcm", values[40:]))
    assert np.array_equal(shown[40:], alone)
    inverted = read_file(
        write_dicom(tmp_path / "i.dcm", padded, PixelPaddingValue=-2000, PhotometricInterpretation="MONOCHROME1")
    )
    assert (inverted[:40] == 0).all()
    assert np.array_equal(inverted[40:], 255 - alone)


def test_a_range_of_padding_values_is_masked(tmp_path):
    values = np.random.default_rng(6).integers(100, 200, (50, 50)).astype(np.int16)
    values[0, :10] = range(-10, 0)
    shown = read_file(write_dicom(tmp_path / "r.dcm", values, PixelPaddingValue=-10, PixelPaddingRangeLimit=-1))
    assert (shown[0, :10] == 0).all()
    assert np.median(shown[1:]) == pytest.approx(127, abs=15)


def test_a_constant_picture_is_black_not_an_error(tmp_path):
    path = write_dicom(tmp_path / "c.dcm", np.full((8, 8), 77, np.int16))
    assert (dicom.decode(path, LIMIT) == 0).all()


def test_only_padding_is_black_not_an_error(tmp_path):
    values = np.full((8, 8), -5, np.int16)
    path = write_dicom(tmp_path / "c.dcm", values, PixelPaddingValue=-5)
    assert (dicom.decode(path, LIMIT) == 0).all()


@pytest.mark.parametrize(("bits", "entries"), [(8, 300), (12, 300), (16, 300)])
def test_voi_lookup_table_of_any_depth(tmp_path, bits, entries):
    """pydicom 3.0's own function wraps round after 256 entries of 8 bits."""
    top = 2**bits - 1
    table = [round(top * (i / (entries - 1)) ** 2) for i in range(entries)]
    values = np.arange(0, 400, dtype=np.uint16).reshape(20, 20)
    path = write_dicom(tmp_path / "v.dcm", values, VOILUTSequence=[lookup_table(50, bits, table)])
    expected = [table[min(max(v - 50, 0), entries - 1)] / top * 255 for v in range(400)]
    assert np.abs(read_file(path).ravel() - np.array(expected)).max() <= 0.5 + 1e-9
    assert dicom.inspect(path, LIMIT).notes == ()


@pytest.mark.parametrize("bits", [8, 12, 16])
def test_modality_lookup_table_comes_before_the_window(tmp_path, bits):
    table = [(i * 7) % 2**bits for i in range(100)]
    values = np.arange(100, dtype=np.uint16).reshape(10, 10)
    item = lookup_table(0, bits, table)
    item.ModalityLUTType = "US"
    path = write_dicom(tmp_path / "m.dcm", values, ModalityLUTSequence=[item], WindowCenter=100, WindowWidth=120)
    expected = [linear(table[v], 100, 120) for v in range(100)]
    assert np.abs(read_file(path).ravel() - np.array(expected)).max() <= 0.5 + 1e-9


@pytest.mark.parametrize("slope", [0, "nan"])
def test_unusable_slope_is_noted_and_ignored(tmp_path, slope):
    path = write_dicom(tmp_path / "s.dcm", RAMP, WindowCenter=0, WindowWidth=100)
    ds = pydicom.dcmread(path)
    ds.add_new("RescaleIntercept", "DS", "5")
    ds.add_new("RescaleSlope", "DS", "0")
    if slope == "nan":
        del ds.RescaleIntercept
    ds.save_as(path)
    assert NOTE_RESCALE in dicom.inspect(path, LIMIT).notes
    plain = write_dicom(tmp_path / "p.dcm", RAMP, WindowCenter=0, WindowWidth=100)
    assert np.array_equal(read_file(path), read_file(plain))


def test_float_pixel_data(tmp_path):
    values = np.linspace(-1, 3, 100, dtype=np.float32).reshape(10, 10)
    values[0, 0] = np.nan
    shown = read_file(write_dicom(tmp_path / "f.dcm", values))
    finite = values[np.isfinite(values)]
    low, high = np.percentile(finite, [0.5, 99.5])
    expected = np.clip((np.nan_to_num(values, nan=-9) - low) / (high - low), 0, 1) * 255
    assert np.abs(shown - expected).max() <= 1


@pytest.mark.parametrize("name", ["693_UNCR.dcm", "MR2_UNCR.dcm", "RG3_UNCR.dcm", "bad_sequence.dcm", "MR_small.dcm"])
def test_real_files_agree_with_pydicom_applied_to_every_pixel(name):
    """The table over stored values is a shortcut, not another result."""
    path = sample(name)
    ds = pydicom.dcmread(path)
    shown = apply_voi_lut(apply_modality_lut(pixel_array(ds), ds), ds)
    low, high = float(-(2 ** (ds.BitsStored - 1)) if ds.PixelRepresentation else 0), 0.0
    high = low + 2**ds.BitsStored - 1
    if "RescaleSlope" in ds:
        low, high = (v * float(ds.RescaleSlope) + float(ds.RescaleIntercept) for v in (low, high))
    expected = (shown - low) / (high - low) * 255
    if ds.PhotometricInterpretation == "MONOCHROME1":
        expected = 255 - expected
    assert np.abs(dicom.decode(path, 10**8).astype(float) - expected).max() <= 0.51


@pytest.mark.parametrize("name", ["mlut_18.dcm", "vlut_04.dcm"])
def test_test_pattern_reads_the_same_through_lookup_tables(name):
    """Both files hold the SMPTE pattern, once behind a modality and once behind a VOI table: bars run dark to light."""
    shown = fit(dicom.decode(sample(name), 10**8), 512).astype(float)
    # the 0 % and 100 % patches at mid-height of the pattern's lower left and right
    assert shown[325, 225] < 40
    assert shown[325, 325] > 215
    assert shown[20, 200] == pytest.approx(127, abs=12)


def test_padding_written_with_the_wrong_sign_is_understood(tmp_path):
    values = np.random.default_rng(7).integers(100, 200, (50, 50)).astype(np.int16)
    values[0] = -2000
    path = write_dicom(tmp_path / "s.dcm", values)
    ds = pydicom.dcmread(path)
    ds.add_new("PixelPaddingValue", "US", 63536)  # -2000 read as unsigned
    ds.save_as(path)
    right = write_dicom(tmp_path / "r.dcm", values, PixelPaddingValue=-2000)
    assert np.array_equal(read_file(path), read_file(right))
    assert read_file(path)[1:].min() < 20


@pytest.mark.parametrize("dtype", ["u1", "u2", "i2", "u4", "i4"])
def test_values_that_begin_above_zero(tmp_path, dtype):
    stored = np.arange(20, 120, dtype=dtype).reshape(10, 10)
    path = write_dicom(tmp_path / "t.dcm", stored, WindowCenter=70, WindowWidth=101)
    assert np.array_equal(read_file(path).ravel(), np.rint([linear(x, 70, 101) for x in range(20, 120)]))
