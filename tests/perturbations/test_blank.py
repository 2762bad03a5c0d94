"""Pictures without an image: nothing of what was given is left."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditkit.perturbations import corruptions, shipped
from auditkit.perturbations.apply import perturb, perturbation_key

BLANK = ("black", "grey", "noise")


def image(shape, dtype, seed=5):
    values = np.random.default_rng(seed).random(shape)
    return (values * np.iinfo(dtype).max if np.dtype(dtype).kind == "u" else values).astype(dtype)


def test_they_are_a_tier_of_their_own_and_no_corruptions():
    entries = [entry for entry in shipped().values() if entry.tier == "blank"]
    assert tuple(entry.name for entry in entries) == BLANK
    assert all((e.stage, e.strengths, e.expects) == ("display", (0,), "refuse") for e in entries)
    assert not {entry.name for entry in corruptions()} & set(BLANK)
    assert corruptions("blank") == ()


@pytest.mark.parametrize(("dtype", "middle"), [("uint8", 128), ("uint16", 32768), ("float32", 0.5), ("float64", 0.5)])
@pytest.mark.parametrize("shape", [(9, 14), (9, 14, 3)])
def test_black_and_grey_are_one_value_in_every_dtype(shape, dtype, middle):
    for name, value in (("black", 0), ("grey", middle)):
        found = perturb(image(shape, dtype), shipped()[name], 0, b"")
        assert (found.shape, found.dtype) == (shape, np.dtype(dtype))
        assert np.unique(found).tolist() == [value]


@settings(max_examples=40)
@given(
    seeds=st.tuples(st.integers(0, 9), st.integers(10, 19)),
    name=st.sampled_from(BLANK),
    dtype=st.sampled_from(["uint8", "uint16", "float32", "float64"]),
    channels=st.sampled_from([(), (3,)]),
    key=st.binary(min_size=1, max_size=32),
)
def test_nothing_of_the_image_is_left(seeds, name, dtype, channels, key):
    """Two images of one shape and one key give the same picture."""
    first, second = (perturb(image((11, 8, *channels), dtype, s), shipped()[name], 0, key) for s in seeds)
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize(("dtype", "top"), [("uint8", 255), ("uint16", 65535), ("float64", 1)])
def test_noise_is_spread_evenly_over_the_range(dtype, top):
    found = perturb(image((128, 128), dtype), shipped()["noise"], 0, b"k") / top
    counts, _ = np.histogram(found, bins=16, range=(0, 1))
    # 1,024 values in each of 16 bins, standard deviation 31.
    assert counts.min() > 1024 - 5 * 31
    assert counts.max() < 1024 + 5 * 31
    assert (found.min(), found.max()) == pytest.approx((0, 1), abs=0.002)


def test_noise_is_the_keys_own_and_colour_has_three_planes():
    grey, colour = image((32, 32), "uint8"), image((32, 32, 3), "uint8")
    noise = shipped()["noise"]
    keys = [perturbation_key("ab", "noise", 0, seed) for seed in (1, 2)]
    first, second = (perturb(grey, noise, 0, key) for key in keys)
    assert (first != second).mean() > 0.9
    planes = perturb(colour, noise, 0, keys[0])
    assert (planes[..., 0] != planes[..., 1]).mean() > 0.9
    np.testing.assert_array_equal(perturb(np.dstack([grey] * 3), noise, 0, keys[0]), np.dstack([first] * 3))
