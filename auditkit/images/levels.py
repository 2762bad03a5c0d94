"""Grey levels: which range of values is shown where nothing says it, and whether anything is to be seen."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from auditkit.images.item import UnreadableImage

PERCENTILES = (0.5, 99.5)
# Measured on pictures of at most 256 x 256 pixels. Of the demonstration data's images the emptiest (a bone scan) has
# 15 % of its pixels 12 levels or more from the median, of pydicom's test files with a picture in them the emptiest 1 %.
# Files that came out black, flat or as one hot pixel have none, or a few in 100,000.
VISIBLE = 12
SHARE = 0.001


def robust_range(
    values: NDArray[Any], used: NDArray[np.bool_] | None = None, counts: NDArray[np.int64] | None = None
) -> tuple[float, float]:
    """Return the `PERCENTILES` of the values: a single hot pixel, or an offset far from zero, does not move them.

    Parameters
    ----------
    values : ndarray
        Pixels, or the distinct values that occur.
    used : ndarray of bool, optional
        Which of them count (not padding); those that are not finite never do.
    counts : ndarray of int, optional
        How often each of `values` occurs; then the percentiles are nearest ranks.

    Returns
    -------
    low, high : float
        The smallest and the largest value where both percentiles are one value, as in a picture that is nearly empty;
        (0, 1) where nothing counts.
    """
    used = np.isfinite(values) if used is None else used & np.isfinite(values)
    if counts is not None:
        used = used & (counts > 0)
    if not used.any():
        return 0.0, 1.0
    chosen = values[used]
    if counts is None:
        low, high = (float(one) for one in np.percentile(chosen, PERCENTILES))
    else:
        order = np.argsort(chosen, kind="stable")
        ordered, cumulative = chosen[order], np.cumsum(counts[used][order])
        ranks = np.asarray(PERCENTILES) / 100 * cumulative[-1]
        low, high = (float(v) for v in ordered[np.minimum(np.searchsorted(cumulative, ranks), ordered.size - 1)])
    return (low, high) if high > low else (float(chosen.min()), float(chosen.max()))


def check_content(pixels: NDArray[np.uint8]) -> None:
    """Refuse a picture in which nothing can be seen.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (H, W) or (H, W, 3)
        As the model would be shown it.

    Raises
    ------
    UnreadableImage
        When fewer than `SHARE` of the pixels are `VISIBLE` levels or more from the median, in every channel.

    Notes
    -----
    Asked about such a picture a model may say what it likes, and each corruption leaves it as it is: it would count as
    an image on which nothing changes.
    """
    flat = pixels.reshape(pixels.shape[0] * pixels.shape[1], -1)
    if (flat == flat[0]).all():
        raise UnreadableImage("it shows nothing: all its pixels have one value")
    distance = np.abs(flat - np.median(flat, axis=0)).max(axis=1)
    share = float((distance >= VISIBLE).mean())
    if share < SHARE:
        raise UnreadableImage(
            f"it shows next to nothing: {100 * share:.2g} % of its pixels are {VISIBLE} or more of 255 grey levels "
            f"from the median (at least {100 * SHARE:g} % must be)"
        )
