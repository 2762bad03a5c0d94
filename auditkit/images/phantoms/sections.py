"""Tomographic phantoms: computed tomography, magnetic resonance, nuclear medicine."""

from __future__ import annotations

import numpy as np

from auditkit.images.phantoms.canvas import Canvas, FloatImage, ramp


def draw_ct(c: Canvas) -> FloatImage:
    """Axial CT: a head, a chest or an abdomen, under a randomly chosen display window."""
    kind = c.count(0, 2)
    image = _ct_head(c) if kind == 0 else _ct_trunk(c, lungs=kind == 1)
    # Filtered back-projection noise is blue: little power at low frequencies.
    grain = c.noise()
    grain -= np.roll(grain, 1, axis=0) * 0.45 + np.roll(grain, 1, axis=1) * 0.35
    image += grain * c.uniform(0.004, 0.022) * (image > 0.03)
    return image


def _outline(c: Canvas, a: float, b: float, ripple: float) -> FloatImage:
    """Normalised radius (1 on the boundary) of an ellipse with a gently irregular outline."""
    angle = np.arctan2(c.y / b, c.x / a)
    wobble = c.blank(1.0)
    for order in (2, 3, 4, 5):
        wobble += np.float32(c.uniform(-ripple, ripple) / order) * np.cos(order * angle + c.uniform(0, 6.28))
    return np.asarray(np.hypot(c.x / a, c.y / b) / wobble, dtype=np.float32)


def _inside(c: Canvas, radius: FloatImage, limit: float, scale: float) -> FloatImage:
    """Coverage of the region whose normalised radius is below ``limit``, with a one-pixel edge."""
    cover: FloatImage = np.clip((limit - radius) * np.float32(scale * c.size / 2) + 0.5, 0.0, 1.0)
    return cover


def _ct_head(c: Canvas) -> FloatImage:
    a, b = c.uniform(0.58, 0.72), c.uniform(0.74, 0.88)
    radius = _outline(c, a, b, 0.05)
    skull = c.uniform(0.055, 0.09)
    scalp = _inside(c, radius, 1.0, a)
    bone_out, bone_in = _inside(c, radius, 0.955, a), _inside(c, radius, 0.955 - skull, a)
    sulci = np.abs(c.fractal(1.2, 0.16, 3.0))
    brain = 0.42 + 0.05 * ramp(c.fractal(1.6, 0.5, 4.0), 0.1, 0.4) - 0.1 * ramp(-sulci, -0.13, 0.1) * (radius > 0.5)
    image = 0.22 * scalp + (0.95 - 0.22) * bone_out * (1.0 - bone_in)
    image = image * (1 - bone_in) + brain * bone_in
    tilt = c.uniform(-0.12, 0.12)
    for side in (-1.0, 1.0):
        centre = (side * c.uniform(0.07, 0.13), c.uniform(-0.2, 0.05))
        c.add_ellipse(image, -c.uniform(0.12, 0.2), centre, (0.055, c.uniform(0.16, 0.26)), side * 0.3 + tilt, 1.5)
    c.add_ellipse(image, -0.14, (0.0, c.uniform(0.05, 0.15)), (0.02, c.uniform(0.06, 0.1)), tilt)
    falx = c.strokes([[(c.uniform(-0.01, 0.01), -b * 0.86), (0.0, -0.25)], [(0.0, 0.3), (0.0, b * 0.85)]], 1.2)
    image += 0.14 * falx * bone_in
    for _ in range(c.count(0, 3)):  # calcified plexus, pineal gland, haemorrhage
        r = c.uniform(0.012, 0.07)
        c.add_ellipse(image, c.uniform(0.1, 0.4), (c.uniform(-0.3, 0.3), c.uniform(-0.4, 0.4)), (r, r * 0.8), 0.5, 1.5)
    return image


