"""What does not fit within a record: differences of two trees, and counts that do not follow from the answers."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from itertools import zip_longest
from typing import Any

from auditkit.errors import AuditkitError
from auditkit.evidence import Evidence, ModalityCount
from auditkit.measure.columns import Measurements
from auditkit.measure.recorded import answers_sha256, from_answers, marks_sha256
from auditkit.protocol.recorded import own_protocol
from auditkit.vocabulary import MODEL, Perturbation, Question, condition_name

# Numbers of a record have six digits after the point; the last may be rounded otherwise on another machine.
TOLERANCE = 2e-6
_NAMING = ("attribute", "role", "number", "words", "modality", "part", "condition", "perturbation", "level", "item")
"""Keys by which an entry of a list is called."""


def differences(recorded: Any, found: Any, skip: Collection[str] = (), where: str = "") -> Iterator[str]:
    """Yield where two trees of plain data differ: ``parts[ct].p_pass: record 0.01, found 0.2``.

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
    stratum = entry.get("stratum") or {}
    words = [stratum.get("level"), *(entry.get(key) for key in _NAMING)]
    return " ".join(str(word) for word in words if word) or str(place)


def _same(one: Any, other: Any) -> bool:
    if type(one) is bool or type(other) is bool or not all(isinstance(v, int | float) for v in (one, other)):
        return bool(one == other)
    return math.isclose(one, other, rel_tol=1e-9, abs_tol=TOLERANCE)


def _shown(value: Any) -> str:
    text = "nothing" if value is None else str(value)
    return text if len(text) <= 300 else f"{text[:300]} … ({len(text)} characters)"


def count_faults(evidence: Evidence) -> Iterator[str]:
    """Yield what does not fit between a record's answers and its counts."""
    items, columns = evidence.answers.items, evidence.answers.columns
    yield from twice("item", [item.id for item in items])
    yield from twice("column", [str(column.question) for column in columns])
    if [item.id for item in items] != sorted(item.id for item in items):
        yield "answers.items: not sorted by id"
    if answers_sha256(items) != evidence.answers.sha256:
        yield f"answers.sha256: record {evidence.answers.sha256}, found {answers_sha256(items)}"
    try:
        data = from_answers(evidence.answers)
    except ValueError as error:
        yield f"answers: {error}"
        return
    synthetic = sum(item.synthetic for item in items)
    modalities = [
        ModalityCount(
            modality=modality,
            n_images=sum(i.modality == modality for i in items),
            n_clusters=len({i.cluster for i in items if i.modality == modality}),
            n_synthetic=sum(i.synthetic for i in items if i.modality == modality),
        ).model_dump()
        for modality in sorted({i.modality for i in items})
    ]
    found = {
        "n_images": len(items),
        "n_clusters": len({item.cluster for item in items}),
        "units": dict(sorted(Counter(item.unit for item in items).items())),
        "modalities": modalities,
        "synthetic_share": round(synthetic / max(len(items), 1), 6),
    }
    recorded = evidence.data.model_dump(include=set(found))
    yield from (f"data.{fault}" for fault in differences(recorded, found))
    counted = {"sources": evidence.data.sources, "licences": evidence.data.licences}
    counted |= {name: {level.name: level.n_images for level in levels} for name, levels in evidence.data.strata.items()}
    for name, levels in counted.items():
        if sum(levels.values()) != len(items):
            yield f"data.{name}: {sum(levels.values())} images in all, found {len(items)}"
    asked_of = _asked_of(evidence)
    outcomes = differences(evidence.outcomes.model_dump(), data.total(asked_of=asked_of).model_dump())
    yield from (f"outcomes.{fault}" for fault in outcomes)
    yield from _role_faults(evidence, data, asked_of)
    yield from _example_faults(evidence, data)


def _asked_of(evidence: Evidence) -> Callable[[Question], str]:
    """Whom a question was put to: of tasks that this auditkit does not know, whoever is judged by the answer."""
    try:
        catalogue = own_protocol(evidence).catalogue
    except AuditkitError:
        return lambda question: question.role

    def asked_of(question: Question) -> str:
        try:
            return catalogue.asked_of(question)
        except AuditkitError:
            return question.role

    return asked_of


def _role_faults(evidence: Evidence, data: Measurements, asked_of: Callable[[Question], str]) -> Iterator[str]:
    """Everybody who answered is named, once, and everybody named has answered."""
    named = [other.role for other in evidence.models]
    answered = {role for question in data.asked() for role in (question.role, asked_of(question))}
    yield from twice("role", named)
    for role in sorted(answered - {MODEL, *named}):
        yield f"models: nobody is named who answered as {role}"
    for other in evidence.models:
        if other.role not in answered:
            yield f"models: {other.role} is named, and there is no answer of it"
        found: dict[str, Any] = {"outcomes": data.total(other.role, asked_of).model_dump()}
        if other.given == "record":
            found["marks_sha256"] = marks_sha256(evidence.answers, other.role)
        yield from differences(other.model_dump(include=set(found)), found, where=f"models[{other.role}]")


def _example_faults(evidence: Evidence, data: Measurements) -> Iterator[str]:
    """The score printed beside a picture is the one that was measured."""
    place = {item.id: i for i, item in enumerate(evidence.answers.items)}
    task, _, wording = str(evidence.protocol.criteria.get("prompts", {}).get("score", "")).rpartition(".")
    for example in evidence.examples:
        done = (Perturbation(example.perturbation, example.level),) if example.perturbation else ()
        if example.item not in place:
            yield f"examples: item {example.item} is not among the items"
            continue
        score = float(data.column(Question(task, wording, done)).scores[place[example.item]])
        shown = {"score": None if score != score else round(score, 6)}
        for fault in differences(example.model_dump(include={"score"}), shown):
            yield f"examples: {example.item} {condition_name(done)}: {fault}"


def twice(what: str, names: Iterable[str]) -> Iterator[str]:
    """Yield the names that are there more than once."""
    yield from (f"{what} {name} is there {n} times" for name, n in Counter(names).items() if n > 1)
