"""Parts of the record about whose images these are: the data, the strata known of them, results by subgroup."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import MappingProxyType

from auditkit.evidence import Cell, Evidence
from auditkit.report.clauses.found import Found, found, nothing
from auditkit.report.gaps import Gap, groups
from auditkit.report.views import UNKNOWN
from auditkit.words import count, people_sentences, percent, whole

PERSON = ("sex", "age")
EQUIPMENT = ("site", "manufacturer")

# Conventions of ours, no text gives such numbers: an attribute counts as known when it is for four images in five, and
# data in which phantoms are the majority do not count as data of patients.
KNOWN_SHARE = 0.8
MAJORITY = 0.5
_ADULT = 18
_BAND = re.compile(r"(\d+)\s*[-–]\s*(\d+)")


def _data(evidence: Evidence) -> Found:
    """The data card: what was shown to the model, from where, under which licence, which bytes."""
    data = evidence.data
    if not data.n_images:
        return nothing("data", "no images")
    gaps = [
        "" if data.source else "no source",
        "" if data.licences else "no licence of the images",
        "" if data.sha256 else "no hash over the images",
        "a subset of the patients was taken" if data.limited_to is not None else "",
        *(sentence.rstrip(".") for sentence in people_sentences(data.units)),
    ]
    synthetic = sum(stratum.n_synthetic for stratum in data.modalities)
    kinds = count(len(data.modalities), "modality", "modalities")
    label = f"data card: {count(data.n_images, 'image')}, {whole(synthetic)} of them phantoms, {kinds}"
    return found(f"{label}; {count(data.n_left_out, 'file')} left out", gaps)


def patients(evidence: Evidence) -> Found:
    """The images are of patients, and nobody has said that they are for demonstration."""
    data = evidence.data
    synthetic = sum(stratum.n_synthetic for stratum in data.modalities)
    real = data.n_images - synthetic
    if real <= 0:
        return nothing("patients", "no images of patients")
    share = synthetic / data.n_images
    gaps = [
        f"{percent(share, 0)} of the images are phantoms" if synthetic else "",
        "the data come with a notice that restricts what they can show" if data.notice else "",
        *(sentence.rstrip(".") for sentence in people_sentences(data.units)),
    ]
    label = f"{count(real, 'image')} of patients"
    return nothing(label, *gaps) if share > MAJORITY else found(label, gaps)


def _known(evidence: Evidence, attributes: tuple[str, ...]) -> Found:
    """For how many images the attributes are known."""
    total = evidence.data.n_images
    said, gaps, any_known = [], [], False
    for name in attributes:
        levels = evidence.data.strata.get(name, [])
        known = sum(level.n_images for level in levels if level.name != UNKNOWN)
        any_known |= known > 0
        if not total or not known:
            gaps.append(f"{name} is not known")
            continue
        said.append(f"{name} known for {percent(known / total, 0)}")
        if known < KNOWN_SHARE * total:
            gaps.append(f"{name} is not known for {whole(total - known)} of {count(total, 'image')}")
    names = " and ".join(attributes)
    return found(", ".join(said), gaps) if any_known else nothing(names, *gaps)


def _subgroups(evidence: Evidence, attributes: tuple[str, ...]) -> Found:
    """Results by the levels known of the attributes; all of it when each has two levels large enough to compare."""
    given = {group.column: group.gaps for group in groups(evidence)}
    said, gaps = [], []
    for name in attributes:
        gaps_of = given.get(name, ())
        levels = _measured(gaps_of)
        if not levels:
            gaps.append(f"no results by {name}")
            continue
        n = sum(cell.n_clusters for cell in levels)
        said.append(f"results by {name}: {count(len(levels), 'known level')}, {count(n, 'patient')}")
        if not any(gap.found for gap in gaps_of):
            gaps.append(f"too few patients to compare levels of {name}")
    names = " and ".join(attributes)
    return found("; ".join(said), gaps) if said else nothing(f"subgroups by {names}", *gaps)


def _measured(gaps: Sequence[Gap]) -> list[Cell]:
    """Return the known levels in which something was measured, each as the first audit has it that measured it."""
    first: dict[str, Cell] = {}
    for cell in (cell for gap in gaps for cell in gap.cells.values() if cell.estimate.value is not None):
        first.setdefault(cell.stratum.level, cell)
    return [cell for level, cell in first.items() if level != UNKNOWN]


def _minors(evidence: Evidence) -> Found:
    """Results for patients under 18. Ages are kept as decades: the band 10-19 has adults in it."""
    ages = next((group.gaps for group in groups(evidence) if group.column == "age"), ())
    found_in = [(cell, _BAND.fullmatch(cell.stratum.level)) for cell in _measured(ages)]
    bands = [(cell, int(band[2])) for cell, band in found_in if band and int(band[1]) < _ADULT]
    if not bands:
        return nothing("minors", "no results for patients under 18")
    n = sum(cell.n_clusters for cell, _ in bands)
    gaps = [
        "an age band holds minors and adults" if any(high >= _ADULT for _, high in bands) else "",
        "" if any(gap.found for gap in ages) else "too few patients to compare levels of age",
    ]
    named = ", ".join(cell.stratum.level for cell, _ in bands)
    return found(f"results for {count(n, 'patient')} in the age bands {named}", gaps)


SECTIONS: Mapping[str, Callable[[Evidence], Found]] = MappingProxyType(
    {
        "data": _data,
        "demographics": partial(_known, attributes=PERSON),
        "equipment": partial(_known, attributes=EQUIPMENT),
        "minors": _minors,
        "patients": patients,
        "subgroups_equipment": partial(_subgroups, attributes=EQUIPMENT),
        "subgroups_people": partial(_subgroups, attributes=PERSON),
    }
)
