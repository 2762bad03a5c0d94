"""Motion blur and zoom blur: weighted means of moved or enlarged copies of the image."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from scipy.sparse import csr_array

from auditkit.perturbations.keyed import fraction
from auditkit.perturbations.values import Pixels, rounded, working

Taps = dict[tuple[int, int], float]
"""Weight by (rows down, columns right) of the pixel that is read, relative to the pixel that is written."""

# Rows that are worked on together, so that the sums stay in the processor's cache: at 512 px 11 ms instead of 17.
_BAND = 48
# Values that zoom blur works on together, for the same reason: 200 kB of float32; at 512 px 23 ms instead of 47.
_STRIP = 50_000


def motion_blur(pixels: Pixels, key: bytes, *, radius: float, sd: float) -> Pixels:
    """Average along a line of random angle with half-Gaussian weights; edges are continued outwards.

    ImageNet-C's kernel starts at the pixel and runs to one side, which also moves the image by 2 to 11 pixels. The same
    kernel is moved back by whole pixels here: on each axis its centre of mass is within half a pixel of the pixel.

    Parameters
    ----------
    pixels : ndarray, shape (H, W) or (H, W, 3)
        The image.
    key : bytes
        Key of the angle, uniform over (-45, 45) degrees.
    radius : float
        The line has ``2 * radius + 1`` steps of one pixel.
    sd : float
        Standard deviation of the half-Gaussian, in pixels.

    References
    ----------
    Hendrycks & Dietterich 2019.
    """
    angle = 90.0 * fraction(key) - 45.0
    return average_of_shifts(pixels, centred(line_taps(int(radius), sd, angle)))


def line_taps(radius: int, sd: float, angle: float) -> Taps:
    """Return ImageNet-C's one-sided motion kernel: whole-pixel steps along a line, weights that sum to 1.

    Parameters
    ----------
    radius : int
        The line has ``2 * radius + 1`` steps.
    sd : float
        Standard deviation of the half-Gaussian, in pixels.
    angle : float
        Degrees; 0 reads to the right, 45 to the right and down.
    """
    steps = range(2 * radius + 1)
    weights = [math.exp(-(step**2) / (2 * sd**2)) for step in steps]
    down, right = math.sin(math.radians(angle)), math.cos(math.radians(angle))
    taps: Taps = {}
    for step, weight in zip(steps, weights, strict=True):
        # Halves go down, as ImageNet-C has it. Near 45 degrees two steps can fall on one pixel; they are one tap.
        offset = math.ceil(step * down - 0.5), math.ceil(step * right - 0.5)
        taps[offset] = taps.get(offset, 0.0) + weight / sum(weights)
    return taps


def centre_of_mass(taps: Taps) -> tuple[float, float]:
    """Return the mean (rows down, columns right) of a kernel: how far it moves the image the other way."""
    return (
        sum(weight * down for (down, _), weight in taps.items()),
        sum(weight * right for (_, right), weight in taps.items()),
    )


def centred(taps: Taps) -> Taps:
    """Return the kernel moved by whole pixels so that its centre of mass is within half a pixel of the origin."""
    down, right = (round(mean) for mean in centre_of_mass(taps))
    return {(d - down, r - right): weight for (d, r), weight in taps.items()}


def average_of_shifts(pixels: Pixels, taps: Taps) -> Pixels:
    """Return the weighted mean of moved copies of the image, whose edges are continued outwards.

    Parameters
    ----------
    pixels : ndarray, shape (H, W) or (H, W, 3)
        The image.
    taps : mapping of (int, int) to float
        Offsets and weights; the weights sum to 1.
    """
    height, width = pixels.shape[:2]
    channels = pixels.size // (height * width)
    above, below = (max(0, *(sign * down for down, _ in taps)) for sign in (-1, 1))
    before, after = (max(0, *(sign * right for _, right in taps)) for sign in (-1, 1))
    planes = pixels.reshape(height, width, channels)
    padded = np.pad(planes, ((above, below), (before, after), (0, 0)), mode="edge").astype(working(pixels))
    lines = padded.reshape(height + above + below, -1)
    blurred = np.empty((height, width * channels), pixels.dtype)
    for top in range(0, height, _BAND):
        rows = min(_BAND, height - top)
        total = np.zeros((rows, width * channels), lines.dtype)
        term = np.empty_like(total)
        for (down, right), weight in taps.items():
            first, left = top + above + down, (before + right) * channels
            np.multiply(lines[first : first + rows, left : left + total.shape[1]], weight, out=term)
            total += term
        blurred[top : top + rows] = rounded(total, pixels)
    return blurred.reshape(pixels.shape)


def zoom_blur(pixels: Pixels, key: bytes, *, stop: float, step: float) -> Pixels:
    """Average the image with its linear enlargements about the centre, on any aspect ratio.

    Each enlargement is a linear map of the rows followed by one of the columns, with two weights to a row; they are
    kept as sparse matrices for the next image of the same size.

    Parameters
    ----------
    pixels : ndarray, shape (H, W) or (H, W, 3)
        The image.
    key : bytes
        Not used: nothing is random.
    stop, step : float
        The factors are ``numpy.arange(1, stop, step)``, as in ImageNet-C; mind that floating point lets 1.11 in as the
        last factor of ``arange(1, 1.11, 0.01)``.

    References
    ----------
    Hendrycks & Dietterich 2019.
    """
    height, width = pixels.shape[:2]
    channels = pixels.size // (height * width)
    dtype = working(pixels)
    planes = pixels.reshape(height, width, channels)
    # Columns first: a sparse matrix product runs along whole rows of what it is applied to.
    turned = np.ascontiguousarray(planes.transpose(1, 2, 0), dtype).reshape(width, channels * height)
    strip = max(16, _STRIP // (channels * height))
    (down,) = _enlargements(height, stop, step, dtype, height)
    blurred = np.empty_like(planes)
    for left, across in zip(range(0, width, strip), _enlargements(width, stop, step, dtype, strip), strict=True):
        columns = across[0].shape[0]
        total = np.zeros((height, channels * columns), dtype)
        enlarged = np.empty((height, channels, columns), dtype)
        for row_map, column_map in zip(down, across, strict=True):
            wide = (column_map @ turned).reshape(columns, channels, height)
            for channel in range(channels):
                enlarged[:, channel] = wide[:, channel].T
            total += row_map @ enlarged.reshape(height, -1)
        mean = np.ascontiguousarray(total.reshape(enlarged.shape).transpose(0, 2, 1))
        part = np.s_[:, left : left + columns]
        for _ in range(2):  # factor 1 is the image itself, which ImageNet-C adds once more
            mean += planes[part]
        mean /= len(down) + 2
        blurred[part] = rounded(mean, pixels)
    return blurred.reshape(pixels.shape)


@lru_cache(maxsize=64)
def _enlargements(length: int, stop: float, step: float, dtype: str, strip: int) -> tuple[tuple[csr_array, ...], ...]:
    """Return, for each strip of the result, one matrix per factor above 1 that enlarges `length` values."""
    whole = [_enlargement(length, float(factor), dtype) for factor in np.arange(1, stop, step)[1:]]
    return tuple(tuple(matrix[first : first + strip] for matrix in whole) for first in range(0, length, strip))


def _enlargement(length: int, factor: float, dtype: str) -> csr_array:
    """Linear interpolation, its ends on the ends of the part that is kept, as scipy.ndimage.zoom has it."""
    kept = math.ceil(length / factor)
    start = (length - kept) // 2
    enlarged = round(kept * factor)
    place = np.arange(length) * ((kept - 1) / (enlarged - 1))
    left = np.minimum(place.astype(np.intp), kept - 2)
    share = place - left
    indices = np.stack([left, left + 1], axis=1).ravel() + start
    weights = np.stack([1 - share, share], axis=1).ravel().astype(dtype)
    return csr_array(
        (weights, indices.astype(np.int32), np.arange(0, 2 * length + 1, 2, dtype=np.int32)), (length, length)
    )
