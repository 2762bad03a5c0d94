"""Many questions at once. A gate that asks for every PASS needs none of this; naming one FAIL among many does."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from auditkit.stats.reduce import FloatArray


def holm(p_values: ArrayLike, family_size: int) -> FloatArray:
    """Adjust p-values for the size of their declared family by Holm's step-down method.

    Parameters
    ----------
    p_values : array_like, shape (k,)
        P-values of the members that were run, 0-1; NaN counts as 1.
    family_size : int
        Number of members declared, k or more. Members that were not run count as p = 1, so running a subset never
        makes a result significant.

    Returns
    -------
    ndarray, shape (k,)
        Adjusted p-values in the order given. Rejecting those at or below alpha keeps the probability of any false
        rejection in the family at alpha, whatever the dependence [1]_.

    References
    ----------
    .. [1] Holm, S. (1979). A simple sequentially rejective multiple test procedure. Scand. J. Statistics 6, 65-70.
    """
    p = np.asarray(p_values, dtype=np.float64)
    if p.ndim != 1:
        raise ValueError(f"p_values must be one-dimensional, got shape {p.shape}")
    if family_size < p.size:
        raise ValueError(f"{p.size} p-values in a family declared with {family_size} members; declare all of them")
    p = np.where(np.isnan(p), 1.0, p)
    if ((p < 0) | (p > 1)).any():
        raise ValueError(f"p-values lie between 0 and 1, got {p.min():g} to {p.max():g}")
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(p[order] * (family_size - np.arange(p.size)))
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted


def fixed_sequence(passes: Sequence[bool]) -> int:
    """Count the claims that hold when hypotheses are tested in an order fixed beforehand, each at full alpha.

    Testing stops at the first that does not pass, which keeps the family's error at alpha without any correction
    (e.g. severity 5 first, down to severity 1).

    Parameters
    ----------
    passes : sequence of bool
        In the fixed order.

    Returns
    -------
    int
        Length of the leading run of passes.
    """
    return next((at for at, passed in enumerate(passes) if not passed), len(passes))
