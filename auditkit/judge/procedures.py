"""The one table from what an effect is to how it is decided. Nothing else in the package asks what an effect is.

To add a statistic: one function, one row here, and its measured error rates in docs/validation.md before it may gate.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from auditkit.errors import AuditkitError
from auditkit.evidence import Point
from auditkit.judge.agreements import judge_agreements
from auditkit.judge.area_worsening import judge_area_worsening
from auditkit.judge.areas import judge_areas
from auditkit.judge.association import judge_following
from auditkit.judge.calibration import calibration_points, judge_calibration
from auditkit.judge.decisions import WITHOUT_SUM, Decision, decisions, unit_of
from auditkit.judge.draft import Draft
from auditkit.judge.gaps import judge_gaps
from auditkit.judge.means import judge_means
from auditkit.judge.points import series_points
from auditkit.judge.probabilities import judge_probabilities
from auditkit.judge.ratios import SHORTFALL, judge_ratios
from auditkit.judge.referral import judge_referrals
from auditkit.judge.reliability import judge_reliability, reliability_points
from auditkit.judge.right import counted, named
from auditkit.judge.rules import Rules
from auditkit.judge.selective import judge_kept, risk_points
from auditkit.judge.separations import judge_separations
from auditkit.judge.tracking import check_moves, judge_tracking
from auditkit.judge.wording_shares import judge_wording_shares
from auditkit.judge.worsening import judge_mean_worsening
from auditkit.measure.columns import Measurements
from auditkit.measure.effects import of_role, per_item_range, roles
from auditkit.measure.excess import alike_needed
from auditkit.protocol.catalogue import Catalogue
from auditkit.protocol.model import VERBS, Family, Protocol, Verb
from auditkit.protocol.shipped import SHIPPED
from auditkit.tasks import is_of_probabilities
from auditkit.vocabulary import EARLIER, MODEL, Effect, Part

Kind = Literal["number", "share", "share difference", "gap", "gap of probabilities", "probabilities"]
Points = Callable[[Effect, Measurements, Protocol], list[Point]]
Procedure = Callable[[Sequence[Decision], Family, Measurements, Rules], list[tuple[str, Draft]]]


@dataclass(frozen=True, slots=True)
class Row:
    """How one kind of effect is decided.

    Attributes
    ----------
    called : str
        What an effect of this kind is, in words.
    alone : callable
        Within this run, whoever was asked.
    worsening : callable
        Against an earlier run.
    verbs : tuple of str
        The limits that it can be held to. Empty: it is only shown, because its error rates are not measured.
    tail : bool
        Whether a tail can be a second condition.
    points : callable
        Gives the data of its figure.
    """

    called: str
    alone: Procedure
    worsening: Procedure | None = None
    verbs: tuple[Verb, ...] = VERBS
    tail: bool = False
    points: Points = series_points


TABLE: dict[tuple[str, Kind], Row] = {
    ("mean", "number"): Row("a mean", judge_means, judge_mean_worsening, tail=True),
    ("mean", "share"): Row("a share", judge_means, judge_mean_worsening, ("at_most", "at_least")),
    ("mean", "share difference"): Row("a share difference", judge_means, judge_mean_worsening),
    ("mean", "gap"): Row("a gap between groups", judge_gaps, verbs=("within",)),
    ("mean", "gap of probabilities"): Row("a gap between groups in what probabilities give", judge_gaps, verbs=()),
    ("differs", "number"): Row(
        "a share of answers that differ",
        judge_means,
        judge_mean_worsening,
        ("at_most", "at_least"),
        points=lambda *_: [],
    ),
    ("area", "number"): Row("an area under the ROC curve", judge_areas, judge_area_worsening, ("at_least",)),
    ("separation", "number"): Row(
        "an area under the ROC curve between classes", judge_separations, verbs=(), points=lambda *_: []
    ),
    ("mean", "probabilities"): Row("a mean of what probabilities give", judge_probabilities, verbs=()),
    ("calibration", "number"): Row(
        "an expected calibration error", judge_calibration, verbs=(), points=calibration_points
    ),
    ("follows", "number"): Row("a correlation within the item", judge_following, verbs=(), points=lambda *_: []),
    ("rank", "number"): Row("a rank correlation", judge_tracking, verbs=("at_least",), points=lambda *_: []),
    ("ratio", "number"): Row("a ratio of errors", judge_ratios, verbs=("at_most",), points=lambda *_: []),
    (SHORTFALL, "number"): Row("a ratio of errors", judge_ratios, verbs=("at_most",), points=lambda *_: []),
    ("agreement", "number"): Row(
        "an agreement of two ratings", judge_agreements, verbs=("at_least",), points=lambda *_: []
    ),
    ("wording", "number"): Row("a share of the variance", judge_wording_shares, verbs=(), points=lambda *_: []),
    ("kept", "number"): Row(
        "a share of right answers among the most confident",
        judge_kept,
        verbs=("at_least", "at_most"),
        points=lambda *_: [],
    ),
    ("risk", "number"): Row("an area under the curve of the risk", judge_kept, verbs=(), points=risk_points),
    ("reliability", "number"): Row(
        "an expected calibration error", judge_reliability, verbs=(), points=reliability_points
    ),
    ("covered", "number"): Row("a share covered", judge_referrals, verbs=("at_least",), points=lambda *_: []),
    ("referred", "number"): Row("a share referred", judge_referrals, verbs=(), points=lambda *_: []),
}


def row_of(effect: Effect, protocol: Protocol) -> Row:
    """Return how an effect is decided.

    Raises
    ------
    AuditkitError
        When there is no such statistic.
    """
    row = TABLE.get((effect.statistic, kind_of(effect, protocol)))
    if row is None and effect.between:
        raise AuditkitError(
            f"{effect.name}: levels are compared by their means, not by the statistic {effect.statistic!r}.",
            "Compare a mean, a share or a fall between levels.",
        )
    if row is None:
        known = ", ".join(sorted({statistic for statistic, _ in TABLE}))
        raise AuditkitError(
            f"{effect.name}: there is no statistic {effect.statistic!r}.",
            f"Use one of: {known}. Each needs its measured error rates before it may decide.",
        )
    return row


def kind_of(effect: Effect, protocol: Protocol) -> Kind:
    """Return what the values of an effect are, which with its statistic chooses its row."""
    if effect.between:
        of_probabilities = effect.statistic == "mean" and _kind(effect, protocol) == "probabilities"
        return "gap of probabilities" if of_probabilities else "gap"
    return _kind(effect, protocol) if effect.statistic == "mean" else "number"


def draft_all(effects: Sequence[Effect], family: Family, data: Measurements, rules: Rules) -> dict[str, list[Draft]]:
    """Return what each effect's procedure found, by name; effects of one kind are decided in one call."""
    resolved = [rules.protocol.resolved(effect) for effect in effects]
    groups: dict[Procedure, list[Effect]] = {}
    for effect in resolved:
        row = row_of(effect, rules.protocol)
        earlier = any(EARLIER in roles(part) for part in effect.parts)
        procedure = row.worsening if earlier else row.alone
        if procedure is None:
            raise AuditkitError(f"{effect.name} is {row.called}, which is not held against an earlier run.")
        groups.setdefault(procedure, []).append(effect)
    drafts: dict[str, list[Draft]] = {effect.name: [] for effect in effects}
    changes = {effect.name: is_change(effect) for effect in resolved}
    gaps = {effect.name for effect in resolved if effect.between}
    held = {effect.name: family.of(effect).verb for effect in resolved}
    for procedure, members in groups.items():
        chosen = decisions(members, data, rules)
        about = {(decision.name, decision.part.label): decision.about for decision in chosen}
        words = {
            (d.name, d.part.label): _said(d.part, changes[d.name], rules.protocol.catalogue)
            for d in chosen
            if d.effect.statistic == "mean" and not d.effect.between
        }
        for name, draft in procedure(chosen, family, data, rules):
            # A level that holds no item the effect is about is not decided: it could never pass.
            if draft.together or (data.where(draft.stratum) & about[name, draft.part]).any():
                draft.signed = changes[name] or (name in gaps and draft.together)
                draft.named, draft.counted = words.get((name, draft.part), (draft.named, draft.counted))
                drafts[name].append(draft if held[name] else _only_shown(draft))
    return drafts


