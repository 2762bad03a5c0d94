"""The tables of the PDF: rows arranged, long ones capped with a word on what is left out. No arithmetic but shares."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from auditkit.evidence import ALL, VERDICTS, Audit, Cell, Data, Evidence, Level, Point, Verdict
from auditkit.report import views
from auditkit.report.clauses import Hazard
from auditkit.report.questions import question_of
from auditkit.words import (
    Scale,
    cut,
    declared_words,
    fixed,
    modality_name,
    percent,
    plain_name,
    scale_of,
    whole,
)

ROWS = 64
"""Rows of a table that is not one of audits."""
AUDITS = 100
"""Rows of a table of audits; the demo's longest has 60."""
FINDINGS, REASONS = 200, 24
"""Audits that did not pass in the body, and how many of them with their reason: a page holds 40 without, 12 with it."""
STRATA = ("sex", "age", "site", "manufacturer")
"""Attributes whose absence is named as a gap."""
_AUROC = Scale("AUROC", signed=False)
_GAP = 0.5

T = TypeVar("T")


@dataclass(frozen=True)
class Capped(Generic[T]):
    """The rows shown, and how many are not."""

    rows: Sequence[T]
    left_out: int

    @property
    def note(self) -> str:
        """Say what is missing; empty when nothing is."""
        if not self.left_out:
            return ""
        total = len(self.rows) + self.left_out
        return (
            f"The first {whole(len(self.rows))} of {whole(total)} rows; {whole(self.left_out)} are left out here. All "
            "are in the attached evidence.json."
        )


def capped(rows: Sequence[T], limit: int = ROWS) -> Capped[T]:
    """Keep the first `limit` rows."""
    return Capped(rows[:limit], max(0, len(rows) - limit))


