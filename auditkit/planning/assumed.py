"""Planning without data: how many patients if the model behaves as assumed."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, fields, replace

from auditkit.errors import AuditkitError
from auditkit.evidence import Evidence
from auditkit.judge.titles import Titles
from auditkit.measure.columns import ALL
from auditkit.planning.claims import (
    Claim,
    Levels,
    Limits,
    area_claim,
    check_power,
    difference_claims,
    levels,
    mean_claim,
    per_cent,
    share_claim,
    tail_claim,
)
from auditkit.planning.notes import notes
from auditkit.planning.result import EACH, SampleSize, Where, need_of
from auditkit.planning.subject import (
    Subject,
    counts_right,
    own_audits,
    recorded_subject,
    shipped_effects,
    spread_of,
    subject_of,
)
from auditkit.protocol.model import Family, Protocol, Tail
from auditkit.stats.planning import sd_of_patient_mean
from auditkit.stats.planning_areas import auroc_se
from auditkit.stats.planning_shares import jump_excess
from auditkit.vocabulary import Effect
from auditkit.words import and_listed

ASSUMED_SHARES = {"lost", "refused", "unusable"}
"""What the assumed share of the patients is of, beside changed answers."""


@dataclass(frozen=True, slots=True)
class Assumed:
    """What is taken for the truth when there is no pilot.

    Attributes
    ----------
    model_sd : float
        Standard deviation, over all images, of the change of one image's score (treated minus control), points.
    effect : float
        True mean change, points, for the audits that allow little of it; for those that ask for a floor above 0 it is
        twice the floor, at most half-way from there to the largest change.
    fall : float or None
        True fall of the score per severity step; None for twice the floor.
    area : float
        True AUROC of clean against corrupted images.
    share : float
        True share of patients with a refused, unusable or changed answer.
    images_per_patient : int
        The same for every patient.
    correlation : float
        Between two images of a patient, 0-1.
    """

    model_sd: float
    effect: float = 0.0
    fall: float | None = None
    area: float = 0.9
    share: float = 0.01
    images_per_patient: int = 1
    correlation: float = 0.3

    @property
    def patient_sd(self) -> float:
        """Standard deviation of the mean of a patient's images."""
        return sd_of_patient_mean(self.model_sd, self.images_per_patient, self.correlation)


@dataclass(frozen=True, slots=True)
class Group:
    """The effects of a family that claim the same.

    Attributes
    ----------
    family : str
        Its name.
    subject : Subject
        What they are.
    parts : int
        Decisions that each takes in every stratum.
    spread : float
        Standard deviation of one of them, in those of a change.
    effects : tuple of Effect
        Themselves.
    """

    family: str
    subject: Subject
    parts: int
    spread: float
    effects: tuple[Effect, ...]


def with_margin(protocol: Protocol, margin: float, pilot: Evidence | None = None) -> Protocol:
    """Return the protocol with another limit for every family of mean changes, in each modality by itself.

    Parameters
    ----------
    protocol : Protocol
        The criteria.
    margin : float
        Points, for families held within a limit or to at most one.
    pilot : Evidence, optional
        Tells what the families measure that auditkit does not ship.
    """
    if not 0 < margin <= 100:
        raise AuditkitError(f"a margin is in points, above 0 and at most 100; got {margin:g}.", "Give --margin=5.")
    audits = [] if pilot is None else own_audits(pilot)
    changes = {audit.family for audit in audits if recorded_subject(audit, protocol).in_points}
    families = dict(protocol.families)
    limited = [name for name, family in families.items() if not family.shown]
    changes |= {name for name in limited if any(_in_points(e, protocol) for e in shipped_effects(name))}
    for name in changes & families.keys():
        verb = families[name].verb
        if verb in ("within", "at_most"):
            families[name] = families[name].model_copy(update={verb: margin, "in_each": None})
    return protocol.model_copy(update={"families": families})


def plan_from_sd(
    protocol: Protocol,
    assumed: Assumed,
    *,
    effects: Sequence[Effect] | None = None,
    modalities: int = 1,
    power: float = 0.9,
) -> SampleSize:
    """Return the patients that the audits of a protocol take if the model behaves as assumed.

    Parameters
    ----------
    protocol : Protocol
        The criteria.
    assumed : Assumed
        What is taken for the truth.
    effects : sequence of Effect, optional
        What the audits measure; by default all that auditkit ships of the protocol's families.
    modalities : int
        Each is decided by itself.
    power : float
        Probability that an audit (or all of them) passes.

    Raises
    ------
    AuditkitError
        Values that are impossible, or with which no number of patients passes.
    """
    check_power(power)
    _check(assumed, modalities)
    if effects is None:
        effects = [effect for name in protocol.families for effect in shipped_effects(name)]
    groups = _grouped(effects, protocol)
    if not groups:
        raise AuditkitError(
            "nothing can be planned: what the audits of these families measure is not known before they have run "
            f"({', '.join(protocol.families)}).",
            "Run them on a few patients and plan from that: --pilot=reports/<model>/latest/evidence.json.",
        )
    found: list[tuple[Group, str, Claim]] = []
    in_audit: dict[int, int] = {}
    for group in groups:
        claims = _claims(group, assumed, protocol)
        found += [(group, where, claim) for where, claim in claims]
        in_audit[id(group)] = sum(1 if where == ALL else modalities for where, _ in claims) * group.parts
    in_all = sum(len(group.effects) * in_audit[id(group)] for group in groups)
    return SampleSize(
        protocol=protocol,
        power=power,
        strata={Where(EACH): modalities},
        audits=sum(len(group.effects) for group in groups),
        claims=in_all,
        needs=tuple(
            need_of(claim, (group.family, "", Where(where)), power, (in_audit[id(group)], in_all))
            for group, where, claim in found
        ),
        notes=(
            *_said(assumed),
            *notes(protocol, [(group.family, group.subject) for group in groups]),
            *_left_out(protocol, {group.family for group in groups}),
        ),
    )


