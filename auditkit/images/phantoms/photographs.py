"""Optical phantoms in colour: fundus photography, endoscopy, dermoscopy."""

from __future__ import annotations

import numpy as np

from auditkit.images.phantoms.canvas import Canvas, FloatImage, ramp


def _colour(r: float, g: float, b: float) -> FloatImage:
    """A colour as an array that broadcasts against ``(size, size, 1)``."""
    return np.array([r, g, b], dtype=np.float32)


def _sensor_noise(c: Canvas, amount: float) -> FloatImage:
    """Camera noise: mostly common to the three channels, partly their own."""
    own = c.rng.standard_normal((c.size, c.size, 3), dtype=np.float32)
    return np.asarray(amount * (c.noise()[..., None] + 0.4 * own), dtype=np.float32)


def _tree(
    c: Canvas, start: tuple[float, float], heading: float, steps: int, wander: float
) -> list[tuple[int, list[tuple[float, float]]]]:
    """A vessel and its branches, each with its order (0 is the trunk)."""
    trunk = c.walk(start, heading, steps, 0.045, wander)
    found: list[tuple[int, list[tuple[float, float]]]] = [(0, trunk)]
    for _ in range(c.count(3, 6)):
        k = c.count(3, len(trunk) - 2)
        ahead = float(np.arctan2(trunk[k + 1][1] - trunk[k][1], trunk[k + 1][0] - trunk[k][0]))
        turn = (1 if c.chance(0.5) else -1) * c.uniform(0.4, 0.9)
        branch = c.walk(trunk[k], ahead + turn, c.count(5, 14), 0.04, 0.16)
        found.append((1, branch))
        if len(branch) > 6:
            found.append((2, c.walk(branch[4], ahead + turn * c.uniform(-0.6, 1.8), c.count(4, 9), 0.035, 0.2)))
    return found


def draw_fundus(c: Canvas) -> FloatImage:
    """Colour fundus photograph: disc, macula, arteries and veins, sometimes haemorrhages and exudates."""
    pixel = 2.0 / c.size
    radius = np.hypot(c.x, c.y)
    aperture = ramp(c.uniform(0.9, 0.98) - radius, 0.0, 1.5 * pixel) * ramp(
        c.uniform(0.8, 1.0) - np.abs(c.y), 0.0, pixel
    )
    texture, broad = c.fractal(0.9, 0.15, 2.0), c.fractal(1.8, 0.9, 8.0)
    ground = _colour(c.uniform(0.62, 0.85), c.uniform(0.3, 0.45), c.uniform(0.1, 0.22))
    light = 1.0 - c.uniform(0.15, 0.35) * radius**2 + 0.05 * broad + 0.03 * texture
    image = ground * light[..., None]
    side = 1.0 if c.chance(0.5) else -1.0
    disc = (side * c.uniform(0.3, 0.5), c.uniform(-0.1, 0.1))
    size = c.uniform(0.11, 0.15)
    rim, cup = c.ellipse(*disc, size, size * 1.12, 0.0, 3.0), c.ellipse(*disc, size * 0.5, size * 0.55, 0.0, 4.0)
    image += rim[..., None] * _colour(0.15, 0.34, 0.26) + cup[..., None] * _colour(0.03, 0.12, 0.14)
    macula = np.exp(-(((c.x + side * c.uniform(0.05, 0.15)) / 0.15) ** 2) - (c.y / 0.15) ** 2)
    image -= macula[..., None] * _colour(0.2, 0.14, 0.05)
    by_order: dict[int, list[list[tuple[float, float]]]] = {0: [], 1: [], 2: []}
    for up in (-1.0, 1.0):
        for bend in (-1.0, 1.0, 0.2):
            heading = up * np.pi / 2 - side * bend * c.uniform(0.3, 0.9)
            for order, path in _tree(c, disc, heading + (0.25 if c.chance(0.5) else -0.2), c.count(14, 24), 0.1):
                by_order[order].append(path)
    scale = c.size / 256
    for order, width in ((0, 3.4), (1, 2.0), (2, 1.1)):
        cover = c.strokes(by_order[order], width * scale * c.uniform(0.8, 1.15))
        image -= cover[..., None] * _colour(0.26, 0.22, 0.08) * (1.0, 0.85, 0.7)[order]
    for _ in range(c.count(0, 9) if c.chance(0.5) else 0):
        bright = c.chance(0.5)
        spot = c.blank()
        r = c.uniform(0.008, 0.03)
        c.add_ellipse(spot, 1.0, (c.uniform(-0.6, 0.6), c.uniform(-0.6, 0.6)), (r, r * c.uniform(0.6, 1.0)), 0.7, 1.5)
        image += spot[..., None] * (_colour(0.2, 0.35, 0.15) if bright else _colour(-0.35, -0.25, -0.08))
    image += _sensor_noise(c, c.uniform(0.004, 0.012))
    return np.asarray(image * aperture[..., None], dtype=np.float32)


