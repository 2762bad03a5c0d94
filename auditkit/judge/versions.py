"""The judge of a new version of a model against an earlier run: the same families, corrected as they are declared."""

from __future__ import annotations

from collections.abc import Sequence

from auditkit.evidence import Audit, Cell, Point
from auditkit.judge.decided import Decided
from auditkit.judge.decisions import unit_of
from auditkit.judge.draft import Draft
from auditkit.judge.judge import Judge
from auditkit.judge.procedures import against, draft_all
from auditkit.judge.sentences import audit_sentence
from auditkit.judge.titles import Titles
from auditkit.judge.worsening import accepted
from auditkit.measure.columns import Measurements
from auditkit.protocol.model import Family, Protocol
from auditkit.vocabulary import EARLIER, Effect
from auditkit.words import number

STATISTIC = "worsening"


class VersionJudge(Judge):
    """Gives the verdict of every effect of a run against the same effect of an earlier one.

    Parameters
    ----------
    protocol : Protocol
        The criteria: ``[baseline]``, and the families as they are declared.
    new, old : Measurements
        The answers of both runs to the same items in the same order.
    planned : sequence of Effect
        The effects that both runs asked.
    """

    def __init__(self, protocol: Protocol, new: Measurements, old: Measurements, planned: Sequence[Effect]) -> None:
        super().__init__(protocol, new.beside(old, EARLIER), planned)

    def against(self, role: str, effect: Effect, question: str, run: str) -> Audit:
        """Return the record of one audit.

        Parameters
        ----------
        role : str
            ``baseline`` or ``anchor``: the family of the record.
        effect : Effect
            What both runs measured.
        question : str
            The audit's docstring.
        run : str
            The earlier run, in words.

        Raises
        ------
        AuditkitError
            When the family is not declared in the protocol.
        """
        audit = super().audit(effect, question)
        required = [cell for cell in audit.parts if cell.required]
        treated, control = self._titles.sides(effect)
        unit = unit_of(self._protocol.resolved(effect), self._rules)
        return audit.model_copy(
            update=named(role, effect, self._titles)
            | {
                "sentence": audit_sentence(required, audit.verdict),
                "treated": f"{treated}; compared with: {control}" if control else treated,
                "control": f"the same questions to {run}",
                "verb": "at_most",
                "limit": self._accepted(unit, effect),
            }
        )

    def _accepted(self, unit: str, effect: Effect) -> dict[str, float]:
        narrow, wide = (accepted(effect, unit, self._protocol, together=together) for together in (True, False))
        return {"at_most": narrow} if wide == narrow else {"at_most": narrow, "in_each": wide}

    def _drafts(self, family: Family, members: Sequence[Effect]) -> dict[str, list[Draft]]:
        return draft_all([against(effect, EARLIER, family) for effect in members], family, self.data, self._rules)

    def _decides_together(self, family: Family, effect: Effect) -> bool:
        """All patients together have a margin of their own; areas are averaged over the modalities."""
        return True

    def _has_together(self, family: Family) -> bool:
        return True

    def _series(self, effect: Effect) -> list[Point]:
        return []  # the audit itself has the figure

    def _cell(self, decided: Decided, size: int, *, inside: bool = False) -> Cell:
        cell = super()._cell(decided, size, inside=inside)
        return cell.model_copy(update={"sentence": _sentence(decided.draft, cell)})


def named(role: str, effect: Effect, titles: Titles | None = None) -> dict[str, object]:
    """Return what tells the record of a comparison with an earlier run from that of the audit itself."""
    title = effect.name if titles is None else titles.title(effect)
    return {
        "id": f"{role}/{effect.family}/{effect.name}",
        "family": role,
        "statistic": STATISTIC,
        "definition": None,
        "change": True,
        "title": f"Against the {role}: {effect.family.replace('_', ' ')}: {title}",
    }


def _sentence(draft: Draft, cell: Cell) -> str:
    """Put in front what either version measured; say what only two versions have: no change, and whose errors."""
    if cell.verdict == "ERROR" and not cell.outcomes.error:
        lost, total = cell.control_outcomes.error, cell.control_outcomes.total
        return (
            f"{lost} of {total} questions got no answer in the earlier run, so there is nothing to compare with; "
            "compare with a run in which every question has one."
        )
    if cell.verdict == "ERROR" or not draft.n_clusters:
        return cell.sentence
    unit = draft.estimate.unit
    what = f"{draft.named[:1].upper()}{draft.named[1:]} now" if draft.named else "Now"
    counted = f" {draft.counted}" if draft.counted else ""
    sides = f"{what} {number(draft.now, unit)}, before {number(draft.before, unit)}{counted}"
    if draft.unchanged:
        sides = f"{what} and before {number(draft.now, unit)}{counted}, every answer the same"
    lead = "changed by" if unit == "AUROC" else "worse by"
    # What is counted stands before both numbers already.
    moved = cell.sentence.removeprefix(f"{draft.named} ").replace(f"{counted} over ", " over ", 1)
    return f"{sides}: {lead} {moved}"
