"""Pictures that stand in for an item's own: those of another patient, chosen by content and seed alone."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from heapq import nlargest
from typing import TYPE_CHECKING

from auditkit.ask.keys import digest_of
from auditkit.images.item import DECLARED, Item, Picture, UnreadableImage
from auditkit.perturbations.pictures import SAME
from auditkit.protocol.catalogue import Catalogue
from auditkit.protocol.model import Protocol
from auditkit.vocabulary import MODEL, Condition, Effect, Perturbation

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_UNKNOWN_KIND = "other"  # a modality that is none: two pictures of it may be of one kind or of two
_TRIED = 3  # pictures: where the first cannot be decoded, the next stands in
_POOL = 256  # pictures; every item is compared with so many, not with all of a large source


def kind_of_donor(step: Perturbation, catalogue: Catalogue) -> str:
    """Return whose picture a perturbation shows, ``"same"`` or ``"other"`` modality; empty where it is no other's."""
    entry = catalogue.entry(step.name)
    return str(entry.parameters(step.level).get("modality", "")) if entry.stage == "pictures" else ""


def asks_without_picture(effect: Effect, protocol: Protocol) -> bool:
    """Tell whether an effect has a question that is put to the audited model without a picture."""
    catalogue = protocol.catalogue
    asked = (q for question in effect.questions() if catalogue.asks(q := protocol.resolve(question)))
    if any(not catalogue.task(q.task).pictures and catalogue.asked_of(q) == MODEL for q in asked):
        return True
    steps = {step for question in effect.questions() for step in catalogue.pictures(question.condition)}
    exchanges = (step for step in steps if catalogue.entry(step.name).stage == "pictures")
    return any(not kind_of_donor(step, catalogue) for step in exchanges)


def stand_ins(items: Iterable[Item]) -> set[str]:
    """Return the addresses of the pictures that are shown in place of others and are not the items' own."""
    held = [picture for item in items for picture in item.pictures]
    given = {
        source.content
        for picture in held
        for donor in picture.given.values()
        for source in (donor.read.pictures[:1] if isinstance(donor.read, FirstReadable) else (donor,))
    }
    return given - {picture.content for picture in held}


def can_be_shown(item: Item, condition: Condition, catalogue: Catalogue) -> bool:
    """Tell whether there are the pictures that a condition shows: where not, the item is not asked."""
    for step in condition:
        if catalogue.entry(step.name).given and not any((step,) in picture.given for picture in item.pictures):
            return False
        if kind_of_donor(step, catalogue) and (not item.pictures or (step,) not in item.pictures[0].given):
            return False
    return True


def with_asked(items: Iterable[Item], effects: Iterable[Effect]) -> tuple[Item, ...]:
    """Return items without those changed pictures of the source that no effect asks about."""
    asked = {step for effect in effects for question in effect.questions() for step in question.condition}
    return tuple(_with_asked(item, asked) for item in items)


def _with_asked(item: Item, asked: set[Perturbation]) -> Item:
    if all(asked.issuperset(condition) for picture in item.pictures for condition in picture.given):
        return item
    kept = ({c: p for c, p in picture.given.items() if asked.issuperset(c)} for picture in item.pictures)
    pictures = (replace(picture, given=given) for picture, given in zip(item.pictures, kept, strict=True))
    return replace(item, pictures=tuple(pictures))


def with_donors(
    items: Sequence[Item], source: Sequence[Item], effects: Iterable[Effect], catalogue: Catalogue, seed: int
) -> tuple[Item, ...]:
    """Give items the pictures that stand in for their own under what effects ask.

    The donor of an item has the highest hash of its content, the item's content and the seed. So neither a subset of
    the items nor their order changes it. It is never of the same patient, and never declares that it names or shows
    one. In a source with more than 256 pictures to choose from, the 256 of the highest hash of content and seed are
    the candidates.

    Parameters
    ----------
    items : sequence of Item
        What is asked about; those with another number of pictures than one get no donor.
    source : sequence of Item
        All that the source holds, before any limit.
    effects : iterable of Effect
        What is judged.
    catalogue : Catalogue
        What perturbations do.
    seed : int
        The protocol's.

    Returns
    -------
    tuple of Item
        In their order. Where there is no donor the item stays as it is, and `can_be_shown` is false.
    """
    named = dict.fromkeys(step for effect in effects for q in effect.questions() for step in q.condition)
    steps = {step: kind for step in named if (kind := kind_of_donor(step, catalogue))}
    if not steps:
        return tuple(items)
    chooser = _Chooser(source, seed)
    return tuple(_with(item, {(step,): chooser.donor(item, kind) for step, kind in steps.items()}) for item in items)


