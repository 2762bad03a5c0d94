"""From the entries of a source to its items: files read, copies left out, changed versions put with their pictures."""

from __future__ import annotations

import hashlib
import os
import unicodedata
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from auditkit.images import dicom
from auditkit.images.columns import ASKED, PATIENT, QUESTION
from auditkit.images.files import (
    NO_FILE,
    Settings,
    assembled,
    content_key,
    file_digest,
    inside,
    opened,
    shown_name,
    with_unit,
)
from auditkit.images.identity import Identity, units_of
from auditkit.images.item import (
    DECLARED,
    NOT_IDENTIFIABLE,
    UNKNOWN,
    Item,
    LeftOut,
    Picture,
    UnreadableImage,
    salted_hash,
)
from auditkit.images.layouts.layout import Held
from auditkit.images.manifest import Row
from auditkit.images.strata import coarsened, identifier, known, written
from auditkit.images.versions import Named, Version, attached
from auditkit.vocabulary import Perturbation

T = TypeVar("T")
Entry = Row | Held
_OF_A_PICTURE = (PATIENT, "study_id", "modality", "sex", "age", "site", "manufacturer")
"""What rows about one picture must agree in, whatever they ask."""
_WHOSE = (PATIENT, "study_id")
_RECENT = 32  # files whose headers are kept: rows about one picture often follow one another


@dataclass(frozen=True, slots=True)
class _Shown:
    """A picture of an entry before its header is read: its name, and the SHA-256 of its bytes."""

    name: str
    key: bytes


