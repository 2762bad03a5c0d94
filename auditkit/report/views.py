"""What the page shows, in which order and under which heading: selection and grouping of the record, no arithmetic."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from auditkit.evidence import (
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
from auditkit.report.wording import OVERALL, VERDICT_ORDER, Scale, audit_name, plain_name, scale_of

SENSITIVITY, DISCRIMINATION = "sensitivity", "discrimination"
BASELINE, ANCHOR = "baseline", "anchor"
UNKNOWN = "unknown"

# Family -> (heading, what a reader should know before looking). Families of others get their name as heading.
QUESTIONS: dict[str, tuple[str, str]] = {
    SENSITIVITY: (
        "Does the score fall when the image gets worse?",
        "Each image was degraded at five severities and scored again. A model that judges quality must give lower "
        "scores as the severity rises. The slope is the change of the score per severity step.",
    ),
    DISCRIMINATION: (
        "Can the score tell clean from degraded images?",
        "AUROC is the chance that a clean image gets a higher score than a degraded one: 1 is perfect, 0.5 is a "
        "coin toss.",
    ),
    "metadata": (
        "Does the score ignore words that say nothing about the image?",
        "The image stays the same; only a sentence about the operator, the device, the patient or the institution "
        "changes. The two sentences of a pair have the same form and length. The score must not move by more than the "
        "margin in either direction.",
    ),
    "placebo": (
        "Does the score stay put when neutral words are added?",
        "A neutral sentence is put before the question. This is the control for the audits above: if neutral words "
        "move the score, any words do.",
    ),
    "templates": (
        "Does the score stay put when the question is worded differently?",
        "Several wordings ask for the same number about the same clean image. Every two of them are compared within "
        "the image; no two may differ by more than the margin. The estimate shown is that of the pair furthest apart.",
    ),
    "direction": (
        "Does the score refrain from rising when brightness or contrast is pushed?",
        "Pushing brightness or contrast away from the original loses information. The score may fall or stay; it must "
        "not rise by more than the margin.",
    ),
    "answers": (
        "Does the model answer in the form it was asked for?",
        "A refusal or an answer that cannot be read is a result, not a gap. Each is counted, none is guessed.",
    ),
    "differential": (
        "Do refusals depend on what was changed?",
        "If answers go missing more often under one condition than under another, the remaining scores no longer speak "
        "for all images. This compares the rates.",
    ),
    "repeatability": (
        "Does the same question get the same answer?",
        "The same question was asked twice, and once alone instead of in a batch. Answers "
        "that differ between the two cannot be trusted one by one.",
    ),
    BASELINE: (
        "Is this version no worse than the one before?",
        "Both versions saw the same images. Every result is compared with the earlier one, patient by patient, and may "
        "be worse by no more than the declared limit.",
    ),
    ANCHOR: (
        "Have small steps added up?",
        "The same comparison with a frozen version. Each update may be close to the one before it while the model "
        "drifts away from where it started.",
    ),
}
_ORDER = {family: position for position, family in enumerate(QUESTIONS)}
_NUMBER = re.compile(r"\d+")


@dataclass(frozen=True)
class Family:
    """One question of the report and its audits."""

    name: str
    heading: str
    lead: str
    audits: Sequence[Audit]
    counts: dict[Verdict, int]
    verdict: Verdict

    @cached_property
    def telling(self) -> Audit:
        """The audit that explains the verdict: the worst, and among equals the one with the clearest evidence."""
        return min(self.audits, key=lambda a: (VERDICTS.index(a.verdict), 1.0 if a.p_fail is None else a.p_fail, a.id))


def families(evidence: Evidence) -> list[Family]:
    """Group the audits by family: the known ones in the order of the questions, then others by name."""
    groups: dict[str, list[Audit]] = {}
    for audit in evidence.audits:
        groups.setdefault(audit.family, []).append(audit)
    result = []
    for name in sorted(groups, key=lambda n: (_ORDER.get(n, len(_ORDER)), n)):
        own = groups[name]
        heading, lead = QUESTIONS.get(name, (plain_name(name), ""))
        result.append(Family(name, heading, lead, own, verdict_counts(own), overall(a.verdict for a in own)))
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

    Only changes of the score count (equivalence: either direction; not raised: upwards).
    """
    value = audit.estimate.value
    if value is None or audit.estimate.unit != "points":
        return 0.0
    if audit.gate in ("equivalence", "template_equivalence"):
        return abs(value)
    return max(value, 0.0) if audit.gate == "not_raised" else 0.0


