"""What corruptions do inside the model: one row per corruption, and small multiples of similarity over severity."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from auditkit.evidence import EmbeddingPoint, EmbeddingShift, Estimate
from auditkit.report.charts import WIDTH, ends, level_words, n_words
from auditkit.report.svg import INKS, Chart, blank, drawing, inline
from auditkit.report.wording import MINUS, OVERALL, Scale, cut, fixed, modality_name, plain_name, whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes

KINDS = {"vision": "Image features", "language": "Language features"}
_COSINE = Scale("cosine", signed=False)
_CHANGE = Scale("points", signed=True)
_FOLLOWS = Scale("correlation", signed=True)
_COLUMNS = 3
_LEFT = 34  # for the numbers of the axis
_HEAD, _TALL, _GAP = 36, 58, 14  # pixels of a panel: name and score, curve, space below


@dataclass(frozen=True)
class Row:
    """One corruption at its strongest severity, all modalities together, every kind of embedding side by side."""

    title: str
    ssim: str
    cells: Sequence[tuple[str, str]]
    """Number and interval: of the change of the score, then per kind of the similarity and of how the score follows."""


@dataclass(frozen=True)
class Inside:
    """The section: kinds as they are called on the page, one row per corruption, one chart per kind."""

    kinds: Sequence[str]
    between: Sequence[str]
    missing: int
    rows: Sequence[Row]
    charts: Sequence[Chart]


def inside(shifts: Sequence[EmbeddingShift], key: Callable[[], str]) -> Inside | None:
    """Arrange what was measured inside the model; None where nothing was.

    Parameters
    ----------
    shifts : sequence of EmbeddingShift
        As in the record.
    key : callable
        Gives a new key for a figure.
    """
    if not shifts:
        return None
    kinds = list(dict.fromkeys(s.kind for s in shifts))
    pooled = {(s.kind, s.corruption): s for s in shifts if s.modality == OVERALL and s.series}
    rows = []
    for corruption in dict.fromkeys(corruption for _, corruption in pooled):
        own = [pooled.get((kind, corruption)) for kind in kinds]
        first = next(s for s in own if s is not None)
        last = first.series[-1]
        cells = [_cell(_CHANGE, last.score_change)]
        for shift in own:
            cells.append(_cell(_COSINE, shift.series[-1].similarity if shift else Estimate()))
            cells.append(_cell(_FOLLOWS, shift.follows if shift else Estimate()))
        rows.append(Row(first.title, fixed(last.ssim, 2), cells))
    between = [next((fixed(s.between, 3) for s in pooled.values() if s.kind == kind), fixed(None)) for kind in kinds]
    missing = sum(point.n_missing for s in pooled.values() for point in s.series)
    charts = [similarity_multiples(kind, [s for s in shifts if s.kind == kind], key()) for kind in kinds]
    return Inside([kind_name(kind) for kind in kinds], between, missing, rows, charts)


def _cell(scale: Scale, estimate: Estimate) -> tuple[str, str]:
    return scale.number(estimate.value), scale.interval(estimate) if estimate.value is not None else ""


def kind_name(kind: str) -> str:
    """Return what a kind of embedding is called on the page."""
    return KINDS.get(kind, plain_name(kind))


def similarity_multiples(kind: str, shifts: Sequence[EmbeddingShift], key: str) -> Chart:
    """Draw one small panel per corruption: cosine similarity to the clean image over severity.

    Parameters
    ----------
    kind : str
        Kind of embedding, for the title.
    shifts : sequence of EmbeddingShift
        Of this kind; ``all`` is drawn strong, modalities thin, other patients' images dashed.
    key : str
        Unique within the page.
    """
    by_corruption: dict[str, list[EmbeddingShift]] = {}
    for shift in shifts:
        by_corruption.setdefault(shift.corruption, []).append(shift)
    pooled = [next((s for s in own if s.modality == OVERALL), None) for own in by_corruption.values()]
    between = next((s.between for s in pooled if s), None)
    lines = max(1, -(-len(by_corruption) // _COLUMNS))
    height = lines * (_HEAD + _TALL + _GAP) + 16
    with drawing():
        ticks = _ticks(shifts, between)
        figure = blank(WIDTH, height)
        ax = figure.add_axes((0, 0, 1, 1))
        ax.set_xlim(0, WIDTH)
        ax.set_ylim(height, 0)
        ax.axis("off")
        wide = (WIDTH - _LEFT) / _COLUMNS
        for index, own in enumerate(by_corruption.values()):
            left, top = _LEFT + (index % _COLUMNS) * wide, (index // _COLUMNS) * (_HEAD + _TALL + _GAP)
            _panel(ax, left, top, wide - 38, own, pooled[index], between, ticks, labels=index % _COLUMNS == 0)
        ax.text(
            6, height - 2, "Each panel: cosine similarity against severity, clean to 5",
            fontsize=9, va="bottom", color=INKS["muted"],
        )  # fmt: skip
        title = f"{kind_name(kind)}: likeness to the clean image"
        description = "; ".join(
            f"{s.title} {fixed(s.series[0].similarity.value, 3)} to {fixed(s.series[-1].similarity.value, 3)}"
            for s in pooled
            if s and s.series
        )
        svg = inline(figure, key, title, f"{description or 'Nothing was measured'}.")
    shown = [p for s in pooled if s for p in s.series]
    caption = (
        f"Strong line: all modalities with {level_words(p.similarity for p in shown)}, "
        f"{n_words((p.n_images, p.n_clusters) for p in shown)} per point. Thin lines: one per modality. "
        + (f"Dashed: clean images of two different patients, {fixed(between, 3)}. " if between is not None else "")
        + "Under each name: change of the score at the strongest severity, points."
    )
    severities = sorted({p.severity for s in shifts for p in s.series})
    header = (
        "Corruption", "Modality", *(f"Severity {s}" for s in severities), "Other patients", "Score change, points",
        "Images", "Patients", "Missing",
    )  # fmt: skip
    rows = [_row(shift, severities) for own in by_corruption.values() for shift in own]
    return Chart(key, svg, title, f"{description or 'Nothing was measured'}.", caption, header, rows, WIDTH)


def _row(shift: EmbeddingShift, severities: Sequence[int]) -> tuple[str, ...]:
    at = {p.severity: p for p in shift.series}
    last = (
        shift.series[-1] if shift.series else EmbeddingPoint(severity=0, similarity=Estimate(), score_change=Estimate())
    )
    return (
        shift.title,
        modality_name(shift.modality),
        *(_COSINE.short(at[s].similarity) if s in at else "–" for s in severities),
        fixed(shift.between, 3),
        _CHANGE.short(last.score_change),
        whole(last.n_images),
        whole(last.n_clusters),
        whole(sum(p.n_missing for p in shift.series)),
    )


def _ticks(shifts: Sequence[EmbeddingShift], between: float | None) -> list[float]:
    """Two to four round numbers from below everything drawn up to 1."""
    from matplotlib.ticker import MaxNLocator

    drawn = [between] if between is not None else []
    for shift in shifts:
        for point in shift.series:
            value, low, _ = ends(point.similarity)
            drawn += [low if shift.modality == OVERALL else value]
    lowest = min((x for x in drawn if math.isfinite(x)), default=0.0)
    lowest = min(lowest, 1 - 1e-6)
    ticks = MaxNLocator(nbins=3, steps=[1, 2, 2.5, 5, 10]).tick_values(lowest, 1.0)
    return [round(float(tick), 9) for tick in ticks if tick < 1 + 1e-9]


def _panel(
    ax: Axes, left: float, top: float, width: float, own: Sequence[EmbeddingShift], pooled: EmbeddingShift | None,
    between: float | None, ticks: Sequence[float], *, labels: bool,
) -> None:  # fmt: skip
    """Draw one panel at pixel (left, top); plain lines are ten times faster than an axes object each."""
    bottom = ticks[0]

    def x(severity: int) -> float:
        return left + 2 + severity / 5 * (width - 4)

    def y(similarity: float) -> float:
        return top + _HEAD + (1 - similarity) / (1 - bottom) * _TALL

    ax.hlines([y(t) for t in ticks], left, left + width, color=INKS["grid"], lw=0.7)
    if labels:
        for tick in (ticks[0], ticks[-1]):
            ax.text(
                left - 4,
                y(tick),
                f"{tick:g}".replace("-", MINUS),
                fontsize=9,
                ha="right",
                va="center",
                color=INKS["muted"],
            )
    if between is not None:
        ax.hlines(y(between), left, left + width, color=INKS["edge"], lw=1.1, ls=(0, (4, 3)))
    ax.text(left, top + 10, cut(own[0].title, 18), fontsize=9.5, va="center", weight="bold")
    thin_x: list[float] = []
    thin_y: list[float] = []
    for shift in own:
        if shift.modality != OVERALL and shift.series:
            thin_x += [x(0), *(x(p.severity) for p in shift.series), math.nan]
            thin_y += [y(1), *(y(ends(p.similarity)[0]) for p in shift.series), math.nan]
    ax.plot(thin_x, thin_y, color=INKS["faint"], lw=0.8)
    known = [p for p in pooled.series if p.similarity.value is not None] if pooled else []
    if pooled is None or not known:
        ax.text(left + width / 2, y((1 + bottom) / 2), "not measured", fontsize=9, ha="center", va="center",
                color=INKS["muted"])  # fmt: skip
        return
    ax.text(left, top + 23, f"score {_CHANGE.number(pooled.series[-1].score_change.value)}", fontsize=9, va="center",
            color=INKS["muted"])  # fmt: skip
    spans = [ends(p.similarity) for p in known]
    ax.vlines([x(p.severity) for p in known], [y(s[1]) for s in spans], [y(s[2]) for s in spans],
              color=INKS["accent"], lw=1.2)  # fmt: skip
    ax.plot([x(0), *(x(p.severity) for p in known)], [y(1), *(y(s[0]) for s in spans)], color=INKS["accent"],
            lw=1.9, marker="o", ms=3)  # fmt: skip
    ax.text(x(known[-1].severity) + 5, y(spans[-1][0]), _COSINE.number(spans[-1][0]), fontsize=9, va="center")
