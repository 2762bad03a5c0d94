"""A decision before the correction for multiplicity."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from auditkit.evidence import Estimate, Expected, Outcomes
from auditkit.measure.columns import ALL, Stratum
from auditkit.vocabulary import Question

SHOWN_CASES = 4


class WorstCase(NamedTuple):
    """An answer that speaks against the model.

    Attributes
    ----------
    item : int
        Index of the item.
    treated : Question
        What was asked.
    control : Question or None
        What it is compared with.
    """

    item: int
    treated: Question
    control: Question | None = None


@dataclass(slots=True)
class Draft:
    """What one procedure found in one stratum and part; `auditkit.judge.judge` makes a `Cell` of it.

    Attributes
    ----------
    stratum : Stratum
        Which items were looked at.
    part : str
        Label of the effect's part.
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
    needed : int
        Where the patients at hand are too few for a PASS, whatever they vary by: how many would be enough at least, as
        the obstacle says. 0 elsewhere.
    remedy : str
        What to do about the obstacle, where more patients would not help.
    unidentified : int
        Images that count as a patient each because neither patient nor study is known.
    shortfall : str
        What a FAIL would say, in words.
    settle : callable, optional
        From the level that a FAIL takes to the number of patients that would likely settle the question.
    worst_cases : list of WorstCase
        Answers that speak most against the model.
    shrunken : float or None
        The estimate drawn towards those of the other levels, for reading and planning.
    reference : float or None
        A number to see the estimate beside.
    remark : str
        What else is to be said of it, in sentences.
    signed : bool
        Whether the estimate is a change, which is written with its sign.
    named, counted : str
        What the number is, said before it, and what it counts, said after it; empty where the unit says enough.
    now, before : float or None
        Of a comparison with an earlier run: the audit's own estimate in the new and in the old run, over the same
        items.
    unchanged : bool
        Of such a comparison: every answer is the same as before.
    """

    stratum: Stratum
    part: str
    estimate: Estimate
    met: bool
    p_pass: float
    p_fail: float
    margin_low: float | None = None
    margin_high: float | None = None
    required: bool = True
    obstacle: str = ""
    needed: int = 0
    remedy: str = ""
    unidentified: int = 0
    shortfall: str = ""
    n_images: int = 0
    n_clusters: int = 0
    outcomes: Outcomes = field(default_factory=Outcomes)
    control_outcomes: Outcomes = field(default_factory=Outcomes)
    expected: Expected | None = None
    tail: Estimate | None = None
    worst_case: Estimate | None = None
    sd: float | None = None
    shrunken: float | None = None
    mde: float | None = None
    settle: Callable[[float], int | None] | None = None
    rule: str = ""
    worst_cases: list[WorstCase] = field(default_factory=list)
    reference: float | None = None
    remark: str = ""
    signed: bool = True
    named: str = ""
    counted: str = ""
    now: float | None = None
    before: float | None = None
    unchanged: bool = False

    @property
    def together(self) -> bool:
        """Whether it is about all items together."""
        return self.stratum[1] == ALL
