"""Pixelation and JPEG against Pillow, and against plain averages."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from auditkit.perturbations import SEVERITIES, shipped
from auditkit.perturbations.apply import perturb

SHIPPED = shipped()


@pytest.mark.parametrize("severity", SEVERITIES)
@pytest.mark.parametrize("shape", [(96, 128), (33, 61)])
def test_pixelate_is_box_then_nearest(severity, shape, colour, grey):
    scale = SHIPPED["pixelate"].parameters(severity)["scale"]
    for image in (colour[: shape[0], : shape[1]], grey[: shape[0], : shape[1]]):
        height, width = shape
        small = Image.fromarray(np.ascontiguousarray(image)).resize(
            (int(width * scale), int(height * scale)), Image.BOX
        )
        expected = np.asarray(small.resize((width, height), Image.NEAREST))
        np.testing.assert_array_equal(perturb(image, SHIPPED["pixelate"], severity, b""), expected)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32", "float64"])
def test_pixelate_at_a_quarter_averages_blocks_of_four(dtype):
    rng = np.random.default_rng(4)
    image = rng.random((32, 48)) if dtype.startswith("f") else rng.integers(0, np.iinfo(dtype).max, (32, 48))
    image = image.astype(dtype)
    blocks = image.reshape(8, 4, 12, 4).mean(axis=(1, 3), dtype=np.float64)
    expected = np.kron(blocks, np.ones((4, 4)))
    result = perturb(image, SHIPPED["pixelate"], 5, b"")
    # In 8 bits Pillow rounds after each axis, in float32 once.
    tolerance = {"uint8": 1.0, "uint16": 0.51, "float32": 1e-6, "float64": 1e-6}[dtype]
    np.testing.assert_allclose(result, expected, atol=tolerance)
    assert np.unique(result).size <= 8 * 12


@pytest.mark.parametrize("severity", SEVERITIES)
def test_jpeg_is_pillows_at_the_same_quality(severity, colour, grey):
    quality = [25, 18, 15, 10, 7][severity - 1]
    for image in (colour, grey):
        encoded = BytesIO()
        Image.fromarray(image).save(encoded, "JPEG", quality=quality)
        expected = np.asarray(Image.open(encoded))
        np.testing.assert_array_equal(perturb(image, SHIPPED["jpeg"], severity, b""), expected)


def test_jpeg_of_deep_images_has_the_256_levels_of_the_format(grey):
    deep = perturb(grey.astype(np.uint16) * 257, SHIPPED["jpeg"], 2, b"")
    np.testing.assert_array_equal(deep, perturb(grey, SHIPPED["jpeg"], 2, b"").astype(np.uint16) * 257)


def test_jpeg_leaves_a_flat_grey_image_alone():
    flat = np.full((32, 32), 128, np.uint8)
    np.testing.assert_array_equal(perturb(flat, SHIPPED["jpeg"], 5, b""), flat)


def test_jpeg_lifts_black_at_some_qualities():
    """The coarse steps of the block mean hit black at severities 1, 4 and 5 and miss it by two levels at 2 and 3.

    So on images with a black background SSIM, which is sharp at black, can rise from severity 3 to 4; PSNR does not.
    """
    black = np.zeros((64, 64), np.uint8)
    assert [int(perturb(black, SHIPPED["jpeg"], severity, b"").max()) for severity in SEVERITIES] == [0, 2, 2, 0, 0]
