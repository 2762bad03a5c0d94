"""How much of what a score varies by is the wording of the question, and how much is the image?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import optimize, special

from auditkit.stats.reduce import FloatArray, IntArray, cluster_codes, cluster_means

RULE = "two-way components, logit jackknife and noncentral F"
FEW = "fewer than two patients have an answer to every wording"
CONSTANT = "every answer is the same number, so there is nothing to share out"
_NOTHING = 1e-12


@dataclass(frozen=True, slots=True)
class Share:
    """One component's part of the variance, 0-1, and the ends of its interval; NaN where they cannot be had."""

    estimate: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Components:
    """What a score varies by over images and wordings.

    Attributes
    ----------
    wording : Share
        Of the mean differences between these wordings, the same in every image.
    interaction : Share
        Of what a wording does in one image and not in another, the noise of a single answer included.
    image : float
        The rest: of the images' means over the wordings; NaN where nothing varies.
    variances : (float, float, float)
        Image, wording, interaction, in the squared unit of the scores, as estimated: below 0 where chance makes more.
    level : float
        Of both intervals, 1 - 2 alpha.
    n_items, n_clusters : int
        Items with an answer to every wording, and their patients.
    n_left_out : int
        Items of which an answer is missing.
    rule : str
        How the intervals were had.
    reason : str
        Why there are no shares, or no interval, in words; empty where there are.
    """

    wording: Share
    interaction: Share
    image: float
    variances: tuple[float, float, float]
    level: float
    n_items: int
    n_clusters: int
    n_left_out: int
    rule: str
    reason: str = ""


def components(scores: ArrayLike, clusters: ArrayLike, *, alpha: float) -> Components:
    """Share the variance of a score out between image, wording, and wording in an image.

    Parameters
    ----------
    scores : array_like, shape (n, k)
        One row per item, one column per wording, k of 2 or more; NaN = missing. An item with a missing answer is left
        out whole, and counted.
    clusters : array_like of int, shape (n,)
        Patient of each item as a code 0..G-1. An item weighs 1 / m, where m is the number of items of its patient.
    alpha : float
        Error per side, 0 < alpha < 0.5.

    Returns
    -------
    Components
        Without numbers where nothing varies or fewer than two patients are complete.

    Raises
    ------
    ValueError
        A table that is none, one wording only, alpha out of bounds.

    Notes
    -----
    With one item per patient the components are those of a two-way analysis of variance with one answer per cell [1]_:
    interaction MS_r, wording (MS_w - MS_r) / n, image (MS_i - MS_r) / k; negative ones count as 0 in the shares. With
    several, items weigh as said, and what is taken off for chance is had from the patients' means. One answer per cell
    cannot tell the interaction from noise: where a model answers the same question twice the same way there is no
    noise.

    The wordings are those there are. The interval is about other patients, not about other wordings, of which a
    handful says next to nothing.

    The interval is the union of two, of which each errs where the other does not: Student's with the
    delete-one-patient jackknife's standard error of the logit of the share; and, of the wording, what the noncentral F
    distribution says of MS_w / MS_r [2]_ with degrees of freedom for unequal variances (Box), which holds where the
    wordings hardly differ and the estimate may be 0.

    References
    ----------
    .. [1] Searle, S. R., Casella, G. & McCulloch, C. E. (1992). Variance Components. Wiley, chapter 4.
    .. [2] Steiger, J. H. (2004). Beyond the F test. Psychological Methods 9, 164-182 (intervals from the noncentral F).
    """
    table = np.asarray(scores, dtype=np.float64)
    if table.ndim != 2 or table.shape[1] < 2:
        raise ValueError(f"a table of items and two or more wordings is needed, got shape {table.shape}")
    if not 0 < alpha < 0.5:
        raise ValueError(f"alpha is the error per side, between 0 and 0.5; got {alpha}")
    codes = cluster_codes(clusters, len(table))
    whole = np.isfinite(table).all(axis=1)
    found = _Patients.of(table[whole], np.unique(codes[whole], return_inverse=True)[1].astype(np.int64))
    G, n = len(found.means), int(whole.sum())
    sizes, level = (n, G, len(table) - n), 1 - 2 * alpha
    none = Share(np.nan, np.nan, np.nan)
    if G < 2:
        return Components(none, none, np.nan, (np.nan,) * 3, level, *sizes, RULE, FEW)
    variances = found.variances(found.whole(), G)
    shares = _shares(variances)
    every = tuple(float(v) for v in variances)
    image, wording, interaction = every
    if not np.isfinite(shares).all():
        return Components(none, none, np.nan, (image, wording, interaction), level, *sizes, RULE, CONSTANT)
    ends = [_jackknifed(found.jackknife()[:, i], float(shares[i]), alpha) for i in (1, 2)]
    ends[0] = _joined(ends[0], found.wording_ends(variances, alpha))
    reason = "" if np.isfinite(ends).all() else "too little varies for an interval"
    return Components(
        Share(float(shares[1]), *ends[0]),
        Share(float(shares[2]), *ends[1]),
        float(shares[0]),
        (image, wording, interaction),
        level,
        *sizes,
        RULE,
        reason,
    )


