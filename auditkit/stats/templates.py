"""Does the wording of a prompt move the score? Every pair of templates compared on the same images.

The templates of a protocol are the ones that will be used, not a draw from all that could be written: they are fixed,
and a statement about them is a statement about these. How much templates differ in general is a variance component,
which a handful of them cannot bound (with three the upper end of its interval is four to five times the estimate); it
is reported, and fit for a gate from ten templates on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from auditkit.stats.bootstrap import Seed
from auditkit.stats.equivalence import equivalence
from auditkit.stats.reduce import FloatArray, cluster_means
from auditkit.stats.subgroups import PairwiseGap, all_pairs, check_margin

# Fewer templates, or rows, say too little about the spread of others for its upper bound to decide anything.
MIN_TEMPLATES = 10
MIN_ROWS = 24


@dataclass(frozen=True, slots=True)
class TemplateGap(PairwiseGap):
    """All pairs of templates.

    Attributes
    ----------
    names : tuple of str
        The templates.
    means : tuple of float
        Mean over patients of each template's score, for display: over whatever images it has, while the pairs use
        those that both templates have.
    """

    names: tuple[str, ...]
    means: tuple[float, ...]


def template_gap(
    scores: ArrayLike,
    clusters: ArrayLike,
    margin: float,
    *,
    alpha: float,
    seed: Seed,
    names: Sequence[str] | None = None,
    resamples: int = 10_000,
    value_range: float = 100.0,
    min_clusters: int = 24,
    min_informative: int = 10,
) -> TemplateGap:
    """Decide whether all templates give the same mean score within a margin.

    Parameters
    ----------
    scores : array_like, shape (n, T)
        Score of each image under each of T templates, T >= 2; NaN = missing. An image counts for a pair when it has
        both scores.
    clusters : array_like of int, shape (n,)
        Cluster (patient) codes.
    margin : float
        Largest difference of two templates' means to be accepted, above 0.
    alpha, seed, resamples, min_clusters, min_informative
        As in `equivalence.equivalence`.
    names : sequence of str, length T, optional
        Names of the templates; default "0", "1", ...
    value_range : float
        No difference of two scores can be outside [-value_range, value_range]: 100 for scores of 0-100.

    Returns
    -------
    TemplateGap

    Raises
    ------
    ValueError
        Fewer than two templates, names that are too few or not unique, shapes that do not fit, differences outside
        the range, margin or alpha out of bounds.

    Notes
    -----
    The T (T - 1) / 2 paired differences go through `equivalence` on patient means, all with the same resampled
    patients. "All inside" is an intersection-union claim and needs no correction [1]_; one pair beyond the margin is
    claimed after Holm over the pairs.

    References
    ----------
    .. [1] Berger, R. L. & Hsu, J. C. (1996). Statistical Science 11, 283-319.
    """
    check_margin(margin, alpha)
    data = _columns(scores)
    T = data.shape[1]
    labels = tuple(str(at) for at in range(T)) if names is None else tuple(names)
    if len(labels) != T or len(set(labels)) != T:
        raise ValueError(f"names must be {T} different names, one per column of scores, got {list(labels)}")
    first, second = np.array(list(combinations(range(T), 2))).T
    intervals = equivalence(
        cluster_means(data[:, first] - data[:, second], clusters),
        -margin,
        margin,
        alpha=alpha,
        resamples=resamples,
        seed=seed,
        value_range=value_range,
        min_clusters=min_clusters,
        min_informative=min_informative,
    )
    family = all_pairs(labels, intervals, alpha)
    by_patient = cluster_means(data, clusters)
    means = tuple(
        float(np.mean(column[~np.isnan(column)])) if (column == column).any() else np.nan for column in by_patient.T
    )
    return TemplateGap(
        family.pairs, family.p_pass, family.p_fail_holm, family.decision, family.largest, labels, means
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class VarianceComponent:
    """How much templates differ, taken as a sample of all that could have been written.

    Attributes
    ----------
    sd : float
        Standard deviation between templates' true means, in points: the moment estimate, 0 where that is negative.
    low, high : float
        Ends of its 1 - 2 alpha interval, 0 or more; NaN when nothing varies or there are too few rows or templates.
    level : float
        1 - 2 alpha.
    sd_rows, sd_residual : float
        Standard deviations between rows (0 where the estimate is negative), and of what neither explains.
    ms_templates, ms_rows, ms_residual : float
        Mean squares of the two-way layout.
    n_templates, n_rows : int
        Templates, and rows with a score under each of them.
    n_incomplete : int
        Rows left out because a score was missing.
    gated : bool
        Whether ``high`` may be held against a limit: 10 templates and 24 rows at least, and scores that vary.
    """

    sd: float
    low: float
    high: float
    level: float
    sd_rows: float
    sd_residual: float
    ms_templates: float
    ms_rows: float
    ms_residual: float
    n_templates: int
    n_rows: int
    n_incomplete: int
    gated: bool


def variance_component(scores: ArrayLike, *, alpha: float = 0.05) -> VarianceComponent:
    """Estimate the standard deviation between templates from a row x template layout.

    Parameters
    ----------
    scores : array_like, shape (n, T)
        One row per independent unit: images if every patient has one, else patient means (`reduce.cluster_means`).
        NaN = missing; such a row is left out.
    alpha : float
        Error per side.

    Returns
    -------
    VarianceComponent

    Raises
    ------
    ValueError
        Fewer than two templates, infinite scores, alpha out of bounds.

    Notes
    -----
    With score = mean + row + template + residual, E(MS_templates) = var_residual + n var_template. The estimate solves
    this for var_template. The interval is Williams' and Tukey's [1]_: the ends of the F interval for the ratio
    MS_templates / MS_residual, put on the scale of the chi-square interval for E(MS_templates); its coverage is within
    0.01 of the nominal one for any ratio of the variances [2]_.

    Assumes normal template effects and residuals of equal variance, uncorrelated within a row. The effect of a
    template on single images (interaction) belongs to the residual.

    References
    ----------
    .. [1] Williams, J. S. (1962). A confidence interval for variance components. Biometrika 49, 278-281.
    .. [2] Boardman, T. J. (1974). Confidence intervals for variance components: a comparative Monte Carlo study.
       Biometrics 30, 251-262.
    """
    if not 0 < alpha < 0.5:
        raise ValueError(f"alpha is the error per side, between 0 and 0.5; got {alpha}")
    data = _columns(scores)
    complete = data[~np.isnan(data).any(axis=1)]
    n, T = complete.shape
    left_out, nan = len(data) - n, float("nan")
    if n < 2:
        return VarianceComponent(nan, nan, nan, 1 - 2 * alpha, nan, nan, nan, nan, nan, T, n, left_out, False)
    # Scores that are equal must have no spread; their squares are then at most rounding.
    tiny = (1e-10 * np.abs(complete).max()) ** 2
    centred = complete - complete.mean()
    of_rows, of_templates = centred.mean(axis=1), centred.mean(axis=0)
    residual = centred - of_rows[:, None] - of_templates
    df_templates, df_residual = T - 1, (n - 1) * (T - 1)
    squares = np.array(
        [
            n * (of_templates @ of_templates) / df_templates,
            T * (of_rows @ of_rows) / (n - 1),
            (residual * residual).sum() / df_residual,
        ]
    )
    ms_templates, ms_rows, ms_residual = np.where(squares <= tiny, 0.0, squares).tolist()
    varies = max(ms_templates, ms_residual) > 0
    low = high = nan
    if varies:
        # Upper and lower quantile give the lower and upper end.
        f = stats.f.isf([alpha, 1 - alpha], df_templates, df_residual)
        chi2 = stats.chi2.isf([alpha, 1 - alpha], df_templates)
        ends = df_templates * (ms_templates - f * ms_residual) / (n * chi2)
        low, high = np.sqrt(np.maximum(ends, 0.0)).tolist()
    return VarianceComponent(
        sd=float(np.sqrt(max(ms_templates - ms_residual, 0.0) / n)),
        low=low,
        high=high,
        level=1 - 2 * alpha,
        sd_rows=float(np.sqrt(max(ms_rows - ms_residual, 0.0) / T)),
        sd_residual=float(np.sqrt(ms_residual)),
        ms_templates=ms_templates,
        ms_rows=ms_rows,
        ms_residual=ms_residual,
        n_templates=T,
        n_rows=n,
        n_incomplete=left_out,
        gated=varies and T >= MIN_TEMPLATES and n >= MIN_ROWS,
    )


def _columns(scores: ArrayLike) -> FloatArray:
    data = np.asarray(scores, dtype=np.float64)
    if data.ndim != 2 or data.shape[1] < 2:
        raise ValueError(f"scores must have shape (n, T) with two templates at least, got {data.shape}")
    if np.isinf(data).any():
        raise ValueError("scores hold an infinite number; a missing score is NaN")
    return data
