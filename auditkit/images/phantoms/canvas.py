"""Drawing primitives shared by the phantoms: ellipses, strokes, fractal and speckle textures on a square canvas.

Coordinates run from -1 to 1 on both axes (x to the right, y downwards), so an anatomy is written once and drawn at any
size. Edges are one pixel wide whatever the size: blur and pixelation then remove something that was there.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.fft
from scipy import ndimage

FloatImage = npt.NDArray[np.floating[Any]]


@lru_cache(maxsize=8)
def _radial_frequency(size: int) -> FloatImage:
    """Distance from zero frequency, in cycles per pixel, of every coefficient of a real 2-D FFT."""
    fy = np.fft.fftfreq(size)[:, None]
    fx = np.fft.rfftfreq(size)[None, :]
    radius: FloatImage = np.hypot(fy, fx).astype(np.float32)
    radius[0, 0] = 1.0
    return radius


class Canvas:
    """A square drawing area with its own random generator.

    Parameters
    ----------
    rng
        Source of all randomness of one phantom.
    size
        Side in pixels.

    Attributes
    ----------
    x, y
        Coordinate grids in [-1, 1], float32, shape ``(size, size)``.
    """

    def __init__(self, rng: np.random.Generator, size: int) -> None:
        self.rng = rng
        self.size = size
        axis = np.linspace(-1.0, 1.0, size, dtype=np.float32)
        self.x: FloatImage = np.broadcast_to(axis[None, :], (size, size))
        self.y: FloatImage = np.broadcast_to(axis[:, None], (size, size))

    def uniform(self, low: float, high: float) -> float:
        """One uniform draw."""
        return float(self.rng.uniform(low, high))

    def count(self, low: int, high: int) -> int:
        """One integer draw, both ends included."""
        return int(self.rng.integers(low, high + 1))

    def chance(self, probability: float) -> bool:
        """True with the given probability."""
        return bool(self.rng.random() < probability)

    def blank(self, level: float = 0.0) -> FloatImage:
        """A uniform image."""
        return np.full((self.size, self.size), level, dtype=np.float32)

    def noise(self) -> FloatImage:
        """White Gaussian noise of unit variance."""
        return self.rng.standard_normal((self.size, self.size), dtype=np.float32)

    def fractal(self, slope: float = 1.5, coarsest: float = 1.0, finest: float = 2.0) -> FloatImage:
        """Noise whose amplitude falls as a power of frequency, with zero mean and unit variance.

        Parameters
        ----------
        slope
            Exponent of the amplitude spectrum: 0 is white noise, 1.5 looks like glandular tissue.
        coarsest
            Longest wavelength kept, as a fraction of the side.
        finest
            Shortest wavelength kept, in pixels (2 keeps everything).
        """
        radius = _radial_frequency(self.size)
        shape = radius.shape
        spectrum = self.rng.standard_normal(shape, dtype=np.float32) + 1j * self.rng.standard_normal(
            shape, dtype=np.float32
        )
        gain = radius**-slope
        gain[radius < 1.0 / (coarsest * self.size)] = 0.0
        if finest > 2.0:
            gain = gain * np.exp(-((radius * finest) ** 2))
        field = scipy.fft.irfft2(spectrum * gain, s=(self.size, self.size)).astype(np.float32)
        spread = float(field.std())
        return np.asarray((field - field.mean()) / max(spread, 1e-9), dtype=np.float32)

    def speckle(self, across: float, along: float) -> FloatImage:
        """Fully developed speckle (Rayleigh envelope, unit mean) with the given grain sizes in pixels (x, y)."""
        parts = []
        for _ in range(2):
            part = ndimage.gaussian_filter(self.noise(), (along, across), mode="wrap", truncate=3.0)
            parts.append(part / float(part.std()))
        envelope = np.hypot(parts[0], parts[1])
        return np.asarray(envelope / float(envelope.mean()), dtype=np.float32)

    def ellipse(self, cx: float, cy: float, a: float, b: float, angle: float = 0.0, soft: float = 1.0) -> FloatImage:
        """Coverage (0-1) of a filled ellipse over the whole canvas; ``soft`` is the width of its edge in pixels."""
        return _coverage(self.x - cx, self.y - cy, a, b, angle, soft * 2.0 / self.size)

    def add_ellipse(
        self,
        image: FloatImage,
        amount: float,
        centre: tuple[float, float],
        axes: tuple[float, float],
        angle: float = 0.0,
        soft: float = 1.0,
        within: FloatImage | None = None,
    ) -> None:
        """Add ``amount`` inside an ellipse, in place, touching only its bounding box (30 nuclei cost what one did)."""
        cx, cy = centre
        reach = max(axes) + 2.0 * soft / self.size
        x0, x1 = self._span(cx - reach, cx + reach)
        y0, y1 = self._span(cy - reach, cy + reach)
        if x0 >= x1 or y0 >= y1:
            return
        box = (slice(y0, y1), slice(x0, x1))
        cover = _coverage(self.x[box] - cx, self.y[box] - cy, axes[0], axes[1], angle, soft * 2.0 / self.size)
        if within is not None:
            cover = cover * within[box]
        image[box] += amount * cover

    def strokes(self, paths: Iterable[Sequence[tuple[float, float]]], width: float) -> FloatImage:
        """Coverage of smooth lines through the given points; ``width`` in pixels (the smallest useful is about 1)."""
        mask = self.blank()
        for path in paths:
            points = np.asarray(path, dtype=np.float32)
            if len(points) < 2:
                continue
            legs = np.hypot(*np.diff(points, axis=0).T) * self.size
            dense = np.interp(
                np.arange(0.0, float(legs.sum()), 0.7), np.concatenate([[0.0], np.cumsum(legs)]), np.arange(len(points))
            )
            px = np.interp(dense, np.arange(len(points)), points[:, 0])
            py = np.interp(dense, np.arange(len(points)), points[:, 1])
            ix = np.rint((px + 1) / 2 * (self.size - 1)).astype(int)
            iy = np.rint((py + 1) / 2 * (self.size - 1)).astype(int)
            inside = (ix >= 0) & (iy >= 0) & (ix < self.size) & (iy < self.size)
            mask[iy[inside], ix[inside]] = 1.0
        sigma = max(width, 0.8) / 2.0
        soft = ndimage.gaussian_filter(mask, sigma, truncate=3.0)
        # A one-pixel line filtered by a Gaussian peaks at 1/(sigma sqrt(2 pi)); 0.75 of that gives flat-topped lines.
        return np.asarray(np.clip(soft * sigma * 2.507 / 0.75, 0.0, 1.0), dtype=np.float32)

    def walk(
        self, start: tuple[float, float], heading: float, steps: int, step: float, wander: float
    ) -> list[tuple[float, float]]:
        """A meandering path: ``steps`` legs of length ``step`` whose heading changes by ``wander`` radians (sd)."""
        turns = heading + np.cumsum(self.rng.normal(0.0, wander, steps))
        xs = start[0] + np.cumsum(step * np.cos(turns))
        ys = start[1] + np.cumsum(step * np.sin(turns))
        return [start, *zip(xs.tolist(), ys.tolist(), strict=True)]

    def _span(self, low: float, high: float) -> tuple[int, int]:
        """Pixel range that covers an interval of coordinates."""
        scale = (self.size - 1) / 2.0
        return max(0, int((low + 1) * scale) - 1), min(self.size, int((high + 1) * scale) + 2)


def _coverage(dx: FloatImage, dy: FloatImage, a: float, b: float, angle: float, edge: float) -> FloatImage:
    """Anti-aliased coverage of an ellipse from offsets to its centre."""
    cos, sin = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    radius = np.hypot((dx * cos + dy * sin) / np.float32(a), (dy * cos - dx * sin) / np.float32(b))
    return np.asarray(np.clip((1.0 - radius) * np.float32(min(a, b) / edge) + 0.5, 0.0, 1.0), dtype=np.float32)


def ramp(values: FloatImage, threshold: float, width: float) -> FloatImage:
    """0 below ``threshold``, 1 above it, linear over ``width`` around it."""
    return np.asarray(np.clip((values - threshold) / width + 0.5, 0.0, 1.0), dtype=np.float32)


def to_uint8(image: FloatImage) -> npt.NDArray[np.uint8]:
    """Round an image in [0, 1] to 8 bits; values outside are clipped."""
    return np.asarray(np.clip(image, 0.0, 1.0) * 255.0 + 0.5, dtype=np.uint8)
