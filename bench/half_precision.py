"""How many answers depend on the company of a question, by dtype: the fast path against one by one."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from auditkit.models.base import ModelOptions
from auditkit.models.local import LocalModel
from auditkit.models.local.choices import FLOOR
from auditkit.models.reference import checkpoint
from auditkit.testing import tiny_checkpoint
from bench.inference import corruption, metadata, spread


def main() -> None:
    """Print the differing answers and the largest difference of a choice's probability."""
    print("| checkpoint | dtype | n | answers that differ | largest difference of a choice's probability |")
    print("|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        medium = tiny_checkpoint("llava", Path(folder), scale="medium")
        for name, path, images in (("reference, 3.4 M", checkpoint("reference"), 8), ("LLaVA, 45 M", medium, 3)):
            records = spread(8)[:images]
            requests = metadata(records) + corruption(records)
            for dtype in ("float32", "bfloat16"):
                ways = (ModelOptions(), ModelOptions(exact=True))
                fast, exact = (LocalModel(path, name="x", dtype=dtype, options=o).generate(requests) for o in ways)
                pairs = list(zip(fast, exact, strict=True))
                differ = sum(one.text != other.text for one, other in pairs)
                most = max(
                    abs(np.exp(one.logprobs.get(choice, FLOOR)) - np.exp(other.logprobs.get(choice, FLOOR)))
                    for one, other in pairs
                    for choice in {*one.logprobs, *other.logprobs}
                )
                print(f"| {name} | {dtype} | {len(requests)} | {differ} | {most:.1e} |", flush=True)
