"""Rendering an image under a condition, and knowing the result's digest without rendering it twice."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import PIL
import scipy

from auditkit import perturbations
from auditkit.ask.donors import can_be_shown, kind_of_donor
from auditkit.ask.keys import NO_PICTURE, digest_of, pictures_digest, render_key
from auditkit.ask.store import NO_RENDERING, UNREADABLE, Rendered, Store
from auditkit.images.cache import PixelCache
from auditkit.images.item import Item, Picture, UnreadableImage
from auditkit.perturbations import PictureTooSmall, law
from auditkit.perturbations.apply import perturb, perturbation_key
from auditkit.perturbations.dose import dose
from auditkit.perturbations.words import order
from auditkit.protocol.catalogue import Catalogue
from auditkit.vocabulary import Condition, Perturbation

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Libraries whose versions can change a pixel: with a new one, images are rendered again.
LIBRARIES = f"numpy {np.__version__} scipy {scipy.__version__} pillow {PIL.__version__}"


class UnreadableStandIn(UnreadableImage):
    """A picture to be shown in place of an item's own cannot be decoded; the item's own pictures can."""


class Renderer:
    """Gives pixels, digests and doses of images under conditions.

    Of a condition only the perturbations of pictures matter here; the others may be there or not.

    Parameters
    ----------
    store : Store
        Remembers digests, so that a second run finds every answer without decoding or rendering an image.
    seed : int
        The protocol's seed: part of the key of every perturbation's noise.
    catalogue : Catalogue
        What the perturbations do.
    cache_bytes : int
        Bound of the memory for decoded images.

    Attributes
    ----------
    unreadable : dict of str to str
        Pictures to be shown in place of others that could not be decoded: by their address why not. Kept for the run
        alone, and never in the store: a file may be mended, and a decoder installed.
    """

    def __init__(self, store: Store, seed: int, catalogue: Catalogue, cache_bytes: int = 128 * 2**20) -> None:
        self._store = store
        self._seed = seed
        self._catalogue = catalogue
        self._cache = PixelCache(cache_bytes)
        self.unreadable: dict[str, str] = {}
        self._versions: dict[str, str] = {}
        self._exchanged: dict[Condition, Condition] = {}
        self._given: dict[Condition, Condition] = {}

    def clean(self, record: Item) -> NDArray[np.uint8]:
        """Return the unchanged pixels of the first picture; raises `UnreadableImage`."""
        return self._cache.get(record.pictures[0])

    def digest(self, record: Item) -> str:
        """Return what stands for the unchanged pixels of all pictures; raises `UnreadableImage`."""
        return pictures_digest([self._cache.get(picture) for picture in record.pictures])

    def shown(self, record: Item, digest: str, condition: Condition) -> tuple[NDArray[np.uint8], ...]:
        """Return the pictures shown under a condition, its perturbations applied one after the other.

        Parameters
        ----------
        record : Item
            The item.
        digest : str
            Digest of its unchanged pixels: equal images get equal noise wherever they are stored.
        condition : Condition
            What is done; `auditkit.ask.donors.can_be_shown` must hold.

        Raises
        ------
        UnreadableImage
            From reading the item's picture; `UnreadableStandIn` from reading one in place of it.
        """
        shown = [self._read(record, picture) for picture in self._pictures(record, condition)]
        before = digest
        for step, key in self._steps(record, digest, condition):
            if step not in self._replaces(condition):
                entry = self._catalogue.entry(step.name)
                # The noise of a step depends on all that was done before it, as its render key does; a text and its
                # placebo are put at the same place.
                name = entry.placebo or step.name
                if entry.stage == "order":
                    shown = [shown[place] for place in order(entry, len(shown), step.level)]
                else:
                    keys = (perturbation_key(one, name, step.level, self._seed) for one in _each(before, len(shown)))
                    shown = [perturb(pixels, entry, step.level, n) for pixels, n in zip(shown, keys, strict=True)]
            before = key
        return tuple(shown)

    def render(self, record: Item, digest: str, condition: Condition) -> tuple[Rendered, tuple[NDArray[np.uint8], ...]]:
        """Return what is to be remembered of a rendering, and what is shown.

        Nothing where the picture is too small, or where the one that is to be shown in its place cannot be decoded.
        """
        try:
            shown = self.shown(record, digest, condition)
        except PictureTooSmall:
            return Rendered(NO_RENDERING, None, None), ()
        except UnreadableStandIn:
            return Rendered(UNREADABLE, None, None), ()
        return self.describe(record, condition, shown), shown

    def why_not(self, record: Item, condition: Condition) -> str:
        """Say why a picture in place of an item's own could not be decoded; empty where none failed."""
        lost = (self.unreadable.get(picture.content) for picture in self._stand_ins(record, condition))
        return next((why for why in lost if why is not None), "")

    def _stand_ins(self, record: Item, condition: Condition) -> list[Picture]:
        own = {picture.content for picture in record.pictures}
        return [picture for picture in self._pictures(record, condition) if picture.content not in own]

    def _read(self, record: Item, picture: Picture) -> NDArray[np.uint8]:
        try:
            return self._cache.get(picture)
        except UnreadableImage as error:
            if any(picture.content == own.content for own in record.pictures):
                raise
            self.unreadable[picture.content] = str(error) or "no reason is given"
            raise UnreadableStandIn(str(error)) from None

    def pixels(self, record: Item, digest: str, condition: Condition) -> NDArray[np.uint8]:
        """Return the pixels of the one picture that `shown` gives."""
        [pixels] = self.shown(record, digest, condition)
        return pixels

    def key(self, record: Item, digest: str, condition: Condition) -> str:
        """Return the key under which a rendered image's digest is remembered; the digest itself where it is clean."""
        steps = self._steps(record, digest, condition)
        return steps[-1][1] if steps else digest

    def _pictures(self, record: Item, condition: Condition) -> tuple[Picture, ...]:
        """Return what is shown before anything is done to the pixels.

        The item's own pictures, the changed ones that the data hold of them, another one, or none.
        """
        pictures = record.pictures
        for step in self._exchanges(condition):
            entry = self._catalogue.entry(step.name)
            # Each of a pair has the one at its place in another pair to stand in.
            several = [(picture,) for picture in pictures] if kind_of_donor(step, self._catalogue) else [pictures]
            pictures = tuple(
                one
                for own in several
                for one in law(entry)(own, own[0].given.get((step,)) if own else None, **entry.parameters(step.level))
            )
        for step in self._held(condition):
            pictures = tuple(picture.given.get((step,), picture) for picture in pictures)
        return pictures

    def _exchanges(self, condition: Condition) -> Condition:
        """Return the part of a condition that changes which pictures are shown: of nearly all conditions none."""
        if condition not in self._exchanged:
            steps = self._catalogue.pictures(condition)
            self._exchanged[condition] = tuple(s for s in steps if self._catalogue.entry(s.name).stage == "pictures")
        return self._exchanged[condition]

    def _held(self, condition: Condition) -> Condition:
        """Return the part of a condition whose pictures the data hold."""
        if condition not in self._given:
            self._given[condition] = self._catalogue.given(condition)
        return self._given[condition]

    def _replaces(self, condition: Condition) -> Condition:
        return self._exchanges(condition) + self._held(condition)

    def _steps(self, record: Item, digest: str, condition: Condition) -> list[tuple[Perturbation, str]]:
        """Return what is done to the pictures, each with the render key of what it gives."""
        steps, key = [], digest
        for step in self._catalogue.pictures(condition):
            version = self._version(step.name)
            if step in self._replaces(condition):
                version += "".join(f" {picture.content}" for picture in self._pictures(record, (step,)))
            key = render_key(key, step, version, LIBRARIES, self._seed)
            steps.append((step, key))
        return steps

    def _version(self, name: str) -> str:
        """Return what a rendering's key holds of an entry.

        The parameters of shipped entries are fixed for a version, and tests hold them. Those of an author's own entry
        may be edited from one run to the next, so they are in the key themselves.
        """
        if name not in self._versions:
            entry = self._catalogue.entry(name)
            shipped = perturbations.shipped().get(name) == entry
            self._versions[name] = entry.version if shipped else f"{entry.version} {digest_of(entry.acting())}"
        return self._versions[name]

    def describe(self, record: Item, condition: Condition, shown: Sequence[NDArray[Any]]) -> Rendered:
        """Return digest and measured dose of what is shown; of another picture than the item's there is no dose.

        Nor is there of a changed one that the data hold in another size, or in colour where the clean one is grey.
        """
        if self._exchanges(condition) or len(shown) != 1 or shown[0].shape != self.clean(record).shape:
            return Rendered(pictures_digest(shown), None, None)
        measured = dose(self.clean(record), shown[0])
        return Rendered(pictures_digest(shown), measured.ssim, measured.psnr)

    def known(self, record: Item, digest: str, conditions: Iterable[Condition]) -> dict[Condition, Rendered]:
        """Return what the store remembers of these conditions of one item.

        The clean image is always known, and so is what has no picture; never what cannot be shown of this item. What
        could not be decoded in place of its own pictures is known as long as the renderer lives.
        """
        wanted = [c for c in dict.fromkeys(conditions) if can_be_shown(record, self._replaces(c), self._catalogue)]
        keys = {c: self.key(record, digest, c) if self._pictures(record, c) else NO_PICTURE for c in wanted}
        remembered = self._store.renders(key for key in keys.values() if key not in (digest, NO_PICTURE))
        remembered[digest], remembered[NO_PICTURE] = Rendered(digest, 1.0, None), Rendered(NO_PICTURE, None, None)
        found = {condition: remembered[key] for condition, key in keys.items() if key in remembered}
        if self.unreadable:
            found |= {c: Rendered(UNREADABLE, None, None) for c in wanted if self.why_not(record, c)}
        return found


def _each(before: str, number: int) -> list[str]:
    """Return what the noise of each of several pictures depends on: that of the first is that of a picture alone."""
    return [before, *(digest_of("picture", before, place) for place in range(1, number))][:number]
