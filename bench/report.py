"""What the two reports of one record cost: report.html and report.pdf, side by side.

``python -m bench report`` takes the demo's last run; ``python -m bench.report EVIDENCE.json`` any other record.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

from auditkit.evidence import Evidence
from auditkit.report.html import render_html
from auditkit.report.pdf import render_pdf

ROUNDS = 5
DEMO = Path(__file__).resolve().parent.parent / "reports" / "reference" / "latest" / "evidence.json"


def main(path: Path = DEMO) -> None:
    """Print medians of alternating renders in processor time, which other work on the machine hardly changes."""
    if not path.is_file():
        print(f"No record at {path}: run `make audit` first, or give an evidence.json.")
        return
    record = path.read_bytes()
    evidence = Evidence.from_json(record.decode())
    renders: dict[str, Callable[[], bytes]] = {
        "report.html": lambda: render_html(evidence, record).encode(),
        "report.pdf": lambda: render_pdf(evidence, record),
    }
    first: dict[str, float] = {}
    times: dict[str, list[float]] = {name: [] for name in renders}
    sizes: dict[str, set[int]] = {name: set() for name in renders}
    for turn in range(ROUNDS + 1):
        for name, render in renders.items():
            start = time.process_time()
            data = render()
            seconds = time.process_time() - start
            sizes[name].add(len(data))
            if turn:
                times[name].append(seconds)
            else:  # with imports and templates
                first[name] = seconds
    print(f"{len(evidence.audits)} audits, {evidence.data.n_images} images, record of {len(record) / 1e6:.1f} MB.\n")
    print(f"| file (n = {ROUNDS}, alternating) | first, s | median, s | lowest to highest, s | MB |")
    print("|---|---|---|---|---|")
    for name, own in times.items():
        (size,) = sizes[name]  # equal records give equal files
        median = statistics.median(own)
        print(f"| {name} | {first[name]:.2f} | {median:.2f} | {min(own):.2f} to {max(own):.2f} | {size / 1e6:.2f} |")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:2]))
