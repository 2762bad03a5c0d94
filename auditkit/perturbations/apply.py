"""Apply one perturbation of the stage ``display`` to one image: the only way in to the pixel laws."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from auditkit.perturbations.entry import Entry, PerturbationError, PictureTooSmall
from auditkit.perturbations.loading import law
from auditkit.perturbations.values import Pixels, checked, is_grey


def perturbation_key(image_digest: str, name: str, level: int, seed: int) -> bytes:
    """Derive the key of one rendering from what it is a rendering of.

    Nothing else enters: not the order of the images, not how many there are, not the process. So a subset, a resumed
    run or eight workers see the same pixels.

    Parameters
    ----------
    image_digest : str
        What identifies the pixels that the perturbation is applied to.
    name : str
        Name of the perturbation.
    level : int
        0 or more.
    seed : int
        Seed of the protocol; any integer.

    Returns
    -------
    bytes
        SHA-256 over the four, each with its length before it: 32 bytes.
    """
    digest = hashlib.sha256(b"auditkit corruption key 1\n")
    for part in (image_digest, name, str(int(level)), str(int(seed))):
        data = part.encode()
        digest.update(len(data).to_bytes(8, "big"))
        digest.update(data)
    return digest.digest()


def perturb(pixels: Pixels, entry: Entry, level: int, key: bytes) -> Pixels:
    """Return a perturbed copy of an image.

    Parameters
    ----------
    pixels : ndarray, shape (H, W) or (H, W, 3)
        uint8, uint16, or float32/float64 within [0, 1]; both sides at least 8 pixels. Never changed. A range narrower
        than the dtype's (12 bits in uint16) must be stretched first: strengths are fractions of the full range.
    entry : Entry
        Of the stage ``display``.
    level : int
        1 to the number of the entry's levels; 0 where it has a single strength.
    key : bytes
        From `perturbation_key`; all randomness comes from it.

    Returns
    -------
    ndarray
        Same shape and dtype, C-contiguous, sharing no memory with `pixels`. Three equal channels stay equal: such an
        image is treated as the grey image it is.

    Raises
    ------
    PerturbationError
        A ValueError: for pixels, a stage or a level that are not among those allowed, and for a law that cannot be
        imported, fails, or gives back anything but an image of the same shape, dtype and range. `PictureTooSmall`
        where the law says that this picture is.

    Examples
    --------
    >>> from auditkit.perturbations import shipped
    >>> image = np.full((32, 32), 100, np.uint8)
    >>> int(perturb(image, shipped()["brightness"], 2, b"")[0, 0])
    151
    """
    if entry.stage != "display":
        raise PerturbationError(f"perturbation {entry.name!r} changes {entry.stage}, not the pixels that are shown.")
    native = checked(pixels)
    parameters = entry.parameters(level)
    function = law(entry)
    if native.ndim == 3 and is_grey(native):
        plane = _applied(function, np.ascontiguousarray(native[..., 0]), entry, key, parameters)
        result = np.repeat(plane, 3, axis=1).reshape(native.shape)
    else:
        result = _applied(function, native, entry, key, parameters)
    result = np.ascontiguousarray(result, dtype=pixels.dtype)
    return result.copy() if np.may_share_memory(result, pixels) or not result.flags.writeable else result


def _applied(
    function: Callable[..., Any], pixels: Pixels, entry: Entry, key: bytes, parameters: Mapping[str, Any]
) -> Pixels:
    """Call a law and check what it gives: it may be anybody's."""
    at = f"perturbation {entry.name!r}: its law {entry.function!r}"
    given = pixels.view()
    given.flags.writeable = False  # a law that writes into its argument would change the next condition's image
    try:
        result = function(given, key, **parameters)
    except PictureTooSmall:
        raise
    except Exception as error:
        raise PerturbationError(f"{at} failed with {type(error).__name__}: {error}.") from error
    if not isinstance(result, np.ndarray) or (result.shape, result.dtype) != (pixels.shape, pixels.dtype):
        seen = f"{result.dtype} of shape {result.shape}" if isinstance(result, np.ndarray) else repr(result)[:80]
        raise PerturbationError(
            f"{at} gave {seen} for {pixels.dtype} of shape {pixels.shape}.", "It must keep shape and dtype."
        )
    if result.dtype.kind == "f" and not (result.min() >= 0.0 and result.max() <= 1.0):  # also true of NaN
        raise PerturbationError(f"{at} gave values outside [0, 1].", "It must keep the range.")
    return result
