"""What is shown for information: embeddings. No verdict rests on it."""

from __future__ import annotations

from auditkit.evidence.values import Estimate, Number, Record


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
