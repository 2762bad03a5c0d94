"""``auditkit compare``: several models on the same images, as one page."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from auditkit.errors import AuditkitError


def add(commands: Any) -> None:
    compare = commands.add_parser(
        "compare",
        help="compare several runs of one protocol on the same images, as one page",
        description="Differences are paired within the image; who cannot be told apart is said. docs/compare.md.",
    )
    compare.add_argument("evidence", metavar="EVIDENCE.json", type=Path, nargs="+")
    compare.add_argument("--out", metavar="FILE", type=Path, default=Path("comparison.html"), help="comparison.html")
    compare.set_defaults(do=_compare)


def _compare(options: argparse.Namespace) -> int:
    from auditkit.evidence.reading import read_evidence
    from auditkit.records.compare import compare
    from auditkit.report.comparison import write_comparison
    from auditkit.words import visible

    out: Path = options.out
    found = compare([read_evidence(path)[0] for path in options.evidence], [str(path) for path in options.evidence])
    try:
        write_comparison(found, out)
    except OSError as error:
        raise AuditkitError(
            f"{out} cannot be written: {error.strerror or error}.", "Give another --out=FILE."
        ) from None
    print(out)
    for sentence in (*found.notes, *found.sentences):
        print(visible(sentence))
    return 0
