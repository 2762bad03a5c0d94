"""The report as one HTML page in the order of ISO/IEC TR 24029-1: goals, criteria, data, methods, results, limits."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from jinja2 import Environment
from markupsafe import Markup

from auditkit import words as wording
from auditkit.evidence import Audit, Evidence
from auditkit.report import views
from auditkit.report.clauses import DISCLAIMER, clause_map, hazard_trace
from auditkit.report.figures import charts, forest
from auditkit.report.figures.calibration import reliability
from auditkit.report.figures.dose import dose_response
from auditkit.report.figures.heatmap import heat_map
from auditkit.report.figures.inside import inside
from auditkit.report.figures.subgroups import PANELS, subgroup_forest
from auditkit.report.figures.svg import Chart
from auditkit.report.gaps import Groups
from auditkit.report.gaps import groups as gap_groups
from auditkit.report.pages import environment
from auditkit.report.pdf import tables
from auditkit.report.pdf.engine import font_faces, moment_of
from auditkit.report.pdf.figures import Picture, cases, picture, strips
from auditkit.report.probabilities import probabilities

# Two columns of forests, two rows of them on a page.
FOREST_ROWS = 11  # of one figure, at most
SHORT, LONG = 22, 110  # audits of a family that all get into figures
PROMPTS = 24
CORRUPTIONS = 24  # pages
NOT_PASSED = 20
INTENDED = (
    ("purpose", "Purpose", "What is the model used for, and what does its result decide?"),
    ("users", "Users", "Who acts on the result?"),
    ("population", "Population", "Which patients, modalities and sites?"),
    ("out_of_scope", "Out of scope", "What must it not be used for?"),
)
"""Key in ``[intended_use]``, heading, and what to write there."""
CHAPTERS = (
    ("goals", "Goals and intended use"),
    ("criteria", "Criteria declared before the run"),
    ("data", "Data"),
    ("methods", "Methods"),
    ("degradation", "Results on degraded images"),
    ("attributes", "Results on attributes and subgroups"),
    ("answers", "Repeatability, wording and answers"),
    ("gallery", "Failing cases"),
    ("change", "Change against an earlier run"),
    ("limits", "Limits and what was not tested"),
    ("clauses", "Clause map and hazard trace"),
    ("provenance", "Provenance"),
    ("signature", "Decision and signatures"),
)
"""Id and heading; the number is the place in this list. Order of ISO/IEC TR 24029-1: goals, plan, conduct, analysis."""


@cache
def _templates() -> Environment:
    templates = environment(
        "auditkit.report.pdf",
        DISCLAIMER=DISCLAIMER,
        accepted=tables.accepted,
        capped=tables.capped,
        font_faces=lambda: Markup(font_faces()),  # noqa: S704 - our own rules
        once=tables.once,
        register=tables.register,
        traced=tables.traced,
        without_title=views.without_title,
    )
    templates.trim_blocks = True
    return templates


@dataclass(frozen=True)
class Section:
    """The audits of one family, with their figures."""

    family: views.Family
    figures: Sequence[Picture]
    drawn: int
    """Audits that are in a figure."""


class _Figures:
    """Draws charts and numbers their keys."""

    def __init__(self) -> None:
        self._number = 0

    def key(self) -> str:
        self._number += 1
        return f"g{self._number}"

    def one(self, chart: Chart | None) -> list[Picture]:
        return [] if chart is None else [picture(chart)]

    def section(self, family: views.Family, most: int) -> Section:
        """Return forest plots of a family, by unit and category, in pieces of `FOREST_ROWS`.

        Where it has more than `most` audits, those that passed are left to the table.
        """
        audits = list(family.audits)
        if len(audits) > most:
            audits = tables.worst_first(a for a in audits if a.verdict != "PASS")[:most]
        by_unit: dict[tuple[str, bool], list[Audit]] = {}
        for audit in audits:
            scale = wording.scale_of(audit)
            by_unit.setdefault((scale.unit, scale.signed), []).append(audit)
        result: list[Picture] = []
        for (unit, signed), own in by_unit.items():
            if all(audit.estimate.value is None for audit in own):
                continue
            scale = wording.Scale(unit, signed=signed)
            ends = forest.forest_limits(own, scale)
            change = wording.axis_words(own[0])
            split = unit == "points" and len(own) > FOREST_ROWS
            for name, group in (views.by_category(own) if split else {"": own}).items():
                title = wording.plain_name(name or family.name)
                pieces = tables.pieces(group, FOREST_ROWS)
                for number, piece in enumerate(pieces, 1):
                    part = f"{title}, part {number} of {len(pieces)}" if len(pieces) > 1 else title
                    result += self.one(forest.forest(part, piece, scale, ends, self.key(), change))
        return Section(family, result, len(audits))


def document(evidence: Evidence, record: bytes) -> str:
    """Return the page that `auditkit.report.pdf.engine.to_pdf` lays out.

    Parameters
    ----------
    evidence : Evidence
        The record; nothing else is read.
    record : bytes
        Its file, whose SHA-256 stands in the provenance and in the signature block.
    """
    figures = _Figures()
    families = views.families(evidence)
    noticed = [family for family in families if family.kind == "noticed"]
    audits = [audit for family in noticed for audit in family.audits]
    worst = tables.worst_first(audits)
    # A few corruptions stand in the order of the record; of many, the worst get a page.
    many = len(worst) > 2 * CORRUPTIONS
    corruptions = tables.capped(views.corruptions(worst if many else audits), CORRUPTIONS)
    shown, n_cases = cases(evidence)
    not_passed = tables.worst_first(audit for audit in evidence.deciding if audit.verdict != "PASS")
    return (
        _templates()
        .get_template("document.html.j2")
        .render(
            e=evidence,
            record_sha256=hashlib.sha256(record).hexdigest(),
            record_size=len(record),
            finished=moment_of(evidence),
            chapters=[{"id": id_, "title": title, "number": n} for n, (id_, title) in enumerate(CHAPTERS, 1)],
            families=families,
            counts=views.verdict_counts(evidence.deciding),
            not_passed=tables.capped(not_passed, NOT_PASSED),
            effects=views.largest_effects(evidence, 5),
            intended=_intended(evidence),
            limits=tables.limits(evidence),
            settings=tables.settings(evidence),
            layers=tables.layers(evidence.data),
            gaps=tables.gaps(evidence),
            degraded=noticed,
            heats=[picture for family in noticed for picture in _heat(family, views.modalities(evidence), figures)],
            dose=figures.one(dose_response([a for a in audits if not views.separates(a)], figures.key())),
            degradation=[_corruption(evidence, item, figures) for item in corruptions.rows],
            corruptions=corruptions,
            direction=_sections(families, "degraded", figures),
            inside=_inside(evidence, figures),
            words=_sections(families, "words", figures),
            subgroups=[(group, _forests(group, figures)) for group in gap_groups(evidence)],
            informing=[figures.section(f, SHORT) for f in views.apart(evidence)],
            others=[figures.section(f, SHORT) for f in families if f.kind == "other"],
            outcomes=_outcomes(evidence, families, figures),
            calibration=[p for a in views.calibrations(evidence) for p in figures.one(reliability(a, figures.key()))],
            probabilities=tables.capped(probabilities(evidence)),
            prompts=tables.capped(evidence.prompts, PROMPTS),
            cases=shown,
            n_cases=n_cases,
            change=_sections(families, "change", figures),
            texts=clause_map(evidence),
            hazards=hazard_trace(evidence),
        )
    )


def _intended(evidence: Evidence) -> list[tuple[str, str, str, str]]:
    """Return `INTENDED` with what the protocol states, empty where it does not."""
    stated = evidence.protocol.criteria.get("intended_use")
    words = stated if isinstance(stated, dict) else {}
    return [(*item, str(words.get(item[0]) or "").strip()) for item in INTENDED]


def _sections(families: Sequence[views.Family], kind: views.Kind, figures: _Figures) -> list[Section]:
    return [figures.section(family, LONG) for family in families if family.kind == kind]


def _heat(family: views.Family, columns: Sequence[str], figures: _Figures) -> list[Picture]:
    title = f"{wording.plain_name(family.name)} by corruption and modality"
    return figures.one(heat_map(title, family.audits, columns, figures.key()))


def _corruption(evidence: Evidence, item: views.Corruption, figures: _Figures) -> dict[str, Any]:
    drawn = bool(item.points or item.discrimination)
    response = charts.severity_response(item.title, item.points, item.discrimination, figures.key()) if drawn else None
    return {
        "item": item,
        "response": figures.one(response),
        "strips": strips(evidence, item),
        "matrix": tables.matrix(item),
    }


def _forests(group: Groups, figures: _Figures) -> list[tuple[Groups, list[Picture]]]:
    return [(piece, figures.one(subgroup_forest(piece, figures.key()))) for piece in group.in_pieces(PANELS)]


def _inside(evidence: Evidence, figures: _Figures) -> Any:
    section = inside(evidence.audits, figures.key)
    return None if section is None else {"section": section, "charts": [picture(c) for c in section.charts]}


def _outcomes(evidence: Evidence, families: Sequence[views.Family], figures: _Figures) -> list[Picture]:
    rows = views.outcome_rows(a for f in families if f.counts_answers for a in f.audits)
    if not rows:
        return []
    bars = [("All questions", evidence.outcomes), *rows]
    return figures.one(forest.outcome_bars("How answers ended", bars, figures.key()))
