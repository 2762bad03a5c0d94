"""What is counted of a judged audit: its verdicts, and the intervals that miss the truth."""

from __future__ import annotations

import math
from collections import Counter

from auditkit.evidence import Audit, Estimate
from auditkit.protocol.effects import PER_STEP
from validation.models import Gaps, Jumping, Shifting
from validation.setting import Missing, Situation

FALLS = f"points per {PER_STEP}"
"""Unit of what counts downwards."""


def verdicts_of(audit: Audit, what: Situation) -> Counter[str]:
    """Count the verdict of the audit, and those of its cells that lie on the margin."""
    cells = [cell for cell in audit.parts if cell.required]
    on_margin = [cell for cell in cells if what.on_margin(cell)]
    return Counter(
        {
            f"audit {audit.verdict}": 1,
            "decisions": len(on_margin),
            "decisions PASS": sum(cell.verdict == "PASS" for cell in on_margin),
            "any FAIL": any(cell.verdict == "FAIL" for cell in cells),
        }
    )


def misses_of(audit: Audit, what: Situation, missing: Missing) -> Counter[str]:
    """Count every interval that the report shows, and those that lie wholly below or above the truth.

    A fall is counted as the change that it is, a negative one: its intervals and those of other changes of the score
    then miss to the same side for the same reason.
    """
    counts: Counter[str] = Counter()
    for_a_reason = missing in ("worst", "best")
    sign = -1 if audit.unit == FALLS else 1
    for cell in audit.parts:
        truth = sign * what.value(cell)
        if not for_a_reason:  # the others' mean is not the mean of all
            _miss(counts, "estimate", _turned(cell.estimate, sign), truth)
        # The worst case is meant to be too bad: only a truth that is worse still is a miss. Where the best are gone,
        # what is left is too bad already.
        if missing != "best":
            _miss(counts, "worst case", _turned(cell.worst_case, sign), truth, below=audit.unit != "AUROC")
        _miss(counts, "excess of jumps", cell.tail, what.tail)
    if what.change is None or for_a_reason:
        return counts
    reader = what.behaviour
    for point in audit.series:
        change = what.change(point.level)
        if isinstance(reader, Gaps):  # at random: the means are those of all
            reader = reader.inner
        if isinstance(reader, Shifting):
            _miss(counts, "score of a severity", point.score, reader.mean(change))
            _miss(counts, "change of a severity", point.change, reader.mean(change) - reader.mean(0.0))
            _miss(counts, "AUROC of a severity", point.auroc, reader.auroc(change))
        elif isinstance(reader, Jumping):
            _miss(counts, "score of a severity", point.score, reader.base + change)
            _miss(counts, "change of a severity", point.change, change)
    return counts


def _turned(interval: Estimate | None, sign: int) -> Estimate | None:
    if interval is None or sign > 0:
        return interval
    value, low, high = (None if end is None else -end for end in (interval.value, interval.high, interval.low))
    return interval.model_copy(update={"value": value, "low": low, "high": high})


def _miss(counts: Counter[str], name: str, interval: Estimate | None, truth: float, *, below: bool = True) -> None:
    if interval is None or interval.value is None or math.isnan(truth):
        return
    low = -math.inf if interval.low is None else interval.low
    high = math.inf if interval.high is None else interval.high
    counts[f"{name}, intervals"] += 1
    # The record rounds to 6 digits: an end that is the truth must not miss it by rounding.
    counts[f"{name}, below"] += below and high < truth - 1e-6
    counts[f"{name}, above"] += low > truth + 1e-6
