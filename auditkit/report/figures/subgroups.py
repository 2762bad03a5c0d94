"""Numbers by the levels of one column: up to three small forests side by side, one row per level."""

from __future__ import annotations

from collections.abc import Sequence

from auditkit.evidence import Cell, Estimate
from auditkit.report.figures.charts import ends, level_words, n_words
from auditkit.report.figures.svg import PLAIN, SMALL, WIDTH, Axis, Chart, Drawing, fitted, round_numbers, text_width
from auditkit.report.gaps import TOO_FEW, Gap, Groups
from auditkit.words import MINUS, NO_VALUE, Scale, whole

PANELS = 3
"""Numbers that have room side by side."""
_EDGE, _BETWEEN = 8, 16
_ROW = 40
_NUMBER = 34  # pixels to the right of each interval, for the value
_FEW = "too few"
_SPANS = {"points": 20.0, "points per severity step": 4.0, "share": 0.1}
"""Least span of an axis by unit, so that a small difference is not drawn as a large one."""
_ENDS = {("score", "points"): (0.0, 100.0)}


def subgroup_forest(group: Groups, key: str) -> Chart | None:
    """Draw every number of each level with its interval.

    Parameters
    ----------
    group : Groups
        At most `PANELS` numbers. Levels with fewer patients than the protocol asks for are drawn faint and marked so;
        their wide intervals do not stretch the axes and get arrows.
    key : str
        Unique within the page.

    Returns
    -------
    Chart or None
        None where the column has no level.
    """
    if not group.levels:
        return None
    wide = (WIDTH - 2 * _EDGE - (PANELS - 1) * _BETWEEN) / PANELS
    foot = 24 + _ROW * len(group.levels)
    drawing = Drawing(foot + 22)
    axes = []
    for index, gap in enumerate(group.gaps):
        left = _EDGE + index * (wide + _BETWEEN)
        x = _axis(gap, left, left + wide - _NUMBER)
        axes.append(x)
        head = f"{gap.name}, %" if gap.scale.label == "%" else gap.name
        head = head if text_width(head, PLAIN, bold=True) <= wide else gap.name
        drawing.text(left, 10, fitted(head, wide, PLAIN, bold=True), PLAIN, bold=True)
        drawing.text(x.start, foot + 11, _tick(x.low, gap.scale), SMALL, role="muted")
        drawing.text(x.end, foot + 11, _tick(x.high, gap.scale), SMALL, anchor="end", role="muted")
    for row, level in enumerate(group.levels):
        _row(drawing, 24 + row * _ROW, level, group, axes)
    title = f"Results by {group.name[:1].lower() + group.name[1:]}"
    description = _words(group)
    estimates = [c.estimate for gap in group.gaps for c in gap.cells.values() if c.estimate.value is not None]
    rests = "For information; no verdict rests on it."
    if group.held:
        rests = f"Held to a limit is the difference between levels. {'; '.join(group.held)}."
    named = "; ".join(f"{gap.name}, {gap.scale.label}" for gap in group.gaps)
    caption = (
        f"Estimates with {level_words(estimates)}, {n_words(group.of(level) for level in group.levels)} per level: "
        f"{named}. {rests}"
    )
    header = (
        group.name, *(f"{gap.name}, {gap.scale.label}" for gap in group.gaps), "Images", "Patients", "Note",
    )  # fmt: skip
    rows = [
        (
            level,
            *(gap.scale.short(_estimate(gap, level)) for gap in group.gaps),
            *map(whole, group.of(level)),
            _FEW if _all_few(group, level) else "",
        )
        for level in group.levels
    ]
    return Chart(key, drawing.inline(key, title, description), title, description, caption, header, rows)


def _estimate(gap: Gap, level: str) -> Estimate:
    return gap.cells[level].estimate if level in gap.cells else Estimate()


def _few(cell: Cell | None) -> bool:
    return cell is None or cell.rule == TOO_FEW


def _all_few(group: Groups, level: str) -> bool:
    """Whether a level is too small for every number."""
    return all(_few(gap.cells.get(level)) for gap in group.gaps)


