"""What is shown for information: calibration, subgroups, probabilities. No verdict rests on it."""

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
