"""The AUROC as a mean over patients, so that the areas of several models can be resampled together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from auditkit.stats.auroc import Auroc, auroc
from auditkit.stats.reduce import FloatArray


@dataclass(frozen=True, slots=True)
class Area:
    """An area with what every patient adds to it.

    Attributes
    ----------
    clean, treated : ndarray
        Scores that are there.
    codes : (ndarray, ndarray)
        Their patients.
    patients : ndarray, shape (G,)
        The area plus G times the patient's share in its deviation; the mean over patients is the area. NaN where a
        patient has no score.
    """

    clean: FloatArray
    treated: FloatArray
    codes: tuple[NDArray[np.int64], NDArray[np.int64]]
    patients: FloatArray

    def interval(self, alpha: float) -> Auroc:
        """Return the interval that an audit of areas has at this error per side."""
        return auroc(self.clean, self.treated, *self.codes, alpha)


def area_of(clean: FloatArray, treated: FloatArray, clusters: NDArray[np.int64]) -> Area:
    """Return the area of clean scores against treated ones.

    Parameters
    ----------
    clean : ndarray, shape (n,)
        NaN = missing.
    treated : ndarray, shape (n, S)
        At S severities, which count alike.
    clusters : ndarray of int, shape (n,)
        Patient codes 0..G-1.

    Notes
    -----
    A clean image's deviation is the share of treated ones below it (ties half) minus the area, a treated image's the
    share of clean ones above it minus the area; divided by the numbers of images and summed per patient they are the
    first-order influence of the patients on the area, as in Obuchowski's variance.
    """
    G = int(clusters.max()) + 1
    x, code_x = _present(clean, clusters)
    y, code_y = _present(treated.ravel(), np.repeat(clusters, treated.shape[1]))
    patients = np.full(G, np.nan)
    if x.size and y.size:
        ranks = rankdata(np.concatenate([x, y]))
        won = (ranks[: x.size] - rankdata(x)) / y.size
        lost = 1.0 - (ranks[x.size :] - rankdata(y)) / x.size
        area = float(won.mean())
        there = np.unique(np.concatenate([code_x, code_y]))
        total = np.bincount(code_x, won - area, G) / x.size + np.bincount(code_y, lost - area, G) / y.size
        patients[there] = area + there.size * total[there]
    return Area(x, y, (code_x, code_y), patients)


def difference(first: Area, second: Area, alpha: float) -> tuple[float, float, float]:
    """Return bounds of the first area minus the second where their difference has no spread to speak of, and p.

    Each area is bounded at half the error (both claims then hold at alpha) and the bounds are subtracted. ``p`` is the
    smallest error per side at which that leaves 0 out, found to 1 %; 0.5 where none does.
    """

    def ends(error: float) -> tuple[float, float]:
        a, b = first.interval(error / 2), second.interval(error / 2)
        return a.low - b.high, a.high - b.low

    def told(error: float) -> bool:
        low, high = ends(error)
        return low > 0 or high < 0

    least, most = 1e-9, 0.49
    p = 0.5
    if told(most):
        while most > 1.01 * least:
            middle = float(np.sqrt(least * most))
            least, most = (least, middle) if told(middle) else (middle, most)
        p = most
    return *ends(alpha), p


def _present(scores: FloatArray, clusters: NDArray[np.int64]) -> tuple[FloatArray, NDArray[np.int64]]:
    keep = np.isfinite(scores)
    return scores[keep], clusters[keep]
