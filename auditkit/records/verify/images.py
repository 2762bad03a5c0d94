"""Which images a record is about: held against what the store noted, or against the images themselves."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from auditkit.ask.store import NotedImage, Store, noted
from auditkit.evidence import Evidence
from auditkit.images.item import Item, Picture
from auditkit.images.salt import SALT_FILE, salt_for
from auditkit.images.sources import DEMO, load_images
from auditkit.images.versions import with_versions
from auditkit.measure.recorded import columns_needed, data_sha256, effect_from
from auditkit.protocol.recorded import own_protocol
from auditkit.records.verify.checks import OPEN, Check, settled
from auditkit.run.truths import columns_of_tasks, with_truths, without_picture
from auditkit.vocabulary import Perturbation

PART = "images"


def check_manifest(evidence: Evidence, store: Store) -> tuple[Check, dict[str, NotedImage]]:
    """Compare the images of a record with those that the store noted under the same hash.

    Returns
    -------
    check : Check
    images : dict of str to NotedImage
        By id, of the images that are as the store noted them.
    """
    manifests = store.manifests(evidence.data.sha256)
    if not manifests:
        why = f"the store knows no run on images with the SHA-256 {evidence.data.sha256}"
        return Check(PART, OPEN, f"{why}: give the store of that run with --store, or the images with --audit-data"), {}
    # The same bytes under another salt, or with other patients, are another manifest.
    closest = min(manifests, key=lambda images: len(list(_faults(evidence, images))))
    return _compared(evidence, closest, "are those that the store noted")


def check_data(evidence: Evidence, source: str) -> tuple[Check, list[Item]]:
    """Read the images again and compare their contents, ids, patients and modalities with the record.

    Parameters
    ----------
    evidence : Evidence
        The record.
    source : str
        As for a run's ``--audit-data``.

    Returns
    -------
    check : Check
    records : list of Item
        The images of the record, in its order; empty when they are not all there.

    Raises
    ------
    AuditkitError
        When the source cannot be read.
    """
    root = Path.cwd()
    if source != DEMO and not os.environ.get("AUDITKIT_SALT") and not (root / SALT_FILE).is_file():
        why = f"ids take the salt of the run, and there is neither AUDITKIT_SALT nor {SALT_FILE}: set AUDITKIT_SALT"
        return Check(PART, OPEN, why), []
    protocol = own_protocol(evidence)
    effects = [effect for audit in evidence.audits if (effect := effect_from(audit)) is not None]
    images = load_images(
        source,
        salt=salt_for(source, root),
        max_side=protocol.images.max_side,
        columns=columns_of_tasks(effects, protocol),
        strata=columns_needed(protocol, effects),
        without_picture=without_picture(effects, protocol),
    )
    read = {record.id: record for record in with_versions(with_truths(images, effects, protocol).records)}
    records = [read[image.id] for image in evidence.answers.items if image.id in read]
    if not records and read:
        why = f"none of the {len(read)} images of {source} has an id of the record: the salt or the data are others"
        return Check(PART, OPEN, f"{why}; set AUDITKIT_SALT to the salt of the run"), []
    check, alike = _compared(evidence, noted(records), f"are those of --audit-data={source}, read again")
    return check, records if len(alike) == len(evidence.answers.items) else []


def addressed(record: Item, known: NotedImage | None, again: Item | None = None) -> Item:
    """Return an item of a record with the addresses of its pictures, and of those that stood in for them.

    Parameters
    ----------
    record : Item
        As the record has it.
    known : NotedImage or None
        What the store noted of it.
    again : Item or None
        The item itself, read again: its own addresses outrank the store's.
    """
    said = again.content if again is not None else known.content if known is not None else ""
    if not record.pictures:
        return replace(record, said=said)
    if again is not None:
        contents = [picture.content for picture in again.pictures]
    else:
        contents = list(known.pictures or (known.content,)) if known is not None else []
    if len(contents) != len(record.pictures):  # the record is about other items than are known by its ids
        contents = [""] * len(record.pictures)
    given = (known.given, known.second) if known is not None else ((), ())
    pictures = (
        replace(own, content=content, given={(Perturbation(n, level),): Picture(at, own.read) for n, level, at in some})
        for own, content, some in zip(record.pictures, contents, given, strict=False)
    )
    return replace(record, pictures=tuple(pictures))


def _compared(evidence: Evidence, images: Sequence[NotedImage], words: str) -> tuple[Check, dict[str, NotedImage]]:
    listed = {(i.id, i.cluster, i.unit, i.modality, i.synthetic) for i in evidence.answers.items}
    alike = {i.id: i for i in images if (i.id, i.cluster, i.unit, i.modality, i.synthetic) in listed}
    words = f"{len(listed)} images, their patients and modalities {words}; SHA-256 {evidence.data.sha256}"
    return settled(PART, words, list(_faults(evidence, images))), alike


def _faults(evidence: Evidence, images: Sequence[NotedImage]) -> Iterator[str]:
    digest = data_sha256(image.address for image in images)
    if digest != evidence.data.sha256:
        yield f"data.sha256: record {evidence.data.sha256}, found {digest}"
    known = {image.id: image for image in images}
    for image in evidence.answers.items:
        other = known.pop(image.id, None)
        if other is None:
            yield f"image {image.id}: in the record only"
            continue
        for name in ("cluster", "unit", "modality", "synthetic"):
            if getattr(image, name) != getattr(other, name):
                yield f"image {image.id}: {name}: record {getattr(image, name)}, found {getattr(other, name)}"
    yield from (f"image {name}: not in the record" for name in known)
