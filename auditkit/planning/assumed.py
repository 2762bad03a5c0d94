"""Planning without data: how many patients if the model behaves as assumed."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace
from typing import Any

from auditkit.errors import AuditkitError
from auditkit.judge.judge import decisions
from auditkit.measure.columns import ALL
from auditkit.planning.claims import (
    SEVERITIES,
    STEPS,
    Claim,
    Levels,
    area_claim,
    check_power,
    difference_claim,
    levels,
    margins_of,
    mean_claim,
    or_still,
    per_cent,
    rate_words,
    share_claim,
    tail_claim,
)
from auditkit.planning.notes import notes
from auditkit.planning.result import EACH, SampleSize, need_of
from auditkit.protocol.model import (
    DiscriminationFamily,
    EquivalenceFamily,
    Family,
    MonotoneFamily,
    NotRaisedFamily,
    Protocol,
    RateDifferenceFamily,
    SensitivityFamily,
    Statistics,
    TemplateFamily,
)
from auditkit.protocol.shipped import SHIPPED
from auditkit.stats.planning import auroc_se, sd_of_patient_mean, slope_sd
from auditkit.stats.planning_shares import jump_share
from auditkit.vocabulary import Comparison, Series


@dataclass(frozen=True, slots=True)
class Assumed:
    """What is taken for the truth when there is no pilot.

    Attributes
    ----------
    model_sd : float
        Standard deviation, over all images, of the change of one image's score (treated minus control), points.
    effect : float
        True mean change, points, for the audits that allow little of it.
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


def with_margin(protocol: Protocol, margin: float) -> Protocol:
    """Return the protocol with another margin for every gate on mean changes, in each modality by itself."""
    if not 0 < margin <= 100:
        raise AuditkitError(f"a margin is in points, above 0 and at most 100; got {margin:g}.", "Give --margin=5.")
    families = {}
    for name, family in protocol.families.items():
        change: dict[str, Any] = {}
        if isinstance(family, EquivalenceFamily | NotRaisedFamily | TemplateFamily):
            change["margin"] = margin
        if isinstance(family, EquivalenceFamily):
            change["modality_margin"] = None
        families[name] = family.model_copy(update=change)
    return protocol.model_copy(update={"families": families})


def plan_from_sd(protocol: Protocol, assumed: Assumed, *, modalities: int = 1, power: float = 0.9) -> SampleSize:
    """Return the patients that the audits of a protocol take if the model behaves as assumed.

    Parameters
    ----------
    protocol : Protocol
        The criteria.
    assumed : Assumed
        What is taken for the truth.
    modalities : int
        Each is decided by itself.
    power : float
        Probability that an audit (or the whole gate) passes.

    Raises
    ------
    AuditkitError
        Values that are impossible, or with which no number of patients passes.
    """
    check_power(power)
    _check(assumed, modalities)
    members = {name: _members(name, family) for name, family in protocol.families.items()}
    found: list[tuple[str, str, Claim]] = []
    in_audit: dict[str, int] = {}
    for name, family in protocol.families.items():
        claims = _claims(name, family, assumed, levels(protocol, family, 1), protocol)
        found += [(name, where, claim) for where, claim in claims]
        times = [1 if where == ALL else modalities for where, _ in claims]
        in_audit[name] = sum(times) * max(decisions(family, member) for member in members[name])
    in_gate = sum(len(members[name]) * size for name, size in in_audit.items())
    return SampleSize(
        protocol=protocol,
        power=power,
        modalities={EACH: modalities},
        audits=sum(map(len, members.values())),
        claims=in_gate,
        needs=tuple(
            need_of(claim, (name, "", where), power, (in_audit[name], in_gate)) for name, where, claim in found
        ),
        notes=(*_said(assumed), *notes(protocol)),
    )


def _members(name: str, family: Family) -> list[Comparison]:
    if family.size is not None:
        return [Series(name, name, name)] * family.size
    if name in SHIPPED:
        return SHIPPED[name]()
    raise AuditkitError(
        f"family {name!r} is not one that auditkit ships, so the number of its comparisons must be declared.",
        f"Add size = N to [families.{name}] in the protocol.",
    )


