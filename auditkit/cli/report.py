"""``auditkit report``: the reports anew from a record, without the model."""

from __future__ import annotations

import argparse
import gc
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from auditkit.errors import AuditkitError

if TYPE_CHECKING:
    from auditkit.evidence import Evidence


def add(commands: Any) -> None:
    report = commands.add_parser(
        "report",
        help="render report.html and report.pdf anew from an evidence.json, without the model",
        description="Render report.html and report.pdf beside the record. With --html or --pdf only what they name.",
    )
    report.add_argument("evidence", metavar="EVIDENCE.json", type=Path)
    report.add_argument("--html", metavar="FILE", type=Path, help="write the page there")
    report.add_argument("--pdf", metavar="FILE", type=Path, help="write the PDF there; needs the extra [pdf]")
    report.add_argument(
        "--out", metavar="DIR", type=Path, help="folder for report.html and report.pdf; default: that of the evidence"
    )
    report.set_defaults(do=_report)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Pause the garbage collector, which looks through the whole record again and again: a sixth of the time."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


@_uncollected()
def _report(options: argparse.Namespace) -> int:
    from auditkit.evidence.reading import read_evidence
    from auditkit.measure.marks import refuse_marks_beyond
    from auditkit.report.html import write_html
    from auditkit.report.pdf import write_pdf

    named = options.html is not None or options.pdf is not None
    if named and options.out is not None:
        raise AuditkitError(
            f"--out={options.out} names a folder for both reports, --html and --pdf a file each.",
            "Give the one or the others.",
        )
    if options.out is not None and options.out.suffix in (".html", ".pdf"):
        raise AuditkitError(
            f"{options.out} cannot be written: --out names a folder.", f"Use --{options.out.suffix[1:]}={options.out}."
        )
    evidence, record = read_evidence(options.evidence)
    refuse_marks_beyond(evidence, str(options.evidence))
    given: Path = options.evidence
    folder: Path = options.out or (given if given.is_dir() else given.parent)
    html = options.html if named else folder / "report.html"
    pdf = options.pdf if named else folder / "report.pdf"
    if html is not None:
        _write(write_html, evidence, html, record)
    if pdf is not None:
        try:
            _write(write_pdf, evidence, pdf, record)
        except AuditkitError as error:
            if named:
                raise
            print(f"auditkit: {error}", file=sys.stderr)  # the page is there; nobody asked for the PDF by name
    return 0


def _write(write: Callable[[Evidence, Path, bytes], None], evidence: Evidence, path: Path, record: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(evidence, path, record)
    except OSError as error:
        raise AuditkitError(
            f"{path} cannot be written: {error.strerror or error}.",
            "Give another --out=DIR, --html=FILE or --pdf=FILE.",
        ) from None
    print(path)
