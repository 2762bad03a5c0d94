"""Brightness and contrast against their definitions, worked out pixel by pixel."""

import colorsys

import numpy as np
import pytest

from auditkit.perturbations import SEVERITIES, shipped
from auditkit.perturbations.apply import perturb

SHIPPED = shipped()


def every_kind_of_colour() -> np.ndarray:
    """All 9**3 mixtures of nine levels, with black, white and the primaries among them."""
    levels = np.array([0, 1, 31, 64, 100, 128, 200, 254, 255], np.uint8)
    return np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(27, 27, 3)


@pytest.mark.parametrize("name", ["brightness", "brightness_down"])
@pytest.mark.parametrize("severity", SEVERITIES)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float64])
def test_brightness_moves_the_value_of_hsv(name, severity, dtype):
    colours = every_kind_of_colour()
    shift = SHIPPED[name].parameters(severity)["shift"]
    expected = np.empty(colours.shape)
    for place in np.ndindex(colours.shape[:2]):
        hue, saturation, value = colorsys.rgb_to_hsv(*(colours[place] / 255.0))
        expected[place] = colorsys.hsv_to_rgb(hue, saturation, min(max(value + shift, 0.0), 1.0))
    scale = {np.uint8: 255, np.uint16: 65535, np.float64: 1}[dtype]
    image = colours.astype(float) * (scale / 255)
    result = perturb(image.astype(dtype), SHIPPED[name], severity, b"") / scale
    np.testing.assert_allclose(result, expected, atol=0.5001 / scale if scale > 1 else 1e-12)


@pytest.mark.parametrize(("name", "sign"), [("brightness", 1), ("brightness_down", -1)])
@pytest.mark.parametrize("severity", SEVERITIES)
def test_brightness_of_grey_is_a_shift(name, sign, severity):
    grey = np.arange(256, dtype=np.uint8).reshape(16, 16)
    shifted = np.clip(grey + sign * 25.5 * severity, 0, 255)
    assert np.abs(perturb(grey, SHIPPED[name], severity, b"") - shifted).max() <= 0.5


def test_brightness_keeps_hue_and_saturation(colour):
    brighter = perturb(colour / 255, SHIPPED["brightness"], 2, b"")
    for before, after in zip((colour / 255).reshape(-1, 3)[::37], brighter.reshape(-1, 3)[::37], strict=True):
        if before.max() > 0:
            assert colorsys.rgb_to_hsv(*after)[:2] == pytest.approx(colorsys.rgb_to_hsv(*before)[:2], abs=1e-9)


@pytest.mark.parametrize("name", ["contrast", "contrast_up"])
@pytest.mark.parametrize("severity", SEVERITIES)
def test_contrast_turns_about_the_mean_of_each_channel(name, severity, colour):
    gain = SHIPPED[name].parameters(severity)["gain"]
    result = perturb(colour, SHIPPED[name], severity, b"")
    for channel in range(3):
        values = colour[..., channel].astype(float)
        expected = np.clip((values - values.mean()) * gain + values.mean(), 0, 255)
        # Half a level of rounding; float32 can tip a value that lies within 1e-4 of the half.
        np.testing.assert_allclose(result[..., channel], expected, atol=0.5002)


def test_contrast_keeps_the_mean_where_nothing_clips(grey):
    for severity in SEVERITIES:
        assert perturb(grey / 255, SHIPPED["contrast"], severity, b"").mean() == pytest.approx(grey.mean() / 255)


def test_contrast_of_a_constant_image_is_that_image():
    for value in (0, 1, 77, 254, 255):
        flat = np.full((20, 30, 3), value, np.uint8)
        flat[..., 2] //= 2  # a colour, so that the three channels have means of their own
        for name in ("contrast", "contrast_up"):
            np.testing.assert_array_equal(perturb(flat, SHIPPED[name], 5, b""), flat)


def test_mean_of_a_large_deep_image_does_not_overflow():
    image = np.full((300, 300), 65535, np.uint16)
    np.testing.assert_array_equal(perturb(image, SHIPPED["contrast"], 1, b""), image)
