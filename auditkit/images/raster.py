"""Ordinary image files (PNG, JPEG, TIFF, BMP, WebP) as a viewer shows them, in 8 bits.

`inspect` reads the file's header only; `decode` reads the pixels.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from auditkit.images.quiet import quiet
from auditkit.images.record import UnreadableImage

# A closed list: Pillow's other readers start programs (EPS) or hold no medical images.
FORMATS = ("PNG", "JPEG", "TIFF", "BMP", "WEBP")

_NOT_AN_IMAGE = "it is not an image in a format that is read (PNG, JPEG, TIFF, BMP, WebP, DICOM)"
_DEEP_GREY = ("I;16", "I;16L", "I;16B", "I;16N", "I;12", "I", "F")
_TIFF_PHOTOMETRIC = 262
_WHITE_IS_ZERO = 0
_12_BIT = 4095
_16_BIT = 65535

NOTE_16_BIT = "16-bit grey: shown over 0-65535, or over 0-4095 where no value is larger"
NOTE_RANGE = "more than 16 bits per pixel: shown from its smallest to its largest value"


def inspect(path: Path, max_pixels: int) -> tuple[str, ...]:
    """Check that the header is that of an image of acceptable size; return notes on how it will be shown.

    Parameters
    ----------
    path : Path
        The file.
    max_pixels : int
        Largest width times height that is decoded.

    Raises
    ------
    UnreadableImage
        Not an image, or too large.
    """
    with quiet():
        try:
            with Image.open(path, formats=FORMATS) as image:
                _check_size(image, max_pixels)
                return _notes(image)
        except UnreadableImage:
            raise
        except Exception as error:
            raise UnreadableImage(_reason(error)) from None


def decode(path: Path, max_pixels: int) -> NDArray[np.uint8]:
    """Return the pixels: orientation applied, transparency laid on black, palettes resolved, 8 bits.

    Parameters
    ----------
    path : Path
        The file.
    max_pixels : int
        Largest width times height that is decoded.

    Returns
    -------
    ndarray of uint8, shape (H, W) or (H, W, 3)

    Raises
    ------
    UnreadableImage
        Not an image, too large, truncated or damaged.
    """
    with quiet():
        try:
            with Image.open(path, formats=FORMATS) as image:
                _check_size(image, max_pixels)
                image.load()
                return _eight_bits(image)
        except UnreadableImage:
            raise
        except Exception as error:
            raise UnreadableImage(_reason(error)) from None


def _check_size(image: Image.Image, max_pixels: int) -> None:
    if image.width * image.height > max_pixels:
        raise UnreadableImage(
            f"its header declares {image.width} x {image.height} pixels, more than the {max_pixels:,} that are read"
        )


def _notes(image: Image.Image) -> tuple[str, ...]:
    frames = int(getattr(image, "n_frames", 1))
    notes = [f"{frames} pages or frames: the first is shown"] if frames > 1 else []
    if image.mode in ("I", "F"):
        notes.append(NOTE_RANGE)
    elif image.mode in _DEEP_GREY:
        notes.append(NOTE_16_BIT)
    return tuple(notes)


def _reason(error: Exception) -> str:
    """Say in own words what Pillow's exception means; its text may hold the absolute path."""
    if isinstance(error, Image.DecompressionBombError):
        return "its header declares more pixels than Pillow decodes (decompression bomb)"
    if isinstance(error, UnidentifiedImageError):
        return _NOT_AN_IMAGE
    if isinstance(error, (FileNotFoundError, PermissionError)):
        return f"it cannot be opened ({type(error).__name__})"
    if "truncated" in str(error).lower():
        return "the image data is truncated"
    return f"the image data is damaged ({type(error).__name__})"


def _eight_bits(image: Image.Image) -> NDArray[np.uint8]:
    if image.mode in _DEEP_GREY:
        grey = _scale_grey(np.asarray(image), float_like=image.mode in ("I", "F"))
        tags: Any = getattr(image, "tag_v2", {})
        if tags.get(_TIFF_PHOTOMETRIC) == _WHITE_IS_ZERO:
            grey = np.subtract(255, grey, dtype=np.uint8)  # Pillow inverts such TIFF files up to 8 bits only
        shown = Image.fromarray(grey)
        orientation = image.getexif().get(0x0112)
        if orientation:
            shown.getexif()[0x0112] = orientation
    elif image.has_transparency_data:
        layers = image.convert("RGBA")
        shown = Image.alpha_composite(Image.new("RGBA", layers.size, (0, 0, 0, 255)), layers).convert("RGB")
        shown.getexif().update(image.getexif())
    else:
        shown = image if image.mode == "L" else image.convert("L" if image.mode == "1" else "RGB")
    return np.asarray(ImageOps.exif_transpose(shown), dtype=np.uint8)


def _scale_grey(values: NDArray[Any], *, float_like: bool) -> NDArray[np.uint8]:
    """Scale grey of more than 8 bits to 0-255."""
    data = values.astype(np.float64)
    if float_like:
        finite = np.isfinite(data)
        if not finite.any():
            raise UnreadableImage("none of its pixels holds a finite number")
        low, high = float(data[finite].min()), float(data[finite].max())
        data = np.where(finite, data, low)
    else:
        low, high = 0.0, float(_12_BIT if data.max(initial=0) <= _12_BIT else _16_BIT)
    return np.rint((data - low) * (255.0 / (high - low)) if high > low else np.zeros_like(data)).astype(np.uint8)
