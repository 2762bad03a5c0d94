"""The judge: gates give drafts, Holm confirms or withholds a FAIL within the declared family, words are added."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from auditkit import corruptions, prompts
from auditkit.conditions import CLEAN, Comparison, Condition, Contrast, Group, Series
from auditkit.contrasts import SHIPPED
from auditkit.criteria.discrimination import judge_discrimination
from auditkit.criteria.draft import Draft
from auditkit.criteria.means import judge_equivalence, judge_not_raised, judge_sensitivity
from auditkit.criteria.rates import judge_agreement, judge_rate, judge_rate_difference
from auditkit.criteria.sentences import audit_sentence, cell_sentence
from auditkit.criteria.series import series_points
from auditkit.criteria.wording import condition_label
from auditkit.errors import AuditkitError
from auditkit.evidence import Audit, Cell, Estimate, Outcomes, Verdict, overall
from auditkit.measure import ALL, Measurements
from auditkit.protocol import DiscriminationFamily, EquivalenceFamily, Family, Protocol
from auditkit.stats.multiplicity import holm

GATES: dict[str, Callable[..., dict[str, list[Draft]]]] = {
    "equivalence": judge_equivalence,
    "not_raised": judge_not_raised,
    "sensitivity": judge_sensitivity,
    "discrimination": judge_discrimination,
    "rate": judge_rate,
    "rate_difference": judge_rate_difference,
    "agreement": judge_agreement,
}


class Judge:
    """Gives the verdict of every comparison of a run.

    Parameters
    ----------
    protocol : Protocol
        The criteria.
    data : Measurements
        The answers.
    planned : sequence of Comparison
        The comparisons that were run. Families are corrected for their declared size, so running fewer never turns a
        result into a FAIL.
    """

    def __init__(self, protocol: Protocol, data: Measurements, planned: Sequence[Comparison]) -> None:
        self._protocol = protocol
        self.data = data
        self._planned = planned
        self._families: dict[str, dict[str, list[tuple[Draft, float]]]] = {}

    def audit(self, comparison: Comparison, gate: str, question: str) -> Audit:
        """Return the record of one audit.

        Parameters
        ----------
        comparison : Comparison
            What is compared.
        gate : str
            The criterion the audit's author asked for.
        question : str
            The audit's docstring.

        Raises
        ------
        AuditkitError
            When the family is not declared in the protocol, or declares another gate.
        """
        family = self._protocol.families.get(comparison.family)
        if family is None:
            raise AuditkitError(
                f"family {comparison.family!r} of {comparison.name} is not declared in the protocol; declared: "
                f"{', '.join(self._protocol.families)}.",
                f'Add [families.{comparison.family}] with gate = "{gate}" to the protocol.',
            )
        if family.gate != gate:
            raise AuditkitError(
                f"the audit applies the gate {gate!r}, but the protocol declares {family.gate!r} for the family "
                f"{comparison.family!r}."
            )
        judged = self._judged(comparison)
        cells = [self._cell(draft, p) for draft, p in judged if draft.modality != ALL or draft.required]
        return self._assemble(comparison, family, question, cells)

    def adverse(self, comparison: Comparison) -> list[tuple[int, Condition]]:
        """Return the images (index) and conditions that speak most against the model, over all modalities."""
        drafts = [draft for draft, _ in self._judged(comparison) if draft.modality != ALL]
        return [case for draft in drafts if not draft.met for case in draft.adverse]

    def _judged(self, comparison: Comparison) -> list[tuple[Draft, float]]:
        return self._family(comparison.family)[comparison.name]

    def _family(self, name: str) -> dict[str, list[tuple[Draft, float]]]:
        """Judge all planned members of a family together and correct them together, once."""
        if name not in self._families:
            family = self._protocol.families[name]
            members = [c for c in self._planned if c.family == name]
            drafts = GATES[family.gate](family, members, self.data, self._protocol)
            flat = [(member, draft) for member, some in drafts.items() for draft in some]
            required = [draft for _, draft in flat if draft.required]
            adjusted = holm([d.p_fail for d in required], self._size(name, len(members))).tolist() if required else []
            by_draft = {id(d): p for d, p in zip(required, adjusted, strict=True)}
            self._families[name] = {
                member: [(draft, by_draft.get(id(draft), 1.0)) for draft in some] for member, some in drafts.items()
            }
        return self._families[name]

    def _size(self, name: str, run: int) -> int:
        """Return the number of decisions declared: comparisons x modalities of the data (x required severities)."""
        family = self._protocol.families[name]
        if family.size is not None:
            members = family.size
        elif name in SHIPPED:
            members = len(SHIPPED[name]())
        else:
            raise AuditkitError(
                f"family {name!r} is not one that auditkit ships, so its size must be declared: multiplicity is "
                "corrected for what was declared, not for what was collected.",
                f"Add size = {run} (the number of comparisons) to [families.{name}] in the protocol.",
            )
        per_member = len(self.data.modalities)
        if isinstance(family, EquivalenceFamily) and family.modality_margin is not None:
            per_member += 1  # all patients together
        if isinstance(family, DiscriminationFamily):
            per_member *= len(family.severities)
        elif family.gate == "not_raised":
            per_member *= 5  # one decision per severity
        return max(members, run) * max(per_member, 1)

    def _cell(self, draft: Draft, p_holm: float) -> Cell:
        verdict = self._verdict(draft, p_holm)
        return Cell(
            modality=draft.modality,
            condition=draft.condition,
            required=draft.required,
            verdict=verdict,
            sentence=cell_sentence(draft, verdict, p_holm, self._protocol.alpha),
            estimate=draft.estimate,
            margin_low=draft.margin_low,
            margin_high=draft.margin_high,
            p_pass=draft.p_pass,
            p_fail=draft.p_fail,
            p_fail_holm=p_holm if draft.required else None,
            n_images=draft.n_images,
            n_clusters=draft.n_clusters,
            outcomes=draft.outcomes,
            control_outcomes=draft.control_outcomes,
            tail=draft.tail,
            worst_case=draft.worst_case,
            mde=draft.mde,
            more_clusters=draft.more_clusters if verdict == "INCONCLUSIVE" else None,
            rule=draft.rule,
        )

    def _verdict(self, draft: Draft, p_holm: float) -> Verdict:
        if draft.outcomes.error or draft.control_outcomes.error:
            return "ERROR"
        if draft.met:
            return "PASS"
        # What is only shown is not corrected with its family: it never fails, it is merely not met.
        if draft.required and p_holm <= self._protocol.alpha:
            return "FAIL"
        return "INCONCLUSIVE"

    def _assemble(self, comparison: Comparison, family: Family, question: str, cells: list[Cell]) -> Audit:
        required = [cell for cell in cells if cell.required]
        single = [cell for cell in required if cell.modality != ALL]
        verdict = overall(cell.verdict for cell in required)
        template = self._protocol.resolve_template(comparison.template)
        treated, control = _sides(comparison)
        margin = next((getattr(family, k) for k in ("margin", "floor", "cap") if hasattr(family, k)), None)
        series = series_points(comparison, self.data, self._protocol) if isinstance(comparison, Series) else []
        return Audit(
            id=f"{comparison.family}/{comparison.name}",
            question=question,
            family=comparison.family,
            gate=family.gate,
            title=_title(comparison),
            hazard=_hazard(comparison, family.hazard),
            treated=treated,
            control=control,
            template=template,
            verdict=verdict,
            sentence=audit_sentence(required, verdict),
            estimate=self._pooled(comparison, family),
            margin=margin,
            p_pass=max((c.p_pass for c in required if c.p_pass is not None), default=None),
            p_fail=min((c.p_fail_holm for c in required if c.p_fail_holm is not None), default=None),
            n_images=sum(_largest(single, "n_images").values()),
            n_clusters=sum(_largest(single, "n_clusters").values()),
            outcomes=_total(cell.outcomes for cell in single),
            mde=max((c.mde for c in required if c.mde is not None), default=None),
            rule="every modality must pass; a FAIL needs Holm's correction over the declared family",
            by_modality=cells,
            series=series if family.gate in ("sensitivity", "discrimination", "not_raised") else [],
        )

    def _pooled(self, comparison: Comparison, family: Family) -> Estimate:
        """Estimate over all modalities, for display; of several severities, the one furthest from a pass."""
        drafts = [d for d, _ in self._judged(comparison) if d.modality == ALL and d.estimate.value is not None]
        if isinstance(family, DiscriminationFamily):
            wanted = {f"severity {s}" for s in family.severities}
            drafts = [d for d in drafts if d.condition in wanted]
        if not drafts:
            return Estimate()
        return max(drafts, key=lambda d: (d.p_pass, d.condition)).estimate


def _largest(cells: Sequence[Cell], name: str) -> dict[str, int]:
    found: dict[str, int] = {}
    for cell in cells:
        found[cell.modality] = max(found.get(cell.modality, 0), getattr(cell, name))
    return found


def _total(outcomes: Any) -> Outcomes:
    total = Outcomes()
    for some in outcomes:
        total = total + some
    return total


def _sides(comparison: Comparison) -> tuple[str, str]:
    if isinstance(comparison, Contrast):
        return condition_label(comparison.treated), condition_label(comparison.control)
    if isinstance(comparison, Series):
        return f"{_title(comparison)}, severity 1 to {comparison.severities[-1]}", condition_label(comparison.control)
    if isinstance(comparison, Group):
        return "; ".join(condition_label(c) for c in comparison.conditions), ""
    return comparison.name, ""


def _title(comparison: Comparison) -> str:
    """Name what is changed in a few words (some 34 characters fit the figures)."""
    if isinstance(comparison, Series):
        return _corruption_label(comparison.corruption)
    if isinstance(comparison, Group):
        return comparison.name.replace("_", " ").replace(".", ", ").replace("-", ": ")
    if isinstance(comparison, Contrast):
        return _contrast_title(comparison)
    return comparison.name


def _contrast_title(contrast: Contrast) -> str:
    treated = contrast.treated
    level = prompts.levels().get(treated.context)
    if level is not None:
        other = prompts.levels().get(contrast.control.context)
        against = other.side if other is not None else "neutral"
        return f"{level.pair}: {level.side} vs {against}".replace("_", " ").capitalize()
    if treated.context in prompts.placebos():
        return f"{treated.context.partition('.')[0]}: neutral sentence".replace("_", " ").capitalize()
    if treated.corruption != CLEAN:
        return f"{_corruption_label(treated.corruption)}, severity {treated.severity}"
    return contrast.name.replace("-", " ").capitalize()


def _corruption_label(name: str) -> str:
    known = corruptions.catalogue().get(name)
    return known.label if known else name


def _hazard(comparison: Comparison, family_hazard: str) -> str:
    """Prefer the hazard written beside an attribute; else the family's."""
    if isinstance(comparison, Contrast):
        level = prompts.levels().get(comparison.treated.context)
        if level is not None:
            return level.hazard
    return family_hazard
