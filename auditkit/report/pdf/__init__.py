"""``report.pdf``: the report that someone signs, made from one record."""

from __future__ import annotations

from pathlib import Path

from auditkit.evidence import Evidence


def write_pdf(evidence: Evidence, path: Path, record: bytes) -> None:
    """Write the report to `path`; see `render_pdf`."""
