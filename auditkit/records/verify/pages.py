"""Whether a report shows what its record says: the page is made again and compared."""

from __future__ import annotations

import re
from itertools import zip_longest
from pathlib import Path

from auditkit.errors import AuditkitError
from auditkit.evidence import Evidence
from auditkit.records.verify.checks import DIFFERS, OK, OPEN, Check
from auditkit.records.verify.copies import LINK
from auditkit.records.verify.criteria import same_version
from auditkit.version import code_version

PART = "pages"
_AROUND = 60  # characters of the page shown on either side of the first difference
# Packed by another zlib, the same record has other bytes.
_PACKED = re.compile(rf'(<a id="{LINK}"[^>]*? href=")[^"]*"')


def check_html(path: Path, evidence: Evidence, record: bytes) -> Check:
    """Render the page again and compare it to the letter, drawings included."""
    from auditkit.report.html import render_html

    page = _PACKED.sub(r'\1"', path.read_text(encoding="utf-8", errors="replace"))
    fresh = _PACKED.sub(r'\1"', render_html(evidence, record))
    if page == fresh:
        return Check(PART, OK, f"{path.name} is, to the letter, the page that this record gives")
    here = next(i for i, (a, b) in enumerate(zip_longest(page, fresh)) if a != b)
    shown = (text[max(here - _AROUND, 0) : here + _AROUND] for text in (page, fresh))
    detail = "at the first difference the page has «{}», and the record gives «{}»".format(*shown)
    what = "is not the page that this record gives. Render it again: auditkit report EVIDENCE.json"
    if not same_version(evidence):
        made_by = evidence.run.packages.get("auditkit", "?")
        other = f"{path.name} was made by auditkit {made_by}, and {code_version()} would make another page"
        return Check(PART, OPEN, f"{other}. Verify it with that version, or render it again.", (detail,))
    return Check(PART, DIFFERS, f"{path.name} {what}", (detail,))


def check_pdf(path: Path, evidence: Evidence, record: bytes) -> Check:
    """Render the PDF again and compare its bytes."""
    from auditkit.report.pdf import render_pdf

    try:
        fresh = render_pdf(evidence, record)
    except AuditkitError as error:
        return Check(PART, OPEN, f"{path.name}: {error}")
    content = path.read_bytes()
    if content == fresh:
        return Check(PART, OK, f"{path.name} is, byte for byte, the PDF that this record gives")
    if content.startswith(fresh):
        why = f"goes on for {len(content) - len(fresh)} bytes after the PDF that this record gives: a signature inside"
        return Check(PART, OPEN, f"{path.name} {why} the PDF, or a change. Ask your PDF reader what was added")
    why = "is not, byte for byte, the PDF that this record gives here: other versions of WeasyPrint, Pango"
    remedy = "or fonts do that, and so does a changed page. Render it again: auditkit report EVIDENCE.json"
    return Check(PART, OPEN, f"{path.name} {why} {remedy}")
