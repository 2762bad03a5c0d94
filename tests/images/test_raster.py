"""Ordinary image files: bit depths, palettes, transparency, orientation, and everything that can be wrong with one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from image_files import describe, png_header, read_file
from PIL import Image, ImageFile, TiffImagePlugin

from auditkit.images import raster
from auditkit.images.raster import NOTE_16_BIT, NOTE_RANGE
from auditkit.images.record import UnreadableImage

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
    cmyk = read_file(save(tmp_path / "k.jpg", Image.new("CMYK", (8, 8), (0, 0, 0, 128)), quality=95))
    assert cmyk.shape == (8, 8)
    assert np.abs(cmyk.astype(int) - 127).max() <= 3


def test_one_bit(tmp_path):
    bits = GREY > 100
    assert np.array_equal(read_file(save(tmp_path / "b.png", Image.fromarray(bits))), bits * np.uint8(255))


@pytest.mark.parametrize("suffix", ["png", "tiff"])
def test_16_bits_over_the_full_range_unless_twelve_suffice(tmp_path, suffix):
    wide = np.linspace(0, 65535, 120).astype(np.uint16).reshape(10, 12)
    path = save(tmp_path / f"w.{suffix}", wide)
    assert np.array_equal(read_file(path), np.rint(wide / 65535 * 255))
    assert NOTE_16_BIT in describe(path).notes
    twelve = np.linspace(5, 4095, 120).astype(np.uint16).reshape(10, 12)
    assert np.array_equal(read_file(save(tmp_path / f"t.{suffix}", twelve)), np.rint(twelve / 4095 * 255))
    dark = wide // 100  # a dark 16-bit image is not stretched to its own maximum
    assert read_file(save(tmp_path / f"d.{suffix}", dark)).max() == round(655 / 4095 * 255)


def test_white_is_zero_tiff(tmp_path):
    options = TiffImagePlugin.ImageFileDirectory_v2()
    options[262] = 0
    values = np.linspace(0, 65535, 120).astype(np.uint16).reshape(10, 12)
    path = tmp_path / "w.tiff"
    Image.fromarray(values).save(path, tiffinfo=options)
    with Image.open(path) as image:
        assert image.tag_v2[262] == 0, "the test's file is not what it should be"
    assert np.array_equal(read_file(path), 255 - np.rint(values / 65535 * 255))


def test_floats_and_32_bits_are_shown_over_their_own_range(tmp_path):
    values = np.linspace(-3.5, 7, 120, dtype=np.float32).reshape(10, 12)
    path = save(tmp_path / "f.tiff", values)
    assert np.array_equal(read_file(path), np.rint((values - values.min()) / 10.5 * 255))
    assert NOTE_RANGE in describe(path).notes
    holes = values.copy()
    holes[0, 0] = np.nan
    assert read_file(save(tmp_path / "n.tiff", holes))[0, 0] == 0
    assert "finite" in reason_of(save(tmp_path / "a.tiff", np.full((4, 4), np.inf, np.float32)))
    integers = (GREY.astype(np.int32) * 100_000) - 5
    shown = read_file(save(tmp_path / "i.tiff", integers))
    assert (shown.min(), shown.max()) == (0, 255)
    assert (read_file(save(tmp_path / "k.tiff", np.full((4, 4), 7.5, np.float32))) == 0).all()


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


def test_the_first_of_several_pages_is_shown_and_noted(tmp_path):
    path = tmp_path / "m.tiff"
    Image.fromarray(GREY).save(path, save_all=True, append_images=[Image.fromarray(255 - GREY)])
    assert "2 pages or frames: the first is shown" in describe(path).notes
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


@settings(max_examples=80, deadline=None)
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
