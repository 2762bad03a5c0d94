"""The report as one HTML page: a body in the order of ISO/IEC TR 24029-1 that ends with signatures, then annexes."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from jinja2 import Environment
from markupsafe import Markup

from auditkit import words as wording
from auditkit.evidence import Audit, Evidence, PromptInfo
from auditkit.report import views
from auditkit.report.clauses import DISCLAIMER, clause_map, hazard_trace
from auditkit.report.figures import charts, forest
from auditkit.report.figures.calibration import reliability
from auditkit.report.figures.confidence import confidence_chart
from auditkit.report.figures.dose import dose_response
from auditkit.report.figures.heatmap import heat_map
from auditkit.report.figures.inside import inside
from auditkit.report.figures.right import right_response
from auditkit.report.figures.subgroups import PANELS, subgroup_forest
from auditkit.report.figures.svg import Chart
from auditkit.report.gaps import Groups
from auditkit.report.gaps import groups as gap_groups
from auditkit.report.pages import environment
from auditkit.report.pdf import tables
from auditkit.report.pdf.engine import font_faces, moment_of
from auditkit.report.pdf.figures import Picture, cases, picture, strips
from auditkit.report.pdf.losses import Loss, losses, matrix_of
from auditkit.report.pdf.parts import annexes, chapters
from auditkit.report.population import population
from auditkit.report.probabilities import probabilities
from auditkit.report.right_answers import by_label, shows_what

# Two columns of forests, two rows of them on a page.
FOREST_ROWS = 11  # of one figure, at most
SHORT, LONG = 22, 110  # audits of a family that all get into figures
PROMPTS = 24
CORRUPTIONS = 24  # pages, and rows of a heat map in the body
LIMITS = 24  # families in the body; the annex has all
PROTOCOL_LINES = 300
INTENDED = (
    ("purpose", "Purpose", "What is the model used for, and what does its result decide?"),
    ("users", "Users", "Who acts on the result?"),
    ("population", "Population", "Which patients, modalities and sites?"),
    ("out_of_scope", "Out of scope", "What must it not be used for?"),
)
"""Key in ``[intended_use]``, heading, and what to write there."""


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
        shows_what=shows_what,
        without_title=views.without_title,
        by_label=by_label,
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
        """Return forest plots of a family, by what is counted, unit and category, in pieces of `FOREST_ROWS`.

        Where it has more than `most` audits, those that passed are left to the table.
        """
        audits = list(family.audits)
        if len(audits) > most:
            audits = tables.worst_first(a for a in audits if a.verdict != "PASS")[:most]
        by_axis: dict[tuple[str, bool, str], list[Audit]] = {}
        for audit in audits:
            scale = wording.scale_of(audit)
            by_axis.setdefault((scale.unit, scale.signed, wording.axis_words(audit)), []).append(audit)
        result: list[Picture] = []
        for (unit, signed, axis), own in by_axis.items():
            if all(audit.estimate.value is None for audit in own):
                continue
            scale = wording.Scale(unit, signed=signed)
            ends = forest.forest_limits(own, scale)
            split = unit == "points" and len(own) > FOREST_ROWS
            for name, group in (views.by_category(own) if split else {"": own}).items():
                title = wording.plain_name(name or family.name)
                pieces = tables.pieces(group, FOREST_ROWS)
                for number, piece in enumerate(pieces, 1):
                    part = f"{title}, part {number} of {len(pieces)}" if len(pieces) > 1 else title
                    result += self.one(forest.forest(part, piece, scale, ends, self.key(), axis))
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
    families, informing = views.families(evidence), views.apart(evidence)
    noticed = [family for family in families if family.kind == "noticed"]
    audits = [audit for family in noticed for audit in family.audits]
    worst = tables.worst_first(audits)
    # A few corruptions stand in the order of the record; of many, the worst get a page.
    many = len(worst) > 2 * CORRUPTIONS
    corruptions = tables.capped(views.corruptions(worst if many else audits), CORRUPTIONS)
    long = any(len(family.audits) > CORRUPTIONS for family in noticed)
    shown, n_cases = cases(evidence)
    own = chapters(), annexes()
    texts = clause_map(evidence)
    lost = tables.capped(losses(families), CORRUPTIONS)
    paged = [*((item.key, item.title) for item in corruptions.rows), *((item.id, item.title) for item in lost.rows)]
    places = _places([*families, *informing], [key for key, _ in paged], [text.key for text in texts])
    return (
        _templates()
        .get_template("document.html.j2")
        .render(
            e=evidence,
            record_sha256=hashlib.sha256(record).hexdigest(),
            record_size=len(record),
            finished=moment_of(evidence),
            chapters=own[0],
            annexes=own[1],
            parts={part.id: part for part in (*own[0], *own[1])},
            places=places,
            listed={
                "families": [(places["family"][f.name], f.heading) for f in (*families, *informing)],
                "corruptions": [(places["corruption"][key], title) for key, title in paged],
                "texts": [(places["text"][text.key], text.title) for text in texts],
            },
            families=families,
            lines=[*families, *views.informing(evidence)],
            counts=views.verdict_counts(evidence.deciding),
            findings=tables.findings(families),
            effects=views.largest_effects(evidence, 5),
            intended=_intended(evidence),
            asked=_asked(evidence),
            score_prompt=_score_prompt(evidence),
            people=population(evidence),
            limits=tables.capped(tables.limits(evidence), LIMITS),
            all_limits=tables.limits(evidence),
            settings=tables.settings(evidence),
            protocol_lines=tables.capped(evidence.protocol.toml.splitlines(), PROTOCOL_LINES),
            layers=tables.layers(evidence.data),
            gaps=tables.gaps(evidence),
            heats=[p for f in noticed for p in _heat(f, CORRUPTIONS, views.modalities(evidence), figures)],
            all_heats=[p for f in noticed for p in _heat(f, 0, views.modalities(evidence), figures)] if long else [],
            dose=figures.one(dose_response([a for a in audits if not views.separates(a)], figures.key())),
            degradation=[_corruption(evidence, item, figures) for item in corruptions.rows],
            corruptions=corruptions,
            losses=[_loss(evidence, item, figures) for item in lost.rows],
            lost=lost,
            inside=_inside(evidence, figures),
            groups=gap_groups(evidence),
            subgroups=[(group, _forests(group, figures)) for group in gap_groups(evidence)],
            sections=[_section(family, figures) for family in families],
            informing=[_section(family, figures) for family in informing],
            outcomes=_outcomes(evidence, families, figures),
            calibration=[p for a in views.calibrations(evidence) for p in figures.one(reliability(a, figures.key()))],
            confidence=[
                p for a in views.on_confidence(evidence) for p in figures.one(confidence_chart(a, figures.key()))
            ],
            probabilities=tables.capped(probabilities(evidence)),
            prompts=tables.capped(evidence.prompts, PROMPTS),
            cases=shown,
            n_cases=n_cases,
            change=[family for family in families if family.kind == "change"],
            texts=texts,
            hazards=hazard_trace(evidence),
        )
    )


def _places(families: Sequence[views.Family], items: Sequence[str], texts: Sequence[str]) -> dict[str, dict[str, str]]:
    """Return the ids of headings within annexes, by what they are about."""
    return {
        "family": views.slugs([family.name for family in families], "family"),
        "corruption": views.slugs(items, "corruption"),
        "text": views.slugs(texts, "text"),
    }


def _asked(evidence: Evidence) -> list[PromptInfo]:
    """Return the prompt in which scores are compared, as the protocol names it; without that the first."""
    name = _score_prompt(evidence)
    return ([p for p in evidence.prompts if p.id == name] or evidence.prompts)[:1]


def _score_prompt(evidence: Evidence) -> str | None:
    """Return the id of the prompt in which scores are compared; None where the record does not say."""
    declared = evidence.protocol.criteria.get("prompts")
    return declared.get("score") if isinstance(declared, dict) else None


def _intended(evidence: Evidence) -> list[tuple[str, str, str, str]]:
    """Return `INTENDED` with what the protocol states, empty where it does not."""
    stated = evidence.protocol.criteria.get("intended_use")
    words = stated if isinstance(stated, dict) else {}
    return [(*item, str(words.get(item[0]) or "").strip()) for item in INTENDED]


def _section(family: views.Family, figures: _Figures) -> Section:
    """Return a family for its place in the list of all audits; what has other figures elsewhere has none there."""
    if family.kind == "noticed":
        return Section(family, (), len(family.audits))
    return figures.section(family, SHORT if family.kind == "other" else LONG)


def _heat(family: views.Family, most: int, columns: Sequence[str], figures: _Figures) -> list[Picture]:
    """Return the verdicts of a family by corruption and modality, of the `most` worst; 0 for all of them."""
    audits = list(family.audits)
    title = f"{wording.plain_name(family.name)} by corruption and modality"
    if most and len(audits) > most:
        title, audits = f"{title}, the {most} worst", tables.worst_first(audits)[:most]
    return figures.one(heat_map(title, audits, columns, figures.key()))


def _corruption(evidence: Evidence, item: views.Corruption, figures: _Figures) -> dict[str, Any]:
    drawn = bool(item.points or item.discrimination)
    response = charts.severity_response(item.title, item.points, item.discrimination, figures.key()) if drawn else None
    return {
        "item": item,
        "response": figures.one(response),
        "strips": strips(evidence, item),
        "matrix": tables.matrix(item),
    }


def _loss(evidence: Evidence, item: Loss, figures: _Figures) -> dict[str, Any]:
    return {
        "item": item,
        "response": figures.one(right_response(item.title, item.audit.series, figures.key())),
        "strips": strips(evidence, item.pictures, scores=False),
        "matrix": matrix_of(item),
    }


def _forests(group: Groups, figures: _Figures) -> list[tuple[Groups, list[Picture]]]:
    return [(piece, figures.one(subgroup_forest(piece, figures.key()))) for piece in group.in_pieces(PANELS)]


def _inside(evidence: Evidence, figures: _Figures) -> Any:
    section = inside(evidence.audits, figures.key)
    return None if section is None else {"section": section, "charts": [picture(c) for c in section.charts]}


def _outcomes(evidence: Evidence, families: Sequence[views.Family], figures: _Figures) -> list[Picture]:
    own = (a for f in families if f.counts_answers for a in f.audits)
    rows = views.outcome_rows(own, views.whose(evidence))
    if not rows:
        return []
    bars = [(views.all_questions(evidence), evidence.outcomes), *rows]
    return figures.one(forest.outcome_bars("How answers ended", bars, figures.key()))
