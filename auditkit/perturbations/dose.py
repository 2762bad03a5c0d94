"""The measured dose of a perturbation of pixels: how far a rendered image is from its reference.

Severity is a label: pixelation at severity 5 can leave an image closer to the original than noise at severity 1. What
was done to each image is therefore measured and kept with it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from auditkit.perturbations import PerturbationError
from auditkit.perturbations.values import Pixels, checked, full_scale, working

_SD = 1.5
_RADIUS = 5
_WINDOW = 2 * _RADIUS + 1
# Windows every third row and column: neighbours overlap by 8 of 11 pixels, so the mean hardly changes (see
# the test that compares them) and a rendered image is measured in a fraction of the time.
_STEP = 3
_C1, _C2 = np.float32(0.01**2), np.float32(0.03**2)
# Values worked on together: about 50 rows at 224 px. At 512 px more than 24 rows took three times as long: beyond
# 128 kB the C library gives memory back after each use, and getting it anew takes longer than the arithmetic.
_BAND = 12_000
_REC_601 = np.array([0.299, 0.587, 0.114], np.float32)  # luminance of R, G, B, as in Pillow's "L"


@dataclass(frozen=True, slots=True)
class Dose:
    """Distance of a rendered image from its reference.

    Attributes
    ----------
    ssim : float
        Mean structural similarity of the luminance, in [-1, 1]; 1 for equal images.
    psnr : float
        Peak signal-to-noise ratio over all values in dB; infinity for equal images.
    """

    ssim: float
    psnr: float

    def to_json(self) -> dict[str, float | None]:
        """Return a mapping for JSON, which knows no infinity: `psnr` is None when the images are equal."""
        return {"ssim": self.ssim, "psnr": None if math.isinf(self.psnr) else self.psnr}


def dose(reference: Pixels, rendered: Pixels) -> Dose:
    """Measure the distance between two images.

    Parameters
    ----------
    reference, rendered : ndarray, shape (H, W) or (H, W, 3)
        Same shape and dtype, one that `auditkit.perturbations.apply.perturb` accepts.

    Returns
    -------
    Dose
        SSIM as Wang et al. define it: 11 x 11 Gaussian window of standard deviation 1.5, K1 = 0.01, K2 = 0.03, the
        range of the dtype, population variances, and the mean over the windows that lie within the image, taken at
        every third row and column. The image is not reduced first. Sides below 11 pixels are continued by reflection
        until there is a window for each pixel.

    Raises
    ------
    PerturbationError
        If the two do not match, or are not of a kind that can be measured.

    References
    ----------
    Wang, Bovik, Sheikh & Simoncelli 2004, "Image quality assessment: from error visibility to structural similarity",
    IEEE Transactions on Image Processing 13(4).
    """
    if reference.shape != rendered.shape or reference.dtype != rendered.dtype:
        raise PerturbationError(
            f"images of {reference.dtype} {reference.shape} and {rendered.dtype} {rendered.shape} cannot be compared.",
            "Pass the image and its perturbed copy.",
        )
    first, second = checked(reference), checked(rendered)
    squared_error = _mean_squared_error(first, second)
    if squared_error == 0.0:
        return Dose(1.0, math.inf)
    return Dose(_ssim(first, second), -10.0 * math.log10(squared_error))


def _mean_squared_error(first: Pixels, second: Pixels) -> float:
    """Mean over all values, as fractions of the full range."""
    total = 0.0
    flat_first, flat_second = first.ravel(), second.ravel()
    for at in range(0, first.size, _BAND):
        difference = np.subtract(flat_first[at : at + _BAND], flat_second[at : at + _BAND], dtype=working(first))
        total += float(difference @ difference)
    return total / first.size / full_scale(first) ** 2


def _ssim(first: Pixels, second: Pixels) -> float:
    """Mean of the SSIM map, worked out in bands of rows that stay in the processor's cache."""
    if min(first.shape[:2]) < _WINDOW:
        margins = ((_RADIUS, _RADIUS), (_RADIUS, _RADIUS), (0, 0))[: first.ndim]
        first, second = (np.pad(image, margins, mode="symmetric") for image in (first, second))
    rows, columns = ((int(side) - _WINDOW) // _STEP + 1 for side in first.shape[:2])
    band = max(_BAND // first.shape[1], 16) // _STEP * _STEP
    total = 0.0
    for top in range(0, rows * _STEP, band):
        part = slice(top, top + band + _WINDOW - 1)
        total += _similarity(_luminance(first[part]), _luminance(second[part]))
    return total / (rows * columns)


def _luminance(pixels: Pixels) -> NDArray[np.float32]:
    """Return the luminance in [0, 1], shape (H, W)."""
    values: NDArray[np.float32] = pixels.astype(np.float32)
    values *= 1 / full_scale(pixels)
    return values if values.ndim == 2 else (values.reshape(-1, 3) @ _REC_601).reshape(values.shape[:2])


def _similarity(first: NDArray[np.float32], second: NDArray[np.float32]) -> float:
    """Sum of the SSIM map. Four smoothed maps suffice, since only the sum of the two variances is needed."""
    maps = np.empty((len(first), 4, first.shape[1]), np.float32)
    maps[:, 0], maps[:, 1] = first, second
    np.multiply(first, second, out=maps[:, 2])
    np.multiply(first, first, out=maps[:, 3])
    maps[:, 3] += second * second
    mean1, mean2, product, squares = _smoothed(maps)
    means_product = mean1 * mean2
    means_squares = mean1 * mean1
    means_squares += mean2 * mean2
    product -= means_product
    squares -= means_squares
    similarity = (2 * means_product + _C1) * (2 * product + _C2)
    similarity /= (means_squares + _C1) * (squares + _C2)
    return float(similarity.sum(dtype=np.float64))


def _smoothed(maps: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    """Gaussian window over rows and columns, where it fits; (H, n, W) gives n maps of windows, columns before rows.

    Sparse products, as in `zoom_blur`: dense ones are as fast on a free core, but BLAS spreads them over threads that
    wait for each other on a busy machine (the tests of this folder took 19 s instead of 6).
    """
    height, count, width = maps.shape
    rows = (height - _WINDOW) // _STEP + 1
    smooth_rows = (_sliding(height) @ maps.reshape(height, -1)).reshape(rows, count, width)
    turned = np.empty((width, count, rows), np.float32)
    for index in range(count):
        turned[:, index] = smooth_rows[:, index].T
    smooth = (_sliding(width) @ turned.reshape(width, -1)).reshape(-1, count, rows)
    return [smooth[:, index] for index in range(count)]


@lru_cache(maxsize=64)
def _sliding(length: int) -> csr_array:
    """Return the matrix that slides the window along `length` values in steps of `_STEP`, shape (windows, length)."""
    weights = np.exp(-(np.arange(-_RADIUS, _RADIUS + 1) ** 2) / (2 * _SD**2))
    positions = (length - _WINDOW) // _STEP + 1
    starts_at = np.arange(positions, dtype=np.int32) * np.int32(_STEP)
    indices = np.add.outer(starts_at, np.arange(_WINDOW, dtype=np.int32)).ravel()
    starts = np.arange(0, _WINDOW * positions + 1, _WINDOW, dtype=np.int32)
    return csr_array(
        (np.tile(weights / weights.sum(), positions).astype(np.float32), indices, starts), (positions, length)
    )
