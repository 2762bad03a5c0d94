"""The figures. Each comes with title, description, caption and the table of every number it shows.

All are narrow (about 360 CSS pixels), so that the text stays legible on a phone; wide pages set them side by side.
Colour never carries a meaning alone: verdicts differ in shape, the pooled line in weight, outcomes in their labels.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from auditkit.evidence import Cell, Estimate, Point, Verdict
from auditkit.report.svg import INKS, Chart, blank, drawing, inline
from auditkit.report.wording import (
    OVERALL,
    Scale,
    cut,
    fixed,
    modality_name,
    whole,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH = 360
# Marker per verdict: filled disc, filled square, hollow disc, cross.
MARKERS: dict[Verdict, str] = {"PASS": "o", "FAIL": "s", "INCONCLUSIVE": "o", "ERROR": "X"}
_SCORE = Scale("points", signed=False)
_CHANGE = Scale("points", signed=True)
_AUROC = Scale("AUROC", signed=False)


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


def ends(estimate: Estimate) -> tuple[float, float, float]:
    """Return value, low and high as numbers to draw: NaN without an estimate, the value itself without an interval."""
    value = estimate.value if estimate.value is not None else float("nan")
    return value, value if estimate.low is None else estimate.low, value if estimate.high is None else estimate.high


def _line(ax: Axes, points: Sequence[Point], kind: str, **style: Any) -> None:
    """Draw one line over severities; a point without an estimate breaks it."""
    severities = [p.severity for p in points]
    values = [ends(getattr(p, kind) or Estimate())[0] for p in points]
    ax.plot(severities, values, **style)


def _thin_lines(ax: Axes, per: Iterable[Sequence[Point]], kind: str) -> None:
    """Draw the modalities' lines as one object: ten objects cost ten times as much."""
    x: list[float] = []
    y: list[float] = []
    for own in per:
        x += [*(p.severity for p in own), math.nan]
        y += [*(ends(getattr(p, kind) or Estimate())[0] for p in own), math.nan]
    ax.plot(x, y, color=INKS["faint"], lw=0.9)


def _bars(ax: Axes, points: Sequence[Point], kind: str, colour: str, width: float) -> None:
    known = [(p.severity, e) for p in points if (e := getattr(p, kind)) is not None and e.value is not None]
    if known:
        low, high = zip(*(ends(e)[1:] for _, e in known), strict=True)
        ax.vlines([s for s, _ in known], low, high, color=colour, lw=width)


def _split(points: Iterable[Point]) -> tuple[list[Point], dict[str, list[Point]]]:
    """Return the pooled points and those per modality, each in order of severity."""
    per: dict[str, list[Point]] = {}
    for point in sorted(points, key=lambda p: (p.modality, p.severity)):
        per.setdefault(point.modality, []).append(point)
    return per.pop(OVERALL, []), per


