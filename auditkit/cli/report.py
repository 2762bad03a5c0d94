"""``auditkit report``: the report anew from a record, without the model."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from auditkit.cli.reading import read_evidence
from auditkit.errors import AuditkitError


def add(commands: Any) -> None:
    report = commands.add_parser("report", help="render report.html anew from an evidence.json, without the model")
    report.add_argument("evidence", metavar="EVIDENCE.json", type=Path)
    report.add_argument("--out", metavar="FILE", type=Path, help="default: report.html beside the evidence")
    report.set_defaults(do=_report)


def _report(options: argparse.Namespace, rest: list[str]) -> int:
    from auditkit.report.html import write_html

    path: Path = options.evidence
    evidence, record = read_evidence(path)
    out: Path = options.out or path.with_name("report.html")
    try:
        write_html(evidence, out, record)
    except OSError as error:
        raise AuditkitError(
            f"{out} cannot be written: {error.strerror or error}.", "Give another --out=FILE."
        ) from None
    print(out)
    return 0
