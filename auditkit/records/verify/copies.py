"""The record inside report.html and report.pdf, and the hash that the page prints."""

from __future__ import annotations

import base64
import binascii
import gzip
import io
import re
import zlib
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path

from auditkit.records.verify.record import read_bytes
from auditkit.version import install_line

PART = "copies"
EVIDENCE, HTML, PDF = "evidence.json", "report.html", "report.pdf"
LINK = "evidence"
"""Id of the page's link that holds the record."""
PROTOCOL = "protocol.toml"

_PREFIX = "data:application/gzip;base64,"
_HASH = re.compile("[0-9a-f]{64}")
_LIMIT = 2**30  # a file of foreign origin may unpack to more than fits into memory


@dataclass(frozen=True, slots=True)
class Copy:
    """What a report holds of its record.

    Attributes
    ----------
    path : pathlib.Path
        The report.
    record : bytes or None
        The record inside; None where there is none that can be read.
    stated : tuple of str
        The hashes of 64 hex digits printed on a page, or among a PDF's keywords; one of them is to be the record's.
    protocol : bytes or None
        The protocol's text, where it is attached.
    problem : str
        Why there is no record.
    unread : str
        Why the report could not be looked into at all; then there may be one.
    """

    path: Path
    record: bytes | None = None
    stated: tuple[str, ...] = ()
    protocol: bytes | None = None
    problem: str = ""
    unread: str = ""


def read_copy(path: Path) -> Copy:
    """Return what a report holds of its record.

    Raises
    ------
    AuditkitError
        When the file cannot be read.
    """
    content = read_bytes(path)
    return _of_pdf(path, content) if path.suffix.lower() == ".pdf" else _of_html(path, content)


def _of_html(path: Path, content: bytes) -> Copy:
    found = _Finder()
    found.feed(content.decode("utf-8", "replace"))
    found.close()
    if len(found.links) != 1:
        return Copy(path, problem=f"it has {len(found.links)} embedded records instead of one")
    if not found.links[0].startswith(_PREFIX):
        return Copy(path, problem=f"its embedded record does not begin with {_PREFIX}")
    try:
        packed = base64.b64decode(found.links[0].removeprefix(_PREFIX), validate=True)
        with gzip.GzipFile(fileobj=io.BytesIO(packed)) as stream:
            record = stream.read(_LIMIT + 1)
    except (binascii.Error, OSError, EOFError, zlib.error) as error:
        return Copy(path, problem=f"its embedded record cannot be unpacked ({error})")
    if len(record) > _LIMIT:
        return Copy(path, problem=f"its embedded record unpacks to more than {_LIMIT} bytes")
    return Copy(path, record, tuple(found.hashes))


class _Finder(HTMLParser):
    """Collects the links that hold a record, and the hashes that are printed as code."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.hashes: list[str] = []
        self._code: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if given.get("id") == LINK and tag == "a":
            self.links.append(given.get("href") or "")
        if tag == "code":
            self._code = ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "code" and self._code is not None:
            if _HASH.fullmatch(self._code.strip()):
                self.hashes.append(self._code.strip())
            self._code = None

    def handle_data(self, data: str) -> None:
        if self._code is not None:
            self._code += data


def _of_pdf(path: Path, content: bytes) -> Copy:
    try:
        import pikepdf
    except ImportError:
        missing = f"looking into a PDF takes pikepdf, which is not installed. Type: {install_line('verify')}"
        return Copy(path, unread=missing)
    try:
        with pikepdf.open(io.BytesIO(content)) as pdf:
            attached = {name: spec.get_file().read_bytes() for name, spec in pdf.attachments.items()}
            keywords = str(pdf.docinfo.get("/Keywords", ""))
    except (pikepdf.PdfError, ValueError, KeyError, TypeError) as error:
        return Copy(path, problem=f"it cannot be opened as a PDF ({error})")
    if EVIDENCE not in attached:
        return Copy(path, problem=f"it has no attachment {EVIDENCE}; attached: {', '.join(attached) or 'nothing'}")
    return Copy(path, attached[EVIDENCE], tuple(_HASH.findall(keywords)), attached.get(PROTOCOL))
