"""Runs in time: an effect with its interval, what was accepted, and where something else changed than the model."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from auditkit.evidence import Estimate
from auditkit.evidence.history import History, Monitored, PastAudit, PastRun, Trend
from auditkit.report.figures.charts import DASHED, colour, ends, level_words, marks, n_words
from auditkit.report.figures.svg import PLAIN, SMALL, WIDTH, Axis, Chart, Drawing, fitted, spread, text_width
from auditkit.words import SHOWN, VERDICT_ORDER, Scale, plain_name, region_words, whole

_LEFT, _RIGHT, _TOP, _TALL = 44.0, WIDTH - 10.0, 26.0, 150.0
_ROW = 14.0
_MOST = 15
"""Numbers of runs below one another that have room."""
FAR = 3.0
"""Limits this many times the spread of the values away are not drawn: the values would be one line."""


def timeline(audit: PastAudit, runs: Sequence[PastRun], key: str) -> Chart:
    """Draw an audit's effect over the runs.

    Parameters
    ----------
    audit : PastAudit
        Its points; of a run that does not have it nothing is drawn.
    runs : sequence of PastRun
        All runs, which are the axis.
    key : str
        Unique within the page.
    """
    scale = Scale(audit.unit, signed=audit.change)
    several = [len({run.protocol for run in runs}) > 1, len({run.data for run in runs}) > 1]
    drawing = Drawing(_TOP + _TALL + 24 + _ROW * sum(several))
    x = Axis(0.5, len(runs) + 0.5, _LEFT, _RIGHT)
    y = _heights(audit, scale)
    drawing.text(6, 10, fitted(f"{scale.label[:1].upper()}{scale.label[1:]}", WIDTH - 12, PLAIN, bold=True), bold=True)
    _accepted(drawing, audit, x, y)
    _grid(drawing, x, y, scale)
    _changes(drawing, runs, x)
    places = {p.run: (x(p.run), y(p.estimate.value)) for p in audit.points if p.estimate.value is not None}
    lines = [
        (*places[before.run], *places[point.run])
        for before, point in pairwise(audit.points)
        if point.joined and before.run in places and point.run in places
    ]
    drawing.lines(lines, "accent", 1.8)
    for point in audit.points:
        if point.run not in places:
            continue
        look = SHOWN if audit.shown else point.verdict
        at, span = x(point.run), ends(point.estimate)
        if span is not None:
            drawing.lines([(at, y(span[1]), at, y(span[2]))], colour(look), 1.6)
        marks(drawing, look, [places[point.run]], 8.0)
    _axis(drawing, runs, x, several)
    return _chart(audit, runs, scale, drawing, key)


def drift(audit: PastAudit, trend: Trend, key: str) -> Chart:
    """Draw a trend: the mean of every run over the patients that all of them have, and the line through them."""
    scale = Scale(audit.unit, signed=audit.change)
    values = [value for value in trend.means if value is not None]
    rise, start = trend.estimate.value or 0.0, trend.start or 0.0
    points = [*values, start, start + rise]
    pad = 0.12 * ((max(points) - min(points)) or 1.0)
    drawing = Drawing(_TOP + _TALL + 24)
    x = Axis(0.5, len(trend.runs) + 0.5, _LEFT, _RIGHT)
    y = Axis(min(points) - pad, max(points) + pad, _TOP + _TALL, _TOP)
    drawing.text(6, 10, fitted(f"{scale.label[:1].upper()}{scale.label[1:]}", WIDTH - 12, PLAIN, bold=True), bold=True)
    _grid(drawing, x, y, scale)
    drawing.lines([(x(1), y(start), x(len(trend.runs)), y(start + rise))], "ink", 1.6, DASHED)
    drawing.markers("disc", [(x(i), y(v)) for i, v in enumerate(trend.means, 1) if v is not None], 6.5, "accent")
    for place in _labelled(len(trend.runs)):
        drawing.text(x(place), _TOP + _TALL + 11, str(trend.runs[place - 1]), SMALL, anchor="middle", role="muted")
    drawing.text(6, _TOP + _TALL + 11, "Run", SMALL, role="muted")
    title = f"{named(audit)}, line through the versions"
    change = Scale(audit.unit, signed=True).full(trend.estimate)
    description = f"From run {trend.runs[0]} to run {trend.runs[-1]} the line moves by {change}."
    caption = (
        f"Discs: mean of every run ({trend.what}), {n_words([(trend.n_images, trend.n_clusters)])} that have a value "
        f"in all of them. Dashed: the least-squares line, which moves by {change}."
    )
    rows = [(str(run), scale.number(mean)) for run, mean in zip(trend.runs, trend.means, strict=True)]
    svg = drawing.inline(key, title, description)
    return Chart(key, svg, title, description, caption, ("Run", f"Mean, {scale.label}"), rows)


def verdicts(history: History, key: str) -> Chart:
    """Draw how many audits had which verdict in every run."""
    runs = history.runs
    present = [v for v in VERDICT_ORDER if any(run.counts.get(v) for run in runs)]
    several = [len({run.protocol for run in runs}) > 1, len({run.data for run in runs}) > 1]
    legend = 16.0
    drawing = Drawing(_TOP + _TALL + 24 + legend + _ROW * sum(several))
    x = Axis(0.5, len(runs) + 0.5, _LEFT, _RIGHT)
    most = max((run.counts.get(v, 0) for run in runs for v in present), default=1)
    y = Axis(0, max(1.0, 1.08 * most), _TOP + _TALL, _TOP)
    drawing.text(6, 10, "Audits", PLAIN, bold=True)
    _grid(drawing, x, y, Scale("", signed=False))
    _changes(drawing, runs, x)
    for place, verdict in enumerate(present):
        # Equal counts lie side by side, not on one another.
        aside = 0.18 * (place - (len(present) - 1) / 2)
        places = [(x(run.number + aside), y(run.counts.get(verdict, 0))) for run in runs]
        drawing.curve(places, colour(verdict), 1.4, "" if verdict in ("PASS", "FAIL") else "3 2")
        marks(drawing, verdict, places, 7.5)
    _axis(drawing, runs, x, several)
    left = 6.0
    for verdict in present:
        drawing_y = drawing.height - 8
        marks(drawing, verdict, [(left + 5, drawing_y)], 7.5)
        drawing.text(left + 13, drawing_y, verdict, SMALL)
        left += 26 + text_width(verdict, SMALL)
    title = "Verdicts by run"
    description = "; ".join(
        f"run {run.number}: " + ", ".join(f"{run.counts.get(v, 0)} {v}" for v in present) for run in runs
    )
    caption = "Audits that decide, by verdict; of a run of a part, those that ran."
    rows = [(str(run.number), *(whole(run.counts.get(v, 0)) for v in present)) for run in runs]
    svg = drawing.inline(key, title, f"{description}.")
    return Chart(key, svg, title, f"{description}.", caption + _marked(several), ("Run", *present), rows)


def monitor(audit: Monitored, key: str) -> Chart:
    """Draw the band of one audit over new patients."""
    scale = Scale(audit.unit, signed=audit.change)
    numbers = [n for p in audit.points for n in (p.low, p.mean, p.high) if n is not None]
    numbers += [n for n in (audit.margin_low, audit.margin_high) if n is not None]
    low, high = min(numbers, default=0.0), max(numbers, default=1.0)
    pad = 0.06 * ((high - low) or 1.0)
    drawing = Drawing(_TOP + _TALL + 24)
    x = Axis(0.5, len(audit.points) + 0.5, _LEFT, _RIGHT)
    y = Axis(low - pad, high + pad, _TOP + _TALL, _TOP)
    drawing.text(6, 10, fitted(f"{scale.label[:1].upper()}{scale.label[1:]}", WIDTH - 12, PLAIN, bold=True), bold=True)
    edges = [edge for edge in (audit.margin_low, audit.margin_high) if edge is not None]
    if edges:
        top = y.end if audit.margin_high is None else y(audit.margin_high)
        bottom = y.start if audit.margin_low is None else y(audit.margin_low)
        drawing.box(x.start, top, x.end - x.start, bottom - top, "band")
        drawing.lines([(x.start, y(edge), x.end, y(edge)) for edge in edges], "edge", 1.2, "3 2")
    _grid(drawing, x, y, scale)
    for place, point in enumerate(audit.points, 1):
        if point.low is not None and point.high is not None:
            drawing.lines([(x(place), y(point.low), x(place), y(point.high))], "accent", 2.4)
        if point.mean is not None:
            drawing.markers("diamond", [(x(place), y(point.mean))], 7.5, "accent", hollow=True)
    for place in _labelled(len(audit.points)):
        drawing.text(
            x(place), _TOP + _TALL + 11, str(audit.points[place - 1].run), SMALL, anchor="middle", role="muted"
        )
    drawing.text(6, _TOP + _TALL + 11, "Run", SMALL, role="muted")
    title = f"{named(audit)}, all patients so far"
    rows = [
        (
            str(p.run), scale.number(p.mean), f"{scale.number(p.low)} to {scale.number(p.high)}", whole(p.n_new),
            whole(p.n_clusters),
        )
        for p in audit.points
    ]  # fmt: skip
    last = audit.points[-1]
    description = f"After run {last.run}: {scale.number(last.mean)}, band {rows[-1][2]} {scale.label}."
    caption = (
        f"Mean and band over all patients up to each run; shaded: accepted, "
        f"{region_words(audit.margin_low, audit.margin_high, scale)}. The bands hold at all runs at once."
    )
    columns = ("Run", f"Mean, {scale.label}", "Band", "New patients", "Patients so far")
    return Chart(key, drawing.inline(key, title, description), title, description, caption, columns, rows)


def _heights(audit: PastAudit, scale: Scale) -> Axis:
    drawn = [n for p in audit.points if (span := ends(p.estimate)) for n in span]
    limits = [n for p in audit.points for n in (p.margin_low, p.margin_high) if n is not None]
    low, high = min(drawn, default=0.0), max(drawn, default=1.0)
    reach = FAR * ((high - low) or 1.0)
    near = [n for n in limits if low - reach <= n <= high + reach] + ([0.0] if scale.signed else [])
    low, high = min([low, *near]), max([high, *near])
    pad = 0.08 * ((high - low) or 1.0)
    return Axis(low - pad, high + pad, _TOP + _TALL, _TOP)


def _grid(drawing: Drawing, x: Axis, y: Axis, scale: Scale) -> None:
    for tick in y.ticks(5):
        drawing.lines([(x.start, y(tick), x.end, y(tick))], "muted" if tick == 0 and scale.signed else "grid", 0.8)
        number = tick * scale.factor
        sign = "+" if scale.signed and number > 0 else "\N{MINUS SIGN}" if number < 0 else ""
        drawing.text(x.start - 5, y(tick), f"{sign}{abs(number):g}", SMALL, anchor="end", role="muted")


def _accepted(drawing: Drawing, audit: PastAudit, x: Axis, y: Axis) -> None:
    """Draw what each run accepted, as wide as the run: where a limit moved there is a step."""
    for point in audit.points:
        edges = [edge for edge in (point.margin_low, point.margin_high) if edge is not None]
        if not edges:
            continue
        left, right = x(point.run - 0.5), x(point.run + 0.5)
        top = y.end if point.margin_high is None else y.clipped(point.margin_high)
        bottom = y.start if point.margin_low is None else y.clipped(point.margin_low)
        drawing.box(left, top, right - left, bottom - top, "band")
        drawing.lines([(left, y(edge), right, y(edge)) for edge in edges if y.holds(edge)], "edge", 1.2, "3 2")


def _changes(drawing: Drawing, runs: Sequence[PastRun], x: Axis) -> None:
    """Draw an upright line where the protocol changed, dotted where the data did."""
    bottom = _TOP + _TALL
    for before, run in pairwise(runs):
        at = x(run.number - 0.5)
        if run.protocol != before.protocol:
            drawing.lines([(at, _TOP, at, bottom)], "ink", 1.3)
        if run.data != before.data:
            drawing.lines([(at + 2, _TOP, at + 2, bottom)], "ink", 1.3, "1 3")


def _axis(drawing: Drawing, runs: Sequence[PastRun], x: Axis, several: Sequence[bool]) -> None:
    """Write the runs' numbers, and below them which criteria and data they have where there are several."""
    top = _TOP + _TALL + 11
    drawing.text(6, top, "Run", SMALL, role="muted")
    for place in _labelled(len(runs)):
        run = runs[place - 1]
        star = "*" if run.n_not_run else ""
        drawing.text(x(run.number), top, f"{run.number}{star}", SMALL, anchor="middle", role="muted")
    for name, shown in zip(("protocol", "data"), several, strict=True):
        if not shown:
            continue
        top += _ROW
        drawing.text(6, top, "Crit." if name == "protocol" else "Data", SMALL, role="muted")
        letters = [getattr(run, name) for run in runs]
        starts = [i for i, own in enumerate(letters) if i == 0 or letters[i - 1] != own]
        wanted = [x((start + 1 + stop) / 2) for start, stop in zip(starts, [*starts[1:], len(runs)], strict=True)]
        for start, at in zip(starts, spread(wanted, 9, x.start, x.end), strict=True):
            drawing.text(at, top, letters[start], SMALL, anchor="middle")


