"""Projection phantoms: plain radiographs (chest, limb) and mammograms."""

from __future__ import annotations

import numpy as np

from auditkit.images.phantoms.canvas import Canvas, FloatImage, ramp


def draw_xray(c: Canvas) -> FloatImage:
    """A chest or a limb radiograph with a side marker."""
    image = _limb(c) if c.chance(0.4) else _chest(c)
    image += c.noise() * c.uniform(0.004, 0.014)
    if c.chance(0.6):
        x, y = c.uniform(-0.92, -0.75) * (1 if c.chance(0.5) else -1), c.uniform(-0.92, -0.7)
        image = np.maximum(image, c.strokes([[(x, y), (x, y + 0.09), (x + 0.05, y + 0.09)]], 1.8))
    return image


def _chest(c: Canvas) -> FloatImage:
    image = 0.72 - 0.1 * np.abs(c.x) + 0.03 * c.fractal(1.5, 0.6)
    trunk = c.ellipse(0.0, 0.55, c.uniform(0.92, 1.1), 1.55, 0.0, 2.0)
    neck = c.ellipse(0.0, -0.95, 0.28, 0.5, 0.0, 3.0)
    image = image * np.maximum(trunk, neck) + 0.02
    dome = c.uniform(0.42, 0.6)
    for side in (-1.0, 1.0):
        lung = c.ellipse(
            side * c.uniform(0.42, 0.48), 0.0, c.uniform(0.31, 0.37), c.uniform(0.7, 0.8), side * -0.09, 2.0
        )
        diaphragm = ramp(
            dome + 0.25 * (1.2 * (c.x - side * 0.42)) ** 2 * 4 + (0.06 if side > 0 else 0.0) - c.y, 0.0, 0.02
        )
        field = lung * diaphragm
        image -= field * (image - 0.2 - 0.04 * c.y)
        hilum = (side * 0.14, c.uniform(-0.12, 0.02))
        vessels = [
            c.walk(hilum, (0.0 if side > 0 else np.pi) + c.uniform(-1.3, 1.3), c.count(6, 11), 0.06, 0.22)
            for _ in range(c.count(12, 18))
        ]
        image += 0.15 * c.strokes(vessels, 1.3) * field + 0.13 * c.strokes(vessels[:5], 3.0) * field
        ribs = []
        for y in np.linspace(-0.72, 0.5, c.count(8, 10)).tolist():
            t = np.linspace(0.0, 1.0, 16)
            xs = side * (0.08 + 0.74 * np.sin(t * 1.75))
            ys = y + 0.05 - 0.16 * np.sin(t * 3.0) + 0.34 * t**2
            ribs.append(list(zip(xs.tolist(), ys.tolist(), strict=True)))
        width = c.size / 256 * c.uniform(6.0, 8.5)
        outer, inner = c.strokes(ribs, width), c.strokes(ribs, width * 0.6)
        image += (0.06 * outer + 0.07 * (outer - inner).clip(0)) * trunk
        collar = [(side * 0.06, -0.62), (side * 0.35, -0.7), (side * 0.72, c.uniform(-0.82, -0.74))]
        image += 0.16 * c.strokes([collar], c.size / 256 * 6.0)
    image += 0.16 * c.ellipse(0.0, 0.0, 0.13, 1.2, 0.0, 8.0)
    heart = c.ellipse(
        c.uniform(0.1, 0.18), c.uniform(0.25, 0.35), c.uniform(0.26, 0.36), c.uniform(0.26, 0.34), 0.6, 3.0
    )
    image += 0.38 * heart * (1 - ramp(image, 0.55, 0.3))
    discs = [[(-0.07, y), (0.07, y)] for y in np.linspace(-0.9, 0.7, 15).tolist()]
    image += 0.05 * c.strokes(discs, 1.6)
    if c.chance(0.3):
        image += 0.25 * c.strokes([c.walk((c.uniform(-0.2, 0.2), -1.0), 1.5, 14, 0.07, 0.12)], 1.4)  # a line or a lead
    return image


