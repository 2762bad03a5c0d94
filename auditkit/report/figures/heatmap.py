"""Corruption by modality at a glance: a number, a shade and a verdict's marker in every field."""

from __future__ import annotations

from collections.abc import Sequence

from auditkit.evidence import VERDICTS, Audit, Cell, Verdict
from auditkit.report.figures.charts import Place, level_words, marks, n_words
from auditkit.report.figures.svg import SMALL, WIDTH, Chart, Drawing, fitted, text_width, wrapped
from auditkit.report.views import Heat, heat
from auditkit.words import VERDICT_ORDER, Scale, audit_name, modality_name, region_words, whole

_LEFT = 72  # for the names of the corruptions
_MOST = 6  # fields side by side; more would leave no room for a number
# One hue, laid on ever more strongly: up to here the text on it keeps a contrast of 4.5 on white and on a dark page, so
# that one colour of text does; in grey the steps stay in order.
_SHADES = (0.06, 0.17, 0.28, 0.39, 0.5)
_MARK = 8.5  # for a marker to the left of a number
_NEUTRAL = {"AUROC": 0.5}
_TURN = 38.0  # of the modalities' names; they end above their column and may reach over the names at the left


def heat_map(title: str, audits: Sequence[Audit], modalities: Sequence[str], key: str) -> Chart | None:
    """Draw one field per corruption and modality.

    Where a place has several decisions (one per severity), it shows the number of the one that tells most, the mildest
    among those with the worst verdict, and the markers of all, the mildest at the left.

    Parameters
    ----------
    title : str
        Of the figure.
    audits : sequence of Audit
        One row each, all of one unit.
    modalities : sequence of str
        One column each; more than `_MOST` go into blocks below one another.
    key : str
        Unique within the page.

    Returns
    -------
    Chart or None
        None where no audit has a decision about one of the modalities.
    """
    table = heat(audits, modalities)
    used = [i for i in range(len(modalities)) if any(places[i] for _, places in table.rows)]
    if not used:
        return None
    blocks = -(-len(used) // _MOST)
    per = -(-len(used) // blocks)
    several = table.several
    names = [wrapped(audit_name(audit), (_LEFT - 6, _LEFT - 6), SMALL) for audit, _ in table.rows]
    wide = (WIDTH - _LEFT - 4) / per
    shown = [table.scale.number(cell.estimate.value) for cell in _told(table)]
    beside = not several and max(text_width(number, SMALL) for number in shown) + _MARK <= wide - 2
    tall = 27 if beside else 33
    heads = [_head([modality_name(modalities[i]) for i in used[start : start + per]]) for start in _starts(used, per)]
    drawing = Drawing(sum(heads) + blocks * (tall * len(names) + 8) + 40)
    top, steps = 0.0, _steps(table)
    placed: list[tuple[Verdict, Place]] = []
    for start, head in zip(_starts(used, per), heads, strict=True):
        top += head
        for column, index in enumerate(used[start : start + per]):
            left = _LEFT + column * wide
            name = _short(modality_name(modalities[index]))
            drawing.text(left + wide / 2 + 2, top - 6, name, SMALL, anchor="end", turn=_TURN)
            for row, (_, places) in enumerate(table.rows):
                place = (left, top + row * tall, wide - 2, tall - 2)
                placed += _field(drawing, *place, places[index], table.scale, steps, beside=beside)
        for row, lines in enumerate(names):
            middle = top + row * tall + tall / 2 - 1
            for number, line in enumerate(lines):
                drawing.text(4, middle + (number - (len(lines) - 1) / 2) * 12, line, SMALL)
        top += tall * len(names) + 8
    for verdict in VERDICTS:
        marks(drawing, verdict, [place for own, place in placed if own == verdict], 5.5 if several else 6.5)
    _legend(drawing, top, table.scale, steps)
    cells = [cell for _, places in table.rows for index in used for cell in places[index]]
    description = _words(table, modalities, used)
    caption = (
        f"Number: estimate, {table.scale.label}; its {level_words(c.estimate for c in cells)} are in the table; "
        f"{n_words((c.n_images, c.n_clusters) for c in cells)} per field. Shade: {_size_words(table.scale)}. "
        "Marker: verdict, disc PASS, square FAIL, ring INCONCLUSIVE, cross ERROR."
        + (
            " One marker per severity, mildest at the left; the number is that of the mildest with the worst verdict."
            if several
            else ""
        )
    )
    rows = [
        (
            audit_name(audit),
            modality_name(modalities[index]),
            cell.part or "–",
            cell.verdict + ("" if cell.required else ", for information"),
            table.scale.short(cell.estimate),
            region_words(cell.margin_low, cell.margin_high, table.scale),
            whole(cell.n_images),
            whole(cell.n_clusters),
        )
        for audit, places in table.rows
        for index in used
        for cell in places[index]
    ]
    header = (
        "Corruption", "Modality", "Part", "Verdict", f"Estimate, {table.scale.label}", "Accepted", "Images",
        "Patients",
    )  # fmt: skip
    return Chart(key, drawing.inline(key, title, description), title, description, caption, header, rows)


def _starts(used: Sequence[int], per: int) -> range:
    return range(0, len(used), per)


def _short(name: str) -> str:
    return fitted(name, 104, SMALL)


def _head(names: Sequence[str]) -> float:
    """Room above a block for the slanted names: the sine of their angle is 0.62."""
    return 0.62 * max(text_width(_short(name), SMALL) for name in names) + 16


def telling(cells: Sequence[Cell]) -> Cell | None:
    """Return the first cell with the worst verdict; None of none."""
    return min(cells, key=lambda c: VERDICTS.index(c.verdict), default=None)


def _told(table: Heat) -> list[Cell]:
    return [cell for _, places in table.rows for cells in places if (cell := telling(cells))]


def _size(cell: Cell, scale: Scale) -> float | None:
    value = cell.estimate.value
    return None if value is None else abs(value - _NEUTRAL.get(scale.unit, 0.0))


def _size_words(scale: Scale) -> str:
    return "distance from 0.5, a coin toss" if scale.unit in _NEUTRAL else "size of the number, whatever its sign"


def _steps(table: Heat) -> list[float]:
    """Return the upper ends of the shades: equal steps up to the largest number shown."""
    sizes = [size for cell in _told(table) if (size := _size(cell, table.scale)) is not None]
    largest = 0.5 if table.scale.unit in _NEUTRAL else max(sizes, default=0.0)
    return [(largest or 1.0) * (step + 1) / len(_SHADES) for step in range(len(_SHADES))]


def _field(
    drawing: Drawing, left: float, top: float, wide: float, tall: float, cells: Sequence[Cell], scale: Scale,
    steps: Sequence[float], *, beside: bool,
) -> list[tuple[Verdict, Place]]:  # fmt: skip
    """Draw one field without its markers and return these: many of one kind together are drawn in fewer bytes."""
    cell = telling(cells)
    middle = left + wide / 2
    if cell is None:
        drawing.text(middle, top + tall / 2, "–", SMALL, anchor="middle", role="muted")
        return []
    size = _size(cell, scale)
    if size is not None:
        step = next((i for i, end in enumerate(steps) if size <= end + 1e-9), len(steps) - 1)
        drawing.box(left, top, wide, tall, "accent", _SHADES[step])
    number = scale.number(cell.estimate.value)
    if beside:
        start = left + (wide - text_width(number, SMALL) - _MARK) / 2
        drawing.text(start + _MARK, top + tall / 2, number, SMALL)
        return [(cell.verdict, (start + 3.5, top + tall / 2))]
    drawing.text(middle, top + tall / 2 - 6, number, SMALL, anchor="middle")
    pitch = min(8.0, wide / len(cells))
    first = middle - pitch * (len(cells) - 1) / 2
    return [(one.verdict, (first + place * pitch, top + tall - 8)) for place, one in enumerate(cells)]


def _legend(drawing: Drawing, top: float, scale: Scale, steps: Sequence[float]) -> None:
    """Show the shades with the largest number each stands for, and the markers."""
    wide = (WIDTH - _LEFT - 4) / len(steps)
    drawing.text(4, top + 8, "up to", SMALL, role="muted")
    for index, end in enumerate(steps):
        drawing.box(_LEFT + index * wide, top + 1, wide - 2, 14, "accent", _SHADES[index])
        words = f"{_NEUTRAL.get(scale.unit, 0.0) + end * scale.factor:.{scale.digits}f}"
        drawing.text(_LEFT + (index + 0.5) * wide - 1, top + 8, words, SMALL, anchor="middle")
    left = 4.0
    for verdict in VERDICT_ORDER:
        marks(drawing, verdict, [(left + 4, top + 28)], 7)
        drawing.text(left + 11, top + 28, verdict, SMALL)
        left += text_width(verdict, SMALL) + 28


def _words(table: Heat, modalities: Sequence[str], used: Sequence[int]) -> str:
    """Say the range of each row, and what did not pass."""
    parts = []
    for audit, places in table.rows:
        shown = [(modalities[i], cell) for i in used if (cell := telling(places[i]))]
        values = [cell.estimate.value for _, cell in shown if cell.estimate.value is not None]
        if not values:
            parts.append(f"{audit_name(audit)}: not measured")
            continue
        failed = [modality_name(name) for name, cell in shown if cell.verdict != "PASS"]
        parts.append(
            f"{audit_name(audit)} {table.scale.number(min(values))} to {table.scale.number(max(values))}"
            + (f", not passed in {', '.join(failed)}" if failed else "")
        )
    return f"{'; '.join(parts)}."
