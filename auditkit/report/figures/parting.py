"""Where inside and score part: the move inside against the change of the score, one small panel per corruption."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from auditkit.evidence import ALL, Apart, Estimate
from auditkit.report.figures.charts import DASHED
from auditkit.report.figures.svg import SMALL, WIDTH, Axis, Chart, Drawing, Shape, wrapped
from auditkit.report.shifts import Shift
from auditkit.words import MINUS, Scale, fixed, modality_name, whole

_SHARE = Scale("share", signed=False)
_COLUMNS = 3
_LEFT = 30  # for the numbers of the axis
_LINE, _TALL, _GAP = 13, 74, 20  # pixels of a panel: a line of its head, its field, space below
_FAR, _MOST = 2.0, 100.0  # ends of the axes
_SMALLEST, _LARGEST = 2.2, 7.0  # pixels of a dot of one image, and of the one with most images
SHAPES: dict[str, Shape] = {"": "disc", "unsaid": "square", "unseen": "up"}
INKS = {"": "faint", "unsaid": "refused", "unseen": "accent"}


def parting_rows(
    kinds: Sequence[str], pooled: Mapping[tuple[str, str], Shift]
) -> list[tuple[str, str, list[tuple[str, str]]]]:
    """Return corruption, images, and per kind both shares with their intervals; all modalities together."""
    rows = []
    for corruption in dict.fromkeys(corruption for _, corruption in pooled):
        own = [pooled.get((kind, corruption)) for kind in kinds]
        found = [shift.apart if shift is not None else None for shift in own]
        title = next(shift.title for shift in own if shift is not None)
        images = max((each.n_images for each in found if each is not None), default=0)
        shares = [s for each in found for s in ((each.unsaid, each.unseen) if each else (Estimate(), Estimate()))]
        rows.append((title, whole(images), [_cell(share) for share in shares]))
    return rows


def _cell(estimate: Estimate) -> tuple[str, str]:
    return _SHARE.number(estimate.value), _SHARE.interval(estimate) if estimate.value is not None else ""


def parting_multiples(name: str, shifts: Sequence[Shift], key: str) -> Chart:
    """Draw one small panel per corruption: the move inside to the right, the change of the score upwards.

    Parameters
    ----------
    name : str
        What the kind of embedding is called.
    shifts : sequence of Shift
        Of this kind; the images of all modalities together are drawn, each stratum is a row of the table.
    key : str
        Unique within the page.
    """
    pooled = [(s, s.apart) for s in shifts if s.stratum == ALL and s.apart is not None]
    lines = max(1, -(-len(pooled) // _COLUMNS))
    wide = (WIDTH - _LEFT) / _COLUMNS
    names = [wrapped(s.title, (wide - 6, wide - 6), SMALL, bold=True) for s, _ in pooled]
    head = 4 + _LINE * max((len(words) for words in names), default=1)
    drawing = Drawing(lines * (head + _TALL + _GAP) + 16)
    most = max((dot[2] for _, apart in pooled for dot in apart.dots), default=1)
    for index, (_, apart) in enumerate(pooled):
        left, top = _LEFT + (index % _COLUMNS) * wide, (index // _COLUMNS) * (head + _TALL + _GAP)
        for number, words in enumerate(names[index]):
            drawing.text(left, top + 8 + _LINE * number, words, SMALL, bold=True)
        x = Axis(0, _FAR, left + 5, left + wide - 10)
        y = Axis(-_MOST, _MOST, top + head + _TALL, top + head)
        _panel(drawing, x, y, apart, most)
        if index % _COLUMNS == 0:
            for tick in (-_MOST, 0, _MOST):
                drawing.text(left - 2, y(tick), f"{tick:g}".replace("-", MINUS), SMALL, anchor="end", role="muted")
    drawing.text(6, drawing.height - 7, "Right: further inside. Up: higher score, points.", SMALL, role="muted")
    title = f"{name}: move inside against change of the score"
    description = "; ".join(
        f"{s.title}: {whole(a.n_unsaid)} moved, not said, {whole(a.n_unseen)} said, not moved, of {whole(a.n_images)}"
        for s, a in pooled
    )
    caption = (
        "Each dot: images at the strongest severity, larger for more. Across: how far the inside moved; 1 (dashed) is "
        "as far as another patient's image, 2 stands for all beyond. Band: the score's own noise. "
        "Squares: moved, not said. Triangles: said, not moved. Discs: all others."
    )
    header = (
        "Corruption", "Modality", "Severity", "Images", "Patients", "Noise of the score, points", "Moved, not said",
        "Share", "First of them", "Said, not moved", "Share", "First of them",
    )  # fmt: skip
    rows = [_row(s, s.apart) for s in shifts if s.apart is not None]
    said = f"{description or 'Nothing was measured'}."
    return Chart(key, drawing.inline(key, title, said), title, said, caption, header, rows)


def _panel(drawing: Drawing, x: Axis, y: Axis, apart: Apart, most: int) -> None:
    if apart.noise is not None:
        top = y.clipped(apart.noise)
        drawing.box(x.start, top, x.end - x.start, max(y.clipped(-apart.noise) - top, 1.0), "band")
    drawing.lines([(x.start, y(value), x.end, y(value)) for value in (-_MOST, 0, _MOST)], "grid", 0.8)
    drawing.lines([(x(1), y.start, x(1), y.end)], "edge", 1.2, DASHED)
    if not apart.dots:
        drawing.text((x.start + x.end) / 2, y(0), "not measured", SMALL, anchor="middle", role="muted")
    for far, change, n, kind in apart.dots:
        size = max(_SMALLEST, _LARGEST * math.sqrt(n / most))
        drawing.markers(SHAPES.get(kind, "disc"), [(x.clipped(far), y.clipped(change))], size, INKS.get(kind, "faint"))
    for tick in (0, 1, 2):
        drawing.text(x(tick), y.start + 8, f"{tick:g}", SMALL, anchor="middle", role="muted")


def _row(shift: Shift, apart: Apart) -> tuple[str, ...]:
    counted = apart.noise is not None
    return (
        shift.title,
        modality_name(shift.stratum),
        str(apart.level),
        whole(apart.n_images),
        whole(apart.n_clusters),
        fixed(apart.noise, 1),
        whole(apart.n_unsaid) if counted else fixed(None),
        _SHARE.short(apart.unsaid),
        ", ".join(apart.first_unsaid) or fixed(None),
        whole(apart.n_unseen) if counted else fixed(None),
        _SHARE.short(apart.unseen),
        ", ".join(apart.first_unseen) or fixed(None),
    )