def largest_effects(evidence: Evidence, number: int = 3) -> list[Audit]:
    """Return the audits with the largest unwanted changes of the score, largest first."""
    moved = [audit for audit in evidence.audits if unwanted(audit) > 0]
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
    extra = {c.modality for a in evidence.audits for c in a.by_modality} - known - {OVERALL}
    return names + sorted(extra)


def without_title(audit: Audit) -> str:
    """Return the sentence without the title, where it starts with it: pages print the title as a link before it."""
    rest = audit.sentence.removeprefix(audit.title).lstrip(" :") if audit.title else audit.sentence
    return rest[:1].upper() + rest[1:] if rest else audit.sentence


def severity_of(cell: Cell) -> int:
    """Return the number in a cell's condition (``severity 3``), 0 when there is none."""
    found = _NUMBER.search(cell.condition)
    return int(found.group()) if found else 0


@dataclass(frozen=True)
class Heat:
    """A table of verdicts: one row per audit, one column per modality."""

    columns: Sequence[str]
    rows: Sequence[tuple[Audit, Sequence[Sequence[Cell]]]]
    scale: Scale


def heat(audits: Sequence[Audit], columns: Sequence[str]) -> Heat:
    """Arrange cells by modality; several cells of one place are its severities, in order."""
    rows = []
    for audit in audits:
        places: dict[str, list[Cell]] = {}
        for cell in audit.by_modality:
            places.setdefault(cell.modality, []).append(cell)
        rows.append((audit, [sorted(places.get(name, []), key=severity_of) for name in columns]))
    scale = scale_of(audits[0]) if audits else Scale("points", signed=True)
    return Heat(columns, rows, scale)


@dataclass(frozen=True)
class Corruption:
    """Everything about one corruption: how the score responds and how well it separates."""

    key: str
    title: str
    audits: Sequence[Audit]
    points: Sequence[Point]
    discrimination: Sequence[Point]
    cells: Sequence[Cell]
    first: Sequence[str] = field(default_factory=tuple)
    """Modalities, the most telling first."""


def corruptions(audits: Iterable[Audit]) -> list[Corruption]:
    """Pair the sensitivity and the discrimination audit of each corruption."""
    pairs: dict[str, list[Audit]] = {}
    for audit in audits:
        pairs.setdefault(subject(audit), []).append(audit)
    result = []
    for key, own in pairs.items():
        slopes = [a for a in own if a.family == SENSITIVITY]
        separation = [a for a in own if a.family == DISCRIMINATION]
        points = next((a.series for a in (*slopes, *separation) if a.series), [])
        auroc = next((a.series for a in (*separation, *slopes) if any(p.auroc for p in a.series)), [])
        cells = [c for a in (slopes or separation) for c in a.by_modality if c.modality != OVERALL]
        ranked = sorted(cells, key=lambda c: (not c.required, VERDICTS.index(c.verdict), c.modality))
        first = tuple(dict.fromkeys(c.modality for c in ranked))
        result.append(Corruption(key, audit_name(own[0]), own, points, [p for p in auroc if p.auroc], cells, first))
    return result


def worst_corruptions(items: Sequence[Corruption], number: int) -> list[Corruption]:
    """Return up to `number` corruptions in their order, those with the worst verdicts."""
    ranked = sorted(range(len(items)), key=lambda i: min(VERDICTS.index(a.verdict) for a in items[i].audits))
    return [items[i] for i in sorted(ranked[:number])]


def outcome_rows(audits: Iterable[Audit]) -> list[tuple[str, Outcomes]]:
    """One row per prompt template: audits that count the same answers (refused, unreadable) are shown once."""
    rows: dict[str, tuple[str, Outcomes]] = {}
    for audit in audits:
        if not audit.outcomes.total:
            continue
        key = audit.template or audit.id
        label = audit.template or audit_name(audit)
        if key not in rows or audit.outcomes.total > rows[key][1].total:
            rows[key] = (label, audit.outcomes)
    return list(rows.values())


def gallery(evidence: Evidence, number: int) -> tuple[list[tuple[Audit, Case]], int]:
    """Return up to `number` cases, failures first and one per audit before a second of any, and how many there are."""
    found = []
    for audit in evidence.audits:
        for position, case in enumerate(audit.cases):
            found.append((VERDICTS.index(audit.verdict), position, -_distance(case), audit.id, audit, case))
    found.sort(key=lambda entry: entry[:4])
    return [(audit, case) for *_, audit, case in found[:number]], len(found)


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
    """Return the prompts that an audit put: its template's, or all those that it compares."""
    names = {audit.template} if audit.template else set(audit.treated.split(", "))
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
