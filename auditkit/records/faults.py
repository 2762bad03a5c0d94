"""What does not fit within a record: differences of two trees, and counts that do not follow from the answers."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import zip_longest
from typing import Any

from auditkit.evidence import Evidence, Stratum
from auditkit.measure.columns import Measurements
from auditkit.measure.recorded import answers_sha256, condition_of, from_answers
from auditkit.vocabulary import Condition

# Numbers of a record have six digits after the point; the last may be rounded otherwise on another machine.
TOLERANCE = 2e-6


def differences(recorded: Any, found: Any, skip: Collection[str] = (), where: str = "") -> Iterator[str]:
    """Yield where two trees of plain data differ: ``by_modality[ct].p_pass: record 0.01, found 0.2``.

    Parameters
    ----------
    recorded, found : object
        Lists, mappings, numbers (equal within `TOLERANCE`) and texts.
    skip : collection of str
        Keys that are not compared, at any depth.
    where : str
        Path so far.
    """
    if isinstance(recorded, Mapping) and isinstance(found, Mapping):
        for key in dict.fromkeys((*recorded, *found)):
            if key not in skip:
                below = f"{where}.{key}" if where else str(key)
                yield from differences(recorded.get(key), found.get(key), skip, below)
    elif isinstance(recorded, list) and isinstance(found, list):
        for place, (one, other) in enumerate(zip_longest(recorded, found)):
            yield from differences(one, other, skip, f"{where}[{_name(one, other, place)}]")
    elif not _same(recorded, found):
        yield f"{where}: record {_shown(recorded)}, found {_shown(found)}"


def _name(one: Any, other: Any, place: int) -> str:
    """Call an entry of a list by what it is about."""
    entry = one if isinstance(one, Mapping) else other
    if not isinstance(entry, Mapping):
        return str(place)
    keys = ("attribute", "level", "number", "template", "modality", "condition", "severity", "image", "corruption")
    return " ".join(str(entry[key]) for key in keys if entry.get(key)) or str(place)


def _same(one: Any, other: Any) -> bool:
    if type(one) is bool or type(other) is bool or not all(isinstance(v, int | float) for v in (one, other)):
        return bool(one == other)
    return math.isclose(one, other, rel_tol=1e-9, abs_tol=TOLERANCE)


def _shown(value: Any) -> str:
    text = "nothing" if value is None else str(value)
    return text if len(text) <= 300 else f"{text[:300]} … ({len(text)} characters)"


def count_faults(evidence: Evidence) -> Iterator[str]:
    """Yield what does not fit between a record's answers and its counts."""
    images, columns = evidence.answers.images, evidence.answers.columns
    yield from twice("image", [image.id for image in images])
    yield from twice("column", [f"{condition_of(c)} / {c.template}" for c in columns])
    if [image.id for image in images] != sorted(image.id for image in images):
        yield "answers.images: not sorted by id"
    if answers_sha256(images) != evidence.answers.sha256:
        yield f"answers.sha256: record {evidence.answers.sha256}, found {answers_sha256(images)}"
    try:
        data = from_answers(evidence.answers)
    except ValueError as error:
        yield f"answers: {error}"
        return
    synthetic = sum(image.synthetic for image in images)
    strata = [
        Stratum(
            modality=modality,
            n_images=int(data.where(modality).sum()),
            n_clusters=len({i.cluster for i in images if i.modality == modality}),
            n_synthetic=sum(i.synthetic for i in images if i.modality == modality),
        ).model_dump()
        for modality in data.modalities
    ]
    found = {
        "n_images": len(images),
        "n_clusters": len({image.cluster for image in images}),
        "modalities": strata,
        "synthetic_share": round(synthetic / max(len(images), 1), 6),
    }
    recorded = evidence.data.model_dump(include=set(found))
    yield from (f"data.{fault}" for fault in differences(recorded, found))
    counted = {"sources": evidence.data.sources, "licences": evidence.data.licences}
    counted |= {name: {level.name: level.n_images for level in levels} for name, levels in evidence.data.strata.items()}
    for name, levels in counted.items():
        if sum(levels.values()) != len(images):
            yield f"data.{name}: {sum(levels.values())} images in all, found {len(images)}"
    outcomes = differences(evidence.outcomes.model_dump(), data.total().model_dump())
    yield from (f"outcomes.{fault}" for fault in outcomes)
    yield from _example_faults(evidence, data)


def _example_faults(evidence: Evidence, data: Measurements) -> Iterator[str]:
    """The score printed beside a picture is the one that was measured."""
    place = {image.id: i for i, image in enumerate(evidence.answers.images)}
    template = evidence.protocol.criteria.get("prompts", {}).get("score", "")
    for example in evidence.examples:
        condition = Condition(example.corruption, example.severity)
        if example.image not in place:
            yield f"examples: image {example.image} is not among the images"
            continue
        score = float(data.column(condition, template).scores[place[example.image]])
        shown = {"score": None if score != score else round(score, 6)}
        for fault in differences(example.model_dump(include={"score"}), shown):
            yield f"examples: {example.image} {condition}: {fault}"


def twice(what: str, names: Iterable[str]) -> Iterator[str]:
    """Yield the names that are there more than once."""
    yield from (f"{what} {name} is there {n} times" for name, n in Counter(names).items() if n > 1)
