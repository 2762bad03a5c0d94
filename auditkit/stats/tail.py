"""How many patients are hit hard? A small mean can hide a few large changes."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from auditkit.stats.proportion import Proportion, decide


def tail_share(any_large: ArrayLike, cap: float, alpha: float) -> Proportion:
    """Bound the share of clusters with at least one large change, exactly.

    Parameters
    ----------
    any_large : array_like of bool, shape (G,)
        Whether any image of the cluster changed by more than the threshold.
    cap : float
        Largest share to be accepted, 0 < cap < 1.
    alpha : float
        Error per side.

    Returns
    -------
    Proportion
        Clopper-Pearson interval of level 1 - 2 alpha and the exact binomial p-values that go with it.

    Notes
    -----
    Assumes independent clusters. With cap 0.10 and alpha 0.05, no event passes from 29 clusters, one from 46, two
    from 61 [1]_.

    References
    ----------
    .. [1] Clopper, C. J. & Pearson, E. S. (1934). Biometrika 26, 404-413.
    """
    hit = np.asarray(any_large)
    if hit.dtype != np.bool_ or hit.ndim != 1:
        raise ValueError(f"any_large must be one bool per cluster, got {hit.dtype} of shape {hit.shape}")
    check_share(cap, alpha)
    return _bounded(int(hit.sum()), hit.size, cap, alpha)


@lru_cache(maxsize=8192)  # a run asks thousands of times, nearly always about no event among equally many clusters
def _bounded(k: int, G: int, cap: float, alpha: float) -> Proportion:
    if G == 0:
        return Proportion(np.nan, 0.0, 1.0, 1 - 2 * alpha, 0, 0, 0, 1.0, "no data", 0, 1.0, 1.0, "open")
    interval = stats.binomtest(k, G).proportion_ci(1 - 2 * alpha, method="exact")
    return Proportion(
        estimate=k / G,
        low=float(interval.low),
        high=float(interval.high),
        level=1 - 2 * alpha,
        n_events=k,
        n=G,
        n_clusters=G,
        design_effect=1.0,
        rule="Clopper-Pearson",
        p_pass=float(stats.binomtest(k, G, cap, alternative="less").pvalue),
        p_fail=float(stats.binomtest(k, G, cap, alternative="greater").pvalue),
        decision=decide(float(interval.low), float(interval.high), cap),
    )


def check_share(cap: float, alpha: float) -> None:
    """Raise ValueError unless 0 < cap < 1 and 0 < alpha < 0.5."""
    if not 0 < cap < 1:
        raise ValueError(f"cap is a share between 0 and 1, got {cap}")
    if not 0 < alpha < 0.5:
        raise ValueError(f"alpha is the error per side, between 0 and 0.5; got {alpha}")
