"""From the report's HTML to the bytes of a PDF/A-3a: WeasyPrint without network, fonts of the machine, or clock.

The fonts are the DejaVu files that matplotlib brings, so that pages break at the same place on every machine and a
slim container without fonts prints the same file. Only characters that these lack come from fonts of the machine.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import io
import os
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime
from email.message import EmailMessage
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from auditkit.errors import AuditkitError
from auditkit.evidence import Evidence
from auditkit.version import install_line

if TYPE_CHECKING:
    from types import ModuleType

# 68 writes keywords in a way that PDF/A forbids; before that fetchers were functions.
OLDEST = 69
_STILL = "report.html is complete and says the same."
# (CSS family, weight, style) -> file among matplotlib's. Families of our own names: a "DejaVu Sans" of the machine must
# not be taken in their place.
FONTS: dict[str, tuple[str, str, str]] = {
    "DejaVuSans.ttf": ("Report Sans", "400", "normal"),
    "DejaVuSans-Bold.ttf": ("Report Sans", "700", "normal"),
    "DejaVuSans-Oblique.ttf": ("Report Sans", "400", "italic"),
    "DejaVuSansMono.ttf": ("Report Mono", "400", "normal"),
    "DejaVuSansMono-Bold.ttf": ("Report Mono", "700", "normal"),
}
_SCHEME = "auditkit-font:"


def weasyprint() -> ModuleType:
    """Return WeasyPrint; raises `AuditkitError` with the line to type where it or Pango is missing or too old."""
    try:
        # Where Pango is missing it prints a page of advice before it raises: ours is one line.
        with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about libraries that may be missing one day, and fonts, which we bring
            engine = import_module("weasyprint")
    except ImportError as error:
        missing = error.name or "weasyprint"
        raise AuditkitError(
            f"report.pdf was not written: {missing} is not installed.",
            f"{_STILL} Type: {install_line('pdf')}",
        ) from None
    except OSError as error:
        first = str(error).partition(":")[0].strip() or "Pango"
        raise AuditkitError(
            f"report.pdf was not written: the system library Pango or one it needs is missing ({first}).",
            "On Debian and Ubuntu type: apt-get install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0. "
            f"On macOS: brew install pango. {_STILL}",
        ) from None
    if int(engine.__version__.partition(".")[0]) < OLDEST:
        raise AuditkitError(
            f"report.pdf was not written: WeasyPrint {engine.__version__} is too old.",
            f'Type: pip install "weasyprint>={OLDEST}". {_STILL}',
        )
    return engine


def font_faces() -> str:
    """Return the ``@font-face`` rules for `FONTS`."""
    return "\n".join(
        f'@font-face{{font-family:"{family}";font-weight:{weight};font-style:{style};src:url("{_SCHEME}{file}")}}'
        for file, (family, weight, style) in FONTS.items()
    )


def _font_file(name: str) -> Path:
    """Return where matplotlib keeps a font, without importing it (0.3 s)."""
    found = find_spec("matplotlib")
    if found is None or not found.submodule_search_locations:
        raise FileNotFoundError(name)  # WeasyPrint goes on with a font of the machine
    return Path(found.submodule_search_locations[0], "mpl-data", "fonts", "ttf", name)


def moment_of(evidence: Evidence) -> datetime:
    """Return when the run was finished, in UTC; 1 January 1970 when the record has no readable time."""
    try:
        time = datetime.fromisoformat(evidence.run.finished)
    except ValueError:
        return datetime(1970, 1, 1, tzinfo=UTC)
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


def to_pdf(html: str, evidence: Evidence, record: bytes) -> bytes:
    """Lay the page out and return the PDF with its attachments.

    Parameters
    ----------
    html : str
        From `auditkit.report.pdf.document.document`.
    evidence : Evidence
        Gives the time and the protocol to attach.
    record : bytes
        Attached as ``evidence.json``; its SHA-256 is the file's identifier.
    """
    engine = weasyprint()
    fetcher = _fetcher()
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="No fonts configured")
            page = engine.HTML(string=html, url_fetcher=fetcher)
            with _still_clock(moment_of(evidence)):
                pdf = page.write_pdf(
                    font_config=engine.text.fonts.FontConfiguration(),
                    pdf_variant="pdf/a-3a",
                    # As hex digits: among raw bytes, readers take a carriage return for a line feed (ISO 32000,
                    # 7.3.4.2).
                    pdf_identifier=hashlib.sha256(record).hexdigest()[:32].encode(),
                    attachments=list(_attachments(engine, evidence, record, fetcher)),
                )
    except Exception as error:  # whatever a layout engine stumbles over, the run has its record and its page
        raise AuditkitError(
            f"report.pdf was not written: WeasyPrint {engine.__version__} failed with {type(error).__name__}: {error}.",
            f"{_STILL} Please send the message and, if you may, the evidence.json to the developers of auditkit.",
        ) from error
    return bytes(pdf)


@contextlib.contextmanager
def _still_clock(time: datetime) -> Iterator[None]:
    """Hold the clock for fontTools, which subsets fonts where HarfBuzz's library for it is missing.

    It writes the time into every font, so that no two PDFs of one record would have the same bytes.
    """
    name = "SOURCE_DATE_EPOCH"
    before = os.environ.get(name)
    os.environ[name] = str(int(time.timestamp()))
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before


def _attachments(engine: ModuleType, evidence: Evidence, record: bytes, fetcher: Any) -> Any:
    time = moment_of(evidence)
    common = {"created": time, "modified": time, "relationship": "Data", "url_fetcher": fetcher}
    yield engine.Attachment(
        string=record, name="evidence.json", description="The record that this report was made from", **common
    )
    if evidence.protocol.toml:
        # As a data: URI, because the type of .toml would be looked up in the machine's own list.
        data = base64.b64encode(evidence.protocol.toml.encode("utf-8", "backslashreplace")).decode()
        yield engine.Attachment(
            url=f"data:application/toml;base64,{data}",
            name="protocol.toml",
            description="The protocol as it was read",
            **common,
        )


def _fetcher() -> Any:
    """Return a fetcher that hands out our fonts and data: URIs, and refuses all else."""
    urls = import_module("weasyprint.urls")

    class Offline(urls.URLFetcher):  # type: ignore[misc, name-defined]
        def fetch(self, url: str, headers: Any = None) -> Any:
            name = url.removeprefix(_SCHEME)
            if url.startswith(_SCHEME) and name in FONTS:
                kind = EmailMessage()
                kind["Content-Type"] = "font/ttf"
                return urls.URLFetcherResponse(url, _font_file(name).read_bytes(), kind)
            return super().fetch(url, headers)

    return Offline(allowed_protocols={"data"})
