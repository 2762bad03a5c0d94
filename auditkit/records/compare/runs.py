"""Which records may be compared: those of one protocol on the same images. Others are refused, with what differs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from auditkit.errors import AuditkitError
from auditkit.evidence import Evidence, ItemEntry
from auditkit.measure.columns import Measurements
from auditkit.measure.marks import refuse_marks_beyond
from auditkit.measure.recorded import from_answers
from auditkit.protocol.changes import changed_entries, changes
from auditkit.words import some_of

SHOWN = 4


@dataclass(frozen=True, slots=True)
class Contestant:
    """One run: the name it is shown by, where it came from, its record and its answers."""

    label: str
    source: str
    evidence: Evidence
    data: Measurements


def contestants(evidences: Sequence[Evidence], sources: Sequence[str]) -> list[Contestant]:
    """Return the runs sorted by label, so that the order in which they were given changes nothing.

    Parameters
    ----------
    evidences : sequence of Evidence
        Two or more records.
    sources : sequence of str
        What each is called in messages: its path.

    Raises
    ------
    AuditkitError
        Fewer than two records, records without answers, or records that differ in protocol or data.
    """
    if len(evidences) < 2:
        raise AuditkitError(
            f"a comparison takes two records or more, got {len(evidences)}.",
            "Give several: auditkit compare reports/*/latest/evidence.json",
        )
    for evidence, source in zip(evidences, sources, strict=True):
        if not evidence.answers.items or not evidence.answers.columns:
            raise AuditkitError(
                f"{source} holds no answers, so it cannot be compared: nothing was asked.",
                "Run its audits again with the same store; what it holds is not asked again.",
            )
    _refuse_unlike(evidences, sources)
    order = sorted(range(len(evidences)), key=lambda i: (_key(evidences[i]), sources[i]))
    labels = _labels([evidences[i] for i in order])
    return [
        Contestant(label, sources[i], evidences[i], _answers(evidences[i], sources[i]))
        for i, label in zip(order, labels, strict=True)
    ]


def identical(first: Contestant, second: Contestant) -> bool:
    """Whether two runs gave the same score or outcome to every question."""
    return first.evidence.answers.columns == second.evidence.answers.columns


def same_family(first: Evidence, second: Evidence) -> bool | None:
    """Whether two models are of one architecture; None when that of either is not known."""
    a, b = first.model.family, second.model.family
    return a == b if a and b else None


def _key(evidence: Evidence) -> tuple[str, ...]:
    model, run = evidence.model, evidence.run
    return (model.name, model.revision, model.fingerprint, run.finished, run.id, evidence.answers.sha256)


def _labels(evidences: Sequence[Evidence]) -> list[str]:
    """Name every run by its model; where that is not enough, by revision, by run, and at last by number."""
    labels = [e.model.name or "unnamed" for e in evidences]
    extras = ([e.model.revision[:12] for e in evidences], [e.run.id for e in evidences])
    for extra in extras:
        often = Counter(labels)
        told = {label: len({x for k, x in zip(labels, extra, strict=True) if k == label}) for label in often}
        labels = [
            f"{label} ({x})" if often[label] > 1 and told[label] > 1 and x else label
            for label, x in zip(labels, extra, strict=True)
        ]
    often, seen, unique = Counter(labels), Counter[str](), []
    for label in labels:
        seen[label] += 1
        unique.append(f"{label} #{seen[label]}" if often[label] > 1 else label)
    return unique


def _answers(evidence: Evidence, source: str) -> Measurements:
    refuse_marks_beyond(evidence, source)
    try:
        return from_answers(evidence.answers)
    except ValueError as error:
        raise AuditkitError(
            f"the answers in {source} are damaged: {error}.", "Take the file as the run wrote it."
        ) from None


def _who(item: ItemEntry) -> tuple[object, ...]:
    return item.id, item.cluster, item.modality, tuple(sorted(item.columns.items()))


def _refuse_unlike(evidences: Sequence[Evidence], sources: Sequence[str]) -> None:
    groups: dict[tuple[object, ...], list[int]] = {}
    for i, evidence in enumerate(evidences):
        items = frozenset(map(_who, evidence.answers.items))
        groups.setdefault((evidence.protocol.sha256, evidence.data.sha256, items), []).append(i)
    if len(groups) == 1:
        return
    parts = sorted(groups.values(), key=lambda some: (-len(some), min(sources[i] for i in some)))
    first = parts[0][0]
    lines = [f"as one: {_listed(parts[0], sources)}"]
    for some in parts[1:]:
        differing = "; ".join(_differences(evidences[first], evidences[some[0]]))
        lines.append(f"unlike it: {_listed(some, sources)} ({differing})")
    alike = [some for some in parts if len(some) > 1]
    raise AuditkitError(
        "only runs of one protocol on the same images can be compared, and these differ:\n  " + "\n  ".join(lines),
        "\n".join(f"Those alike: auditkit compare {' '.join(sorted(sources[i] for i in some))}" for some in alike)
        or "Run the audits of each model with the same --audit-protocol, --audit-profile and --audit-data.",
    )


def _listed(some: Sequence[int], sources: Sequence[str]) -> str:
    return ", ".join(sorted(sources[i] for i in some))


def _differences(first: Evidence, other: Evidence) -> list[str]:
    """Say what differs between two records, protocol first."""
    found = []
    if first.protocol.sha256 != other.protocol.sha256:
        entries = changed_entries(first.protocol.entries, other.protocol.entries)
        keys = changes(first.protocol.criteria, other.protocol.criteria)
        more = f" and {len(keys) - SHOWN} more" if len(keys) > SHOWN else ""
        where = f" in {some_of(entries)}" if entries else ""
        found.append(f"protocol{where}: {'; '.join(keys[:SHOWN])}{more}")
    ours, theirs = (list(map(_who, e.answers.items)) for e in (first, other))
    ids = [{item[0] for item in items} for items in (ours, theirs)]
    if ids[0] != ids[1]:
        if first.data.sha256 == other.data.sha256:
            found.append("the same pictures under other ids: AUDITKIT_SALT was another one")
        else:
            gone, new = len(ids[0] - ids[1]), len(ids[1] - ids[0])
            found.append(
                f"data {other.data.source} ({len(theirs)} images) for {first.data.source} ({len(ours)}): {gone} images "
                f"are missing, {new} are other ones"
            )
    elif first.data.sha256 != other.data.sha256:
        found.append("data: the images have the same ids and other pixels")
    elif set(ours) != set(theirs):
        found.append("data: the same images belong to other patients, modalities or levels of a column")
    return found
