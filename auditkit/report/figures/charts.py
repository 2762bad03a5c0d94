"""The figures. Each comes with title, description, caption and the table of every number it shows.

All are narrow (`svg.WIDTH`), so that the text stays legible on a phone; wide pages set them side by side.
Colour never carries a meaning alone: verdicts differ in shape, the pooled line in weight, outcomes in their labels.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from auditkit.evidence import ALL, Cell, Estimate, Point, Verdict
from auditkit.report.figures.svg import PLAIN, SMALL, WIDTH, Axis, Chart, Drawing, Shape, fitted, text_width
from auditkit.words import (
    PER_STEP,
    SHOWN,
    Scale,
    fixed,
    modality_name,
    whole,
)

# Marker per verdict: filled disc, filled square, hollow disc, cross; a diamond for what is shown for information.
MARKERS: dict[str, Shape] = {
    "PASS": "disc",
    "FAIL": "square",
    "INCONCLUSIVE": "disc",
    "ERROR": "cross",
    SHOWN: "diamond",
}
DASHED = "4 2.5"
_SCORE = Scale("points", signed=False)
_CHANGE = Scale("points", signed=True)
_AUROC = Scale("AUROC", signed=False)
Place = tuple[float, float]


def n_words(points: Iterable[tuple[int, int]]) -> str:
    """Say how many images and patients stand behind numbers: ``n = 330 images of 301 patients``, or a range."""
    pairs = list(points)
    if not pairs:
        return "n = 0 images"
    images, patients = (sorted({pair[i] for pair in pairs}) for i in (0, 1))
    first = whole(images[0]) if len(images) == 1 else f"{whole(images[0])} to {whole(images[-1])}"
    second = whole(patients[0]) if len(patients) == 1 else f"{whole(patients[0])} to {whole(patients[-1])}"
    return f"n = {first} image{'' if images[-1] == 1 else 's'} of {second} patient{'' if patients[-1] == 1 else 's'}"


def level_words(estimates: Iterable[Estimate | None]) -> str:
    """Name the confidence level shared by some intervals: ``90 % intervals``."""
    levels = {e.level for e in estimates if e is not None and e.level is not None}
    return f"{100 * levels.pop():g} % intervals" if len(levels) == 1 else "intervals"


def marks(drawing: Drawing, verdict: str, places: Iterable[Place], size: float) -> None:
    """Draw a verdict's markers: INCONCLUSIVE is hollow, so that it cannot be taken for a PASS in grey print."""
    drawing.markers(MARKERS[verdict], places, size, colour(verdict), hollow=verdict == "INCONCLUSIVE")


def colour(verdict: str) -> str:
    """Return the colour of a verdict, or of what is shown for information."""
    return "accent" if verdict == SHOWN else verdict


def ends(estimate: Estimate) -> tuple[float, float, float] | None:
    """Return value, low and high as numbers to draw: None without an estimate, the value itself without an interval."""
    value, low, high = estimate.value, estimate.low, estimate.high
    return None if value is None else (value, value if low is None else low, value if high is None else high)


def line_of(points: Iterable[tuple[float, Estimate | None]], x: Axis, y: Axis) -> list[Place | None]:
    """Return the places of a line through estimates; one that is missing breaks it."""
    return [None if e is None or e.value is None else (x(at), y(e.value)) for at, e in points]


def bars_of(
    points: Iterable[tuple[float, Estimate | None]], x: Axis, y: Axis
) -> list[tuple[float, float, float, float]]:
    """Return the upright bars of intervals; nothing where there is none."""
    known = [(at, span) for at, e in points if e is not None and (span := ends(e))]
    return [(x(at), y(low), x(at), y(high)) for at, (_, low, high) in known]


def by_stratum(points: Iterable[Point]) -> tuple[list[Point], dict[str, list[Point]]]:
    """Return the pooled points and those per modality, each in order of severity."""
    per: dict[str, list[Point]] = {}
    for point in sorted(points, key=lambda p: (p.stratum.level, p.level)):
        per.setdefault(point.stratum.level, []).append(point)
    return per.pop(ALL, []), per


