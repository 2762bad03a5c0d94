"""What the audits of embeddings found, by kind and by what was done: selection of the record, no arithmetic."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from auditkit.evidence import ALL, Apart, Audit, Cell, Estimate, Term

_NOTHING = Estimate()
SIMILARITY = "similarity"
"""What such audits count."""


@dataclass(frozen=True)
class ShiftPoint:
    """How far one level moves what the model holds inside."""

    level: int
    similarity: Estimate
    """To the clean image."""
    score_change: Estimate = _NOTHING
    """Change of the score from the clean image."""
    ssim: float | None = None
    """Mean structural similarity of the pictures themselves."""
    n_images: int = 0
    n_clusters: int = 0
    n_missing: int = 0
    """Images that lack one of the two embeddings."""


@dataclass(frozen=True)
class Shift:
    """What one perturbation does to one kind of embedding in one stratum."""

    kind: str
    perturbation: str
    title: str
    stratum: str
    """Level of the stratum, or ``all``."""
    between: float | None = None
    """Similarity of clean images of different patients."""
    follows: Estimate = _NOTHING
    """How the score follows."""
    series: Sequence[ShiftPoint] = field(default_factory=tuple)
    """By level."""
    apart: Apart | None = None
    """Where the inside and the score part, at the strongest level."""


def looks_inside(audit: Audit) -> bool:
    """Whether an audit is about what the model holds inside."""
    return audit.quantity == SIMILARITY and audit.definition is not None


def shifts(audits: Iterable[Audit]) -> list[Shift]:
    """Return one shift per kind, perturbation and stratum, in the order of the audits; all items together first."""
    inside = [(about, audit) for audit in audits if looks_inside(audit) and (about := _about(audit)) is not None]
    follows = {about: audit for about, audit in inside if audit.statistic == "follows"}
    displaced = [(about, audit) for about, audit in inside if audit.statistic == "mean"]
    found = [shift for about, audit in displaced for shift in _shifts(about, audit, follows.get(about))]
    kinds = list(dict.fromkeys(shift.kind for shift in found))
    return sorted(found, key=lambda shift: kinds.index(shift.kind))


def _shifts(about: tuple[str, str], audit: Audit, follows: Audit | None) -> list[Shift]:
    kind, perturbation = about
    following = _by_stratum(follows.parts) if follows is not None else {}
    apart = {each.stratum.level: each for each in follows.apart} if follows is not None else {}
    result = []
    for stratum, cells in _by_stratum(audit.parts).items():
        held = following.get(stratum)
        result.append(
            Shift(
                kind=kind,
                perturbation=perturbation,
                title=audit.title.removesuffix(f", {kind}"),
                stratum=stratum,
                between=next((cell.reference for cell in cells if cell.reference is not None), None),
                follows=held[0].estimate if held else Estimate(),
                series=[_point(audit, cell) for cell in sorted(cells, key=lambda cell: cell.level)],
                apart=apart.get(stratum),
            )
        )
    return result


def _by_stratum(cells: Iterable[Cell]) -> dict[str, list[Cell]]:
    """Return cells by stratum, all items together first: where there is one stratum only, that is all of them."""
    found: dict[str, list[Cell]] = {}
    for cell in cells:
        found.setdefault(cell.stratum.level, []).append(cell)
    if ALL not in found and len(found) == 1:
        found[ALL] = next(iter(found.values()))
    return {level: found[level] for level in sorted(found, key=lambda level: level != ALL)}


def _point(audit: Audit, cell: Cell) -> ShiftPoint:
    scored = next((p for p in audit.series if p.level == cell.level and p.stratum == cell.stratum), None)
    return ShiftPoint(
        level=cell.level,
        similarity=cell.estimate,
        score_change=(scored.change if scored is not None else None) or Estimate(),
        ssim=scored.ssim if scored is not None else None,
        n_images=cell.n_images,
        n_clusters=cell.n_clusters,
        n_missing=cell.outcomes.error,
    )


def _about(audit: Audit) -> tuple[str, str] | None:
    """Return kind and perturbation; None where the audit is about more than one of either."""
    first = _first(audit)
    terms = [t for part in audit.definition.parts for t in part.terms] if audit.definition is not None else []
    own = [t for t in terms if first is not None and t.task == first.task]
    kinds = {t.wording for t in own}
    done = {name for t in own for name, _ in t.condition}
    alone = all(len(t.condition) <= 1 for t in own)
    return (kinds.pop(), done.pop()) if len(kinds) == len(done) == 1 and alone else None


def _first(audit: Audit) -> Term | None:
    parts = audit.definition.parts if audit.definition is not None else []
    return parts[0].terms[0] if parts and parts[0].terms else None