def _ct_trunk(c: Canvas, lungs: bool) -> FloatImage:
    a, b = c.uniform(0.8, 0.95), c.uniform(0.55, 0.75)
    radius = _outline(c, a, b, 0.06)
    fat = c.uniform(0.05, 0.16)
    body, wall = _inside(c, radius, 1.0, b), _inside(c, radius, 1.0 - fat, b)
    cavity = _inside(c, radius, 0.9 - fat, b)
    image: FloatImage = 0.24 * body + 0.26 * wall - (0.0 if lungs else 0.2) * cavity
    if lungs:
        for side in (-1.0, 1.0):
            field = c.ellipse(side * a * 0.46, -0.02, a * 0.34, b * c.uniform(0.62, 0.74), side * 0.12) * cavity
            image -= field * (image - 0.06)
            vessels = [
                c.walk(
                    (side * a * 0.18, c.uniform(-0.1, 0.1)),
                    (0.0 if side > 0 else 3.14) + c.uniform(-1.1, 1.1),
                    9,
                    0.06,
                    0.28,
                )
                for _ in range(c.count(7, 12))
            ]
            image += 0.33 * c.strokes(vessels, c.uniform(1.2, 2.2)) * field
        c.add_ellipse(image, 0.1, (c.uniform(0.05, 0.15), c.uniform(-0.15, 0.0)), (0.24, 0.22), 0.3, 1.5)
    else:
        c.add_ellipse(image, 0.26, (-a * 0.45, -0.08), (a * 0.38, b * 0.52), c.uniform(-0.3, 0.3), 1.2, cavity)  # liver
        c.add_ellipse(image, 0.24, (a * 0.6, -0.02), (0.12, 0.2), c.uniform(-0.4, 0.4), 1.2, cavity)  # spleen
        for side in (-1.0, 1.0):
            centre = (side * c.uniform(0.3, 0.42), c.uniform(0.18, 0.3))
            c.add_ellipse(image, c.uniform(0.25, 0.5), centre, (0.085, 0.13), side * 0.4, 1.2)
            c.add_ellipse(image, -0.2, (centre[0] - side * 0.03, centre[1]), (0.035, 0.05), side * 0.4, 1.5)
        for _ in range(c.count(8, 18)):  # bowel: wall, content, sometimes gas
            centre = (c.uniform(-0.25, 0.6) * a, c.uniform(-0.75, 0.35) * b)
            r = c.uniform(0.04, 0.1)
            c.add_ellipse(image, 0.2, centre, (r, r * c.uniform(0.7, 1.0)), c.uniform(0, 3.1), 1.0, cavity)
            c.add_ellipse(image, -c.uniform(0.02, 0.1), centre, (r * 0.7, r * 0.6), 0.0, 1.0, cavity)
            if c.chance(0.25):
                c.add_ellipse(image, -0.5, (centre[0], centre[1] - r * 0.2), (r * 0.6, r * 0.4), 0.0, 1.0, cavity)
        image += (
            0.05
            * c.strokes(
                [
                    c.walk((c.uniform(-0.4, 0.5), c.uniform(-0.3, 0.2)), c.uniform(0, 6.28), 8, 0.04, 0.6)
                    for _ in range(c.count(8, 16))
                ],
                1.3,
            )
            * cavity
        )
    image += 0.018 * c.fractal(0.8, 0.3, 2.5) * wall
    spine = (c.uniform(-0.03, 0.03), b * 0.55)
    c.add_ellipse(image, 0.38, spine, (0.14, 0.11), 0.0)
    c.add_ellipse(image, -0.16, spine, (0.115, 0.088), 0.0)
    c.add_ellipse(image, -0.2, (spine[0], spine[1] + 0.14), (0.05, 0.045))
    image += 0.4 * c.strokes(
        [
            [(spine[0], spine[1] + 0.19), (spine[0], spine[1] + 0.27)],
            [(spine[0] - 0.2, spine[1] + 0.12), (spine[0] + 0.2, spine[1] + 0.12)],
        ],
        3.0,
    )
    c.add_ellipse(image, c.uniform(0.06, 0.4), (spine[0] - 0.06, spine[1] - 0.19), (0.065, 0.065))  # aorta
    for k in range(c.count(5, 9)):  # ribs cut across the wall
        turn = c.uniform(0, 6.28) + k
        at = (0.91 - fat) * a * np.cos(turn), (0.91 - fat) * b * np.sin(turn)
        c.add_ellipse(image, 0.5, at, (0.07, 0.024), float(np.arctan2(b * np.cos(turn), -a * np.sin(turn))))
    if c.chance(0.7):
        arc = [(t, b + c.uniform(0.05, 0.06) + 0.1 * (1 - t * t)) for t in np.linspace(-0.8, 0.8, 12).tolist()]
        image += c.uniform(0.1, 0.3) * c.strokes([arc], 1.5)  # table
    return image


