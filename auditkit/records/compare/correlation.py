"""Do two models order the images alike? Spearman's coefficient within strata, pooled, with patients as the unit.

A stratum is one modality under one perturbation of the pictures at one level. Over strata taken together any two models
that give lower scores to worse images agree; within them they agree only where they see the same in the same picture.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from auditkit.measure.columns import ALL, MODALITY, NOT_ASKED, Measurements
from auditkit.protocol.catalogue import Catalogue
from auditkit.stats.exact import total
from auditkit.stats.reduce import FloatArray, IntArray
from auditkit.vocabulary import CLEAN, Condition, Question

# Up to this many images the coefficient of a stratum is freed of its bias by counting all pairs; beyond, the bias is
# below 0.002 and the pairs are too many.
DIRECT = 300
# Fewer pictures in a stratum say nothing of an order.
SMALLEST = 3
# Pairs of images times conditions looked at together: 8 MB.
CELLS = 1_000_000

Place = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Strata:
    """Sums of one modality's strata that the coefficient is made of, and each patient's influence on them.

    Attributes
    ----------
    sums : ndarray, shape (3, S)
        Per condition: products of centred ranks of first and second, squares of first, squares of second; per image,
        times the number of images.
    influence : ndarray, shape (3, G, S)
        By how much each patient moves them.
    used : ndarray of int, shape (G, S)
        Pictures that each patient has in each stratum.
    """

    sums: FloatArray
    influence: FloatArray
    used: IntArray


@dataclass(frozen=True, slots=True)
class Pooled:
    """A coefficient over some strata.

    Attributes
    ----------
    value : float
        -1 to 1; NaN where the scores of either do not vary within the strata.
    patients : ndarray, shape (G,)
        Fisher's z of the value plus what each patient adds to it; the mean is z. NaN where a patient has no scores,
        or throughout where z is infinite or unknown.
    n_strata, n_scores, n_missing, n_clusters : int
        Strata with three pictures or more, pairs of scores in them, pictures that not both scored, patients.
    """

    value: float
    patients: FloatArray
    n_strata: int
    n_scores: int
    n_missing: int
    n_clusters: int


def score_conditions(data: Sequence[Measurements], catalogue: Catalogue) -> list[Condition]:
    """Return the conditions under which all models scored pictures in the protocol's wording, without extra words.

    The item as it is, and one perturbation of the pictures at a time; of names that the catalogue knows.
    """
    score = catalogue.resolve(Question())
    asked = [{q.condition for q in each.asked() if replace(q, condition=()) == score} for each in data]
    shared = sorted(set.intersection(*asked))
    single = [c for c in shared if len(c) <= 1 and all(p.name in catalogue.perturbations for p in c)]
    return [condition for condition in single if catalogue.pictures(condition) == condition]


def pooled(
    first: Measurements, second: Measurements, conditions: Sequence[Condition], question: Question
) -> dict[Place, Pooled]:
    """Correlate two models' scores of the same pictures.

    Parameters
    ----------
    first, second : Measurements
        Of the same n images.
    conditions : sequence of Condition, length S
        Each with one perturbation at most.
    question : Question
        What is asked under each of them, resolved.

    Returns
    -------
    dict
        By (modality, perturbation), each of which may be ``"all"``: the strata are single ones all the same.

    Notes
    -----
    Ranks are taken and centred within each stratum; the coefficient is the sum of their products over all strata,
    divided by the root of the product of the two sums of squares. So a stratum counts by its number of images and by
    how far both models tell images apart in it, and one where a model gives the same score to all adds nothing.
    Products are summed over triples of different images (the U-statistic): the plain coefficient of 32 images is about
    0.02 too small at 0.6. The influence of a patient is the first-order projection, ranks being estimated included.
    """
    columns = [[m.column(replace(question, condition=c)) for c in conditions] for m in (first, second)]
    x, y = (np.stack([c.scores for c in own], axis=1) for own in columns)
    asked = np.logical_and(*(np.stack([c.outcomes != NOT_ASKED for c in own], axis=1) for own in columns))
    both = np.isfinite(x) & np.isfinite(y)
    lost = asked & ~both
    x, y = np.where(both, x, np.nan), np.where(both, y, np.nan)
    G = int(first.cluster.max()) + 1
    modalities = first.levels(MODALITY)
    strata = {
        modality: _strata(x[where], y[where], first.cluster[where], G)
        for modality in modalities
        if (where := first.where((MODALITY, modality))).any()
    }
    perturbed = np.array([c[0].name if c else CLEAN for c in conditions], dtype=object)
    names = [ALL, *dict.fromkeys(sorted(perturbed.tolist(), key=lambda name: name != CLEAN))]
    scopes = {name: np.ones(len(conditions), bool) if name == ALL else perturbed == name for name in names}
    found = {}
    for modality in (ALL, *modalities):
        own = strata if modality == ALL else {modality: strata[modality]}
        for perturbation, chosen in scopes.items():
            if modality != ALL and perturbation != ALL:
                continue
            missing = int(lost[first.where((MODALITY, modality))][:, chosen].sum())
            found[modality, perturbation] = _together(own, chosen, missing)
    return found


def _strata(x: FloatArray, y: FloatArray, clusters: IntArray, G: int) -> Strata:
    """Rank within every condition of one modality; x and y of shape (n, S), NaN at the same places."""
    present = np.isfinite(x)
    n = present.sum(axis=0)
    size = np.maximum(n, 1)
    u, v = _centred(x), _centred(y)
    sums, influence = [], []
    for a, b, p, q in ((x, y, u, v), (x, x, u, u), (y, y, v, v)):
        mean = total(p * q) / size
        # What an image adds by its own ranks, and by raising or lowering the ranks of all others.
        projected = p * q + _lifted(a, q, size) + _lifted(b, p, size) - 3 * mean
        projected = np.where(present, projected, 0.0)
        projected = np.where(present, projected - total(projected) / size, 0.0) * _per_triple(n)
        per_patient = np.zeros((G, x.shape[1]))
        np.add.at(per_patient, clusters, projected)
        influence.append(per_patient)
        sums.append(n * _unbiased(mean, a, b, n))
    used = np.zeros((G, x.shape[1]), dtype=np.int64)
    np.add.at(used, clusters, present.astype(np.int64))
    return Strata(np.stack(sums), np.stack(influence), used)


def _centred(x: FloatArray) -> FloatArray:
    """Mid-ranks per column, divided by their number and centred at 0; 0 where missing."""
    n = np.isfinite(x).sum(axis=0)
    ranks = rankdata(x, axis=0, nan_policy="omit")
    return np.where(np.isfinite(x), (ranks - (n + 1) / 2) / np.maximum(n, 1), 0.0)


def _lifted(x: FloatArray, q: FloatArray, size: NDArray[np.int64]) -> FloatArray:
    """For each image the mean over all others of q, by the sign with which it moves their ranks; shape (n, S).

    An image adds one half to the rank of those above it and takes one half from those below, so this is half the sum
    of q above minus half that of q below, over n; q sums to 0, hence minus the sum of q below and half of that beside.
    """
    filled = np.where(np.isfinite(x), x, np.inf)
    order = np.argsort(filled, axis=0, kind="stable")
    running = np.concatenate([np.zeros((1, x.shape[1])), np.cumsum(np.take_along_axis(q, order, axis=0), axis=0)])
    below = rankdata(filled, method="min", axis=0).astype(np.int64) - 1
    upto = rankdata(filled, method="max", axis=0).astype(np.int64)
    lower, upper = np.take_along_axis(running, below, axis=0), np.take_along_axis(running, upto, axis=0)
    return np.asarray(-(lower + upper) / 2 / size)


def _unbiased(mean: FloatArray, a: FloatArray, b: FloatArray, n: NDArray[np.int64]) -> FloatArray:
    """Take the pairs that an image makes with itself out of the mean product of centred ranks."""
    if len(a) > DIRECT:
        return mean
    pairs = np.zeros(a.shape[1])
    step = max(1, CELLS // max(len(a) ** 2, 1))
    for at in range(0, a.shape[1], step):
        some = slice(at, at + step)
        left = np.sign(a[:, None, some] - a[None, :, some])
        right = left if b is a else np.sign(b[:, None, some] - b[None, :, some])
        pairs[some] = np.nansum(left * right, axis=(0, 1)) / 4
    return np.asarray((mean - pairs / np.maximum(n, 1.0) ** 3) * _per_triple(n))


def _per_triple(n: NDArray[np.int64]) -> FloatArray:
    """Triples of any images for one of different images; 0 where there are none."""
    different = (n - 1.0) * (n - 2.0)
    return np.asarray(np.divide(n**2.0, different, out=np.zeros(n.shape), where=different > 0))


def _together(strata: Mapping[str, Strata], chosen: NDArray[np.bool_], missing: int) -> Pooled:
    parts = list(strata.values())
    used = np.stack([p.used[:, chosen] for p in parts])
    in_stratum = used.sum(axis=1)  # (modalities, conditions)
    there = used.sum(axis=(0, 2)) > 0
    G = int(there.sum())
    products, first, second = np.sum([p.sums[:, chosen].sum(axis=1) for p in parts], axis=0)
    influence = np.sum([p.influence[:, :, chosen].sum(axis=2) for p in parts], axis=0)
    value, patients = np.nan, np.full(there.shape, np.nan)
    if first > 1e-12 and second > 1e-12:
        root = np.sqrt(first * second)
        value = float(np.clip(products / root, -1.0, 1.0))
        moved = influence[0] / root - value / 2 * (influence[1] / first + influence[2] / second)
        if abs(value) < 1 - 1e-9:
            patients[there] = np.arctanh(value) + G * moved[there] / (1 - value**2)
    return Pooled(
        value,
        patients,
        int((in_stratum >= SMALLEST).sum()),
        int(in_stratum[in_stratum >= SMALLEST].sum()),
        missing,
        G,
    )
