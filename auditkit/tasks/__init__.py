"""What is asked of a model, in which words, and how its answers are read.

The wording is data: ``tasks.toml`` holds the questions. This package imports only the standard library, so audits can
be collected without a heavy import.
"""

from __future__ import annotations

from auditkit.tasks.choice import Option
from auditkit.tasks.declared import PACKS, inside, pack, read_tasks, shipped
from auditkit.tasks.declared_scorers import scorer_of
from auditkit.tasks.expected import (
    CHANCE,
    OF_PROBABILITIES,
    READINGS,
    Expectation,
    Reading,
    classes,
    expect,
    is_of_probabilities,
    of_choices,
    of_probabilities,
)
from auditkit.tasks.quantity import (
    ABOVE_CHANCE,
    BRIER,
    CONFIDENCE,
    CORRECT,
    DISTANCE,
    FLAGGED,
    LIKELIEST_CORRECT,
    OF_CHOICES,
    OTHERS,
    SCORE,
    SHARES,
    Quantity,
)
from auditkit.tasks.reading import read
from auditkit.tasks.score import OUTCOMES, Outcome, Score, error_score
from auditkit.tasks.scorers import FORMATS, Choice, Finding, Format, Points, Scorer
from auditkit.tasks.task import Task
from auditkit.tasks.wording import MAX_NEW_TOKENS, SLOT, Prompt, Wording

__all__ = [
    "ABOVE_CHANCE",
    "BRIER",
    "CHANCE",
    "CONFIDENCE",
    "CORRECT",
    "DISTANCE",
    "FLAGGED",
    "FORMATS",
    "LIKELIEST_CORRECT",
    "MAX_NEW_TOKENS",
    "OF_CHOICES",
    "OF_PROBABILITIES",
    "OTHERS",
    "OUTCOMES",
    "PACKS",
    "READINGS",
    "SCORE",
    "SHARES",
    "SLOT",
    "Choice",
    "Expectation",
    "Finding",
    "Format",
    "Option",
    "Outcome",
    "Points",
    "Prompt",
    "Quantity",
    "Reading",
    "Score",
    "Scorer",
    "Task",
    "Wording",
    "classes",
    "error_score",
    "expect",
    "inside",
    "is_of_probabilities",
    "of_choices",
    "of_probabilities",
    "pack",
    "read",
    "read_tasks",
    "scorer_of",
    "shipped",
]
