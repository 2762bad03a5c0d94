"""How numbers, names and foreign text are written, the same in every table, figure and terminal line."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from auditkit.evidence import Audit, Cell, Estimate, Verdict

MINUS = "−"
DASH = "–"
NO_VALUE = "not measured"
OVERALL = "all"

# Icon for terminals and charts; pages draw the same shapes as inline SVG. Shape differs as well as colour.
SYMBOLS: dict[Verdict, str] = {"PASS": "✓", "FAIL": "✗", "INCONCLUSIVE": "?", "ERROR": "!"}
VERDICT_ORDER: tuple[Verdict, ...] = ("PASS", "FAIL", "INCONCLUSIVE", "ERROR")

OUTCOME_NAMES: dict[str, str] = {
    "scored": "Scored",
    "refused": "Refused",
    "unparsed": "Not readable",
    "out_of_range": "Outside the scale",
    "truncated": "Cut off",
    "error": "Error",
}

_MODALITIES = {
    "xray": "X-ray",
    "ct": "CT",
    "mr": "MR",
    "oct": "OCT",
    "nuclear": "Nuclear medicine",
    OVERALL: "All modalities",
}

# Not strftime's %B, which follows the machine's locale.
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip

_SUSPECT = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ud800-\udfff\ufeff\ufffe\uffff"
    "\U000e0000-\U000e007f]"
)


def modality_name(modality: str) -> str:
    """Return a modality's name for people; names that are not known are shown as they are."""
    known = _MODALITIES.get(modality)
    return known or modality[:1].upper() + modality[1:].replace("_", " ")


def plain_name(identifier: str) -> str:
    """Turn an identifier such as ``gaussian_noise`` into words (``Gaussian noise``)."""
    words = re.sub(r"[_\-.]+", " ", identifier).strip()
    return words[:1].upper() + words[1:]


def _mark(match: re.Match[str]) -> str:
    # Not the control pictures of Unicode (U+2400 and on): few fonts have them, and a box says nothing.
    return f"⟨U+{ord(match.group()):04X}⟩"


def audit_name(audit: Audit) -> str:
    """Return an audit's title; where the title is only the id (or missing), the id in words without its category."""
    subject = audit.id.split("/", 1)[-1]
    if audit.title and audit.title not in (subject, audit.id):
        return audit.title
    return plain_name(subject.rpartition(".")[2]) or audit.id


def visible(text: str) -> str:
    """Make control, bidirectional, zero-width and surrogate characters visible, and keep line ends and tabs.

    What a model or a file name says is shown, never obeyed: a right-to-left override must not be able to turn a
    sentence of the report around, and a NUL must not end it.
    """
    return _SUSPECT.sub(_mark, text.replace("\r\n", "\n"))


def shortened(text: str, limit: int = 240) -> str:
    """Return raw text made visible and cut at `limit` characters, saying how long it was."""
    shown = visible(text[: limit * 2])
    if len(text) <= limit and len(shown) <= limit * 2:
        return shown
    return f"{shown[:limit].rstrip()} … [{whole(len(text))} characters in all]"


def cut(text: str, limit: int) -> str:
    """Cut a name to `limit` characters with an ellipsis, for places of fixed width; a table near by has it in full."""
    shown = " ".join(visible(text[:400]).split())
    return shown if len(shown) <= limit else shown[: limit - 1].rstrip() + "…"


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
    """Write a p-value: three decimals, ``< 0.001`` below."""
    if value is None:
        return DASH
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


class Scale:
    """How the numbers of one unit are written.

    Parameters
    ----------
    unit : str
        Unit of the record: ``points``, ``points per severity step``, ``AUROC``, ``share`` or anything else.
    signed : bool
        Whether the number is a change (written with its sign) or a level.
    """

    def __init__(self, unit: str, *, signed: bool) -> None:
        self.unit = unit
        self.signed = signed
        self.factor = 100.0 if unit == "share" else 1.0
        self.digits = {"AUROC": 2, "correlation": 2, "cosine": 3}.get(unit, 1)
        if unit == "share":
            self.label = "percentage points" if signed else "%"
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
        return f"{text} ({level}interval {interval})" if interval else text

    def with_unit(self, value: float | None) -> str:
        """Write one number with its unit."""
        if value is None:
            return NO_VALUE
        number = self.number(value)
        return f"AUROC {number}" if self.unit == "AUROC" else f"{number} {self.label}"


def scale_of(audit: Audit) -> Scale:
    """Return how an audit's numbers are written: changes with their sign, levels without."""
    levels = audit.gate in {"rate", "agreement", "discrimination"} or audit.estimate.unit == "AUROC"
    return Scale(audit.estimate.unit, signed=not levels)


def region(item: Cell | None, audit: Audit) -> tuple[float | None, float | None]:
    """Return the acceptance region (low, high) of a cell, or of the audit when it is the same for its cells."""
    if item is not None:
        return item.margin_low, item.margin_high
    regions = {(cell.margin_low, cell.margin_high) for cell in audit.by_modality if cell.required}
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


def moment(text: str) -> str:
    """Write an ISO 8601 time as ``22 November 2026, 01:40 UTC``; what is no time is shown as it is."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return text
    time = time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    return f"{time.day} {_MONTHS[time.month - 1]} {time.year}, {time:%H:%M} UTC"


def duration(seconds: float | None) -> str:
    """Write a duration in seconds or minutes."""
    if seconds is None:
        return DASH
    return f"{seconds:.1f} s" if seconds < 90 else f"{seconds / 60:.1f} min"
