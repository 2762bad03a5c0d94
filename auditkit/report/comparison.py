"""``comparison.html``: several models side by side, one self-contained page without scripts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

from auditkit import durable
from auditkit import words as wording
from auditkit.evidence import Audit, Cell, Estimate
from auditkit.evidence.comparison import ComparedAudit, Comparison, Correlation, Difference, ModelEffect, Summary
from auditkit.report.figures import forest
from auditkit.report.figures.svg import Chart
from auditkit.report.html import templates
from auditkit.report.questions import QUESTIONS, question_of

# Nothing is fetched and nothing is run, even if a way around the escaping were found.
CSP = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
FIGURES = 6
# Characters of a model's name that stand on one line beside its interval.
NAME = 26


@dataclass(frozen=True)
class Bar:
    """An interval to draw on an axis of 0 to 100.

    Attributes
    ----------
    low, value, high : float
        Where the interval lies.
    zero : float or None
        Where 0 lies; None where it is not on the axis.
    accepted : tuple of float or None
        What the protocol accepts, cut at the ends of the axis.
    """

    low: float
    value: float
    high: float
    zero: float | None
    accepted: tuple[float, float] | None


@dataclass(frozen=True)
class Row:
    """One audit over all models, ready to be written.

    Attributes
    ----------
    audit : ComparedAudit
        The audit.
    slug : str
        Its id on the page.
    title : str
        What is changed.
    scale : Scale
        How its numbers are written.
    bars : list of Bar or None
        One per model, on one axis.
    differ, bad, apart : bool
        Whether verdicts differ, any is not PASS, two models are told apart.
    shown : list of Difference
        Pairs worth a line: told apart, or with an interval that leaves 0 out.
    rest : Difference or None
        The largest of the other pairs.
    """

    audit: ComparedAudit
    slug: str
    title: str
    scale: wording.Scale
    bars: list[Bar | None]
    differ: bool
    bad: bool
    apart: bool
    shown: list[Difference]
    rest: Difference | None


@dataclass(frozen=True)
class Question:
    """One question of the report and its audits."""

    slug: str
    name: str
    heading: str
    rows: list[Row]


def render_comparison(comparison: Comparison) -> str:
    """Return a comparison as one self-contained HTML page.

    Parameters
    ----------
    comparison : Comparison
        From `auditkit.records.compare.compare`; nothing else is read.

    Returns
    -------
    str
        HTML without scripts or references to other files; equal comparisons give equal text.
    """
    questions = _questions(comparison)
    rows = [row for question in questions for row in question.rows]
    return (
        templates()
        .get_template("comparison.html.j2")
        .render(
            c=comparison,
            CSP=CSP,
            labels=[m.label for m in comparison.models],
            questions=questions,
            n_apart=sum(row.apart for row in rows),
            n_differ=sum(row.differ for row in rows),
            n_bad=sum(row.bad for row in rows),
            n_rows=len(rows),
            standings=[_standings(summary, comparison) for summary in comparison.summaries],
            figures=_figures(rows, comparison),
            whole_orders=_orders(comparison, "all", "all"),
            order_tables=_order_tables(comparison),
            correlation=wording.Scale("correlation", signed=False),
            level=100 * (1 - 2 * (comparison.alpha or 0.0)),
        )
    )


def write_comparison(comparison: Comparison, path: Path) -> None:
    """Write the page to `path` as UTF-8, replacing what was there only when it is complete."""
    durable.write(path, render_comparison(comparison))


def bars(
    estimates: Sequence[Estimate], accepted: tuple[float | None, float | None] = (None, None), *, zero: bool
) -> list[Bar | None]:
    """Place intervals on one axis that holds them all, and what is accepted as far as it is near.

    Parameters
    ----------
    estimates : sequence of Estimate
        One bar each; None for those without a value.
    accepted : tuple
        Region accepted by the protocol; an open end is None.
    zero : bool
        Whether 0 is to be on the axis.
    """
    ends = [e for e in estimates if e.value is not None]
    points = [x for e in ends for x in (e.low, e.value, e.high) if x is not None]
    points += [x for x in accepted if x is not None] + ([0.0] if zero else [])
    if not ends:
        return [None] * len(estimates)
    low, high = min(points), max(points)
    pad = 0.06 * ((high - low) or 1.0)
    low, high = low - pad, high + pad

    def at(x: float) -> float:
        return round(100 * (x - low) / (high - low), 2)

    region = None
    if any(x is not None for x in accepted):
        region = (0.0 if accepted[0] is None else at(accepted[0]), 100.0 if accepted[1] is None else at(accepted[1]))
    return [
        None
        if e.value is None
        else Bar(
            at(e.value if e.low is None else e.low),
            at(e.value),
            at(e.value if e.high is None else e.high),
            at(0.0) if low <= 0 <= high else None,
            region,
        )
        for e in estimates
    ]


def _as_audit(audit: ComparedAudit, effect: ModelEffect, label: str) -> Audit:
    """Put one model's effect in the form that forest plots draw, the model's name in place of the title."""
    verdict = effect.verdict or "INCONCLUSIVE"
    region = {"margin_low": audit.margin_low, "margin_high": audit.margin_high}
    cell = Cell(verdict=verdict, sentence="", estimate=effect.estimate, **region)
    return Audit(
        id=audit.id,
        question="",
        family=audit.family,
        verb=audit.verb,
        statistic=audit.statistic,
        quantity=audit.quantity,
        unit=audit.unit,
        change=audit.change,
        title=label,
        verdict=verdict,
        sentence="",
        estimate=effect.estimate,
        n_images=effect.n_images,
        n_clusters=effect.n_clusters,
        parts=[cell],
    )


def _questions(comparison: Comparison) -> list[Question]:
    order = {name: at for at, name in enumerate(QUESTIONS)}
    audits = sorted(comparison.audits, key=lambda a: (order.get(a.family, len(order)), a.family))
    slugs = iter(range(1, len(audits) + 1))
    questions = []
    for number, (family, own) in enumerate(groupby(audits, key=lambda a: a.family), 1):
        heading = (question_of(family, comparison.protocol) or (wording.plain_name(family),))[0]
        rows = [_row(audit, f"a{next(slugs)}") for audit in own]
        questions.append(Question(f"q{number}", family, heading, rows))
    return questions


def _row(audit: ComparedAudit, slug: str) -> Row:
    scale = wording.scale_of(_as_audit(audit, audit.models[0], ""))
    beyond = [d for d in audit.differences if d.apart or _leaves_zero_out(d.estimate)]
    rest = [d for d in audit.differences if d not in beyond and d.estimate.value is not None]
    verdicts = {m.verdict for m in audit.models if m.verdict}
    return Row(
        audit=audit,
        slug=slug,
        title=audit.title or wording.plain_name(audit.id),
        scale=scale,
        bars=bars([m.estimate for m in audit.models], (audit.margin_low, audit.margin_high), zero=scale.signed),
        differ=len(verdicts) > 1,
        bad=bool(verdicts - {"PASS"}),
        apart=any(d.apart for d in audit.differences),
        shown=sorted(beyond, key=lambda d: (not d.apart, -abs(d.estimate.value or 0.0))),
        rest=max(rest, key=lambda d: abs(d.estimate.value or 0.0), default=None),
    )


def _leaves_zero_out(estimate: Estimate) -> bool:
    return estimate.low is not None and estimate.high is not None and (estimate.low > 0 or estimate.high < 0)


def _standings(summary: Summary, comparison: Comparison) -> dict[str, object]:
    """One summary with its models in the order of their ranks."""
    unit = next((s.estimate.unit for s in summary.standings if s.estimate.value is not None), "points")
    scale = wording.Scale(unit, signed=False)
    drawn = bars([s.estimate for s in summary.standings], zero=False)
    entries = sorted(
        zip(comparison.models, summary.standings, drawn, strict=True),
        key=lambda entry: (entry[1].rank is None, entry[1].rank or 0.0, entry[0].label),
    )
    return {"summary": summary, "scale": scale, "entries": entries}


def _figures(rows: Sequence[Row], comparison: Comparison) -> list[Chart]:
    """Draw the audits in which models told apart lie furthest from one another, in units of the declared limit."""

    def distance(row: Row) -> float:
        limit = max((abs(m) for m in (row.audit.margin_low, row.audit.margin_high) if m), default=1.0)
        return max(abs(d.estimate.value or 0.0) for d in row.audit.differences if d.apart) / limit

    chosen = sorted((row for row in rows if row.apart), key=lambda row: (-distance(row), row.audit.id))[:FIGURES]
    level = 100 * (1 - 2 * (comparison.alpha or 0.0))
    caption = f"{level:g} % intervals that hold for all models at once; shaded: accepted over all modalities."
    charts = []
    for number, row in enumerate(chosen, 1):
        drawn = [
            _as_audit(row.audit, effect, f"{effect.letters}: {wording.cut(model.label, NAME)}")
            for model, effect in zip(comparison.models, row.audit.models, strict=True)
        ]
        limits = forest.forest_limits(drawn, row.scale)
        change = row.audit.what[:1].upper() + row.audit.what[1:].split(", all modalities")[0]
        chart = forest.forest(row.title, drawn, row.scale, limits, f"f{number}", change)
        charts.append(replace(chart, caption=caption))
    return charts


def _orders(comparison: Comparison, modality: str, perturbation: str) -> list[tuple[Correlation, Bar | None]]:
    own = [c for c in comparison.correlations if (c.modality, c.perturbation) == (modality, perturbation)]
    own.sort(key=lambda c: (-(c.estimate.value if c.estimate.value is not None else -2.0), c.first, c.second))
    return list(zip(own, bars([c.estimate for c in own], zero=True), strict=True))


def _order_tables(comparison: Comparison) -> list[tuple[str, list[str], list[tuple[str, list[Correlation]]]]]:
    """Coefficients by perturbation and by modality: title, column heads, and one row per pair of models."""
    tables = []
    for title, kind, name in (
        ("By corruption", "perturbation", wording.plain_name),
        ("By modality", "modality", wording.modality_name),
    ):
        other = "modality" if kind == "perturbation" else "perturbation"
        own = [c for c in comparison.correlations if getattr(c, other) == "all" and getattr(c, kind) != "all"]
        heads = list(dict.fromkeys(getattr(c, kind) for c in own))
        pairs: dict[str, list[Correlation]] = {}
        for c in own:
            pairs.setdefault(f"{c.first} and {c.second}", []).append(c)
        tables.append((title, [name(h) for h in heads], list(pairs.items())))
    return [table for table in tables if table[1]]
