"""One pure function: pixels, a key that all chance comes from, and the parameters of the level."""

import numpy as np


def scratches(pixels, key, *, share):
    """Draw white scratches from edge to edge until they cover a share of the columns."""
    height, width = pixels.shape[:2]
    rng = np.random.default_rng(list(key))
    white = np.iinfo(pixels.dtype).max if pixels.dtype.kind == "u" else 1
    result = pixels.copy()
    for _ in range(max(round(share * width), 1)):
        top, bottom = rng.integers(0, width, 2)
        across = np.linspace(top, bottom, height).round().astype(int)
        result[np.arange(height), across] = white
    return result
