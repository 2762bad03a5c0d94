"""The reliability diagram: how often a picture with a given score was in fact undamaged."""

from __future__ import annotations

from collections.abc import Sequence

from auditkit.evidence import ALL, CalibrationCurve, CalibrationPoint, Estimate
from auditkit.report.figures.charts import DASHED, ends, grid, heading, level_words, line_of, n_words, strong
from auditkit.report.figures.svg import SMALL, WIDTH, Axis, Chart, Drawing, text_width
from auditkit.words import Scale, fixed, modality_name, whole

_SHARE = Scale("share", signed=False)
_BARS = 34  # pixels for the counts
_TICKS = (0, 25, 50, 75, 100)


def reliability(curves: Sequence[CalibrationCurve], key: str) -> Chart | None:
    """Draw the share of undamaged pictures against the score read as a chance, band by band.

    Parameters
    ----------
    curves : sequence of CalibrationCurve
        As in the record; ``all`` (else the first) is drawn strong with intervals and counts, others thin.
    key : str
        Unique within the page.

    Returns
    -------
    Chart or None
        None where no band has pictures.
    """
    curves = [curve for curve in curves if curve.points]
    if not curves:
        return None
    main = next((c for c in curves if c.modality == ALL), curves[0])
    drawing = Drawing(358)
    x, y = Axis(0, 100, 36, WIDTH - 14), Axis(0, 100, 246, 26)
    heading(drawing, 10, "Undamaged among these pictures, %")
    grid(drawing, x, y, _TICKS)
    drawing.lines([(x(0), y(0), x(100), y(100))], "edge", 1.3, DASHED)
    drawing.text(WIDTH - 8, 10, "dashed: as stated", SMALL, anchor="end")
    for curve in curves:
        if curve is not main:
            drawing.curve(line_of(_placed(curve), x, y), "faint", 1)
    strong(drawing, _placed(main), x, y, "disc")
    _counts(drawing, main, x, 262)
    for tick in _TICKS:
        drawing.text(x(tick), 320, str(tick), SMALL, anchor="middle", role="muted")
    drawing.text(WIDTH - 8, 335, "score, points of 0–100", SMALL, anchor="end", role="muted")
    drawing.text(WIDTH - 8, 350, _error_words(main), SMALL, anchor="end", bold=True)
    title = "The score read as the chance that a picture is undamaged"
    description = _words(main)
    low, high = (min(main.levels), max(main.levels)) if main.levels else (0, 0)
    caption = (
        f"{'All modalities' if main.modality == ALL else modality_name(main.modality)}, "
        f"{n_words([(main.n_images, main.n_clusters)])}, each clean and once degraded"
        + (f" (severity {low} to {high})" if main.levels else "")
        + f", so that half are undamaged; {level_words(p.observed for p in main.points)}. Bars: pictures per band. "
        "Above the dashed line the score is too low for a chance, below it too high."
        + (f" {whole(main.n_missing)} images left out: an answer gave no score." if main.n_missing else "")
        + (" Thin lines: one per modality." if len(curves) > 1 else "")
    )
    rows = [
        (
            modality_name(curve.modality),
            fixed(None if p.predicted is None else 100 * p.predicted),
            _SHARE.short(p.observed),
            whole(p.n_images),
            whole(p.n_clusters),
            fixed(curve.error, 3),
            fixed(curve.by_chance, 3),
        )
        for curve in curves
        for p in curve.points
    ]
    header = (
        "Modality", "Mean score, points", "Undamaged", "Pictures", "Patients", "Calibration error", "By chance at most",
    )  # fmt: skip
    return Chart(key, drawing.inline(key, title, description), title, description, caption, header, rows)


def _placed(curve: CalibrationCurve) -> list[tuple[float, Estimate]]:
    """Return the bands as (score in points, share in per cent)."""
    return [(100 * p.predicted, _percent(p.observed)) for p in _bands(curve) if p.predicted is not None]


def _bands(curve: CalibrationCurve) -> list[CalibrationPoint]:
    known = [p for p in curve.points if p.predicted is not None]
    return sorted(known, key=lambda p: p.predicted or 0.0)


def _percent(estimate: Estimate) -> Estimate:
    span = ends(estimate)
    return Estimate() if span is None else Estimate(value=100 * span[0], low=100 * span[1], high=100 * span[2])


def _counts(drawing: Drawing, curve: CalibrationCurve, x: Axis, top: float) -> None:
    """Draw the number of pictures per band as bars, with the numbers that do not run into each other."""
    bands = [(100 * (p.predicted or 0.0), p.n_images) for p in _bands(curve)]
    most = max((n for _, n in bands), default=0) or 1
    free = 0.0
    for score, number in bands:
        tall = max(_BARS * number / most, 0.8 if number else 0)
        drawing.box(x(score) - 5, top + 12 + _BARS - tall, 10, tall, "scored")
        width = text_width(whole(number), SMALL)
        if x(score) - width / 2 > free:
            drawing.text(x(score), top + 6 + _BARS - tall, whole(number), SMALL, anchor="middle", role="muted")
            free = x(score) + width / 2 + 2
    drawing.lines([(x.start, top + 12 + _BARS, x.end, top + 12 + _BARS)], "faint", 0.8)


def _error_words(curve: CalibrationCurve) -> str:
    return f"calibration error {fixed(curve.error, 3)}; by chance up to {fixed(curve.by_chance, 3)}"


def _words(curve: CalibrationCurve) -> str:
    bands = "; ".join(
        f"scores around {fixed(100 * (p.predicted or 0.0), 0)}: {_SHARE.number(p.observed.value)} % undamaged "
        f"of {whole(p.n_images)}"
        for p in _bands(curve)
    )
    return (
        f"{bands}. Expected calibration error {fixed(curve.error, 3)}; a model whose scores were true chances would "
        f"exceed {fixed(curve.by_chance, 3)} one time in twenty."
    )
