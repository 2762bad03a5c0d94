"""An array of pictures and an array of their labels, taken row by row as the pictures of a data set."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from auditkit.images.csv_rows import MOST_ROWS
from auditkit.images.files import Settings, shown_name
from auditkit.images.item import LeftOut, UnreadableImage
from auditkit.images.layouts import archive
from auditkit.images.layouts.archive import Array
from auditkit.images.layouts.layout import NO_FINDING, Held, Place
from auditkit.images.levels import check_content
from auditkit.images.manifest import BETWEEN
from auditkit.images.quiet import guarded
from auditkit.images.scaling import fit
from auditkit.vocabulary import Perturbation

_BLOCK = 1 << 20  # bytes of pictures that are looked at at a time
_MOST_LABELS = 1_000


@dataclass(frozen=True, slots=True)
class RowReader:
    """Reads one picture of an array when called; what `Picture.read` is for arrays.

    Attributes
    ----------
    images : Array
        Shared between records.
    row : int
        Which picture.
    max_side : int
        As in `Settings`.
    """

    images: Array
    row: int
    max_side: int

    def __call__(self) -> NDArray[np.uint8]:
        with guarded(lambda error: f"it cannot be read from its array ({type(error).__name__})"):
            images = self.images
            data = images.member.read(images.start + self.row * images.row_bytes, images.row_bytes)
            shape = images.shape[1:3] if images.shape[3:] == (1,) else images.shape[1:]
            pixels = fit(np.frombuffer(data, np.uint8).reshape(shape), self.max_side)
            check_content(pixels)
            return pixels


@dataclass(frozen=True, slots=True)
class Pair:
    """Pictures and labels that belong together, by their headers.

    Attributes
    ----------
    images : Array
        uint8, shape (N, H, W), (N, H, W, 1) or (N, H, W, 3).
    labels : Array
        Integers, shape (N,), (N, 1) or, of several findings, (N, K).
    """

    images: Array
    labels: Array

    def __len__(self) -> int:
        return self.images.shape[0]

    def key(self, unit: str) -> str:
        """Return what clean and changed pictures of one unit share: none of another size is a version of it."""
        height, width = self.images.shape[1:3]
        return f"{unit} of {width} x {height} pixels"

    def classes(self) -> Iterator[NDArray[np.int64]]:
        """Yield the labels of every picture, shape (K,)."""
        labels = self.labels
        size = labels.row_bytes
        for block in labels.member.blocks(labels.start, size * max(1, _BLOCK // size)):
            yield from np.frombuffer(block, labels.dtype).reshape(len(block) // size, -1).astype(np.int64)

    def digests(self) -> Iterator[str]:
        """Yield the SHA-256 of every picture, over its shape and its bytes."""
        images = self.images
        size, head = images.row_bytes, ",".join(map(str, images.shape[1:])).encode() + b"\n"
        for block in images.member.blocks(images.start, size * max(1, _BLOCK // size)):
            for at in range(0, len(block), size):
                digest = hashlib.sha256(head)
                digest.update(memoryview(block)[at : at + size])
                yield digest.hexdigest()


@dataclass(frozen=True, slots=True)
class Version:
    """What holds of one row alone: `Held.unit`, and either its `Held.key` or of what it is a changed version."""

    unit: str
    key: str = ""
    of: str = ""
    given: Perturbation | None = None


def pair_of(path: Path, images: str, labels: str, settings: Settings) -> Pair:
    """Return two arrays of an archive as pictures and their labels.

    Raises
    ------
    UnreadableImage
        In words that name the array: as `archive.array`; or it holds no pictures of 8 bits, or no labels, or they are
        not as many.
    """
    pictures, classes = archive.array(path, images), archive.array(path, labels)
    shape = pictures.shape
    if pictures.dtype != np.uint8:
        raise UnreadableImage(f'the array "{images}" holds {pictures.dtype} and not pictures of 8 bits (uint8)')
    if len(shape) not in (3, 4) or (len(shape) == 4 and shape[3] not in (1, 3)):
        raise UnreadableImage(
            f'the array "{images}" has the shape {" x ".join(map(str, shape[:8]))}; pictures are N x H x W, '
            "or N x H x W x 3 in colour (volumes are not read)"
        )
    if shape[1] * shape[2] > settings.max_pixels:
        raise UnreadableImage(
            f'the array "{images}" holds pictures of {shape[2]} x {shape[1]} pixels, more than the '
            f"{settings.max_pixels:,} that are read"
        )
    if shape[0] > MOST_ROWS:
        raise UnreadableImage(f'the array "{images}" holds more than {MOST_ROWS:,} pictures')
    if classes.dtype.kind not in "iub" or len(classes.shape) > 2 or (classes.shape[1:] or (1,))[0] > _MOST_LABELS:
        raise UnreadableImage(
            f'the array "{labels}" holds {classes.dtype} of shape {" x ".join(map(str, classes.shape[:8]))} and not '
            "one whole number, or a row of them, per picture"
        )
    if classes.shape[0] != shape[0]:
        raise UnreadableImage(
            f'the arrays "{images}" and "{labels}" do not fit: {shape[0]:,} pictures and {classes.shape[0]:,} labels'
        )
    return Pair(pictures, classes)


def label_of(classes: NDArray[np.int64], names: tuple[str, ...]) -> str:
    """Return the label in words; several findings as manifests join them, numbers where the names are not known.

    Examples
    --------
    >>> label_of(np.array([1]), ("normal", "pneumonia")), label_of(np.array([4]), ("normal", "pneumonia"))
    ('pneumonia', '4')
    >>> label_of(np.array([1, 0, 1]), ("mass", "edema", "hernia")), label_of(np.array([0, 0]), ())
    ('hernia + mass', 'no finding')
    """
    numbers = [int(classes[0])] if len(classes) == 1 else np.flatnonzero(classes).tolist()
    said = sorted(names[number] if 0 <= number < len(names) else str(number) for number in numbers)
    return BETWEEN.join(said) or NO_FINDING


def held_rows(
    place: Place,
    pair: Pair,
    names: tuple[str, ...],
    declared: Mapping[str, object],
    version: Callable[[int], Version],
    notes: tuple[str, ...] = (),
) -> list[Held | LeftOut]:
    """Return every picture of a pair of arrays, or what is wrong with the arrays as a whole.

    Parameters
    ----------
    place : Place
        The archive.
    pair : Pair
        Its pictures and labels.
    names : tuple of str
        The classes in words, by their number.
    declared : mapping of str to object
        What holds of all pictures.
    version : callable
        From the row to what holds of it alone.
    notes : tuple of str
        On every picture.
    """
    member = f"{place.name}/{pair.images.member.name}"
    found: list[Held | LeftOut] = []
    spoken: dict[tuple[str, ...], Mapping[str, object]] = {}  # equal columns are one mapping
    try:
        for row, (classes, digest) in enumerate(zip(pair.classes(), pair.digests(), strict=True)):
            own = version(row)
            columns = {**declared, "label": label_of(classes, names)}
            said = spoken.setdefault(tuple(map(str, columns.values())), columns)
            reader = RowReader(pair.images, row, place.settings.max_side)
            name = f"{member}[{row}]"
            found.append(
                Held(name, digest, reader, said, own.unit, place.kind, notes, None, own.key, own.of, own.given)
            )
    except UnreadableImage as error:  # what has been listed of a damaged array may be damaged too
        return [LeftOut(shown_name(member), str(error))]
    return found
