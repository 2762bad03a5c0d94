"""What holds for every perturbation of pixels: pure, keyed, native dtype, grey stays grey, stronger is further away."""

import hashlib
import random
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from auditkit.perturbations import SEVERITIES, Entry, PerturbationError, corruptions, shipped
from auditkit.perturbations.apply import perturb, perturbation_key
from auditkit.perturbations.dose import dose

SHIPPED = shipped()
NAMES = tuple(entry.name for entry in corruptions())
KEY = perturbation_key("0" * 64, "gaussian_noise", 3, 7)
DTYPES = {"uint8": 255, "uint16": 65535, "float32": 1, "float64": 1}


@st.composite
def images(draw):
    """Any shape from 8 x 8, any dtype: noise, constants, and one odd value in a constant."""
    shape = draw(st.tuples(st.integers(8, 40), st.integers(8, 40)))
    shape += draw(st.sampled_from([(), (3,)]))
    dtype = draw(st.sampled_from(sorted(DTYPES)))
    elements = {"min_value": 0, "max_value": DTYPES[dtype]}
    return draw(hnp.arrays(dtype, shape, elements=hnp.from_dtype(np.dtype(dtype), **elements)))


@settings(max_examples=150)
@given(image=images(), name=st.sampled_from(NAMES), severity=st.integers(1, 5), key=st.binary(max_size=40))
def test_pure_and_shape_dtype_and_range_are_kept(image, name, severity, key):
    before = image.copy()
    image.flags.writeable = False
    first = perturb(image, SHIPPED[name], severity, key)
    assert (first.shape, first.dtype) == (image.shape, image.dtype)
    assert first.flags.c_contiguous
    assert first.flags.writeable
    assert not np.shares_memory(first, image)
    assert first.min() >= 0
    assert first.max() <= DTYPES[image.dtype.name]
    np.testing.assert_array_equal(perturb(image, SHIPPED[name], severity, key), first)
    np.testing.assert_array_equal(image, before)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shape", [(8, 9), (9, 8), (8, 8, 3), (61, 8), (8, 200, 3)])
def test_small_and_narrow_images(name, shape):
    image = np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)
    for severity in SEVERITIES:
        assert perturb(image, SHIPPED[name], severity, KEY).shape == shape


@pytest.mark.parametrize("name", NAMES)
def test_memory_layout_and_byte_order_do_not_matter(name, colour):
    expected = perturb(colour, SHIPPED[name], 3, KEY)
    np.testing.assert_array_equal(perturb(np.asfortranarray(colour), SHIPPED[name], 3, KEY), expected)
    wide = np.zeros((96, 256, 3), np.uint8)
    wide[:, ::2] = colour
    np.testing.assert_array_equal(perturb(wide[:, ::2], SHIPPED[name], 3, KEY), expected)
    deep = colour[..., 0].astype("<u2") * 257
    swapped = perturb(deep.astype(">u2"), SHIPPED[name], 3, KEY)
    assert swapped.dtype == np.dtype(">u2")
    np.testing.assert_array_equal(swapped, perturb(deep, SHIPPED[name], 3, KEY))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("severity", [1, 5])
def test_grey_stays_grey(name, severity, grey):
    """One plane, or three that are equal: the same image gets the same corruption, and no colour."""
    plane = perturb(grey, SHIPPED[name], severity, KEY)
    assert plane.ndim == 2
    np.testing.assert_array_equal(perturb(np.dstack([grey] * 3), SHIPPED[name], severity, KEY), np.dstack([plane] * 3))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("severity", [1, 3, 5])
def test_depth_of_the_dtype_does_not_change_the_corruption(name, severity, colour):
    """The same picture in 8 bits, 16 bits and floats gives the same result to one 8-bit level."""
    expected = perturb(colour, SHIPPED[name], severity, KEY) / 255.0
    level = 1.001 / 255
    for image, scale in (
        (colour.astype(np.uint16) * 257, 65535),
        ((colour / 255).astype(np.float32), 1),
        (colour / 255, 1),
    ):
        np.testing.assert_allclose(perturb(image, SHIPPED[name], severity, KEY) / scale, expected, atol=level)


