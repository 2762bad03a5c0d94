"""Degradations the reference model learns from, and others kept back to see whether it learned quality or types.

Written apart from `auditkit.perturbations` on purpose: an audit that used the very functions the model was trained on
would flatter it. Every function takes a float32 image ``(h, w, channels)`` in [0, 1], a severity in (0, 1] and a
generator, and returns an image of the same shape, not yet clipped. Severities are meant to look about equally bad
across types, so that one number can be learned for all of them.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy import ndimage

FloatImage = npt.NDArray[np.float32]
Degradation = Callable[[FloatImage, float, np.random.Generator], FloatImage]

CLEAN: Final = "none"
CLEAN_SCORE: Final = 95.0
SCORE_SPAN: Final = 87.0


def true_score(severity: float) -> float:
    """Quality on 0-100 that a severity stands for: 95 when clean, 8 at the worst.

    The scale is linear and the same for all types; clean images stop short of 100 because no image is perfect.
    """
    return CLEAN_SCORE - SCORE_SPAN * severity


def quantise(image: FloatImage) -> npt.NDArray[np.uint8]:
    """Clip to [0, 1] and round to 8 bits."""
    return np.asarray(np.clip(image, 0.0, 1.0) * 255.0 + 0.5, dtype=np.uint8)


def _as_pil(image: FloatImage) -> Image.Image:
    pixels = quantise(image)
    return Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)


def _from_pil(image: Image.Image) -> FloatImage:
    pixels = np.asarray(image, dtype=np.float32) / np.float32(255.0)
    return pixels[..., None] if pixels.ndim == 2 else pixels


def gaussian_noise(image: FloatImage, severity: float, rng: np.random.Generator) -> FloatImage:
    """Additive noise, standard deviation 0.02 to 0.36 of the range; grey stays grey."""
    noise = rng.standard_normal(image.shape, dtype=np.float32)
    return np.asarray(image + noise * np.float32(0.015 + 0.345 * severity), dtype=np.float32)


def gaussian_blur(image: FloatImage, severity: float, rng: np.random.Generator) -> FloatImage:
    """Isotropic blur, sigma 0.5 to 4.5 pixels."""
    sigma = 0.45 + 4.05 * severity
    return np.asarray(ndimage.gaussian_filter(image, (sigma, sigma, 0.0), truncate=3.0), dtype=np.float32)


def pixelation(image: FloatImage, severity: float, rng: np.random.Generator) -> FloatImage:
    """Reduced by area averaging, enlarged by repetition: blocks of 1.35 to 8 pixels."""
    block = 1.35 + 6.65 * severity
    pil = _as_pil(image)
    small = (max(2, round(pil.width / block)), max(2, round(pil.height / block)))
    reduced = pil.resize(small, Image.Resampling.BOX)
    return _from_pil(reduced.resize(pil.size, Image.Resampling.NEAREST))


def jpeg(image: FloatImage, severity: float, rng: np.random.Generator) -> FloatImage:
    """JPEG at quality 45 down to 4."""
    buffer = io.BytesIO()
    _as_pil(image).save(buffer, "JPEG", quality=round(45 - 41 * severity))
    return _from_pil(Image.open(buffer))


def brightness_up(image: FloatImage, severity: float, rng: np.random.Generator) -> FloatImage:
    """A constant 0.06 to 0.56 is added: bright parts saturate."""
    return np.asarray(image + np.float32(0.06 + 0.5 * severity), dtype=np.float32)


def contrast_down(image: FloatImage, severity: float, rng: np.random.Generator) -> FloatImage:
    """Differences to the mean shrink to 85 % down to 5 %."""
    mean = image.mean(axis=(0, 1), keepdims=True, dtype=np.float32)
    return np.asarray(mean + (image - mean) * np.float32(0.9 - 0.85 * severity), dtype=np.float32)


def speckle(image: FloatImage, severity: float, rng: np.random.Generator) -> FloatImage:
    """Multiplicative noise, standard deviation 0.05 to 0.65."""
    noise = rng.standard_normal((*image.shape[:2], 1), dtype=np.float32)
    return np.asarray(image * (1 + noise * np.float32(0.05 + 0.6 * severity)), dtype=np.float32)


def impulse(image: FloatImage, severity: float, rng: np.random.Generator) -> FloatImage:
    """Salt and pepper on 0.5 to 25 % of the pixels."""
    hit = rng.random(image.shape[:2]) < 0.005 + 0.245 * severity
    out = image.copy()
    out[hit] = rng.integers(0, 2, (int(hit.sum()), 1)).astype(np.float32)
    return out


def motion(image: FloatImage, severity: float, rng: np.random.Generator) -> FloatImage:
    """Uniform motion over 2 to 20 pixels in a random direction."""
    length, angle = 2.0 + 18.0 * severity, rng.uniform(0.0, np.pi)
    steps = np.linspace(-length / 2, length / 2, int(length) + 2)
    total = np.zeros_like(image)
    for step in steps:
        shift = (step * np.sin(angle), step * np.cos(angle), 0.0)
        total += ndimage.shift(image, shift, order=1, mode="nearest")
    return np.asarray(total / len(steps), dtype=np.float32)


def zoom(image: FloatImage, severity: float, rng: np.random.Generator) -> FloatImage:
    """Average of centred magnifications from 1 to 1.03 ... 1.3."""
    pil = _as_pil(image)
    factors = np.linspace(1.0, 1.03 + 0.27 * severity, 9)
    total = np.zeros_like(image)
    for factor in factors:
        w, h = pil.width / factor, pil.height / factor
        left, top = (pil.width - w) / 2, (pil.height - h) / 2
        total += _from_pil(pil.resize(pil.size, Image.Resampling.BILINEAR, box=(left, top, left + w, top + h)))
    return np.asarray(total / len(factors), dtype=np.float32)


def darkening(image: FloatImage, severity: float, rng: np.random.Generator) -> FloatImage:
    """Multiplied by 0.8 down to 0.12."""
    return np.asarray(image * np.float32(0.8 - 0.68 * severity), dtype=np.float32)


TRAINED: Final[Mapping[str, Degradation]] = MappingProxyType(
    {
        "noise": gaussian_noise,
        "blur": gaussian_blur,
        "pixelation": pixelation,
        "compression": jpeg,
        "brightness": brightness_up,
        "contrast": contrast_down,
    }
)
"""The types seen in training."""

HELD_OUT: Final[Mapping[str, Degradation]] = MappingProxyType(
    {"speckle": speckle, "impulse": impulse, "motion": motion, "zoom": zoom, "darkening": darkening}
)
"""Types never trained on: only `evaluate` uses them."""

TYPES: Final[tuple[str, ...]] = (CLEAN, *TRAINED)
"""Class labels of the training set, the clean image first."""