def strong(drawing: Drawing, points: Sequence[tuple[float, Estimate | None]], x: Axis, y: Axis, shape: Shape) -> None:
    """Draw the line that the eye should follow: intervals, line and markers."""
    drawing.lines(bars_of(points, x, y), "accent", 1.8)
    drawing.curve(line_of(points, x, y), "accent", 2.4)
    drawing.markers(shape, (place for place in line_of(points, x, y) if place), 6, "accent")


def grid(drawing: Drawing, x: Axis, y: Axis, ticks: Sequence[float]) -> None:
    """Draw thin horizontal lines over the width of `x`, with their numbers to the left."""
    drawing.lines([(x.start, y(t), x.end, y(t)) for t in ticks], "grid", 0.8)
    for tick in ticks:
        drawing.text(x.start - 5, y(tick), f"{tick:g}", SMALL, anchor="end", role="muted")


def heading(drawing: Drawing, y: float, words: str) -> None:
    """Write what the panel below shows."""
    drawing.text(6, y, words, PLAIN, bold=True)


def severity_response(name: str, points: Sequence[Point], discrimination: Sequence[Point], key: str) -> Chart:
    """Draw mean score against severity, pooled and per modality, and below it how well clean is told from degraded.

    Parameters
    ----------
    name : str
        The corruption, for people.
    points : sequence of Point
        Scores per modality and severity; ``all`` is drawn strong, its expected scores, where there are any, dashed.
    discrimination : sequence of Point
        Points that carry ``auroc``; the lower panel is left out when there are none.
    key : str
        Unique within the page.
    """
    pooled, per = by_stratum(points)
    auroc, auroc_per = by_stratum(p for p in discrimination if p.auroc is not None)
    severities = sorted({p.level for p in (*points, *discrimination)}) or [0]
    lower = bool(auroc or auroc_per)
    expected = any(p.expected is not None for p in points)
    drawing = Drawing(330 if lower else 220)
    x = Axis(severities[0] - 0.35, severities[-1] + 0.35, 32, WIDTH - 8)
    _scores(drawing, pooled, per, x)
    if lower:
        _separation(drawing, auroc, auroc_per, x)
    for severity in severities:
        words = "clean" if severity == 0 else str(severity)
        drawing.text(x(severity), drawing.height - 21, words, SMALL, anchor="middle", role="muted")
    drawing.text(WIDTH - 8, drawing.height - 7, "severity", SMALL, anchor="end", role="muted")
    title = f"{name}: score against severity"
    description = _response_words(name, pooled, auroc, len(per))
    svg = drawing.inline(key, title, description)
    level = level_words(p.score for p in pooled)
    caption = (
        f"Strong line: all modalities with {level}, {n_words((p.n_images, p.n_clusters) for p in pooled)} per point. "
        f"Thin lines: one per modality."
        + (" Dashed: the mean expected score of all modalities, from the answers’ probabilities." if expected else "")
        + (
            " Below: AUROC, the chance that a clean image outscores a degraded one; dashed: 0.5, a coin toss."
            if lower
            else ""
        )
    )
    by_place = {(p.stratum.level, p.level): p.auroc for p in discrimination}
    rows = [
        (
            modality_name(p.stratum.level),
            "clean" if p.level == 0 else str(p.level),
            _SCORE.short(p.score),
            *((fixed(p.expected),) if expected else ()),
            _CHANGE.short(p.change) if p.change else "–",
            _AUROC.short(a) if (a := by_place.get((p.stratum.level, p.level), p.auroc)) else "–",
            fixed(p.ssim, 2),
            whole(p.n_images),
            whole(p.n_clusters),
        )
        for own in (pooled, *per.values())
        for p in own
    ]
    columns = (
        "Modality",
        "Severity",
        "Mean score, points",
        *(("Mean expected score, points",) if expected else ()),
        "Change from clean, points",
        "AUROC",
        "SSIM",
        "Images",
        "Patients",
    )
    return Chart(key, svg, title, description, caption, columns, rows)


