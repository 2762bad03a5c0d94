"""The judge: gates give drafts, Holm confirms or withholds a FAIL within the declared family, words are added."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from auditkit.errors import AuditkitError
from auditkit.evidence import Audit, Cell, Estimate, Outcomes, Point, Verdict, overall
from auditkit.judge.discrimination import judge_discrimination
from auditkit.judge.draft import Adverse, Draft
from auditkit.judge.looks import ONLY, Look
from auditkit.judge.means import (
    judge_equivalence,
    judge_monotone,
    judge_not_raised,
    judge_sensitivity,
    judge_templates,
)
from auditkit.judge.rates import judge_agreement, judge_rate, judge_rate_difference
from auditkit.judge.rules import Rules
from auditkit.judge.sentences import audit_sentence, cell_sentence
from auditkit.judge.series import series_points
from auditkit.judge.titles import hazard, sides, title
from auditkit.judge.wording import patients
from auditkit.measure.columns import ALL, Measurements
from auditkit.protocol.model import DiscriminationFamily, EquivalenceFamily, Family, Protocol
from auditkit.protocol.shipped import SHIPPED
from auditkit.stats.multiplicity import holm
from auditkit.stats.sequential import sequential_p
from auditkit.vocabulary import Comparison, Series, Wordings

GATES: dict[str, Callable[..., dict[str, list[Draft]]]] = {
    "equivalence": judge_equivalence,
    "template_equivalence": judge_templates,
    "not_raised": judge_not_raised,
    "monotone": judge_monotone,
    "sensitivity": judge_sensitivity,
    "discrimination": judge_discrimination,
    "rate": judge_rate,
    "rate_difference": judge_rate_difference,
    "agreement": judge_agreement,
}


@dataclass(frozen=True, slots=True)
class Decided:
    """One cell with what earlier looks found.

    Attributes
    ----------
    draft : Draft
        Of the look that decided, else of the last one made; its p-values are adjusted for the looks.
    look : int
        That look.
    seen : tuple of (float, float)
        p_pass and p_fail of every look that counted, as they were.
    p_holm : float
        p_fail after Holm within the declared family.
    verdict : str
        Of the cell.
    """

    draft: Draft
    look: int
    seen: tuple[tuple[float, float], ...] = ()
    p_holm: float = 1.0
    verdict: Verdict = "INCONCLUSIVE"

    @property
    def settled(self) -> bool:
        return self.verdict in ("PASS", "FAIL")


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
    look : Look
        Which look this is; by default the only one.
    before : Judge, optional
        The judge of the look before: what it settled stays as it was.
    """

    def __init__(
        self,
        protocol: Protocol,
        data: Measurements,
        planned: Sequence[Comparison],
        look: Look = ONLY,
        before: Judge | None = None,
    ) -> None:
        self._protocol = protocol
        self._rules = Rules(protocol, look.levels(protocol))
        self._look = look
        self._before = before
        self.data = data
        self._planned = planned
        self._families: dict[str, dict[str, list[Decided]]] = {}

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
        shown = [decided for decided in judged if decided.draft.modality != ALL or decided.draft.required]
        size = self._size(comparison.family, [c for c in self._planned if c.family == comparison.family])
        cells = [self._cell(decided, size) for decided in shown]
        return self._assemble(comparison, family, question, cells)

    def adverse(self, comparison: Comparison) -> list[Adverse]:
        """Return the answers that speak most against the model, over all modalities."""
        drafts = [decided.draft for decided in self._judged(comparison) if decided.draft.modality != ALL]
        return [case for draft in drafts if not draft.met for case in draft.adverse]

    def open(self) -> tuple[Comparison, ...]:
        """Return the comparisons whose audits are not settled yet: neither failed nor passed in every cell.

        A comparison that cannot be judged at all (its audit will say why) is not among them.
        """
        return tuple(c for c in self._planned if not self._is_settled(c))

    def _is_settled(self, comparison: Comparison) -> bool:
        try:
            verdicts = {d.verdict for d in self._judged(comparison) if d.draft.required}
        except (AuditkitError, KeyError):
            return True
        complete = not self._look.modalities_to_come(self.data.modalities)
        return "FAIL" in verdicts or (complete and verdicts == {"PASS"})

    def _judged(self, comparison: Comparison) -> list[Decided]:
        return self._family(comparison.family)[comparison.name]

    def _family(self, name: str) -> dict[str, list[Decided]]:
        """Judge all planned members of a family together and correct them together, once."""
        if name not in self._families:
            family = self._protocol.families[name]
            members = [c for c in self._planned if c.family == name]
            before = self._before._family(name) if self._before is not None else {}
            still = [c for c in members if self._before is None or not self._before._is_settled(c)]
            drafts = self._drafts(family, still) if still else {}
            for draft in (d for some in drafts.values() for d in some if d.modality == ALL):
                draft.required = self._decides_together(family)
            fresh = {member: self._taken_up(some, before.get(member, [])) for member, some in drafts.items()}
            self._families[name] = self._corrected({**before, **fresh}, self._size(name, members))
        return self._families[name]

    def _drafts(self, family: Family, members: Sequence[Comparison]) -> dict[str, list[Draft]]:
        return GATES[family.gate](family, members, self.data, self._rules)

    def _taken_up(self, drafts: Sequence[Draft], before: Sequence[Decided]) -> list[Decided]:
        """Put this look's drafts after what earlier looks found; what is settled, or waits, stays as it was."""
        earlier = {(d.draft.modality, d.draft.condition): d for d in before}
        taken = []
        for draft in drafts:
            held = earlier.get((draft.modality, draft.condition))
            waits = draft.modality in self._look.waiting
            if held is not None and (held.settled or (waits and held.seen)):
                taken.append(held)
            elif waits:
                draft.met = False
                draft.obstacle = f"{patients(draft.n_clusters)} are too few to decide early"
                draft.p_pass = draft.p_fail = 1.0
                taken.append(Decided(draft, self._look.number))
            else:
                seen = (*(held.seen if held is not None else ()), (draft.p_pass, draft.p_fail))
                draft.p_pass, draft.p_fail = self._over_looks(seen, draft.modality)
                taken.append(Decided(draft, self._look.number, seen))
        return taken

    def _over_looks(self, seen: tuple[tuple[float, float], ...], modality: str) -> tuple[float, float]:
        """Return p_pass and p_fail adjusted for the looks made so far; at an only look they are what they are."""
        fractions = self._look.fractions.get(modality, (1.0,))
        if fractions == (1.0,):
            return seen[-1]
        missed = ((1.0, 1.0),) * (len(fractions) - len(seen))  # looks at which none of its images could be used
        adjusted = sequential_p(missed + seen, fractions, self._protocol.looks.spending, self._protocol.alpha)
        return float(adjusted[0]), float(adjusted[1])

    def _corrected(self, family: dict[str, list[Decided]], size: int) -> dict[str, list[Decided]]:
        """Give every cell its verdict; Holm over what is required of the family, as it was declared."""
        required = [d for some in family.values() for d in some if d.draft.required]
        adjusted = holm([d.draft.p_fail for d in required], size).tolist() if required else []
        p_holm = {id(d): p for d, p in zip(required, adjusted, strict=True)}
        return {
            member: [self._with_verdict(d, p_holm.get(id(d), 1.0)) for d in some] for member, some in family.items()
        }

    def _with_verdict(self, decided: Decided, p_holm: float) -> Decided:
        settled = decided.settled and decided.look < self._look.number
        verdict = decided.verdict if settled else self._verdict(decided.draft, p_holm)
        return replace(decided, p_holm=p_holm, verdict=verdict)

    def _decides_together(self, family: Family) -> bool:
        """Whether all patients together are a decision beside each modality's.

        If every modality keeps a limit of a mean or a share, so do all patients together: when they break it, the
        criterion is broken, and that shows with far fewer patients than in each modality alone. An area over all
        modalities compares images across them and is no such mean.
        """
        if isinstance(family, EquivalenceFamily) and family.modality_margin is not None:
            return True
        several = len(self.data.modalities) + len(self._look.modalities_to_come(self.data.modalities)) > 1
        return several and not isinstance(family, DiscriminationFamily)

    def _size(self, name: str, planned: Sequence[Comparison]) -> int:
        """Return the number of decisions declared: comparisons x modalities of the data x conditions decided."""
        family = self._protocol.families[name]
        if family.size is not None:
            members = max(family.size, len(planned)) * max(_conditions(family, c) for c in planned)
        elif name in SHIPPED:
            members = sum(decisions(family, c) for c in _united(SHIPPED[name](), planned))
        else:
            raise AuditkitError(
                f"family {name!r} is not one that auditkit ships, so its size must be declared: multiplicity is "
                "corrected for what was declared, not for what was collected.",
                f"Add size = {len(planned)} (the number of comparisons) to [families.{name}] in the protocol.",
            )
        to_come = self._look.modalities_to_come(self.data.modalities)
        per_member = len(self.data.modalities) + len(to_come) + self._decides_together(family)
        return members * max(per_member, 1)

    def _cell(self, decided: Decided, size: int) -> Cell:
        draft, p_holm, verdict = decided.draft, decided.p_holm, decided.verdict
        more = self._more_clusters(draft, size) if verdict == "INCONCLUSIVE" else None
        return Cell(
            modality=draft.modality,
            condition=draft.condition,
            required=draft.required,
            verdict=verdict,
            sentence=cell_sentence(draft, verdict, p_holm, self._protocol.alpha, more),
            estimate=draft.estimate,
            expected=draft.expected,
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
            sd=draft.sd,
            mde=draft.mde,
            look=decided.look,
            more_clusters=more or None,
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

    def _more_clusters(self, draft: Draft, size: int) -> int | None:
        """Return the patients missing to a likely verdict; a FAIL is planned at the level that Holm asks first."""
        total = draft.settle(self._protocol.alpha / size) if draft.settle is not None else None
        return None if total is None else max(total - draft.n_clusters, 0)

    def _assemble(self, comparison: Comparison, family: Family, question: str, cells: list[Cell]) -> Audit:
        required = [cell for cell in cells if cell.required]
        single = [cell for cell in required if cell.modality != ALL]
        verdict = overall(cell.verdict for cell in required)
        several = isinstance(comparison, Wordings)
        template = "" if several else self._protocol.resolve_template(comparison.template)
        treated, control = sides(comparison)
        pooled = self._pooled(comparison, family)
        margin = next((getattr(family, k) for k in ("margin", "tolerance", "floor", "cap") if hasattr(family, k)), None)
        return Audit(
            id=f"{comparison.family}/{comparison.name}",
            question=question,
            family=comparison.family,
            gate=family.gate,
            title=title(comparison),
            hazard=hazard(comparison, family.hazard),
            treated=treated,
            control=control,
            template=template,
            verdict=verdict,
            sentence=audit_sentence(required, verdict),
            estimate=pooled.estimate if pooled else Estimate(),
            expected=pooled.expected if pooled else None,
            margin=margin,
            p_pass=max((c.p_pass for c in required if c.p_pass is not None), default=None),
            p_fail=min((c.p_fail_holm for c in required if c.p_fail_holm is not None), default=None),
            n_images=sum(_largest(single, "n_images").values()),
            n_clusters=sum(_largest(single, "n_clusters").values()),
            outcomes=_total(cell.outcomes for cell in single),
            mde=max((c.mde for c in required if c.mde is not None), default=None),
            look=max((c.look for c in required if c.verdict == verdict), default=self._look.number),
            rule="every modality must pass; a FAIL needs Holm's correction over the declared family",
            by_modality=cells,
            series=self._series(comparison, family),
        )

    def _series(self, comparison: Comparison, family: Family) -> list[Point]:
        if not isinstance(comparison, Series) or family.gate not in (
            "sensitivity",
            "discrimination",
            "not_raised",
            "monotone",
        ):
            return []
        return series_points(comparison, self.data, self._protocol)

    def _pooled(self, comparison: Comparison, family: Family) -> Draft | None:
        """What was found over all modalities, for display; of several severities, the one furthest from a pass."""
        drafts = [d.draft for d in self._judged(comparison)]
        drafts = [d for d in drafts if d.modality == ALL and d.estimate.value is not None]
        if isinstance(family, DiscriminationFamily):
            wanted = {f"severity {s}" for s in family.severities}
            drafts = [d for d in drafts if d.condition in wanted]
        return max(drafts, key=lambda d: (d.p_pass, d.condition), default=None)


def decisions(family: Family, comparison: Comparison) -> int:
    """Return how many decisions a comparison takes in each modality."""
    if isinstance(family, DiscriminationFamily):
        return len(family.severities)
    if isinstance(comparison, Wordings):
        return math.comb(len(comparison.templates), 2)
    if family.gate in ("not_raised", "monotone") and isinstance(comparison, Series):
        return len(comparison.severities)
    return 1


def _conditions(family: Family, comparison: Comparison) -> int:
    """As `decisions`; of one's own family a series may be judged severity by severity by a gate made for contrasts."""
    several = family.gate == "equivalence" and isinstance(comparison, Series)
    return len(comparison.severities) if several else decisions(family, comparison)  # type: ignore[attr-defined]


def _united(shipped: Sequence[Comparison], planned: Sequence[Comparison]) -> list[Comparison]:
    """The declared members of a shipped family and what users added to it."""
    return list({c.name: c for c in (*planned, *shipped)}.values())


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
