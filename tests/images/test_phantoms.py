"""The phantoms are pure functions of modality, seed and size, and look like what they are called."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from auditkit.images.phantoms import MODALITIES, VERSION, phantom
from auditkit.images.phantoms import canvas as canvas_module
from auditkit.images.phantoms.canvas import Canvas, ramp, to_uint8

COLOUR = {"fundus", "endoscopy", "dermoscopy", "histology"}


def test_the_modalities_are_the_ones_that_others_build_on() -> None:
    assert MODALITIES == (
        "ct", "mr", "xray", "ultrasound", "mammography", "nuclear", "oct", "fundus", "endoscopy", "dermoscopy",
        "histology",
    )  # fmt: skip


@pytest.mark.parametrize("modality", MODALITIES)
def test_shape_and_dtype(modality: str) -> None:
    pixels = phantom(modality, 3)
    assert pixels.dtype == np.uint8
    assert pixels.shape == ((256, 256, 3) if modality in COLOUR else (256, 256))


@pytest.mark.parametrize("modality", MODALITIES)
@pytest.mark.parametrize("size", [64, 97, 224])
def test_any_size_can_be_drawn(modality: str, size: int) -> None:
    assert phantom(modality, 0, size).shape[:2] == (size, size)


@pytest.mark.parametrize("modality", MODALITIES)
def test_pure_and_independent_of_other_random_state(modality: str) -> None:
    first = phantom(modality, 11, 128)
    np.random.seed(0)  # noqa: NPY002 - the global state is disturbed on purpose
    np.random.random(1000)  # noqa: NPY002
    phantom("ct", 5, 64)
    np.testing.assert_array_equal(first, phantom(modality, 11, 128))


def test_the_same_in_another_process() -> None:
    code = (
        "from auditkit.images.phantoms import MODALITIES, phantom\n"
        "import zlib\n"
        "print([zlib.crc32(phantom(m, 4, 96).tobytes()) for m in MODALITIES])"
    )
    command = [sys.executable, "-c", code]
    runs = [subprocess.run(command, capture_output=True, text=True, check=True).stdout for _ in range(2)]
    assert runs[0] == runs[1]


@pytest.mark.parametrize("modality", MODALITIES)
def test_each_seed_is_another_anatomy(modality: str) -> None:
    a, b = phantom(modality, 1, 128).astype(float), phantom(modality, 2, 128).astype(float)
    assert np.abs(a - b).mean() > 2.0


@pytest.mark.parametrize("modality", sorted(COLOUR))
def test_colour_modalities_have_colour(modality: str) -> None:
    pixels = phantom(modality, 0).astype(int)
    assert np.abs(pixels[..., 0] - pixels[..., 2]).mean() > 10


@pytest.mark.parametrize("modality", ["ct", "mr", "ultrasound", "mammography", "oct", "fundus"])
def test_dark_background_where_the_modality_has_one(modality: str) -> None:
    shares = [(phantom(modality, seed) < 40).mean() for seed in range(5)]
    assert min(shares) > 0.08


@pytest.mark.parametrize("modality", MODALITIES)
def test_uses_the_range(modality: str) -> None:
    for seed in range(4):
        low, high = np.percentile(phantom(modality, seed), [1, 99])
        assert high - low > 80, seed


@pytest.mark.parametrize("modality", MODALITIES)
def test_detail_at_full_resolution(modality: str) -> None:
    """Pixelation by 0.6, the mildest of ImageNet-C, must have something to take away."""
    pixels = phantom(modality, 6).astype(np.float64)
    grey = pixels.mean(-1) if pixels.ndim == 3 else pixels
    spectrum = np.abs(np.fft.fft2(grey - grey.mean())) ** 2
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(256), np.fft.fftfreq(256)))
    assert np.sqrt(spectrum[frequency > 0.3].sum()) / 256 > 0.5  # root mean square, in grey levels


def test_unknown_modality_names_the_allowed_ones() -> None:
    with pytest.raises(ValueError, match=r"unknown modality 'petct'.*ct, mr, xray.*histology"):
        phantom("petct", 0)


@pytest.mark.parametrize(("seed", "size", "message"), [(-1, 256, "seed"), (0, 16, "size")])
def test_impossible_arguments(seed: int, size: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        phantom("ct", seed, size)


def test_version_enters_the_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    import auditkit.images.phantoms as package

    before = phantom("oct", 0, 64)
    monkeypatch.setattr(package, "VERSION", VERSION + 1)
    assert not np.array_equal(before, package.phantom("oct", 0, 64))


def _canvas(size: int = 64) -> Canvas:
    return Canvas(np.random.default_rng(0), size)


def test_fractal_is_standardised_and_gets_smoother_with_slope() -> None:
    rough, smooth = _canvas().fractal(0.2), _canvas().fractal(2.0)
    for field in (rough, smooth):
        assert abs(float(field.mean())) < 1e-4
        assert float(field.std()) == pytest.approx(1.0, abs=1e-3)
    assert np.abs(np.diff(smooth)).mean() < 0.5 * np.abs(np.diff(rough)).mean()


def test_speckle_has_unit_mean_and_is_fully_developed() -> None:
    grain = _canvas(256).speckle(1.0, 1.0)
    assert float(grain.mean()) == pytest.approx(1.0, abs=1e-3)
    # A Rayleigh envelope has a contrast (sd over mean) of 0.523.
    assert float(grain.std()) == pytest.approx(0.523, abs=0.04)


def test_ellipse_area_and_bounding_box_agree() -> None:
    canvas = _canvas(200)
    cover = canvas.ellipse(0.1, -0.2, 0.5, 0.3, 0.4)
    assert float(cover.sum()) / 200**2 * 4 == pytest.approx(np.pi * 0.5 * 0.3, rel=0.02)
    boxed = canvas.blank()
    canvas.add_ellipse(boxed, 1.0, (0.1, -0.2), (0.5, 0.3), 0.4)
    np.testing.assert_allclose(boxed, cover, atol=1e-5)


def test_an_ellipse_outside_changes_nothing() -> None:
    canvas = _canvas()
    image = canvas.blank()
    canvas.add_ellipse(image, 1.0, (3.0, 3.0), (0.1, 0.1))
    assert not image.any()


def test_strokes_pass_through_their_points_only() -> None:
    line = _canvas(101).strokes([[(-0.5, 0.0), (0.5, 0.0)]], 1.0)
    assert float(line[50, 50]) > 0.7
    assert float(line[30, 50]) == 0.0
    assert not _canvas().strokes([[(0.0, 0.0)]], 1.0).any()


def test_ramp_and_rounding() -> None:
    np.testing.assert_allclose(ramp(np.array([-1.0, 0.0, 1.0], dtype=np.float32), 0.0, 1.0), [0.0, 0.5, 1.0])
    np.testing.assert_array_equal(to_uint8(np.array([-0.5, 0.5, 2.0], dtype=np.float32)), [0, 128, 255])
    assert canvas_module.__doc__
