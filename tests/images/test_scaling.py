"""Cropping, shrinking and dropping colour that is not there."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from auditkit.images.item import UnreadableImage
from auditkit.images.scaling import fit

SHAPES = st.tuples(st.integers(1, 90), st.integers(1, 90)).flatmap(lambda size: st.sampled_from([size, (*size, 3)]))
PIXELS = SHAPES.flatmap(lambda shape: hnp.arrays(np.uint8, shape))


@settings(max_examples=60)
@given(PIXELS, st.integers(1, 64))
def test_never_enlarged_never_beyond_the_range(pixels, max_side):
    result = fit(pixels, max_side)
    assert result.dtype == np.uint8
    assert max(result.shape[:2]) == min(max_side, max(pixels.shape[:2]))
    assert min(result.shape[:2]) >= 1
    # positive weights: no ringing, so no value outside those of the picture
    assert result.min() >= pixels.min()
    assert result.max() <= pixels.max()
    assert not result.flags.writeable


@settings(max_examples=30)
@given(hnp.arrays(np.uint8, st.tuples(st.integers(1, 60), st.integers(1, 60))), st.integers(1, 80))
def test_grey_and_grey_in_colour_are_the_same(pixels, max_side):
    colour = np.repeat(pixels[..., None], 3, axis=2)
    assert np.array_equal(fit(colour, max_side), fit(pixels, max_side))


def test_the_mean_is_kept_when_shrinking():
    pixels = np.random.default_rng(0).integers(0, 256, (1000, 730), dtype=np.uint8)
    assert fit(pixels, 256).mean() == pytest.approx(pixels.mean(), abs=0.3)


def test_aspect_ratio_is_kept():
    assert fit(np.zeros((4432, 2864), np.uint8), 256).shape == (256, 165)
    assert fit(np.zeros((10, 4000), np.uint8), 256).shape == (1, 256)


def test_no_halo_at_an_edge():
    step = np.zeros((900, 900), np.uint8)
    step[:, 450:] = 200
    row = fit(step, 256)[128].astype(int)
    assert (np.diff(row) >= 0).all()


def test_fine_stripes_average_out_instead_of_aliasing():
    stripes = np.tile(np.array([0, 255], np.uint8), (512, 512))
    shown = fit(stripes, 250)
    assert shown.std() < 12
    assert shown.mean() == pytest.approx(127.5, abs=1)


def test_crop_is_in_native_pixels():
    pixels = np.arange(100, dtype=np.uint8).reshape(10, 10)
    assert np.array_equal(fit(pixels, 256, (2, 3, 5, 8)), pixels[3:8, 2:5])


@pytest.mark.parametrize("crop", [(0, 0, 11, 5), (5, 0, 5, 5), (-1, 0, 5, 5), (0, 6, 5, 5)])
def test_a_crop_outside_the_picture_is_refused(crop):
    with pytest.raises(UnreadableImage, match="does not lie within its 10 x 10"):
        fit(np.zeros((10, 10), np.uint8), 256, crop)


def test_no_pixels():
    with pytest.raises(UnreadableImage, match="no pixels"):
        fit(np.zeros((0, 10), np.uint8), 256)
