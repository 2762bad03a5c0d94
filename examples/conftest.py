"""Eighty drawn pictures, so that every example runs in seconds: ``--audit-data=drawn``."""

from __future__ import annotations

import numpy as np

from auditkit import ImageSet, Item, Picture, salted_hash

COUNT = 80
SIDE = 96


def pytest_auditkit_items(source: str, salt: str, max_side: int) -> ImageSet | None:
    """Give the pictures for ``drawn``; any other source is left to auditkit."""
    if source != "drawn":
        return None
    side = min(SIDE, max_side)
    records = [
        Item(
            id=salted_hash(salt, "drawn", str(seed)),
            cluster=salted_hash(salt, "patient", str(seed)),
            modality="xray",
            pictures=(Picture(salted_hash("drawn 1", str(seed), str(side)) * 4, lambda seed=seed: drawn(seed, side)),),
            synthetic=True,
            source="drawn",
            name=f"drawn {seed}",
            attributes={"scanner": "south" if framed(seed) else "north"},
        )
        for seed in range(COUNT)
    ]
    return ImageSet(source, tuple(sorted(records, key=lambda record: record.id)))


def drawn(seed: int, side: int) -> np.ndarray:
    """Draw a bright body with bones and fine texture; those of the scanner "south" have a black frame."""
    rng = np.random.default_rng(seed)
    down, across = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j]
    picture = 150 * np.exp(-(((across / 0.8) ** 2 + (down / 0.9) ** 2) ** 2))
    for _ in range(8):
        x, y, width = rng.uniform(-0.6, 0.6), rng.uniform(-0.7, 0.7), rng.uniform(0.02, 0.06)
        picture += 60 * np.exp(-((across - x + 0.3 * (down - y) ** 2) ** 2) / width**2 - (down - y) ** 2 / 0.1)
    picture += rng.normal(0, 6, (side, side))
    if framed(seed):
        picture[:4] = picture[-4:] = picture[:, :4] = picture[:, -4:] = 0
    return np.clip(picture + 10, 0, 255).astype(np.uint8)


def framed(seed: int) -> bool:
    """Tell whether a picture is from the scanner "south"."""
    return seed % 2 == 1
