"""``report.html``: one self-contained page from one record, readable without scripts, a network, or colour."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from auditkit.evidence import Audit, Evidence
from auditkit.report import charts, forest, views, wording
from auditkit.report.inside import inside
from auditkit.report.svg import INKS, Chart
from auditkit.report.thumbnails import case_pictures, fill

# Nothing is fetched and nothing is run, even if a way around the escaping were found.
CSP = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
GALLERY = 12
# Forests longer than this are cut into figures of this many rows, so that a page break can fall between them.
FOREST_ROWS = 14
OPEN_STRIPS = 3


def _finalize(value: object) -> object:
    """Last stop of every value on its way into the page: foreign text is made visible, then Jinja escapes it."""
    if isinstance(value, Markup):
        return value
    return wording.visible(value) if isinstance(value, str) else value


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("auditkit.report"),
        autoescape=True,
        finalize=_finalize,
        undefined=StrictUndefined,
        lstrip_blocks=True,
    )
    for name in (
        "OUTCOME_NAMES", "OVERALL", "VERDICT_ORDER", "audit_name",
        "count", "duration", "fixed", "modality_name", "moment", "p_value",
        "percent", "plain_name", "region", "region_words", "scale_of", "shortened", "whole",
    ):  # fmt: skip
        environment.globals[name] = getattr(wording, name)
    environment.globals.update(
        CSP=CSP,
        INKS=INKS,
        flattened=views.flattened,
        severity_of=views.severity_of,
        category=views.category,
        by_category=views.by_category,
        without_title=views.without_title,
    )
    return environment


class _Page:
    """Numbers the figures of one page and keeps what several sections need."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence
        self.families = views.families(evidence)
        self.slugs = views.slugs(evidence.audits)
        self._figures = 0

    def key(self) -> str:
        self._figures += 1
        return f"f{self._figures}"

    def audits(self, *families: str) -> list[Audit]:
        return [audit for family in self.families if family.name in families for audit in family.audits]

    def degradation(self) -> list[dict[str, Any]]:
        """Sensitivity and discrimination of each corruption, with its figures."""
        result = []
        for item in views.corruptions(self.audits(views.SENSITIVITY, views.DISCRIMINATION)):
            response = multiples = None
            if item.points or item.discrimination:
                response = charts.severity_response(item.title, item.points, item.discrimination, self.key())
            if any(p.modality != wording.OVERALL for p in item.points):
                multiples = charts.modality_multiples(item.title, item.points, item.cells, self.key())
            result.append({"item": item, "response": response, "multiples": multiples})
        return result

    def heats(self) -> list[tuple[views.Family, views.Heat]]:
        columns = views.modalities(self.evidence)
        wanted = (views.SENSITIVITY, views.DISCRIMINATION)
        return [(f, views.heat(f.audits, columns)) for f in self.families if f.name in wanted]

    def figures(self, family: views.Family) -> list[Chart]:
        """Forest plots of a family, one per category (in pieces when long); none where nothing has a unit to draw."""
        result: list[Chart] = []
        by_unit: dict[tuple[str, bool], list[Audit]] = {}
        for audit in family.audits:
            scale = wording.scale_of(audit)
            by_unit.setdefault((scale.unit, scale.signed), []).append(audit)
        for (unit, signed), own in by_unit.items():
            scale = wording.Scale(unit, signed=signed)
            if all(a.estimate.value is None for a in own):
                continue
            limits = forest.forest_limits(own, scale)
            groups = views.by_category(own) if unit == "points" else {"": own}
            for name, group in groups.items():
                title = wording.plain_name(name) if name else wording.plain_name(family.name)
                pieces = [group[start : start + FOREST_ROWS] for start in range(0, len(group), FOREST_ROWS)]
                for number, piece in enumerate(pieces, 1):
                    part = f"{title}, part {number} of {len(pieces)}" if len(pieces) > 1 else title
                    result.append(forest.forest(part, piece, scale, limits, self.key(), _axis(family.name, scale)))
        return result

    def outcomes(self, family: views.Family) -> list[Chart]:
        """Stacked bars of how answers ended, for families that count them."""
        rows = views.outcome_rows(family.audits)
        if family.name != "answers" or not rows:
            return []
        return [
            forest.outcome_bars("How answers ended", [("All questions", self.evidence.outcomes), *rows], self.key())
        ]


def _axis(family: str, scale: wording.Scale) -> str:
    if scale.unit == "points":
        return "Change of the score"
    if scale.unit == "share":
        return "Difference of rates" if scale.signed else "Share of answers"
    return wording.plain_name(family)


def render_html(evidence: Evidence, record: bytes | None = None) -> str:
    """Return the report of one run as one self-contained HTML page.

    Parameters
    ----------
    evidence : Evidence
        The record; nothing else is read, so a saved ``evidence.json`` renders without model, images or store.

    Returns
    -------
    str
        HTML without scripts or references to other files; equal records give equal text.
    """
    page = _Page(evidence)
    degradation = page.degradation()
    others = [
        {"family": family, "outcomes": page.outcomes(family), "charts": page.figures(family)}
        for family in page.families
        if family.name not in (views.SENSITIVITY, views.DISCRIMINATION)
    ]
    album = fill(evidence.examples, {entry["item"].key: entry["item"].first for entry in degradation})
    shown, n_cases = views.gallery(evidence, GALLERY)
    cases = [(audit, case, *case_pictures(case, album)) for audit, case in shown]
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            e=evidence,
            page=page,
            families=page.families,
            counts=views.verdict_counts(evidence.audits),
            degraded=[f for f in page.families if f.name in (views.SENSITIVITY, views.DISCRIMINATION)],
            degradation=degradation,
            heats=page.heats(),
            others=others,
            album=album,
            open_strips=OPEN_STRIPS,
            cases=cases,
            n_cases=n_cases,
            failed=[a for a in evidence.audits if a.verdict in ("FAIL", "ERROR")],
            effects=views.largest_effects(evidence, 5),
            inside=inside(evidence.embeddings, page.key),
        )
    )


def write_html(evidence: Evidence, path: Path, record: bytes | None = None) -> None:
    """Write the report to `path` as UTF-8, replacing what was there only when it is complete."""
    text = render_html(evidence, record)
    part = path.with_name(path.name + ".part")
    part.write_text(text, encoding="utf-8", newline="\n")
    part.replace(path)
