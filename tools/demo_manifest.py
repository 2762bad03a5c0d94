"""Hashes, versions and phantoms' rows of the demonstration data's table.

``python -m tools.demo_manifest`` compares the table with what is installed, ``--rewrite-manifest`` writes it.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, fields, replace
from importlib import metadata

import numpy as np

from auditkit.images import demo, phantoms
from auditkit.images.demo import Entry
from auditkit.images.files import file_digest, inside

CLUSTERS_PER_MODALITY = 32
# Four views each of two real patients count for less than as many patients when rates are bounded: with 32 clusters the
# bound stayed above 10 % without a single event.
MORE_CLUSTERS = {"mammography": 12}
# Phantoms for training use seeds below a million; no phantom of the demonstration data has been trained on.
FIRST_SEED = 1_000_000


def agree(one: Entry, other: Entry) -> bool:
    """Tell whether two rows stand for the same picture, up to rounding of a phantom's pixels."""
    if one.synthetic != "yes" or len(one.look) != len(other.look):
        return one == other
    blocks = zip(bytes.fromhex(one.look), bytes.fromhex(other.look), strict=True)
    same = one == replace(other, sha256=one.sha256, look=one.look)
    return same and all(abs(a - b) <= 1 for a, b in blocks)


def phantom_entry(modality: str, seed: int) -> Entry:
    """Return a phantom's row: it is drawn, hashed, and its block means are taken."""
    pixels = phantoms.phantom(modality, seed, demo.PHANTOM_SIZE)
    block = demo.PHANTOM_SIZE // 4
    means = pixels.reshape(4, block, 4, -1).mean(axis=(1, 3))
    return Entry(
        name=f"phantom/{modality}/{seed}",
        package="auditkit",
        version=str(phantoms.VERSION),
        sha256=hashlib.sha256(pixels.tobytes()).hexdigest(),
        licence="Apache-2.0",
        modality=modality,
        cluster=f"phantom-{modality}-{seed}",
        synthetic="yes",
        seed=str(seed),
        look=bytes(np.rint(means).astype(np.uint8).ravel()).hex(),
    )


def _rewritten(entries: list[Entry]) -> Iterator[Entry]:
    """Yield the curated rows with fresh hashes and versions, then the phantoms that fill up every modality."""
    real = [entry for entry in entries if entry.synthetic != "yes"]
    folders = demo.package_folders({entry.package for entry in real})
    for entry in real:
        sha256 = file_digest(inside(folders[entry.package], entry.name))[0]
        yield replace(entry, sha256=sha256, version=metadata.version(entry.package))
    taken = Counter(modality for modality, _ in {(entry.modality, entry.cluster) for entry in real})
    for modality in phantoms.MODALITIES:
        wanted = CLUSTERS_PER_MODALITY + MORE_CLUSTERS.get(modality, 0)
        for seed in range(FIRST_SEED, FIRST_SEED + wanted - taken[modality]):
            yield phantom_entry(modality, seed)


def main(arguments: list[str] | None = None) -> int:
    """Rewrite the demonstration manifest, or say how it differs from what is installed."""
    parser = argparse.ArgumentParser(prog="python -m tools.demo_manifest", description=main.__doc__)
    parser.add_argument("--rewrite-manifest", action="store_true", help="write hashes, versions and phantoms afresh")
    options = parser.parse_args(arguments)
    before = demo.read_manifest()
    after = list(_rewritten(before))
    if options.rewrite_manifest:
        with demo.MANIFEST.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, [field.name for field in fields(Entry)], lineterminator="\n")
            writer.writeheader()
            writer.writerows(asdict(entry) for entry in after)
        print(f"{demo.MANIFEST.name}: {len(after)} rows written")
        return 0
    known = {entry.name: entry for entry in before}
    changed = [entry.name for entry in after if entry.name not in known or not agree(entry, known[entry.name])]
    stale = sorted(known.keys() - {entry.name for entry in after})
    for name in (*changed, *stale):
        print(f"differs: {name}")
    print(f"{demo.MANIFEST.name}: {len(changed) + len(stale)} of {len(before)} rows differ")
    return 1 if changed or stale else 0


if __name__ == "__main__":
    sys.exit(main())
