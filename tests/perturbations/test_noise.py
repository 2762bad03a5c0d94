"""Noise: the right distribution, no colour in grey images, and bits that never change."""

import numpy as np
import pytest
from scipy import stats

from auditkit.perturbations import SEVERITIES, shipped
from auditkit.perturbations.apply import perturb
from auditkit.perturbations.keyed import bits16, fraction

SHIPPED = shipped()
SIDE = 256


@pytest.fixture(scope="module")
def mid() -> np.ndarray:
    return np.full((SIDE, SIDE), 0.5)


@pytest.mark.parametrize("severity", SEVERITIES)
def test_gaussian_noise_is_a_clipped_normal(severity, mid):
    sd = SHIPPED["gaussian_noise"].parameters(severity)["sd"]
    noise = (perturb(mid, SHIPPED["gaussian_noise"], severity, b"k") - 0.5).ravel()
    inside = noise[np.abs(noise) < 0.5]
    # Kolmogorov-Smirnov against the normal distribution cut off at the ends of the range.
    cut = stats.truncnorm(-0.5 / sd, 0.5 / sd, scale=sd)
    assert stats.kstest(inside, cut.cdf).pvalue > 0.001
    clipped = 2 * stats.norm.sf(0.5 / sd)
    assert (noise.size - inside.size) / noise.size == pytest.approx(
        clipped, abs=4 * np.sqrt(clipped / noise.size) + 2e-4
    )


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_gaussian_noise_has_the_nominal_spread_in_whole_numbers(dtype):
    scale = np.iinfo(dtype).max
    image = np.full((SIDE, SIDE), scale // 2, dtype)
    noise = perturb(image, SHIPPED["gaussian_noise"], 1, b"k").astype(float) - scale // 2
    assert noise.std() / scale == pytest.approx(0.08, rel=0.015)
    assert noise.mean() / scale == pytest.approx(0, abs=4 * 0.08 / SIDE)


def test_gaussian_noise_is_not_correlated_between_neighbours_and_channels():
    image = np.full((SIDE, SIDE, 3), 0.5)
    image[0, 0, 0] = 0.6  # not a grey image
    noise = perturb(image, SHIPPED["gaussian_noise"], 1, b"k") - image
    limit = 4 / SIDE
    for other in (noise[1:, :, 0], noise[:, 1:, 0], noise[..., 1], noise[..., 2]):
        first = noise[: other.shape[0], : other.shape[1], 0]
        assert abs(np.corrcoef(first.ravel(), other.ravel())[0, 1]) < limit


@pytest.mark.parametrize("severity", SEVERITIES)
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_impulse_noise_replaces_a_share_half_black_half_white(severity, dtype):
    share = SHIPPED["impulse_noise"].parameters(severity)["share"]
    white = np.iinfo(dtype).max if dtype.startswith("u") else 1
    middle = np.dtype(dtype).type(white / 2)
    noisy = perturb(np.full((SIDE, SIDE), middle), SHIPPED["impulse_noise"], severity, b"k")
    assert set(np.unique(noisy)) == {0, middle, white}
    for value in (0, white):
        hits = int((noisy == value).sum())
        assert stats.binomtest(hits, noisy.size, share / 2).pvalue > 0.001


def test_impulse_noise_is_per_channel_on_colour_and_per_pixel_on_grey():
    flat = np.full((SIDE, SIDE, 3), 90, np.uint8)
    grey = perturb(flat, SHIPPED["impulse_noise"], 5, b"k")
    assert (grey == grey[..., :1]).all()
    flat[..., 0] = 91
    colour = perturb(flat, SHIPPED["impulse_noise"], 5, b"k")
    hit = (colour == 0) | (colour == 255)
    assert hit.any(axis=2).mean() == pytest.approx(1 - 0.73**3, abs=0.02)


def test_colour_noise_needs_one_unequal_value_only():
    """A single coloured pixel in the last row makes a colour image of it."""
    image = np.full((40, 40, 3), 128, np.uint8)
    assert (np.ptp(perturb(image, SHIPPED["gaussian_noise"], 3, b"k"), axis=2) == 0).all()
    image[-1, -1, 2] = 129
    assert (np.ptp(perturb(image, SHIPPED["gaussian_noise"], 3, b"k"), axis=2) > 0).mean() > 0.9


# ------------------------------------------------------------------------------------------------------ keyed bits


def test_bits_are_those_of_the_key_for_ever():
    assert bits16(b"auditkit", 6).tolist() == [37989, 54775, 6219, 33656, 54910, 58292]
    assert bits16(b"", 2).tolist() == [584, 26870]


def test_fraction_is_that_of_the_key_for_ever():
    assert fraction(b"auditkit") == pytest.approx(0.5135512528558748, abs=1e-15)


def test_leading_zero_bytes_of_a_key_count():
    assert bits16(b"\0k", 8).tolist() != bits16(b"k", 8).tolist()


@pytest.mark.parametrize("count", [0, 1, 3, 4, 5, 1001])
def test_any_number_of_bits_and_a_longer_draw_begins_with_the_shorter(count):
    numbers = bits16(b"k", count)
    assert numbers.dtype == np.uint16
    assert numbers.tolist() == bits16(b"k", 2000)[:count].tolist()


def test_bits_are_uniform():
    counts = np.bincount(bits16(b"k", 1 << 18) >> 8, minlength=256)
    assert stats.chisquare(counts).pvalue > 0.001


def test_fractions_are_uniform_over_keys():
    draws = [fraction(str(n).encode()) for n in range(2000)]
    assert 0 < min(draws) < max(draws) < 1
    assert stats.kstest(draws, "uniform").pvalue > 0.001
