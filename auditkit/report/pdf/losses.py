"""What corruptions cost of right answers, a page for each audit: which audits, and the table of each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from auditkit.evidence import ALL, VERDICTS, Audit, Cell, PartDefinition, Verdict
from auditkit.report import views
from auditkit.report.pdf.tables import Matrix, MatrixRow, Place, ranged
from auditkit.words import Scale, audit_name, fixed, modality_name, percent


@dataclass(frozen=True)
class Loss:
    """One audit of what a corruption costs of right answers."""

    audit: Audit

    @property
    def id(self) -> str:
        """Its name among all pages on corruptions."""
        return self.audit.id

    @property
    def title(self) -> str:
        """What it is about, for people."""
        return audit_name(self.audit)

    @cached_property
    def pictures(self) -> views.Corruption:
        """The corruption as its example pictures are looked for: by perturbation, the worst modalities first."""
        ranked = sorted(self.audit.parts, key=lambda c: (VERDICTS.index(c.verdict), c.stratum.level))
        first = tuple(dict.fromkeys(c.stratum.level for c in ranked if c.stratum.level != ALL))
        conditions = (term.condition for part in self._parts for term in part.terms if term.condition)
        entry = next((name for condition in conditions for name, _ in condition), "")
        return views.Corruption(entry, self.title, [self.audit], self.audit.series, [], [], self.audit.unit, first)

    @property
    def _parts(self) -> list[PartDefinition]:
        return self.audit.definition.parts if self.audit.definition else []


def losses(families: Iterable[views.Family]) -> list[Loss]:
    """Return the audits that follow right answers through a corruption, the worst verdicts first."""
    found = [audit for family in families for audit in family.audits if counts_right(audit)]
    return [Loss(audit) for audit in sorted(found, key=lambda audit: VERDICTS.index(audit.verdict))]


def counts_right(audit: Audit) -> bool:
    """Whether an audit's figure is of shares of right answers."""
    return audit.quantity == "correct" and views.climbs(audit)


def matrix_of(item: Loss) -> Matrix:
    """Arrange shares of right answers, and below each what is lost of it, by modality and severity."""
    audit, scale = item.audit, Scale(item.audit.unit, signed=False)
    points = {(p.stratum.level, p.level): p for p in audit.series}
    severities = sorted({severity for _, severity in points})
    # An audit with one severity does not repeat it in its decisions.
    cells = {(c.stratum.level, c.level or severities[-1]): c for c in audit.parts}
    names = sorted(dict.fromkeys(name for name, _ in points), key=lambda name: name != ALL)

    def place(name: str, severity: int) -> Place:
        point, cell = points.get((name, severity)), cells.get((name, severity))
        share = "–" if point is None or point.score.value is None else percent(point.score.value, 0)
        value = None if cell is None else cell.estimate.value
        lost = "" if value is None else f"{scale.number(abs(value))} {'gained' if value < 0 else 'lost'}"
        return Place(share, lost, verdict_of(cell))

    rows = [
        MatrixRow(
            modality_name(name),
            ranged(points[name, s].n_clusters for s in severities if (name, s) in points),
            [place(name, severity) for severity in severities],
            "",
            None,
        )
        for name in names
    ]
    ssim = [fixed(points[ALL, s].ssim, 2) if (ALL, s) in points else "–" for s in severities]
    return Matrix(severities, rows, ssim, separates=True)


def verdict_of(cell: Cell | None) -> Verdict | None:
    """Return the verdict of a decision that counts; None of what is shown beside it."""
    return cell.verdict if cell and cell.required else None
