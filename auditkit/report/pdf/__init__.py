"""``report.pdf``: the report that someone signs, made from one record.

A PDF/A-3a by WeasyPrint (extra ``[pdf]``), with the record and the protocol attached. Equal records give equal bytes.
"""

from __future__ import annotations

from pathlib import Path

from auditkit import durable
from auditkit.evidence import Evidence


def render_pdf(evidence: Evidence, record: bytes) -> bytes:
    """Return the report of one run as a PDF with the record inside.

    Parameters
    ----------
    evidence : Evidence
        The record; nothing else is read.
    record : bytes
        The file that `evidence` was read from or is written to. It is attached as ``evidence.json``, and its SHA-256
        is what the signature block binds.

    Returns
    -------
    bytes
        A tagged PDF/A-3a; equal input gives equal bytes under the same versions of WeasyPrint, Pango and matplotlib.

    Raises
    ------
    AuditkitError
        Where WeasyPrint or the system library Pango is missing, with the line that installs it.
    """
    from auditkit.report.pdf.document import document
    from auditkit.report.pdf.engine import to_pdf, weasyprint

    weasyprint()  # says what is missing before any figure is drawn
    return to_pdf(document(evidence, record), evidence, record)


def write_pdf(evidence: Evidence, path: Path, record: bytes) -> None:
    """Write the report to `path`, replacing what was there only when it is complete; see `render_pdf`."""
    durable.write(path, render_pdf(evidence, record))
