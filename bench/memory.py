"""Whether a batch stays within --audit-memory: estimated and measured peaks of one call beside the weights."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from auditkit.testing import tiny_checkpoint

BOUNDS = (None, 200, 100, 50)  # MB
ARCHITECTURES = ("llava", "qwen2_5_vl")

_CHILD = """
import json, sys
from pathlib import Path
import numpy as np
from PIL import Image
from auditkit.models.base import ModelOptions
from auditkit.models.local import LocalModel
from bench._questions import said, worded

bound = None if sys.argv[2] == "None" else int(sys.argv[2]) * 2**20
model = LocalModel(Path(sys.argv[1]), name="x", options=ModelOptions(memory=bound))

def picture(seed):
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (224, 224), dtype=np.uint8))

model.generate([worded(picture(0))])
model._pool = None  # one piece at a time: the bound is for one batch


def peak():
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))


def forget():
    Path("/proc/self/clear_refs").write_text("5")  # the peak of loading is not what is measured


forget()
before = peak()
one = picture(1)
model.generate([worded(one, condition) for condition in said(32)])
shared = peak()
forget()
model.generate([worded(picture(seed)) for seed in range(16)])
print(json.dumps([before, shared, peak()]))
"""


def main() -> None:
    """Print how far the peak of resident memory rises above that of a single question."""
    print("| checkpoint (45 M) | --audit-memory | rise: 32 texts about one image, MB | and 16 images, MB |")
    print("|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for architecture in ARCHITECTURES:
            path = tiny_checkpoint(architecture, Path(folder) / architecture, scale="medium")
            for bound in BOUNDS:
                command = [sys.executable, "-c", _CHILD, str(path), str(bound)]
                done = subprocess.run(command, capture_output=True, text=True, check=True)
                before, shared, batch = (kilobytes / 1024 for kilobytes in json.loads(done.stdout))
                words = "none" if bound is None else f"{bound}M"
                print(f"| {architecture} | {words} | {shared - before:.0f} | {batch - before:.0f} |", flush=True)
