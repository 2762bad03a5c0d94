"""MediMeta-C: folders of data set and split, in them a file of clean pictures and one per corruption and severity."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from auditkit.images.files import LICENCE, shown_name
from auditkit.images.item import LeftOut, UnreadableImage
from auditkit.images.layouts import archive
from auditkit.images.layouts.known import data_set
from auditkit.images.layouts.layout import CLEAN, CORRUPTION, SEVERITY, SPLIT, Held, Layout, Place
from auditkit.images.layouts.rows import held_rows, pair_of

_NAME = re.compile(r"(?P<corruption>[a-z0-9_]+)_severity_(?P<severity>[1-5])")


def _is_one(path: Path) -> bool:
    names = archive.names(path)
    return "images" in names and "labels" in names and _version(path) is not None


def _version(path: Path) -> tuple[str, int] | None:
    """Return corruption and severity, which the name of the file tells."""
    if path.stem == CLEAN:
        return CLEAN, 0
    found = _NAME.fullmatch(path.stem)
    return (found["corruption"], int(found["severity"])) if found else None


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
    declared = {
        SPLIT: split,
        CORRUPTION: told[0],
        SEVERITY: told[1],
        "modality": known.modality,
        LICENCE: known.licence,
    }

    def version(row: int) -> tuple[dict[str, object], str]:
        return {}, f"{known.name}/{split}/{row}"

    yield from held_rows(place, pair, known.labels, declared, version, known.notes)


LAYOUT = Layout("medimeta-c", "MediMeta-C", ".npz", _is_one, _entries)
