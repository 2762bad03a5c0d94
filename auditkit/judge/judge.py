"""The judge: procedures give drafts, Holm confirms or withholds a FAIL within the declared family, words are added."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from types import MappingProxyType

from auditkit.errors import AuditkitError
from auditkit.evidence import Audit, Cell, Estimate, Outcomes, Point, Stratum, Verdict, overall
from auditkit.judge.apart import held_apart
from auditkit.judge.decided import Decided, taken_up
from auditkit.judge.decisions import unit_of
from auditkit.judge.draft import Draft, WorstCase
from auditkit.judge.levels import draw_together
from auditkit.judge.looks import ONLY, Look
from auditkit.judge.points import Ladder, ladder_points, series_points
from auditkit.judge.procedures import draft_all, is_change, row_of, undeclared_size
from auditkit.judge.rules import Rules
from auditkit.judge.sentences import audit_sentence, cell_sentence
from auditkit.judge.titles import Titles
from auditkit.judge.unidentified import mark
from auditkit.measure.columns import ALL, Measurements
from auditkit.measure.recorded import define
from auditkit.protocol.model import Family, Protocol, Verb
from auditkit.protocol.shipped import SHIPPED
from auditkit.stats.multiplicity import holm
from auditkit.vocabulary import Effect, Question

NOBODY: Mapping[str, str] = MappingProxyType({})


class Judge:
    """Gives the verdict of every effect of a run.

    Parameters
    ----------
    protocol : Protocol
        The criteria.
    data : Measurements
        The answers.
    planned : sequence of Effect
        The effects that were planned. Families are corrected for their declared size, so running fewer never turns a
        result into a FAIL.
    look : Look
        Which look this is; by default the only one.
    before : Judge, optional
        The judge of the look before: what it settled stays as it was.
    names : mapping of str to str
        What the models are called, by role.
    """

    def __init__(
        self,
        protocol: Protocol,
        data: Measurements,
        planned: Sequence[Effect],
        look: Look = ONLY,
        before: Judge | None = None,
        names: Mapping[str, str] = NOBODY,
    ) -> None:
        self._protocol = protocol
        self._rules = Rules(protocol, look.levels(protocol))
        self._titles = Titles(protocol.catalogue, names)
        self._look = look
        self._before = before
        self.data = data
        self._planned = planned
        self._families: dict[str, dict[str, list[Decided]]] = {}
        self._sizes: dict[str, int] = {}
        self._drawn: dict[Ladder | Effect | None, list[Point]] = {}

    def audit(self, effect: Effect, question: str, verb: Verb | None = None) -> Audit:
        """Return the record of one audit.

        Parameters
        ----------
        effect : Effect
            What is judged.
        question : str
            The audit's docstring.
        verb : {"within", "at_most", "at_least"}, optional
            The limit that the audit's author named; by default whatever the protocol declares.

        Raises
        ------
        AuditkitError
            When the family is not declared in the protocol, or declares another limit.
        """
        family = self._declared(effect, verb)
        judged = self._judged(effect)
        # All items together are shown where they decide, or where there is nothing else.
        nothing_else = bool(effect.between) or all(d.draft.together for d in judged)
        whole = family.shown and (nothing_else or self._decides_together(family, effect))
        shown = [d for d in judged if not d.draft.together or d.draft.required or whole]
        size = self._size(effect.family)
        levels = _levels(effect)
        inside = not all(map(self._protocol.catalogue.asks, effect.questions()))
        cells = [
            self._cell(decided, size, inside=inside).model_copy(update={"level": levels[decided.draft.part]})
            for decided in shown
        ]
        return self._assemble(effect, family, question, cells)

    def worst_cases(self, effect: Effect) -> list[WorstCase]:
        """Return the answers that speak most against the model, over all strata."""
        every = [decided.draft for decided in self._judged(effect)]
        drafts = [draft for draft in every if draft.together == bool(effect.between)]
        return [case for draft in drafts if not draft.met for case in draft.worst_cases]

    def undecided(self) -> tuple[Effect, ...]:
        """Return the effects whose audits are not settled yet: neither failed nor passed in every cell.

        An effect that cannot be judged at all (its audit will say why) is not among them.
        """
        open_ = {effect for effect in self._planned if not self._shows(effect) and not self._is_settled(effect)}
        # What is only shown holds nothing up, and takes what the audits that decide ask. Questions of its own go on
        # being asked while anything is to be decided.
        return tuple(e for e in self._planned if e in open_ or (open_ and self._asks_more(e)))

    @property
    def n_settled(self) -> int:
        """Number of audits that are settled; those that are only shown never are."""
        return sum(not self._shows(effect) and self._is_settled(effect) for effect in self._planned)

    def _asks_more(self, effect: Effect) -> bool:
        """Whether an effect that is only shown has questions that no audit that decides has."""
        return self._shows(effect) and bool(self._questions(effect) - self._deciding_questions)

    @cached_property
    def _deciding_questions(self) -> set[Question]:
        return {q for effect in self._planned if not self._shows(effect) for q in self._questions(effect)}

    def _questions(self, effect: Effect) -> set[Question]:
        """What an effect asks of the model; what it only compares inside is fetched once, after the last look."""
        asks = self._protocol.catalogue.asks
        return {self._protocol.resolve(question) for question in effect.questions() if asks(question)}

    def _shows(self, effect: Effect) -> bool:
        family = self._protocol.family_of(effect)
        return family is not None and family.shown

    def _declared(self, effect: Effect, verb: Verb | None) -> Family:
        family = self._protocol.families.get(effect.family)
        if family is None:
            declared = ", ".join(self._protocol.families)
            limit = f"{verb or 'within'} = ..."
            raise AuditkitError(
                f"family {effect.family!r} of {effect.name} is not declared in the protocol; declared: {declared}.",
                f"Add [families.{effect.family or 'NAME'}] with {limit} to the protocol"
                + ("." if effect.family else ", and name it: family=NAME."),
            )
        if verb is not None and family.verb is not None and family.verb != verb:
            raise AuditkitError(
                f"the audit holds {effect.name} to {verb}, but the protocol declares {family.verb} for the family "
                f"{effect.family!r}.",
                f"Write audit.{family.verb}(...) in the audit, or {verb} = ... in the protocol.",
            )
        return family.of(effect)

    def _is_settled(self, effect: Effect) -> bool:
        try:
            verdicts = {d.verdict for d in self._judged(effect) if d.draft.required}
        except (AuditkitError, KeyError):
            return True
        complete = not self._to_come(self._protocol.families[effect.family])
        return "FAIL" in verdicts or (complete and verdicts == {"PASS"})

    def _judged(self, effect: Effect) -> list[Decided]:
        return self._family(effect.family)[effect.name]

    def _to_come(self, family: Family) -> frozenset[str]:
        """The levels of which no item has been seen yet."""
        return self._look.to_come(family.by, self.data.levels(family.by))

    def _family(self, name: str) -> dict[str, list[Decided]]:
        """Judge all planned members of a family together and correct them together, once."""
        if name not in self._families:
            family = self._protocol.families[name]
            members = [e for e in self._planned if e.family == name]
            before = self._before._family(name) if self._before is not None else {}
            still = [e for e in members if self._before is None or not self._before._is_settled(e)]
            drafts = self._drafts(family, still) if still else {}
            for effect in still:
                together = self._decides_together(family, effect)
                draw_together(drafts[effect.name])
                for draft in drafts[effect.name]:
                    draft.required = draft.required and (together or not draft.together)
                    mark(draft, self.data, self._protocol)
            looks = {effect.name: self._look_of(effect, drafts[effect.name]) for effect in still}
            fresh = {
                member: taken_up(some, before.get(member, []), looks[member], self._protocol)
                for member, some in drafts.items()
            }
            self._families[name] = self._corrected({**before, **fresh}, self._size(name))
        return self._families[name]

    def _look_of(self, effect: Effect, drafts: Sequence[Draft]) -> Look:
        """The look as it is for an effect: gaps between groups, whose sizes are an accident, wait for the last one."""
        if not effect.between or self._look.last:
            return self._look
        return replace(self._look, waiting=self._look.waiting | {draft.stratum for draft in drafts})

    def _drafts(self, family: Family, members: Sequence[Effect]) -> dict[str, list[Draft]]:
        return draft_all(members, family, self.data, self._rules)

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

    def _decides_together(self, family: Family, effect: Effect) -> bool:
        """Whether all patients together are a decision beside each level's.

        If every level keeps a limit of a mean or a share, so do all patients together: when they break it, the
        criterion is broken, and that shows with far fewer patients than in each level alone. An area or an agreement
        over all levels compares items across them and is no such mean; nor is a correlation.
        """
        if effect.between:
            return True
        return effect.statistic not in ("area", "separation", "agreement", "rank") and self._has_together(family)

    def _has_together(self, family: Family) -> bool:
        return family.in_each is not None or len(self.data.levels(family.by)) + len(self._to_come(family)) > 1

    def _size(self, name: str) -> int:
        """Return the number of decisions declared, never of those collected; counted once, as all effects are made."""
        if name not in self._sizes:
            self._sizes[name] = self._declared_size(name)
        return self._sizes[name]

    def _declared_size(self, name: str) -> int:
        """Required parts x levels of the data; of gaps between groups the parts: each corrects for its own pairs."""
        family = self._protocol.families[name]
        levels = len(self.data.levels(family.by)) + len(self._to_come(family))

        def required(effect: Effect) -> int:
            own = family.of(effect)
            return sum(own.requires(part.label) for part in effect.parts)

        if any(effect.between for effect in self._planned if effect.family == name):
            return max(sum(map(required, SHIPPED[name]())) if name in SHIPPED else 0, family.size or 0, 1)

        if name in SHIPPED:
            shipped = sum(required(e) * (levels + self._decides_together(family, e)) for e in SHIPPED[name]())
        elif family.size is None and not family.shown:
            planned = (effect for effect in self._planned if effect.family == name)
            raise undeclared_size(name, family, sum(map(required, planned)))
        else:
            shipped = 0
        declared = (family.size or 0) * (levels + self._has_together(family))
        return max(shipped, declared, 1)

    def _cell(self, decided: Decided, size: int, *, inside: bool = False) -> Cell:
        draft, p_holm, verdict = decided.draft, decided.p_holm, decided.verdict
        more = self._more_clusters(draft, size) if verdict == "INCONCLUSIVE" else None
        return Cell(
            stratum=Stratum(column=draft.stratum[0], level=draft.stratum[1]),
            part=draft.part,
            required=draft.required,
            verdict=verdict,
            sentence=cell_sentence(draft, verdict, p_holm, self._protocol.alpha, more, inside=inside),
            estimate=draft.estimate,
            reference=draft.reference,
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
            shrunken=draft.shrunken,
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

    def _assemble(self, effect: Effect, family: Family, question: str, cells: list[Cell]) -> Audit:
        required = [cell for cell in cells if cell.required]
        deciding = required if not family.shown else cells
        single = [cell for cell in deciding if cell.stratum.level != ALL] or deciding
        verdict = overall(cell.verdict for cell in deciding)
        treated, control = self._titles.sides(effect)
        pooled = self._pooled(effect, family)
        unit = unit_of(self._protocol.resolved(effect), self._rules)
        return Audit(
            id=f"{effect.family}/{effect.name}",
            question=question,
            family=effect.family,
            verb=family.verb or "",
            limit=_limit(family),
            statistic=effect.statistic,
            quantity=self._titles.quantity(effect),
            unit=unit,
            change=is_change(effect),
            shown=family.shown,
            title=self._titles.title(effect),
            hazard=self._titles.hazard(effect) or family.hazard,
            treated=treated,
            control=control,
            words=self._titles.words(effect),
            verdict=verdict,
            sentence=audit_sentence(
                deciding, verdict, shown=family.shown, gap=bool(effect.between), who=self._titles.who(effect)
            ),
            estimate=pooled.estimate if pooled else Estimate(unit=unit),
            expected=pooled.expected if pooled else None,
            p_pass=max((c.p_pass for c in required if c.p_pass is not None), default=None),
            p_fail=min((c.p_fail_holm for c in required if c.p_fail_holm is not None), default=None),
            n_images=sum(_largest(single, "n_images").values()),
            n_clusters=sum(_largest(single, "n_clusters").values()),
            outcomes=sum((cell.outcomes for cell in single), Outcomes()),
            mde=max((c.mde for c in required if c.mde is not None), default=None),
            look=max((c.look for c in required if c.verdict == verdict), default=self._look.number),
            rule=f"every {family.by} must pass; a FAIL needs Holm's correction over the declared family",
            definition=define(effect),
            parts=cells,
            series=self._series(effect),
            apart=held_apart(effect, family, self.data, self._protocol),
        )

    def _series(self, effect: Effect) -> list[Point]:
        points = row_of(effect, self._protocol).points
        # A corruption has an audit of its slope and one of its areas, over the same ladder.
        drawn = ladder_points(effect, self._protocol) if points is series_points else effect
        if drawn not in self._drawn:
            self._drawn[drawn] = points(effect, self.data, self._protocol)
        return self._drawn[drawn]

    def _pooled(self, effect: Effect, family: Family) -> Draft | None:
        """What was found over all items, for display; of several parts, the one furthest from a pass."""
        drafts = [d.draft for d in self._judged(effect) if family.shown or family.requires(d.draft.part)]
        drafts = [d for d in drafts if d.together and d.estimate.value is not None]
        if family.shown:  # held to nothing, so none is further from a pass: the first is what its author put first
            return drafts[0] if drafts else None
        # Rounded, so that the last bit of a p-value does not choose which part is displayed.
        return max(drafts, key=lambda d: (float(f"{d.p_pass:.9g}"), d.part), default=None)


def _levels(effect: Effect) -> dict[str, int]:
    """The level of the perturbation that each part is about, where the parts are steps of one; else 0."""
    if len(effect.parts) < 2:
        return {part.label: 0 for part in effect.parts}
    return {p.label: max((q.level for q in p.treated[-1].condition), default=0) for p in effect.parts}


def _limit(family: Family) -> dict[str, float]:
    limits = {str(family.verb): family.limit, "in_each": family.in_each, "moves": family.moves}
    return {key: value for key, value in limits.items() if value is not None}


def _largest(cells: Sequence[Cell], name: str) -> dict[str, int]:
    found: dict[str, int] = {}
    for cell in cells:
        found[cell.stratum.level] = max(found.get(cell.stratum.level, 0), getattr(cell, name))
    return found
