"""How many answers jump, beyond the model's own noise? A small mean can hide a few large changes."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from auditkit.stats import bounded
from auditkit.stats.equivalence import EMPTY, Interval

ENDS = (-1.0, 1.0)
"""All answers jump by noise alone, and all jump without any noise."""
RULE = "excess of jumps: bounded mean"


def excess_of_jumps(excess: ArrayLike, cap: float, alpha: float) -> Interval:
    """Bound how many more answers jump under a perturbation than do by noise.

    Parameters
    ----------
    excess : array_like, shape (G,)
        For every patient the share of answers that jump less the share that would by noise, -1 to 1.
    cap : float
        Largest excess to be accepted, 0 < cap < 1.
    alpha : float
        Error per side.

    Returns
    -------
    Interval
        Of level 1 - 2 alpha, with the p-values of "below the cap" and "above the cap".

    Notes
    -----
    The bound of `bounded` is used whatever the number of patients: the p-value of a FAIL that is corrected for hundreds
    of decisions lies far out, where Student's is wrong for values that are nearly all 0. With cap 0.10 and alpha 0.05
    no jump passes from 29 patients on.
    """
    x = np.asarray(excess, dtype=np.float64)
    if x.ndim != 1:
        raise ValueError(f"one excess per patient is needed, got shape {x.shape}")
    if not 0 < cap < 1:
        raise ValueError(f"cap is a share between 0 and 1, got {cap}")
    if not 0 < alpha < 0.5:
        raise ValueError(f"alpha is the error per side, between 0 and 0.5; got {alpha}")
    x, level = x[~np.isnan(x)], 1 - 2 * alpha
    if not x.size:
        return Interval(np.nan, *ENDS, level, np.nan, 0, 0, 1.0, 1.0, "open", EMPTY)
    low, high = bounded.mean_lower(x, ENDS[0], alpha), bounded.mean_upper(x, ENDS[1], alpha)
    p_fail = bounded.p_mean_above(x, ENDS[0], cap)
    se = float(x.std(ddof=1) / np.sqrt(x.size)) if x.size > 1 else np.nan
    return Interval(
        estimate=float(x.mean()),
        low=low,
        high=high,
        level=level,
        se=se,
        n_clusters=x.size,
        n_informative=int((x != 0).sum()),
        p_pass=bounded.p_mean_below(x, ENDS[1], cap),
        p_fail=p_fail,
        decision="inside" if high < cap else "beyond" if low > cap else "open",
        rule=RULE,
        p_over=p_fail,
    )
