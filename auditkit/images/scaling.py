"""The last step of every reader: crop, make no larger than asked, and give grey back as grey."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from auditkit.images.item import UnreadableImage

Box = tuple[int, int, int, int]

# Twice the target is where Pillow's exact box average hands over to the filter: the filter then sees each source
# pixel's share and the result differs from the unreduced one by a grey level at most.
_REDUCING_GAP = 2.0


def fit(pixels: NDArray[np.uint8], max_side: int, crop: Box | None = None) -> NDArray[np.uint8]:
    """Crop, shrink so that the longer side is at most `max_side`, and drop colour that is not there.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (H, W) or (H, W, 3)
        The image at its native size.
    max_side : int
        Longest side of the result in pixels; smaller images are returned at their size, never enlarged.
    crop : tuple of int, optional
        Left, top, right, bottom in native pixels, right and bottom exclusive.

    Returns
    -------
    ndarray of uint8, shape (h, w) or (h, w, 3)
        Grey when the three channels are equal everywhere.

    Notes
    -----
    Shrinking averages boxes of whole pixels first (`PIL.Image.reduce`) and does the rest with the Hamming filter. Its
    weights are positive, so no value outside those of the neighbourhood can appear: the Lanczos filter rings by up to
    9 % of a step at edges, a halo which a model asked about artefacts may well report; a plain box filter has no
    fractional weights and aliases at ratios between 1 and 2.
    """
    height, width = pixels.shape[:2]
    if crop is not None:
        left, top, right, bottom = crop
        if not (0 <= left < right <= width and 0 <= top < bottom <= height):
            raise UnreadableImage(f"the crop {crop} does not lie within its {width} x {height} pixels")
        pixels = pixels[top:bottom, left:right]
        height, width = pixels.shape[:2]
    if min(height, width) == 0:
        raise UnreadableImage("it has no pixels")
    if max(height, width) > max_side:
        scale = max_side / max(height, width)
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        image = Image.fromarray(np.ascontiguousarray(pixels))
        pixels = np.asarray(image.resize(size, Image.Resampling.HAMMING, reducing_gap=_REDUCING_GAP))
    if (
        pixels.ndim == 3
        and np.array_equal(pixels[..., 0], pixels[..., 1])
        and np.array_equal(pixels[..., 0], pixels[..., 2])
    ):
        pixels = pixels[..., 0]
    result = np.array(pixels, dtype=np.uint8, order="C")
    result.flags.writeable = False  # one array may serve many callers through the cache
    return result
