"""Items from somewhere else: what ``--audit-data ward:60`` stands for."""

import numpy as np

from auditkit import ImageSet, Item, Picture, salted_hash

SCANNERS = ("north", "south")


def items(source, salt, max_side):
    """Return so many pictures of half-tones, half of them from either scanner; None for other sources."""
    kind, _, number = source.partition(":")
    if kind != "ward":
        return None
    records = [_record(f"picture {i}", i, salt, max_side) for i in range(int(number))]
    return ImageSet(source, tuple(sorted(records, key=lambda record: record.id)))


def _record(name, seed, salt, max_side):
    side = min(32, max_side)
    return Item(
        id=salted_hash(salt, "picture", name),
        cluster=salted_hash(salt, "patient", name),
        modality="xray",
        pictures=(
            Picture(
                salted_hash("content", name, str(side)) * 4,
                lambda: np.random.default_rng(seed).integers(150, 220, (side, side)).astype(np.uint8),
            ),
        ),
        synthetic=True,
        source="ward",
        name=name,
        attributes={"scanner": SCANNERS[seed % len(SCANNERS)]},
    )
