"""Vectors in half the bytes: float16 with one power of two per vector, so that nothing overflows or fades away."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

DTYPE = "float16"
# The largest entry is brought to between 2^14 and 2^15 (float16 ends at 65504), which leaves 28 powers of two below it
# at full precision. Scaling by a power of two is exact: the only rounding is that to 11 bits.
_TOP = 15


@dataclass(frozen=True, slots=True)
class Half:
    """A vector as it is stored.

    Attributes
    ----------
    d : int
        Number of entries.
    scale : float
        A power of two; the vector is ``scale`` times the float16 numbers.
    blob : bytes
        The d float16 numbers, little-endian.
    """

    d: int
    scale: float
    blob: bytes


def pack(vector: NDArray[np.floating[Any]]) -> Half:
    """Return a vector as float16 and scale.

    Parameters
    ----------
    vector : ndarray of float, shape (d,)
        Finite numbers of any size that float32 can hold.

    Returns
    -------
    Half
        `unpack` gives each entry back with a relative error of at most 2^-11 (0.049 %), as long as it is not smaller
        than the largest by a factor of 2^28; below that the error is at most 2^-39 of the largest.

    Raises
    ------
    ValueError
        When the array is not one-dimensional or holds NaN or infinities.
    """
    if vector.ndim != 1:
        raise ValueError(f"an embedding must have shape (d,), got {vector.shape}")
    numbers = vector.astype(np.float64)
    if not np.isfinite(numbers).all():
        raise ValueError("an embedding must be finite; NaN and infinities are not stored")
    largest = float(np.abs(numbers).max(initial=0.0))
    scale = math.ldexp(1.0, math.frexp(largest)[1] - _TOP) if largest else 1.0
    return Half(vector.size, scale, (numbers / scale).astype("<f2").tobytes())


def unpack(half: Half) -> NDArray[np.float64]:
    """Return the vector that was packed, shape (d,); raises ValueError when the bytes are not d numbers."""
    if len(half.blob) != 2 * half.d:
        raise ValueError(f"{len(half.blob)} bytes are not {half.d} numbers of float16")
    return np.frombuffer(half.blob, dtype="<f2").astype(np.float64) * half.scale
