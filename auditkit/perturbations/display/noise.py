"""Gaussian and impulse noise from the raw bits of a keyed generator.

A grey image has one plane and gets one plane of noise: no X-ray shows coloured speckle, and a model would see it.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from auditkit.perturbations.keyed import bits16
from auditkit.perturbations.values import Pixels, full_scale, rounded


def gaussian_noise(pixels: Pixels, key: bytes, *, sd: float) -> Pixels:
    """Add independent normal noise to every value and clip to the range.

    The noise comes from the inverse of the normal distribution function, tabulated at the middles of 65,536 equal
    steps of probability: standard deviation 0.99998, largest value 4.3 standard deviations.

    Parameters
    ----------
    pixels : ndarray, shape (H, W) or (H, W, 3)
        The image.
    key : bytes
        Key of the noise.
    sd : float
        Standard deviation as a fraction of the full range.

    References
    ----------
    Hendrycks & Dietterich 2019; Devroye 1986, "Non-uniform random variate generation", chapter 2 (inversion).
    """
    table = _normal_table(sd * full_scale(pixels), _NOISE_TYPE[pixels.dtype.name])
    noisy = table.take(bits16(key, pixels.size)).reshape(pixels.shape)
    noisy += pixels
    if pixels.dtype.kind == "f":
        return rounded(noisy, pixels)
    np.clip(noisy, 0, int(full_scale(pixels)), out=noisy)
    return noisy.astype(pixels.dtype)


def impulse_noise(pixels: Pixels, key: bytes, *, share: float) -> Pixels:
    """Set a share of the values to black or white, with equal chance.

    Parameters
    ----------
    pixels : ndarray, shape (H, W) or (H, W, 3)
        The image.
    key : bytes
        Key of the noise.
    share : float
        Chance of a value to be replaced, to the nearest 1/32768.

    References
    ----------
    Hendrycks & Dietterich 2019.
    """
    bits = bits16(key, pixels.size).reshape(pixels.shape)
    half = round(share * 32768)
    kept, white = bits >= half, bits >= 65536 - half
    if pixels.dtype != np.uint8:
        noisy = pixels * kept
        noisy[white] = full_scale(pixels)
        return noisy
    # A truth value is the byte 0 or 1: times keeps or blackens, and 255 times it whitens. No branch, no index.
    noisy = pixels * kept.view(np.uint8)
    noisy |= white.view(np.uint8) * np.uint8(255)
    return noisy


# A whole number plus rounded noise is the rounded sum, so integers need no float arithmetic. Each type holds white plus
# 4.3 of the largest standard deviation (0.38) with room to spare.
_NOISE_TYPE = {"uint8": "int16", "uint16": "int32", "float32": "float32", "float64": "float64"}


@lru_cache(maxsize=16)
def _normal_table(sd: float, dtype: str) -> NDArray[Any]:
    """Return 65,536 equally likely values of normal noise of a standard deviation, in a type of `_NOISE_TYPE`."""
    from scipy.special import ndtri  # here, because it takes a quarter of a second to import

    quantiles = ndtri((np.arange(65536) + 0.5) / 65536) * sd
    table: NDArray[Any] = (np.rint(quantiles) if dtype.startswith("int") else quantiles).astype(dtype)
    table.flags.writeable = False
    return table
