"""Ordinary image files: bit depths, palettes, transparency, orientation, and everything that can be wrong with one."""

import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from image_files import describe, png_header, read_file
from PIL import Image, ImageFile, TiffImagePlugin

from auditkit.images import raster
from auditkit.images.item import UnreadableImage
from auditkit.images.raster import NOTE_DEEP

LIMIT = 10**8
GREY = np.arange(0, 240, 2, dtype=np.uint8).reshape(10, 12)
COLOUR = np.stack([GREY, 255 - GREY, GREY // 2], axis=2)


def save(path, pixels, mode=None, **options):
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    (image if mode is None else image.convert(mode)).save(path, **options)
    return path


def reason_of(path, limit=LIMIT, call=raster.decode):
    with pytest.raises(UnreadableImage) as caught:
        call(path, limit)
    assert str(path.parent) not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("suffix", ["png", "tiff", "bmp", "webp"])
def test_lossless_formats_give_the_pixels_back(tmp_path, suffix):
    options = {"lossless": True} if suffix == "webp" else {}
    assert np.array_equal(read_file(save(tmp_path / f"g.{suffix}", GREY, **options)), GREY)
    assert np.array_equal(read_file(save(tmp_path / f"c.{suffix}", COLOUR, **options)), COLOUR)


def test_jpeg_of_grey_and_colour(tmp_path):
    smooth = np.linspace(0, 255, 64 * 64).reshape(64, 64).astype(np.uint8)
    grey = read_file(save(tmp_path / "g.jpg", smooth, quality=95))
    assert grey.shape == (64, 64)
    assert np.abs(grey.astype(int) - smooth).max() <= 4
    assert read_file(save(tmp_path / "c.jpg", np.stack([smooth, smooth.T, smooth], 2), quality=95)).shape == (64, 64, 3)
    cmyk = raster.decode(save(tmp_path / "k.jpg", Image.new("CMYK", (8, 8), (0, 0, 0, 128)), quality=95), LIMIT)
    assert cmyk.shape == (8, 8, 3)
    assert np.abs(cmyk.astype(int) - 127).max() <= 3


def test_one_bit(tmp_path):
    bits = GREY > 100
    assert np.array_equal(read_file(save(tmp_path / "b.png", Image.fromarray(bits))), bits * np.uint8(255))


def over_percentiles(values):
    """Grey as it must come out, computed with NumPy's own interpolated percentiles."""
    low, high = np.percentile(values, [0.5, 99.5])
    return np.clip((values.astype(float) - low) / (high - low), 0, 1) * 255


HOUNSFIELD = np.random.default_rng(11).normal(40, 120, (100, 120)).round().clip(-1024, 3071)


@pytest.mark.parametrize("suffix", ["png", "tiff"])
@pytest.mark.parametrize(
    ("offset", "factor", "hot"),
    [(32768, 1, None), (1024, 1, None), (2000, 4, None), (1024, 1, 65535), (32768, 1, 0), (20_000, 10, None)],
    ids=["HU + 32768", "HU + 1024", "14 bits", "one hot pixel", "one dead pixel", "full range"],
)
def test_16_bits_show_what_is_there_whichever_range_it_lies_in(tmp_path, suffix, offset, factor, hot):
    values = (HOUNSFIELD * factor + offset).astype(np.uint16)
    if hot is not None:
        values[3, 4] = hot
    path = save(tmp_path / f"w.{suffix}", values)
    shown = read_file(path)
    assert np.abs(shown - over_percentiles(values)).max() <= 0.5 + 1e-9
    assert len(np.unique(shown)) > 200, "over 0-65535 they would be 5 to 9 levels"
    assert NOTE_DEEP in describe(path).notes


def test_a_few_bright_points_on_black_are_shown_over_their_whole_range(tmp_path):
    values = np.zeros((100, 100), np.uint16)
    values[50, 10:40] = np.linspace(100, 900, 30)
    assert np.array_equal(read_file(save(tmp_path / "s.png", values)), np.rint(values / 900 * 255))


def test_white_is_zero_tiff(tmp_path):
    options = TiffImagePlugin.ImageFileDirectory_v2()
    options[262] = 0
    values = np.linspace(0, 65535, 120).astype(np.uint16).reshape(10, 12)
    path = tmp_path / "w.tiff"
    Image.fromarray(values).save(path, tiffinfo=options)
    with Image.open(path) as image:
        assert image.tag_v2[262] == 0, "the test's file is not what it should be"
    assert np.abs(read_file(path) - (255 - over_percentiles(values))).max() <= 0.5 + 1e-9


def test_floats_and_32_bits_are_shown_over_their_own_range(tmp_path):
    values = np.linspace(-3.5, 7, 120, dtype=np.float32).reshape(10, 12)
    path = save(tmp_path / "f.tiff", values)
    assert np.abs(read_file(path) - over_percentiles(values)).max() <= 0.5 + 1e-4
    assert NOTE_DEEP in describe(path).notes
    holes = values.copy()
    holes[0, 0] = np.nan
    assert read_file(save(tmp_path / "n.tiff", holes))[0, 0] == 0
    assert "finite" in reason_of(save(tmp_path / "a.tiff", np.full((4, 4), np.inf, np.float32)))
    integers = (GREY.astype(np.int32) * 100_000) - 5
    assert np.abs(read_file(save(tmp_path / "i.tiff", integers)) - over_percentiles(integers)).max() <= 0.5 + 1e-9


def tiff_of(path, values, tags):
    """Write an uncompressed little-endian TIFF file by hand: Pillow writes few of the types that there are."""
    height, width = values.shape[:2]
    entries = {256: width, 257: height, 259: 1, 262: 1, 273: 8 + 2 + 12 * 9 + 4, 277: 1, 278: height, **tags}
    entries[279] = values.nbytes
    body = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in sorted(entries.items()))
    assert len(entries) <= 10
    entries[273] = 8 + 2 + len(body) + 4
    body = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in sorted(entries.items()))
    head = b"II*\0" + struct.pack("<I", 8) + struct.pack("<H", len(entries)) + body + struct.pack("<I", 0)
    path.write_bytes(head + values.tobytes())
    return path