def draw_mr(c: Canvas) -> FloatImage:
    """MR: an axial brain (T1- or T2-like) or a joint, with coil shading and Rician noise."""
    image = _mr_joint(c) if c.chance(0.35) else _mr_brain(c)
    shading = 1.0 + c.uniform(-0.2, 0.2) * c.x + c.uniform(-0.2, 0.2) * c.y
    sigma = c.uniform(0.004, 0.018)
    return np.asarray(np.hypot(image * shading + sigma * c.noise(), sigma * c.noise()), dtype=np.float32)


def _mr_brain(c: Canvas) -> FloatImage:
    a, b = c.uniform(0.62, 0.76), c.uniform(0.78, 0.92)
    radius = _outline(c, a, b, 0.04)
    scalp, skull = _inside(c, radius, 1.0, a), _inside(c, radius, 0.93, a)
    csf, brain = _inside(c, radius, 0.87, a), _inside(c, radius, 0.845, a)
    t2 = c.chance(0.5)
    grey, white, fluid, fat = (0.55, 0.36, 0.92, 0.5) if t2 else (0.42, 0.66, 0.1, 0.88)
    folds = np.abs(c.fractal(1.0, 0.16, 9.0))
    depth = np.clip((0.845 - radius) / 0.3, 0.0, 1.0)
    cortex = ramp(0.75 - 0.85 * depth - folds, 0.0, 0.12)
    sulcus = ramp(0.17 - 0.3 * depth - folds, 0.0, 0.08)
    tissue = white + (grey - white) * cortex
    tissue = tissue + (fluid - tissue) * sulcus
    image = fat * scalp * (1 - skull) + 0.06 * skull
    image = image * (1 - csf) + fluid * csf
    image = image * (1 - brain) + tissue * brain
    image += (fluid - image) * c.strokes([[(0.0, -b * 0.85), (0.0, -0.3)], [(0.0, 0.35), (0.0, b * 0.85)]], 1.4) * brain
    tilt = c.uniform(-0.1, 0.1)
    for side in (-1.0, 1.0):
        ventricle = c.ellipse(
            side * c.uniform(0.09, 0.14),
            c.uniform(-0.1, 0.1),
            c.uniform(0.04, 0.075),
            c.uniform(0.2, 0.3),
            side * 0.28 + tilt,
        )
        image += (fluid - image) * ventricle
        nucleus = c.ellipse(side * 0.23, c.uniform(-0.08, 0.08), 0.08, 0.13, side * 0.2, 1.5)
        image += 0.7 * (grey - image) * nucleus * (1 - ventricle)
    for _ in range(c.count(0, 5)):
        r = c.uniform(0.012, 0.05)
        c.add_ellipse(
            image, c.uniform(0.15, 0.35), (c.uniform(-0.4, 0.4), c.uniform(-0.5, 0.5)), (r, r), 0.0, 1.5, brain
        )
    return image + 0.012 * c.fractal(0.5, 0.2) * brain


def _mr_joint(c: Canvas) -> FloatImage:
    limb = c.ellipse(c.uniform(-0.08, 0.08), 0.0, c.uniform(0.62, 0.8), 1.5, c.uniform(-0.1, 0.1))
    striae = c.fractal(0.9, 0.25, 2.5)
    image = limb * (0.32 + 0.05 * striae)
    image += 0.45 * limb * (1 - c.ellipse(0.0, 0.0, 0.55, 1.5))  # subcutaneous fat
    gap, lean = c.uniform(-0.1, 0.1), c.uniform(-0.15, 0.15)
    marrow, cortical = c.uniform(0.5, 0.8), 0.05
    trabecular = 0.05 * c.fractal(0.4, 0.1)
    for end in (-1.0, 1.0):
        for width, shrink in ((c.uniform(0.32, 0.42), 0.0), (c.uniform(0.2, 0.28), -1.0)):
            cy = gap + end * (0.31 if shrink == 0.0 else 0.95)
            height = 0.27 if shrink == 0.0 else 0.75
            shape = c.ellipse(lean, cy, width, height)
            core = c.ellipse(lean, cy, width - 0.025, height - 0.025)
            image += (cortical - image) * (shape - core).clip(0)
            image += (marrow + trabecular - image) * core
        cartilage = c.ellipse(lean, gap + end * 0.075, 0.33, 0.035) * c.uniform(0.6, 1.0)
        image += (0.75 - image) * cartilage
    image += (0.04 - image) * c.strokes(
        [c.walk((lean - 0.45, gap - 0.9), 1.5, 20, 0.09, 0.06), c.walk((lean + 0.45, gap - 0.9), 1.6, 20, 0.09, 0.06)],
        3.0,
    )  # tendons
    image += 0.3 * c.strokes([c.walk((c.uniform(-0.6, 0.6), -1.0), 1.57, 24, 0.09, 0.2) for _ in range(4)], 1.3) * limb
    return image


