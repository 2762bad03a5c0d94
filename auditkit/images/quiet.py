"""Decoding without side effects on the process, and without any exception but `UnreadableImage`."""

from __future__ import annotations

import logging
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from PIL import ImageFile

from auditkit.errors import AuditkitError
from auditkit.images.item import UnreadableImage

# Warning filters, a logger's switch and Pillow's truncation flag belong to the process, not to the thread: two
# decoders that overlapped would restore each other's state in the wrong order. Decoding one image at a time costs
# nothing here, as the model is the slow part.
_LOCK = threading.RLock()
# Decoders written in Rust raise it on data they do not expect. It is no `Exception`, and no module has it by name.
_RUST = "PanicException"


@contextmanager
def quiet() -> Iterator[None]:
    """Silence warnings and pydicom's log while decoding: both may quote header values, which can name a person.

    Other libraries switch on ``ImageFile.LOAD_TRUNCATED_IMAGES``; it is off in here, so that a truncated file is
    reported and never filled up with grey.
    """
    with _LOCK, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logger = logging.getLogger("pydicom")
        disabled, level, truncated = logger.disabled, logger.level, ImageFile.LOAD_TRUNCATED_IMAGES
        logger.disabled, ImageFile.LOAD_TRUNCATED_IMAGES = True, False
        logger.setLevel(logging.CRITICAL + 1)  # its decoders have loggers of their own, which take over the level only
        try:
            yield
        finally:
            logger.disabled, ImageFile.LOAD_TRUNCATED_IMAGES = disabled, truncated
            logger.setLevel(level)


@contextmanager
def guarded(reason: Callable[[BaseException], str]) -> Iterator[None]:
    """Read a file quietly, and turn whatever it does to its reader into a reason in words.

    A reader is no place to list exceptions. pydicom converts an element when it is first looked at, so each look can
    raise what the conversion of damaged bytes raises (ValueError, TypeError, KeyError, OverflowError, struct.error,
    RecursionError, MemoryError and more).

    Parameters
    ----------
    reason : callable
        From the exception to words that hold no header value and no absolute path.

    Raises
    ------
    UnreadableImage
        For every exception, except `AuditkitError` and what ends the process.
    """
    with quiet():
        try:
            yield
        except (UnreadableImage, AuditkitError):
            raise
        except Exception as error:
            raise UnreadableImage(reason(error)) from None
        except BaseException as error:
            if type(error).__name__ != _RUST:
                raise
            raise UnreadableImage(reason(error)) from None