@pytest.mark.parametrize("name", NAMES)
def test_dose_grows_with_severity(name, phantoms):
    """On average over phantoms and keys; single images may differ, as with the random angle of motion blur.

    SSIM of JPEG is left to the phantom without black: see `test_resample.test_jpeg_lifts_black_at_some_qualities`.
    """
    similarity, ratio = [], []
    for severity in SEVERITIES:
        keys = [perturbation_key(str(n), name, severity, 0) for n in range(4 if name == "motion_blur" else 1)]
        doses = [dose(image, perturb(image, SHIPPED[name], severity, key)) for image in phantoms for key in keys]
        similarity.append(np.mean([d.ssim for d in doses]))
        ratio.append(np.mean([d.psnr for d in doses]))
        if name == "jpeg":
            similarity[-1] = doses[0].ssim
    assert similarity[0] < 1
    assert all(np.diff(similarity) < 0), similarity
    assert all(np.diff(ratio) < 0), ratio


# ------------------------------------------------------------------------------------------------------------- keys


def test_key_is_the_documented_hash():
    parts = [b"ab", b"jpeg", b"4", b"11"]
    message = b"auditkit corruption key 1\n" + b"".join(len(part).to_bytes(8, "big") + part for part in parts)
    assert perturbation_key("ab", "jpeg", 4, 11) == hashlib.sha256(message).digest()


def test_key_depends_on_each_part_and_not_on_where_it_ends():
    keys = [
        perturbation_key(*parts)
        for parts in [
            ("a", "b", 1, 1),
            ("ab", "", 1, 1),
            ("", "ab", 1, 1),
            ("a", "b", 11, 1),
            ("a", "b", 1, 11),
            ("a", "b", 1, -1),
        ]
    ]
    assert len(set(keys)) == len(keys)
    assert all(len(key) == 32 for key in keys)


@pytest.mark.parametrize("name", ["gaussian_noise", "impulse_noise", "motion_blur"])
def test_another_key_is_another_draw(name, grey):
    assert (perturb(grey, SHIPPED[name], 3, b"a") != perturb(grey, SHIPPED[name], 3, b"b")).any()


@pytest.mark.parametrize("name", [n for n in NAMES if "noise" not in n and n != "motion_blur"])
def test_what_is_not_random_ignores_the_key(name, grey):
    np.testing.assert_array_equal(perturb(grey, SHIPPED[name], 3, b"a"), perturb(grey, SHIPPED[name], 3, b"b"))


def test_order_subset_threads_and_global_seed_change_nothing(phantoms):
    jobs = [(n, name, severity) for n in range(len(phantoms)) for name in NAMES for severity in (1, 4)]

    def render(job):
        n, name, severity = job
        return job, perturb(phantoms[n], SHIPPED[name], severity, perturbation_key(str(n), name, severity, 0)).tobytes()

    expected = dict(map(render, jobs))
    shuffled = random.Random(3).sample(jobs, len(jobs) // 2)
    np.random.seed(5)  # noqa: NPY002 - the global state is what must not matter
    with ThreadPoolExecutor(4) as pool:
        assert all(expected[job] == pixels for job, pixels in pool.map(render, shuffled))


# SHA-256 (first 16 digits) of severity 3 on the integer ramp below. These laws are sums, products and tables without
# rounding that could differ between platforms; if one changes, so do pixels, and the version of its entry must change
# with it.
GOLDEN = {
    "gaussian_noise": ("7933346b146385a6", "e43dd2f13d1b318b"),
    "impulse_noise": ("0c562abf2dc5bf3a", "ffb912f4dc81b187"),
    "brightness": ("f81930c5bc9d5dcd", "05b835440de9c669"),
    "brightness_down": ("8516172e1ab9fb22", "9517646af10f9ffb"),
    "contrast": ("21b57a0c82ad4517", "61713c73d1895cb6"),
    "contrast_up": ("048f14b0009bd386", "e55b6010c4a2a190"),
}


def _ramp() -> np.ndarray:
    y, x = np.mgrid[:40, :48]
    return np.stack([(5 * x + y) % 256, (3 * y + x * x) % 256, (x * y) % 256], axis=2).astype(np.uint8)


@pytest.mark.parametrize("name", GOLDEN)
def test_pixels_are_those_of_this_version(name):
    ramp = _ramp()
    results = perturb(ramp, SHIPPED[name], 3, KEY), perturb(ramp[..., 1], SHIPPED[name], 3, KEY)
    assert tuple(hashlib.sha256(result.tobytes()).hexdigest()[:16] for result in results) == GOLDEN[name]


# --------------------------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("pixels", "message"),
    [
        (np.zeros((16, 16), np.int16), r"dtype int16 have no declared range\. Pass uint8"),
        (np.zeros((16, 16), bool), "dtype bool"),
        (np.zeros((16, 16), np.float16), "dtype float16"),
        (np.full((16, 16), 1.01), r"run from 1\.01 to 1\.01, outside \[0, 1\]\. Divide"),
        (np.full((16, 16), -0.01, np.float32), r"run from -0\.01"),
        (np.full((16, 16), np.nan), "run from nan"),
        (np.zeros((16, 16, 4), np.uint8), r"shape \(16, 16, 4\).*alpha"),
        (np.zeros((5, 16, 16, 3), np.uint8), "one frame at a time"),
        (np.zeros(64, np.uint8), r"shape \(64,\)"),
        (np.zeros((7, 20), np.uint8), r"20 x 7 pixels is too small.*at least 8"),
        ([[1, 2], [3, 4]], r"a list, not an array"),
    ],
)
def test_pixels_without_a_declared_meaning_are_refused(pixels, message):
    with pytest.raises(PerturbationError, match=message):
        perturb(pixels, SHIPPED["contrast"], 2, KEY)