def _scores(drawing: Drawing, pooled: Sequence[Point], per: Mapping[str, Sequence[Point]], x: Axis) -> None:
    """Draw the upper panel: mean scores, the pooled ones with their numbers."""
    y = Axis(0, 100, 192, 26)
    heading(drawing, 10, "Mean score, 0–100 points")
    grid(drawing, x, y, (0, 25, 50, 75, 100))
    thin = [line_of(((p.level, p.score) for p in own), x, y) for own in per.values()]
    for line in thin:
        drawing.curve(line, "faint", 0.9)
    scores = [(p.level, p.score) for p in pooled]
    strong(drawing, scores, x, y, "disc")
    expected = [(p.level, Estimate(value=p.expected)) for p in pooled]
    if any(e.value is not None for _, e in expected):
        drawing.text(WIDTH - 8, 10, "dashed: expected score", SMALL, anchor="end")
        # Dark dashes above the strong line: seen on it where the two are one, in grey print as well.
        drawing.curve(line_of(expected, x, y), "ink", 1.3, DASHED)
    _numbers(drawing, scores, [line_of(scores, x, y), line_of(expected, x, y)], thin, x, y)


def _numbers(
    drawing: Drawing, points: Sequence[tuple[float, Estimate]], lines: Sequence[Sequence[Place | None]],
    thin: Sequence[Sequence[Place | None]], x: Axis, y: Axis,
) -> None:  # fmt: skip
    """Write each number beside its point, at the place around it where it hides least; a thin line counts a third."""
    lines = [*lines, *([(a, b), (c, d)] for a, b, c, d in bars_of(points, x, y))]
    taken = [(a, b, weight) for own, weight in ((lines, 3), (thin, 1)) for line in own for a, b in _along(line)]
    for at, estimate in points:
        span = ends(estimate)
        if span is None:
            continue
        words, here = fixed(span[0]), x(at)
        wide, top, bottom = text_width(words, SMALL, bold=True) / 2 + 1, y(span[2]) - 9, y(span[1]) + 10
        sides = ((0, top), (0, bottom), (1, top), (-1, bottom), (-1, top), (1, bottom))
        spots = [(here + side * (wide + 5), height) for side, height in sides]
        near = [spot for spot in taken if abs(spot[0] - here) < 2 * wide + 5]

        def hidden(spot: Place, wide: float = wide, near: Sequence[tuple[float, float, int]] = near) -> int:
            """Count what the number would lie on; outside the panel there is no place."""
            inside = x.start <= spot[0] - wide and spot[0] + wide <= WIDTH and y.end - 12 <= spot[1] <= y.start - 6
            met = sum(weight for a, b, weight in near if abs(a - spot[0]) < wide and abs(b - spot[1]) < 5)
            return met + (0 if inside else 1000)

        drawing.text(*min(spots, key=hidden), words, SMALL, anchor="middle", bold=True)


def _along(line: Sequence[Place | None]) -> list[Place]:
    """Return places on a line about 2 pixels apart."""
    spots: list[Place] = []
    for start, end in pairwise(line):
        if start and end:
            steps = int(max(abs(end[0] - start[0]), abs(end[1] - start[1])) / 2) + 1
            spots += [
                (start[0] + (end[0] - start[0]) * i / steps, start[1] + (end[1] - start[1]) * i / steps)
                for i in range(steps + 1)
            ]
    return spots


def _separation(drawing: Drawing, pooled: Sequence[Point], per: Mapping[str, Sequence[Point]], x: Axis) -> None:
    """Draw the lower panel: AUROC, down to 0.4 or to the lowest interval."""
    heading(drawing, 217, "Clean told from degraded, AUROC")
    spans = [ends(p.auroc) for own in (pooled, *per.values()) for p in own if p.auroc]
    y = Axis(min([0.4, *(span[1] for span in spans if span)]), 1.02, 298, 232)
    grid(drawing, x, y, (0.5, 0.75, 1.0))
    drawing.lines([(x.start, y(0.5), x.end, y(0.5))], "edge", 1.3, DASHED)
    for own in per.values():
        drawing.curve(line_of(((p.level, p.auroc) for p in own), x, y), "faint", 0.9)
    strong(drawing, [(p.level, p.auroc) for p in pooled], x, y, "diamond")