def _with(item: Item, found: Mapping[Condition, Picture | None]) -> Item:
    given = {condition: picture for condition, picture in found.items() if picture is not None}
    return item.with_picture(given={**item.pictures[0].given, **given}) if given else item


@dataclass(frozen=True, slots=True)
class _Candidate:
    picture: Picture
    modality: str
    patients: set[str] = field(default_factory=set, compare=False)


class _Chooser:
    """Chooses donors from a source; equal pictures of several patients are one candidate and of all of them."""

    def __init__(self, source: Sequence[Item], seed: int) -> None:
        self._seed = seed
        every: dict[tuple[str, str], _Candidate] = {}
        for item in source:
            if len(item.pictures) == 1 and item.identifiable != DECLARED:
                picture = replace(item.pictures[0], given={})
                found = every.setdefault((item.modality, picture.content), _Candidate(picture, item.modality))
                found.patients.add(item.cluster)
        self._every = [every[key] for key in sorted(every)]
        self._pools: dict[tuple[str, str], tuple[list[_Candidate], list[_Candidate]]] = {}

    def donor(self, item: Item, kind: str) -> Picture | None:
        """Return the picture that stands in for an item's, None where there is none."""
        if len(item.pictures) != 1:
            return None
        pool, every = self._pool(item.modality, kind)
        # Only where a whole pool is of the item's own patient is everything looked through.
        ranked = self._ranked(item, pool) or self._ranked(item, every)
        if not ranked:
            return None
        return Picture(digest_of("stands in", *(picture.content for picture in ranked)), FirstReadable(tuple(ranked)))

    def _pool(self, modality: str, kind: str) -> tuple[list[_Candidate], list[_Candidate]]:
        if (modality, kind) not in self._pools:
            every = list(self._of(modality, kind))
            pool = every
            if len(every) > _POOL:
                pool = nlargest(_POOL, every, key=lambda one: _hash(self._seed, one.picture.content))
            self._pools[modality, kind] = pool, every
        return self._pools[modality, kind]

    def _of(self, modality: str, kind: str) -> Iterator[_Candidate]:
        for one in self._every:
            if kind == SAME:
                if one.modality == modality:
                    yield one
            elif one.modality != modality and _UNKNOWN_KIND not in (one.modality, modality):
                yield one

    def _ranked(self, item: Item, candidates: Iterable[_Candidate]) -> list[Picture]:
        others = (one.picture for one in candidates if item.cluster not in one.patients)
        own = item.pictures[0].content
        fitting = (picture for picture in others if picture.content != own)
        return nlargest(_TRIED, fitting, key=lambda picture: _hash(self._seed, own, picture.content))


@dataclass(frozen=True, slots=True)
class FirstReadable:
    """Reads the first of several pictures that can be decoded; a class of its own, so that workers can be sent it.

    Attributes
    ----------
    pictures : tuple of Picture
        The wanted one first.
    """

    pictures: tuple[Picture, ...]

    def __call__(self) -> NDArray[np.uint8]:
        """Return the pixels; raises `UnreadableImage` where none can be decoded."""
        why = ""
        for picture in self.pictures:
            try:
                return picture.read()
            except UnreadableImage as error:
                why = str(error)
        raise UnreadableImage(f"none of the {len(self.pictures)} pictures that may stand in can be decoded: {why}")


def _hash(seed: int, *contents: str) -> bytes:
    return hashlib.sha256("\n".join((str(seed), *contents)).encode()).digest()
