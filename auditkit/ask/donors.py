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
        donors = [(step,) in picture.given for picture in item.pictures]
        if kind_of_donor(step, catalogue) and not (donors and all(donors)):
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
    one. In a source with more than 256 to choose from, the 256 of the highest hash of content and seed are the
    candidates. The donor of a pair is a pair: its pictures stand in place by place, and none of them is shown in any
    item of the same patient.

    Parameters
    ----------
    items : sequence of Item
        What is asked about; those without pictures get no donor.
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
    return tuple(_with(item, {(step,): chooser.donors(item, kind) for step, kind in steps.items()}) for item in items)


def _with(item: Item, found: Mapping[Condition, Sequence[Picture]]) -> Item:
    given = [
        {condition: donors[place] for condition, donors in found.items() if donors}
        for place in range(len(item.pictures))
    ]
    if not any(given):
        return item
    pairs = zip(item.pictures, given, strict=True)
    return replace(item, pictures=tuple(replace(own, given={**own.given, **more}) for own, more in pairs))


@dataclass(frozen=True, slots=True)
class _Candidate:
    content: str
    pictures: tuple[Picture, ...]
    modality: str
    patients: set[str] = field(default_factory=set, compare=False)


class _Chooser:
    """Chooses donors from a source; equal pictures of several patients are one candidate and of all of them."""

    def __init__(self, source: Sequence[Item], seed: int) -> None:
        self._seed = seed
        every: dict[tuple[str, str], _Candidate] = {}
        shown_of: dict[str, set[str]] = {}  # by a picture, whoever it is shown of
        for item in source:
            for picture in item.pictures:
                shown_of.setdefault(picture.content, set()).add(item.cluster)
            if item.pictures and item.identifiable != DECLARED:
                pictures = tuple(replace(picture, given={}) for picture in item.pictures)
                new = _Candidate(item.content, pictures, item.modality)
                every.setdefault((item.modality, item.content), new).patients.add(item.cluster)
        for one in every.values():
            if len(one.pictures) > 1:
                one.patients.update(*(shown_of[picture.content] for picture in one.pictures))
        self._every = [every[key] for key in sorted(every)]
        self._pools: dict[tuple[str, str, int], tuple[list[_Candidate], list[_Candidate]]] = {}

    def donors(self, item: Item, kind: str) -> tuple[Picture, ...]:
        """Return the pictures that stand in for an item's, place by place; none where there are none."""
        if not item.pictures:
            return ()
        pool, every = self._pool(item.modality, kind, len(item.pictures))
        # Only where a whole pool is of the item's own patient is everything looked through.
        ranked = self._ranked(item, pool) or self._ranked(item, every)
        return tuple(_at(place, ranked) for place in range(len(item.pictures))) if ranked else ()

    def _pool(self, modality: str, kind: str, number: int) -> tuple[list[_Candidate], list[_Candidate]]:
        if (modality, kind, number) not in self._pools:
            every = [one for one in self._of(modality, kind) if len(one.pictures) == number]
            pool = every
            if len(every) > _POOL:
                pool = nlargest(_POOL, every, key=lambda one: _hash(self._seed, one.content))
            self._pools[modality, kind, number] = pool, every
        return self._pools[modality, kind, number]

    def _of(self, modality: str, kind: str) -> Iterator[_Candidate]:
        for one in self._every:
            if kind == SAME:
                if one.modality == modality:
                    yield one
            elif one.modality != modality and _UNKNOWN_KIND not in (one.modality, modality):
                yield one

    def _ranked(self, item: Item, candidates: Iterable[_Candidate]) -> list[_Candidate]:
        others = (one for one in candidates if item.cluster not in one.patients)
        own = {picture.content for picture in item.pictures}
        fitting = (one for one in others if own.isdisjoint(picture.content for picture in one.pictures))
        return nlargest(_TRIED, fitting, key=lambda one: _hash(self._seed, item.content, one.content))


def _at(place: int, ranked: Sequence[_Candidate]) -> Picture:
    """Return the picture that stands in at one place: the others of its own item must be readable too."""
    pictures = tuple(one.pictures[place] for one in ranked)
    beside = tuple((*one.pictures[:place], *one.pictures[place + 1 :]) for one in ranked)
    if not any(beside):
        return Picture(digest_of("stands in", *(picture.content for picture in pictures)), FirstReadable(pictures))
    return Picture(digest_of("stands in", place, *(one.content for one in ranked)), FirstReadable(pictures, beside))


@dataclass(frozen=True, slots=True)
class FirstReadable:
    """Reads the first of several pictures that can be decoded; a class of its own, so that workers can be sent it.

    Attributes
    ----------
    pictures : tuple of Picture
        The wanted one first.
    beside : tuple of tuple of Picture
        The others that are shown with each of them: all of one item are shown, or none.
    """

    pictures: tuple[Picture, ...]
    beside: tuple[tuple[Picture, ...], ...] = ()

    def __call__(self) -> NDArray[np.uint8]:
        """Return the pixels; raises `UnreadableImage` where none can be decoded."""
        why = ""
        for place, picture in enumerate(self.pictures):
            try:
                for other in self.beside[place] if self.beside else ():
                    other.read()
                return picture.read()
            except UnreadableImage as error:
                why = str(error)
        raise UnreadableImage(f"none of the {len(self.pictures)} pictures that may stand in can be decoded: {why}")


def _hash(seed: int, *contents: str) -> bytes:
    return hashlib.sha256("\n".join((str(seed), *contents)).encode()).digest()
