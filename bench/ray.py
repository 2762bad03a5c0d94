"""`--audit-engine=ray` beside the local engine on the same cores: what starting Ray and two workers costs."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from auditkit.models.base import Request, Response

ROOT = Path(__file__).resolve().parent.parent
PATIENTS, WORKERS, REPEATS = 20, 2, 3


class AtOnce:
    """Answers without looking, so that all the time is the engine's."""

    name = revision = fingerprint = "at-once"

    def generate(self, requests: Sequence[Request]) -> list[Response]:
        """Return 70 for everything."""
        return [Response("70") for _ in requests]


def main() -> None:
    """Print one row per model and engine; the engines take turns, from an empty store each time."""
    print("| model | engine | questions | s of the pass | s of the whole run |\n|---|---|---|---|---|")
    for model in ("bench.ray:AtOnce", "reference"):
        runs = [(engine, *_run(model, engine)) for _ in range(REPEATS) for engine in ("local", "ray")]
        for engine in ("local", "ray"):
            mine = [run for run in runs if run[0] == engine]
            asked = " and ".join(str(n) for n in sorted({run[1] for run in mine}))
            passes, wholes = (", ".join(f"{run[i]:.0f}" for run in mine) for i in (2, 3))
            print(f"| {model} | {engine} | {asked} | {passes} | {wholes} |", flush=True)


def _run(model: str, engine: str) -> tuple[int, float, float]:
    with tempfile.TemporaryDirectory() as folder:
        command = [
            sys.executable, "-m", "pytest", "audits", f"--model={model}", "-q", "--tb=no", "-r", "N",
            f"--audit-engine={engine}", f"--audit-workers={WORKERS}", f"--audit-limit={PATIENTS}",
            f"--audit-store={folder}/answers.sqlite", f"--audit-out={folder}/out", "--audit-report=html",
        ]  # fmt: skip
        start = time.perf_counter()
        subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
        whole = time.perf_counter() - start
        probes = json.loads(Path(folder, "out", "evidence.json").read_text(encoding="utf-8"))["run"]["probes"]
        return probes["asked"], probes["seconds"], whole