def pieces(rows: Sequence[T], most: int) -> list[Sequence[T]]:
    """Cut into as few pieces of up to `most` rows as will do, of about the same length."""
    size = -(-len(rows) // max(1, -(-len(rows) // most)))
    return [rows[start : start + size] for start in range(0, len(rows), max(1, size))]


def worst_first(audits: Iterable[Audit]) -> list[Audit]:
    """Sort by verdict, the worst first, so that a cap never hides a failure behind passes."""
    return sorted(audits, key=lambda audit: VERDICTS.index(audit.verdict))


@dataclass(frozen=True)
class Register(Capped[Audit]):
    """The audits of a question, with what they share: unit and accepted region, empty where they differ."""

    unit: str
    accepted: str


def register(audits: Sequence[Audit], most: int = AUDITS) -> Register:
    """Return the audits for a table, the worst first."""
    shown = capped(worst_first(audits), most)
    units = {scale_of(audit).label for audit in shown.rows}
    regions = {accepted(audit) for audit in shown.rows} if len(units) == 1 else set()
    return Register(shown.rows, shown.left_out, _only(units), _only(regions))


def _only(words: set[str]) -> str:
    return words.pop() if len(words) == 1 else ""


@dataclass(frozen=True)
class Findings:
    """The audits that did not pass and have one verdict, by family."""

    verdict: Verdict
    number: int
    """How many there are."""
    tables: Sequence[tuple[views.Family, Register]]
    reasons: frozenset[str]
    """Ids of the audits whose reason is given beside their numbers."""


def findings(families: Sequence[views.Family]) -> list[Findings]:
    """Return every audit that did not pass, the worst verdict first, with the reasons of the first `REASONS`.

    Of all verdicts together at most `FINDINGS` audits are listed; the tables say how many are left out.
    """
    result, room, reasons = [], FINDINGS, REASONS
    for verdict in (v for v in VERDICTS if v != "PASS"):
        own = [(f, [a for a in f.audits if a.verdict == verdict]) for f in families]
        listed = []
        explained: list[str] = []
        for family, audits in own:
            if audits:
                table = register(audits, room)
                room -= len(table.rows)
                explained += [audit.id for audit in table.rows][: reasons - len(explained)]
                listed.append((family, table))
        if listed:
            reasons -= len(explained)
            number = sum(len(audits) for _, audits in own)
            result.append(Findings(verdict, number, listed, frozenset(explained)))
    return result


@dataclass(frozen=True)
class Place:
    """One corruption in one modality at one severity."""

    score: str
    auroc: str
    verdict: Verdict | None
    """Of the audit that asks whether the two are told apart at this severity."""


@dataclass(frozen=True)
class MatrixRow:
    """One corruption in one modality."""

    modality: str
    n: str
    places: Sequence[Place]
    fall: str
    """By how much the score falls per severity step."""
    verdict: Verdict | None


@dataclass(frozen=True)
class Matrix:
    """Everything measured about one corruption, modality by modality and severity by severity."""

    severities: Sequence[int]
    rows: Sequence[MatrixRow]
    ssim: Sequence[str]
    """Mean measured similarity to the clean image, per severity, over all modalities."""
    separates: bool
    """Whether any place has an AUROC."""


def matrix(item: views.Corruption) -> Matrix:
    """Arrange points and decisions of one corruption: all modalities together first, then each."""
    falls = {c.stratum.level: c for a in item.audits if not views.separates(a) for c in a.parts}
    parts = {(c.stratum.level, c.level): c for a in item.audits if views.separates(a) for c in a.parts}
    scores = {(p.stratum.level, p.level): p for p in item.points}
    areas = {(p.stratum.level, p.level): p.auroc for p in item.discrimination if p.auroc}
    severities = sorted({severity for _, severity in scores} | {severity for _, severity in areas})
    names = list(dict.fromkeys(m for m, _ in (*scores, *areas, *((m, 0) for m in falls))))
    names.sort(key=lambda name: name != ALL)
    rows = []
    for name in names:
        own = [scores[name, s] for s in severities if (name, s) in scores]
        fall = falls.get(name)
        places = [_place(scores.get((name, s)), areas.get((name, s)), parts.get((name, s))) for s in severities]
        rows.append(
            MatrixRow(
                modality_name(name),
                ranged(p.n_clusters for p in own),
                places,
                Scale(fall.estimate.unit, signed=False).short(fall.estimate) if fall else "–",
                fall.verdict if fall else None,
            )
        )
    pooled = {p.level: p for p in item.points if p.stratum.level == ALL}
    ssim = [fixed(pooled[s].ssim, 2) if s in pooled else "–" for s in severities]
    return Matrix(severities, rows, ssim, bool(areas))


def _place(point: Point | None, area: Any, cell: Cell | None) -> Place:
    return Place(
        fixed(point.score.value) if point else "–",
        _AUROC.number(area.value) if area and area.value is not None else "",
        cell.verdict if cell else None,
    )


def ranged(numbers: Iterable[int]) -> str:
    """Write one number, or the lowest and the highest of several."""
    seen = sorted(set(numbers))
    if not seen:
        return "–"
    return whole(seen[0]) if len(seen) == 1 else f"{whole(seen[0])}–{whole(seen[-1])}"


_VERBS = ("within", "at_most", "at_least")


@dataclass(frozen=True)
class Limit:
    """What one family of the protocol must keep."""

    family: str
    heading: str
    asks: str
    settings: str
    hazard: str


def limits(evidence: Evidence) -> list[Limit]:
    """Return the declared families in the order in which the report treats them, each with its limits in one line."""
    declared = evidence.protocol.criteria.get("families")
    if not isinstance(declared, dict):
        return []
    order = [family.name for family in views.families(evidence)]
    names = sorted(declared, key=lambda n: (order.index(n) if n in order else len(order), n))
    result = []
    for name in names:
        own = declared[name] if isinstance(declared[name], dict) else {}
        result.append(
            Limit(
                name,
                (question_of(name, evidence.protocol.name) or (plain_name(name),))[0],
                next((plain_name(verb) for verb in _VERBS if own.get(verb) is not None), ""),
                "; ".join(_in_words(own, [a for a in evidence.audits if a.family == name])),
                str(own.get("hazard") or ""),
            )
        )
    return result


def _in_words(family: Mapping[str, Any], audits: Sequence[Audit]) -> Iterator[str]:
    """Say what a family is held to; what is not declared is not mentioned, and what is not known stands as it is.

    The unit is that of its audits; without any, or with several, the number stands as it was declared.
    """
    verb = next((verb for verb in _VERBS if family.get(verb) is not None), "")
    by, tail, required = (family.get(key) for key in ("by", "tail", "required"))
    if verb:
        each, kinds = family.get("in_each"), {(audit.unit, audit.change) for audit in audits}
        if len(kinds) == 1:
            [(unit, change)] = kinds
            both = {verb: family[verb]} | ({} if each is None else {"in_each": each})
            said = declared_words(verb, both, unit, change=change)
            yield f"{said}; in each {by}" if each is None else said.replace("in each", f"in each {by}")
        else:
            yield f"{plain_name(verb).lower()} {family[verb]}"
            yield f"in each {by}" + ("" if each is None else f" {each}")
    if isinstance(tail, Mapping):
        yield f"jumps beyond {tail.get('beyond')}: at most {tail.get('share')} more than by noise, over all patients"
    if required:
        yield f"required: {', '.join(map(str, required))}" if isinstance(required, list) else f"required: {required}"
    if family.get("shown"):
        yield "for information only"
    known = {*_VERBS, "by", "in_each", "tail", "required", "shown", "hazard"}
    yield from (f"{plain_name(key).lower()} {family[key]}" for key in family if key not in known and family[key])


def settings(evidence: Evidence) -> list[tuple[str, str]]:
    """Return the criteria that are neither limits of families nor the intended use, which have their own tables."""
    rest = {k: v for k, v in evidence.protocol.criteria.items() if k not in ("families", "intended_use")}
    return [(key, value) for key, value in views.flattened(rest) if key]


def accepted(audit: Audit) -> str:
    """Say what an audit accepts, without the unit: of all together, then of each modality where that differs."""
    scale = scale_of(audit)
    regions: dict[bool, set[tuple[float | None, float | None]]] = {True: set(), False: set()}
    for cell in audit.parts:
        if cell.required:
            regions[cell.stratum.level == ALL].add((cell.margin_low, cell.margin_high))
    pooled, each = ([_region(low, high, scale) for low, high in sorted(regions[k], key=str)] for k in (True, False))
    if not pooled and not each:
        return "–"
    if pooled == each or not each or not pooled:
        return " or ".join(pooled or each)
    return f"{' or '.join(pooled)}; each modality {' or '.join(each)}"


def _region(low: float | None, high: float | None, scale: Scale) -> str:
    if low is not None and high is not None:
        if low == -high:
            return f"±{Scale(scale.unit, signed=False).number(high)}"
        return f"{scale.number(low)} to {scale.number(high)}"
    if low is None and high is None:
        return "–"
    return f"at most {scale.number(high)}" if low is None else f"at least {scale.number(low)}"


@dataclass(frozen=True)
class Layer:
    """One attribute of the data: its levels, and what is not known."""

    name: str
    levels: Capped[Level]
    unknown: float | None
    """Share of the images whose level is not known, 0-1; None without images."""


def layers(data: Data) -> list[Layer]:
    """Return the attributes of the data with the share of images of unknown level."""
    result = []
    for name in sorted(data.strata):
        levels = data.strata[name]
        total = sum(level.n_images for level in levels)
        unknown = sum(level.n_images for level in levels if level.name == "unknown")
        known = sorted((lv for lv in levels if lv.name != "unknown"), key=lambda lv: (-lv.n_images, lv.name))
        result.append(Layer(plain_name(name), capped(known, 8), unknown / total if total else None))
    return result


def gaps(evidence: Evidence) -> list[str]:
    """Return what was not tested or not known, as sentences that follow from counts in the record."""
    data = evidence.data
    result = []
    for name in STRATA:
        levels = data.strata.get(name)
        if not levels:
            result.append(f"{plain_name(name)} is not recorded for any image: nothing can be said by {name}.")
            continue
        total = sum(level.n_images for level in levels)
        unknown = sum(level.n_images for level in levels if level.name == "unknown")
        if total and unknown / total >= _GAP:
            result.append(f"{plain_name(name)} is unknown for {percent(unknown / total, 0)} of the images.")
    least = evidence.protocol.criteria.get("statistics", {})
    least = least.get("min_clusters") if isinstance(least, dict) else None
    if isinstance(least, int):
        small = [s.modality for s in data.modalities if s.n_clusters < least]
        if small:
            result.append(
                f"Fewer than {least} patients, too few for most passes: {', '.join(modality_name(m) for m in small)}."
            )
    if not evidence.references:
        result.append("No earlier run was given to compare with: nothing is said about change against another version.")
    if data.limited_to is not None:
        result.append(f"Only a subset of {whole(data.limited_to)} patients was used (--audit-limit).")
    return result


def traced(hazard: Hazard) -> str:
    """Say which audits look for a hazard: by id where they are few, else how many of each family."""
    if len(hazard.audits) <= 2:
        return ", ".join(audit.id for audit in hazard.audits) or "none"
    families = Counter(audit.family for audit in hazard.audits)
    return ", ".join(f"{whole(number)} of {cut(name, 40)}" for name, number in sorted(families.items()))


def once(why: str) -> str:
    """Drop what a list of reasons says again: several audits are often open for one reason."""
    return "; ".join(dict.fromkeys(why.split("; ")))
