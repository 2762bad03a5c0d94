"""``report.html``: one self-contained page from one record, readable without scripts, a network, or colour."""

from __future__ import annotations

import base64
import gzip
import hashlib
from functools import cache, partial
from importlib import resources
from pathlib import Path
from typing import Any

from jinja2 import Environment
from markupsafe import Markup

from auditkit import durable
from auditkit import words as wording
from auditkit.evidence import ALL, VERDICTS, Audit, Case, Evidence, Unscored
from auditkit.report import listing, views
from auditkit.report.clauses import hazard_trace
from auditkit.report.figures import charts, forest
from auditkit.report.figures.calibration import by_chance, left_out_of, reliability
from auditkit.report.figures.confidence import confidence_chart
from auditkit.report.figures.dose import dose_response
from auditkit.report.figures.inside import inside
from auditkit.report.figures.subgroups import PANELS, subgroup_forest
from auditkit.report.figures.svg import Chart
from auditkit.report.gaps import groups as gap_groups
from auditkit.report.pages import environment
from auditkit.report.population import population
from auditkit.report.probabilities import probabilities
from auditkit.report.right_answers import shows_what
from auditkit.report.thumbnails import BUDGET, CASES, Album, fill

# Nothing is fetched, and nothing is run but the one script whose hash the page adds, even if a way around the escaping
# were found.
CSP = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
# Bytes of a page of up to 10,000 audits, without the record it carries. Measured on the simulated record of that size
# (tests/report/large.py): 10.4 million, of which 4.2 the lines of the list, 2.0 details and 2.6 pictures.
PAGE_LIMIT = 12_000_000
GALLERY = 12
# Forests longer than this are cut into figures of this many rows, so that a page break can fall between them.
FOREST_ROWS = 14
# What is drawn of one question, and of how many corruptions. The demo has 60 and 10; a figure takes 0.05 s and 20 kB.
FOREST_MOST = 7 * FOREST_ROWS
CORRUPTIONS_MOST = 24
OPEN_STRIPS = 3
# Lines of the summary's list of failures, and of the audits that were not run.
# Comparisons with earlier runs mostly show that nothing happened; the list below the figures has all of them.
CHANGES_MOST = 28
FAILED_MOST, NOT_RUN_MOST = 100, 500
LEVELS_MOST = 12
# Lines that a browser lays out together when they come into view. Each line on its own (content-visibility on every one
# of 10,000) makes Chromium 156 take 100 s to hide most of them; all together take 2.8 s to lay out.
CHUNK = 100


@cache
def templates() -> Environment:
    """Return the page's templates; the page that compares models uses their macros."""
    return environment(
        "auditkit.report",
        FAILED_MOST=FAILED_MOST,
        NOT_RUN_MOST=NOT_RUN_MOST,
        CHUNK=CHUNK,
        LEVELS_MOST=LEVELS_MOST,
        OPEN_STRIPS=OPEN_STRIPS,
        asked=views.asked,
        by_chance=by_chance,
        flattened=views.flattened,
        left_out_of=left_out_of,
        shows_what=shows_what,
        Scale=wording.Scale,
        without_title=views.without_title,
    )


@cache
def script() -> tuple[Markup, str]:
    """Return the page's one script, and the content security policy that lets it run and nothing else."""
    text = resources.files("auditkit.report").joinpath("templates/report.js").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return Markup(text), f"{CSP}; script-src 'sha256-{digest}'"  # noqa: S704  a file of this package


