"""A decision before the correction for multiplicity."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from auditkit.evidence import Estimate, Expected, Outcomes
from auditkit.vocabulary import Condition


class Adverse(NamedTuple):
    """An answer that speaks against the model.

    Attributes
    ----------
    image : int
        Index of the image.
    condition : Condition
        Under which it was asked.
    template : str
        In which words, and what it is compared with (``control``), where not the comparison's own template.
    """

    image: int
    condition: Condition
    template: str = ""
    control: str = ""


@dataclass(slots=True)
class Draft:
    """What one gate found in one modality (and severity); `auditkit.judge.judge` makes a `Cell` of it.

    Attributes
    ----------
    modality, condition : str
        Where it was looked.
    estimate : Estimate
        With its interval.
    met : bool
        The criterion is shown to be met.
    p_pass, p_fail : float
        One-sided p-values, uncorrected; 1 when a claim is impossible.
    required : bool
        False for what is shown for information.
    obstacle : str
        Why a PASS is impossible although the interval would allow one (too few patients, missing scores, the tail).
    shortfall : str
        What a FAIL would say, in words.
    settle : callable, optional
        From the level that a FAIL takes to the number of patients that would likely settle the question.
    adverse : list of Adverse
        Answers that speak most against the model.
    """

    modality: str
    condition: str
    estimate: Estimate
    met: bool
    p_pass: float
    p_fail: float
    margin_low: float | None = None
    margin_high: float | None = None
    required: bool = True
    obstacle: str = ""
    shortfall: str = ""
    n_images: int = 0
    n_clusters: int = 0
    outcomes: Outcomes = field(default_factory=Outcomes)
    control_outcomes: Outcomes = field(default_factory=Outcomes)
    expected: Expected | None = None
    tail: Estimate | None = None
    worst_case: Estimate | None = None
    sd: float | None = None
    mde: float | None = None
    settle: Callable[[float], int | None] | None = None
    rule: str = ""
    adverse: list[Adverse] = field(default_factory=list)
