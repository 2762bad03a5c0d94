"""What is asked about: hashed identifiers, a modality, pictures and a way to read them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from auditkit.vocabulary import Condition

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

UNKNOWN = "unknown"

# What is known of names and faces in a picture: see `Item.identifiable`.
DECLARED = "declared"
NOT_IDENTIFIABLE = "no"

# The names that audits, protocol and report use; a source maps its own names (DICOM codes, manifest entries) to these.
MODALITIES = (
    "xray",
    "ct",
    "mr",
    "ultrasound",
    "mammography",
    "nuclear",
    "oct",
    "fundus",
    "endoscopy",
    "dermoscopy",
    "histology",
    "other",
)


UNITS = ("patient", "study", "series", "file")
"""What a cluster can rest on, from the patient down to a file of which nothing is known."""
OWN_PATIENT = frozenset(("series", "file"))
"""Units without patient or study: each counts as a patient of its own, and nothing says that it is one."""


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture of an item.

    Attributes
    ----------
    content : str
        SHA-256 over the bytes the pixels come from and over the reader's version and settings: equal content gives
        equal pixels.
    read : callable
        Returns the pixels: uint8, shape (H, W) when grey or (H, W, 3) when RGB, ready for display. Raises
        `UnreadableImage` with a reason in words.
    given : mapping of Condition to Picture
        Changed versions of the picture that the source holds itself, by what was done to it.
    """

    content: str
    read: Callable[[], NDArray[np.uint8]] = field(repr=False, compare=False)
    given: Mapping[Condition, Picture] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class Item:
    """What is asked about: none, one or two pictures and what is known of them, without anything that names a person.

    Attributes
    ----------
    id : str
        Salted hash (16 hex digits) of what the source calls the item; unique within a data set.
    cluster : str
        Salted hash (16 hex digits) of the patient, else the study, else the file: the unit of analysis.
    modality : str
        One of `MODALITIES`.
    pictures : tuple of Picture
        In the order in which they are shown.
    synthetic : bool
        True for procedural phantoms.
    source : str
        Where it comes from, in a word or two (``"pydicom-data"``, ``"phantom"``, ``"folder"``).
    name : str
        File name relative to the data's root; shown only when the item has to be left out.
    licence : str
        Licence of the pictures, ``"unknown"`` for users' own.
    attributes : mapping of str to str
        Strata such as sex, age, site, manufacturer, label; ``"unknown"`` where missing, and no level that could name a
        person.
    columns : mapping of str to str
        What the source says in the columns that the protocol's tasks name (a truth, a question, its options), word for
        word. It goes into prompts and scorers, never into the record.
    notes : tuple of str
        What the reader had to decide (a fallback window, a dropped frame).
    unit : str
        What ``cluster`` rests on, one of `UNITS`.
    identifiable : {"declared", "unknown", "no"}
        Whether a picture itself may name or show its patient: the file declares it (burned-in annotation, a captured
        screen), nothing is known, or the file or its curator says no.
    declared_by : str
        What declares it, in words; empty unless `identifiable` is ``"declared"``.
    said : str
        Of an item without pictures, what tells whether another says the same: a SHA-256 over all that the source says
        of it but who it is of.
    versions : str
        SHA-256 over the changed pictures that the source holds of it, whether or not they are asked about
        (`auditkit.images.versions.with_versions`); empty where it holds none.
    """

    id: str
    cluster: str
    modality: str
    pictures: tuple[Picture, ...]
    synthetic: bool
    source: str
    name: str = field(default="", repr=False)
    licence: str = UNKNOWN
    attributes: Mapping[str, str] = field(default_factory=dict, hash=False)
    columns: Mapping[str, str] = field(default_factory=dict, hash=False, repr=False)
    notes: tuple[str, ...] = ()
    unit: str = "patient"
    identifiable: str = UNKNOWN
    declared_by: str = ""
    said: str = ""
    versions: str = ""

    @property
    def content(self) -> str:
        """What tells whether two items hold the same pictures: that of the only one, else a SHA-256 over all.

        Of an item without pictures it is `said`.
        """
        if len(self.pictures) == 1:
            return self.pictures[0].content
        if not self.pictures:
            return self.said or hashlib.sha256(b"no picture").hexdigest()
        parts = ("pictures", *(picture.content for picture in self.pictures))
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    @property
    def address(self) -> str:
        """What tells whether two items are of the same pictures, the changed ones that the source holds included."""
        return address_of(self.content, self.versions)

    def with_picture(self, **changes: Any) -> Item:
        """Return the item with its first picture changed, of which there must be one."""
        first, *others = self.pictures
        return replace(self, pictures=(replace(first, **changes), *others))


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An entry of the data that could not be used.

    Attributes
    ----------
    name : str
        File name relative to the data's root (never an absolute path, never a patient's name from a header).
    reason : str
        What was wrong, in words.
    """

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class ImageSet:
    """What a source found: usable records and what was left out, in a stable order (sorted by id).

    ``unread`` maps each column of a manifest that is not read to the column that was perhaps meant, or to "".
    """

    source: str
    records: tuple[Item, ...]
    left_out: tuple[LeftOut, ...] = ()
    notice: str = ""
    unread: Mapping[str, str] = field(default_factory=dict, hash=False)


class UnreadableImage(ValueError):
    """The pixels cannot be had; the message says why, in words that may be shown."""


def address_of(content: str, versions: str) -> str:
    """Return the address of an item (`Item.address`) from its two parts: the first where there is no second."""
    return hashlib.sha256(f"{content}\n{versions}".encode()).hexdigest() if versions else content


def salted_hash(salt: str, *parts: str) -> str:
    """Return 16 hex digits that stand for an identifier; the salt keeps it from being looked up.

    Parameters
    ----------
    salt : str
        Secret or per-project salt.
    *parts : str
        What identifies the thing, most general first.
    """
    digest = hashlib.sha256()
    for part in (salt, *parts):
        data = part.encode("utf-8", "surrogatepass")
        digest.update(len(data).to_bytes(8, "big"))
        digest.update(data)
    return digest.hexdigest()[:16]