def _limb(c: Canvas) -> FloatImage:
    lean, joint = c.uniform(-0.2, 0.2), c.uniform(-0.15, 0.15)
    soft = c.ellipse(0.0, 0.0, c.uniform(0.5, 0.75), 1.6, lean, 4.0)
    image = soft * (0.26 + 0.025 * c.fractal(1.2, 0.4))
    along = c.y * np.cos(lean) - c.x * np.sin(lean)
    across = c.x * np.cos(lean) + c.y * np.sin(lean)
    trabeculae = np.clip(c.fractal(0.35, 0.08), -1.5, 2.0)
    for end in (-1.0, 1.0):
        distance = end * (along - joint) - 0.035 - 0.015 * np.cos(across * 9)
        flare = c.uniform(0.16, 0.24) + c.uniform(0.12, 0.2) * np.exp(-np.clip(distance, 0, 3) * c.uniform(3.5, 6.0))
        pixel = 2.0 / c.size
        bone = ramp(flare - np.abs(across), 0.0, pixel * 1.5) * ramp(distance, 0.0, pixel * 1.5)
        cortex = 0.03 + 0.05 * np.clip(distance, 0.0, 1.0)
        marrow = ramp(flare - cortex - np.abs(across), 0.0, 0.02) * ramp(distance, 0.03, 0.015)
        image += bone * 0.44 - marrow * (0.17 - 0.05 * trabeculae)
    if c.chance(0.5):
        cap = (c.uniform(-0.05, 0.05), joint - c.uniform(0.1, 0.25))
        c.add_ellipse(image, 0.12, cap, (0.16, 0.18), 0.0, 2.0)
    if c.chance(0.25):  # plate and screws
        y0 = c.uniform(0.15, 0.4)
        image = np.maximum(image, c.strokes([[(0.12, joint + y0), (0.12, joint + y0 + 0.45)]], 6.0))
        screws = [[(-0.15, joint + y0 + d), (0.14, joint + y0 + d)] for d in (0.05, 0.2, 0.35)]
        image = np.maximum(image, 0.95 * c.strokes(screws, 2.0))
    return image + 0.02


def draw_mammography(c: Canvas) -> FloatImage:
    """A mammogram: one breast against the chest-wall side, parenchyma, ligaments, calcifications, a film label."""
    side = 1.0 if c.chance(0.5) else -1.0
    x = c.x * np.float32(side)
    reach, height, centre = c.uniform(0.95, 1.55), c.uniform(0.78, 0.97), c.uniform(-0.1, 0.1)
    radius = np.hypot((x + 1.0) / reach, (c.y - centre) / height)
    breast = np.clip((1.0 - radius) * c.size * 0.25, 0.0, 1.0) ** 0.5
    thickness = np.sqrt(np.clip(1.0 - radius**2, 0.0, 1.0))
    gland = np.exp(-(((x + 0.55) / c.uniform(0.35, 0.6)) ** 2) - ((c.y - centre) / c.uniform(0.35, 0.6)) ** 2)
    dense = c.uniform(0.1, 0.45)
    tissue = c.fractal(1.35, 0.7)
    image: FloatImage = breast * (0.12 + 0.16 * thickness + gland * (dense + 0.13 * tissue) + 0.035 * tissue)
    nipple = (side * (reach - 1.0), centre)
    ligaments = [
        c.walk(nipple, (np.pi if side > 0 else 0.0) + c.uniform(-0.9, 0.9), 16, 0.06, 0.25)
        for _ in range(c.count(14, 26))
    ]
    image += 0.09 * c.strokes(ligaments, 1.2) * breast
    for _ in range(c.count(0, 2)):
        r = c.uniform(0.05, 0.16)
        centre_mass = (side * c.uniform(-0.75, -0.1), c.uniform(-0.4, 0.4))
        c.add_ellipse(image, c.uniform(0.12, 0.25), centre_mass, (r, r * 0.85), 0.4, 4.0, breast)
        spikes = [c.walk(centre_mass, c.uniform(0, 6.28), 5, r / 3, 0.1) for _ in range(9)]
        image += 0.12 * c.strokes(spikes, 1.0) * breast
    for _ in range(c.count(0, 3)):  # clusters of calcifications
        at = (side * c.uniform(-0.8, -0.1), c.uniform(-0.5, 0.5))
        for _ in range(c.count(4, 14)):
            spot = (at[0] + float(c.rng.normal(0, 0.04)), at[1] + float(c.rng.normal(0, 0.04)))
            c.add_ellipse(image, c.uniform(0.2, 0.5), spot, (0.008, c.uniform(0.006, 0.012)), 0.0, 0.8, breast)
    if c.chance(0.5):  # pectoral muscle of an oblique view
        wedge = ramp(-(x + 1.0) * c.uniform(1.1, 1.7) - (c.y + 1.0) * 0.55 + c.uniform(0.55, 0.85), 0.0, 0.02)
        image += wedge * breast * (0.2 + 0.03 * tissue)
    if c.chance(0.6):
        marks = []
        for row in range(c.count(1, 3)):
            for col in range(c.count(2, 6)):
                px, py = side * 0.7 + 0.05 * col - 0.1, -0.9 + 0.09 * row
                marks.append([(px, py), (px + c.uniform(0, 0.03), py + 0.05)])
                marks.append([(px, py + c.uniform(0, 0.05)), (px + 0.03, py + c.uniform(0, 0.05))])
        image = np.maximum(image, 0.9 * c.strokes(marks, 1.3))
    image += c.noise() * c.uniform(0.004, 0.012) * (0.3 + breast)
    return image
