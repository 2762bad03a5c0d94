"""Every answer of a run as a score or an outcome, image by image: what a baseline and a comparison are paired with."""

from __future__ import annotations

from auditkit.evidence.values import Record

NOT_ASKED, NO_SCORE = ".", "+"
OUTCOME_MARKS = {"refused": "r", "unparsed": "u", "out_of_range": "o", "truncated": "t", "error": "e"}
"""One letter per outcome that is no score."""


class ImageEntry(Record):
    """One image of the run."""

    id: str
    """Salted hash; the same wherever the salt (``AUDITKIT_SALT``) is."""
    cluster: str
    """Salted hash of the patient (or study, or file)."""
    modality: str
    synthetic: bool = False
    answers_sha256: str = ""
    """Over the raw answers to every question put about this image."""


class AnswerColumn(Record):
    """The answers of all images to one template under one condition."""

    template: str
    corruption: str = "clean"
    severity: int = 0
    context: str = "none"
    repeat: int = 0
    alone: bool = False
    marks: str
    """One mark per image, in the images' order, separated by blanks: the score in points of 0-100; ``+`` for an answer
    read whose options have no score; ``r`` refused, ``u`` unparsed, ``o`` out of range, ``t`` truncated, ``e`` error;
    ``.`` not asked."""


class Answers(Record):
    """The answers of a run without their texts, which stay in the store."""

    batch_size: int = 1
    """Nominal requests per call; part of every answer's key in the store."""
    images: list[ImageEntry] = []
    """Sorted by id."""
    columns: list[AnswerColumn] = []
    """Sorted by template and condition."""
    sha256: str = ""
    """Over the images' ids and their ``answers_sha256``."""
