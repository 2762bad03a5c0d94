"""What is shown for information: calibration, embeddings, probabilities. No verdict rests on it."""

from __future__ import annotations

from auditkit.evidence.values import Estimate, Number, Record


class ScoringInfo(Record):
    """How far the generated answers to one wording and the probabilities of its choices say the same."""

    words: str
    """Task and wording: ``quality.direct``."""
    answers: int = 0
    """Answers to distinct questions, errors left out. The next four sum to it."""
    read: int = 0
    """With valid log-probabilities, enough of them on the declared choices."""
    absent: int = 0
    """Without log-probabilities."""
    invalid: int = 0
    """With impossible log-probabilities: above 0, not numbers, of other choices, or summing to more than 1."""
    low_mass: int = 0
    """With too little probability on the declared choices for an expected score."""
    n_compared: int = 0
    """Answers that were scored and have a likeliest choice."""
    agreement: Number = None
    """Share of these whose likeliest choice says what was generated, 0-1."""
    difference: Number = None
    """Mean absolute difference between expected and generated score, in points; null where choices have labels."""
    entropy: Number = None
    """Mean entropy over the choices, in bits."""
    max_entropy: Number = None
    """Entropy if all choices were equally likely, in bits."""
    mass: Number = None
    """Mean probability on the declared choices, 0-1, the answers with too little included."""


class CalibrationPoint(Record):
    """One band of scores."""

    predicted: Number
    """Mean score in the band / 100."""
    observed: Estimate
    """Share of undamaged images among those scored in the band."""
    n_images: int = 0
    """Pictures scored in this band, clean and degraded."""
    n_clusters: int = 0
    """Patients behind them."""


class CalibrationCurve(Record):
    """The score read as the chance that an image is undamaged; for information, no verdict rests on it.

    Every image counts twice, clean and once degraded, so that half of the pictures are undamaged.
    """

    modality: str
    """Modality, or ``all``."""
    levels: list[int] = []
    """Of the degraded pictures; perturbation and level are drawn for each image by the protocol's seed."""
    n_images: int = 0
    """Images scored both clean and degraded."""
    n_clusters: int = 0
    n_missing: int = 0
    """Images left out because one of the two answers gave no score."""
    error: Number = None
    """Expected calibration error: mean distance between predicted and observed, 0-1."""
    by_chance: Number = None
    """The error that a perfectly calibrated model with these scores would exceed one time in twenty."""
    points: list[CalibrationPoint] = []


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