def _said(part: Part, change: bool, catalogue: Catalogue) -> tuple[str, str]:
    """What is said before and after a number; of two versions of a model, what either of them has."""
    if EARLIER in roles(part):
        part = of_role(part, MODEL)
        change = any(weight < 0 for weight, _ in part.terms)
    return named(part, change=change, catalogue=catalogue), counted(part, change=change)


def _only_shown(draft: Draft) -> Draft:
    """What is held to no limit meets none and misses none."""
    draft.met, draft.p_pass, draft.p_fail, draft.margin_low, draft.margin_high = False, 1.0, 1.0, None, None
    draft.obstacle, draft.settle = "", None
    return draft


def is_change(effect: Effect) -> bool:
    """Whether the estimate is a difference, written with its sign: a level, a share and a fall per step are amounts."""
    if effect.statistic in ("mean", "differs", "area") and any(len(roles(part)) > 1 for part in effect.parts):
        return True
    if effect.statistic == "kept":  # what is taken off has its confidence with a negative weight
        return any(w < 0 for part in effect.parts for w, _ in part.terms)
    return effect.statistic == "mean" and not effect.per and any(w < 0 for part in effect.parts for w, _ in part.terms)


def check_limits(effects: Sequence[Effect], protocol: Protocol) -> None:
    """Refuse limits that an effect cannot be held to, before the first question.

    Raises
    ------
    AuditkitError
        Naming family and effect, the limit seen and what is allowed.
    """
    _check_declared(effects, protocol)
    for effect in effects:
        _check_parts(effect, protocol)
        family = protocol.family_of(effect)
        if family is None:
            continue  # the audit itself says what to add
        row, where = row_of(effect, protocol), f"families.{effect.family}"
        if family.verb is None:
            continue  # what is only shown has no limit to check
        if not row.verbs:
            raise AuditkitError(
                f"{where} is held to {family.verb}, and {effect.name} is {row.called}, whose error rates "
                "as a gate are not measured.",
                f"Give shown = true instead of {family.verb}.",
            )
        if family.verb not in row.verbs:
            raise AuditkitError(
                f"{where} is held to {family.verb}, and {effect.name} is {row.called}.",
                f"Give {' or '.join(row.verbs)} instead.",
            )
        if family.tail is not None and not row.tail:
            raise AuditkitError(
                f"{where}.tail counts answers whose number jumps, and {effect.name} is {row.called}.",
                "Leave tail out.",
            )
        if family.tail is not None and any(len(roles(part)) > 1 for part in effect.parts):
            raise AuditkitError(
                f"{where}.tail counts answers that jump beyond the noise of one model, and {effect.name} compares two.",
                "Leave tail out.",
            )
        if family.tail is not None and any(len(part.alike) < alike_needed(part) for part in effect.parts):
            needed = max(map(alike_needed, effect.parts))
            raise AuditkitError(
                f"{where}.tail counts answers that jump beyond the model's own noise, and nothing tells the noise of "
                f"{effect.name}.",
                f"Give the effect {needed} or more perturbations that mean the same, as in change(..., alike=[...]), "
                "or leave tail out.",
            )
        if effect.between:
            _check_gap(effect, family, where)
        check_moves(effect, family, where)
        _check_size(effect, family, protocol, where)
        labels = [part.label for part in effect.parts]
        unknown = [label for label in family.required if label not in labels]
        if family.required and len(unknown) == len(family.required):
            raise AuditkitError(
                f"{where} requires {', '.join(family.required)}, and {effect.name} has none of these parts: "
                f"{', '.join(map(repr, labels))}.",
                "Name parts that it has, or leave required out.",
            )


