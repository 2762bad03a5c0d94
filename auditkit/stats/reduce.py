"""From images to the unit of analysis: one mean per cluster (patient) and condition."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


def cluster_means(values: ArrayLike, clusters: ArrayLike) -> FloatArray:
    """Average what is there within each cluster, so that every patient weighs the same.

    Images of one patient are correlated; a pooled mean lets a patient with 32 slices outvote the others and makes
    every interval too narrow. One number per patient restores independence between the rows.

    Parameters
    ----------
    values : array_like, shape (n, C)
        Per-image values (score differences, slopes), one column per condition; NaN = missing.
    clusters : array_like of int, shape (n,)
        Cluster of each image as a code 0..G-1.

    Returns
    -------
    ndarray, shape (G, C)
        Mean of the values present, in the unit of the input; NaN where a cluster has none.

    Raises
    ------
    ValueError
        Shapes that do not fit, negative or fractional codes, infinite values.
    """
    data = np.asarray(values, dtype=np.float64)
    if data.ndim != 2:
        raise ValueError(f"values must have shape (n, C), got {data.shape}; for one condition pass values[:, None]")
    codes = cluster_codes(clusters, data.shape[0])
    if np.isinf(data).any():
        raise ValueError("values hold an infinite number; a missing value is NaN")
    present = ~np.isnan(data)
    size = int(codes.max()) + 1 if codes.size else 0
    total = np.zeros((size, data.shape[1]))
    count = np.zeros_like(total)
    # One image after the other, whatever other columns there are and however they lie in memory.
    np.add.at(total, codes, np.where(present, data, 0.0))
    np.add.at(count, codes, present)
    return np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0)


def cluster_codes(clusters: ArrayLike, n: int) -> IntArray:
    """Check that cluster codes are whole numbers from 0, one for each of the ``n`` rows, and return them as int64.

    Raises
    ------
    ValueError
        Anything else, with the values seen.
    """
    raw = np.asarray(clusters)
    if raw.shape != (n,):
        raise ValueError(f"clusters must have shape ({n},), one code per row, got {raw.shape}")
    if n and not np.issubdtype(raw.dtype, np.integer):
        raise ValueError(
            f"clusters must be integer codes 0..G-1, got {raw.dtype}; "
            "make them with numpy.unique(names, return_inverse=True)[1]"
        )
    codes: IntArray = raw.astype(np.int64)
    if n and codes.min() < 0:
        raise ValueError(f"cluster codes start at 0, got {codes.min()}")
    return codes
