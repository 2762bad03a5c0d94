"""The measured dose against the definition of Wang et al., window by window."""

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditkit.perturbations import PerturbationError, corruptions, shipped
from auditkit.perturbations.apply import perturb
from auditkit.perturbations.dose import Dose, dose

SHIPPED = shipped()
WHITE = {"uint8": 255.0, "uint16": 65535.0, "float32": 1.0, "float64": 1.0}


def wang_ssim(first: np.ndarray, second: np.ndarray, step: int = 3) -> float:
    """Equations 13-17 of the paper, term by term in float64: weighted moments of each 11 x 11 window by themselves."""
    if first.ndim == 3:
        first, second = (0.299 * i[..., 0] + 0.587 * i[..., 1] + 0.114 * i[..., 2] for i in (first, second))
    distance = np.arange(11) - 5.0
    window = np.exp(-(distance[:, None] ** 2 + distance[None] ** 2) / (2 * 1.5**2))
    window /= window.sum()
    values = []
    for y in range(0, first.shape[0] - 10, step):
        for x in range(0, first.shape[1] - 10, step):
            a, b = first[y : y + 11, x : x + 11], second[y : y + 11, x : x + 11]
            mean_a, mean_b = (window * a).sum(), (window * b).sum()
            variance_a, variance_b = (window * (a - mean_a) ** 2).sum(), (window * (b - mean_b) ** 2).sum()
            covariance = (window * (a - mean_a) * (b - mean_b)).sum()
            luminance = (2 * mean_a * mean_b + 1e-4) / (mean_a**2 + mean_b**2 + 1e-4)
            structure = (2 * covariance + 9e-4) / (variance_a + variance_b + 9e-4)
            values.append(luminance * structure)
    return float(np.mean(values))


@pytest.mark.parametrize("name", [entry.name for entry in corruptions()])
@pytest.mark.parametrize("dtype", ["uint8", "float64"])
def test_ssim_is_that_of_the_paper(name, dtype, colour):
    part = colour[20:60, 30:100]
    image = part if dtype == "uint8" else part / 255
    rendered = perturb(image, SHIPPED[name], 3, b"k")
    expected = wang_ssim(image / WHITE[dtype], rendered / WHITE[dtype])
    assert dose(image, rendered).ssim == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("name", ["gaussian_noise", "pixelate", "motion_blur", "jpeg"])
def test_every_third_window_gives_nearly_what_all_windows_give(name, colour):
    part = colour[:96, :96]
    rendered = perturb(part, SHIPPED[name], 3, b"k")
    assert dose(part, rendered).ssim == pytest.approx(wang_ssim(part / 255, rendered / 255, step=1), abs=0.005)


@pytest.mark.parametrize("shape", [(11, 11), (11, 60), (26, 42), (27, 43), (42, 12), (70, 50)])
def test_ssim_does_not_depend_on_the_bands_that_it_is_worked_out_in(shape, monkeypatch):
    """Bands of 16 rows of windows, on images of one band, exactly two, and a rest of one row."""
    monkeypatch.setattr("auditkit.perturbations.dose._BAND", 1)
    rng = np.random.default_rng(2)
    first = rng.integers(0, 65536, shape, dtype=np.uint16)
    second = (first * 0.7 + rng.integers(0, 9000, shape)).astype(np.uint16)
    assert dose(first, second).ssim == pytest.approx(wang_ssim(first / 65535, second / 65535), abs=1e-5)


def test_ssim_of_small_images_continues_them_by_reflection():
    rng = np.random.default_rng(3)
    first, second = rng.random((2, 9, 14))
    padded = (np.pad(image, 5, mode="symmetric") for image in (first, second))
    assert dose(first, second).ssim == pytest.approx(wang_ssim(*padded), abs=1e-5)


@pytest.mark.parametrize("dtype", WHITE)
@pytest.mark.parametrize("shape", [(40, 50), (40, 50, 3), (9, 8)])
def test_psnr_is_the_mean_squared_error_in_decibels(dtype, shape):
    rng = np.random.default_rng(5)
    first, second = ((rng.random(shape) * WHITE[dtype]).astype(dtype) for _ in range(2))
    error = np.mean((first.astype(float) - second.astype(float)) ** 2) / WHITE[dtype] ** 2
    assert dose(first, second).psnr == pytest.approx(10 * math.log10(1 / error), abs=1e-3)


def test_psnr_sees_a_single_level_in_a_single_value():
    first = np.full((300, 300), 200, np.uint16)
    second = first.copy()
    second[-1, -1] += 1
    assert dose(first, second).psnr == pytest.approx(10 * math.log10(65535**2 * 90000), abs=1e-6)


@settings(max_examples=30)
@given(
    dtype=st.sampled_from(sorted(WHITE)), height=st.integers(8, 60), width=st.integers(8, 60), seed=st.integers(0, 99)
)
def test_equal_images_are_at_no_distance_and_order_does_not_matter(dtype, height, width, seed):
    rng = np.random.default_rng(seed)
    first, second = ((rng.random((height, width)) * WHITE[dtype]).astype(dtype) for _ in range(2))
    assert dose(first, first.copy()) == Dose(1.0, math.inf)
    there, back = dose(first, second), dose(second, first)
    assert there.ssim == pytest.approx(back.ssim, abs=1e-6)
    assert there.psnr == pytest.approx(back.psnr)
    assert -1 <= there.ssim < 1


def test_constant_images_differ_by_their_luminance_alone():
    black, grey = np.zeros((32, 32), np.uint8), np.full((32, 32), 51, np.uint8)
    measured = dose(black, grey)
    assert measured.ssim == pytest.approx(1e-4 / (0.2**2 + 1e-4), rel=1e-3)
    assert measured.psnr == pytest.approx(-20 * math.log10(0.2))


def test_json_has_no_infinity(grey):
    equal = dose(grey, grey.copy()).to_json()
    assert json.loads(json.dumps(equal, allow_nan=False)) == {"ssim": 1.0, "psnr": None}
    other = dose(grey, perturb(grey, SHIPPED["contrast"], 3, b""))
    assert other.to_json() == {"ssim": other.ssim, "psnr": other.psnr}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda image: image[:-1], r"\(96, 128\) and uint8 \(95, 128\) cannot be compared"),
        (lambda image: image.astype(np.uint16), "uint8 .* and uint16"),
        (lambda image: np.dstack([image] * 3), r"\(96, 128, 3\)"),
    ],
)
def test_images_that_do_not_match_are_refused(change, message, grey):
    with pytest.raises(PerturbationError, match=message):
        dose(grey, change(grey))


def test_values_without_a_range_are_refused():
    with pytest.raises(PerturbationError, match="no declared range"):
        dose(np.zeros((16, 16), np.int16), np.zeros((16, 16), np.int16))
