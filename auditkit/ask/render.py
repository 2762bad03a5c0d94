"""Rendering an image under a condition, and knowing the result's digest without rendering it twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import PIL
import scipy

from auditkit import perturbations
from auditkit.ask.keys import pixel_digest, render_key
from auditkit.ask.store import Rendered, Store
from auditkit.images.cache import PixelCache
from auditkit.images.record import ImageRecord
from auditkit.perturbations.apply import corrupt, corruption_key
from auditkit.perturbations.dose import dose
from auditkit.vocabulary import CLEAN, Condition

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Libraries whose versions can change a pixel; a new one renders anew.
LIBRARIES = f"numpy {np.__version__} scipy {scipy.__version__} pillow {PIL.__version__}"


class Renderer:
    """Gives pixels, digests and doses of images under conditions.

    Parameters
    ----------
    store : Store
        Remembers digests, so that a second run finds every answer without decoding or corrupting an image.
    seed : int
        The protocol's seed: part of the key of every corruption's noise.
    cache_bytes : int
        Bound of the memory for decoded images.
    """

    def __init__(self, store: Store, seed: int, cache_bytes: int = 128 * 2**20) -> None:
        self._store = store
        self._seed = seed
        self._cache = PixelCache(cache_bytes)

    def clean(self, record: ImageRecord) -> NDArray[np.uint8]:
        """Return the unchanged pixels; raises `UnreadableImage`."""
        return self._cache.get(record)

    def pixels(self, record: ImageRecord, digest: str, condition: Condition) -> NDArray[np.uint8]:
        """Return the pixels under a condition.

        Parameters
        ----------
        record : ImageRecord
            The image.
        digest : str
            Digest of its unchanged pixels: equal images get equal noise wherever they are stored.
        condition : Condition
            Only the corruption and its severity matter here.
        """
        clean = self.clean(record)
        if condition.corruption == CLEAN:
            return clean
        key = corruption_key(digest, condition.corruption, condition.severity, self._seed)
        rendered: NDArray[np.uint8] = corrupt(clean, condition.corruption, condition.severity, key)
        return rendered

    def key(self, digest: str, condition: Condition) -> str:
        """Return the key under which a rendered image's digest is remembered."""
        return render_key(digest, condition, perturbations.VERSION, LIBRARIES, self._seed)

    def describe(self, record: ImageRecord, pixels: NDArray[Any]) -> Rendered:
        """Return digest and measured dose of rendered pixels."""
        measured = dose(self.clean(record), pixels)
        return Rendered(pixel_digest(pixels), measured.ssim, measured.psnr)

    def known(self, digest: str, conditions: set[Condition]) -> dict[Condition, Rendered]:
        """Return what the store remembers of these conditions of one image."""
        keys = {self.key(digest, c): c for c in conditions if c.corruption != CLEAN}
        found = {keys[key]: rendered for key, rendered in self._store.renders(keys).items()}
        return found | {c: Rendered(digest, 1.0, None) for c in conditions if c.corruption == CLEAN}
