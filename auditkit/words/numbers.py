"""Numbers with sign and unit, intervals, counts and p-values: written in one way everywhere."""

from __future__ import annotations

import math

from auditkit.evidence import Estimate

MINUS = "−"
DASH = "–"
NO_VALUE = "not measured"
PER_STEP = "points per severity step"
"""A fall of the score: counted downwards, so that a model that reacts has a positive number."""


_DIGITS = {"AUROC": 2, "Brier": 3, "correlation": 2, "cosine": 3, "kappa": 2, "norms": 3, "ratio": 2}
"""Decimals by unit."""
_BEFORE = ("AUROC", "Brier", "kappa", "ratio")
"""Units that are written before their number."""
_POINTS_OF_SHARES = "percentage points"
"""Unit of a difference of two shares: per cent of either would be another number."""


def whole(number: int) -> str:
    """Write a count with separators: ``13,204``."""
    return f"{number:,}"


def count(number: int, singular: str, plural: str | None = None) -> str:
    """Write a count with its noun: ``1 image``, ``13,204 images``."""
    return f"{whole(number)} {singular if number == 1 else plural or singular + 's'}"


def fixed(value: float | None, digits: int = 1, *, signed: bool = False) -> str:
    """Write a number with fixed digits and a true minus sign; ``None`` is a dash and zero carries no sign."""
    if value is None:
        return DASH
    text = f"{abs(value):.{digits}f}"
    if not float(text):
        return text
    return (MINUS if value < 0 else "+" if signed else "") + text


def percent(value: float | None, digits: int = 1) -> str:
    """Write a share between 0 and 1 in per cent; what is not all or not nothing is never rounded to it."""
    if value is None:
        return DASH
    text, step = fixed(100 * value, digits), 10.0**-digits
    if 0 < value < 1 and float(text) in (0, 100):
        return f"< {fixed(step, digits)} %" if value < 0.5 else f"> {fixed(100 - step, digits)} %"
    return f"{text} %"


def p_value(value: float | None) -> str:
    """Write a p-value for a table: three decimals, ``< 0.001`` below; ``None`` is a dash."""
    if value is None:
        return DASH
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def p_equals(value: float) -> str:
    """Write a p-value for a sentence: ``p = 0.012``, ``p < 0.001``."""
    text = p_value(value)
    return f"p {text}" if text.startswith("<") else f"p = {text}"


def patients(n: int) -> str:
    """Write a number of clusters: ``1 patient``, ``13,204 patients``."""
    return count(n, "patient")


def number(value: float | None, unit: str, *, signed: bool | None = None) -> str:
    """Write a value for a sentence: points with one decimal, shares in per cent, cosines with three decimals, else two.

    A signed share is a difference of shares; its unit, percentage points, is said once after its interval.

    Parameters
    ----------
    value : float or None
        Finite, else it was not measured.
    unit : str
        Unit of the record, as in `Estimate`.
    signed : bool, optional
        Whether to write a plus. Default: for changes of points; a fall per severity step reads as an amount.
    """
    if value is None or not math.isfinite(value):
        return NO_VALUE
    signed = unit == "points" if signed is None else signed
    if unit == "share":
        return fixed(100 * value, 1, signed=True) if signed else f"{fixed(100 * value, 1)} %"
    return fixed(value, _digits(unit), signed=signed)


def _digits(unit: str) -> int:
    return 1 if unit == "share" or unit.startswith("points") else _DIGITS.get(unit, 2)


def interval(estimate: Estimate, *, signed: bool | None = None) -> str:
    """Write an estimate with its interval and unit for a sentence: ``+0.4 [−0.9, +1.7] points``.

    Parameters
    ----------
    estimate : Estimate
        With its unit; without ends the value stands alone.
    signed : bool, optional
        As in `number`.
    """
    if estimate.value is None:
        return NO_VALUE
    text = number(estimate.value, estimate.unit, signed=signed)
    if estimate.low is not None or estimate.high is not None:
        ends = (number(end, estimate.unit, signed=signed) for end in (estimate.low, estimate.high))
        text = f"{text} [{', '.join(ends)}]"
    if estimate.unit in ("share", ""):
        return f"{text} {_POINTS_OF_SHARES}" if estimate.unit and signed else text
    if estimate.unit == PER_STEP and not signed:
        return f"falls by {text} {estimate.unit}"
    return f"{estimate.unit} {text}" if estimate.unit in _BEFORE else f"{text} {estimate.unit}"


class Scale:
    """How the numbers of one unit are written.

    Parameters
    ----------
    unit : str
        Unit of the record, as in `Estimate`.
    signed : bool
        Whether the number is a change (written with its sign) or a level.
    """

    def __init__(self, unit: str, *, signed: bool) -> None:
        self.unit = unit
        self.signed = signed
        self.factor = 100.0 if unit == "share" else 1.0
        self.digits = _digits(unit)
        if unit == "share":
            self.label = _POINTS_OF_SHARES if signed else "%"
        else:
            self.label = unit

    def number(self, value: float | None) -> str:
        """Write one number without its unit."""
        return fixed(None if value is None else value * self.factor, self.digits, signed=self.signed)

    def interval(self, estimate: Estimate) -> str:
        """Write the interval without value and unit: ``−0.9 to +1.7``; empty when there is none."""
        if estimate.low is None and estimate.high is None:
            return ""
        return f"{self.number(estimate.low)} to {self.number(estimate.high)}"

    def short(self, estimate: Estimate) -> str:
        """Write value and interval without the unit, except per cent: ``+0.4 (−0.9 to +1.7)``."""
        if estimate.value is None:
            return NO_VALUE
        interval = self.interval(estimate)
        number = self.number(estimate.value) + (" %" if self.label == "%" else "")
        return f"{number} ({interval})" if interval else number

    def full(self, estimate: Estimate) -> str:
        """Write value, unit, interval and its level: ``+0.4 points (90 % interval −0.9 to +1.7)``."""
        if estimate.value is None:
            return NO_VALUE
        interval = self.interval(estimate)
        level = "" if estimate.level is None else f"{round(100 * estimate.level, 1):g} % "
        text = self.with_unit(estimate.value)
        if self.unit == PER_STEP and not self.signed:
            text = f"falls by {text}"
        return f"{text} ({level}interval {interval})" if interval else text

    def with_unit(self, value: float | None) -> str:
        """Write one number with its unit."""
        if value is None:
            return NO_VALUE
        number = self.number(value)
        return f"{self.unit} {number}" if self.unit in _BEFORE and not self.signed else f"{number} {self.label}"
