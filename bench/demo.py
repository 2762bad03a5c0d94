"""The demo run from an empty store and again from a full one: wall time, peak memory, questions per second."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    """Print one row per run."""
    print("| run | wall s | asked | questions/s while asking | peak MB | exit code |\n|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for name in ("empty store", "full store"):
            out = Path(folder) / name.replace(" ", "-")
            command = [
                sys.executable, "-m", "pytest", "audits", "--model", "reference", "-q", "--tb=no", "-r", "N",
                f"--audit-store={folder}/answers.sqlite", f"--audit-out={out}",
            ]  # fmt: skip
            start = time.perf_counter()
            done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
            seconds = time.perf_counter() - start
            peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
            probes = json.loads((out / "evidence.json").read_text(encoding="utf-8"))["run"]["probes"]
            rate = probes["asked"] / max(probes["seconds"], 1e-9)
            print(
                f"| {name} | {seconds:.1f} | {probes['asked']} | {rate:.0f} | {peak:.0f} | {done.returncode} |",
                flush=True,
            )