def _grouped(effects: Iterable[Effect], protocol: Protocol) -> list[Group]:
    """Put effects of one family that claim the same together; those of which nothing can be assumed are left out."""
    found: dict[tuple[str, Subject, int, float], list[Effect]] = {}
    for effect in effects:
        family = protocol.family_of(effect)
        if family is None or family.shown or effect.between:
            continue
        subject = subject_of(effect, protocol)
        if not _can_be_assumed(effect, subject, protocol):
            continue
        required = sum(family.requires(part.label) for part in effect.parts)
        if required:
            found.setdefault((effect.family, subject, required, spread_of(effect)), []).append(effect)
    return [Group(*key, tuple(members)) for key, members in found.items()]


def _in_points(effect: Effect, protocol: Protocol) -> bool:
    return not effect.between and subject_of(effect, protocol).in_points


def _can_be_assumed(effect: Effect, subject: Subject, protocol: Protocol) -> bool:
    """Whether what is assumed says anything of an effect: of how many pictures are flagged, or right, it does not."""
    if counts_right(effect, protocol):
        return False
    if subject.kind == "share":
        return Titles(protocol.catalogue).quantity(effect) in ASSUMED_SHARES
    is_fall = subject.per and subject.unit == f"points per {effect.per}"
    return subject.kind != "mean" or subject.in_points or is_fall


def _claims(group: Group, assumed: Assumed, protocol: Protocol) -> list[tuple[str, Claim]]:
    """Return what one audit claims in each modality, and of all patients together."""
    family = protocol.families[group.family]
    level = levels(protocol, 1, tail=family.tail is not None)
    claims = [(EACH, claim) for claim in _at(group, family, family.ends(together=False), assumed, level, protocol)]
    if family.in_each is not None and group.subject.kind != "area":
        claims += [(ALL, claim) for claim in _at(group, family, family.ends(together=True), assumed, level, protocol)]
    if family.tail is not None:
        change = _change(assumed, family.ends(together=True), group.subject)
        claims.append((ALL, _tail(group, family.tail, replace(assumed, effect=change), level)))
    return claims


def _at(
    group: Group, family: Family, limits: Limits, assumed: Assumed, level: Levels, protocol: Protocol
) -> list[Claim]:
    """Return what one audit claims where it is held to these limits."""
    settings, subject, name = protocol.statistics, group.subject, group.family
    if subject.kind == "area":
        _must(assumed.area, limits, f"an AUROC of {assumed.area:g}", name, family, "auroc")
        estimate = assumed.area, auroc_se(assumed.area, 100), 100
        return [area_claim(estimate, limits[0], level)]
    if subject.kind == "share difference":
        _must(0.0, limits, "a share that does not change", name, family, "share")
        counted = _counted(group, protocol)
        return difference_claims((assumed.share, assumed.share), limits, level, settings, counted)
    if subject.kind in ("share", "differs"):
        _must(assumed.share, limits, f"a share of {assumed.share:g}", name, family, "share")
        return [share_claim(assumed.share, limits, level, f"{_counted(group, protocol)} answers")]
    sd = assumed.patient_sd * group.spread
    if subject.per:
        fall = assumed.fall
        if fall is None:
            fall = 2 * limits[0] if math.isfinite(limits[0]) else 0.0
        _must(fall, limits, f"a fall of {fall:g} points per step", name, family, "fall")
        return [mean_claim((fall, sd), limits, level, settings, subject)]
    change = _change(assumed, limits, subject)
    _must(change, limits, f"a true mean change of {change:g} points", name, family, "effect")
    return [mean_claim((change, sd), limits, level, settings, subject)]


def _change(assumed: Assumed, limits: Limits, subject: Subject) -> float:
    """Return the true mean change: where much of it is asked for, no change would never pass."""
    floor = limits[0]
    return min(2 * floor, (floor + subject.middle + subject.reach) / 2) if floor > 0 else assumed.effect


