"""Confidence against right answers, and risk against coverage: clean images and corrupted ones in one drawing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from auditkit.evidence import Audit, Estimate, Point
from auditkit.report.figures.charts import DASHED, bars_of, ends, grid, heading, level_words, line_of, n_words
from auditkit.report.figures.svg import SMALL, WIDTH, Axis, Chart, Drawing, Shape
from auditkit.words import Scale, count, fixed, whole

RELIABILITY, RISK = "reliability", "risk"
_SHARE = Scale("share", signed=False)
_TICKS = (0, 25, 50, 75, 100)
# Told apart by shape, by filling and by dashes; what has more conditions has them in its table.
_LINES: tuple[tuple[Shape, bool, str, str], ...] = (
    ("disc", False, "", "accent"),
    ("square", True, DASHED, "ink"),
    ("diamond", False, "1.5 2.5", "ink"),
)


def confidence_chart(audit: Audit, key: str) -> Chart | None:
    """Draw the curves of an audit, one for every condition.

    Parameters
    ----------
    audit : Audit
        Of the statistic ``reliability``: the share of right answers against their confidence. Or of ``risk``: the share
        of wrong answers among those kept against the share that is kept.
    key : str
        Unique within the page.

    Returns
    -------
    Chart or None
        None where nothing was measured.
    """
    curves: dict[str, list[Point]] = {}
    for point in audit.series:
        if point.score.value is not None and point.observed is not None:
            curves.setdefault(point.part, []).append(point)
    if not curves:
        return None
    shown = dict(list(curves.items())[: len(_LINES)])
    risk = audit.statistic == RISK
    drawing = Drawing(322 + 16 * len(shown))
    x, y = Axis(0, 100, 36, WIDTH - 14), Axis(0, 100, 256, 26)
    heading(drawing, 10, "Wrong among the answers kept, %" if risk else "Right among these answers, %")
    grid(drawing, x, y, _TICKS)
    if not risk:
        drawing.lines([(x(0), y(0), x(100), y(100))], "edge", 1.3, DASHED)
        drawing.text(WIDTH - 8, 10, "dashed: as stated", SMALL, anchor="end")
    _draw(drawing, shown, x, y, risk=risk)
    for tick in _TICKS:
        drawing.text(x(tick), 270, str(tick), SMALL, anchor="middle", role="muted")
    words = "share kept, surest first, %" if risk else "confidence in the answer, %"
    drawing.text(WIDTH - 8, 286, words, SMALL, anchor="end", role="muted")
    _legend(drawing, audit, shown, risk=risk)
    title = audit.title
    description = _words(shown, risk=risk)
    rows = [
        (
            _name(p.part), fixed(p.score.value), _SHARE.short(_observed(p, risk=risk)), whole(p.n_images),
            whole(p.n_clusters),
        )
        for own in curves.values()
        for p in own
    ]  # fmt: skip
    header = (
        ("Images", "Kept, %", "Wrong among them", "Answers in all", "Patients")
        if risk
        else ("Images", "Mean confidence, %", "Right", "Answers", "Patients")
    )
    caption = _caption(shown, len(curves) - len(shown), risk=risk)
    return Chart(key, drawing.inline(key, title, description), title, description, caption, header, rows)


def _draw(drawing: Drawing, curves: Mapping[str, Sequence[Point]], x: Axis, y: Axis, *, risk: bool) -> None:
    for own, (shape, hollow, dash, role) in zip(curves.values(), _LINES, strict=False):
        places = [(p.score.value or 0.0, _percent(_observed(p, risk=risk))) for p in own]
        if role == "accent":  # intervals of one line only: those of three hide each other, and are in the table
            drawing.lines(bars_of(places, x, y), role, 1.4)
        line = line_of(places, x, y)
        drawing.curve(line, role, 1.8, dash)
        drawing.markers(shape, (place for place in line if place), 6.5, role, hollow=hollow)


def _legend(drawing: Drawing, audit: Audit, curves: Mapping[str, Sequence[Point]], *, risk: bool) -> None:
    found = {cell.part: cell.estimate.value for cell in audit.parts if cell.stratum.level == "all"}
    found = found or {cell.part: cell.estimate.value for cell in audit.parts}
    for place, (part, (shape, hollow, dash, role)) in enumerate(zip(curves, _LINES, strict=False)):
        top = 306 + 16 * place
        drawing.lines([(8, top, 34, top)], role, 1.8, dash)
        drawing.markers(shape, [(21, top)], 6.5, role, hollow=hollow)
        words, value = _name(part), found.get(part)
        if value is not None:
            said = f"mean risk {_SHARE.number(1 - value)} %" if risk else f"calibration error {_SHARE.number(value)} %"
            words += f": {said}"
        drawing.text(40, top, words, SMALL)


def _observed(point: Point, *, risk: bool) -> Estimate:
    """The share of right answers; of a risk that of wrong ones."""
    found = point.observed or Estimate(unit="share")
    if not risk or found.value is None:
        return found
    low, high = (None if end is None else 1 - end for end in (found.high, found.low))
    return found.model_copy(update={"value": 1 - found.value, "low": low, "high": high})


def _percent(estimate: Estimate) -> Estimate:
    span = ends(estimate)
    return Estimate() if span is None else Estimate(value=100 * span[0], low=100 * span[1], high=100 * span[2])


def _name(part: str) -> str:
    """``clean`` and ``jpeg-s5`` as people say it."""
    if part in ("", "clean"):
        return "images as they are"
    return part.replace("_", " ").replace("-s", ", severity ")


def _caption(curves: Mapping[str, Sequence[Point]], more: int, *, risk: bool) -> str:
    points = [p for own in curves.values() for p in own]
    n = n_words((p.n_images, p.n_clusters) for p in points)
    first = level_words(p.observed for p in next(iter(curves.values())))
    told = (
        "The model keeps the answers that it is surest of and refers the rest. A curve that rises to the right is of a "
        "model that knows where it errs; a level one is of a model whose confidence says nothing."
        if risk
        else "Below the dashed line the model is surer than it is right."
    )
    left = f" Only in the table: {count(more, 'further condition')}." if more else ""
    return f"{n} per point; {first} of the first line, all others in the table. {told}{left}"


def _words(curves: Mapping[str, Sequence[Point]], *, risk: bool) -> str:
    told = []
    for part, own in curves.items():
        some = "; ".join(
            f"{fixed(p.score.value, 0)} % {'kept' if risk else 'sure'}: "
            f"{_SHARE.number(_observed(p, risk=risk).value)} % {'wrong' if risk else 'right'}"
            for p in own
        )
        told.append(f"{_name(part)}: {some}")
    return f"{'. '.join(told)}."