class _Page:
    """Numbers the figures of one page and keeps what several sections need."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence
        self.families = views.families(evidence)
        self.informing = views.informing(evidence)
        self.modalities = views.modalities(evidence)
        self.slugs = views.slugs([audit.id for audit in evidence.audits], "audit")
        self.questions = views.slugs([family.name for family in (*self.families, *self.informing)], "q")
        self.prompts = views.slugs([prompt.id for prompt in evidence.prompts], "prompt")
        self.cases = Album(CASES)
        for audit in sorted(evidence.audits, key=lambda a: VERDICTS.index(a.verdict)):
            for case in audit.cases:
                self.twin(case)
        told = [f for f in (*self.families, *views.apart(evidence)) if f.kind != "noticed"]
        # Where the charts of how answers ended are; a run of a part of the audits may have none.
        tells = next((f for f in told if f.counts_answers), told[-1] if told else None)
        self._tells_endings = None if tells is None else (tells.name, tells.shown)
        self._figures = 0

    def key(self) -> str:
        self._figures += 1
        return f"f{self._figures}"

    def twin(self, case: Case) -> tuple[str, str]:
        """Return the ids of a case's two pictures; empty where none was kept or there is no room."""
        return self.cases.share(case.control_jpeg), self.cases.share(case.treated_jpeg)

    def degradation(self, items: list[views.Corruption]) -> list[dict[str, Any]]:
        """How the score responds to each corruption, with its figures."""
        result = []
        for item in items:
            response = multiples = None
            if item.points or item.discrimination:
                response = charts.severity_response(item.title, item.points, item.discrimination, self.key())
            if any(p.stratum.level != ALL for p in item.points):
                multiples = charts.modality_multiples(item.title, item.points, item.cells, item.unit, self.key())
            result.append({"item": item, "response": response, "multiples": multiples})
        return result

    def heats(self, shown: set[str]) -> list[tuple[views.Family, views.Heat]]:
        """Tables of verdicts by corruption and modality, of the corruptions that are shown."""
        return [
            (f, views.heat([a for a in f.audits if views.subject(a) in shown], self.modalities))
            for f in self.families
            if f.kind == "noticed"
        ]

    def question(self, family: views.Family) -> dict[str, Any]:
        """Return one family with its figures, and how many of its audits they show."""
        most = CHANGES_MOST if family.kind == "change" else FOREST_MOST
        drawn = views.most_telling(family.audits, most)
        own = [*self.outcomes(family), *self.figures(family, drawn)]
        endings = self.evidence.unscored if (family.name, family.shown) == self._tells_endings else []
        return {"family": family, "charts": own, "drawn": len(drawn), "endings": endings}

    @property
    def endings_apart(self) -> list[Unscored]:
        """The answers without a score, where no section of a family has room for them."""
        return [] if self._tells_endings else self.evidence.unscored

    def figures(self, family: views.Family, audits: list[Audit]) -> list[Chart]:
        """Forest plots of a family, one per category (in pieces when long); none where nothing has a unit to draw."""
        result: list[Chart] = []
        by_axis: dict[tuple[str, bool, str], list[Audit]] = {}
        for audit in audits:
            scale = wording.scale_of(audit)
            by_axis.setdefault((scale.unit, scale.signed, wording.axis_words(audit)), []).append(audit)
        for (unit, signed, axis), own in by_axis.items():
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
                    result.append(forest.forest(part, piece, scale, limits, self.key(), axis))
        return result

    def outcomes(self, family: views.Family) -> list[Chart]:
        """Stacked bars of how answers ended, for families that count them."""
        rows = views.outcome_rows(family.audits, views.whose(self.evidence))
        if not family.counts_answers or not rows:
            return []
        bars = [(views.all_questions(self.evidence), self.evidence.outcomes), *rows]
        return [forest.outcome_bars("How answers ended", bars, self.key())]

    def groups(self) -> list[tuple[views.Family, list[listing.Part]]]:
        """Return every audit, family by family, with its line and, while there is room, its details."""
        body = templates().get_template("audit.html.j2").module.body  # type: ignore[attr-defined]
        details = listing.details(self.evidence.audits, partial(body, page=self))
        ranks = listing.by_effect(self.evidence.audits)
        return [
            (f, listing.parts(f, self.slugs, ranks, self.modalities, details))
            for f in (*self.families, *self.informing)
        ]


def render_html(evidence: Evidence, record: bytes | None = None) -> str:
    """Return the report of one run as one self-contained HTML page.

    Parameters
    ----------
    evidence : Evidence
        The record; nothing else is read, so a saved ``evidence.json`` renders without model, images or store.
    record : bytes, optional
        The bytes of ``evidence.json`` as they lie on disk. The page carries them (gzip in the data address of the link
        with id ``evidence``) and prints their SHA-256. Default: ``evidence.to_json()``.

    Returns
    -------
    str
        HTML without references to other files, with one script that the page can be read without; equal records give
        equal text. At most `PAGE_LIMIT` bytes for 10,000 audits, and the record.
    """
    record = evidence.to_json().encode() if record is None else record
    page = _Page(evidence)
    noticed = [family for family in page.families if family.kind == "noticed"]
    corruptions = views.corruptions(audit for family in noticed for audit in family.audits)
    shown = views.worst_corruptions(corruptions, CORRUPTIONS_MOST)
    changes = [page.question(family) for family in page.families if family.kind == "change"]
    questions = [page.question(family) for family in page.families if family.kind not in ("noticed", "change")]
    informing = [page.question(family) for family in views.apart(evidence)]
    degradation = page.degradation(shown)
    album = fill(evidence.examples, {c.key: c.first for c in shown}, page.cases.budget + BUDGET - CASES)
    gallery, n_cases = views.gallery(evidence, GALLERY)
    code, policy = script()
    groups = page.groups()
    return (
        templates()
        .get_template("report.html.j2")
        .render(
            e=evidence,
            page=page,
            csp=policy,
            script=code,
            families=page.families,
            counts=views.verdict_counts(evidence.deciding),
            degraded=noticed,
            degradation=degradation,
            n_corruptions=len(corruptions),
            heats=page.heats({c.key for c in shown}),
            questions=questions,
            changes=changes,
            informing=informing,
            n_shown=len(evidence.informing),
            album=album,
            gallery=gallery,
            n_cases=n_cases,
            failed=[a for a in evidence.deciding if a.verdict in ("FAIL", "ERROR")],
            effects=views.largest_effects(evidence, 5),
            inside=inside(evidence.audits, page.key),
            dose=dose_response([a for c in shown for a in c.audits if not views.separates(a)], page.key()),
            subgroups=[
                (group, [subgroup_forest(piece, page.key()) for piece in group.in_pieces(PANELS)])
                for group in gap_groups(evidence)
            ],
            calibrations=[(audit, reliability(audit, page.key())) for audit in views.calibrations(evidence)],
            confidences=[c for a in views.on_confidence(evidence) if (c := confidence_chart(a, page.key()))],
            probabilities=probabilities(evidence),
            strata=views.strata(evidence.data),
            intended=views.intended_use(evidence),
            people=population(evidence),
            hazards=[hazard for hazard in hazard_trace(evidence) if hazard.id],
            groups=groups,
            n_details=sum(line.body is not None for _, parts in groups for part in parts for line in part.lines),
            record=base64.b64encode(gzip.compress(record, 6, mtime=0)).decode(),
            record_sha256=hashlib.sha256(record).hexdigest(),
            n_bytes=len(record),
        )
    )


def write_html(evidence: Evidence, path: Path, record: bytes | None = None) -> None:
    """Write the report to `path` as UTF-8, replacing what was there only when it is complete."""
    durable.write(path, render_html(evidence, record))
