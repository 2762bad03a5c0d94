"""Numbers and counts as they stand in the record: rounded on entry, NaN as null, nothing unknown let in."""

from __future__ import annotations

import math
import numbers
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict

ROUND = 6

Verdict = Literal["PASS", "FAIL", "INCONCLUSIVE", "ERROR"]
VERDICTS: tuple[Verdict, ...] = ("FAIL", "ERROR", "INCONCLUSIVE", "PASS")


def _rounded(value: object) -> object:
    """NaN and infinities have no place in JSON: they become null; other floats are rounded."""
    if value is None or isinstance(value, int):
        return value
    if isinstance(value, float | numbers.Real):  # NumPy's float32 is no float; asking for that first would take longer
        return round(float(value), ROUND) + 0.0 if math.isfinite(value) else None
    return value


Number = Annotated[float | None, BeforeValidator(_rounded)]


class Record(BaseModel):
    """Base: unknown keys are refused, so that a typing error cannot hide a number."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Estimate(Record):
    """A number with its interval."""

    value: Number = None
    """Point estimate; null when nothing could be measured."""
    low: Number = None
    """Lower end of the two-sided interval."""
    high: Number = None
    """Upper end of the two-sided interval."""
    level: Number = None
    """Confidence level of the interval, 1 - 2 alpha."""
    unit: str = "points"
    """``points`` (of 0-100), ``points per severity step``, ``AUROC``, ``share``, ``cosine``, ``correlation``,
    ``ratio``, ``kappa``, ``Brier``."""


class Outcomes(Record):
    """How many answers ended how. Nothing is dropped: the seven sum to the number of answers asked for."""

    scored: int = 0
    """Parsed without doubt and within the range."""
    refused: int = 0
    """The model declined."""
    no_image: int = 0
    """The model said that it was given no image, whatever score it gave beside that."""
    unparsed: int = 0
    """No answer in the declared format, or more than one."""
    out_of_range: int = 0
    """An answer outside the declared scale."""
    truncated: int = 0
    """Cut off before an answer was complete."""
    error: int = 0
    """The model raised, hung or returned nothing; asked again on the next run."""

    @property
    def total(self) -> int:
        return sum(getattr(self, name) for name in Outcomes.model_fields)

    def __add__(self, other: Outcomes) -> Outcomes:
        return Outcomes(**{k: getattr(self, k) + getattr(other, k) for k in Outcomes.model_fields})
