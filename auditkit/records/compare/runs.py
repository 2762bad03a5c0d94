"""Which records may be compared: those of one protocol on the same images. Others are refused, with what differs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from auditkit.errors import AuditkitError
from auditkit.evidence import Evidence, ImageEntry
from auditkit.measure.columns import Measurements
from auditkit.measure.recorded import from_answers
from auditkit.protocol.changes import changes

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
        if not evidence.answers.images or not evidence.answers.columns:
            raise AuditkitError(
                f"{source} holds no answers, so it cannot be compared: an earlier auditkit wrote it, or nothing was "
                "asked.",
                "Run its audits again with the same store; nothing is asked anew.",
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
    try:
        return from_answers(evidence.answers)
    except ValueError as error:
        raise AuditkitError(
            f"the answers in {source} are damaged: {error}.", "Take the file as the run wrote it."
        ) from None


def _who(image: ImageEntry) -> tuple[str, str, str]:
    return image.id, image.cluster, image.modality


def _refuse_unlike(evidences: Sequence[Evidence], sources: Sequence[str]) -> None:
    groups: dict[tuple[object, ...], list[int]] = {}
    for i, evidence in enumerate(evidences):
        images = frozenset(map(_who, evidence.answers.images))
        groups.setdefault((evidence.protocol.sha256, evidence.data.sha256, images), []).append(i)
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
        a, b = first.protocol.parts, other.protocol.parts
        names = [name for name in sorted({*a, *b}) if a.get(name) != b.get(name)]
        keys = changes(first.protocol.criteria, other.protocol.criteria)
        more = f" and {len(keys) - SHOWN} more" if len(keys) > SHOWN else ""
        where = f" in {', '.join(names)}" if names else ""
        found.append(f"protocol{where}: {'; '.join(keys[:SHOWN])}{more}")
    ours, theirs = (list(map(_who, e.answers.images)) for e in (first, other))
    ids = [{image[0] for image in images} for images in (ours, theirs)]
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
        found.append("data: the same images belong to other patients or modalities")
    return found
