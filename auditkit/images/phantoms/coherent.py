"""Phantoms of coherent imaging, where speckle is the texture: ultrasound and optical coherence tomography."""

from __future__ import annotations

import numpy as np

from auditkit.images.phantoms.canvas import Canvas, FloatImage, ramp


def draw_ultrasound(c: Canvas) -> FloatImage:
    """B-mode ultrasound: a convex or linear sector, speckle, cysts, shadows, bright interfaces and screen marks."""
    convex = c.chance(0.65)
    apex = -1.0 - c.uniform(0.1, 0.5)
    depth = np.hypot(c.x, c.y - apex) if convex else c.y + 1.0
    angle = np.arctan2(c.x, c.y - apex) if convex else c.x
    half, near = (c.uniform(0.5, 0.75), 0.2 - (apex + 1.0)) if convex else (c.uniform(0.75, 0.95), 0.1)
    far = near + c.uniform(1.5, 1.8)
    pixel = 2.0 / c.size
    sector = ramp(half - np.abs(angle), 0.0, pixel) * ramp(depth, near, pixel) * ramp(far - depth, 0.0, pixel)
    echo = 0.36 + 0.13 * c.fractal(1.8, 0.8, 6.0)
    for _ in range(c.count(2, 6)):
        axes = (c.uniform(0.06, 0.34), c.uniform(0.05, 0.24))
        c.add_ellipse(
            echo, c.uniform(-0.34, 0.3), (c.uniform(-0.5, 0.5), c.uniform(-0.4, 0.7)), axes, c.uniform(0, 3.1), 2.0
        )
    for _ in range(c.count(1, 3)):  # cysts, with enhancement behind them
        centre, r = (c.uniform(-0.4, 0.4), c.uniform(-0.4, 0.5)), c.uniform(0.05, 0.17)
        echo = echo * (1 - c.ellipse(*centre, r, r * 0.85)) + 0.02
        behind = ramp(r * 0.8 - np.abs(c.x - centre[0]), 0.0, 0.1) * ramp(c.y, centre[1] + r, 0.05)
        echo += 0.15 * behind
    layers = [c.walk((-1.0, c.uniform(-0.7, 0.8)), c.uniform(-0.2, 0.2), 24, 0.09, 0.08) for _ in range(c.count(3, 7))]
    echo += 0.5 * c.strokes(layers, 1.6) * ramp(c.fractal(1.5, 0.5, 5.0), -0.3, 0.4)
    if c.chance(0.3):
        edge = c.uniform(-0.4, 0.4)
        echo *= 1 - 0.75 * ramp(0.09 - np.abs(angle - edge), 0.0, 0.05) * ramp(depth, near + 0.5, 0.1)
    grain = c.speckle(c.uniform(1.0, 1.5), c.uniform(0.65, 0.9))
    image = np.clip(echo, 0.01, 1.2) * (0.4 + 0.6 * grain) * np.exp(-0.22 * (depth - near))
    image = np.clip(image, 0.0, 1.0) ** np.float32(c.uniform(0.7, 0.95)) * sector
    ticks = [[(0.95, y), (0.98, y)] for y in np.linspace(-0.8, 0.8, 9).tolist()]
    screen = c.strokes(ticks, 1.0) * 0.7
    for row in range(c.count(0, 3)):  # letter-like marks
        y = -0.96 + 0.06 * row
        xs = np.cumsum(c.rng.uniform(0.015, 0.04, c.count(6, 18))) - 0.98
        marks = [[(x, y), (x + c.uniform(-0.01, 0.012), y + c.uniform(0.01, 0.03))] for x in xs.tolist()]
        screen = np.maximum(screen, 0.8 * c.strokes(marks, 1.0))
    return np.asarray(np.maximum(image, screen), dtype=np.float32)


def draw_oct(c: Canvas) -> FloatImage:
    """Retinal OCT: layered B-scan with a foveal pit, speckle, sometimes fluid or drusen."""
    line = c.x[0]
    sway = (
        c.uniform(0.03, 0.14) * np.sin(line * c.uniform(1.0, 2.2) + c.uniform(0, 6.28)) + c.uniform(-0.15, 0.15) * line
    )
    top = c.uniform(-0.45, 0.0) + sway
    pit = np.exp(-(((line - c.uniform(-0.35, 0.35)) / c.uniform(0.16, 0.3)) ** 2))
    ripple = np.cumsum(c.rng.normal(0.0, 0.0025, c.size)).astype(np.float32)
    image = c.blank(c.uniform(0.02, 0.07))
    current = top + c.uniform(0.08, 0.2) * pit + ripple
    levels = [0.75, 0.4, 0.55, 0.25, 0.48, 0.2, 0.22, 0.7, 0.3, 0.9]
    pixel = 2.0 / c.size
    for k, level in enumerate(levels):
        thickness = c.uniform(0.028, 0.07) * (1 - (0.75 * pit if k < 4 else 0.0))
        if k >= 7 and c.chance(0.4):  # drusen lift the outer bands
            bumps = np.clip(np.sin(line * c.uniform(12, 30) + c.uniform(0, 6)), 0.6, 1.0) - 0.6
            thickness = thickness + c.uniform(0.02, 0.1) * bumps
        below = current + thickness
        band = ramp(c.y, current[None, :], pixel) * ramp(below[None, :] - c.y, 0.0, pixel)
        image += band * (level * c.uniform(0.8, 1.1))
        current = below
    depth = c.y - current[None, :]
    vessels = 1 + 0.5 * c.fractal(1.0, 0.15, 3.0)
    image += np.where(depth > 0, 0.5 * np.exp(-np.clip(depth, 0, 4) * c.uniform(2.5, 5.0)) * vessels, 0.0)
    for _ in range(c.count(0, 4)):  # fluid
        at = c.count(c.size // 5, 4 * c.size // 5)
        r = c.uniform(0.03, 0.09)
        c.add_ellipse(image, -0.4, (float(line[at]), float(top[at]) + c.uniform(0.15, 0.3)), (r * 1.6, r))
    for _ in range(c.count(0, 4)):  # retinal vessels shadow what lies behind
        place = c.uniform(-0.9, 0.9)
        image *= 1 - c.uniform(0.3, 0.6) * ramp(0.015 - np.abs(c.x - place), 0.0, 0.012)
    grain = c.speckle(c.uniform(0.5, 0.85), c.uniform(0.45, 0.6))
    strength = np.float32(c.uniform(0.3, 0.6))
    return np.asarray(np.clip(image, 0.01, 1.0) * (1 - strength + strength * grain), dtype=np.float32)
