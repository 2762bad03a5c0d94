"""Small pictures for reports."""

from __future__ import annotations

import base64
import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SIDE = 112
QUALITY = 60


def jpeg_thumbnail(pixels: NDArray[np.uint8]) -> str:
    """Return a small JPEG of a picture as base64.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (H, W) or (H, W, 3)
        The picture; its longer side becomes at most `SIDE` pixels.
    """
    image = Image.fromarray(pixels)
    image.thumbnail((SIDE, SIDE), Image.Resampling.BILINEAR, reducing_gap=None)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=QUALITY, optimize=True)
    return base64.b64encode(buffer.getvalue()).decode("ascii")
