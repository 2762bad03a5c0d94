"""Microscopy phantoms: a histological section stained with haematoxylin and eosin."""

from __future__ import annotations

import numpy as np

from auditkit.images.phantoms.canvas import Canvas, FloatImage, ramp

_HAEMATOXYLIN = np.array([0.62, 0.70, 0.29], dtype=np.float32)
_EOSIN = np.array([0.10, 0.85, 0.45], dtype=np.float32)


def draw_histology(c: Canvas) -> FloatImage:
    """An H&E field: stroma fibres, scattered nuclei with chromatin grain, sometimes glands around a lumen.

    Drawn as stain densities and turned to colour by the Beer-Lambert law, so that overlaps darken as they do on glass.
    """
    flow = c.fractal(2.0, 0.8, 10.0)
    fibres = np.sin(c.uniform(25, 45) * (c.y * np.cos(c.uniform(0, 3)) + c.x * np.sin(c.uniform(0, 3))) + 2.5 * flow)
    stroma = np.clip(0.32 + 0.12 * fibres * c.uniform(0.2, 1.0) + 0.13 * c.fractal(0.9, 0.2), 0.02, None)
    gaps = ramp(c.fractal(1.3, 0.3, 3.0), c.uniform(1.2, 2.2), 0.15)
    eosin = stroma * (1 - 0.9 * gaps)
    nuclei = c.blank()
    zoom = c.uniform(0.7, 1.3)
    for _ in range(c.count(0, 5)):
        _gland(c, eosin, nuclei, zoom)
    for _ in range(c.count(60, 190)):
        long = c.uniform(0.022, 0.04) * zoom
        axes = (long, long * c.uniform(0.45, 1.0))
        centre = (c.uniform(-1, 1), c.uniform(-1, 1))
        c.add_ellipse(nuclei, c.uniform(0.5, 0.95), centre, axes, c.uniform(0, 3.14), 1.3)
    chromatin = 1.0 + 0.28 * c.fractal(0.3, 0.04)
    blood = c.blank()
    for _ in range(c.count(0, 25)):
        r = 0.026 * zoom
        c.add_ellipse(blood, 0.5, (c.uniform(-1, 1), c.uniform(-1, 1)), (r, r), 0.0, 1.0, gaps)
    haematoxylin = np.clip(nuclei, 0.0, 1.1) * np.clip(chromatin, 0.3, 1.7) + 0.04
    density = haematoxylin[..., None] * _HAEMATOXYLIN * np.float32(c.uniform(1.0, 1.6))
    density = density + (eosin + blood)[..., None] * _EOSIN * np.float32(c.uniform(0.7, 1.2))
    grain = c.rng.standard_normal((c.size, c.size, 3), dtype=np.float32) * np.float32(c.uniform(0.004, 0.01))
    return np.asarray(0.97 * np.exp(-density) + grain, dtype=np.float32)


def _gland(c: Canvas, eosin: FloatImage, nuclei: FloatImage, zoom: float) -> None:
    """One gland, in place: an empty lumen, a pale cytoplasm ring and a palisade of nuclei around it."""
    cx, cy = c.uniform(-0.9, 0.9), c.uniform(-0.9, 0.9)
    a, b, turn = c.uniform(0.16, 0.34) * zoom, c.uniform(0.12, 0.26) * zoom, c.uniform(0, 3.1)
    whole, lumen = c.ellipse(cx, cy, a, b, turn), c.ellipse(cx, cy, a * 0.45, b * 0.45, turn)
    eosin += whole * (0.42 - eosin)
    eosin -= lumen * (eosin - 0.02)
    nuclei *= 1 - whole
    steps = max(10, int(np.pi * (a + b) / (0.055 * zoom)))
    for k in range(steps):
        angle = 2 * np.pi * k / steps + c.uniform(-0.05, 0.05)
        u, v = 0.82 * a * np.cos(angle), 0.82 * b * np.sin(angle)
        centre = (float(cx + u * np.cos(turn) - v * np.sin(turn)), float(cy + u * np.sin(turn) + v * np.cos(turn)))
        axes = (0.034 * zoom, 0.019 * zoom)
        c.add_ellipse(nuclei, c.uniform(0.6, 0.95), centre, axes, float(angle + turn), 1.2)
