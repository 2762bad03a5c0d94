"""Forest plots and outcome bars: one row per audit or per prompt, the declared limit drawn."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from auditkit.evidence import ALL, Audit, Outcomes
from auditkit.report.figures.charts import colour, ends, level_words, marks, n_words
from auditkit.report.figures.svg import PLAIN, SMALL, WIDTH, Anchor, Axis, Chart, Drawing, fitted, text_width, wrapped
from auditkit.words import (
    MINUS,
    OUTCOME_NAMES,
    Scale,
    audit_name,
    p_value,
    percent,
    region,
    region_words,
    verdict_word,
    whole,
)

FAR = 6.0
Region = tuple[float | None, float | None]
_EDGE = 8  # pixels at either side
_LINE, _TRACK = 15, 25  # height of a line of a name, and of interval and marker below


def accepted(audit: Audit) -> tuple[Region, Region]:
    """Return what is accepted of the estimate over all modalities, and of each modality where that is another region.

    Open ends are None; both are where the required cells share no region.
    """
    shared = region(None, audit)
    if shared != (None, None):
        return shared, (None, None)
    pooled, single = (
        {(c.margin_low, c.margin_high) for c in audit.parts if c.required and (c.stratum.level == ALL) is overall}
        for overall in (True, False)
    )
    first, second = (regions.pop() if len(regions) == 1 else (None, None) for regions in (pooled, single))
    return first, second


def _accepted_words(audit: Audit, scale: Scale) -> str:
    pooled, single = accepted(audit)
    words = region_words(*pooled, scale)
    return words if single == (None, None) else f"{words}; in each modality {region_words(*single, scale)}"


def forest_limits(audits: Iterable[Audit], scale: Scale) -> tuple[float, float]:
    """Return axis limits that hold the acceptance regions and the intervals.

    An interval that lies `FAR` times as far out as the limit gets an arrow instead: one broken audit must not press
    all others into a line.
    """
    drawn: list[float] = []
    margins: list[float] = [0.0] if scale.signed else []
    for audit in audits:
        margins += [m for limits in accepted(audit) for m in limits if m is not None]
        if span := ends(audit.estimate):
            drawn += span[1:]
    low, high = min([*drawn, *margins], default=0.0), max([*drawn, *margins], default=1.0)
    edge = max(map(abs, margins), default=0.0)
    if scale.signed and edge:
        low, high = max(low, -FAR * edge), min(high, FAR * edge)
    if scale.signed and min(margins) < 0 < max(margins):
        width = 1.12 * max(-low, high)
        return -width, width
    pad = 0.08 * ((high - low) or abs(high) or 1.0)
    return low - pad, high + pad


def forest(
    title: str, audits: Sequence[Audit], scale: Scale, limits: tuple[float, float], key: str, change: str
) -> Chart:
    """Draw one row per audit: estimate and interval against the acceptance region, small ticks for the modalities.

    Parameters
    ----------
    title : str
        Name of the group.
    audits : sequence of Audit
        In the order to be drawn.
    scale : Scale
        How numbers are written.
    limits : tuple of float
        Axis limits, the same for figures that will be compared; what lies beyond gets an arrow.
    key : str
        Unique within the page.
    change : str
        What the axis is, for people (``Change of the score``).
    """
    rows_of = [(audit, _name(audit_name(audit), scale.short(audit.estimate))) for audit in audits]
    foot = sum(_LINE * len(name) + _TRACK for _, name in rows_of) + 4
    drawing = Drawing(foot + 36)
    x = Axis(*limits, _EDGE, WIDTH - _EDGE)
    top = 2.0
    for audit, name in rows_of:
        for number, line in enumerate(name):
            drawing.text(_EDGE, top + 8 + _LINE * number, line, PLAIN, bold=True)
        drawing.text(WIDTH - _EDGE, top + 8, scale.short(audit.estimate), SMALL, anchor="end")
        top += _LINE * len(name)
        _track(drawing, audit, x, top, zero=scale.signed)
        top += _TRACK
    drawing.lines([(x.start, foot, x.end, foot)], "faint", 0.8)
    for tick in x.ticks(6):
        drawing.text(x(tick), foot + 10, _tick(tick, scale), SMALL, anchor="middle", role="muted")
    label = fitted(f"{change}, {scale.label}", WIDTH - 16, SMALL)
    drawing.text(WIDTH / 2, foot + 26, label, SMALL, anchor="middle", role="muted")
    description = "; ".join(f"{audit_name(a)}: {verdict_word(a)}, {scale.full(a.estimate)}" for a in audits[:12])
    if len(audits) > 12:
        description += f"; and {len(audits) - 12} more in the table"
    description += "."
    caption = (
        f"Estimates over all modalities with {level_words(a.estimate for a in audits)}, "
        f"{n_words((a.n_images, a.n_clusters) for a in audits)} per row; shaded: accepted. "
        "Small ticks: one per modality."
        + (" Dotted: the limits for each modality." if any(accepted(a)[1] != (None, None) for a in audits) else "")
    )
    rows = [
        (
            audit_name(a), verdict_word(a), scale.short(a.estimate), _accepted_words(a, scale),
            p_value(a.p_pass), p_value(a.p_fail), whole(a.n_images), whole(a.n_clusters),
        )
        for a in audits
    ]  # fmt: skip
    header = ("Audit", "Verdict", f"Estimate, {scale.label}", "Accepted", "p (pass)", "p (fail)", "Images", "Patients")
    return Chart(key, drawing.inline(key, title, description), title, description, caption, header, rows)


def _name(name: str, beside: str) -> list[str]:
    """Break a name into at most two lines; the number stands to the right of the first."""
    full = WIDTH - 2 * _EDGE
    return wrapped(name, (full - text_width(beside, SMALL) - 8, full), PLAIN, bold=True)


def _tick(value: float, scale: Scale) -> str:
    number = value * scale.factor
    if abs(number) < 1e-9:
        return "0"
    sign = MINUS if number < 0 else "+" if scale.signed else ""
    return f"{sign}{abs(number):g}"


def _track(drawing: Drawing, audit: Audit, x: Axis, top: float, *, zero: bool) -> None:
    """Draw what one audit accepts, its modalities as small ticks, its interval and its marker."""
    middle, bottom = top + 10, top + 20
    span, look = ends(audit.estimate), verdict_word(audit)
    if span is None:
        words = "not measured"
        at = (x.start + x.end - text_width(words, SMALL)) / 2
        marks(drawing, look, [(at - 8, middle)], 8)
        drawing.text(at, middle, words, SMALL, role="muted")
        return
    (low, high), single = accepted(audit)
    edges = [edge for edge in (low, high) if edge is not None]
    if edges:
        start, end = (limit if edge is None else x.clipped(edge) for edge, limit in ((low, x.start), (high, x.end)))
        drawing.box(start, top, end - start, bottom - top, "band")
        drawing.lines([(x(e), top, x(e), bottom) for e in edges if x.holds(e)], "edge", 1.2, "3 2")
    outer = [x(e) for e in single if e is not None and x.holds(e)]
    drawing.lines([(at, top, at, bottom) for at in outer], "edge", 1.2, "1 2")
    if zero and x.holds(0):
        drawing.lines([(x(0), top, x(0), bottom)], "muted", 0.9)
    # Between levels the estimate is a difference, and the numbers of the levels lie elsewhere.
    values = [c.estimate.value for c in audit.parts if c.stratum.level != ALL and not audit.between]
    ticks = [x(v) for v in values if v is not None and x.holds(v)]
    drawing.lines([(t, middle - 5, t, middle + 5) for t in ticks], "faint", 1)
    drawing.lines([(x.clipped(span[1]), middle, x.clipped(span[2]), middle)], colour(look), 2)
    if x.holds(span[0]):
        marks(drawing, look, [(x(span[0]), middle)], 8.5)
    if span[1] < x.low:
        drawing.markers("left", [(x.start, middle)], 8, colour(look))
    if span[2] > x.high:
        drawing.markers("right", [(x.end, middle)], 8, colour(look))


def outcome_bars(title: str, rows: Sequence[tuple[str, Outcomes]], key: str) -> Chart:
    """Draw how answers ended as stacked bars, one per row, each part's share written when there is room for it."""
    present = [name for name in OUTCOME_NAMES if any(getattr(o, name) for _, o in rows)] or ["scored"]
    legend = -(-len(present) // 3) * 16
    heights = [40 + 13 * len(_lost(o)) for _, o in rows]
    foot = legend + 10 + sum(heights)
    drawing = Drawing(foot + 22)
    for index, name in enumerate(present):
        left, y = _EDGE + (index % 3) * 104, 8 + (index // 3) * 16
        drawing.box(left, y - 5, 10, 10, name)
        drawing.text(left + 14, y, OUTCOME_NAMES[name], SMALL)
    for index, (label, outcomes) in enumerate(rows):
        _outcome_row(drawing, legend + 8 + sum(heights[:index]), label, outcomes)
    x = Axis(0, 100, _EDGE, WIDTH - _EDGE)
    for share in (0, 25, 50, 75, 100):
        side: Anchor = "start" if share == 0 else "end" if share == 100 else "middle"
        drawing.text(x(share), foot + 10, f"{share} %", SMALL, anchor=side, role="muted")
    description = "; ".join(
        f"{label}: {percent(o.scored / o.total)} of {whole(o.total)} answers scored"
        if o.total
        else f"{label}: no answers"
        for label, o in rows[:12]
    )
    description += "."
    table = [
        (label, whole(o.total), *(f"{whole(n)} ({percent(n / o.total)})" if o.total else "0" for n in _counts(o)))
        for label, o in rows
    ]
    caption = (
        "Share of the answers; every answer asked for is counted once. n of each row is written beside its name. "
        "These are counts of all answers, so they have no interval."
    )
    header = ("Answers to", "Asked", *OUTCOME_NAMES.values())
    return Chart(key, drawing.inline(key, title, description), title, description, caption, header, table)


def _counts(outcomes: Outcomes) -> list[int]:
    return [getattr(outcomes, name) for name in OUTCOME_NAMES]


def _outcome_row(drawing: Drawing, top: float, label: str, outcomes: Outcomes) -> None:
    full = WIDTH - 2 * _EDGE
    n = f"n = {whole(outcomes.total)}"
    name = fitted(label, full - text_width(n, SMALL) - 8, PLAIN, bold=True)
    drawing.text(_EDGE, top + 9, name, PLAIN, bold=True)
    drawing.text(WIDTH - _EDGE, top + 9, n, SMALL, anchor="end", role="muted")
    drawing.box(_EDGE, top + 18, full, 15, "grid")
    x = float(_EDGE)
    for name, number in zip(OUTCOME_NAMES, _counts(outcomes), strict=True):
        if not number:
            continue
        width = full * number / outcomes.total
        drawing.box(x, top + 18, max(width - 0.8, 0.6), 15, name)
        share = percent(number / outcomes.total)
        if width > text_width(share, SMALL) + 6:
            role = "ink" if name == "scored" else "paper"
            drawing.text(x + width / 2, top + 25.5, share, SMALL, anchor="middle", role=role)
        x += width
    for number, line in enumerate(_lost(outcomes)):
        drawing.text(_EDGE, top + 42 + 13 * number, line, SMALL, role="muted")


def _lost(outcomes: Outcomes) -> list[str]:
    """Say in words what was not scored: narrow parts have no room for a number, and in grey their colours are alike."""
    parts = [
        f"{OUTCOME_NAMES[name].lower()} {percent(number / outcomes.total)}"
        for name, number in zip(OUTCOME_NAMES, _counts(outcomes), strict=True)
        if number and name != "scored"
    ]
    room = WIDTH - 2 * _EDGE
    return wrapped(", ".join(parts), (room, room), SMALL) if parts else []
