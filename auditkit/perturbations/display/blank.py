"""Pictures without an image: one value everywhere, or noise from end to end of the range."""

from __future__ import annotations

import numpy as np

from auditkit.perturbations.keyed import bits16
from auditkit.perturbations.values import Pixels, full_scale, rounded


def flat(pixels: Pixels, key: bytes, *, share: float) -> Pixels:
    """Return one value everywhere.

    Parameters
    ----------
    pixels : ndarray, shape (H, W) or (H, W, 3)
        Gives shape and dtype.
    key : bytes
        Not used: nothing is random.
    share : float
        The value as a fraction of the full range: 0 is black, 1 white.
    """
    value = rounded(np.array([share * full_scale(pixels)]), pixels)
    return np.full_like(pixels, value[0])


def noise(pixels: Pixels, key: bytes) -> Pixels:
    """Return independent values, each equally likely over the whole range.

    Parameters
    ----------
    pixels : ndarray, shape (H, W) or (H, W, 3)
        Gives shape and dtype.
    key : bytes
        Key of the noise.
    """
    bits = bits16(key, pixels.size).reshape(pixels.shape)
    if pixels.dtype == np.uint8:
        return (bits >> 8).astype(np.uint8)
    return bits if pixels.dtype == np.uint16 else (bits / 65535).astype(pixels.dtype)
