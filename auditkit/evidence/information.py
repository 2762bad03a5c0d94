"""What is shown for information: subgroups, embeddings. No verdict rests on it."""

from __future__ import annotations

from auditkit.evidence.values import Estimate, Number, Record


class SubgroupLevel(Record):
    """How the model did on one level of an attribute."""

    level: str
    """``unknown`` is a level of its own."""
    n_images: int = 0
    n_clusters: int = 0
    too_few: bool = False
    """Fewer patients than the protocol asks for before a mean may pass (``min_clusters``)."""
    score: Estimate
    """Mean score of the clean images."""
    fall: Estimate
    """By how much the score falls per severity step, all corruptions together: a fall is positive."""
    unusable: Estimate
    """Share of clean images whose question for a score got none."""


class Subgroup(Record):
    """Results by one attribute of patients or equipment; for information, no verdict rests on them."""

    attribute: str
    """``sex``, ``age``, ``site``, ``manufacturer``, ``label``."""
    levels: list[SubgroupLevel] = []
    gap: Estimate | None = None
    """Largest difference of clean scores between two known levels, with a simultaneous interval; null when fewer than
    two levels have enough patients."""
    sentence: str = ""
    """What can and what cannot be told."""


class EmbeddingPoint(Record):
    """How far one level moves what the model holds inside."""

    level: int
    """1 to the perturbation's levels."""
    similarity: Estimate
    """Cosine similarity of the perturbed to the clean image, paired within the image, mean over patients; 1 is no
    change."""
    score_change: Estimate
    """Change of the score from the clean image, over the images scored under both, mean over patients."""
    ssim: Number = None
    """Mean measured structural similarity of the pictures themselves."""
    n_images: int = 0
    """Images with both embeddings."""
    n_clusters: int = 0
    """Patients behind them."""
    n_missing: int = 0
    """Images that were to be embedded under this condition but lack one of the two embeddings."""


class EmbeddingShift(Record):
    """What one perturbation does to one kind of embedding in one modality; for information, no verdict rests on it."""

    kind: str
    """``vision`` (pooled image features, before any text) or ``language`` (last hidden layer at the last token of
    image and question)."""
    perturbation: str
    """Name in the catalogue."""
    title: str
    """The same for people."""
    modality: str
    """Modality, or ``all``."""
    between: Number = None
    """Mean cosine similarity between clean images of different patients of one modality: how far apart two images are
    when nothing is done to either. Null with fewer than two patients."""
    follows: Estimate = Estimate()
    """Pearson correlation, within the image over clean and all severities, between the distance from the clean
    embedding and the fall of the score; mean over patients. 1: the score falls in step with what happens inside; 0: it
    does not follow, or never changes."""
    n_follows: int = 0
    """Images behind ``follows``: embedded and scored at every severity, with an embedding that moves."""
    series: list[EmbeddingPoint] = []
    """By severity."""