@dataclass(frozen=True, slots=True)
class _Patients:
    """Means over each patient's items, of which all components are made.

    Attributes
    ----------
    means : ndarray, shape (G, k)
        Of the scores, by wording.
    squares : ndarray, shape (G, 4)
        Of the squared deviations from the item's own mean, summed over the wordings; of the squared item mean; and the
        same two of the patient's mean row.
    """

    means: FloatArray
    squares: FloatArray

    @classmethod
    def of(cls, table: FloatArray, codes: IntArray) -> _Patients:
        # Counted from the grand mean: large scores that hardly vary would lose their digits in the squares.
        table = table - (table.mean() if table.size else 0.0)
        means = cluster_means(table, codes)
        return cls(means, np.concatenate([cluster_means(_squares(table), codes), _squares(means)], axis=1))

    def whole(self) -> FloatArray:
        """Means over the patients; shape (k + 4,)."""
        return np.asarray(np.concatenate([self.means, self.squares], axis=1).mean(axis=0))

    def without_one(self) -> FloatArray:
        """The same without each patient in turn; shape (G, k + 4)."""
        every = np.concatenate([self.means, self.squares], axis=1)
        return np.asarray((every.sum(axis=0) - every) / (len(every) - 1))

    def variances(self, averages: FloatArray, G: int) -> FloatArray:
        """Image, wording and interaction from means over G patients; shape (..., 3)."""
        k = self.means.shape[1]
        mu, (within, between, apart, rows) = averages[..., :k], np.moveaxis(averages[..., k:], -1, 0)
        grand = mu.mean(axis=-1)
        contrast = np.square(mu - grand[..., None]).sum(axis=-1)
        # How far chance moves the wordings' means and the grand mean, from how far the patients lie apart.
        chance, of_grand = (apart - contrast) / (G - 1), (rows - grand**2) / (G - 1)
        wording = (contrast - chance) / (k - 1)
        interaction = (within - contrast + chance) / (k - 1)
        image = between - grand**2 + of_grand - interaction / k
        return np.stack([image, wording, interaction], axis=-1)

    def jackknife(self) -> FloatArray:
        """Shares without each patient in turn; shape (G, 3)."""
        G = len(self.means)
        return _shares(self.variances(self.without_one(), max(G - 1, 2))) if G > 2 else np.full((G, 3), np.nan)

    def wording_ends(self, variances: FloatArray, alpha: float) -> tuple[float, float]:
        """Return the share of the wording at the ends of the noncentral F's interval; NaN where nothing scatters."""
        G, k = self.means.shape
        off = self.means - self.means.mean(axis=1, keepdims=True)
        S = np.cov(off, rowvar=False)
        noise = float(np.trace(S))
        others = float(np.maximum(variances[[0, 2]], 0.0).sum())
        if not noise > _NOTHING or not others > 0:
            return np.nan, np.nan
        df = noise**2 / float(np.square(S).sum())  # Box's epsilon times k - 1
        contrast = float(np.square(off.mean(axis=0)).sum())
        F = G * contrast / noise
        ncp = [_noncentrality(F, df, df * (G - 1), p) for p in (1 - alpha, alpha)]
        # F's numerator has the mean noise + G (k - 1) wording, in units of noise / df for each degree of freedom.
        wording = [value * noise / df / G / (k - 1) for value in ncp]
        return wording[0] / (wording[0] + others), wording[1] / (wording[1] + others)


def _squares(rows: FloatArray) -> FloatArray:
    """Return the squared deviations from the row's mean, summed, and the squared mean; shape (n, 2)."""
    mean = rows.mean(axis=1)
    return np.stack([np.square(rows - mean[:, None]).sum(axis=1), mean**2], axis=1)


def _shares(variances: FloatArray) -> FloatArray:
    """Return each component's part of their sum, those below 0 counted as 0; NaN where nothing varies."""
    positive = np.where(variances > _NOTHING, variances, 0.0)
    total = positive.sum(axis=-1, keepdims=True)
    return np.asarray(np.divide(positive, total, out=np.full_like(positive, np.nan), where=total > 0))


def _jackknifed(without: FloatArray, share: float, alpha: float) -> tuple[float, float]:
    """Return Student's interval on the logit scale; NaN where the share, or one without a patient, is 0 or 1."""
    every = np.append(without, share)
    if not (np.isfinite(every) & (every > 0) & (every < 1)).all():
        return np.nan, np.nan
    logits, G = special.logit(without), len(without)
    se = np.sqrt((G - 1) / G * np.square(logits - logits.mean()).sum())
    reach = special.stdtrit(G - 1, 1 - alpha) * se
    return float(special.expit(special.logit(share) - reach)), float(special.expit(special.logit(share) + reach))


def _joined(one: tuple[float, float], other: tuple[float, float]) -> tuple[float, float]:
    return float(np.fmin(one[0], other[0])), float(np.fmax(one[1], other[1]))


def _noncentrality(F: float, df1: float, df2: float, p: float) -> float:
    """Return the noncentrality at which so small an F has probability p; 0 where even none makes it less likely."""

    def beyond(value: float) -> float:
        found = float(special.ncfdtr(df1, df2, value, F))
        if np.isnan(found):  # scipy gives up at some 5,000; there Patnaik's central F is as good (1e-4)
            found = float(special.fdtr((df1 + value) ** 2 / (df1 + 2 * value), df2, F * df1 / (df1 + value)))
        return found - p

    if beyond(0.0) <= 0:
        return 0.0
    top = max(1.0, F * df1)
    while beyond(top) > 0:
        top *= 2
    return float(optimize.brentq(beyond, 0.0, top, xtol=1e-9 * top))