def _labelled(n: int) -> list[int]:
    """Return the places, from 1, that get a number: all, or every second, fifth, ..., the last always."""
    step = next(step for step in (1, 2, 5, 10, 20, 50, 100, n) if n / step <= _MOST)
    places = list(range(1, n + 1, step))
    return places if places[-1] == n else [*(p for p in places if n - p > step / 2), n]


def _marked(several: Sequence[bool]) -> str:
    protocol, data = several
    words = " Upright line: the protocol changed (Crit.)." if protocol else ""
    words += " Dotted: the images are others (Data)." if data else ""
    return words


def _chart(audit: PastAudit, runs: Sequence[PastRun], scale: Scale, drawing: Drawing, key: str) -> Chart:
    known: list[Estimate] = [p.estimate for p in audit.points]
    several = [len({run.protocol for run in runs}) > 1, len({run.data for run in runs}) > 1]
    first, last = audit.points[0], audit.points[-1]
    description = (
        f"Run {first.run}: {first.verdict}, {scale.full(first.estimate)}; run {last.run}: {last.verdict}, "
        f"{scale.full(last.estimate)}."
    )
    caption = (
        f"{level_words(known)[:1].upper()}{level_words(known)[1:]}, each of its run alone; "
        f"{n_words((p.n_images, p.n_clusters) for p in audit.points)}; shaded: accepted. Where no line joins two runs, "
        f"what was measured or the images differ.{_marked(several)}"
        + (" *: a part of the audits." if any(run.n_not_run for run in runs) else "")
    )
    rows = [
        (
            str(p.run), f"v{runs[p.run - 1].version}", p.verdict, scale.short(p.estimate),
            region_words(p.margin_low, p.margin_high, scale), whole(p.n_images), whole(p.n_clusters), p.apart or "–",
        )
        for p in audit.points
    ]  # fmt: skip
    columns = ("Run", "Version", "Verdict", f"Effect, {scale.label}", "Accepted", "Images", "Patients", "Not joined")
    title = named(audit)
    return Chart(key, drawing.inline(key, title, description), title, description, caption, columns, rows)


def named(audit: PastAudit | Monitored) -> str:
    """Return family and title: the same thing is changed in several families."""
    family = audit.id.removeprefix("anchor/").split("/")[0]
    return f"{plain_name(family)}: {audit.title}"
