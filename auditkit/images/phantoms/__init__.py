"""Procedural phantoms: pictures with the look of eleven imaging modalities, made from a seed, showing nobody.

They let the package test itself and train its reference model without a single patient image. A phantom is a pure
function of ``(modality, seed, size)`` and of `VERSION`, which changes whenever any pixel of any phantom changes.

>>> from auditkit.images.phantoms import phantom
>>> phantom("ct", seed=7).shape
(256, 256)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt

from auditkit.images.phantoms.canvas import Canvas, FloatImage, to_uint8
from auditkit.images.phantoms.coherent import draw_oct, draw_ultrasound
from auditkit.images.phantoms.photographs import draw_dermoscopy, draw_endoscopy, draw_fundus
from auditkit.images.phantoms.radiographs import draw_mammography, draw_xray
from auditkit.images.phantoms.sections import draw_ct, draw_mr, draw_nuclear
from auditkit.images.phantoms.slides import draw_histology

__all__ = ["MODALITIES", "VERSION", "phantom"]

VERSION: Final = 1
"""Changed whenever the pixels of any phantom change, so that records made from them can tell."""

_SMALLEST: Final = 32

_DRAW: Final[dict[str, Callable[[Canvas], FloatImage]]] = {
    "ct": draw_ct,
    "mr": draw_mr,
    "xray": draw_xray,
    "ultrasound": draw_ultrasound,
    "mammography": draw_mammography,
    "nuclear": draw_nuclear,
    "oct": draw_oct,
    "fundus": draw_fundus,
    "endoscopy": draw_endoscopy,
    "dermoscopy": draw_dermoscopy,
    "histology": draw_histology,
}

MODALITIES: Final[tuple[str, ...]] = tuple(_DRAW)
"""Names accepted by `phantom`, in a fixed order."""


def phantom(modality: str, seed: int, size: int = 256) -> npt.NDArray[np.uint8]:
    """Draw one phantom.

    Parameters
    ----------
    modality
        One of `MODALITIES`.
    seed
        Non-negative integer; another seed is another anatomy.
    size
        Side in pixels, at least 32. The anatomy scales with it, the grain and the edges stay in pixels.

    Returns
    -------
    numpy.ndarray
        uint8, shape ``(size, size)`` for grey modalities, ``(size, size, 3)`` for fundus, endoscopy, dermoscopy and
        histology.

    Raises
    ------
    ValueError
        If the modality is not known, the seed is negative or the size is too small.
    """
    if modality not in _DRAW:
        raise ValueError(f"unknown modality {modality!r}: choose one of {', '.join(MODALITIES)}")
    if seed < 0:
        raise ValueError(f"seed must be 0 or more, got {seed}")
    if size < _SMALLEST:
        raise ValueError(f"size must be at least {_SMALLEST} pixels, got {size}")
    # The name enters the seed as bytes, so that adding a modality leaves the others' pixels alone.
    sequence = np.random.SeedSequence([VERSION, seed, size, *modality.encode("ascii")])
    return to_uint8(_DRAW[modality](Canvas(np.random.default_rng(sequence), size)))
