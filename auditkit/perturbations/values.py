"""The range that values live in, and the ways into and out of the arithmetic."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from auditkit.perturbations import PerturbationError

Pixels = NDArray[Any]
"""uint8, uint16, float32 or float64; (H, W) or (H, W, 3). What passes between `perturb` and the laws is C-contiguous
and in native byte order."""

DTYPES = ("uint8", "uint16", "float32", "float64")
SMALLEST_SIDE = 8


def full_scale(pixels: Pixels) -> float:
    """Return the value of white: 255, 65535, or 1 for floats."""
    return float(np.iinfo(pixels.dtype).max) if pixels.dtype.kind == "u" else 1.0


def working(pixels: Pixels) -> str:
    """Return the name of the float type to average in; float32 holds all 16-bit values exactly."""
    return "float64" if pixels.dtype == np.float64 else "float32"


def rounded(values: NDArray[Any], like: Pixels) -> Pixels:
    """Clip to the range of `like` and bring to its dtype; integers are rounded to the nearest, halves up.

    `values` may be overwritten.
    """
    if like.dtype.kind == "u":
        # Add a half and cut: one pass less than rint, and the same on every platform.
        np.add(values, 0.5, out=values)
        np.clip(values, 0, full_scale(like) + 0.5, out=values)
    else:
        np.clip(values, 0, 1, out=values)
    return values.astype(like.dtype, copy=False)


def checked(pixels: Pixels) -> Pixels:
    """Return the pixels C-contiguous and in native byte order, or refuse them in words.

    Raises
    ------
    PerturbationError
        If dtype, shape, size or range of values are not among those that the laws are defined for.
    """
    if not isinstance(pixels, np.ndarray):
        raise PerturbationError(f"pixels are a {type(pixels).__name__}, not an array.", "Pass numpy.asarray(image).")
    if pixels.dtype.name not in DTYPES:
        raise PerturbationError(
            f"pixels of dtype {pixels.dtype} have no declared range.",
            "Pass uint8 (0-255), uint16 (0-65535) or float32/float64 within [0, 1]; apply the DICOM window first.",
        )
    if pixels.ndim not in (2, 3) or (pixels.ndim == 3 and pixels.shape[2] != 3):
        raise PerturbationError(
            f"pixels of shape {pixels.shape} are neither grey nor colour.",
            "Pass (height, width) or (height, width, 3), one frame at a time and without an alpha channel.",
        )
    if min(pixels.shape[:2]) < SMALLEST_SIDE:
        raise PerturbationError(
            f"an image of {pixels.shape[1]} x {pixels.shape[0]} pixels is too small to perturb.",
            f"Both sides must be at least {SMALLEST_SIDE} pixels.",
        )
    native = np.ascontiguousarray(pixels, dtype=pixels.dtype.newbyteorder("="))
    if native.dtype.kind == "f":
        low, high = float(native.min()), float(native.max())
        if not (low >= 0.0 and high <= 1.0):  # also true of NaN
            raise PerturbationError(
                f"float pixels run from {low:g} to {high:g}, outside [0, 1].",
                "Divide by the full scale of the image first.",
            )
    return native


def is_grey(pixels: Pixels) -> bool:
    """Tell whether there is one channel, or three that are equal everywhere."""
    if pixels.ndim == 2:
        return True
    # Most colour images differ in their first rows; that saves two passes over the whole.
    return all(_channels_equal(part) for part in (pixels[:4], pixels[4:]))


def _channels_equal(pixels: Pixels) -> bool:
    first = pixels[..., 0]
    return bool((first == pixels[..., 1]).all() and (first == pixels[..., 2]).all())
