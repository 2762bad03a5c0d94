"""The judge of a new version of a model against an earlier run: the same families, corrected as they are declared."""

from __future__ import annotations

from collections.abc import Sequence

from auditkit.evidence import Audit, Cell, Point
from auditkit.judge.draft import Draft
from auditkit.judge.judge import Decided, Judge
from auditkit.judge.noninferiority import VersionDraft, judge_versions
from auditkit.judge.sentences import audit_sentence
from auditkit.judge.titles import sides, title
from auditkit.judge.version_effects import KINDS, Versions
from auditkit.judge.wording import interval, number, patients
from auditkit.measure.columns import Measurements
from auditkit.protocol.model import DiscriminationFamily, Family, Protocol, Unit
from auditkit.stats.versions import IDENTICAL
from auditkit.vocabulary import Comparison

GATE = "non_inferiority"


class VersionJudge(Judge):
    """Gives the verdict of every comparison of a run against the same comparison of an earlier one.

    Parameters
    ----------
    protocol : Protocol
        The criteria: ``[baseline]``, and the families as they are declared.
    new, old : Measurements
        The answers of both runs to the same images in the same order.
    planned : sequence of Comparison
        The comparisons that both runs asked.
    """

    def __init__(self, protocol: Protocol, new: Measurements, old: Measurements, planned: Sequence[Comparison]) -> None:
        super().__init__(protocol, new, planned)
        self._versions = Versions(new, old)

    def against(self, role: str, comparison: Comparison, question: str, run: str) -> Audit:
        """Return the record of one audit.

        Parameters
        ----------
        role : str
            ``baseline`` or ``anchor``: the family of the record.
        comparison : Comparison
            What both runs compared.
        question : str
            The audit's docstring.
        run : str
            The earlier run, in words.

        Raises
        ------
        AuditkitError
            When the family is not declared in the protocol.
        """
        family = self._protocol.families.get(comparison.family)
        # Without a family the parent says which line to add.
        audit = super().audit(comparison, "" if family is None else family.gate, question)
        required = [cell for cell in audit.by_modality if cell.required]
        treated, control = sides(comparison)
        return audit.model_copy(
            update=named(role, comparison)
            | {
                "sentence": audit_sentence(required, audit.verdict),
                "treated": f"{treated}; compared with: {control}" if control else treated,
                "control": f"the same questions to {run}",
                "margin": None if family is None else self._protocol.baseline.margin(_unit(family), together=True),
            }
        )

    def _drafts(self, family: Family, members: Sequence[Comparison]) -> dict[str, list[Draft]]:
        return judge_versions(family, members, self._versions, self._rules)

    def _decides_together(self, family: Family) -> bool:
        """All patients together have a margin of their own; areas are averaged over the modalities."""
        return True

    def _series(self, comparison: Comparison, family: Family) -> list[Point]:
        return []  # the audit itself has the figure

    def _cell(self, decided: Decided, size: int) -> Cell:
        cell = super()._cell(decided, size)
        draft = decided.draft
        return cell.model_copy(update={"sentence": _sentence(draft, cell)}) if isinstance(draft, VersionDraft) else cell


def named(role: str, comparison: Comparison) -> dict[str, str]:
    """Return what tells the record of a comparison with an earlier run from that of the audit itself."""
    return {
        "id": f"{role}/{comparison.family}/{comparison.name}",
        "family": role,
        "gate": GATE,
        "title": f"Against the {role}: {comparison.family}: {title(comparison)}",
    }


def _unit(family: Family) -> Unit:
    if isinstance(family, DiscriminationFamily):
        return "auroc"
    return KINDS[family.gate].margin if family.gate in KINDS else "share"


def _sentence(draft: VersionDraft, cell: Cell) -> str:
    """Put in front what either version measured; say what only two versions have: identity, and whose errors."""
    if cell.verdict == "ERROR" and not cell.outcomes.error:
        lost, total = cell.control_outcomes.error, cell.control_outcomes.total
        return (
            f"{lost} of {total} questions got no answer in the earlier run, so there is nothing to compare with; run "
            "it again until every question has one."
        )
    if cell.verdict == "ERROR" or not draft.n_clusters:
        return cell.sentence
    unit = draft.estimate.unit
    if draft.rule == IDENTICAL:
        over = patients(draft.n_clusters)
        return f"Every answer is the same as before, over {over}: identical, {interval(draft.estimate)}."
    lead = "changed by" if unit == "AUROC" else "worse by"
    return f"Now {number(draft.now, unit)}, before {number(draft.before, unit)}: {lead} {cell.sentence}"
