"""MedMNIST and MedMNIST+: one file per data set, with the arrays ``train_images``, ``train_labels`` and so on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from auditkit.images.files import LICENCE, shown_name
from auditkit.images.item import LeftOut, UnreadableImage
from auditkit.images.layouts import archive
from auditkit.images.layouts.known import data_set
from auditkit.images.layouts.layout import DATA_SET, SPLIT, Held, Layout, Place
from auditkit.images.layouts.rows import Pair, Version, held_rows, pair_of

SPLITS = ("train", "val", "test")


def _is_one(path: Path) -> bool:
    names = archive.names(path)
    several = sum(f"{split}_images" in names for split in SPLITS) > 1
    return several or ("test_images" in names and bool(data_set(path.stem).labels))


def _entries(place: Place) -> Iterator[Held | LeftOut]:
    known = data_set(place.path.stem)
    names = archive.names(place.path)
    for split in SPLITS:
        if f"{split}_images" not in names or not place.wants(split):
            continue
        try:
            pair = pair_of(place.path, f"{split}_images", f"{split}_labels", place.settings)
        except UnreadableImage as error:
            yield LeftOut(shown_name(f"{place.name}/{split}_images"), str(error))
            continue
        declared = {SPLIT: split, "modality": known.modality, DATA_SET: known.name, LICENCE: known.licence}

        def version(row: int, pair: Pair = pair, split: str = split) -> Version:
            unit = f"{known.name}/{split}/{row}"
            return Version(unit, key=pair.key(unit))

        yield from held_rows(place, pair, known.labels, declared, version, known.notes)


LAYOUT = Layout("medmnist", "MedMNIST", ".npz", _is_one, _entries)
