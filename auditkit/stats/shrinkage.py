"""Estimates of several groups, drawn together as far as their differences are chance. For reading and planning only."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from auditkit.stats.exact import total
from auditkit.stats.reduce import FloatArray

FEWEST = 3
"""Groups that it takes: how far two lie apart says next to nothing about how far groups do."""


def drawn_together(estimates: ArrayLike, errors: ArrayLike) -> FloatArray:
    """Return every group's estimate, moved towards the mean of all as far as it is uncertain.

    Parameters
    ----------
    estimates, errors : array_like, shape (k,)
        Estimates of at least three groups, and their standard errors, 0 or more; finite.

    Returns
    -------
    ndarray, shape (k,)
        In the unit of the estimates.

    Notes
    -----
    A group's truth is taken to scatter normally about a common mean with variance t2, which is had by the method of
    moments [1]_ and is 0 where the estimates lie no further apart than their errors say. An estimate with error s is
    moved by the part s^2 / (s^2 + t2) of its way to the common mean: the empirical Bayes estimate [2]_. On average over
    the groups it lies nearer to the truth. It is no basis of a verdict: of the one group that is unlike the others,
    which is what deciding each by itself is for, it thinks too well.

    References
    ----------
    .. [1] DerSimonian, R. & Laird, N. (1986). Meta-analysis in clinical trials. Controlled Clinical Trials 7, 177-188.
    .. [2] Morris, C. N. (1983). Parametric empirical Bayes inference. J. American Statistical Association 78, 47-55.
    """
    y, s2 = np.asarray(estimates, dtype=np.float64), np.square(np.asarray(errors, dtype=np.float64))
    if y.ndim != 1 or y.shape != s2.shape or y.size < FEWEST:
        raise ValueError(f"{FEWEST} groups or more are needed, got estimates {y.shape} and errors {s2.shape}")
    if not (np.isfinite(y).all() and np.isfinite(s2).all()):
        raise ValueError("estimates and errors must be finite")
    # A group without any variance would have all the weight, and nobody believes it that much.
    s2 = np.maximum(s2, np.median(s2[s2 > 0]) * 1e-3 if (s2 > 0).any() else 0.0)
    if not (s2 > 0).all():
        return y
    w = 1 / s2
    all_w, middle = total(w), total(w * y) / total(w)
    spread = total(w * (y - middle) ** 2)
    t2 = max((spread - (y.size - 1)) / (all_w - total(w * w) / all_w), 0.0)
    weights = 1 / (s2 + t2)
    middle = total(weights * y) / total(weights)
    return np.asarray(middle + t2 / (s2 + t2) * (y - middle))