def _check_gap(effect: Effect, family: Family, where: str) -> None:
    """Refuse what a gap between groups cannot be held to."""
    if family.in_each is not None:
        raise AuditkitError(
            f"{where}.in_each is a limit for each level of {family.by}, and {effect.name} holds every two levels of "
            f"{effect.between} to one.",
            f'Leave in_each out; for gaps within a level write effect.where("{family.by}", LEVEL), or compare the '
            f'levels of both columns: between("{effect.between}*{family.by}", ...).',
        )
    if any(part.balanced or part.provided is not None for part in effect.parts):
        raise AuditkitError(
            f"{where} is held to {family.verb}, and {effect.name} compares what counts classes equally, or asks for a "
            "floor first, whose error rates between groups are not measured.",
            'Compare the plain share of right answers: mean(TASK, "correct"), or recall of one class.',
        )


def _check_declared(effects: Sequence[Effect], protocol: Protocol) -> None:
    """Refuse more decisions than were declared: what is collected must not change how a FAIL is corrected."""
    for name in dict.fromkeys(effect.family for effect in effects):
        family = protocol.families.get(name)
        if family is None or family.shown:
            continue
        shipped = SHIPPED[name]() if name in SHIPPED else []
        gaps = [effect.name for effect in effects if effect.family == name and effect.between]
        others = [effect.name for effect in effects if effect.family == name and not effect.between]
        if gaps and others:
            raise AuditkitError(
                f"family {name!r} holds gaps between groups ({gaps[0]}) and other effects ({others[0]}) to one limit, "
                "and the two are corrected for other numbers of decisions.",
                "Give the gaps a family of their own.",
            )
        members = {effect.name: effect for effect in (*shipped, *(e for e in effects if e.family == name))}
        if gaps and family.required and not set(family.required) & members.keys():
            raise AuditkitError(
                f"families.{name} requires {', '.join(family.required)}, which no gap is called: {', '.join(members)}.",
                "Name gaps that there are, or leave required out.",
            )
        total, known = (_decisions(family, some) for some in (members.values(), shipped))
        if total > max(family.size or 0, known):
            raise undeclared_size(name, family, total)