def _severity_axis(ax: Axes, severities: Sequence[int], *, labels: bool) -> None:
    ax.set_xlim(min(severities) - 0.35, max(severities) + 0.35)
    ax.set_xticks(list(severities), ["clean" if s == 0 else str(s) for s in severities] if labels else [])
    ax.tick_params(labelsize=10, pad=4)
    ax.spines["left"].set_visible(False)


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
    pooled, per = _split(points)
    auroc, auroc_per = _split(p for p in discrimination if p.auroc is not None)
    severities = sorted({p.severity for p in (*points, *discrimination)}) or [0]
    lower = bool(auroc or auroc_per)
    expected = any(p.expected is not None for p in points)
    height = 330 if lower else 220
    with drawing():
        figure = blank(WIDTH, height)

        def place(top: float, bottom: float) -> Axes:
            return figure.add_axes((34 / WIDTH, 1 - bottom / height, (WIDTH - 44) / WIDTH, (bottom - top) / height))

        ax = place(26, 192)
        figure.text(6 / WIDTH, 1 - 6 / height, "Mean score, 0–100 points", va="top", weight="bold", fontsize=10.5)
        if expected:
            figure.text(1 - 10 / WIDTH, 1 - 7 / height, "dashed: expected score", ha="right", va="top", fontsize=9.5)
        ax.set_ylim(0, 100)
        ax.set_yticks([0, 25, 50, 75, 100])
        ax.grid(axis="y", color=INKS["grid"], lw=0.8)
        ax.set_axisbelow(True)
        _thin_lines(ax, per.values(), "score")
        _bars(ax, pooled, "score", INKS["accent"], 1.6)
        _line(ax, pooled, "score", color=INKS["accent"], lw=2.6, marker="o", ms=5.5)
        if expected:  # dark dashes, above the strong line: seen on it where the two are one, in grey print as well
            values = [math.nan if p.expected is None else p.expected for p in pooled]
            ax.plot([p.severity for p in pooled], values, color=INKS["ink"], lw=1.2, ls=(0, (4, 2.5)), zorder=4)
        for point in pooled:
            value, low, high = ends(point.score)
            if point.score.value is not None:
                crossed = point.expected is not None and point.expected > value + 1 and low > 10
                above = high < 88 and not crossed
                y = high + 2.5 if above else low - 3
                ax.text(
                    point.severity, y, fixed(value), ha="center", va="bottom" if above else "top",
                    fontsize=9.5, weight="bold",
                )  # fmt: skip
        _severity_axis(ax, severities, labels=not lower)
        if lower:
            ax.set_xticks(severities, [""] * len(severities))
            bottom = place(232, 298)
            figure.text(
                6 / WIDTH, 1 - 212 / height, "Clean told from degraded, AUROC", va="top", weight="bold", fontsize=10.5
            )
            bottom.set_ylim(
                min(0.4, *(ends(p.auroc or Estimate(value=1.0))[1] for p in (*auroc, *discrimination))), 1.02
            )
            bottom.set_yticks([0.5, 0.75, 1.0], ["0.5", "0.75", "1"])
            bottom.grid(axis="y", color=INKS["grid"], lw=0.8)
            bottom.axhline(0.5, color=INKS["edge"], lw=1.2, ls=(0, (4, 3)))
            _thin_lines(bottom, auroc_per.values(), "auroc")
            _bars(bottom, auroc, "auroc", INKS["accent"], 1.6)
            _line(bottom, auroc, "auroc", color=INKS["accent"], lw=2.2, marker="D", ms=4.5)
            _severity_axis(bottom, severities, labels=True)
        figure.text(1 - 10 / WIDTH, 5 / height, "severity", ha="right", va="bottom", fontsize=10, color=INKS["muted"])
        title = f"{name}: score against severity"
        description = _response_words(name, pooled, auroc, len(per))
        svg = inline(figure, key, title, description)
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
    by_place = {(p.modality, p.severity): p.auroc for p in discrimination}
    rows = [
        (
            modality_name(p.modality),
            "clean" if p.severity == 0 else str(p.severity),
            _SCORE.short(p.score),
            *((fixed(p.expected),) if expected else ()),
            _CHANGE.short(p.change) if p.change else "–",
            _AUROC.short(a) if (a := by_place.get((p.modality, p.severity), p.auroc)) else "–",
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
    return Chart(key, svg, title, description, caption, columns, rows, WIDTH)


def _response_words(name: str, pooled: Sequence[Point], auroc: Sequence[Point], modalities: int) -> str:
    scored = [p for p in pooled if p.score.value is not None]
    if not scored:
        return f"{name}: no pooled scores to show."
    first, last = scored[0], scored[-1]
    start = "clean images" if first.severity == 0 else f"severity {first.severity}"
    words = (
        f"The mean score goes from {fixed(first.score.value)} points at {start} to {fixed(last.score.value)} points "
        f"at severity {last.severity}, over {modalities} modalities."
    )
    probable = [p for p in pooled if p.expected is not None]
    if probable:
        words += f" The mean expected score goes from {fixed(probable[0].expected)} to {fixed(probable[-1].expected)}."
    if auroc:
        words += f" AUROC at severity {auroc[-1].severity}: {_AUROC.short(auroc[-1].auroc or Estimate())}."
    return words


def modality_multiples(name: str, points: Sequence[Point], cells: Sequence[Cell], key: str) -> Chart:
    """Draw one small panel per modality: its scores with intervals, the pooled line behind, its verdict by marker."""
    pooled, per = _split(points)
    verdicts = {cell.modality: cell for cell in cells}
    columns = 3
    lines = max(1, -(-len(per) // columns))
    cell_w, cell_h, inset = WIDTH / columns, 94, 8
    height = lines * cell_h + 18
    with drawing():
        figure = blank(WIDTH, height)
        ax = figure.add_axes((0, 0, 1, 1))
        ax.set_xlim(0, WIDTH)
        ax.set_ylim(height, 0)
        ax.axis("off")
        for index, (modality, own) in enumerate(per.items()):
            left, top = (index % columns) * cell_w + inset, (index // columns) * cell_h
            cell = verdicts.get(modality)
            verdict: Verdict = cell.verdict if cell else "INCONCLUSIVE"
            _panel(ax, left, top, cell_w - 2 * inset - 14, own, pooled, modality, verdict)
        ax.text(
            inset, height - 2, "Each panel: 0–100 points against severity clean to 5; grey: all modalities",
            fontsize=9, va="bottom", color=INKS["muted"],
        )  # fmt: skip
        title = f"{name}: score against severity in each modality"
        description = "; ".join(
            f"{modality_name(m)} {fixed(own[0].score.value)} to {fixed(own[-1].score.value)} points"
            for m, own in per.items()
        )
        description = f"{description or 'No modality was measured'}."
        svg = inline(figure, key, title, description)
    rows = [
        (
            modality_name(c.modality), c.verdict, Scale(c.estimate.unit, signed=True).short(c.estimate),
            whole(c.n_images), whole(c.n_clusters), c.sentence,
        )
        for c in cells
    ]  # fmt: skip
    caption = (
        f"Vertical bars: {level_words(p.score for own in per.values() for p in own)}. Marker: verdict of the modality. "
        f"{n_words((p.n_images, p.n_clusters) for own in per.values() for p in own)} per modality."
    )
    header = ("Modality", "Verdict", "Slope, points per severity step", "Images", "Patients", "Why")
    return Chart(key, svg, title, description, caption, header, rows, WIDTH)


def _panel(
    ax: Axes, left: float, top: float, width: float, own: Sequence[Point], pooled: Sequence[Point],
    modality: str, verdict: Verdict,
) -> None:  # fmt: skip
    """Draw one small panel at pixel (left, top); plain lines are ten times faster than an axes object each."""
    head, tall = 20.0, 66.0

    def x(severity: int) -> float:
        return left + 4 + severity / 5 * (width - 8)

    def y(score: float) -> float:
        return top + head + (1 - score / 100) * tall

    ax.hlines([y(s) for s in (0, 50, 100)], left, left + width, color=INKS["grid"], lw=0.7)
    colour = INKS[verdict]
    ax.plot(left + 4, top + 9, marker=MARKERS[verdict], ms=5.5, **face(verdict))
    ax.text(left + 12, top + 9, cut(modality_name(modality), 16), fontsize=9.5, va="center", weight="bold")
    behind = [p for p in pooled if p.score.value is not None]
    ax.plot([x(p.severity) for p in behind], [y(ends(p.score)[0]) for p in behind], color=INKS["faint"], lw=1.1)
    known = [p for p in own if p.score.value is not None]
    spans = [ends(p.score) for p in known]
    ax.vlines([x(p.severity) for p in known], [y(s[1]) for s in spans], [y(s[2]) for s in spans], color=colour, lw=1)
    ax.plot([x(p.severity) for p in known], [y(s[0]) for s in spans], color=colour, lw=1.7)
    if known:
        last = known[-1]
        ax.text(x(last.severity) + 5, y(ends(last.score)[0]), f"{last.score.value:.0f}", fontsize=9, va="center")
    else:
        ax.text(left + width / 2, y(50), "not measured", fontsize=9, ha="center", va="center", color=INKS["muted"])


def face(verdict: Verdict) -> dict[str, Any]:
    """Return the marker's colours: INCONCLUSIVE is hollow, so that it cannot be taken for a PASS in grey print."""
    hollow = verdict == "INCONCLUSIVE"
    return {"mec": INKS[verdict], "mfc": INKS["paper"] if hollow else INKS[verdict], "mew": 1.5 if hollow else 0.5}