def _response_words(name: str, pooled: Sequence[Point], auroc: Sequence[Point], modalities: int) -> str:
    scored = [p for p in pooled if p.score.value is not None]
    if not scored:
        return f"{name}: no pooled scores to show."
    first, last = scored[0], scored[-1]
    start = "clean images" if first.level == 0 else f"severity {first.level}"
    words = (
        f"The mean score goes from {fixed(first.score.value)} points at {start} to {fixed(last.score.value)} points "
        f"at severity {last.level}, over {modalities} modalities."
    )
    probable = [p for p in pooled if p.expected is not None]
    if probable:
        words += f" The mean expected score goes from {fixed(probable[0].expected)} to {fixed(probable[-1].expected)}."
    if auroc:
        words += f" AUROC at severity {auroc[-1].level}: {_AUROC.short(auroc[-1].auroc or Estimate())}."
    return words


def modality_multiples(name: str, points: Sequence[Point], cells: Sequence[Cell], unit: str, key: str) -> Chart:
    """Draw one small panel per modality: its scores with intervals, the pooled line behind, its verdict by marker."""
    pooled, per = by_stratum(points)
    strongest = max((p.level for p in points), default=0)
    verdicts = {cell.stratum.level: cell for cell in cells}
    columns, wide, tall = 3, WIDTH / 3, 98
    drawing = Drawing(max(1, -(-len(per) // columns)) * tall + 32)
    for index, (modality, own) in enumerate(per.items()):
        cell = verdicts.get(modality)
        verdict: Verdict = cell.verdict if cell else "INCONCLUSIVE"
        left, top = (index % columns) * wide + 5, (index // columns) * tall
        _panel(drawing, left, top, wide - 10, own, pooled, modality, verdict, strongest)
    words = f"Each panel: 0 to 100 points against severity, clean to {strongest}."
    drawing.text(5, drawing.height - 21, words, SMALL, role="muted")
    drawing.text(5, drawing.height - 7, "Grey: all modalities.", SMALL, role="muted")
    title = f"{name}: score against severity in each modality"
    description = "; ".join(
        f"{modality_name(m)} {fixed(own[0].score.value)} to {fixed(own[-1].score.value)} points"
        for m, own in per.items()
    )
    description = f"{description or 'No modality was measured'}."
    svg = drawing.inline(key, title, description)
    scale = Scale(unit, signed=False)
    rows = [
        (
            modality_name(c.stratum.level), c.verdict, scale.short(c.estimate),
            whole(c.n_images), whole(c.n_clusters), c.sentence,
        )
        for c in cells
    ]  # fmt: skip
    caption = (
        f"Vertical bars: {level_words(p.score for own in per.values() for p in own)}. Marker: verdict of the modality. "
        f"{n_words((p.n_images, p.n_clusters) for own in per.values() for p in own)} per modality."
    )
    head = "Falls by" if unit == PER_STEP else "Estimate"
    header = ("Modality", "Verdict", f"{head}, {unit}", "Images", "Patients", "Why")
    return Chart(key, svg, title, description, caption, header, rows)


def _panel(
    drawing: Drawing, left: float, top: float, width: float, own: Sequence[Point], pooled: Sequence[Point],
    modality: str, verdict: Verdict, strongest: int,
) -> None:  # fmt: skip
    """Draw one small panel with its upper left at (left, top); the last score stands to the right of its point."""
    x = Axis(0, max(strongest, 1), left + 4, left + width - 22)
    y = Axis(0, 100, top + 88, top + 22)
    drawing.lines([(left, y(s), x.end + 4, y(s)) for s in (0, 50, 100)], "grid", 0.8)
    marks(drawing, verdict, [(left + 4, top + 10)], 7.5)
    drawing.text(left + 11, top + 10, fitted(modality_name(modality), width - 5, SMALL), SMALL)
    drawing.curve(line_of(((p.level, p.score) for p in pooled), x, y), "faint", 1.2)
    scored = [(p.level, p.score) for p in own]
    places = [place for place in line_of(scored, x, y) if place]
    drawing.lines(bars_of(scored, x, y), verdict, 1.2)
    drawing.curve(line_of(scored, x, y), verdict, 1.8)
    if places:
        last = next(p.score.value for p in reversed(own) if p.score.value is not None)
        drawing.text(places[-1][0] + 5, places[-1][1], fixed(last, 0), SMALL)
    else:
        drawing.text((left + x.end + 4) / 2, y(50), "not measured", SMALL, anchor="middle", role="muted")
