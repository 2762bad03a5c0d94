"""Motion and zoom blur against their definitions, and the centring that ImageNet-C lacks."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from auditkit.perturbations import SEVERITIES, shipped
from auditkit.perturbations.apply import perturb
from auditkit.perturbations.display.blur import average_of_shifts, centre_of_mass, centred, line_taps
from auditkit.perturbations.keyed import fraction

SHIPPED = shipped()
LEVELS = [(int(level["radius"]), level["sd"]) for level in SHIPPED["motion_blur"].levels]
angles = st.floats(-45, 45)


def imagenet_c_motion(image: np.ndarray, radius: int, sd: float, angle: float) -> np.ndarray:
    """ImageNet-C's definition: step by step, each copy moved and its edge continued, in float64 and not rounded."""
    weights = np.exp(-(np.arange(2 * radius + 1) ** 2) / (2 * sd**2))
    total = np.zeros(image.shape)
    rows, columns = np.arange(image.shape[0]), np.arange(image.shape[1])
    for step, weight in enumerate(weights / weights.sum()):
        down = math.ceil(step * math.sin(math.radians(angle)) - 0.5)
        right = math.ceil(step * math.cos(math.radians(angle)) - 0.5)
        from_rows = np.clip(rows + down, 0, rows[-1])
        from_columns = np.clip(columns + right, 0, columns[-1])
        total += weight * image[from_rows][:, from_columns]
    return total


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("angle", [-44.9, -17.0, 0.0, 31.4, 45.0])
def test_uncentred_kernel_is_imagenet_c_on_any_image(level, angle, colour, grey):
    for image in (grey, colour):
        result = average_of_shifts(image, line_taps(*level, angle))
        np.testing.assert_allclose(result, imagenet_c_motion(image, *level, angle), atol=0.501)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("angle", [-40.0, 8.0, 45.0])
def test_centring_is_a_move_by_whole_pixels(level, angle, grey):
    """Away from the edges, the centred blur is ImageNet-C's, moved back."""
    taps = line_taps(*level, angle)
    down, right = (round(mean) for mean in centre_of_mass(taps))
    free, moved = average_of_shifts(grey, taps), average_of_shifts(grey, centred(taps))
    inner = (slice(30, -30), slice(42, -42))
    np.testing.assert_array_equal(np.roll(free, (down, right), axis=(0, 1))[inner], moved[inner])


@given(level=st.sampled_from(LEVELS), angle=angles)
def test_weights_sum_to_one_and_centre_of_mass_is_at_the_pixel(level, angle):
    taps = centred(line_taps(*level, angle))
    assert sum(taps.values()) == pytest.approx(1)
    assert min(taps.values()) > 0
    assert max(map(abs, centre_of_mass(taps))) <= 0.5 + 1e-9


@pytest.mark.parametrize("severity", SEVERITIES)
@pytest.mark.parametrize("key", [b"a", b"b", b"c"])
def test_a_point_stays_where_it_is(severity, key):
    """Measured on the image: the blurred point's centre of mass is within a pixel of the point."""
    image = np.zeros((121, 121))
    image[60, 60] = 1.0
    blurred = perturb(image, SHIPPED["motion_blur"], severity, key)
    assert blurred.sum() == pytest.approx(1)
    assert ndimage.center_of_mass(blurred) == pytest.approx((60, 60), abs=0.5 + 1e-9)
    assert (blurred > 0).sum() > LEVELS[severity - 1][0]


@pytest.mark.parametrize("severity", SEVERITIES)
def test_imagenet_c_kernel_would_have_moved_the_point(severity):
    """What the centring is for: without it the shift along the line is 2 to 11 pixels."""
    shift = math.hypot(*centre_of_mass(line_taps(*LEVELS[severity - 1], 20.0)))
    assert shift == pytest.approx([2.1, 3.7, 6.1, 9.0, 11.4][severity - 1], abs=0.3)


@given(key=st.binary(min_size=1, max_size=32))
def test_angle_of_the_key_is_within_45_degrees(key):
    assert -45 < 90 * fraction(key) - 45 < 45