def _axis(gap: Gap, start: float, end: float) -> Axis:
    """Return round limits that hold every value and the large levels' intervals, at least the unit's span apart."""
    large = [cell for cell in gap.cells.values() if not _few(cell)] or list(gap.cells.values())
    drawn = [e for cell in large if (span := ends(cell.estimate)) for e in span[1:]]
    drawn += [span[0] for cell in gap.cells.values() if (span := ends(cell.estimate))]
    floor, ceiling = _limits(gap)
    low = min(drawn, default=floor or 0.0)
    high = max(drawn, default=low)
    least = _SPANS.get(gap.audit.unit) or 0.2 * max(abs(low), abs(high)) or 1.0
    short = max(least - (high - low), 0.0) / 2
    low, high = low - short, high + short
    if floor is not None and low < floor:
        low, high = floor, high + floor - low
    if ceiling is not None and high > ceiling:
        low, high = low + ceiling - high, ceiling
    numbers = round_numbers(low, high, 4)
    first = numbers[0] if floor is None else max(numbers[0], floor)
    last = numbers[-1] if ceiling is None else min(numbers[-1], ceiling)
    return Axis(first, last, start, end)


def _limits(gap: Gap) -> tuple[float | None, float | None]:
    """Return the ends that a level's number cannot pass: a change may lie to either side of zero."""
    if gap.audit.change:
        return None, None
    if gap.audit.unit == "share":
        return 0.0, 1.0
    return _ENDS.get((gap.audit.quantity, gap.audit.unit), (None, None))


def _tick(value: float, scale: Scale) -> str:
    number = f"{abs(value * scale.factor):g}"
    return (MINUS if value < 0 else "+" if scale.signed and value > 0 else "") + number


def _row(drawing: Drawing, top: float, level: str, group: Groups, axes: Sequence[Axis]) -> None:
    images, patients = group.of(level)
    n = f"n = {whole(images)} of {whole(patients)}" + (f", {_FEW}" if _all_few(group, level) else "")
    room = WIDTH - 2 * _EDGE - text_width(n, SMALL) - 8
    drawing.text(_EDGE, top + 9, fitted(level, room, PLAIN, bold=True), PLAIN, bold=True)
    drawing.text(WIDTH - _EDGE, top + 9, n, SMALL, anchor="end", role="muted")
    middle = top + 26
    for gap, x in zip(group.gaps, axes, strict=True):
        span, small = ends(_estimate(gap, level)), _few(gap.cells.get(level))
        if span is None:
            drawing.text(x.start, middle, NO_VALUE, SMALL, role="muted")
            continue
        role = "faint" if small else "accent"
        drawing.lines([(at, middle - 6, at, middle + 6) for at in (x.start, x.end)], "grid", 1)
        if x.low < 0 < x.high:
            drawing.lines([(x(0), middle - 6, x(0), middle + 6)], "edge", 1, "2 2")
        drawing.lines([(x.clipped(span[1]), middle, x.clipped(span[2]), middle)], role, 1.8, "2 2" if small else "")
        drawing.markers("disc", [(x(span[0]), middle)], 7, "muted" if small else "accent", hollow=small)
        drawing.text(x.end + _NUMBER, middle, gap.scale.number(span[0]), SMALL, anchor="end")
        if span[1] < x.low:
            drawing.markers("left", [(x.start, middle)], 6, role)
        if span[2] > x.high:
            drawing.markers("right", [(x.end, middle)], 6, role)


def _words(group: Groups) -> str:
    parts = []
    for level in group.levels:
        numbers = ", ".join(f"{gap.name} {gap.scale.short(_estimate(gap, level))}" for gap in group.gaps)
        note = f", {_FEW} patients" if _all_few(group, level) else ""
        parts.append(f"{level}{note}: {numbers}")
    told = [
        f"{gap.name}, {'furthest from a pass' if gap.held else 'largest gap'}: {gap.sentence}"
        for gap in group.gaps
        if gap.found
    ]
    return " ".join(["; ".join(parts) + ".", *told])
