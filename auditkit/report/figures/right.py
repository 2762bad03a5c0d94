"""Right answers under a corruption: their share, from clean through its severities."""

from __future__ import annotations

from collections.abc import Sequence

from auditkit.evidence import Estimate, Point
from auditkit.report.figures.charts import by_stratum, grid, heading, level_words, line_of, n_words, strong
from auditkit.report.figures.svg import SMALL, WIDTH, Axis, Chart, Drawing
from auditkit.words import Scale, count, fixed, modality_name, percent, whole

_SHARE = Scale("share", signed=False)
_CHANGE = Scale("share", signed=True)
_TOP = 92


def right_response(name: str, points: Sequence[Point], key: str) -> Chart | None:
    """Draw the share of right answers against severity, pooled and per modality; None without points.

    Parameters
    ----------
    name : str
        The audit, for people.
    points : sequence of Point
        Shares of right answers (0-1) per modality and severity; ``all`` is drawn strong.
    key : str
        Unique within the page.
    """
    if not points:
        return None
    pooled, per = by_stratum(points)
    severities = sorted({p.level for p in points})
    places = {severity: index for index, severity in enumerate(severities)}  # levels that are not asked leave no gap
    drawing = Drawing(224)
    x, y = Axis(-0.35, len(severities) - 0.65, 36, WIDTH - 8), Axis(0, 100, 192, 26)
    heading(drawing, 10, "Right answers, % of those that can be read")
    grid(drawing, x, y, (0, 25, 50, 75, 100))
    for own in per.values():
        drawing.curve(line_of([(places[p.level], _in_percent(p.score)) for p in own], x, y), "faint", 0.9)
    shares = [(places[p.level], _in_percent(p.score)) for p in pooled]
    strong(drawing, shares, x, y, "disc")
    for at, share in shares:
        if share.value is not None:
            above = share.value < _TOP  # a number on the line of 100 % would run into the heading
            drawing.text(x(at) + 6, y(share.value) + (-9 if above else 11), fixed(share.value, 0), SMALL, bold=True)
    for severity, at in places.items():
        drawing.text(x(at), 205, "clean" if severity == 0 else str(severity), SMALL, anchor="middle", role="muted")
    drawing.text(WIDTH - 8, 218, "severity", SMALL, anchor="end", role="muted")
    title = f"{name}: right answers against severity"
    known = [p for p in pooled if p.score.value is not None]
    description = f"{name}: no right answers to show."
    if known:
        ends = [
            f"{percent(p.score.value or 0.0, 0)} at {f'severity {p.level}' if p.level else 'clean images'}"
            for p in (known[0], known[-1])
        ]
        kinds = count(len(per), "modality", "modalities")
        description = f"The share of right answers goes from {ends[0]} to {ends[1]}, over {kinds}."
    caption = (
        f"Strong line: all modalities with {level_words(p.score for p in pooled)}, "
        f"{n_words((p.n_images, p.n_clusters) for p in pooled)} per point. Thin lines: one per modality."
    )
    rows = [
        (
            modality_name(p.stratum.level),
            "clean" if p.level == 0 else str(p.level),
            _SHARE.short(p.score),
            _CHANGE.short(p.change) if p.change else "–",
            fixed(p.ssim, 2),
            whole(p.n_images),
            whole(p.n_clusters),
        )
        for own in (pooled, *per.values())
        for p in own
    ]
    header = ("Modality", "Severity", "Right answers", "Change from clean", "SSIM", "Images", "Patients")
    return Chart(key, drawing.inline(key, title, description), title, description, caption, header, rows)


def _in_percent(share: Estimate) -> Estimate:
    """Return a share as the axis has it."""
    value, low, high = (None if end is None else 100 * end for end in (share.value, share.low, share.high))
    return Estimate(value=value, low=low, high=high, level=share.level)