@pytest.mark.parametrize("tags", [{258: 32}, {258: 32, 339: 1}], ids=["no sample format", "unsigned"])
def test_unsigned_32_bits_above_the_signed_range(tmp_path, tags):
    values = np.linspace(2**31 - 1000, 2**31 + 1000, 120).astype("<u4").reshape(10, 12)
    shown = read_file(tiff_of(tmp_path / "u.tiff", values, tags))
    assert np.abs(shown - over_percentiles(values)).max() <= 0.5 + 1e-9, "as signed numbers the upper half is dark"


@pytest.mark.parametrize(
    ("dtype", "tags", "words"),
    [
        ("<f8", {258: 64, 339: 3}, "1 channel of 64-bit floating-point numbers"),
        ("<f2", {258: 16, 339: 3}, "1 channel of 16-bit floating-point numbers"),
        ("<u8", {258: 64, 339: 1}, "1 channel of 64-bit unsigned integers"),
    ],
)
def test_a_tiff_of_numbers_that_are_not_read_says_which_and_what_to_do(tmp_path, dtype, tags, words):
    values = np.linspace(0, 1, 120).astype(dtype).reshape(10, 12)
    reason = reason_of(tiff_of(tmp_path / "d.tiff", values, tags), call=raster.inspect)
    assert words in reason
    assert "save it as" in reason


def test_palettes_are_resolved(tmp_path):
    image = Image.fromarray(COLOUR).quantize(64)
    assert np.array_equal(read_file(save(tmp_path / "p.png", image)), np.asarray(image.convert("RGB")))
    image.info["transparency"] = int(np.asarray(image)[0, 0])
    path = save(tmp_path / "t.png", image, transparency=image.info["transparency"])
    assert read_file(path)[0, 0].tolist() == [0, 0, 0]


def test_transparency_is_laid_on_black(tmp_path):
    alpha = np.full((10, 12), 128, np.uint8)
    alpha[0] = 0
    shown = read_file(save(tmp_path / "a.png", np.dstack([COLOUR, alpha])))
    assert (shown[0] == 0).all()
    assert np.abs(shown[1:].astype(int) - np.rint(COLOUR[1:] * (128 / 255))).max() <= 1
    grey = read_file(save(tmp_path / "la.png", Image.merge("LA", [Image.fromarray(GREY), Image.fromarray(alpha)])))
    assert grey.shape == (10, 12)
    assert (grey[0] == 0).all()