def _decisions(family: Family, effects: Iterable[Effect]) -> int:
    return sum(family.of(effect).requires(part.label) for effect in effects for part in effect.parts)


def undeclared_size(name: str, family: Family, total: int) -> AuditkitError:
    """Return what is wrong with a family that does not say how many decisions it takes."""
    if family.size is not None:
        problem = f"family {name!r} declares size = {family.size}, and its effects take {total} decisions"
    elif name in SHIPPED:
        problem = f"family {name!r} has effects that auditkit does not ship, so its size must be declared"
    else:
        problem = f"family {name!r} is not one that auditkit ships, so its size must be declared"
    return AuditkitError(
        f"{problem}: multiplicity is corrected for what was declared, not for what was collected.",
        f"Write size = {total} (the number of decisions: the parts of all its effects) under [families.{name}] in the "
        "protocol.",
    )


def against(effect: Effect, role: str, family: Family) -> Effect:
    """Return an effect as the difference to another's answers: of the parts that the family requires."""
    parts = []
    for part in effect.parts:
        if family.requires(part.label):
            theirs = tuple((-w, replace(v, question=replace(v.question, role=role))) for w, v in part.terms)
            parts.append(replace(part, terms=(*part.terms, *theirs)))
    return replace(effect, parts=tuple(parts))


