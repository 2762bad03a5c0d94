"""Rendering an image under a condition, and knowing the result's digest without rendering it twice."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
import PIL
import scipy

from auditkit import perturbations
from auditkit.ask.keys import digest_of, pixel_digest, render_key
from auditkit.ask.store import Rendered, Store
from auditkit.images.cache import PixelCache
from auditkit.images.item import Item
from auditkit.perturbations.apply import perturb, perturbation_key
from auditkit.perturbations.dose import dose
from auditkit.protocol.catalogue import Catalogue
from auditkit.vocabulary import Condition, Perturbation

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Libraries whose versions can change a pixel: with a new one, images are rendered again.
LIBRARIES = f"numpy {np.__version__} scipy {scipy.__version__} pillow {PIL.__version__}"


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
    """

    def __init__(self, store: Store, seed: int, catalogue: Catalogue, cache_bytes: int = 128 * 2**20) -> None:
        self._store = store
        self._seed = seed
        self._catalogue = catalogue
        self._cache = PixelCache(cache_bytes)
        self._versions: dict[str, str] = {}

    def clean(self, record: Item) -> NDArray[np.uint8]:
        """Return the unchanged pixels; raises `UnreadableImage`."""
        return self._cache.get(record.pictures[0])

    def pixels(self, record: Item, digest: str, condition: Condition) -> NDArray[np.uint8]:
        """Return the pixels under a condition, its perturbations applied one after the other.

        Parameters
        ----------
        record : Item
            The image.
        digest : str
            Digest of its unchanged pixels: equal images get equal noise wherever they are stored.
        condition : Condition
            What is done.
        """
        pixels = self.clean(record)
        before = digest
        for step, key in self._steps(digest, condition):
            # The noise of a step depends on all that was done before it, as its render key does; a text and its placebo
            # are put at the same place.
            entry = self._catalogue.entry(step.name)
            noise = perturbation_key(before, entry.placebo or step.name, step.level, self._seed)
            pixels = perturb(pixels, entry, step.level, noise)
            before = key
        return pixels

    def key(self, digest: str, condition: Condition) -> str:
        """Return the key under which a rendered image's digest is remembered; the digest itself where it is clean."""
        steps = self._steps(digest, condition)
        return steps[-1][1] if steps else digest

    def _steps(self, digest: str, condition: Condition) -> list[tuple[Perturbation, str]]:
        """Return what is done to the pixels, each with the render key of what it gives."""
        steps, key = [], digest
        for step in self._catalogue.pictures(condition):
            key = render_key(key, step, self._version(step.name), LIBRARIES, self._seed)
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

    def describe(self, record: Item, pixels: NDArray[Any]) -> Rendered:
        """Return digest and measured dose of rendered pixels."""
        measured = dose(self.clean(record), pixels)
        return Rendered(pixel_digest(pixels), measured.ssim, measured.psnr)

    def known(self, digest: str, conditions: Iterable[Condition]) -> dict[Condition, Rendered]:
        """Return what the store remembers of these conditions of one image; the clean image is always known."""
        keys = {condition: self.key(digest, condition) for condition in conditions}
        remembered = self._store.renders(key for key in keys.values() if key != digest)
        remembered[digest] = Rendered(digest, 1.0, None)
        return {condition: remembered[key] for condition, key in keys.items() if key in remembered}
