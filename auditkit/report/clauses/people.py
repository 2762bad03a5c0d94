"""Parts of the record about whose images these are: the data, the strata known of them, results by subgroup."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType

from auditkit.evidence import Evidence, Subgroup, SubgroupLevel
from auditkit.report.clauses.found import Found, found, nothing
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
    given = {group.attribute: group for group in evidence.subgroups}
    said, gaps = [], []
    for name in attributes:
        levels = _measured(given.get(name))
        if not levels:
            gaps.append(f"no results by {name}")
            continue
        n = sum(level.n_clusters for level in levels)
        said.append(f"results by {name}: {count(len(levels), 'known level')}, {count(n, 'patient')}")
        if given[name].gap is None:
            gaps.append(f"too few patients to compare levels of {name}")
    names = " and ".join(attributes)
    return found("; ".join(said), gaps) if said else nothing(f"subgroups by {names}", *gaps)


def _measured(group: Subgroup | None) -> list[SubgroupLevel]:
    """Return the levels that are known and have a score."""
    return [x for x in group.levels if x.level != UNKNOWN and x.score.value is not None] if group else []


def _minors(evidence: Evidence) -> Found:
    """Results for patients under 18. Ages are kept as decades: the band 10-19 has adults in it."""
    ages = next((group for group in evidence.subgroups if group.attribute == "age"), None)
    bands = [(x, int(band[2])) for x in _measured(ages) if (band := _BAND.fullmatch(x.level)) and int(band[1]) < _ADULT]
    if ages is None or not bands:
        return nothing("minors", "no results for patients under 18")
    n = sum(level.n_clusters for level, _ in bands)
    gaps = [
        "an age band holds minors and adults" if any(high >= _ADULT for _, high in bands) else "",
        "too few patients to compare levels of age" if ages.gap is None else "",
    ]
    return found(f"results for {count(n, 'patient')} in the age bands {', '.join(x.level for x, _ in bands)}", gaps)


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