def _claims(name: str, family: Family, assumed: Assumed, level: Levels, protocol: Protocol) -> list[tuple[str, Claim]]:
    """Return what one audit claims in each modality, and of all patients together."""
    settings = protocol.statistics
    if isinstance(family, EquivalenceFamily):
        images, correlation = assumed.images_per_patient, assumed.correlation
        jumps = jump_share(assumed.model_sd, assumed.effect, family.tail_points, images, correlation)
        tail = tail_claim(jumps, family, level)
        if tail.settles == "FAIL":
            tail = replace(tail, settles="PASS", patients=lambda power: None)
        each = [(EACH, _change(name, margins_of(family), assumed, level, settings)), (EACH, tail)]
        if family.modality_margin is None:
            return each
        together = _change(name, margins_of(family, together=True), assumed, level, settings)
        return [*each, (ALL, together), (ALL, tail)]
    if isinstance(family, TemplateFamily | NotRaisedFamily | MonotoneFamily):
        claim = _change(name, margins_of(family), assumed, level, settings)
    elif isinstance(family, SensitivityFamily):
        fall = 2 * family.floor if assumed.fall is None else assumed.fall
        _must(
            fall > family.floor, f"a fall of {fall:g} points per step", f"the floor of {family.floor:g}", name, "fall"
        )
        # A change is the difference of two scores, which have half its variance each.
        sd = slope_sd(assumed.patient_sd / math.sqrt(2), SEVERITIES)
        claim = mean_claim((-fall, sd), margins_of(family), level, settings, STEPS)
    elif isinstance(family, DiscriminationFamily):
        _must(
            assumed.area > family.floor,
            f"an AUROC of {assumed.area:g}",
            f"the floor of {family.floor:g}",
            name,
            "auroc",
        )
        estimate = assumed.area, auroc_se(assumed.area, 100), 100
        claim = area_claim(estimate, family.floor, level, settings.min_clusters_auroc)
    elif isinstance(family, RateDifferenceFamily):
        claim = difference_claim(assumed.share, assumed.share, family.margin, level)
    else:
        _must(assumed.share < family.cap, f"a share of {assumed.share:g}", f"the cap of {family.cap:g}", name, "share")
        claim = share_claim(assumed.share, family.cap, level, rate_words(family))
    return [(EACH, claim)]


def _change(name: str, margins: tuple[float, float], assumed: Assumed, level: Levels, settings: Statistics) -> Claim:
    effect = assumed.effect
    possible = margins[0] < effect < margins[1]
    _must(possible, f"a true mean change of {effect:g} points", f"the margin of {margins[1]:g}", name, "effect")
    claim = mean_claim((effect, assumed.patient_sd), margins, level, settings)
    return or_still(claim, margins, level, settings)


def _must(possible: bool, seen: str, limit: str, family: str, option: str) -> None:
    if not possible:
        raise AuditkitError(
            f"{seen} does not keep {limit} in [families.{family}]: no number of patients passes.",
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
            "Scores that never move are planned for in any case: see the sparse rule in the answer.",
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
        "normal; the share of patients that jump follows from that.",
        f"A corrupted image's AUROC is {assumed.area:g}, and the standard error that of exponential scores (Hanley & "
        f"McNeil 1982); {per_cent(assumed.share)} of the patients have a refused, unusable or changed answer.",
        "Scores fall by "
        + ("twice the floor" if assumed.fall is None else f"{assumed.fall:g} points")
        + " per severity step, alike for all images, and scatter around that line by sd / √2.",
    ]
    if images > 1:
        said.append(
            f"{images} images per patient with a correlation of {assumed.correlation:g}: a patient's mean has "
            f"a standard deviation of {assumed.patient_sd:.1f} points. For shares and AUROC a patient counts as one "
            "image."
        )
    return said
