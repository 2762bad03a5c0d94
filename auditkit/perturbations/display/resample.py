"""Lost resolution: pixelation and JPEG, by Pillow."""

from __future__ import annotations

from io import BytesIO

import numpy as np
from PIL import Image

from auditkit.perturbations.values import Pixels, full_scale, rounded


def pixelate(pixels: Pixels, key: bytes, *, scale: float) -> Pixels:
    """Reduce by box averages to a share of each side, then enlarge by nearest neighbour.

    Parameters
    ----------
    pixels : ndarray, shape (H, W) or (H, W, 3)
        The image. Deeper than 8 bits, the averages are taken in float32, Pillow's deepest type.
    key : bytes
        Not used: nothing is random.
    scale : float
        Share of each side that is left; sides are cut to whole pixels.

    References
    ----------
    Hendrycks & Dietterich 2019.
    """
    if pixels.dtype == np.uint8:
        return np.array(_blocks(Image.fromarray(pixels), scale))
    if pixels.ndim == 3:
        return np.stack(
            [pixelate(np.ascontiguousarray(plane), key, scale=scale) for plane in np.moveaxis(pixels, 2, 0)], 2
        )
    return rounded(np.array(_blocks(Image.fromarray(pixels.astype(np.float32)), scale)), pixels)


def jpeg(pixels: Pixels, key: bytes, *, quality: float) -> Pixels:
    """Encode as baseline JPEG and decode again.

    Parameters
    ----------
    pixels : ndarray, shape (H, W) or (H, W, 3)
        The image. Deeper than 8 bits, it is rounded to the 256 levels of the format and brought back to its range, as
        an export to JPEG does.
    key : bytes
        Not used: nothing is random.
    quality : float
        1-100, as the Independent JPEG Group counts; colour is subsampled 4:2:0, Pillow's default and ImageNet-C's.

    References
    ----------
    Hendrycks & Dietterich 2019.
    """
    if pixels.dtype != np.uint8:
        step = full_scale(pixels) / 255
        levels = rounded(pixels / step, np.empty(0, np.uint8))
        return rounded(jpeg(levels, key, quality=quality) * step, pixels)
    encoded = BytesIO()
    Image.fromarray(pixels).save(encoded, "JPEG", quality=int(quality))
    with Image.open(encoded) as decoded:
        return np.array(decoded)


def _blocks(image: Image.Image, scale: float) -> Image.Image:
    width, height = image.size
    small = image.resize((int(width * scale), int(height * scale)), Image.Resampling.BOX)
    return small.resize((width, height), Image.Resampling.NEAREST)
