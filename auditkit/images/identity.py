"""Whose image is it: from what all files of a data set say to one unit of analysis per file.

One person counted as several makes intervals too narrow, so a doubt never splits a patient in silence: it is settled
towards one patient, or it is noted on the images. Only salted hashes come in here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

NOTE_STUDY = "no patient id: the study is the unit of analysis"
NOTE_SERIES = "no patient or study id: the series is the unit of analysis"
NOTE_FILE = "no patient id: the file is the unit of analysis"
NOTE_FROM_STUDY = "no patient id: taken from other files of its study"
NOTE_LINKED = "the manifest gives no patient id: taken from other files with the same id in their headers"
NOTE_MIXED = "patient id from the header, while other files have theirs from the manifest: one person may count twice"
NOTE_SHARED = "its header's patient id stands with several sexes or birth dates: it tells no patients apart, not used"
NOTE_DISAGREE = "images of its patient disagree on sex or birth date"
NOTE_SPLIT = "one patient id in the headers stands for several in the manifest: the manifest's are used"
NOTE_JOINED = "several patient ids in the headers stand for one in the manifest: the manifest's is used"
NOTE_SPELLINGS = (
    "its patient id is written in several ways (case, blanks, zeros, kinds of digits): taken for one patient"
)
NOTE_STUDY_OF_SEVERAL = "its study holds several patient ids"
NOTE_ONE_ID = "every image has the same patient id, over several studies: all count as one patient"


@dataclass(frozen=True, slots=True)
class Identity:
    """What a file and its row in a manifest say about whose image it is, each a salted hash.

    Attributes
    ----------
    file : str
        Of its name.
    declared, header : str or None
        Of the patient id of the manifest and of the header, in canonical writing (`strata.identifier`).
    study, series : str or None
        Of the study (the manifest's id, else the header's) and of the series.
    spelling : str or None
        Of the patient id as it is written.
    sex : str or None
        ``female``, ``male`` or ``other``; None where it is not known.
    birth : str or None
        Of the date of birth.
    """

    file: str
    declared: str | None = None
    header: str | None = None
    study: str | None = None
    series: str | None = None
    spelling: str | None = None
    sex: str | None = None
    birth: str | None = None


@dataclass(frozen=True, slots=True)
class Unit:
    """The unit of analysis of one file: what it counts as, what that rests on (`record.UNITS`), what is doubtful."""

    cluster: str
    kind: str
    notes: tuple[str, ...] = ()


class _Sets(defaultdict[str, set[str]]):
    """Which values stand with a key; what is missing on either side is left out."""

    def __init__(self, pairs: Iterable[tuple[str | None, str | None]]) -> None:
        super().__init__(set)
        for key, value in pairs:
            if key is not None and value is not None:
                self[key].add(value)

    def several(self) -> set[str]:
        """Return the keys with more than one value."""
        return {key for key, values in self.items() if len(values) > 1}


def units_of(identities: Sequence[Identity]) -> list[Unit]:
    """Return what each file of a data set counts as.

    Parameters
    ----------
    identities : sequence of Identity
        Of all files.

    Returns
    -------
    list of Unit
        In the same order.
    """
    shared = _contradicted((i.header, i) for i in identities)
    manifest_of = _Sets((i.header, i.declared) for i in identities)
    headers_of = _Sets((i.declared, i.header) for i in identities if i.header not in shared)
    mixed = any(i.declared for i in identities)
    stated = [_stated(identity, shared, manifest_of, mixed=mixed) for identity in identities]
    pairs = list(zip(identities, stated, strict=True))

    patients_of = _Sets((i.study, patient) for i, (patient, _) in pairs)
    found = [_from_study(i, patient, notes, patients_of) for i, (patient, notes) in pairs]

    of_several = patients_of.several()
    respelt = _Sets((patient, i.spelling) for i, (patient, _) in pairs).several()
    disagreeing = _contradicted((patient, i) for i, (patient, _) in pairs)
    several_headers, several_declared = headers_of.several(), manifest_of.several() - shared
    one_id = _one_id(identities, found)
    units = []
    for identity, unit in zip(identities, found, strict=True):
        doubts = (
            (NOTE_SPLIT, identity.declared and identity.header in several_declared),
            (NOTE_JOINED, identity.declared in several_headers),
            (NOTE_SPELLINGS, unit.cluster in respelt),
            (NOTE_DISAGREE, unit.cluster in disagreeing),
            (NOTE_STUDY_OF_SEVERAL, identity.study in of_several),
            (NOTE_ONE_ID, one_id),
        )
        notes = tuple(note for note, holds in doubts if holds)
        units.append(Unit(unit.cluster, unit.kind, unit.notes + notes) if notes else unit)
    return units


def _contradicted(named: Iterable[tuple[str | None, Identity]]) -> set[str]:
    """Return the ids whose files cannot all be of one person."""
    kept = [(name, identity) for name, identity in named if name is not None]
    return _Sets((n, i.sex) for n, i in kept).several() | _Sets((n, i.birth) for n, i in kept).several()


def _stated(
    identity: Identity, shared: set[str], manifest_of: _Sets, *, mixed: bool
) -> tuple[str | None, tuple[str, ...]]:
    """Return the patient by manifest or header, with a note where that is a choice."""
    header = identity.header
    if identity.declared:
        return identity.declared, ()
    if header is None:
        return None, ()
    if header in shared:
        return None, (NOTE_SHARED,)
    others = manifest_of.get(header, set())
    if len(others) == 1:
        return next(iter(others)), (NOTE_LINKED,)
    return header, (NOTE_MIXED,) if mixed else ()


def _from_study(identity: Identity, patient: str | None, notes: tuple[str, ...], patients_of: _Sets) -> Unit:
    """Return the unit of a file, whose patient other files of its study may tell."""
    if patient is not None:
        return Unit(patient, "patient", notes)
    known = patients_of.get(identity.study or "", set())
    if len(known) == 1:
        return Unit(next(iter(known)), "patient", (*notes, NOTE_FROM_STUDY))
    if identity.study is not None:
        return Unit(identity.study, "study", (*notes, NOTE_STUDY))
    if identity.series is not None:
        return Unit(identity.series, "series", (*notes, NOTE_SERIES))
    return Unit(identity.file, "file", (*notes, NOTE_FILE))


def _one_id(identities: Sequence[Identity], found: Sequence[Unit]) -> bool:
    """Whether all that there is has one patient id, though it is of several studies: one person, or a constant.

    Which of the two cannot be told, so they stay one patient.
    """
    studies = {identity.study for identity in identities if identity.study is not None}
    return len(studies) > 1 and len({unit.cluster for unit in found}) == 1 and found[0].kind == "patient"
