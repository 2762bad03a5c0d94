"""What a run was about, as it stands in the record: its images, counted."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from auditkit.evidence import Data, LeftOutEntry, Level, ModalityCount, NotAsked
from auditkit.images.item import ImageSet, Item, LeftOut
from auditkit.masked import masked_url
from auditkit.measure.columns import level_of
from auditkit.measure.recorded import data_sha256
from auditkit.run.settings import Settings

MAX_LISTED = 200
_NUMBER = re.compile(r"\d+")


def data_of(
    records: Sequence[Item],
    left_out: Sequence[LeftOut],
    images: ImageSet,
    settings: Settings,
    lacking: Mapping[str, Mapping[str, str]] = MappingProxyType({}),
) -> Data:
    """Return what the record says of the data.

    Parameters
    ----------
    records : sequence of Item
        The images that are judged, or would be.
    left_out : iterable of LeftOut
        What the source and the decoder left out.
    images : ImageSet
        All that the source gave.
    settings : Settings
        The options of the run.
    lacking : mapping of str to mapping of str to str
        By image and task, why it is not asked.
    """
    return Data(
        source=settings.data if settings.data == "demo" else Path(_masked(settings.data)).name,
        n_images=len(records),
        n_clusters=len({r.cluster for r in records}),
        modalities=[_count(name, records) for name in sorted({r.modality for r in records})],
        n_without_picture=sum(not r.pictures for r in records),
        synthetic_share=sum(r.synthetic for r in records) / max(len(records), 1),
        sources=dict(sorted(Counter(r.source for r in records).items())),
        licences=dict(sorted(Counter(r.licence for r in records).items())),
        left_out=[LeftOutEntry(name=e.name, reason=e.reason) for e in left_out[:MAX_LISTED]],
        n_left_out=len(left_out),
        units=dict(sorted(Counter(r.unit for r in records).items())),
        notes=notes(records),
        unread_columns=dict(sorted(images.unread.items())),
        not_asked=not_asked(lacking[r.id] for r in records if r.id in lacking),
        notice=images.notice,
        limited_to=settings.limit,
        sha256=data_sha256(r.address for r in records),
        strata=strata(records),
    )


def not_asked(lacking: Iterable[Mapping[str, str]]) -> list[NotAsked]:
    """Count the images that were not asked a task, by reason; tasks left out of equally many stand together.

    Parameters
    ----------
    lacking : iterable of mapping of str to str
        Of every image the tasks that it is not asked, with the reason.
    """
    counted = Counter((task, why) for some in lacking for task, why in some.items())
    together: dict[tuple[int, str], list[str]] = {}
    for (task, why), n in sorted(counted.items()):
        together.setdefault((-n, why), []).append(task)
    return [NotAsked(tasks=tasks, why=why, n=-n) for (n, why), tasks in sorted(together.items())]


def _masked(source: str) -> str:
    return masked_url(source) if "://" in source else source


def _count(modality: str, records: Sequence[Item]) -> ModalityCount:
    own = [r for r in records if r.modality == modality]
    return ModalityCount(
        modality=modality,
        n_images=len(own),
        n_clusters=len({r.cluster for r in own}),
        n_synthetic=sum(r.synthetic for r in own),
    )


def strata(records: Sequence[Item]) -> dict[str, list[Level]]:
    """Count the levels of every attribute the source knows of any image; an image without a value is ``unknown``."""
    result = {}
    for attribute in sorted({name for r in records for name in r.attributes}):
        groups: dict[str, list[Item]] = {}
        for record in records:
            groups.setdefault(level_of(record, attribute), []).append(record)
        result[attribute] = [
            Level(name=name, n_images=len(own), n_clusters=len({r.cluster for r in own}))
            for name, own in sorted(groups.items())
        ]
    return result


def notes(records: Iterable[Item]) -> dict[str, int]:
    """Count the images under each kind of note; notes that differ in their numbers only are of one kind.

    Examples
    --------
    "40 frames: number 21 is shown" and "12 frames: number 7 is shown" count together as "12 to 40 frames: number 7 to
    21 is shown".
    """
    kinds: dict[str, list[list[str]]] = {}
    for note in (note for record in records for note in dict.fromkeys(record.notes)):
        kinds.setdefault(_NUMBER.sub("{}", note.replace("{", "{{").replace("}", "}}")), []).append(
            _NUMBER.findall(note)
        )
    said = ((kind.format(*map(_range, zip(*found, strict=True))), len(found)) for kind, found in kinds.items())
    return dict(sorted(said))


def _range(numbers: Iterable[str]) -> str:
    """Write the least and the greatest of some numbers, or the one that all are."""
    ordered = sorted(set(numbers), key=int)
    return ordered[0] if len(ordered) == 1 else f"{ordered[0]} to {ordered[-1]}"
