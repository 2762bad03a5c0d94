"""Dose and response: how far each corruption changed the picture, as measured, against what the model then scored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from auditkit.evidence import ALL, Audit, Point
from auditkit.report.figures.charts import bars_of, ends, grid, heading, level_words, n_words
from auditkit.report.figures.svg import SMALL, WIDTH, Axis, Chart, Drawing, Shape, fitted, round_numbers, spread
from auditkit.words import Scale, audit_name, fixed, whole

# (marker, hollow, dashes, colour): no two lines share marker and filling until there are more than twelve.
_LINES: tuple[tuple[Shape, bool, str, str], ...] = (
    ("disc", False, "", "accent"),
    ("square", True, "5 2", "ink"),
    ("up", False, "1.5 2", "muted"),
    ("diamond", True, "", "accent"),
    ("cross", False, "5 2", "ink"),
    ("down", True, "1.5 2", "muted"),
    ("square", False, "", "accent"),
    ("disc", True, "5 2", "ink"),
    ("diamond", False, "1.5 2", "muted"),
    ("up", True, "", "accent"),
    ("down", False, "5 2", "ink"),
    ("plus", False, "1.5 2", "muted"),
)
_NAMES = 106  # pixels to the right, for the names
_GAP = 13.0
_SCORE = Scale("points", signed=False)
_CHANGE = Scale("points", signed=True)


@dataclass(frozen=True)
class _Line:
    name: str
    points: Sequence[Point]
    dosed: Sequence[tuple[float, Point]]
    """The points that have both a measured dose and a score, in order of severity."""


def dose_response(audits: Sequence[Audit], key: str) -> Chart | None:
    """Draw mean score against measured dose (SSIM), one line per corruption, its name at its end.

    Severity 3 of one corruption need not damage a picture as much as severity 3 of another; on this axis they can be
    compared.

    Parameters
    ----------
    audits : sequence of Audit
        Those of sensitivity; their pooled (``all``) points are drawn.
    key : str
        Unique within the page.

    Returns
    -------
    Chart or None
        None where no pooled point has both a dose and a score.
    """
    lines = [_line(audit) for audit in audits]
    drawn = [line for line in lines if line.dosed]
    if not drawn:
        return None
    doses = round_numbers(min(0.9, *(d for line in drawn for d, _ in line.dosed)), 1.0, 5)
    tall = max(210.0, _GAP * len(drawn) + 10)
    drawing = Drawing(tall + 64)
    x = Axis(doses[0], 1.0, WIDTH - _NAMES - 14, 38)
    y = Axis(0, 100, tall + 22, 26)
    heading(drawing, 10, "Mean score, 0–100 points")
    across = Axis(0, 1, 32, WIDTH - _NAMES - 8)
    grid(drawing, across, y, (0, 25, 50, 75, 100))
    for dose in doses:
        if dose <= 1:
            drawing.text(x(dose), tall + 36, f"{dose:g}", SMALL, anchor="middle", role="muted")
    drawing.text(across.start, tall + 51, "SSIM to the clean image: 1 is unchanged", SMALL, role="muted")
    places = _draw(drawing, drawn, x, y)
    _names(drawing, drawn, places, tall + 22)
    title = "Score against measured change of the picture"
    description = (
        "; ".join(
            f"{line.name}: {fixed(line.dosed[0][1].score.value)} points at SSIM {fixed(line.dosed[0][0], 2)} to "
            f"{fixed(line.dosed[-1][1].score.value)} points at SSIM {fixed(line.dosed[-1][0], 2)}"
            for line in drawn
        )
        + "."
    )
    shown = [point for line in drawn for _, point in line.dosed]
    without = [line.name for line in lines if not line.dosed]
    caption = (
        f"One line per corruption, from clean (left) through its severities; {level_words(p.score for p in shown)}, "
        f"{n_words((p.n_images, p.n_clusters) for p in shown)} per point. SSIM is the measured structural similarity."
        + (f" Not drawn, as no dose was measured: {', '.join(without)}." if without else "")
    )
    rows = [
        (
            line.name,
            "clean" if p.level == 0 else str(p.level),
            fixed(p.ssim, 3),
            _SCORE.short(p.score),
            _CHANGE.short(p.change) if p.change else "–",
            whole(p.n_images),
            whole(p.n_clusters),
        )
        for line in lines
        for p in line.points
    ]
    header = ("Corruption", "Severity", "SSIM", "Mean score, points", "Change from clean, points", "Images", "Patients")
    return Chart(key, drawing.inline(key, title, description), title, description, caption, header, rows)


def _line(audit: Audit) -> _Line:
    points = sorted((p for p in audit.series if p.stratum.level == ALL), key=lambda p: p.level)
    dosed = [(p.ssim, p) for p in points if p.ssim is not None and p.score.value is not None]
    return _Line(audit_name(audit), points, dosed)


def _draw(drawing: Drawing, lines: Sequence[_Line], x: Axis, y: Axis) -> list[tuple[float, float]]:
    """Draw the lines and return where each ends."""
    for line in lines:
        drawing.lines(bars_of([(dose, p.score) for dose, p in line.dosed], x, y), "faint", 1.4)
    result = []
    for index, line in enumerate(lines):
        shape, hollow, dash, role = _LINES[index % len(_LINES)]
        places = [(x(dose), y(span[0])) for dose, p in line.dosed if (span := ends(p.score))]
        drawing.curve(places, role, 1.4, dash)
        drawing.markers(shape, places, 6, role, hollow=hollow)
        result.append(places[-1])
    return result


def _names(drawing: Drawing, lines: Sequence[_Line], places: Sequence[tuple[float, float]], bottom: float) -> None:
    """Write each name at the right, as near to the height of its line's end as the others allow, with its marker."""
    left = WIDTH - _NAMES + 8
    heights = spread([y for _, y in places], _GAP, 26, bottom)
    for index, (line, (x, y), height) in enumerate(zip(lines, places, heights, strict=True)):
        shape, hollow, _, role = _LINES[index % len(_LINES)]
        drawing.lines([(x + 4, y, left - 8, height)], "faint", 0.7)
        drawing.markers(shape, [(left, height)], 6, role, hollow=hollow)
        drawing.text(left + 7, height, fitted(line.name, _NAMES - 16, SMALL), SMALL)
