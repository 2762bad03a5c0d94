"""Apply one corruption to one image: the only way in to the pixel laws."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib import import_module
from typing import Protocol, cast

import numpy as np

from auditkit.perturbations import corruption
from auditkit.perturbations.values import Pixels, checked, is_grey


class Law(Protocol):
    """What a function of the catalogue looks like: pure, and the same answer for the same arguments for ever."""

    def __call__(self, pixels: Pixels, key: bytes, **level: float) -> Pixels: ...


def corruption_key(image_digest: str, name: str, severity: int, seed: int) -> bytes:
    """Derive the key of one rendering from what it is a rendering of.

    Nothing else enters: not the order of the images, not how many there are, not the process. So a subset, a resumed
    run or eight workers see the same pixels.

    Parameters
    ----------
    image_digest : str
        What identifies the pixels (`auditkit.images.record.ImageRecord.content`).
    name : str
        Name of the corruption.
    severity : int
        0-5.
    seed : int
        Seed of the protocol; any integer.

    Returns
    -------
    bytes
        SHA-256 over the four, each with its length before it: 32 bytes.
    """
    digest = hashlib.sha256(b"auditkit corruption key 1\n")
    for part in (image_digest, name, str(int(severity)), str(int(seed))):
        data = part.encode()
        digest.update(len(data).to_bytes(8, "big"))
        digest.update(data)
    return digest.digest()


def corrupt(pixels: Pixels, name: str, severity: int, key: bytes) -> Pixels:
    """Return a corrupted copy of an image.

    Parameters
    ----------
    pixels : ndarray, shape (H, W) or (H, W, 3)
        uint8, uint16, or float32/float64 within [0, 1]; both sides at least 8 pixels. Never changed. A range narrower
        than the dtype's (12 bits in uint16) must be stretched first: strengths are fractions of the full range.
    name : str
        A name of `auditkit.perturbations.catalogue`.
    severity : int
        1-5; 0 returns an unchanged copy.
    key : bytes
        From `corruption_key`; all randomness comes from it.

    Returns
    -------
    ndarray
        Same shape and dtype, C-contiguous, sharing no memory with `pixels`. Three equal channels stay equal: such an
        image is treated as the grey image it is.

    Raises
    ------
    CorruptionError
        A ValueError: for a name, a severity or pixels that are not among those allowed.

    Examples
    --------
    >>> image = np.full((32, 32), 100, np.uint8)
    >>> int(corrupt(image, "brightness", 2, b"")[0, 0])
    151
    """
    entry = corruption(name)
    native = checked(pixels)
    if type(severity) is int and severity == 0:
        return np.array(pixels, order="C")
    law, level = _law(entry.function), entry.level(severity)
    if native.ndim == 3 and is_grey(native):
        plane = law(np.ascontiguousarray(native[..., 0]), key, **level)
        result = np.repeat(plane, 3, axis=1).reshape(native.shape)
    else:
        result = law(native, key, **level)
    return np.ascontiguousarray(result, dtype=pixels.dtype)


@cache
def _law(function: str) -> Law:
    module, _, name = function.partition(":")
    return cast(Law, getattr(import_module(f"auditkit.perturbations.{module}"), name))
