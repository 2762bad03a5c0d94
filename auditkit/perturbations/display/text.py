"""Text that stands in the picture, as devices and viewers burn it in.

The font is the one that Pillow carries (Aileron Regular by Sora Sagano, "No Rights Reserved"), drawn by Pillow's own
FreeType, so nothing of the machine's fonts enters: the same pixels for one version of Pillow.
"""

from __future__ import annotations

from functools import lru_cache
from typing import cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from auditkit.perturbations import PerturbationError, PictureTooSmall
from auditkit.perturbations.keyed import fraction
from auditkit.perturbations.values import Pixels, full_scale, rounded

_SHARE = 14  # of the shorter side: 16 px of type at 224 px, which a reader, and a model's patches of 14 px, can tell
_SMALLEST = 10  # px of type; below this the letters run together
_MOST = 1 / 3  # of the height: a larger strip would be a test of what it hides


def burnt_in(pixels: Pixels, key: bytes, *, text: str) -> Pixels:
    """Write a text in white on a black strip over the full width, at the top or the bottom.

    Parameters
    ----------
    pixels : ndarray, shape (H, W) or (H, W, 3)
        The image.
    key : bytes
        Decides between top and bottom.
    text : str
        What is written: in one line where it fits, else broken between words.

    Raises
    ------
    PerturbationError
        When the font has no letter for a character; `PictureTooSmall` when the text could not be read.
    """
    strip = _strip(pixels.shape[0], pixels.shape[1], text)
    result = pixels.copy()
    rows = slice(len(strip)) if fraction(key) < 0.5 else slice(len(pixels) - len(strip), None)
    written = rounded(strip * (full_scale(pixels) / 255), pixels)
    result[rows] = written if pixels.ndim == 2 else written[..., None]
    return result


@lru_cache(maxsize=64)
def _strip(height: int, width: int, text: str) -> NDArray[np.uint8]:
    """Return the strip with the text, shape (rows, width)."""
    if not isinstance(text, str) or not text.strip() or not text.isprintable():
        raise PerturbationError(f"a text to burn in must be one line of letters (value seen: {text!r:.80}).")
    font, lines = _fitted(width, min(height, width) // _SHARE, text)
    _check_letters(font, text)
    ascent, descent = font.getmetrics()
    margin = max(ascent // 4, 1)
    rows = len(lines) * (ascent + descent) + 2 * margin
    longest = max(map(font.getlength, lines))
    if longest > width or rows > height * _MOST:
        raise PictureTooSmall(
            f"an image of {width} x {height} pixels is too small for the text {text!r:.80}: letters of {_SMALLEST} "
            f"pixels would take {len(lines)} lines of up to {longest:.0f} pixels, and a third of the height at most.",
            "Give larger images (images.max_side), or a shorter text.",
        )
    strip = Image.new("L", (width, rows))
    draw = ImageDraw.Draw(strip)
    for number, line in enumerate(lines):
        draw.text((round((width - font.getlength(line)) / 2), margin + number * (ascent + descent)), line, 255, font)
    drawn: NDArray[np.uint8] = np.array(strip)
    drawn.flags.writeable = False
    return drawn


def _fitted(width: int, size: int, text: str) -> tuple[ImageFont.FreeTypeFont, list[str]]:
    """Return the largest type up to a size in which the text fits one line; the smallest, broken, where none does."""
    for pixels in range(max(size, _SMALLEST), _SMALLEST - 1, -1):
        font = _font(pixels)
        if font.getlength(text) <= 0.96 * width:
            return font, [text]
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and font.getlength(longer) > 0.96 * width:
            lines.append(word)
        else:
            lines[-1] = longer
    return font, lines


def _check_letters(font: ImageFont.FreeTypeFont, text: str) -> None:
    """Refuse characters that would all be drawn as the same empty box."""
    box = bytes(font.getmask("\ue000"))  # private use: no font has a letter there
    missing = [char for char in dict.fromkeys(text) if char != " " and bytes(font.getmask(char)) == box]
    if missing:
        raise PerturbationError(
            f"the font of burnt-in text has no letter for {', '.join(map(repr, missing))}.", "Use other letters."
        )


@lru_cache(maxsize=64)
def _font(size: int) -> ImageFont.FreeTypeFont:
    try:
        return cast("ImageFont.FreeTypeFont", ImageFont.load_default(size))
    except ImportError:
        raise PerturbationError(
            "this Pillow was built without FreeType, so no text can be drawn.", "Install Pillow from PyPI: it has it."
        ) from None