class Gathering:
    """The items of a source, collected entry by entry.

    Parameters
    ----------
    root : Path
        The data's folder, resolved.
    settings : Settings
        How the data set is read.
    kind : str
        `Item.source` of its files.

    Attributes
    ----------
    left_out : list of LeftOut
        What cannot be used, in the order in which it is come upon.
    """

    def __init__(self, root: Path, settings: Settings, kind: str) -> None:
        self.left_out: list[LeftOut] = []
        self._root = root
        self._settings = settings
        self._kind = kind
        self._found: list[tuple[Item, Identity]] = []
        self._keys: list[tuple[bytes, ...]] = []  # of the pictures of every item
        self._first: dict[bytes, Entry] = {}  # by what an item shows and asks
        self._owner: dict[bytes, Entry] = {}  # by a picture: the first item that shows it
        self._joined: dict[bytes, bytes] = {}  # pictures of one item: from one to the first of them
        self._shared = False
        self._first_of: dict[str, Held] = {}
        self._seen: dict[str, str] = {}  # by a file's name: why it cannot be used; no bad file is read twice
        self._recent: OrderedDict[str, tuple[dicom.Facts, Picture]] = OrderedDict()
        self._digests: OrderedDict[str, tuple[str, bytes, os.stat_result]] = OrderedDict()
        self._versions: list[Version] = []
        self._lost: dict[str, str] = {}  # by what a clean picture is called: why it is left out
        self._files: dict[str, bytes] = {}  # the pictures of items by the names of their files
        self._called: dict[str, list[int]] = {}  # the items by their keys

    def take(self, entry: Entry) -> None:
        """Take an entry as an item, as a changed version of one, or as left out."""
        try:
            if entry.given is None:
                self._take_item(entry)
            else:
                self._take_version(entry, entry.given)
        except UnreadableImage as error:
            reason = str(error)
            if reason == NO_FILE:
                reason += _nearly(self._root, entry.name)
            self.left_out.append(LeftOut(shown_name(entry.name), reason))
            if entry.given is None:
                self._lost[entry.key or entry.name] = reason

    def items(self) -> list[Item]:
        """Return the items, sorted by id, when all entries are taken."""
        found = self._found
        identities = [identity for _, identity in found]
        if self._shared:
            pairs = zip(self._keys, identities, strict=True)
            identities = [self._of_its_picture(keys[0], one) if keys else one for keys, one in pairs]
        units = units_of(identities)
        items = [with_unit(item, unit) for (item, _), unit in zip(found, units, strict=True)]
        if self._versions:
            owners = {key: (shown_name(entry.name), entry.declared) for key, entry in self._owner.items()}
            named = Named(self._files, self._called, owners, self._lost)
            items, left_out = attached(items, self._keys, self._versions, named)
            self.left_out += left_out
        return sorted(coarsened(items), key=lambda item: item.id)

    # --- items -----------------------------------------------------------------------------------------------------

    def _take_item(self, entry: Entry) -> None:
        if isinstance(entry, Row) and entry.words:
            self._take_words(entry)
            return
        shown = self._shown(entry)
        keys = tuple(one.key for one in shown)
        if len(set(keys)) < len(keys):
            raise UnreadableImage("its two pictures are one and the same")
        asked = asked_of(entry.declared)
        # A copy under a second name or a second row would count as a second patient: evidence out of nothing. What
        # asks something else of the same picture is an item of its own, and counts as the same patient.
        key = keys[0] if len(keys) == 1 and not asked else _digest_of(keys, asked)
        name = shown[0].name
        if (first := self._first.get(key)) is not None:
            raise UnreadableImage(_again(first, name, entry.declared))
        for one in shown:
            self._check_owner(self._owner.get(one.key), entry)
        if isinstance(entry, Held):
            self._check_unit(entry)
        facts, pictures = self._read(entry, shown)
        apart = () if isinstance(entry, Held) else _apart(shown, asked)
        found = assembled(
            name,
            facts,
            entry.declared,
            self._settings,
            source=entry.source if isinstance(entry, Held) else self._kind,
            pictures=pictures,
            unit=entry.unit if isinstance(entry, Held) else "",
            apart=apart,
        )
        own = entry if entry.name == name else replace(entry, name=name)
        self._first[key] = own
        self._join(keys, own)
        index = len(self._found)
        self._found.append(found)
        self._keys.append(keys)
        if entry.key:
            self._called.setdefault(entry.key, []).append(index)

    def _take_words(self, row: Row) -> None:
        """Take a row without a picture: what it says tells it from others, as the bytes of a picture do."""
        key = _digest_of((), tuple(text for pair in row.words for text in pair))
        if (first := self._first.get(key)) is not None:
            raise UnreadableImage(_again(first, row.name, row.declared))
        # Where no patient is known, rows that differ only in columns that nobody reads count as one.
        read = [
            text for name in sorted(row.declared.keys() - set(_WHOSE)) for text in (name, written(row.declared[name]))
        ]
        item, identity = assembled(
            f"row {key.hex()}",
            dicom.Facts(identifiable=NOT_IDENTIFIABLE),
            row.declared,
            self._settings,
            source=self._kind,
            pictures=(),
            unit=f"row {_digest_of((), tuple(read)).hex()}",
        )
        self._first[key] = row
        self._found.append((replace(item, name=shown_name(row.name), said=_said(key)), identity))
        self._keys.append(())

    def _shown(self, entry: Entry) -> tuple[_Shown, ...]:
        if isinstance(entry, Held):
            first = _Shown(entry.name, bytes.fromhex(entry.digest))
            return (first,) if entry.second is None else (first, _Shown("", bytes.fromhex(entry.second[0])))
        names = (entry.name, entry.second) if entry.second else (entry.name,)
        shown = tuple(self._file(name) for name in names)
        if entry.given is None:
            self._files |= {one.name: one.key for one in shown}
        return shown

    def _file(self, name: str) -> _Shown:
        path = inside(self._root, name)
        name = path.relative_to(self._root).as_posix()
        if (why := self._seen.get(name)) is not None:
            raise UnreadableImage(why)
        try:
            digest = _remembered(self._digests, name, lambda: file_digest(path))
        except UnreadableImage as error:
            raise UnreadableImage(self._noted(name, error)) from None
        return _Shown(name, bytes.fromhex(digest[0]))

    def _noted(self, name: str, error: UnreadableImage) -> str:
        reason = str(error) + (_nearly(self._root, name) if str(error) == NO_FILE else "")
        return self._seen.setdefault(name, reason)

    def _read(self, entry: Entry, shown: tuple[_Shown, ...]) -> tuple[dicom.Facts, tuple[Picture, ...]]:
        if isinstance(entry, Held):
            sources = ((entry.digest, entry.read), *([entry.second] if entry.second else []))
            side = self._settings.max_side
            return dicom.Facts(notes=entry.notes), tuple(Picture(content_key(sha, side), read) for sha, read in sources)
        facts, pictures = zip(*(self._opened(one.name) for one in shown), strict=True)
        return _of_both(*facts), pictures

    def _opened(self, name: str) -> tuple[dicom.Facts, Picture]:
        digest = self._digests[name]
        try:
            return _remembered(self._recent, name, lambda: opened(self._root, name, digest, self._settings))
        except UnreadableImage as error:
            raise UnreadableImage(self._noted(name, error)) from None

    def _check_owner(self, owner: Entry | None, entry: Entry) -> None:
        """Refuse another row about a picture that is said to be of somebody else."""
        others = _differing(owner.declared, entry.declared, _OF_A_PICTURE) if owner is not None else []
        if owner is not None and others:
            raise UnreadableImage(
                f"it shows the picture of {shown_name(owner.name)} once more, and the two rows differ in "
                f"{', '.join(others)}: the first is used"
            )

    def _check_unit(self, entry: Held) -> None:
        """Refuse a picture of a unit with another label, so that the two are not of one picture."""
        if not entry.unit:
            return
        first = self._first_of.setdefault(entry.unit, entry)
        if first.declared.get("label") != entry.declared.get("label"):
            raise UnreadableImage(f"its label is another than that of {first.name}, the same row: not of one picture")

    # --- who counts as one -----------------------------------------------------------------------------------------

    def _join(self, keys: tuple[bytes, ...], entry: Entry) -> None:
        self._shared |= len(keys) > 1 or keys[0] in self._owner
        for key in keys:
            self._owner.setdefault(key, entry)
        first = self._root_of(keys[0])
        for key in keys[1:]:
            if (other := self._root_of(key)) != first:
                self._joined[other] = first

    def _root_of(self, key: bytes) -> bytes:
        path = []
        while (above := self._joined.get(key)) is not None:
            path.append(key)
            key = above
        for one in path:
            self._joined[one] = key
        return key

    def _of_its_picture(self, key: bytes, identity: Identity) -> Identity:
        """Return who it is by the first item that shows one of its pictures, where no patient is known."""
        owner = self._owner[self._root_of(key)]
        unit = owner.unit if isinstance(owner, Held) and owner.unit else owner.name
        return replace(identity, file=salted_hash(self._settings.salt, "file", unit))

    # --- changed versions ------------------------------------------------------------------------------------------

    def _take_version(self, entry: Entry, change: Perturbation) -> None:
        (shown,) = self._shown(entry)
        _, (picture,) = self._read(entry, (shown,))
        of = entry.of
        if isinstance(entry, Row):
            of = inside(self._root, of).relative_to(self._root).as_posix()
        self._versions.append(Version(shown_name(entry.name), of, change, shown.key, picture, entry.declared))


