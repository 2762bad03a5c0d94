"""One small report with pictures, rendered once: every chapter, one audit per family and one corruption with both."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator

import pytest

from auditkit.evidence import Evidence
from tests.report.sample import Simulation

pytest.importorskip("weasyprint", exc_type=ImportError)
pikepdf = pytest.importorskip("pikepdf")

TOML = 'name = "declared"\n# the file as it was read\n'


@pytest.fixture(scope="session")
def small() -> Evidence:
    """The simulated record, cut down: every section is there, with pictures, hostile text and a protocol file."""
    whole = Simulation(7).evidence()
    first = {audit.family: audit for audit in reversed(whole.audits)}
    kept = [
        a for a in whole.audits if a.shown or first[a.family] is a or a.verdict == "ERROR" or a.id.endswith("level-0")
    ]
    pictures = [e for e in whole.examples if e.perturbation in ("", "brightness")]
    protocol = whole.protocol.model_copy(update={"toml": TOML})
    cut = whole.model_copy(update={"audits": kept, "examples": pictures, "protocol": protocol})
    return Evidence.from_json(cut.to_json())  # as it is read from a file: lone surrogates are spelt out there


@pytest.fixture(scope="session")
def record(small: Evidence) -> bytes:
    return small.to_json().encode()


@pytest.fixture(scope="session")
def complaints() -> list[str]:
    """What WeasyPrint had to say while `rendered` was made."""
    return []


@pytest.fixture(scope="session")
def rendered(small: Evidence, record: bytes, complaints: list[str]) -> bytes:
    from auditkit.report.pdf import render_pdf

    class Collect(logging.Handler):
        def emit(self, message: logging.LogRecord) -> None:
            # What is installed on this machine is not about the page.
            if not message.getMessage().startswith("Using fontTools"):
                complaints.append(message.getMessage())

    handler = Collect(level=logging.WARNING)
    logging.getLogger("weasyprint").addHandler(handler)
    try:
        return render_pdf(small, record)
    finally:
        logging.getLogger("weasyprint").removeHandler(handler)


@pytest.fixture
def pdf(rendered: bytes) -> Iterator[object]:
    with pikepdf.open(io.BytesIO(rendered)) as opened:
        yield opened
