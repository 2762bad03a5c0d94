"""Sums that no order, no company and no processor can change.

A sum of doubles depends on the order in which they are added, and that order on how many columns share an array, how it
lies in memory and which kernel the linear algebra library picks for the processor. The last bit then differs between an
audit run alone and the same audit in the whole suite, and a comparison with a limit may come out differently. Rounding
the result does not help: two sums a bit apart can lie on either side of a rounding boundary.

Here the terms are rounded instead, each column on its own, to a grid of a power of two on which every partial sum is a
whole number of units below 2^53. Doubles hold those without error, so that every order, every blocking, and every
fused multiplication gives the same number [1]_.

References
----------
.. [1] Demmel, J. & Nguyen, H. D. (2013). Fast reproducible floating-point summation. IEEE Symposium on Computer
   Arithmetic 21, 163-172 (terms rounded to a common grid beforehand; there for unweighted sums).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

# Units below which a sum stays, before its terms are rounded; rounding adds half a unit for each of the weights.
_BITS = 52
_SMALLEST = -1074  # exponent of the smallest double


def unit_of(values: FloatArray, weight: int) -> FloatArray:
    """Return the unit of the grid to which `on_grid` rounds each column, shape (C,) for values of shape (G, C)."""
    # Rounding is monotone: a product below a power of two is not rounded beyond it, and one that reaches it has the
    # next exponent. So weight * largest < 2^exponent in exact numbers too.
    _, exponent = np.frexp(np.abs(values).max(axis=0, initial=0.0) * float(weight))
    return np.asarray(np.ldexp(1.0, np.maximum(exponent - _BITS, _SMALLEST)))


def on_grid(values: FloatArray, weight: int) -> FloatArray:
    """Round each column to a grid on which its sums are exact.

    Parameters
    ----------
    values : ndarray, shape (G,) or (G, C)
        Finite; what is missing is 0.
    weight : int
        Any sum of the column times whole numbers, not negative, that add up to this or less is then exact, and so is
        every partial sum and every product on the way. Below 2^52.

    Returns
    -------
    ndarray
        Of the same shape and unit. No value moves by more than weight * 2^-52 times the column's largest: 6e-12 points
        for 256 patients and values up to 100. Whole numbers, halves, quarters and so on do not move at all.

    Notes
    -----
    With u the unit, weight * |value| < 2^52 u for every value, and after rounding to the nearest unit less than
    2^52 u + weight u / 2 < 2^53 u. Dividing and multiplying by a power of two is exact.
    """
    unit = unit_of(values, weight)
    rounded = np.divide(values, unit)
    np.rint(rounded, out=rounded)
    return np.multiply(rounded, unit, out=rounded)


def total(values: FloatArray) -> FloatArray:
    """Sum over the first axis, the same in any order of the rows and whatever other columns there are.

    Parameters
    ----------
    values : ndarray, shape (G,) or (G, ...)
        Finite.

    Returns
    -------
    ndarray
        Without the first axis.
    """
    return np.asarray(on_grid(values, max(len(values), 1)).sum(axis=0))


def dot(first: FloatArray, second: FloatArray) -> float:
    """Return the scalar product of two vectors; each product is rounded once, their sum is that of `total`."""
    return float(total(np.multiply(first, second, dtype=np.float64)))
