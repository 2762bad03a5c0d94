"""Forest plots and outcome bars: one row per audit or per prompt, the declared limit drawn."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from auditkit.evidence import Audit, Outcomes
from auditkit.report.charts import MARKERS, WIDTH, ends, face, level_words, n_words
from auditkit.report.svg import INKS, Chart, blank, drawing, inline
from auditkit.report.wording import (
    MINUS,
    OUTCOME_NAMES,
    OVERALL,
    VERDICT_ORDER,
    Scale,
    audit_name,
    cut,
    p_value,
    percent,
    region,
    region_words,
    whole,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes


# Where in a row of height 1 the shaded band lies, and the marker.
BAND, MARK = (0.42, 0.94), 0.68
FAR = 6.0


def forest_limits(audits: Iterable[Audit], scale: Scale) -> tuple[float, float]:
    """Return axis limits that hold the acceptance regions and the intervals.

    An interval that lies `FAR` times as far out as the limit gets an arrow instead: one broken audit must not press
    all others into a line.
    """
    found: list[float] = []
    margins: list[float] = [0.0] if scale.signed else []
    for audit in audits:
        margins += [m for m in region(None, audit) if m is not None]
        if audit.estimate.value is not None:
            found += ends(audit.estimate)[1:]
    low, high = min([*found, *margins], default=0.0), max([*found, *margins], default=1.0)
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
    row_h, head, foot = 38, 8, 38
    height = head + row_h * len(audits) + foot
    low_limit, high_limit = limits
    with drawing():
        figure = blank(WIDTH, height)
        ax = figure.add_axes((8 / WIDTH, foot / height, (WIDTH - 16) / WIDTH, row_h * len(audits) / height))
        ax.set_xlim(low_limit, high_limit)
        ax.set_ylim(len(audits), 0)
        ax.set_yticks([])
        ax.spines["left"].set_visible(False)
        _regions(ax, audits, limits)
        if scale.signed:
            rows_at = range(len(audits))
            ax.vlines([0] * len(audits), [r + BAND[0] for r in rows_at], [r + BAND[1] for r in rows_at],
                      color=INKS["muted"], lw=0.9, zorder=1)  # fmt: skip
        _estimates(ax, audits, limits)
        at = ax.get_yaxis_transform()
        for index, audit in enumerate(audits):
            ax.text(0, index + 0.22, cut(audit_name(audit), 34), transform=at, fontsize=10, va="center", weight="bold")
            ax.text(1, index + 0.22, scale.short(audit.estimate), transform=at, fontsize=9.5, va="center", ha="right")
        ax.locator_params(axis="x", nbins=5)
        ticks = [t for t in ax.get_xticks() if low_limit <= t <= high_limit]
        ax.set_xticks(ticks, [_tick(t, scale) for t in ticks])
        ax.tick_params(labelsize=10)
        figure.text(
            0.5,
            4 / height,
            cut(f"{change}, {scale.label}", 60),
            ha="center",
            va="bottom",
            fontsize=10,
            color=INKS["muted"],
        )
        description = "; ".join(f"{audit_name(a)}: {a.verdict}, {scale.full(a.estimate)}" for a in audits[:12])
        if len(audits) > 12:
            description += f"; and {len(audits) - 12} more in the table"
        description += "."
        svg = inline(figure, key, title, description)
    caption = (
        f"Estimates over all modalities with {level_words(a.estimate for a in audits)}, "
        f"{n_words((a.n_images, a.n_clusters) for a in audits)} per row; shaded: accepted."
    )
    rows = [
        (
            audit_name(a), a.verdict, scale.short(a.estimate), region_words(*region(None, a), scale),
            p_value(a.p_pass), p_value(a.p_fail), whole(a.n_images), whole(a.n_clusters),
        )
        for a in audits
    ]  # fmt: skip
    header = ("Audit", "Verdict", f"Estimate, {scale.label}", "Accepted", "p (pass)", "p (fail)", "Images", "Patients")
    return Chart(key, svg, title, description, caption, header, rows, WIDTH)


def _tick(value: float, scale: Scale) -> str:
    number = value * scale.factor
    if abs(number) < 1e-9:
        return "0"
    sign = MINUS if number < 0 else "+" if scale.signed else ""
    return f"{sign}{abs(number):g}"


def _regions(ax: Axes, audits: Sequence[Audit], limits: tuple[float, float]) -> None:
    """Shade what each row accepts and draw the limits."""
    edges: list[tuple[float, float, float]] = []
    for index, audit in enumerate(audits):
        low, high = region(None, audit)
        if low is None and high is None:
            continue
        start, end = limits[0] if low is None else low, limits[1] if high is None else high
        ax.fill_between([start, end], index + BAND[0], index + BAND[1], color=INKS["band"], lw=0, zorder=0)
        edges += [(edge, index + BAND[0], index + BAND[1]) for edge in (low, high) if edge is not None]
    if edges:
        x, bottom, top = zip(*edges, strict=True)
        ax.vlines(x, bottom, top, color=INKS["edge"], lw=1.1, ls=(0, (3, 2)), zorder=1)


def _estimates(ax: Axes, audits: Sequence[Audit], limits: tuple[float, float]) -> None:
    """Draw the intervals and markers verdict by verdict (few objects draw fast), and small ticks for the modalities."""
    ticks = [
        (cell.estimate.value, index + MARK)
        for index, audit in enumerate(audits)
        for cell in audit.by_modality
        if cell.modality != OVERALL
        and cell.estimate.value is not None
        and limits[0] <= cell.estimate.value <= limits[1]
    ]
    if ticks:
        x, y = zip(*ticks, strict=True)
        ax.vlines(x, [v - 0.13 for v in y], [v + 0.13 for v in y], color=INKS["faint"], lw=1, zorder=2)
    for verdict in VERDICT_ORDER:
        own = [(index + MARK, *ends(a.estimate)) for index, a in enumerate(audits) if a.verdict == verdict]
        known = [(y, v, low, high) for y, v, low, high in own if v == v]  # NaN: nothing was measured
        colour = INKS[verdict]
        if known:
            clipped = [[min(max(end, limits[0]), limits[1]) for end in row[2:]] for row in known]
            ax.hlines(
                [r[0] for r in known], [c[0] for c in clipped], [c[1] for c in clipped], color=colour, lw=1.9, zorder=3
            )
            inside = [r for r in known if limits[0] <= r[1] <= limits[1]]
            ax.plot(
                [r[1] for r in inside],
                [r[0] for r in inside],
                ls="",
                marker=MARKERS[verdict],
                ms=7,
                zorder=4,
                **face(verdict),
            )
            for limit, marker, beyond in (
                (limits[0], "<", [r for r in known if r[2] < limits[0]]),
                (limits[1], ">", [r for r in known if r[3] > limits[1]]),
            ):
                if beyond:
                    ax.plot(
                        [limit] * len(beyond),
                        [r[0] for r in beyond],
                        ls="",
                        marker=marker,
                        ms=6,
                        color=colour,
                        clip_on=False,
                    )
        if len(known) < len(own):
            missing = [r[0] for r in own if r not in known]
            ax.plot([sum(limits) / 2] * len(missing), missing, ls="", marker="X", ms=6.5, zorder=4, **face(verdict))


def outcome_bars(title: str, rows: Sequence[tuple[str, Outcomes]], key: str) -> Chart:
    """Draw how answers ended as stacked bars, one per row, each part's share written when there is room for it."""
    row_h, head, foot = 40, 26, 22
    present = [name for name in OUTCOME_NAMES if any(getattr(o, name) for _, o in rows)] or ["scored"]
    legend = -(-len(present) // 3) * 16
    height = head - 26 + legend + 10 + row_h * len(rows) + foot
    with drawing():
        figure = blank(WIDTH, height)
        ax = figure.add_axes((0, 0, 1, 1))
        ax.set_xlim(0, WIDTH)
        ax.set_ylim(height, 0)
        ax.axis("off")
        for index, name in enumerate(present):
            left, y = 8 + (index % 3) * 118, 8 + (index // 3) * 16
            ax.fill_between([left, left + 10], y - 5, y + 5, color=INKS[name], lw=0)
            ax.text(left + 15, y, OUTCOME_NAMES[name], fontsize=9.5, va="center")
        for index, (label, outcomes) in enumerate(rows):
            _outcome_row(ax, legend + 10 + index * row_h, label, outcomes)
        bottom = height - foot + 4
        for share in (0, 25, 50, 75, 100):
            x = 8 + share / 100 * (WIDTH - 16)
            ax.text(
                x, bottom + 8, f"{share} %", fontsize=9.5, va="center", color=INKS["muted"],
                ha="left" if share == 0 else "right" if share == 100 else "center",
            )  # fmt: skip
        description = "; ".join(
            f"{label}: {percent(o.scored / o.total)} of {whole(o.total)} answers scored"
            if o.total
            else f"{label}: no answers"
            for label, o in rows[:12]
        )
        description += "."
        svg = inline(figure, key, title, description)
    table = [
        (label, whole(o.total), *(f"{whole(n)} ({percent(n / o.total)})" if o.total else "0" for n in _counts(o)))
        for label, o in rows
    ]
    caption = "Share of the answers; every answer asked for is counted once. n of each row is written beside its name."
    return Chart(key, svg, title, description, caption, ("Answers to", "Asked", *OUTCOME_NAMES.values()), table, WIDTH)


def _counts(outcomes: Outcomes) -> list[int]:
    return [getattr(outcomes, name) for name in OUTCOME_NAMES]


def _outcome_row(ax: Axes, top: float, label: str, outcomes: Outcomes) -> None:
    full = WIDTH - 16
    ax.text(8, top + 9, cut(label, 44), fontsize=10, va="center", weight="bold")
    ax.text(
        WIDTH - 8, top + 9, f"n = {whole(outcomes.total)}", fontsize=9.5, va="center", ha="right", color=INKS["muted"]
    )
    ax.fill_between([8, 8 + full], top + 18, top + 33, color=INKS["grid"], lw=0)
    x = 8.0
    for name, number in zip(OUTCOME_NAMES, _counts(outcomes), strict=True):
        if not number:
            continue
        width = full * number / outcomes.total
        ax.fill_between([x, x + max(width - 0.8, 0.6)], top + 18, top + 33, color=INKS[name], lw=0)
        if width > 42:
            inside = INKS["ink"] if name == "scored" else INKS["paper"]
            ax.text(
                x + width / 2,
                top + 25.5,
                percent(number / outcomes.total),
                fontsize=9.5,
                va="center",
                ha="center",
                color=inside,
            )
        x += width
