"""A bounded store of decoded pixels, so that planning and asking do not decode an image twice."""

from __future__ import annotations

import threading
from collections import OrderedDict

import numpy as np
from numpy.typing import NDArray

from auditkit.images.item import Picture


class PixelCache:
    """Keeps the least recently used images out, the others' pixels in memory.

    Parameters
    ----------
    max_bytes : int
        Upper limit of the pixels kept; 0 keeps none. An image larger than the limit is read and not kept.

    Notes
    -----
    Keyed by `Picture.content`, so two pictures of the same bytes share one array. The arrays are read-only: whoever
    wants to change one copies it. Failures are not kept; one that cannot be read raises each time.
    """

    def __init__(self, max_bytes: int) -> None:
        if max_bytes < 0:
            raise ValueError(f"max_bytes must not be negative; it is {max_bytes}")
        self.max_bytes = max_bytes
        self.held_bytes = 0
        self._kept: OrderedDict[str, NDArray[np.uint8]] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, picture: Picture) -> NDArray[np.uint8]:
        """Return a picture's pixels, decoded at most once while they are kept.

        Raises
        ------
        UnreadableImage
            As the picture's own `read`.
        """
        with self._lock:
            kept = self._kept.get(picture.content)
            if kept is not None:
                self._kept.move_to_end(picture.content)
                return kept
        pixels = picture.read()  # outside the lock: other threads may take what is kept meanwhile
        pixels.flags.writeable = False
        with self._lock:
            if pixels.nbytes <= self.max_bytes and picture.content not in self._kept:
                self._kept[picture.content] = pixels
                self.held_bytes += pixels.nbytes
                while self.held_bytes > self.max_bytes:
                    _, dropped = self._kept.popitem(last=False)
                    self.held_bytes -= dropped.nbytes
        return pixels