def _check_parts(effect: Effect, protocol: Protocol) -> None:
    """Refuse parts that cannot be told apart, and sums of values in several units."""
    labels = [part.label for part in effect.parts]
    if len(set(labels)) < len(labels):
        raise AuditkitError(f"{effect.family}/{effect.name} has two parts with one label: {', '.join(labels)}.")
    if effect.statistic == "agreement":
        _check_ratings(effect, protocol)
    if effect.statistic == "wording":
        _check_one_range(effect, protocol)
    if effect.statistic in WITHOUT_SUM:
        return
    units = {protocol.catalogue.quantity(v).unit for part in protocol.resolved(effect).parts for _, v in part.terms}
    if len(units) > 1:
        raise AuditkitError(
            f"{effect.family}/{effect.name} adds {' and '.join(sorted(units))} up.", "Compare values of one unit."
        )


def _check_ratings(effect: Effect, protocol: Protocol) -> None:
    """Refuse agreements of anything but two ratings on one scale."""
    for ends in _ranges(effect, protocol):
        if len(ends) != 2 or len(set(ends)) > 1:
            raise AuditkitError(
                f"{effect.family}/{effect.name} takes the agreement of ratings on {', '.join(ends)}.",
                "Give two ratings on the same scale.",
            )


def _check_one_range(effect: Effect, protocol: Protocol) -> None:
    """Refuse to share the variance out among values that cannot stand in one table."""
    for ends in _ranges(effect, protocol):
        if len(ends) < 2 or len(set(ends)) > 1:
            raise AuditkitError(
                f"{effect.family}/{effect.name} shares out what values in the ranges {', '.join(ends)} vary by.",
                "Give two or more values of one range, such as points.",
            )


def _ranges(effect: Effect, protocol: Protocol) -> Iterator[list[str]]:
    """Yield the range of every term in words, part by part."""
    for part in protocol.resolved(effect).parts:
        quantities = [protocol.catalogue.quantity(value) for _, value in part.terms]
        yield [f"{quantity.low:g} to {quantity.high:g}" for quantity in quantities]


def _check_size(effect: Effect, family: Family, protocol: Protocol, where: str) -> None:
    """Refuse a limit outside the range of what it limits: above all per cent given for a share."""
    unit = unit_of(protocol.resolved(effect), Rules(protocol))
    least, most = 0.0, 1.0
    if unit == "ratio":
        most = math.inf
    elif effect.statistic == "mean":
        ends = [per_item_range(part, protocol) for part in effect.parts]
        least, most = min(low for low, _ in ends), max(max(abs(low), abs(high)) for low, high in ends)
    limits = {family.verb: family.limit, "in_each": family.in_each}
    if family.tail is not None:
        limits["tail.beyond"] = family.tail.beyond
    for key, limit in limits.items():
        if limit is not None and not max(least, 0.0) < limit < most:
            gap = "Name the gaps that it is for: required = [...]; the others are shown." if effect.between else ""
            hint = f"Write {limit:g} % as {limit / 100:g}." if unit in ("share", "AUROC") and 1 < limit < 100 else ""
            raise AuditkitError(
                f"{where}.{key} = {limit:g} cannot be reached by {effect.name}, whose {unit} lie between "
                f"{-most if family.verb == 'within' else max(least, 0.0):g} and {most:g}.",
                gap or hint or f"Give a limit between {max(least, 0.0):g} and {most:g}.",
            )


def _kind(effect: Effect, protocol: Protocol) -> Kind:
    """What the values of a mean are: 0 or 1, a difference of two such, or anything else."""
    kinds = {_kind_of(protocol.resolved(effect).parts[i], protocol) for i in range(len(effect.parts))}
    if "probabilities" in kinds:
        return "probabilities"
    return kinds.pop() if len(kinds) == 1 else "number"


def _kind_of(part: Part, protocol: Protocol) -> Kind:
    # Against an earlier run, what either version is judged by.
    terms = of_role(part, MODEL).terms if EARLIER in roles(part) else part.terms
    if any(is_of_probabilities(value.name) for _, value in terms):
        return "probabilities"
    if not all(protocol.catalogue.quantity(value).binary for _, value in terms):
        return "number"
    weights = sorted(weight for weight, _ in terms)
    if weights == [1.0]:
        return "share"
    return "share difference" if weights == [-1.0, 1.0] else "number"
