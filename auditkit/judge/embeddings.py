"""How far corruptions move what the model holds inside, and whether its score follows: shown, never gated."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, TypeGuard

import numpy as np

from auditkit.ask.embeddings import EmbeddingKeys, embedding_kinds, pixel_conditions
from auditkit.ask.plan import Plan
from auditkit.ask.render import Renderer
from auditkit.ask.store import Store
from auditkit.evidence import EmbeddingPoint, EmbeddingShift, Estimate
from auditkit.judge.points import mean_estimates
from auditkit.judge.rules import seed_for
from auditkit.measure.columns import ALL, MODALITY, Measurements
from auditkit.models.base import Model
from auditkit.protocol.model import Protocol
from auditkit.vocabulary import Condition, Question

if TYPE_CHECKING:
    from numpy.typing import NDArray

MIN_POINTS = 3  # a correlation of two points is always 1 or -1
_SAME = 9  # decimals: a cosine distance below 1e-9 is rounding, not a move


def embedding_shifts(
    plan: Plan, model: Model, data: Measurements, store: Store, renderer: Renderer
) -> list[EmbeddingShift]:
    """Compare every corrupted image's embeddings with those of the clean image.

    Parameters
    ----------
    plan : Plan
        The plan that `ask.embeddings.fetch_embeddings` was given.
    model : Model
        The model that was asked; only its name, revision, fingerprint and kinds of embeddings are read.
    data : Measurements
        The answers: images, patients, scores and doses.
    store, renderer : Store, Renderer
        Where the embeddings are, and their keys.

    Returns
    -------
    list of EmbeddingShift
        By kind, modality (pooled first) and corruption. A condition without any embedding is there with null.
    """
    shifts: list[EmbeddingShift] = []
    found = _read(plan, model, data, store, renderer)
    for kind, own in found.items():
        for modality in (ALL, *data.levels()):
            shifts += _of_modality(kind, own, modality, data, plan.protocol)
    return shifts


class _Kind:
    """One kind of embedding: similarities by condition, and how alike clean images of different patients are.

    Attributes
    ----------
    similarity : dict
        By condition, cosine similarity to the clean image, shape (n,); NaN where one of the two is missing.
    planned : dict
        By condition, whether the image was to be embedded, shape (n,).
    between : dict
        By modality, `_Between`.
    """

    def __init__(self, n: int) -> None:
        self._n = n
        self._width = 0
        self.similarity: dict[Condition, NDArray[np.float64]] = {}
        self.planned: dict[Condition, NDArray[np.bool_]] = {}
        self.between: dict[str, _Between] = {}

    def fits(self, vector: NDArray[np.float64] | None) -> TypeGuard[NDArray[np.float64]]:
        """Whether there is a vector and it is as long as the others (a model changed by hand may have longer ones)."""
        self._width = self._width or (0 if vector is None else vector.size)
        return vector is not None and vector.size == self._width

    def put(self, image: int, condition: Condition, similarity: float) -> None:
        self.similarity.setdefault(condition, np.full(self._n, np.nan))[image] = similarity
        self.planned.setdefault(condition, np.zeros(self._n, dtype=bool))[image] = True


class _Between:
    """Mean cosine similarity over all pairs of patients, from sums alone.

    Patients are added one by one. With m the mean of a patient's unit vectors and G patients, the mean over
    pairs of m_a @ m_b is (|sum m|^2 - sum |m|^2) / (G (G - 1)): no pair is ever formed.
    """

    def __init__(self) -> None:
        self.patients = 0
        self._total: NDArray[np.float64] | float = 0.0
        self._squares = 0.0

    def add(self, units: Sequence[NDArray[np.float64]]) -> None:
        mean = np.mean(units, axis=0)
        self.patients += 1
        self._total = self._total + mean
        self._squares += float(mean @ mean)

    def mean(self) -> float:
        pairs = self.patients * (self.patients - 1)
        return (float(np.sum(np.square(self._total))) - self._squares) / pairs if pairs else np.nan


def _read(plan: Plan, model: Model, data: Measurements, store: Store, renderer: Renderer) -> dict[str, _Kind]:
    """Read image by image, patients together, and keep numbers only: memory does not grow with the vectors."""
    keys = EmbeddingKeys(model, plan.protocol)
    digests = store.sources(record.content for record in data.records)
    found = {kind: _Kind(len(data.records)) for kind in embedding_kinds(model)}
    for modality, images in _by_patient(data):
        units: dict[str, list[NDArray[np.float64]]] = {}
        for i in images:
            record = data.records[i]
            conditions = pixel_conditions(plan, record)
            rendered = renderer.known(digests[record.content], set(conditions))
            for kind, own in found.items():
                addresses = {c: keys.of(rendered[c], kind) for c in conditions if c in rendered}
                vectors = store.embeddings(addresses.values())
                unit = {c: v / np.linalg.norm(v) for c, key in addresses.items() if own.fits(v := vectors.get(key))}
                clean = unit.get(())
                if clean is not None:
                    units.setdefault(kind, []).append(clean)
                for condition in conditions[1:]:
                    other = unit.get(condition)
                    own.put(i, condition, np.nan if clean is None or other is None else float(clean @ other))
        for kind, some in units.items():
            found[kind].between.setdefault(modality, _Between()).add(some)
    return found


def _by_patient(data: Measurements) -> Iterator[tuple[str, list[int]]]:
    """Yield modality and images of every patient."""
    order: dict[tuple[str, int], list[int]] = {}
    for i, record in enumerate(data.records):
        order.setdefault((record.modality, int(data.cluster[i])), []).append(i)
    for (modality, _), images in sorted(order.items()):
        yield modality, images


def _of_modality(
    kind: str, own: _Kind, modality: str, data: Measurements, protocol: Protocol
) -> Iterator[EmbeddingShift]:
    """Yield one record per corruption."""
    # One perturbation each: what several do together has no dose of its own to be drawn against.
    mask, conditions = data.where((MODALITY, modality)), sorted(c for c in own.similarity if len(c) == 1)
    if not conditions:
        return
    clusters = data.clusters(mask)
    question = protocol.resolve(Question())
    clean = data.column(question).scores[mask]
    scores = np.stack([data.column(question.under(*c)).scores[mask] for c in conditions], axis=1)
    # Rounding takes equal vectors to 1 + 2e-16, which is no cosine.
    similarity = np.clip(np.stack([own.similarity[c][mask] for c in conditions], axis=1), -1, 1)
    columns: dict[str, list[int]] = {}
    for at, condition in enumerate(conditions):
        columns.setdefault(condition[0].name, []).append(at)
    correlations = np.stack(
        [_follows(1 - similarity[:, some], clean[:, None] - scores[:, some]) for some in columns.values()], axis=1
    )

    def means(values: NDArray[np.float64], value_range: float, unit: str) -> list[Estimate]:
        found = mean_estimates(values, clusters, protocol, seed_for(protocol.seed, modality), value_range)
        return [estimate.model_copy(update={"unit": unit}) for estimate in found]

    alike = means(similarity, 1.0, "cosine")
    changes = means(scores - clean[:, None], 100.0, "points")
    follows = means(correlations, 1.0, "correlation")
    between = _between(own, modality)
    for place, (name, some) in enumerate(columns.items()):
        points = []
        for at in some:
            condition, present = conditions[at], np.isfinite(similarity[:, at])
            dose = data.doses.get(condition, np.full((len(mask), 2), np.nan))[mask, 0][present]
            points.append(
                EmbeddingPoint(
                    level=condition[0].level,
                    similarity=alike[at],
                    score_change=changes[at],
                    ssim=float(np.nanmean(dose)) if np.isfinite(dose).any() else None,
                    n_images=int(present.sum()),
                    n_clusters=int(np.unique(clusters[present]).size),
                    n_missing=int((own.planned[condition][mask] & ~present).sum()),
                )
            )
        yield EmbeddingShift(
            kind=kind,
            perturbation=name,
            title=protocol.catalogue.entry(name).label,
            modality=modality,
            between=between,
            follows=follows[place],
            n_follows=int(np.isfinite(correlations[:, place]).sum()),
            series=points,
        )


def _follows(distances: NDArray[np.float64], falls: NDArray[np.float64]) -> NDArray[np.float64]:
    """Correlate, image by image, distance and fall over clean (both 0) and all severities.

    Pearson's, not a rank correlation: where both have reached their end at severity 1, the order of the others is
    chance. The reference model's score falls by 84 points when contrast goes down, its image features to a similarity
    of 0.31; Spearman's correlation of the two was 0.08 (40 images).

    Parameters
    ----------
    distances, falls : ndarray, shape (n, S)
        Cosine distance from the clean image's embedding; fall of the score from the clean image's.

    Returns
    -------
    ndarray, shape (n,)
        -1 to 1; 0 where the score never changes. NaN where anything is missing, the embedding never moves, or there
        are fewer than two severities.
    """
    out = np.full(len(distances), np.nan)
    if distances.shape[1] + 1 < MIN_POINTS:
        return out
    both = np.pad(np.stack([np.round(distances, _SAME), falls]), ((0, 0), (0, 0), (1, 0)))
    complete = np.isfinite(both).all(axis=(0, 2))
    moved = np.count_nonzero(both[:, complete], axis=2) > 0
    off = both[:, complete] - both[:, complete].mean(axis=2, keepdims=True)
    spread = np.sqrt(np.where(moved, np.square(off).sum(axis=2), 1.0))
    r = np.where(moved[1], (off[0] * off[1]).sum(axis=1) / spread.prod(axis=0), 0.0)
    out[complete] = np.where(moved[0], np.clip(r, -1, 1), np.nan)
    return out


def _between(own: _Kind, modality: str) -> float:
    """Mean over pairs of patients; pooled, the modalities' means weighted by their patients."""
    some = own.between if modality == ALL else {modality: own.between.get(modality, _Between())}
    known = [one for one in some.values() if one.patients > 1]
    return (
        float(np.average([one.mean() for one in known], weights=[one.patients for one in known])) if known else np.nan
    )
