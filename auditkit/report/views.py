"""What the page shows, in which order and under which heading: selection and grouping of the record, no arithmetic."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from auditkit.evidence import (
    ALL,
    VERDICTS,
    Audit,
    Case,
    Cell,
    Data,
    Evidence,
    Level,
    Outcomes,
    Point,
    PromptInfo,
    Verdict,
    overall,
)
from auditkit.report.probabilities import SCORING
from auditkit.report.questions import LEADS, QUESTIONS, question_of
from auditkit.report.shifts import looks_inside
from auditkit.words import VERDICT_ORDER, Scale, audit_name, plain_name, scale_of

BASELINE, ANCHOR = "baseline", "anchor"
"""Roles of earlier runs; the audits against one are its family."""
UNKNOWN = "unknown"

_COUNTED = {"lost", "refused", "unusable"}
_ORDER = {family: position for position, family in enumerate(QUESTIONS)}

Kind = Literal["noticed", "degraded", "words", "change", "other"]
"""What a family is about, which decides where it stands: perturbations that must be noticed, other perturbations with
several levels, words that must not move the score, earlier runs, anything else."""


@dataclass(frozen=True)
class Family:
    """One question of the report and its audits."""

    name: str
    heading: str
    lead: str
    audits: Sequence[Audit]
    counts: dict[Verdict, int]
    verdict: Verdict
    """Of an audit that is shown for information, what it would be."""
    shown: bool = False
    """For information only."""

    @cached_property
    def kind(self) -> Kind:
        """Where the report puts it."""
        if any(a.statistic == "worsening" for a in self.audits):
            return "change"
        if any(map(climbs, self.audits)):
            return "noticed" if any(climbs(a) and a.verb == "at_least" for a in self.audits) else "degraded"
        if any(a.verb == "within" and a.quantity == "score" and ", " not in a.words for a in self.audits):
            return "words"
        return "other"

    @cached_property
    def counts_answers(self) -> bool:
        """Whether its audits count how answers ended."""
        return any(a.quantity in _COUNTED and not a.change for a in self.audits)

    @cached_property
    def compares_answers(self) -> bool:
        """Whether its audits ask if answers go missing more often under one condition than under another."""
        return any(a.quantity in _COUNTED and a.change and a.statistic == "mean" for a in self.audits)

    @cached_property
    def telling(self) -> Audit:
        """The audit that explains the verdict: the worst, and among equals the one with the clearest evidence."""
        return min(self.audits, key=lambda a: (VERDICTS.index(a.verdict), 1.0 if a.p_fail is None else a.p_fail, a.id))


def families(evidence: Evidence) -> list[Family]:
    """Group the audits that decide by family: the known ones in the order of the questions, then others by name."""
    return _grouped(evidence.deciding, evidence.protocol.name, shown=False)


def informing(evidence: Evidence) -> list[Family]:
    """Group the audits that are shown for information, as `families` does."""
    return _grouped(evidence.informing, evidence.protocol.name, shown=True)


def apart(evidence: Evidence) -> list[Family]:
    """Return those families shown for information that have no section of their own."""
    return [
        f
        for f in informing(evidence)
        if f.name != SCORING and not all(a.between or calibrates(a) or looks_inside(a) for a in f.audits)
    ]


def calibrations(evidence: Evidence) -> list[Audit]:
    """Return the audits that hold a score against the chance it states."""
    return [audit for audit in evidence.audits if calibrates(audit)]


def calibrates(audit: Audit) -> bool:
    """Whether an audit holds a score against the chance it states."""
    return audit.statistic == "calibration"


def on_confidence(evidence: Evidence) -> list[Audit]:
    """Return the audits with curves of how sure the answers are, those of one task beside each other."""
    return [audit for audit in evidence.audits if draws_confidence(audit)]


def draws_confidence(audit: Audit) -> bool:
    """Whether an audit has curves of how sure the answers are."""
    return audit.statistic in ("reliability", "risk")


def climbs(audit: Audit) -> bool:
    """Whether an audit has a figure by level of a perturbation; a calibration has one by band of the score."""
    return any(point.level for point in audit.series)


def _grouped(audits: Iterable[Audit], protocol: str, *, shown: bool) -> list[Family]:
    groups: dict[str, list[Audit]] = {}
    for audit in audits:
        groups.setdefault(audit.family, []).append(audit)
    result = []
    for name in sorted(groups, key=lambda n: (_ORDER.get(n, len(_ORDER)), n)):
        own = groups[name]
        verb = next((a.verb for a in own if a.verb), "")
        heading, lead = question_of(name, protocol) or (plain_name(name), LEADS.get(verb, ""))
        verdict = overall(a.verdict for a in own)
        result.append(Family(name, heading, lead, own, verdict_counts(own), verdict, shown))
    return result


def verdict_counts(audits: Iterable[Audit]) -> dict[Verdict, int]:
    """Count verdicts, with zeros, in the order PASS, FAIL, INCONCLUSIVE, ERROR."""
    seen = Counter(audit.verdict for audit in audits)
    return {verdict: seen.get(verdict, 0) for verdict in VERDICT_ORDER}


def subject(audit: Audit) -> str:
    """Return what an audit is about: its id without the family (``pixelate`` of ``sensitivity/pixelate``)."""
    return audit.id.split("/", 1)[-1]


def category(audit: Audit) -> str:
    """Return the category of an attribute contrast (``institution`` of ``metadata/institution.prestige-high``).

    Where an audit repeats another (``baseline/metadata/institution.prestige-high``), it is that one's family.
    """
    family, slash, _ = subject(audit).partition("/")
    head, dot, _ = subject(audit).partition(".")
    return family if slash else head if dot else ""


def by_category(audits: Iterable[Audit]) -> dict[str, list[Audit]]:
    """Group by `category`, in order of first appearance."""
    groups: dict[str, list[Audit]] = {}
    for audit in audits:
        groups.setdefault(category(audit), []).append(audit)
    return groups


def unwanted(audit: Audit) -> float:
    """Return the size of an effect that should not be there, in the unit of the audit; 0 when it is wanted or absent.

    Only changes of the score count: either direction where it must stay within a limit, upwards where it may be at most
    so large.
    """
    value = audit.estimate.value
    if value is None or audit.unit != "points" or not audit.change or audit.statistic != "mean":
        return 0.0
    return {"within": abs(value), "at_most": max(value, 0.0)}.get(audit.verb, 0.0)


def largest_effects(evidence: Evidence, number: int = 3) -> list[Audit]:
    """Return the audits with the largest unwanted changes of the score, largest first."""
    moved = [audit for audit in evidence.deciding if unwanted(audit) > 0]
    return sorted(moved, key=lambda a: (-unwanted(a), a.id))[:number]


def most_telling(audits: Sequence[Audit], number: int) -> list[Audit]:
    """Return up to `number` audits in their order: those with the worst verdicts, then with the largest estimates."""
    if len(audits) <= number:
        return list(audits)
    ranked = sorted(
        range(len(audits)),
        key=lambda i: (VERDICTS.index(audits[i].verdict), -abs(audits[i].estimate.value or 0.0), i),
    )
    return [audits[i] for i in sorted(ranked[:number])]


def modalities(evidence: Evidence) -> list[str]:
    """Return the modalities in the order of the data, then any other that occurs in a cell."""
    names = [s.modality for s in evidence.data.modalities]
    known = set(names)
    extra = {c.stratum.level for a in evidence.audits if not a.between for c in a.parts} - known - {ALL}
    return names + sorted(extra)


def without_title(audit: Audit) -> str:
    """Return the sentence without the title, where it starts with it: pages print the title as a link before it."""
    rest = audit.sentence.removeprefix(audit.title).lstrip(" :") if audit.title else audit.sentence
    return rest[:1].upper() + rest[1:] if rest else audit.sentence


@dataclass(frozen=True)
class Heat:
    """A table of verdicts: one row per audit, one column per modality."""

    columns: Sequence[str]
    rows: Sequence[tuple[Audit, Sequence[Sequence[Cell]]]]
    scale: Scale

    @cached_property
    def several(self) -> bool:
        """Whether a place holds several decisions: one per level of the perturbation."""
        return any(len(cells) > 1 for _, places in self.rows for cells in places)


def heat(audits: Sequence[Audit], columns: Sequence[str]) -> Heat:
    """Arrange cells by modality; several cells of one place are its levels, in order."""
    rows = []
    for audit in audits:
        places: dict[str, list[Cell]] = {}
        for cell in audit.parts:
            places.setdefault(cell.stratum.level, []).append(cell)
        rows.append((audit, [sorted(places.get(name, []), key=lambda c: c.level) for name in columns]))
    scale = scale_of(audits[0]) if audits else Scale("points", signed=True)
    return Heat(columns, rows, scale)


@dataclass(frozen=True)
class Corruption:
    """Everything about one perturbation that must be noticed: how the score responds and how well it separates."""

    key: str
    title: str
    audits: Sequence[Audit]
    points: Sequence[Point]
    discrimination: Sequence[Point]
    cells: Sequence[Cell]
    """Of the fall of the score; of the separation where there is no audit of that."""
    unit: str
    """Of `cells`."""
    first: Sequence[str] = field(default_factory=tuple)
    """Modalities, the most telling first."""


def corruptions(audits: Iterable[Audit]) -> list[Corruption]:
    """Pair the audits of each perturbation: how far the score falls, and how well clean and degraded are told apart."""
    pairs: dict[str, list[Audit]] = {}
    for audit in audits:
        pairs.setdefault(subject(audit), []).append(audit)
    result = []
    for key, own in pairs.items():
        falls, separation = [a for a in own if not separates(a)], [a for a in own if separates(a)]
        points = next((a.series for a in (*falls, *separation) if a.series), [])
        auroc = next((a.series for a in (*separation, *falls) if any(p.auroc for p in a.series)), [])
        cells = [c for a in (falls or separation) for c in a.parts if c.stratum.level != ALL]
        ranked = sorted(cells, key=lambda c: (not c.required, VERDICTS.index(c.verdict), c.stratum.level))
        first = tuple(dict.fromkeys(c.stratum.level for c in ranked))
        separated = [p for p in auroc if p.auroc]
        unit = (falls or separation)[0].unit
        result.append(Corruption(key, audit_name(own[0]), own, points, separated, cells, unit, first))
    return result


def separates(audit: Audit) -> bool:
    """Whether an audit asks how well two conditions are told apart."""
    return audit.statistic == "area"


def worst_corruptions(items: Sequence[Corruption], number: int) -> list[Corruption]:
    """Return up to `number` corruptions in their order, those with the worst verdicts."""
    ranked = sorted(range(len(items)), key=lambda i: min(VERDICTS.index(a.verdict) for a in items[i].audits))
    return [items[i] for i in sorted(ranked[:number])]


def whose(evidence: Evidence) -> dict[str, str]:
    """Return who answers which wording, by its id: the name, where that is not the audited model."""
    tasks = evidence.protocol.criteria.get("tasks")
    declared = tasks if isinstance(tasks, dict) else {}
    result = {}
    for prompt in evidence.prompts:
        task = declared.get(prompt.id.rpartition(".")[0])
        role = str(task.get("role") or "") if isinstance(task, dict) else ""
        if role and role in evidence.names:
            result[prompt.id] = evidence.names[role]
    return result


def all_questions(evidence: Evidence) -> str:
    """Name the row of all answers: those of the audited model, which is said where it was not asked alone."""
    return f"All questions, {evidence.model.name}" if evidence.models else "All questions"


def outcome_rows(audits: Iterable[Audit], whose: Mapping[str, str] | None = None) -> list[tuple[str, Outcomes]]:
    """One row per wording: audits that count the same answers (refused, unreadable) are shown once.

    Where somebody beside the audited model was asked, `whose` names them by wording.
    """
    rows: dict[str, tuple[str, Outcomes]] = {}
    for audit in audits:
        if not audit.outcomes.total:
            continue
        key = audit.words or audit.id
        label = audit.words or audit_name(audit)
        label = f"{label}, {who}" if (who := (whose or {}).get(key)) else label
        if key not in rows or audit.outcomes.total > rows[key][1].total:
            rows[key] = (label, audit.outcomes)
    return list(rows.values())


def gallery(evidence: Evidence, number: int) -> tuple[list[tuple[Audit, Case]], int]:
    """Return up to `number` cases, failures first and one per audit before a second of any, and how many there are."""
    cases = []
    for audit in evidence.audits:
        for position, case in enumerate(audit.cases):
            cases.append((VERDICTS.index(audit.verdict), position, -_distance(case), audit.id, audit, case))
    cases.sort(key=lambda entry: entry[:4])
    return [(audit, case) for *_, audit, case in cases[:number]], len(cases)


def _distance(case: Case) -> float:
    if case.control_score is None or case.treated_score is None:
        return 100.0
    return abs(case.treated_score - case.control_score)


def slugs(names: Iterable[str], prefix: str) -> dict[str, str]:
    """Return an HTML id per name: readable, unique, and stable between runs unless two names differ in signs alone."""
    taken: set[str] = set()
    result: dict[str, str] = {}
    for name in names:
        base = f"{prefix}-{re.sub(r'[^a-z0-9]+', '-', name.lower()).strip('-') or 'unnamed'}"
        slug, number = base, 2
        while slug in taken:
            slug, number = f"{base}-{number}", number + 1
        taken.add(slug)
        result[name] = slug
    return result


def asked(audit: Audit, prompts: Iterable[PromptInfo]) -> list[PromptInfo]:
    """Return the prompts that an audit put: one, or all those that it compares."""
    names = set(audit.words.split(", "))
    return [prompt for prompt in prompts if prompt.id in names]


def intended_use(evidence: Evidence) -> list[tuple[str, str]]:
    """Return what the protocol says the model is meant for: names for people and texts, those left empty left out."""
    declared = evidence.protocol.criteria.get("intended_use")
    items = declared.items() if isinstance(declared, dict) else [("intended_use", declared)]
    order = ("purpose", "users", "population", "out_of_scope")
    rank = {name: position for position, name in enumerate(order)}
    return [
        (plain_name(str(name)), str(text))
        for name, text in sorted(items, key=lambda item: (rank.get(str(item[0]), len(rank)), str(item[0])))
        if text
    ]


@dataclass(frozen=True)
class Strata:
    """How the images spread over one attribute of patients or equipment."""

    attribute: str
    known: Sequence[Level]
    """The most frequent first."""
    unknown: int
    """Images of which it is not known."""
    share: float
    """These as a share of all, 0-1."""


def strata(data: Data) -> list[Strata]:
    """Return the attributes of the data by name, each with its known levels and what is not known."""
    result = []
    for attribute, levels in sorted(data.strata.items()):
        known = sorted((v for v in levels if v.name != UNKNOWN), key=lambda v: (-v.n_images, v.name))
        total, unknown = (sum(v.n_images for v in own) for own in (levels, [v for v in levels if v.name == UNKNOWN]))
        result.append(Strata(attribute, known, unknown, unknown / total if total else 0.0))
    return result


def flattened(value: object, prefix: str = "") -> list[tuple[str, str]]:
    """Flatten nested criteria into dotted keys and values, sorted, for a two-column table."""
    if isinstance(value, dict) and value:
        return [
            row
            for key in sorted(value, key=str)
            for row in flattened(value[key], f"{prefix}.{key}" if prefix else str(key))
        ]
    if isinstance(value, list):
        if not any(isinstance(item, (dict, list)) for item in value):
            return [(prefix, ", ".join(map(str, value)))]
        return [row for number, item in enumerate(value, 1) for row in flattened(item, f"{prefix}.{number}")]
    return [(prefix, str(value))]
