"""Results by one attribute of patients or equipment: three small forests side by side, one row per level."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from auditkit.evidence import Estimate, Subgroup, SubgroupLevel
from auditkit.report.figures.charts import ends, level_words, n_words
from auditkit.report.figures.svg import PLAIN, SMALL, WIDTH, Axis, Chart, Drawing, fitted, round_numbers, text_width
from auditkit.words import MINUS, Scale, plain_name, whole

_EDGE, _BETWEEN = 8, 16
_ROW = 40
_NUMBER = 34  # pixels to the right of each interval, for the value
_TOO_FEW = "too few"


@dataclass(frozen=True)
class _Panel:
    """One of the three columns: a field of `SubgroupLevel`, what it is called, and the least span of its axis."""

    field: str
    head: str
    column: str
    scale: Scale
    span: float
    floor: float | None = None
    ceiling: float | None = None

    def of(self, level: SubgroupLevel) -> Estimate:
        estimate: Estimate = getattr(level, self.field)
        return estimate


_POINTS = Scale("points", signed=False)
_PANELS = (
    _Panel("score", "Clean score", "Clean score, points", _POINTS, 20.0, 0.0, 100.0),
    _Panel("fall", "Falls by", "Falls by, points per severity step", _POINTS, 4.0),
    _Panel("unusable", "Unusable, %", "Unusable answers", Scale("share", signed=False), 0.1, 0.0, 1.0),
)


def subgroup_forest(subgroup: Subgroup, key: str) -> Chart | None:
    """Draw clean score, fall per severity step and share of unusable answers of each level, with intervals.

    Parameters
    ----------
    subgroup : Subgroup
        As in the record. Levels with fewer patients than the protocol asks for are drawn faint and marked so; their
        wide intervals do not stretch the axes and get arrows.
    key : str
        Unique within the page.

    Returns
    -------
    Chart or None
        None where the attribute has no level.
    """
    if not subgroup.levels:
        return None
    few = {level.level for level in subgroup.levels if level.too_few}
    large = [level for level in subgroup.levels if level.level not in few] or list(subgroup.levels)
    wide = (WIDTH - 2 * _EDGE - 2 * _BETWEEN) / len(_PANELS)
    foot = 24 + _ROW * len(subgroup.levels)
    drawing = Drawing(foot + 22)
    axes = []
    for index, panel in enumerate(_PANELS):
        left = _EDGE + index * (wide + _BETWEEN)
        x = _axis(panel, large, subgroup.levels, left, left + wide - _NUMBER)
        axes.append(x)
        drawing.text(left, 10, panel.head, PLAIN, bold=True)
        drawing.text(x.start, foot + 11, _tick(x.low, panel.scale), SMALL, role="muted")
        drawing.text(x.end, foot + 11, _tick(x.high, panel.scale), SMALL, anchor="end", role="muted")
    for row, level in enumerate(subgroup.levels):
        _row(drawing, 24 + row * _ROW, level, axes, small=level.level in few)
    name = plain_name(subgroup.attribute)
    title = f"Results by {name[:1].lower() + name[1:]}"
    description = _words(subgroup, few)
    estimates = [e for level in subgroup.levels for panel in _PANELS if (e := panel.of(level)).value is not None]
    caption = (
        f"Estimates with {level_words(estimates)}, {n_words((v.n_images, v.n_clusters) for v in subgroup.levels)} per "
        "level: mean score of clean images, and by how much it falls per severity step, in points; share of clean "
        f"images without a usable answer. For information; no verdict rests on it. {subgroup.sentence}"
    )
    rows = [
        (
            level.level,
            *(panel.scale.short(panel.of(level)) for panel in _PANELS),
            whole(level.n_images),
            whole(level.n_clusters),
            _TOO_FEW if level.level in few else "",
        )
        for level in subgroup.levels
    ]
    header = (name, *(panel.column for panel in _PANELS), "Images", "Patients", "Note")
    return Chart(key, drawing.inline(key, title, description), title, description, caption, header, rows)


def _axis(
    panel: _Panel, large: Sequence[SubgroupLevel], levels: Sequence[SubgroupLevel], start: float, end: float
) -> Axis:
    """Return round limits that hold every value and the large levels' intervals, at least `panel.span` apart."""
    drawn = [e for level in large if (span := ends(panel.of(level))) for e in span[1:]]
    drawn += [span[0] for level in levels if (span := ends(panel.of(level)))]
    low = min(drawn, default=panel.floor or 0.0)
    high = max(drawn, default=low)
    short = max(panel.span - (high - low), 0.0) / 2
    low, high = low - short, high + short
    if panel.floor is not None and low < panel.floor:
        low, high = panel.floor, high + panel.floor - low
    if panel.ceiling is not None and high > panel.ceiling:
        low, high = low + panel.ceiling - high, panel.ceiling
    numbers = round_numbers(low, high, 4)
    first = numbers[0] if panel.floor is None else max(numbers[0], panel.floor)
    last = numbers[-1] if panel.ceiling is None else min(numbers[-1], panel.ceiling)
    return Axis(first, last, start, end)


def _tick(value: float, scale: Scale) -> str:
    number = f"{abs(value * scale.factor):g}"
    return (MINUS if value < 0 else "+" if scale.signed and value > 0 else "") + number


def _row(drawing: Drawing, top: float, level: SubgroupLevel, axes: Sequence[Axis], *, small: bool) -> None:
    n = f"n = {whole(level.n_images)} of {whole(level.n_clusters)}" + (f", {_TOO_FEW}" if small else "")
    room = WIDTH - 2 * _EDGE - text_width(n, SMALL) - 8
    drawing.text(_EDGE, top + 9, fitted(level.level, room, PLAIN, bold=True), PLAIN, bold=True)
    drawing.text(WIDTH - _EDGE, top + 9, n, SMALL, anchor="end", role="muted")
    middle = top + 26
    for panel, x in zip(_PANELS, axes, strict=True):
        estimate = panel.of(level)
        span = ends(estimate)
        if span is None:
            drawing.text(x.start, middle, "not measured", SMALL, role="muted")
            continue
        role = "faint" if small else "accent"
        drawing.lines([(at, middle - 6, at, middle + 6) for at in (x.start, x.end)], "grid", 1)
        if x.low < 0 < x.high:
            drawing.lines([(x(0), middle - 6, x(0), middle + 6)], "edge", 1, "2 2")
        drawing.lines([(x.clipped(span[1]), middle, x.clipped(span[2]), middle)], role, 1.8, "2 2" if small else "")
        drawing.markers("disc", [(x(span[0]), middle)], 7, "muted" if small else "accent", hollow=small)
        drawing.text(x.end + _NUMBER, middle, panel.scale.number(span[0]), SMALL, anchor="end")
        if span[1] < x.low:
            drawing.markers("left", [(x.start, middle)], 6, role)
        if span[2] > x.high:
            drawing.markers("right", [(x.end, middle)], 6, role)


def _words(subgroup: Subgroup, few: set[str]) -> str:
    parts = []
    for level in subgroup.levels:
        score, fall, unusable = (panel.scale.short(panel.of(level)) for panel in _PANELS)
        note = f", {_TOO_FEW} patients" if level.level in few else ""
        parts.append(
            f"{level.level}{note}: clean score {score}, falls by {fall} per severity step, unusable {unusable}"
        )
    gap = (
        f" Largest difference between levels: {Scale('points', signed=True).full(subgroup.gap)}."
        if subgroup.gap
        else ""
    )
    return f"{'; '.join(parts)}.{gap}"
