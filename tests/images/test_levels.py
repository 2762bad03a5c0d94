"""Pictures in which nothing can be seen, and the range that is shown where nothing says it."""

import numpy as np
import pytest
from image_files import SALT, describe, sample, write_dicom
from PIL import Image

from auditkit.images.item import UnreadableImage
from auditkit.images.levels import SHARE, VISIBLE, check_content, robust_range
from auditkit.images.sources import load_images


def reason_of(pixels):
    with pytest.raises(UnreadableImage) as caught:
        check_content(pixels)
    return str(caught.value)


FLAT = np.full((100, 100), 40, np.uint8)


def with_visible(count, level, base=FLAT):
    pixels = base.copy()
    pixels.reshape(-1)[:count] = level
    return pixels


def test_a_constant_picture_shows_nothing():
    for pixels in (FLAT, np.zeros((1, 1), np.uint8), np.dstack([FLAT, FLAT // 2, FLAT])):
        assert reason_of(pixels) == "it shows nothing: all its pixels have one value"


def test_the_threshold_is_where_it_is_stated():
    assert (VISIBLE, SHARE) == (12, 0.001)
    check_content(with_visible(10, 52))  # 10 of 10,000 pixels, 12 levels above
    assert "next to nothing: 0.09 %" in reason_of(with_visible(9, 52))
    assert "next to nothing: 0 %" in reason_of(with_visible(5000, 46))
    assert "next to nothing" in reason_of(with_visible(1, 255))
    check_content(with_visible(10, 20))  # darker counts as well


@pytest.mark.parametrize("levels", [5, 9])
def test_a_few_grey_levels_next_to_each_other_show_nothing(levels):
    assert "next to nothing" in reason_of(
        np.arange(10_000, dtype=np.uint16).reshape(100, 100).astype(np.uint8) % levels
    )


def test_colour_alone_is_content():
    pixels = np.dstack([FLAT, FLAT, FLAT])
    pixels[:50, :, 2] = 90
    check_content(pixels)


def test_two_levels_far_apart_are_a_picture():
    check_content(np.kron(np.eye(2, dtype=np.uint8) * 255, np.ones((20, 20), np.uint8)))


def test_such_files_are_listed_and_left_out_when_they_are_read(tmp_path):
    Image.fromarray(FLAT).save(tmp_path / "flat.png")
    write_dicom(tmp_path / "dark.dcm", np.arange(9, dtype=np.uint8).reshape(3, 3))
    for name in ("flat.png", "dark.dcm"):
        with pytest.raises(UnreadableImage, match="it shows"):
            describe(tmp_path / name).pictures[0].read()


def test_all_of_the_demonstration_data_shows_something():
    for record in load_images("demo", salt=SALT).records:
        record.pictures[0].read()


@pytest.mark.parametrize("name", ["CT_small.dcm", "MR_small.dcm", "RG1_UNCR.dcm", "emri_small.dcm", "vlut_04.dcm"])
def test_real_files_show_something(name):
    describe(sample(name)).pictures[0].read()


def test_percentiles_of_counted_values_are_those_of_the_pixels():
    pixels = np.random.default_rng(2).integers(0, 50, 20_000)
    values, counts = np.unique(pixels, return_counts=True)
    low, high = robust_range(values, counts=counts)
    assert (low, high) == tuple(np.percentile(pixels, [0.5, 99.5], method="inverted_cdf"))


def test_the_range_of_nearly_empty_and_of_empty_pictures():
    sparse = np.zeros(10_000)
    sparse[:20] = np.arange(20)
    assert robust_range(sparse) == (0, 19)
    assert robust_range(np.array([np.nan, np.inf])) == (0, 1)
    assert robust_range(np.array([1.0, 2.0, 900.0]), used=np.array([True, True, False])) == pytest.approx(
        (1.005, 1.995)
    )