@pytest.mark.parametrize("level", [0, 6, -1, 1.0, False])
def test_a_level_that_does_not_exist_is_refused(level, grey):
    with pytest.raises(ValueError, match=r"of perturbation 'jpeg' does not exist\. Use an integer from 1 to 5\."):
        perturb(grey, SHIPPED["jpeg"], level, KEY)


@pytest.mark.parametrize("name", ["again", "institution.neutral"])
def test_other_stages_are_refused(name, grey):
    with pytest.raises(PerturbationError, match=rf"'{name}' changes (asking|words), not the pixels"):
        perturb(grey, SHIPPED[name], 0, KEY)


# ------------------------------------------------------------------------------------------- laws of somebody else


def flipped(pixels, key, *, twice=False):
    return pixels if twice else pixels[::-1]


def failing(pixels, key):
    raise RuntimeError("no luck")


def writing(pixels, key):
    pixels[:] = 0
    return pixels


def narrowed(pixels, key):
    return pixels[:, 1:]


def widened(pixels, key):
    return pixels.astype(np.float64)


def listed(pixels, key):
    return pixels.tolist()


def beyond(pixels, key):
    return pixels + 0.5


def own(name: str, **level) -> Entry:
    return Entry(name=name, label="", stage="display", levels=(level,), function=f"{__name__}:{name}")


def test_a_law_of_ones_own_is_applied_at_level_zero(grey):
    np.testing.assert_array_equal(perturb(grey, own("flipped"), 0, KEY), grey[::-1])
    assert perturb(grey, own("flipped"), 0, KEY).flags.c_contiguous
    same = perturb(grey, own("flipped", twice=True), 0, KEY)
    np.testing.assert_array_equal(same, grey)
    assert not np.shares_memory(same, grey)
    assert same.flags.writeable


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("failing", "failed with RuntimeError: no luck"),
        ("writing", "failed with ValueError.*read-only"),
        ("narrowed", r"gave uint8 of shape \(96, 127\) for uint8 of shape \(96, 128\).*must keep shape and dtype"),
        ("widened", "gave float64 of shape"),
        ("listed", r"gave \[\["),
    ],
)
def test_a_law_that_breaks_its_word_is_named(name, message, grey):
    before = grey.copy()
    with pytest.raises(PerturbationError, match=rf"perturbation '{name}': its law '.*:{name}' {message}"):
        perturb(grey, own(name), 0, KEY)
    np.testing.assert_array_equal(grey, before)


def test_a_law_that_leaves_the_range_of_floats_is_named(grey):
    with pytest.raises(PerturbationError, match=r"values outside \[0, 1\]"):
        perturb(grey / 255, own("beyond"), 0, KEY)
