"""Decoding without side effects on the process: no warnings that quote headers, no altered Pillow settings."""

from __future__ import annotations

import logging
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from PIL import ImageFile

# Warning filters, a logger's switch and Pillow's truncation flag belong to the process, not to the thread: two
# decoders that overlapped would restore each other's state in the wrong order. Decoding one image at a time costs
# nothing here, as the model is the slow part.
_LOCK = threading.RLock()


@contextmanager
def quiet() -> Iterator[None]:
    """Silence warnings and pydicom's log while decoding: both may quote header values, which can name a person.

    Other libraries switch on ``ImageFile.LOAD_TRUNCATED_IMAGES``; it is off in here, so that a truncated file is
    reported and never filled up with grey.
    """
    with _LOCK, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logger = logging.getLogger("pydicom")
        disabled, truncated = logger.disabled, ImageFile.LOAD_TRUNCATED_IMAGES
        logger.disabled, ImageFile.LOAD_TRUNCATED_IMAGES = True, False
        try:
            yield
        finally:
            logger.disabled, ImageFile.LOAD_TRUNCATED_IMAGES = disabled, truncated
