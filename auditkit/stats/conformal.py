"""Which answers a threshold leaves so that the right one is among them often enough: split conformal prediction.

The usual rank, ceil((n + 1) level), promises the level on average over the samples that the threshold could have been
chosen on. Of 50 patients every twentieth such threshold covers 83 % or less where 90 % were promised. The rank used
here promises it for the threshold at hand, with confidence 1 - alpha (training-conditional).

References
----------
.. [1] Vovk, V. (2012). Conditional validity of inductive conformal predictors. ACML 25, 475-490.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from auditkit.stats.reduce import FloatArray


def conditional_rank(n: int, level: float, alpha: float) -> int | None:
    """Return the smallest rank whose order statistic covers a level of all cases with confidence 1 - alpha.

    The share covered by the k-th smallest of n scores is Beta(k, n + 1 - k) or more.

    Parameters
    ----------
    n : int
        Independent scores.
    level : float
        Share of cases to be covered, between 0 and 1.
    alpha : float
        Chance to fall short of it.

    Returns
    -------
    int or None
        1 to n; None where no rank will do: of 90 % under 29 scores, of 95 % under 59 (alpha 0.05).

    Examples
    --------
    >>> [conditional_rank(n, 0.9, 0.05) for n in (28, 29, 50, 100, 500)]
    [None, 29, 49, 96, 462]
    """
    ranks = np.arange(1, n + 1)
    short = special.betainc(ranks, n + 1.0 - ranks, level)
    enough = np.flatnonzero(short <= alpha)
    return int(ranks[enough[0]]) if enough.size else None


def threshold(scores: ArrayLike, level: float, alpha: float) -> float | None:
    """Return the largest score at which a case is still covered; ties at it are covered too, which covers more.

    Parameters
    ----------
    scores : array_like, shape (n,)
        Nonconformity of independent cases: 1 less the probability of the right answer.
    level, alpha : float
        As in `conditional_rank`.

    Returns
    -------
    float or None
        None where there are too few scores.
    """
    known: FloatArray = np.sort(np.asarray(scores, dtype=np.float64))
    rank = conditional_rank(known.size, level, alpha)
    return None if rank is None else float(known[rank - 1])