def _tail(group: Group, tail: Tail, assumed: Assumed, level: Levels) -> Claim:
    """Return what one audit claims of jumps, over all patients together."""
    mean, sd = jump_excess(assumed.model_sd * group.spread, assumed.effect, tail.beyond)
    sd = sd_of_patient_mean(sd, assumed.images_per_patient, assumed.correlation)
    claim = tail_claim((mean, sd), tail, group.subject.unit, level)
    return replace(claim, settles="PASS", patients=_never) if claim.settles == "FAIL" else claim


def _never(power: float) -> int | None:
    return None


def _counted(group: Group, protocol: Protocol) -> str:
    """Say which answers are counted."""
    if group.subject.kind == "differs":
        return "changed"
    titles = Titles(protocol.catalogue)
    return " or ".join(dict.fromkeys(titles.quantity(effect) for effect in group.effects))


def _must(value: float, limits: Limits, seen: str, name: str, family: Family, option: str) -> None:
    if not limits[0] < value < limits[1]:
        key = "in_each" if family.in_each is not None and limits == family.ends(together=False) else str(family.verb)
        raise AuditkitError(
            f"{seen} does not keep {key} = {getattr(family, key):g} in [families.{name}]: no number of patients "
            "passes.",
            f"Give another --{option}, or another protocol.",
        )


def _check(assumed: Assumed, modalities: int) -> None:
    for field in fields(assumed):
        value = getattr(assumed, field.name)
        if value is not None and not math.isfinite(value):
            raise AuditkitError(f"--{field.name.replace('_', '-')} must be a number, got {value}.")
    if not 0 < assumed.model_sd <= 100:
        raise AuditkitError(
            f"--model-sd is in points, above 0 and at most 100; got {assumed.model_sd:g}.",
            "For scores that never move give a small one, such as --model-sd=0.1.",
        )
    if not 0 <= assumed.share < 1:
        raise AuditkitError(f"--share lies between 0 and 1, got {assumed.share:g}.")
    if not 0.5 <= assumed.area < 1:
        raise AuditkitError(f"--auroc lies between 0.5 and 1, got {assumed.area:g}.")
    if assumed.images_per_patient < 1:
        raise AuditkitError(f"a patient has one image or more, got --images-per-patient={assumed.images_per_patient}.")
    if not 0 <= assumed.correlation <= 1:
        raise AuditkitError(f"--correlation lies between 0 and 1, got {assumed.correlation:g}.")
    if modalities < 1:
        raise AuditkitError(f"there is one modality or more, got --modalities={modalities}.")


def _said(assumed: Assumed) -> list[str]:
    images = assumed.images_per_patient
    said = [
        f"A change (treated minus control, one image) has a true mean of {assumed.effect:g} points and a standard "
        f"deviation of {assumed.model_sd:.3g} points over all images, the same in every audit and modality, and is "
        "normal; how many answers jump, under a sentence and by noise, follows from that.",
        f"A corrupted image's AUROC is {assumed.area:g}, and the standard error that of exponential scores (Hanley & "
        f"McNeil 1982); {per_cent(assumed.share)} of the patients have a refused, unusable or changed answer.",
        "Scores fall by "
        + ("twice the floor" if assumed.fall is None else f"{assumed.fall:g} points")
        + " per severity step, alike for all images, and scatter around that line by sd / √2.",
    ]
    said.append("Where a change of at least so much is asked for, as against an empty picture, it is twice the floor.")
    if images > 1:
        said.append(
            f"{images} images per patient with a correlation of {assumed.correlation:g}: a patient's mean has "
            f"a standard deviation of {assumed.patient_sd:.1f} points. For shares and AUROC a patient counts as one "
            "image."
        )
    return said


def _left_out(protocol: Protocol, planned: Collection[str]) -> list[str]:
    """Name the families that are not planned for, and why."""
    shown = [name for name, family in protocol.families.items() if family.shown]
    others = [name for name in protocol.families if name not in planned and name not in shown]
    right = [name for name in others if any(counts_right(effect, protocol) for effect in shipped_effects(name))]
    groups = [name for name in others if any(effect.between for effect in shipped_effects(name))]
    unknown = [name for name in others if name not in (*right, *groups)]
    said = [f"Not planned for, because nothing rests on what is only shown: {and_listed(shown)}."] if shown else []
    if right:
        said.append(
            f"Not planned for, because a spread of scores says nothing of right answers: {and_listed(right)}. The list "
            "of pytest --audit-list says with how few patients each can pass at all."
        )
    if groups:
        said.append(
            f"Not planned for, because it depends on how many patients each group has: {and_listed(groups)}. The list "
            "of pytest --audit-list says how few of each group can pass at all, a pilot's record how many likely do."
        )
    if unknown:
        said.append(
            f"Not planned for, because only a pilot tells what its audits measure: {and_listed(unknown)}. Run them on "
            "a few patients and give the record with --pilot."
        )
    return said
