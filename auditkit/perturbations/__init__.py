"""What can be done to an item before it is asked about: to its pictures, to the words, or to the asking.

The catalogue is data (``catalogue.toml`` holds what is done to pictures, ``sentences.toml`` the sentences about
circumstances, ``statements.toml`` what others are said to have answered) and is read with the standard library alone,
because audits name perturbations while pytest collects them. The pixel work is in `auditkit.perturbations.apply`, which
imports NumPy.
"""

from __future__ import annotations

from auditkit.perturbations.declared import read_entries
from auditkit.perturbations.entry import (
    EXPECTATIONS,
    STAGES,
    Entry,
    Expectation,
    PerturbationError,
    PictureTooSmall,
    Stage,
)
from auditkit.perturbations.loading import law
from auditkit.perturbations.sentences import Level, Placebo, levels, placebos
from auditkit.perturbations.shipped import SEVERITIES, corruptions, shipped
from auditkit.perturbations.statements import Statement, statements

__all__ = [
    "EXPECTATIONS",
    "SEVERITIES",
    "STAGES",
    "Entry",
    "Expectation",
    "Level",
    "PerturbationError",
    "PictureTooSmall",
    "Placebo",
    "Stage",
    "Statement",
    "corruptions",
    "law",
    "levels",
    "placebos",
    "read_entries",
    "shipped",
    "statements",
]
