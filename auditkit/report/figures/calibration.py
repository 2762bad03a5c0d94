"""The reliability diagram: how often a picture with a given score was in fact undamaged."""

from __future__ import annotations

from collections.abc import Sequence

from auditkit.evidence import Audit, Estimate, Point
from auditkit.report.figures.charts import DASHED, ends, grid, heading, level_words, n_words, strong
from auditkit.report.figures.svg import SMALL, WIDTH, Axis, Chart, Drawing, text_width
from auditkit.words import Scale, count, fixed, percent, whole

_SHARE = Scale("share", signed=False)
_BARS = 34  # pixels for the counts
_TICKS = (0, 25, 50, 75, 100)


def reliability(audit: Audit, key: str) -> Chart | None:
    """Draw the share of undamaged pictures against the score read as a chance, band by band.

    Parameters
    ----------
    audit : Audit
        Of the statistic ``calibration``; its series has the bands, its one cell the error.
    key : str
        Unique within the page.

    Returns
    -------
    Chart or None
        None where no band has pictures.
    """
    bands = sorted((p for p in audit.series if p.score.value is not None), key=_place)
    if not bands:
        return None
    drawing = Drawing(358)
    x, y = Axis(0, 100, 36, WIDTH - 14), Axis(0, 100, 246, 26)
    heading(drawing, 10, "Undamaged among these pictures, %")
    grid(drawing, x, y, _TICKS)
    drawing.lines([(x(0), y(0), x(100), y(100))], "edge", 1.3, DASHED)
    drawing.text(WIDTH - 8, 10, "dashed: as stated", SMALL, anchor="end")
    strong(drawing, [(_place(p), _percent(_observed(p))) for p in bands], x, y, "disc")
    _counts(drawing, bands, x, 262)
    for tick in _TICKS:
        drawing.text(x(tick), 320, str(tick), SMALL, anchor="middle", role="muted")
    drawing.text(WIDTH - 8, 335, "score, points of 0–100", SMALL, anchor="end", role="muted")
    drawing.text(WIDTH - 8, 350, _error_words(audit), SMALL, anchor="end", bold=True)
    title = "The score read as the chance that a picture is undamaged"
    levels, left_out = levels_of(audit), left_out_of(audit)
    caption = (
        f"{n_words([(audit.n_images, audit.n_clusters)])}, each clean and once degraded"
        + (f" (severity {levels[0]} to {levels[-1]})" if levels else "")
        + f", so that half are undamaged; {level_words(map(_observed, bands))}. Bars: pictures per band. "
        "Above the dashed line the score is too low for a chance, below it too high."
        + (f" {count(left_out, 'image')} left out: an answer gave no score." if left_out else "")
    )
    rows = [
        (
            p.condition,
            fixed(p.score.value),
            _SHARE.short(_observed(p)),
            whole(p.n_images),
            whole(p.n_clusters),
        )
        for p in bands
    ]
    description = _words(audit, bands)
    header = ("Band", "Mean score, points", "Undamaged", "Pictures", "Patients")
    return Chart(key, drawing.inline(key, title, description), title, description, caption, header, rows)


def by_chance(audit: Audit) -> float | None:
    """Return what a perfectly calibrated model would exceed one time in twenty."""
    return next((cell.reference for cell in audit.parts), None)


def left_out_of(audit: Audit) -> int:
    """Return the images without a score, clean or degraded."""
    return max(audit.outcomes.total - audit.n_images, 0)


def levels_of(audit: Audit) -> list[int]:
    """Return the levels of the degraded pictures, sorted."""
    parts = audit.definition.parts if audit.definition is not None else []
    return sorted({level for part in parts for term in part.terms for _, level in term.condition})


def _place(point: Point) -> float:
    return point.score.value or 0.0


def _observed(point: Point) -> Estimate:
    return point.observed or Estimate(unit="share")


def _percent(estimate: Estimate) -> Estimate:
    span = ends(estimate)
    return Estimate() if span is None else Estimate(value=100 * span[0], low=100 * span[1], high=100 * span[2])


def _counts(drawing: Drawing, bands: Sequence[Point], x: Axis, top: float) -> None:
    """Draw the number of pictures per band as bars, with the numbers that do not run into each other."""
    most = max((p.n_images for p in bands), default=0) or 1
    free = 0.0
    for band in bands:
        place, number = x(_place(band)), band.n_images
        tall = max(_BARS * number / most, 0.8 if number else 0)
        drawing.box(place - 5, top + 12 + _BARS - tall, 10, tall, "scored")
        width = text_width(whole(number), SMALL)
        if place - width / 2 > free:
            drawing.text(place, top + 6 + _BARS - tall, whole(number), SMALL, anchor="middle", role="muted")
            free = place + width / 2 + 2
    drawing.lines([(x.start, top + 12 + _BARS, x.end, top + 12 + _BARS)], "faint", 0.8)


def _error_words(audit: Audit) -> str:
    return f"calibration error {percent(audit.estimate.value)}; by chance up to {percent(by_chance(audit))}"


def _words(audit: Audit, bands: Sequence[Point]) -> str:
    told = "; ".join(
        f"scores around {fixed(p.score.value, 0)}: {_SHARE.number(_observed(p).value)} % undamaged "
        f"of {whole(p.n_images)}"
        for p in bands
    )
    return (
        f"{told}. Expected calibration error {percent(audit.estimate.value)}; a model whose scores were true chances "
        f"would exceed {percent(by_chance(audit))} one time in twenty."
    )