def draw_endoscopy(c: Canvas) -> FloatImage:
    """Endoscopic view: a lumen with folds, mucosal vessels, wet highlights, sometimes a polyp; octagonal mask."""
    cx, cy = c.uniform(-0.35, 0.35), c.uniform(-0.35, 0.35)
    dx, dy = c.x - cx, c.y - cy
    warp = c.fractal(2.0, 0.9, 10.0)
    radius = np.hypot(dx, dy) * (1 + 0.12 * warp)
    folds = np.sin(np.log(radius + 0.12) * c.uniform(5.0, 9.0) + 0.8 * warp + c.uniform(0, 6.28))
    depth = 1.0 - np.exp(-((radius / c.uniform(0.25, 0.5)) ** 2))
    bump = 0.18 * folds * depth
    height = bump + 0.025 * c.fractal(1.0, 0.12, 3.0)
    if c.chance(0.4):
        r = c.uniform(0.12, 0.25)
        dome = np.clip(1 - ((c.x - c.uniform(-0.5, 0.5)) ** 2 + (c.y - c.uniform(-0.5, 0.5)) ** 2) / r**2, 0.0, 1.0)
        height = height + 0.5 * np.sqrt(dome)
        depth = np.maximum(depth, dome)
    slope_y, slope_x = np.gradient(height * c.size / 24)
    light = np.clip(0.25 + 0.75 * depth - 0.22 * (slope_x * dx + slope_y * dy) / (radius + 0.3) * 4, 0.02, 1.3)
    light *= 1.0 - 0.3 * np.hypot(c.x, c.y) ** 2
    image = _colour(c.uniform(0.75, 0.92), c.uniform(0.36, 0.5), c.uniform(0.26, 0.42)) * light[..., None]
    paths = [
        path
        for _ in range(c.count(3, 6))
        for _, path in _tree(c, (c.uniform(-1, 1), c.uniform(-1, 1)), c.uniform(0, 6.28), 18, 0.25)
    ]
    image -= (c.strokes(paths, 1.2) * depth)[..., None] * _colour(0.12, 0.17, 0.13)
    # Highlights sit where the wet surface faces the lamp: a few irregular patches with edges of a pixel.
    wet = c.fractal(1.2, 0.12, 5.0) + 1.5 * height / float(np.abs(height).max())
    shine = ramp(wet, float(np.quantile(wet, c.uniform(0.985, 0.998))), 0.15) * ramp(light, 0.4, 0.2)
    image += shine[..., None] * 0.8
    image += 0.015 * c.fractal(0.4, 0.05)[..., None] + _sensor_noise(c, c.uniform(0.004, 0.01))
    limit, corner = c.uniform(0.9, 1.02), c.uniform(1.3, 1.6)
    pixel = 2.0 / c.size
    mask = ramp(limit - np.maximum(np.abs(c.x), np.abs(c.y)), 0.0, pixel)
    mask = mask * ramp(corner - np.abs(c.x) - np.abs(c.y), 0.0, pixel)
    return np.asarray(image * mask[..., None], dtype=np.float32)


def draw_dermoscopy(c: Canvas) -> FloatImage:
    """Dermoscopic photograph: skin, an irregular pigmented lesion with network or globules, hairs, dark corners."""
    skin = _colour(c.uniform(0.78, 0.93), c.uniform(0.58, 0.74), c.uniform(0.48, 0.66)) * np.float32(
        c.uniform(0.7, 1.0)
    )
    furrows = np.abs(c.fractal(0.7, 0.06, 3.0))
    light = 1.0 - 0.12 * (c.x**2 + c.y**2) + 0.025 * c.fractal(1.6, 0.7) + 0.02 * np.clip(furrows, 0, 2)
    image = skin * light[..., None]
    cx, cy = c.uniform(-0.2, 0.2), c.uniform(-0.2, 0.2)
    a, b, turn = c.uniform(0.3, 0.65), c.uniform(0.3, 0.6), c.uniform(0, 3.1)
    dx, dy = c.x - cx, c.y - cy
    radius = np.hypot((dx * np.cos(turn) + dy * np.sin(turn)) / a, (dy * np.cos(turn) - dx * np.sin(turn)) / b)
    lesion = ramp(1.0 - radius + 0.16 * c.fractal(1.6, 0.6), 0.0, c.uniform(0.05, 0.2))
    shade = np.clip(0.45 + 0.22 * c.fractal(1.7, 0.5), 0.05, 1.0) * lesion
    pigment = _colour(c.uniform(0.3, 0.45), c.uniform(0.4, 0.5), c.uniform(0.35, 0.45))
    image -= shade[..., None] * pigment * 1.2
    if c.chance(0.6):
        mesh = ramp(-np.abs(c.fractal(0.6, 0.07, 4.0)), -0.3, 0.3)
        image -= (0.16 * mesh * lesion)[..., None] * _colour(0.9, 1.0, 0.8)
    else:
        globules = c.blank()
        for _ in range(c.count(25, 70)):
            r = c.uniform(0.008, 0.024)
            c.add_ellipse(globules, 1.0, (cx + c.uniform(-a, a), cy + c.uniform(-b, b)), (r, r), 0.0, 1.0)
        image -= (0.22 * np.clip(globules, 0, 1) * lesion)[..., None] * _colour(0.9, 1.0, 0.8)
    if c.chance(0.6):
        hairs = [
            c.walk((c.uniform(-1.0, 1.0), c.uniform(-1.0, 1.0)), c.uniform(0, 6.28), c.count(10, 22), 0.06, 0.07)
            for _ in range(c.count(2, 14))
        ]
        cover = c.strokes(hairs, c.size / 256 * c.uniform(1.2, 2.0))[..., None]
        image = image * (1 - 0.85 * cover) + 0.85 * cover * _colour(0.16, 0.1, 0.08)
    for _ in range(c.count(0, 6)):  # bubbles in the immersion fluid
        centre, r = (c.uniform(-0.9, 0.9), c.uniform(-0.9, 0.9)), c.uniform(0.015, 0.05)
        ring = c.ellipse(*centre, r, r) - c.ellipse(*centre, r * 0.8, r * 0.8)
        image += 0.2 * ring[..., None]
    image += _sensor_noise(c, c.uniform(0.005, 0.014))
    if c.chance(0.35):
        image *= ramp(c.uniform(1.0, 1.25) - np.hypot(c.x, c.y), 0.0, 0.05)[..., None]
    return np.asarray(image, dtype=np.float32)
