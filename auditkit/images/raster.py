"""Ordinary image files (PNG, JPEG, TIFF, BMP, WebP) as a viewer shows them, in 8 bits.

`inspect` reads the file's header only; `decode` reads the pixels.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, TiffImagePlugin, UnidentifiedImageError

from auditkit.images.item import UnreadableImage
from auditkit.images.levels import robust_range
from auditkit.images.quiet import guarded

# A closed list: Pillow's other readers start programs (EPS) or hold no medical images.
FORMATS = ("PNG", "JPEG", "TIFF", "BMP", "WEBP")

_NOT_AN_IMAGE = "it is not an image in a format that is read (PNG, JPEG, TIFF, BMP, WebP, DICOM)"
_DEEP_GREY = ("I;16", "I;16L", "I;16B", "I;16N", "I;12", "I", "F")
_TIFF = (b"II*\0", b"MM\0*")
_TIFF_BITS, _TIFF_PHOTOMETRIC, _TIFF_SAMPLES, _TIFF_FORMAT = 258, 262, 277, 339
_WHITE_IS_ZERO = 0
_UNSIGNED = 1
_BIG_TIFF = 43
_FORMATS_OF_NUMBERS = {1: "unsigned integers", 2: "signed integers", 3: "floating-point numbers", 5: "complex numbers"}
# The pages of these are pictures of one kind; the second picture of a JPEG file is its other half or its depth.
_PAGED = ("TIFF", "PNG", "WEBP")

MOST_PAGES = 5_000
"""Pages or frames of one file that is read."""
MOST_DRAWN = 2_000_000_000
"""Pixels that may be drawn to come to the middle frame of an animation."""
_TOO_MANY = f"it has more than {MOST_PAGES:,} pages or frames"

NOTE_DEEP = "more than 8 bits of grey and no window: shown from the 0.5th to the 99.5th percentile"


Source = Path | bytes


def inspect(source: Source, max_pixels: int) -> tuple[str, ...]:
    """Check that the header is that of an image of acceptable size; return notes on how it will be shown.

    Parameters
    ----------
    source : Path or bytes
        The file, or what stands in it.
    max_pixels : int
        Largest width times height that is decoded.

    Raises
    ------
    UnreadableImage
        Not an image, or too large.
    """
    with guarded(lambda error: _reason(error, source)), Image.open(_openable(source), formats=FORMATS) as image:
        _check_size(image, max_pixels)
        notes = _choose_page(image)
        _check_size(image, max_pixels)
        return (*notes, NOTE_DEEP) if image.mode in _DEEP_GREY else notes


def decode(source: Source, max_pixels: int) -> NDArray[np.uint8]:
    """Return the pixels: orientation applied, transparency laid on black, palettes resolved, 8 bits.

    Parameters
    ----------
    source : Path or bytes
        The file, or what stands in it.
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
    with guarded(lambda error: _reason(error, source)), Image.open(_openable(source), formats=FORMATS) as image:
        _check_size(image, max_pixels)
        _choose_page(image)
        _check_size(image, max_pixels)
        image.load()
        return _eight_bits(image)


def _openable(source: Source) -> Path | io.BytesIO:
    return source if isinstance(source, Path) else io.BytesIO(source)


def _check_size(image: Image.Image, max_pixels: int) -> None:
    if image.width * image.height > max_pixels:
        raise UnreadableImage(
            f"its header declares {image.width} x {image.height} pixels, more than the {max_pixels:,} that are read"
        )


