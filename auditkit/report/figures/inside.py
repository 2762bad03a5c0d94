"""What corruptions do inside the model: one row per corruption, and small multiples of similarity over severity."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from auditkit.evidence import ALL, Audit, Estimate
from auditkit.report.figures.charts import DASHED, bars_of, ends, level_words, line_of, n_words
from auditkit.report.figures.parting import parting_multiples, parting_rows
from auditkit.report.figures.svg import SMALL, WIDTH, Axis, Chart, Drawing, round_numbers, wrapped
from auditkit.report.shifts import Shift, ShiftPoint, looks_inside, shifts
from auditkit.words import MINUS, Scale, fixed, modality_name, plain_name, whole

KINDS = {"vision": "Image features", "language": "Language features"}
_COSINE = Scale("cosine", signed=False)
_CHANGE = Scale("points", signed=True)
_POINTS = Scale("points", signed=False)
_FOLLOWS = Scale("correlation", signed=True)
_COLUMNS = 3
_LEFT = 30  # for the numbers of the axis
_LINE, _TALL, _GAP = 13, 58, 14  # pixels of a panel: a line of its head, curve, space below
_UNCHANGED = Estimate(value=1.0)


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
    parting: Sequence[Row]
    """Per kind two shares: moved inside and said nothing, and the reverse."""
    noise: str
    """What the score changes by under words that mean the same; empty where none were asked."""
    charts: Sequence[Chart]
    informs: bool
    """Whether no verdict rests on any of it."""


def inside(audits: Sequence[Audit], key: Callable[[], str]) -> Inside | None:
    """Arrange what was measured inside the model; None where nothing was.

    Parameters
    ----------
    audits : sequence of Audit
        All of the record; those of embeddings are taken.
    key : callable
        Gives a new key for a figure.
    """
    found = shifts(audits)
    if not found:
        return None
    kinds = sorted(dict.fromkeys(s.kind for s in found), key=[*KINDS, *(s.kind for s in found)].index)
    pooled = {(s.kind, s.perturbation): s for s in found if s.stratum == ALL and s.series}
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
    charts = [similarity_multiples(kind, [s for s in found if s.kind == kind], key()) for kind in kinds]
    known = [s for s in pooled.values() if s.apart is not None and s.apart.n_images]
    charts += [
        parting_multiples(kind_name(kind), [s for s in found if s.kind == kind], key())
        for kind in kinds
        if any(s.kind == kind for s in known)
    ]
    informs = all(audit.shown for audit in audits if looks_inside(audit))
    parting = parting_rows(kinds, pooled) if any(s.apart and s.apart.noise is not None for s in known) else []
    noise = next((_POINTS.with_unit(s.apart.noise) for s in known if s.apart and s.apart.noise is not None), "")
    names = [kind_name(kind) for kind in kinds]
    return Inside(names, between, missing, rows, [Row(*row) for row in parting], noise, charts, informs)


def _cell(scale: Scale, estimate: Estimate) -> tuple[str, str]:
    return scale.number(estimate.value), scale.interval(estimate) if estimate.value is not None else ""


def kind_name(kind: str) -> str:
    """Return what a kind of embedding is called on the page."""
    return KINDS.get(kind, plain_name(kind))


def similarity_multiples(kind: str, shifts: Sequence[Shift], key: str) -> Chart:
    """Draw one small panel per corruption: cosine similarity to the clean image over severity.

    Parameters
    ----------
    kind : str
        Kind of embedding, for the title.
    shifts : sequence of Shift
        Of this kind; ``all`` is drawn strong, modalities thin, other patients' images dashed.
    key : str
        Unique within the page.
    """
    by_corruption: dict[str, list[Shift]] = {}
    for shift in shifts:
        by_corruption.setdefault(shift.perturbation, []).append(shift)
    pooled = [next((s for s in own if s.stratum == ALL), None) for own in by_corruption.values()]
    between = next((s.between for s in pooled if s), None)
    lines = max(1, -(-len(by_corruption) // _COLUMNS))
    ticks = _ticks(shifts, between)
    wide = (WIDTH - _LEFT) / _COLUMNS
    names = [wrapped(own[0].title, (wide - 6, wide - 6), SMALL, bold=True) for own in by_corruption.values()]
    head = 11 + _LINE * max((len(name) + 1 for name in names), default=1)
    drawing = Drawing(lines * (head + _TALL + _GAP) + 18)
    for index, own in enumerate(by_corruption.values()):
        left, top = _LEFT + (index % _COLUMNS) * wide, (index // _COLUMNS) * (head + _TALL + _GAP)
        for number, words in enumerate(names[index]):
            drawing.text(left, top + 8 + _LINE * number, words, SMALL, bold=True)
        x = Axis(0, max((p.level for s in shifts for p in s.series), default=1), left + 2, left + wide - 38)
        y = Axis(ticks[0], ticks[-1], top + head + _TALL, top + head)
        for tick in (ticks[0], ticks[-1]) if index % _COLUMNS == 0 else ():
            drawing.text(left - 4, y(tick), f"{tick:g}".replace("-", MINUS), SMALL, anchor="end", role="muted")
        _panel(drawing, x, y, own, between, ticks)
    severities = sorted({p.level for s in shifts for p in s.series})
    words = f"Each panel: cosine similarity against severity, clean to {max(severities, default=0)}."
    drawing.text(6, drawing.height - 7, words, SMALL, role="muted")
    title = f"{kind_name(kind)}: likeness to the clean image"
    description = "; ".join(
        f"{s.title} {fixed(s.series[0].similarity.value, 3)} to {fixed(s.series[-1].similarity.value, 3)}"
        for s in pooled
        if s and s.series
    )
    description = f"{description or 'Nothing was measured'}."
    svg = drawing.inline(key, title, description)
    shown = [p for s in pooled if s for p in s.series]
    caption = (
        f"Strong line: all modalities with {level_words(p.similarity for p in shown)}, "
        f"{n_words((p.n_images, p.n_clusters) for p in shown)} per point. Thin lines: one per modality. "
        + (f"Dashed: clean images of two different patients, {fixed(between, 3)}. " if between is not None else "")
        + "Under each name: change of the score at the strongest severity, points."
    )
    header = (
        "Corruption", "Modality", *(f"Severity {s}" for s in severities), "Other patients", "Score change, points",
        "Images", "Patients", "Missing",
    )  # fmt: skip
    rows = [_row(shift, severities) for own in by_corruption.values() for shift in own]
    return Chart(key, svg, title, description, caption, header, rows)


def _row(shift: Shift, severities: Sequence[int]) -> tuple[str, ...]:
    at = {p.level: p for p in shift.series}
    last = shift.series[-1] if shift.series else ShiftPoint(0, Estimate())
    return (
        shift.title,
        modality_name(shift.stratum),
        *(_COSINE.short(at[s].similarity) if s in at else "–" for s in severities),
        fixed(shift.between, 3),
        _CHANGE.short(last.score_change),
        whole(last.n_images),
        whole(last.n_clusters),
        whole(sum(p.n_missing for p in shift.series)),
    )


def _ticks(shifts: Sequence[Shift], between: float | None) -> list[float]:
    """Two to four round numbers from below everything drawn up to 1."""
    drawn = [1 - 1e-6] if between is None else [between, 1 - 1e-6]
    for shift in shifts:
        for span in (ends(p.similarity) for p in shift.series):
            if span:
                drawn.append(span[1] if shift.stratum == ALL else span[0])
    return round_numbers(min(drawn), 1.0, 3)


def _panel(
    drawing: Drawing, x: Axis, y: Axis, own: Sequence[Shift], between: float | None, ticks: Sequence[float]
) -> None:  # fmt: skip
    """Draw one panel; the last similarity stands to the right of its point, the change of the score above."""
    pooled = next((s for s in own if s.stratum == ALL), None)
    left = x.start - 2
    drawing.lines([(left, y(t), x.end + 2, y(t)) for t in ticks], "grid", 0.8)
    if between is not None:
        drawing.lines([(left, y(between), x.end + 2, y(between))], "edge", 1.2, DASHED)
    for shift in own:
        if shift.stratum != ALL and shift.series:
            drawing.curve(line_of(_from_clean(shift), x, y), "faint", 0.9)
    scored = [place for place in line_of(_from_clean(pooled), x, y)[1:] if place] if pooled else []
    if pooled is None or not scored:
        drawing.text((left + x.end) / 2, y((ticks[0] + ticks[-1]) / 2), "not measured", SMALL, anchor="middle",
                     role="muted")  # fmt: skip
        return
    change = f"score {_CHANGE.number(pooled.series[-1].score_change.value)}"
    drawing.text(left, y.end - 14, change, SMALL, role="muted")
    drawing.lines(bars_of(_from_clean(pooled), x, y), "accent", 1.4)
    drawing.curve(line_of(_from_clean(pooled), x, y), "accent", 2)
    drawing.markers("disc", scored, 3.5, "accent")
    last = next(p.similarity.value for p in reversed(pooled.series) if p.similarity.value is not None)
    drawing.text(scored[-1][0] + 5, scored[-1][1], _COSINE.number(last), SMALL)


def _from_clean(shift: Shift) -> list[tuple[float, Estimate]]:
    """Begin the line at the clean image, which is like itself."""
    return [(0, _UNCHANGED), *((p.level, p.similarity) for p in shift.series)]