@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "I;16"])
@pytest.mark.parametrize(
    ("orientation", "upright"),
    [(1, lambda a: a), (3, lambda a: a[::-1, ::-1]), (6, lambda a: np.rot90(a, -1)), (8, np.rot90), (2, np.fliplr)],
)
def test_exif_orientation_is_applied(tmp_path, orientation, upright, mode):
    values = np.linspace(0, 65535, 120).astype(np.uint16).reshape(10, 12)
    image = Image.fromarray(values) if mode == "I;16" else Image.fromarray(COLOUR).convert(mode)
    exif = Image.Exif()
    plain = read_file(save(tmp_path / "p.png", image))
    exif[0x0112] = orientation
    turned = read_file(save(tmp_path / "e.png", image, exif=exif.tobytes()))
    assert np.array_equal(turned, upright(plain))


@pytest.mark.parametrize("suffix", ["tiff", "png", "webp"])
def test_the_middle_of_several_pages_is_shown_and_noted(tmp_path, suffix):
    path = tmp_path / f"m.{suffix}"
    pages = [np.roll(COLOUR, step, axis=0) for step in range(5)]
    options = {"lossless": True} if suffix == "webp" else {}
    Image.fromarray(pages[0]).save(path, save_all=True, append_images=list(map(Image.fromarray, pages[1:])), **options)
    assert describe(path).notes[0] == "5 pages or frames: number 3 is shown"
    assert np.array_equal(read_file(path), pages[2])


def test_pages_of_different_kinds_are_no_series(tmp_path):
    path = tmp_path / "pyramid.tiff"
    Image.fromarray(GREY).save(path, save_all=True, append_images=[Image.fromarray(GREY[::2, ::2])])
    assert describe(path).notes[0] == "2 pages of different kinds: the first is shown"
    assert np.array_equal(read_file(path), GREY)


@pytest.mark.parametrize("suffix", ["png", "jpg", "tiff", "webp", "bmp"])
@pytest.mark.parametrize("keep", [0.5, 0.9])
def test_truncated_files_are_found_when_decoding(tmp_path, suffix, keep):
    noise = np.random.default_rng(1).integers(0, 256, (300, 300, 3), dtype=np.uint8)
    path = save(tmp_path / f"x.{suffix}", noise)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * keep)])
    assert reason_of(path)


def test_truncation_is_found_even_if_someone_switched_the_check_off(tmp_path, monkeypatch):
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    path = save(tmp_path / "x.jpg", np.random.default_rng(1).integers(0, 256, (300, 300), dtype=np.uint8))
    path.write_bytes(path.read_bytes()[:5000])
    assert "truncated" in reason_of(path)
    assert ImageFile.LOAD_TRUNCATED_IMAGES is True, "the setting of others is left as it was"


@pytest.mark.parametrize("side", [10_001, 20_000, 2**31 - 1])
@pytest.mark.parametrize("call", [raster.inspect, raster.decode])
def test_decompression_bombs_are_refused_by_their_header(tmp_path, side, call):
    path = tmp_path / "bomb.png"
    path.write_bytes(png_header(side, side))
    assert "more" in reason_of(path, call=call)


def test_the_limit_of_pixels_is_the_callers(tmp_path):
    path = save(tmp_path / "g.png", GREY)
    assert raster.inspect(path, GREY.size) == ()
    assert "12 x 10" in reason_of(path, GREY.size - 1, raster.inspect)


@pytest.mark.parametrize("content", [b"hello", b"\x89PNG\r\n\x1a\n", b"II*\0", b"BM", b"%!PS-Adobe-3.0 EPSF-3.0\n"])
def test_text_and_fragments_are_no_images(tmp_path, content):
    path = tmp_path / "renamed.png"
    path.write_bytes(content)
    assert reason_of(path, call=raster.inspect)


@settings(max_examples=80)
@given(position=st.integers(0, 2000), value=st.integers(0, 255), suffix=st.sampled_from(["png", "jpg", "tiff", "webp"]))
def test_a_damaged_byte_gives_pixels_or_a_reason_never_another_error(tmp_path_factory, position, value, suffix):
    path = tmp_path_factory.mktemp("fuzz") / f"f.{suffix}"
    data = bytearray(save(path, np.kron(COLOUR, np.ones((3, 3, 1), np.uint8))).read_bytes())
    data[position % len(data)] = value
    path.write_bytes(bytes(data))
    try:
        raster.inspect(path, 10**6)
        pixels = raster.decode(path, 10**6)
    except UnreadableImage:
        return
    assert pixels.dtype == np.uint8