def _choose_page(image: Image.Image) -> tuple[str, ...]:
    """Go to the page that is shown: the middle one, as of a DICOM cine, where all pages are of one kind."""
    if image.format == "TIFF":  # Pillow's own count compares each page with all before it
        _count_pages(image)
    pages = int(getattr(image, "n_frames", 1))
    if pages > MOST_PAGES:
        raise UnreadableImage(_TOO_MANY)
    if pages <= 1:
        return ()
    if image.format not in _PAGED:
        return (f"{pages} pages or frames: the first is shown",)
    first = (image.size, image.mode)
    if image.format != "TIFF" and pages * image.width * image.height > MOST_DRAWN:
        return (f"{pages} frames, too many to draw: the first is shown",)  # each is drawn upon the one before
    image.seek(pages // 2)
    if (image.size, image.mode) != first:  # smaller copies of the picture, a label, a preview
        image.seek(0)
        return (f"{pages} pages of different kinds: the first is shown",)
    return (f"{pages} pages or frames: number {pages // 2 + 1} is shown",)


def _count_pages(image: Image.Image) -> None:
    """Refuse a TIFF file of more pages than are read, or whose pages go in a circle."""
    stream: Any = image.fp  # type: ignore[attr-defined]  # the open file, of which Pillow declares nothing
    place, seen = stream.tell(), set[int]()
    try:
        stream.seek(0)
        start = stream.read(16)
        order: Literal["little", "big"] = "little" if start[:2] == b"II" else "big"
        big = int.from_bytes(start[2:4], order) == _BIG_TIFF
        wide, entry, head = (8, 20, 8) if big else (4, 12, 2)
        at = int.from_bytes(start[8:16] if big else start[4:8], order)
        while at and at not in seen:
            seen.add(at)
            if len(seen) > MOST_PAGES:
                raise UnreadableImage(_TOO_MANY)
            stream.seek(at)
            stream.seek(at + head + entry * int.from_bytes(stream.read(head), order))
            at = int.from_bytes(stream.read(wide), order)
    except (OSError, OverflowError, ValueError) as error:
        if isinstance(error, UnreadableImage):
            raise
        raise UnreadableImage("the image data is damaged (a page that is not there)") from None
    finally:
        stream.seek(place)


def _reason(error: BaseException, source: Source) -> str:
    """Say in own words what Pillow's exception means; its text may hold the absolute path."""
    if isinstance(error, Image.DecompressionBombError):
        return "its header declares more pixels than Pillow decodes (decompression bomb)"
    if isinstance(error, UnidentifiedImageError):
        return _of_tiff(source) or _NOT_AN_IMAGE
    if isinstance(error, (FileNotFoundError, PermissionError)):
        return f"it cannot be opened ({type(error).__name__})"
    if isinstance(error, MemoryError):
        return "its pixels do not fit into memory"
    if "truncated" in str(error).lower():
        return "the image data is truncated"
    return f"the image data is damaged ({type(error).__name__})"


def _of_tiff(source: Source) -> str:
    """Say what kind of numbers a TIFF file holds that Pillow does not read; empty when it is no TIFF file."""
    try:
        with source.open("rb") if isinstance(source, Path) else io.BytesIO(source) as stream:
            start = stream.read(8)
            if start[:4] not in _TIFF:
                return ""
            tags = TiffImagePlugin.ImageFileDirectory_v2(start)
            stream.seek(tags.next)
            tags.load(stream)
        bits = "/".join(str(int(number)) for number in tags.get(_TIFF_BITS, (1,)))
        kind = _FORMATS_OF_NUMBERS.get(tags.get(_TIFF_FORMAT, (_UNSIGNED,))[0], "numbers of an unknown kind")
        samples = int(tags.get(_TIFF_SAMPLES, 1))
    except Exception:
        return "its TIFF header is damaged"
    return (
        f"it is a TIFF file of {samples} channel{'s' if samples > 1 else ''} of {bits}-bit {kind}, which is not read: "
        "save it as 8- or 16-bit integers, or as grey of 32-bit floating-point numbers"
    )


def _eight_bits(image: Image.Image) -> NDArray[np.uint8]:
    if image.mode in _DEEP_GREY:
        tags: Any = getattr(image, "tag_v2", {})
        values = np.asarray(image)
        # Pillow reads 32-bit integers as signed ones, whatever the file says (TIFF 6.0: unsigned unless said)
        if image.format == "TIFF" and values.dtype == np.int32 and _is_unsigned(tags):
            values = values.view(np.uint32)
        grey = _scale_grey(values)
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


def _is_unsigned(tags: Any) -> bool:
    return bool(tags.get(_TIFF_BITS, (0,))[0] == 32 and tags.get(_TIFF_FORMAT, (_UNSIGNED,))[0] == _UNSIGNED)


def _scale_grey(values: NDArray[Any]) -> NDArray[np.uint8]:
    """Scale grey of more than 8 bits to 0-255 over its percentiles: which of its bits are in use, no file says."""
    data = values.astype(np.float64)
    finite = np.isfinite(data)
    if not finite.any():
        raise UnreadableImage("none of its pixels holds a finite number")
    low, high = robust_range(data)
    if not high > low:
        return np.zeros(data.shape, dtype=np.uint8)
    return np.rint(np.clip((np.where(finite, data, low) - low) / (high - low), 0, 1) * 255).astype(np.uint8)
