"""Listing sources, 1,000 to 100,000 items: processor time and memory per item, and what the pictures of an item cost.

Arrays and Parquet hold one picture of 64 x 64 pixels per item. Of 28 x 28 pixels are: a manifest with two files per
item, MedMNIST beside MedMNIST-C (five changed pictures per item), and a table of questions with pictures in base64,
three about each.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

COUNTS = (1_000, 10_000, 100_000)
KINDS = {
    "stored": "pneumoniamnist_64.npz",
    "deflated": "pneumoniamnist_64.npz",
    "parquet": "pneumoniamnist_64.parquet",
    "pairs": "pairs.csv",
    "given": "pneumoniamnist.npz",
    "questions": "questions.tsv",
}
"""What is written, and the name of its file."""

_CHILD = """
import json, random, resource, sys, time
from pathlib import Path
import numpy as np
from auditkit.images.sources import load_images

def peak():
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM")) / 1024

for source in (sys.argv[2], sys.argv[1]):  # a small one first: what is imported at the first use is not counted
    before = peak()
    start = time.process_time()  # other processes on the machine do not count
    images = load_images(source, salt="bench-bench-bench")
    listed = time.process_time() - start
    listing = peak() - before
    some = random.Random(1).sample(images.records, min(200, len(images.records)))
    shown = [each for one in some for picture in one.pictures for each in (picture, *picture.given.values())]
    for picture in shown:  # the first time marks may have to be made
        picture.read()
    start = time.process_time()
    for picture in shown:
        picture.read()
    each = (time.process_time() - start) / len(shown)
print(json.dumps([len(images.records), listed, listing, each, peak() - before]))
"""

_WRITER = """
import base64, io, sys
from pathlib import Path
import numpy as np
kind, count, path = sys.argv[1], int(sys.argv[2]), sys.argv[3]
side = 28 if kind in ("pairs", "given", "questions") else 64
def png(pixels):
    from PIL import Image
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG", compress_level=1)
    return stream.getvalue()
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
elif kind == "pairs":
    folder = Path(path).parent
    with open(path, "w") as table:
        table.write("file_name,file_name_2,patient_id\\n")
        for i in range(count):
            (folder / str(i // 1000)).mkdir(exist_ok=True)
            names = [f"{i // 1000}/{i}-{n}.png" for n in (1, 2)]
            for n, name in enumerate(names):
                (folder / name).write_bytes(png(base[i] + 64 * n))
            table.write(f"{names[0]},{names[1]},{i // 2}\\n")
elif kind == "given":
    labels = np.arange(count).reshape(-1, 1) % 2
    np.savez(path, test_images=base, test_labels=labels)
    folder = Path(path).parent / "pneumoniamnist"
    folder.mkdir()
    changed = np.concatenate([base + 32 * n for n in range(1, 6)])
    np.savez(folder / "pixelate.npz", test_images=changed, test_labels=np.concatenate([labels] * 5))
elif kind == "questions":
    with open(path, "w") as table:
        table.write("index\\tquestion\\tA\\tB\\tanswer\\timage\\n")
        for i in range(count):
            cell = base64.b64encode(png(base[i // 3])).decode()
            table.write(f"{i}\\tIs there noise, {i % 3}?\\tyes\\tno\\tA\\t{cell}\\n")
else:
    save = np.savez_compressed if kind == "deflated" else np.savez
    save(path, test_images=base, test_labels=np.arange(count).reshape(-1, 1) % 2)
"""


def main() -> None:
    """Print milliseconds and kilobytes per item, and what a picture read in a random order takes."""
    columns = "items | files, MB | listed, s | ms each | rise of peak, MB | KB each | ms to read one"
    print(f"| source | {columns} |")
    print("|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for kind in KINDS:
            small = _written(kind, 100, Path(folder) / f"small-{kind}")
            for count in COUNTS:
                path = _written(kind, count, Path(folder) / f"{kind}-{count}")
                command = [sys.executable, "-c", _CHILD, str(path), str(small)]
                done = subprocess.run(command, capture_output=True, text=True, check=True)
                n, seconds, listing, each, rise = json.loads(done.stdout)
                print(
                    f"| {kind} | {n} | {_bytes(path) / 2**20:.0f} | {seconds:.1f} | {1000 * seconds / n:.3f} | "
                    f"{listing:.0f} (with reading {rise:.0f}) | {1024 * listing / n:.1f} | {1000 * each:.2f} |",
                    flush=True,
                )
                shutil.rmtree(Path(folder) / f"{kind}-{count}")


def _written(kind: str, count: int, folder: Path) -> Path:
    """Write a source and return what is given as ``--audit-data``."""
    folder.mkdir()
    path = folder / KINDS[kind]
    subprocess.run([sys.executable, "-c", _WRITER, kind, str(count), str(path)], check=True)
    return folder if kind == "given" else path


def _bytes(source: Path) -> int:
    folder = source if source.is_dir() else source.parent
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
