"""The planted defects by name, each at a size that is so many times the limit of the protocol it should break."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from auditkit import perturbations
from auditkit.errors import AuditkitError
from auditkit.images.item import Item
from auditkit.protocol.model import Protocol
from auditkit.testing.answer_defects import (
    BatchDependent,
    Constant,
    OutOfRange,
    Squeezed,
    TemplateFragile,
    Unsteady,
)
from auditkit.testing.defect import Defect, Planted
from auditkit.testing.image_defects import Insensitive, Inverted, ReadsPicture, RefusesWorst, Silent, Threshold
from auditkit.testing.word_defects import Bias, HidesChanges, OutlierPatient, ReadsLabel, Refuses

__all__ = [
    "BLAME",
    "DEFECTS",
    "PRAISE",
    "PRESTIGE",
    "BatchDependent",
    "Bias",
    "Constant",
    "Defect",
    "HidesChanges",
    "Insensitive",
    "Inverted",
    "OutOfRange",
    "OutlierPatient",
    "Planted",
    "ReadsLabel",
    "ReadsPicture",
    "Refuses",
    "RefusesWorst",
    "Silent",
    "Squeezed",
    "TemplateFragile",
    "Threshold",
    "Unsteady",
    "at_times",
    "cancelling",
]

PRESTIGE = tuple(f"institution.{pair}.high" for pair in ("reputation", "teaching", "income", "accreditation"))
"""The favoured side of every pair about institutions."""

BLANKS = ("black", "grey", "noise")
"""Pictures without content."""
PRAISED = ("authority.quality.excellent", "majority.quality.excellent")
"""Statements that an image is excellent."""

PRAISE = ("excellent", "certified", "premium", "passed", "university", "often", "full")
BLAME = ("questionable", "newly", "budget", "failed", "district", "rarely", "lost")
"""Words that tell the sides of a pair apart in ``sentences.toml``, for `ReadsLabel`."""


def cancelling(sentences: Sequence[str], points: float, records: Sequence[Item]) -> Bias:
    """Return biases of opposite sign in the modalities, of at least so many points, that cancel over all patients.

    Parameters
    ----------
    sentences : sequence of str
        Names of the sentences that bring them out.
    points : float
        Size of the smaller shift, positive.
    records : sequence of Item
        The images: patients per modality are counted.

    Raises
    ------
    AuditkitError
        When there is one modality only.
    """
    patients: dict[str, set[str]] = {}
    for record in records:
        patients.setdefault(record.modality, set()).add(record.cluster)
    if len(patients) < 2:
        raise AuditkitError(
            f"biases cannot cancel between modalities when there is only {', '.join(patients) or 'none'}.",
            "Give images of two modalities or more.",
        )
    names = sorted(patients)
    up, down = (sum(len(patients[name]) for name in names[start::2]) for start in (0, 1))
    larger = max(up, down)
    sizes = [(name, points * larger / (-down if i % 2 else up)) for i, name in enumerate(names)]
    return Bias(tuple(sentences), by_modality=tuple(sizes))


def _limit(protocol: Protocol, family: str, *, in_each: bool = False) -> float:
    """Return the limit of a shipped family: for all patients together, or for each modality."""
    declared = protocol.families.get(family)
    limit = None if declared is None else declared.limit
    if declared is None or limit is None:
        raise AuditkitError(
            f"protocol {protocol.name!r} declares no limit for the family {family!r}, so there is no limit to size a "
            "defect by.",
            "Make the defect yourself, with its size in points or as a share.",
        )
    return declared.in_each if in_each and declared.in_each is not None else limit


def _words(protocol: Protocol) -> float:
    return _limit(protocol, "metadata")


def _words_each(protocol: Protocol) -> float:
    return _limit(protocol, "metadata", in_each=True)


def _lost(protocol: Protocol) -> float:
    return _limit(protocol, "differential")


def _changed(protocol: Protocol) -> float:
    return _limit(protocol, "repeatability")


def _fall(protocol: Protocol) -> float:
    return _limit(protocol, "sensitivity")


def _one_modality(times: float, protocol: Protocol, records: Sequence[Item]) -> Defect:
    return Bias(PRESTIGE, by_modality=((min(r.modality for r in records), times * _words_each(protocol)),))


def _outlier(times: float, protocol: Protocol, records: Sequence[Item]) -> Defect:
    return OutlierPatient(PRESTIGE, min(r.cluster for r in records), -30.0 * times)


def _corruptions() -> tuple[str, ...]:
    """Return the names of the shipped corruptions."""
    return tuple(entry.name for entry in perturbations.corruptions())


DEFECTS: dict[str, Callable[[float, Protocol, Sequence[Item]], Defect]] = {
    "prestige": lambda times, p, records: Bias(PRESTIGE, times * _words(p)),
    "one_modality": _one_modality,
    "opposite": lambda times, p, records: cancelling(PRESTIGE, times * _words_each(p), records),
    "reads_label": lambda times, p, records: ReadsLabel(PRAISE, BLAME, times * _words(p)),
    "outlier_patient": _outlier,
    "refuses": lambda times, p, records: Refuses(PRESTIGE, times * _lost(p)),
    "hides_changes": lambda times, p, records: HidesChanges(PRESTIGE, times * _lost(p), _words(p) / _lost(p)),
    "refuses_worst": lambda times, p, records: RefusesWorst(),
    "insensitive": lambda times, p, records: Insensitive(("gaussian_noise",)),
    "inverted": lambda times, p, records: Inverted(("gaussian_noise",), rise=times * _fall(p)),
    "inverted_all": lambda times, p, records: Inverted((), rise=times * _fall(p)),
    "threshold": lambda times, p, records: Threshold((), severity=5, fall=7.0 * times * _fall(p)),
    "template_fragile": lambda times, p, records: TemplateFragile(("quality.reader",), times * _limit(p, "templates")),
    "batch_dependent": lambda times, p, records: BatchDependent(times * _changed(p)),
    "unsteady": lambda times, p, records: Unsteady.between(times * _changed(p)),
    "constant": lambda times, p, records: Constant(),
    "floor": lambda times, p, records: Squeezed(1.0, 1.0 + 5.0 * _fall(p) / times),
    "ceiling": lambda times, p, records: Squeezed(100.0 - 5.0 * _fall(p) / times, 100.0),
    "blank_passes": lambda times, p, records: Insensitive(BLANKS),
    "ignores_image": lambda times, p, records: Insensitive((*_corruptions(), *BLANKS)),
    "rejects_mild": lambda times, p, records: Threshold((), severity=1, fall=65.0),
    "reads_picture": lambda times, p, records: ReadsPicture(("burnt_in.excellent",), times * _words(p)),
    "follows_authority": lambda times, p, records: Bias(PRAISED, times * _words(p)),
    "out_of_range": lambda times, p, records: OutOfRange(times * _limit(p, "answers")),
}
"""Each defect at so many times the limit it should break, by protocol and images.

Some have no size that a limit could be held against, and are the same at any: "insensitive", "blank_passes",
"ignores_image", "rejects_mild", "constant" and "refuses_worst". The fall of "threshold" is the one whose slope is so
many times the floor, so that only discrimination finds it; the scale left to "floor" and "ceiling" allows at most the
floor divided by the size; "outlier_patient" jumps by 30 points a time and no audit may fail for it."""


def at_times(times: float, protocol: Protocol, records: Sequence[Item]) -> dict[str, Defect]:
    """Return all planted defects by name, each at so many times the limit of the protocol that it should break."""
    return {name: make(times, protocol, records) for name, make in DEFECTS.items()}
