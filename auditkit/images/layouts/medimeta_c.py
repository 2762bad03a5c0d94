"""MediMeta-C: folders of data set and split, in them a file of clean pictures and one per corruption and severity."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from auditkit.images.files import LICENCE, shown_name
from auditkit.images.item import LeftOut, UnreadableImage
from auditkit.images.layouts import archive
from auditkit.images.layouts.known import data_set
from auditkit.images.layouts.layout import DATA_SET, SPLIT, Held, Layout, Place
from auditkit.images.layouts.rows import Version, held_rows, pair_of
from auditkit.vocabulary import CLEAN, Perturbation

_NAME = re.compile(r"(?P<corruption>[a-z0-9_]+)_severity_(?P<severity>[1-5])")


def _is_one(path: Path) -> bool:
    names = archive.names(path)
    return "images" in names and "labels" in names and _version(path) is not None


def _version(path: Path) -> tuple[Perturbation, ...] | None:
    """Return what was done to the pictures, which the name of the file tells; None where it tells nothing."""
    if path.stem == CLEAN:
        return ()
    found = _NAME.fullmatch(path.stem)
    return (Perturbation(f"medimeta_c.{found['corruption']}", int(found["severity"])),) if found else None


def _entries(place: Place) -> Iterator[Held | LeftOut]:
    split = place.path.parent.name.casefold()
    if not place.wants(split):
        return
    known = data_set(place.path.parent.parent.name)
    try:
        told = _version(place.path)
        if told is None:
            raise UnreadableImage('its name tells no corruption: name it "clean.npz" or "CORRUPTION_severity_1.npz"')
        pair = pair_of(place.path, "images", "labels", place.settings)
    except UnreadableImage as error:
        yield LeftOut(shown_name(f"{place.name}/images"), str(error))
        return
    declared = {SPLIT: split, "modality": known.modality, DATA_SET: known.name, LICENCE: known.licence}

    def version(row: int) -> Version:
        unit = f"{known.name}/{split}/{row}"
        return Version(unit, of=pair.key(unit), given=told[0]) if told else Version(unit, key=pair.key(unit))

    yield from held_rows(place, pair, known.labels, declared, version, known.notes)


LAYOUT = Layout("medimeta-c", "MediMeta-C", ".npz", _is_one, _entries)
