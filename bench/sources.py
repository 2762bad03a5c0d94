"""Listing public layouts, 1,000 to 100,000 pictures: time and memory per picture, and what a picture in it costs."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

COUNTS = (1_000, 10_000, 100_000)

_CHILD = """
import json, random, resource, sys, time
from pathlib import Path
import numpy as np
from auditkit.images.sources import load_images

def peak():
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM")) / 1024

for source in (sys.argv[2], sys.argv[1]):  # a small one first: what is imported at the first use is not counted
    before = peak()
    start = time.perf_counter()
    images = load_images(source, salt="bench-bench-bench")
    listed = time.perf_counter() - start
    listing = peak() - before
    some = random.Random(1).sample(images.records, min(200, len(images.records)))
    for record in some:  # the first time marks may have to be made
        record.pictures[0].read()
    start = time.perf_counter()
    for record in some:
        record.pictures[0].read()
    each = (time.perf_counter() - start) / len(some)
print(json.dumps([len(images.records), listed, listing, each, peak() - before]))
"""

_WRITER = """
import io, sys
import numpy as np
kind, count, path = sys.argv[1], int(sys.argv[2]), sys.argv[3]
side = 64
rng = np.random.default_rng(1)
base = rng.integers(0, 64, (count, side, side), dtype=np.uint8)  # as well packed as photographs, half their size
if kind == "parquet":
    import pyarrow as pa
    from pyarrow import parquet
    from PIL import Image
    schema = pa.schema({
        "image": pa.struct({"bytes": pa.binary(), "path": pa.string()}), "label": pa.int64(), "patient_id": pa.string(),
    })
    with parquet.ParquetWriter(path, schema) as writer:
        for first in range(0, count, 100):
            rows = []
            for i in range(first, min(first + 100, count)):
                stream = io.BytesIO()
                Image.fromarray(base[i]).save(stream, "PNG", compress_level=1)
                image = {"bytes": stream.getvalue(), "path": "x"}
                rows.append({"image": image, "label": i % 2, "patient_id": str(i // 2)})
            writer.write_table(pa.Table.from_pylist(rows, schema))
else:
    save = np.savez_compressed if kind == "deflated" else np.savez
    save(path, test_images=base, test_labels=np.arange(count).reshape(-1, 1) % 2)
"""


def main() -> None:
    """Print milliseconds and kilobytes per picture, listed and read in a random order."""
    columns = "pictures | file, MB | listed, s | ms each | rise of peak, MB | KB each | ms to read one"
    print(f"| layout (64 x 64 pixels) | {columns} |")
    print("|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for kind in ("stored", "deflated", "parquet"):
            suffix = "parquet" if kind == "parquet" else "npz"
            small = _written(kind, 100, Path(folder) / f"small-{kind}" / f"pneumoniamnist_64.{suffix}")
            for count in COUNTS:
                path = _written(kind, count, Path(folder) / str(count) / f"pneumoniamnist_64.{suffix}")
                command = [sys.executable, "-c", _CHILD, str(path), str(small)]
                done = subprocess.run(command, capture_output=True, text=True, check=True)
                n, seconds, listing, each, rise = json.loads(done.stdout)
                print(
                    f"| {kind} | {n} | {path.stat().st_size / 2**20:.0f} | {seconds:.1f} | {1000 * seconds / n:.3f} | "
                    f"{listing:.0f} (with reading {rise:.0f}) | {1024 * listing / n:.1f} | {1000 * each:.2f} |",
                    flush=True,
                )
                path.unlink()


def _written(kind: str, count: int, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run([sys.executable, "-c", _WRITER, kind, str(count), str(path)], check=True)
    return path
