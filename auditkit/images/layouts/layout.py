"""What a layout is: a way in which public data sets lie on the disk, told by its content, read picture by picture."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from auditkit.images.files import Settings
from auditkit.images.item import LeftOut
from auditkit.images.manifest import Row
from auditkit.images.strata import known
from auditkit.vocabulary import Perturbation

SPLIT, DATA_SET = "split", "data_set"
"""The columns that layouts fill beside those of manifests; the data set where its classes are known by its name."""
NO_FINDING = "no finding"
"""The label of a picture that has none of several findings."""


def named_class(number: object, word: object) -> str:
    """Return the name of a class; ``class 3`` where it has one that means a missing value elsewhere, such as ``None``.

    Examples
    --------
    >>> named_class(0, "mass"), named_class(14, "None")
    ('mass', 'class 14')
    """
    return known(word) or f"class {number}"


@dataclass(frozen=True, slots=True)
class Held:
    """A picture that is no file of its own.

    Attributes
    ----------
    name : str
        What it is called in the data, unique there: ``"pneumoniamnist.npz/test_images[17]"``.
    digest : str
        SHA-256 of what its pixels come from.
    read : callable
        As `Picture.read`.
    declared : mapping of str to object
        What the layout says of it, under the names of manifests where they have one.
    unit : str
        What it counts as where the layout tells no patient: pictures of one unit are of one picture.
    source : str
        As `Item.source`.
    notes : tuple of str
        What the reader decided.
    second : (str, callable) or None
        `digest` and `read` of a second picture.
    key : str
        What changed versions of it call it by.
    of, given
        As of `Row`: what it is a changed version of, and how it was changed.
    """

    name: str
    digest: str
    read: Callable[[], NDArray[np.uint8]]
    declared: Mapping[str, object]
    unit: str
    source: str
    notes: tuple[str, ...] = ()
    second: tuple[str, Callable[[], NDArray[np.uint8]]] | None = None
    key: str = ""
    of: str = ""
    given: Perturbation | None = None


@dataclass(slots=True)
class Place:
    """One file or folder of a layout, and how it is to be read.

    Attributes
    ----------
    root : Path
        The data's folder, resolved.
    path : Path
        The file or folder, in it.
    kind : str
        Name of the layout.
    settings : Settings
        How the data set is read.
    split : str
        The only split that is read; all where empty.
    splits : dict of str to None
        The splits that are there, as far as they have been come upon.
    unread : dict of str to str
        As `Columns.unread`.
    """

    root: Path
    path: Path
    kind: str
    settings: Settings
    split: str = ""
    splits: dict[str, None] = field(default_factory=dict)
    unread: dict[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The path below the root; empty for the root itself."""
        name = self.path.relative_to(self.root).as_posix()
        return "" if name == "." else name

    def wants(self, split: str) -> bool:
        """Tell whether a split is to be read, and remember that it is there."""
        self.splits[split] = None
        return self.split in ("", split)


@dataclass(frozen=True, slots=True)
class Layout:
    """One way to lay out a data set.

    Attributes
    ----------
    name : str
        How a user names it where its content does not tell: ``medmnist:FILE``.
    label : str
        What it is called in sentences.
    suffix : str
        Of its files; empty when it is a folder.
    is_one : callable
        Whether a file or folder is one, from its content; never raises.
    entries : callable
        Lists its pictures, decoding none.
    """

    name: str
    label: str
    suffix: str
    is_one: Callable[[Path], bool]
    entries: Callable[[Place], Iterator[Held | Row | LeftOut]]
