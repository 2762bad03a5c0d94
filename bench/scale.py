"""Peak memory of a pass with a stub model, for few and for many images: pixels are streamed."""

from __future__ import annotations

import subprocess
import sys
import time

COUNTS = (1_000, 10_000, 100_000)

_CHILD = """
import resource, sys, tempfile
from pathlib import Path
import numpy as np
from auditkit.conditions import Condition, Contrast
from auditkit.images.record import ImageRecord
from auditkit.inference.plan import Plan
from auditkit.inference.prefetch import prefetch
from auditkit.inference.render import Renderer
from auditkit.inference.store import Store
from auditkit.models.base import Response
from auditkit.protocol import load_protocol

count = int(sys.argv[1])

class Stub:
    name = "stub"
    def generate(self, requests):
        return [Response("80") for _ in requests]

class Reader:
    def __init__(self, i):
        self.i = i
    def __call__(self):
        return np.random.default_rng(self.i).integers(0, 256, (224, 224), dtype=np.uint8)

protocol = load_protocol(Path("audits/protocol.toml"))
records = tuple(ImageRecord(f"{i:016x}", f"{i:016x}", "ct", f"c{i}", True, "stub", Reader(i)) for i in range(count))
plan = Plan(records, (Contrast("pixelate", "direction", Condition("pixelate", 3)),), protocol)
with tempfile.TemporaryDirectory() as folder:
    store = Store(f"{folder}/s.sqlite")
    tally = prefetch(plan, Stub(), store, Renderer(store, 1, cache_bytes=16 * 2**20), batch_size=64, deadline=600,
                     on_progress=lambda t: None)
    assert tally.done == tally.planned == 2 * count, tally
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def main() -> None:
    """Print peak resident memory and rate per number of images."""
    print("| images (224 x 224, two questions each) | peak MB | questions/s |\n|---|---|---|")
    for count in COUNTS:
        start = time.perf_counter()
        done = subprocess.run([sys.executable, "-c", _CHILD, str(count)], capture_output=True, text=True, check=True)
        seconds = time.perf_counter() - start
        print(f"| {count} | {int(done.stdout) / 1024:.0f} | {2 * count / seconds:.0f} |", flush=True)