def draw_nuclear(c: Canvas) -> FloatImage:
    """Nuclear medicine: a whole-body bone scan or an organ scan, drawn in counts (Poisson), dark or light polarity."""
    activity = _bone_scan(c) if c.chance(0.6) else _organ_scan(c)
    exposure = c.uniform(25.0, 90.0)
    counts = c.rng.poisson(np.clip(activity, 0.0, None) * exposure).astype(np.float32)
    image = np.clip(counts / (exposure * c.uniform(0.8, 1.0)), 0.0, 1.0)
    return np.asarray(1.0 - image if c.chance(0.4) else image, dtype=np.float32)


def _bone_scan(c: Canvas) -> FloatImage:
    activity = c.blank(0.015)
    body = c.blank()
    c.add_ellipse(body, 1.0, (0.0, -0.82), (0.09, 0.12), 0.0, 4.0)
    c.add_ellipse(body, 1.0, (0.0, -0.3), (0.22, 0.42), 0.0, 5.0)
    activity += 0.1 * body
    spine = [(0.012 * np.sin(5 * t), -0.7 + 0.75 * t) for t in np.linspace(0, 1, 12).tolist()]
    limbs = [[(side * 0.22, -0.55), (side * 0.3, -0.15), (side * 0.33, 0.2)] for side in (-1.0, 1.0)] + [
        [(side * 0.11, 0.1), (side * 0.12, 0.5), (side * 0.1, 0.95)] for side in (-1.0, 1.0)
    ]
    ribs = [
        [(0.0, y), (side * 0.12, y - 0.02), (side * 0.2, y + 0.07), (side * 0.13, y + 0.14)]
        for side in (-1.0, 1.0)
        for y in np.linspace(-0.58, -0.22, 7).tolist()
    ]
    activity += 0.6 * c.strokes([spine], 5.0) + 0.25 * c.strokes(limbs, 4.5) + 0.3 * c.strokes(ribs, 1.8)
    for side in (-1.0, 1.0):
        c.add_ellipse(activity, 0.4, (side * 0.1, 0.08), (0.09, 0.07), side * 0.5, 4.0)
        c.add_ellipse(activity, 0.4, (side * 0.11, 0.5), (0.04, 0.05), 0.0, 4.0)
    c.add_ellipse(activity, 0.5, (0.0, -0.84), (0.08, 0.1), 0.0, 4.0)
    c.add_ellipse(activity, c.uniform(0.5, 1.0), (0.0, 0.16), (0.05, 0.04), 0.0, 3.0)  # bladder
    for _ in range(c.count(0, 5)):
        r = c.uniform(0.015, 0.035)
        c.add_ellipse(activity, c.uniform(0.4, 0.9), (c.uniform(-0.2, 0.2), c.uniform(-0.65, 0.1)), (r, r), 0.0, 3.0)
    return activity


def _organ_scan(c: Canvas) -> FloatImage:
    activity = c.blank(0.02)
    c.add_ellipse(activity, 0.12, (0.0, 0.0), (0.85, 0.75), 0.0, 6.0)
    for _ in range(c.count(1, 3)):
        centre, a = (c.uniform(-0.4, 0.4), c.uniform(-0.4, 0.4)), c.uniform(0.12, 0.34)
        angle = c.uniform(0, 3.1)
        c.add_ellipse(activity, c.uniform(0.4, 0.8), centre, (a, a * c.uniform(0.5, 0.9)), angle, 5.0)
        if c.chance(0.5):  # heart muscle seen as a ring
            c.add_ellipse(activity, -0.45, centre, (a * 0.5, a * 0.35), angle, 5.0)
    for _ in range(c.count(0, 4)):
        r = c.uniform(0.02, 0.06)
        c.add_ellipse(activity, c.uniform(0.2, 0.6), (c.uniform(-0.5, 0.5), c.uniform(-0.5, 0.5)), (r, r), 0.0, 3.0)
    return activity