def test_motion_blur_draws_its_angle_from_the_key(grey):
    key = b"angle"
    taps = centred(line_taps(*LEVELS[2], 90 * fraction(key) - 45))
    np.testing.assert_array_equal(perturb(grey, SHIPPED["motion_blur"], 3, key), average_of_shifts(grey, taps))


@pytest.mark.parametrize("name", ["motion_blur", "zoom_blur"])
@pytest.mark.parametrize("value", [0, 1, 128, 255])
def test_a_constant_image_stays_constant(name, value):
    flat = np.full((23, 57, 3), value, np.uint8)
    flat[..., 1] //= 3
    for severity in SEVERITIES:
        np.testing.assert_array_equal(perturb(flat, SHIPPED[name], severity, b"k"), flat)


def imagenet_c_zoom(image: np.ndarray, stop: float, step: float) -> np.ndarray:
    """ImageNet-C's definition, with scipy.ndimage.zoom doing the enlarging; float64 and not rounded."""
    height, width = image.shape[:2]
    total, factors = image.astype(float), np.arange(1, stop, step)
    for factor in factors:
        rows, columns = math.ceil(height / factor), math.ceil(width / factor)
        top, left = (height - rows) // 2, (width - columns) // 2
        part = image[top : top + rows, left : left + columns].astype(float)
        # "nearest", since at some sizes rounding puts the last sample a hair outside, where "constant" reads black.
        zoomed = ndimage.zoom(part, (factor, factor) + (1,) * (image.ndim - 2), order=1, mode="nearest")
        total += zoomed[:height, :width]
    return total / (len(factors) + 1)


@pytest.mark.parametrize("severity", SEVERITIES)
@pytest.mark.parametrize("shape", [(96, 128), (64, 64), (77, 33), (9, 120)])
def test_zoom_blur_is_imagenet_c_on_any_aspect_ratio(severity, shape, colour, grey):
    level = SHIPPED["zoom_blur"].parameters(severity)
    for image in (grey[: shape[0], : shape[1]], colour[: shape[0], : shape[1]]):
        expected = imagenet_c_zoom(image, **level)
        np.testing.assert_allclose(perturb(image, SHIPPED["zoom_blur"], severity, b""), expected, atol=0.501)
        exact = perturb(image / 255.0, SHIPPED["zoom_blur"], severity, b"")
        np.testing.assert_allclose(exact, expected / 255, atol=1e-12)


@pytest.mark.parametrize("width", [16, 17, 63, 64])
def test_zoom_blur_does_not_depend_on_the_strips_that_it_is_worked_out_in(width, colour, monkeypatch):
    image = colour[:, :width]
    whole = perturb(image, SHIPPED["zoom_blur"], 4, b"")
    monkeypatch.setattr("auditkit.perturbations.display.blur._STRIP", 1)
    np.testing.assert_array_equal(perturb(image, SHIPPED["zoom_blur"], 4, b""), whole)


@pytest.mark.parametrize("height", [9, 47, 48, 49])
def test_motion_blur_does_not_depend_on_the_bands_that_it_is_worked_out_in(height, grey):
    """Rows far from the lower edge are the same however many rows follow."""
    image = grey[:height]
    taps = line_taps(20, 15.0, -40.0)  # reads upwards
    np.testing.assert_array_equal(average_of_shifts(image, taps), average_of_shifts(grey, taps)[:height])


def test_zoom_blur_keeps_the_middle_and_blurs_the_rim():
    """On alternating rows: near the centre nothing moves, at the rim the enlargements disagree."""
    image = np.zeros((128, 128))
    image[(np.arange(128) // 4) % 2 == 0] = 1.0
    blurred = perturb(image, SHIPPED["zoom_blur"], 5, b"")
    assert blurred[60:68].std() > 3 * blurred[:16].std()


def test_zoom_factors_are_those_of_arange_with_its_extra_end():
    level = SHIPPED["zoom_blur"].parameters(1)
    factors = np.arange(1, level["stop"], level["step"])
    assert len(factors) == 12
    assert factors[-1] == pytest.approx(1.11)