def asked_of(declared: Mapping[str, object]) -> tuple[str, ...]:
    """Return the question and the options of a row, written in one way; empty without a question."""
    if known(declared.get(QUESTION)) is None:
        return ()
    return tuple(written(declared.get(name)) for name in ASKED)


def _said(key: bytes) -> str:
    return hashlib.sha256(b"auditkit.images.words\n" + key).hexdigest()


def _digest_of(keys: tuple[bytes, ...], asked: tuple[str, ...]) -> bytes:
    digest = hashlib.sha256(b"".join(keys))
    for text in asked:
        data = text.encode("utf-8", "surrogatepass")
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.digest()


def _apart(shown: tuple[_Shown, ...], asked: tuple[str, ...]) -> tuple[str, ...]:
    second = ("second", shown[1].name) if len(shown) > 1 else ()
    return (*second, "asked", *asked) if asked else second


def _of_both(first: dicom.Facts, second: dicom.Facts | None = None) -> dicom.Facts:
    """Return what the headers of both pictures of an item say of it; the first tells the patient and the rest.

    Raises
    ------
    UnreadableImage
        When they are of two patients.
    """
    if second is None:
        return first
    ids = {identifier(one.patient) for one in (first, second)} - {None}
    if len(ids) > 1:
        raise UnreadableImage("its two pictures have different patient ids in their headers")
    both = {one.identifiable: one.declared_by for one in (second, first)}
    worst = next(level for level in (DECLARED, UNKNOWN, NOT_IDENTIFIABLE) if level in both)
    notes = tuple(dict.fromkeys((*first.notes, *second.notes)))
    return replace(first, notes=notes, identifiable=worst, declared_by=both[worst])


def _differing(first: Mapping[str, object], second: Mapping[str, object], keys: tuple[str, ...] = ()) -> list[str]:
    names = keys or sorted({*first, *second})
    return [key for key in names if known(first.get(key)) != known(second.get(key))]


def _again(first: Entry, name: str, declared: Mapping[str, object]) -> str:
    """Say of which entry another is the repetition, and whether the two say different things about it."""
    reason = "it is listed twice" if first.name == name else f"it is a copy of {shown_name(first.name)}"
    others = _differing(first.declared, declared)
    return f"{reason}, and the two rows differ in {', '.join(others)}: the first is used" if others else reason


def _nearly(root: Path, name: str) -> str:
    """Name the file that differs from a missing one in case or in how its letters are composed only."""

    def folded(text: str) -> str:
        return unicodedata.normalize("NFKC", text).casefold()

    own = Path(name).name
    try:
        names = [path.name for path in (root / name).parent.iterdir() if path.name != own]
    except (OSError, ValueError):
        return ""
    near = sorted(other for other in names if folded(other) == folded(own))
    return f"; there is {shown_name(near[0])}" if near else ""


def _remembered(kept: OrderedDict[str, T], name: str, find: Callable[[], T]) -> T:
    """Return what is kept under a name, found once while it is one of the last used."""
    if name not in kept:
        kept[name] = find()
        if len(kept) > _RECENT:
            kept.popitem(last=False)
    kept.move_to_end(name)
    return kept[name]
