"""What an audit accepts, in words, and how its numbers are written."""

from __future__ import annotations

from collections.abc import Mapping

from auditkit.evidence import ALL, Audit, Cell
from auditkit.words.names import plain_name
from auditkit.words.numbers import PER_STEP, Scale

_RIGHT = {
    "correct": ("Share of right answers", "Difference of right answers"),
    "above_chance": ("From guessing (0) to always right", "Difference, from guessing to always right"),
}
"""Axes by quantity: of levels, of changes."""


def scale_of(audit: Audit) -> Scale:
    """Return how an audit's numbers are written: changes with their sign, levels without."""
    return Scale(audit.unit, signed=audit.change or bool(audit.between))


def scale_in(cell: Cell, audit: Audit) -> Scale:
    """Return how a cell's numbers are written: where levels are compared, only the gap between them is a change."""
    return Scale(audit.unit, signed=audit.change or (bool(audit.between) and cell.stratum.level == ALL))


def region(item: Cell | None, audit: Audit) -> tuple[float | None, float | None]:
    """Return the acceptance region (low, high) of a cell, or of the audit where all its required cells share one."""
    if item is not None:
        return item.margin_low, item.margin_high
    regions = {(cell.margin_low, cell.margin_high) for cell in audit.parts if cell.required}
    return next(iter(regions)) if len(regions) == 1 else (None, None)


def region_words(low: float | None, high: float | None, scale: Scale) -> str:
    """Say what the acceptance region is, in words."""
    if low is None and high is None:
        return "none declared"
    if low is None:
        return f"at most {scale.with_unit(high)}"
    if high is None:
        return f"at least {scale.with_unit(low)}"
    return f"{scale.number(low)} to {scale.with_unit(high)}"


def limit_words(audit: Audit) -> str:
    """Say what the protocol asks of an audit: ``within ±5.0 points, in each ±10.0``; empty where there is no limit."""
    return declared_words(audit.verb, audit.limit, audit.unit, change=audit.change)


def declared_words(verb: str, limit: Mapping[str, float], unit: str, *, change: bool = False) -> str:
    """Say what is declared: the limit under its verb and, where each level has one of its own, under ``in_each``.

    ``change`` is whether a difference is limited: of shares it has percentage points.
    """
    if verb not in limit:
        return ""
    scale, sign = Scale(unit, signed=False), "±" if verb == "within" else ""
    words = scale.with_unit(limit[verb])
    if unit == "share":
        words = f"{scale.number(limit[verb])} {Scale(unit, signed=change or verb == 'within').label}"
    text = f"{verb.replace('_', ' ')} {sign}{words}"
    text = f"{text}, in each {sign}{scale.number(limit['in_each'])}" if "in_each" in limit else text
    return f"{text}, moving {Scale('points', signed=False).with_unit(limit['moves'])}" if "moves" in limit else text


def axis_words(audit: Audit) -> str:
    """Say what an audit's estimate is, as the name of an axis: ``Change of the score``."""
    if audit.statistic == "worsening":
        return "Worse than the earlier run by"
    if audit.unit == PER_STEP:
        return "Fall of the score"
    if audit.unit == "points":
        return "Change of the score" if audit.change else "Score"
    if audit.quantity in _RIGHT:
        return _RIGHT[audit.quantity][audit.change]
    if audit.unit == "share":
        return "Difference of rates" if audit.change else "Share of answers"
    if audit.unit == "AUROC":
        return "Area under the ROC curve"
    return plain_name(f"difference in {audit.quantity}" if audit.change else audit.quantity)
