"""What auditkit costs pytest: collecting the shipped audits, and sessions that have no audit at all."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROUNDS = 7
ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    """Print medians of alternating runs and the differences they make."""
    with tempfile.TemporaryDirectory() as name:
        bare = Path(name)
        (bare / "test_one.py").write_text("def test_one():\n    pass\n", encoding="utf-8")
        (bare / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
        without = [sys.executable, "-m", "pytest", "-q", "-p", "no:pytest_auditkit", "-p", "no:cacheprovider"]
        with_plugin = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
        collect = [*with_plugin, "--collect-only", str(ROOT / "audits")]
        bare_collect = [*without, "--collect-only"]
        rows = {
            "session without audits, plugin off": (without, bare),
            "session without audits, plugin on": (with_plugin, bare),
            "collect one bare test, plugin off": (bare_collect, bare),
            "collect the shipped audits": (collect, ROOT),
        }
        times: dict[str, list[float]] = {row: [] for row in rows}
        for _ in range(ROUNDS):
            for row, (command, folder) in rows.items():
                start = time.perf_counter()
                subprocess.run(command, cwd=folder, capture_output=True, check=True)
                times[row].append(time.perf_counter() - start)
    print(f"| run (n = {ROUNDS}, alternating) | median s |\n|---|---|")
    medians = {row: statistics.median(t) for row, t in times.items()}
    for row, median in medians.items():
        print(f"| {row} | {median:.3f} |")
    off, on, collecting_bare, collecting = medians.values()
    print(f"\nA session without audits: {1000 * (on - off):+.0f} ms.")
    print(f"Collecting the audits: {collecting - collecting_bare:+.2f} s.")
